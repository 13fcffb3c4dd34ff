/**
 * A text for one person: CMS AuthEnvelopedData to the key of their certificate. `openssl cms -decrypt -inform
 * DER` opens it with their private key, and so does `openLetter`.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { certificateParts } from './certificate-parts.ts'
import type { Certificate } from './certificates.ts'
import { envelop, NotForUs, openEnvelope } from './cms.ts'
import { CryptoRefusal } from './crypto-refusal.ts'
import { encryptionCertificate, mayBeUsedFor } from './encryption-certificates.ts'
import { UserError } from '../errors.ts'
import type { Secret } from './secret.ts'

/** Throws UserError 'no-encryption' unless something can be encrypted for the certificate's holder. */
export function demandReader(certificate: Certificate, file: string): void {
  const use = isRsa(certificate) ? 'keyEncipherment' : 'keyAgreement'
  const refusal = (message: string) =>
    new UserError(
      'no-encryption',
      `${file}: ${message}`,
      'name a certificate for encryption: RSA from 2048 bits, P-256, P-384 or P-521',
    )
  if (!certificate.key.strong || certificate.key.name === 'Ed25519')
    throw refusal(`nothing can be encrypted to a key of the kind ${certificate.key.name}`)
  if (!mayBeUsedFor(certificate, use))
    throw refusal(`the certificate does not allow ${use}: it is for signing`)
}

/** The text for the holder of the certificate, DER. The text stays the caller's. */
export function sealLetter(text: Uint8Array, certificate: Certificate): Uint8Array {
  return envelop(text, [encryptionCertificate(certificate).recipient])
}

/** The text of a letter; the caller wipes it. Throws UserError: not this person's, or changed. */
export function openLetter(letter: Uint8Array, certificate: Certificate, pem: Secret): Uint8Array {
  const { issuer, serialNumber } = certificateParts(certificate.der)
  try {
    return openEnvelope(letter, [{ name: { issuer, serialNumber }, only: privateKey(pem) }])
  } catch (cause) {
    if (cause instanceof NotForUs)
      throw cannotOpen(
        `it is not for ${certificate.subject}`,
        'name the certificate it was made for',
        cause,
      )
    if (cause instanceof CryptoRefusal)
      throw cannotOpen(
        'the private key is not that of the certificate, or the file was changed',
        'name the private key of the certificate, and a file as it was handed out',
        cause,
      )
    throw cause
  }
}

function isRsa({ key }: Certificate): boolean {
  return key.name.startsWith('RSA')
}

function privateKey({ bytes }: Secret): KeyObject {
  const pem = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  try {
    return createPrivateKey({ key: pem, format: 'pem' })
  } catch (cause) {
    throw new UserError(
      'not-a-private-key',
      'the file holds no private key in PEM that can be read without a passphrase',
      'give the key in the clear, from a file that only you read:  openssl pkey -in ENCRYPTED -out FILE',
      { cause },
    )
  }
}

function cannotOpen(message: string, hint: string, cause: unknown): UserError {
  return new UserError('letter-closed', message, hint, { cause })
}
