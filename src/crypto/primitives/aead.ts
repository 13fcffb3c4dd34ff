// AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces: at most 2^30 seals per key, the caller counts.
import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto'
import type { SymmetricKey } from './symmetric-key.ts'

const nonceLength = 12
const tagLength = 16

/** Bytes a seal is longer than what is in it. */
export const sealOverhead = nonceLength + tagLength

/** The sealed bytes, the additional data or the key are not those of the seal. */
export class SealBroken extends Error {
  readonly code = 'seal-broken'

  constructor(cause?: unknown) {
    super('sealed bytes do not open', { cause })
    this.name = 'SealBroken'
  }
}

/** Nonce, ciphertext and tag of `plain`, bound to `additionalData`. */
export function seal(key: SymmetricKey, plain: Uint8Array, additionalData: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(plain.length + sealOverhead)
  const nonce = sealed.subarray(0, nonceLength)
  nonce.set(nextNonce())
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength })
  cipher.setAAD(additionalData)
  sealed.set(cipher.update(plain), nonceLength)
  cipher.final()
  sealed.set(cipher.getAuthTag(), nonceLength + plain.length)
  return sealed
}

/** Nonces made at once: they are no secrets, and the system is asked rarely. */
const nonces = new Uint8Array(256 * nonceLength)
let nextAt = nonces.length

/** Twelve random bytes, given once. */
function nextNonce(): Uint8Array {
  if (nextAt === nonces.length) {
    randomFillSync(nonces)
    nextAt = 0
  }
  return nonces.subarray(nextAt, (nextAt += nonceLength))
}

/** What was sealed, in an array of its own that the caller clears. Throws SealBroken. */
export function unseal(
  key: SymmetricKey,
  sealed: Uint8Array,
  additionalData: Uint8Array,
): Uint8Array {
  if (sealed.length < sealOverhead) throw new SealBroken()
  const end = sealed.length - tagLength
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceLength), {
    authTagLength: tagLength,
  })
  decipher.setAAD(additionalData)
  decipher.setAuthTag(sealed.subarray(end))
  const plain = decipher.update(sealed.subarray(nonceLength, end))
  try {
    decipher.final()
  } catch (cause) {
    plain.fill(0)
    throw new SealBroken(cause)
  }
  return plain
}
