/** Signatures of people over a text, kept beside it: made with the private key of a PEM file, verified with a certificate. */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { UserError } from '../errors.ts'
import { keyPin } from './certificates-issue.ts'
import type { Certificate } from './certificates.ts'
import { toHex } from './primitives/hash.ts'
import type { Secret } from './secret.ts'

/** A private key in use. */
export interface Signer {
  /** SHA-256 of the SubjectPublicKeyInfo of its public key, hexadecimal. */
  readonly pin: string
  sign(text: string): Uint8Array
}

/** What Node and OpenSSL say when a key is under a passphrase: the one of old PEM forms, the other of PKCS#8. */
const passphraseMissing: ReadonlySet<unknown> = new Set([
  'ERR_MISSING_PASSPHRASE',
  'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED',
])

/**
 * The private key of a PEM file, whose bytes stay the caller's to wipe; `file` names it in messages. Throws
 * UserError 'not-a-private-key'.
 */
export function openSigner(pem: Secret, file: string): Signer {
  const { buffer, byteOffset, length } = pem.bytes
  let key: KeyObject
  try {
    key = createPrivateKey({ key: Buffer.from(buffer, byteOffset, length), format: 'pem' })
  } catch (cause) {
    const isEncrypted = passphraseMissing.has((cause as { code?: unknown }).code)
    throw new UserError(
      'not-a-private-key',
      isEncrypted
        ? `the private key in ${file} is encrypted under a passphrase`
        : `${file} holds no private key in PEM`,
      'give the key in the clear, from a file that only you read:  openssl pkey -in ENCRYPTED -out FILE',
      { cause },
    )
  }
  return signerOf(key)
}

/** A private key of our own. */
export function signerOf(key: KeyObject): Signer {
  return {
    pin: toHex(keyPin(createPublicKey(key))),
    sign: (text) => sign(digestFor(key), Buffer.from(text), key),
  }
}

/** Whether the holder of the certificate's key has signed the text. */
export function hasSigned({ pem }: Certificate, text: string, signature: Uint8Array): boolean {
  const key = createPublicKey(pem)
  return verify(digestFor(key), Buffer.from(text), key, signature)
}

/** RSA signs as PKCS#1 v1.5 (RFC 8017 §8.2), elliptic curves by ECDSA with a digest of their size. */
function digestFor(key: KeyObject): string | null {
  if (key.asymmetricKeyType === 'ed25519') return null
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (curve === 'secp384r1') return 'sha384'
  return curve === 'secp521r1' ? 'sha512' : 'sha256'
}
