/**
 * OAEP by hand (RFC 8017 §7.1), for the case that the crypto library lacks: a Mask Generator Hashing
 * Algorithm that is not the Hashing Algorithm. Decoding looks at all bytes whatever they hold, since
 * telling one error from another would open the ciphertext (Manger 2001).
 */
import { randomBytes } from '../primitives/random.ts'
import { cryptographicFailure } from '../crypto-refusal.ts'
import { hash, hashRow } from '../hashes.ts'
import { xorMask } from '../mask-generation.ts'
import type { HashingAlgorithm } from '../parameters.ts'

export interface OaepHashes {
  label: HashingAlgorithm
  mask: HashingAlgorithm
}

/** Message bytes that fit a modulus of `size` bytes; below 0 the modulus is too small. */
export function oaepCapacity(size: number, label: HashingAlgorithm): number {
  return size - 2 * hashRow(label).length - 2
}

/** The encoded message, `size` bytes; the caller has checked the capacity and clears it. */
export function oaepEncode(
  message: Uint8Array,
  size: number,
  hashes: OaepHashes,
  label: Uint8Array,
): Uint8Array {
  const digestLength = hashRow(hashes.label).length
  const encoded = new Uint8Array(size)
  const seed = encoded.subarray(1, 1 + digestLength)
  const block = encoded.subarray(1 + digestLength)
  seed.set(randomBytes(digestLength))
  block.set(hash(hashes.label, label))
  block[block.length - message.length - 1] = 1
  block.set(message, block.length - message.length)
  xorMask(block, seed, hashes.mask)
  xorMask(seed, block, hashes.mask)
  return encoded
}

/** The message, in an array of its own; `encoded` is overwritten. Throws CryptoRefusal `failure`. */
export function oaepDecode(encoded: Uint8Array, hashes: OaepHashes, label: Uint8Array): Uint8Array {
  const digest = hash(hashes.label, label)
  const seed = encoded.subarray(1, 1 + digest.length)
  const block = encoded.subarray(1 + digest.length)
  xorMask(seed, block, hashes.mask)
  xorMask(block, seed, hashes.mask)
  let wrong = encoded[0]!
  let searching = 1
  let start = 0
  for (const [index, byte] of block.entries()) {
    if (index < digest.length) {
      wrong |= byte ^ digest[index]!
      continue
    }
    const isOne = (((byte ^ 1) - 1) >> 31) & 1
    const isZero = ((byte - 1) >> 31) & 1
    start |= (index + 1) & -(searching & isOne)
    wrong |= searching & ~isOne & ~isZero & 1
    searching &= ~isOne & 1
  }
  const message = Uint8Array.from(block.subarray(start))
  encoded.fill(0)
  if ((wrong | searching) === 0) return message
  message.fill(0)
  throw cryptographicFailure()
}
