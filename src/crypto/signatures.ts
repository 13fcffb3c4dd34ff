/**
 * Sign and Signature Verify – KMIP 2.1 §6.1.55 and §6.1.56 – by Cryptographic Parameters: of data at
 * once or in parts, or of a digest that the client has made. ECDSA and DSA signatures are DER. A
 * stream holds the crypto library's state: it lives in this process and cannot be stored.
 */
import { createSign, createVerify, sign as signMessage, verify as verifyMessage } from 'node:crypto'
import { CryptoRefusal, orFailure } from './crypto-refusal.ts'
import { hashRow, openHash } from './hashes.ts'
import type { PrivateHalf, PublicHalf } from './key-formats/asymmetric-key.ts'
import type { CryptographicParameters } from './parameters.ts'
import {
  signDigestDsa,
  signDigestEcdsa,
  verifyDigestDsa,
  verifyDigestEcdsa,
} from './signatures/digested.ts'
import { areForKey, signatureMethod, type SignatureMethod } from './signatures/methods.ts'
import { signDigestRsa, verifyDigestRsa } from './signatures/rsa-signatures.ts'

/** What is signed: data, or the digest of data (Digested Data). */
export type SignatureInput = { data: Uint8Array } | { digestedData: Uint8Array }

/** Validity Indicator, as far as a signature decides it. */
export type Validity = 'Valid' | 'Invalid'

/** Data that comes in parts. After `final` or `close` the stream has ended. */
export interface SigningStream {
  update(data: Uint8Array): void
  final(): Uint8Array
  close(): void
}

/** As {@link SigningStream}; the signature comes with the last part. */
export interface VerificationStream {
  update(data: Uint8Array): void
  final(signature: Uint8Array): Validity
  close(): void
}

/** Signs. Throws CryptoRefusal `parameters`, `unsupported`, `failure`. */
export function sign(
  key: PrivateHalf,
  parameters: CryptographicParameters,
  input: SignatureInput,
): Uint8Array {
  if ('data' in input) {
    const stream = openSigning(key, parameters)
    stream.update(input.data)
    return stream.final()
  }
  const method = signatureMethod(key, parameters)
  const digest = checkedDigest(method, input.digestedData)
  if (method.scheme === 'ECDSA') return signDigestEcdsa(key, digest)
  if (method.scheme === 'DSA') return signDigestDsa(key, digest)
  return signDigestRsa(key, method, digest)
}

/**
 * Verifies. A signature that is not one, whatever is wrong with it, is Invalid, and so is any under
 * the key of another algorithm than the parameters name. Throws CryptoRefusal `parameters` and
 * `unsupported` for what could never be verified.
 */
export function verify(
  key: PublicHalf,
  parameters: CryptographicParameters,
  input: SignatureInput,
  signature: Uint8Array,
): Validity {
  if (!areForKey(key, parameters)) return 'Invalid'
  if ('data' in input) {
    const stream = openVerification(key, parameters)
    stream.update(input.data)
    return stream.final(signature)
  }
  const method = signatureMethod(key, parameters)
  const digest = checkedDigest(method, input.digestedData)
  return validity(() => {
    if (method.scheme === 'ECDSA') return verifyDigestEcdsa(key, digest, signature)
    if (method.scheme === 'DSA') return verifyDigestDsa(key, digest, signature)
    return verifyDigestRsa(key, method, digest, signature)
  })
}

/** Begins a signature in parts. Throws CryptoRefusal. */
export function openSigning(key: PrivateHalf, parameters: CryptographicParameters): SigningStream {
  const method = signatureMethod(key, parameters)
  const { privateKey } = key
  if (method.scheme === 'EdDSA') {
    const { update, all, close } = collected()
    return { update, close, final: () => orFailure(() => signMessage(null, all(), privateKey)) }
  }
  const algorithm = hashOf(method)
  if (method.scheme === 'ECDSA' || method.scheme === 'DSA') {
    const state = createSign(hashRow(algorithm).digest)
    return {
      update: (data) => void state.update(data),
      final: () => orFailure(() => state.sign(privateKey)),
      close: () => undefined,
    }
  }
  const state = openHash(algorithm)
  return {
    ...state,
    final: () => signDigestRsa(key, method, state.final()),
    close: () => undefined,
  }
}

/** Begins a verification in parts. Throws CryptoRefusal. */
export function openVerification(
  key: PublicHalf,
  parameters: CryptographicParameters,
): VerificationStream {
  const method = signatureMethod(key, parameters)
  const { publicKey } = key
  if (method.scheme === 'EdDSA') {
    const { update, all, close } = collected()
    const final = (signature: Uint8Array) =>
      validity(() => verifyMessage(null, all(), publicKey, signature))
    return { update, close, final }
  }
  const algorithm = hashOf(method)
  if (method.scheme === 'ECDSA' || method.scheme === 'DSA') {
    const state = createVerify(hashRow(algorithm).digest)
    return {
      update: (data) => void state.update(data),
      final: (signature) => validity(() => state.verify(publicKey, signature)),
      close: () => undefined,
    }
  }
  const state = openHash(algorithm)
  return {
    ...state,
    final: (signature) => validity(() => verifyDigestRsa(key, method, state.final(), signature)),
    close: () => undefined,
  }
}

/** A signature of the wrong form makes the library throw: that is a wrong signature too. */
function validity(isValid: () => boolean): Validity {
  try {
    return isValid() ? 'Valid' : 'Invalid'
  } catch (error) {
    if (error instanceof CryptoRefusal) throw error
    return 'Invalid'
  }
}

/** Digested Data has the length of its hash; without a hash it is signed as it is, but not by PSS. */
function checkedDigest(
  { scheme, hash: algorithm }: SignatureMethod,
  digest: Uint8Array,
): Uint8Array {
  if (scheme === 'EdDSA')
    throw new CryptoRefusal('unsupported', 'EdDSA signs data, not a digest of it')
  if (algorithm === undefined) {
    if (scheme === 'PSS') throw missingHash()
    if (digest.length < 1 || digest.length > longestDigest)
      throw new CryptoRefusal('parameters', `Digested Data has 1 to ${longestDigest} bytes`)
  } else if (digest.length !== hashRow(algorithm).length)
    throw new CryptoRefusal('parameters', `${digest.length} bytes are no digest of ${algorithm}`)
  return digest
}

const longestDigest = 1024

function hashOf({ hash: algorithm }: SignatureMethod) {
  if (algorithm === undefined) throw missingHash()
  return algorithm
}

function missingHash(): CryptoRefusal {
  return new CryptoRefusal('parameters', 'a Hashing Algorithm is needed')
}

const mostCollected = 1024 * 1024

/** EdDSA reads the data twice, so all of it is kept, bounded. */
function collected() {
  let parts: Uint8Array[] = []
  let length = 0
  return {
    update(data: Uint8Array) {
      length += data.length
      if (length > mostCollected && parts.length > 0)
        throw new CryptoRefusal('parameters', `at most ${mostCollected} bytes in parts`)
      parts.push(Uint8Array.from(data))
    },
    all: () => Buffer.concat(parts),
    close() {
      parts = []
    },
  }
}
