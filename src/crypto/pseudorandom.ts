/** Keys from keys by a pseudorandom function – NIST SP 800-108 – over HMAC or CMAC. */
import { createHmac } from 'node:crypto'
import type { BlockCipher } from './ciphers/block-ciphers.ts'
import { openCmac } from './ciphers/cmac.ts'
import { hashRow } from './hashes.ts'
import type { Algorithm, HashingAlgorithm } from './parameters.ts'

/** A keyed function of the parts one after the other; `length` is that of its result in bytes. */
export interface Pseudorandom {
  readonly length: number
  of(...parts: readonly Uint8Array[]): Uint8Array
}

/** HMAC by a hash, or CMAC by a block cipher. Throws CryptoRefusal for hash and key length. */
export function pseudorandom(
  by: { hash: HashingAlgorithm } | { algorithm: Algorithm; cipher: BlockCipher },
  key: Uint8Array,
): Pseudorandom {
  if ('hash' in by) {
    const { length } = hashRow(by.hash)
    return { length, of: (...parts) => hmac(by.hash, key, ...parts) }
  }
  return {
    length: by.cipher.block,
    of(...parts) {
      const cmac = openCmac(by.algorithm, by.cipher, key)
      for (const part of parts) cmac.update(part)
      return cmac.final()
    },
  }
}

/** HMAC over the parts one after the other. Throws CryptoRefusal `unsupported` for the hash. */
export function hmac(
  hash: HashingAlgorithm,
  key: Uint8Array,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  const state = createHmac(hashRow(hash).digest, key)
  for (const part of parts) state.update(part)
  return state.digest()
}

/**
 * `length` bytes or a little more (SP 800-108 §4.1 to §4.3). `fixed` is the fixed input data as it
 * is, Derivation Data of KMIP; a 32-bit counter stands in front of it in every mode; `iv` begins the
 * feedback.
 */
export function keyDerivation(
  mode: 'counter' | 'feedback' | 'double-pipeline',
  prf: Pseudorandom,
  { fixed, iv, length }: { fixed: Uint8Array; iv: Uint8Array; length: number },
): Uint8Array {
  const out = new Uint8Array(Math.ceil(length / prf.length) * prf.length)
  const counter = Buffer.alloc(4)
  let chained: Uint8Array = mode === 'double-pipeline' ? fixed : Uint8Array.from(iv)
  for (let offset = 0; offset < out.length; offset += prf.length) {
    counter.writeUInt32BE(offset / prf.length + 1)
    if (mode === 'double-pipeline') chained = prf.of(chained)
    const block = mode === 'counter' ? prf.of(counter, fixed) : prf.of(chained, counter, fixed)
    out.set(block, offset)
    if (mode === 'feedback') chained = block
    else block.fill(0)
  }
  if (chained !== fixed) chained.fill(0)
  return out
}
