/**
 * RNG Retrieve and RNG Seed – KMIP 2.1 §6.1.49 and §6.1.50 – over the crypto library's generator,
 * which seeds itself from the operating system.
 */
import { CryptoRefusal } from './crypto-refusal.ts'
import { randomBytes } from './primitives/random.ts'

/** Most bytes that one RNG Retrieve gives when the caller sets no other limit. */
export const retrieveLimit = 65_536

/** `length` random bytes. Throws CryptoRefusal `parameters` for lengths below 1 or above `limit`. */
export function retrieveRandom(length: number, limit = retrieveLimit): Uint8Array {
  if (Number.isInteger(length) && length >= 1 && length <= limit) return randomBytes(length)
  throw new CryptoRefusal('parameters', `Data Length must be 1 to ${limit}, not ${length}`)
}

/**
 * How many bytes of a client's seed are used: none. What a client knows adds nothing to the
 * generator, and §6.1.50 lets a server say so.
 */
export function seedUsed(_seed: Uint8Array): number {
  return 0
}
