/**
 * RNG Retrieve and RNG Seed – KMIP 2.1 §6.1.49 and §6.1.50. What is given is random bytes of the crypto
 * library, which seeds itself from the operating system, with a key stream over them that every seed of a
 * client goes into: seeds can only add, whoever chose them.
 */
import { createCipheriv, createHmac } from 'node:crypto'
import { CryptoRefusal } from './crypto-refusal.ts'
import { randomBytes } from './primitives/random.ts'

/** Most bytes that one RNG Retrieve gives when the caller sets no other limit. */
export const retrieveLimit = 65_536

/** The generator of one process. */
export class RandomSource {
  /** Never leaves; moves on with every use, so that nobody learns later what was given before. */
  #state: Uint8Array = randomBytes(32)

  /** `length` random bytes. Throws CryptoRefusal `parameters` for lengths below 1 or above `limit`. */
  retrieve(length: number, limit = retrieveLimit): Uint8Array {
    if (!Number.isInteger(length) || length < 1 || length > limit)
      throw new CryptoRefusal('parameters', `Data Length must be 1 to ${limit}, not ${length}`)
    const key = this.#derived('stream')
    const bytes = randomBytes(length)
    const given = createCipheriv('aes-256-ctr', key, new Uint8Array(16)).update(bytes)
    key.fill(0)
    bytes.fill(0)
    this.#moveOn('next')
    return given
  }

  /** Takes a seed into the state; answers how many of its bytes are used: all. */
  seed(data: Uint8Array): number {
    this.#moveOn('seed', data)
    return data.length
  }

  #derived(what: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
    return createHmac('sha256', this.#state).update(`${what}\0`).update(data).digest()
  }

  #moveOn(what: string, data?: Uint8Array): void {
    const before = this.#state
    this.#state = this.#derived(what, data)
    before.fill(0)
  }
}
