/** The mask generation function that OAEP and PSS share. */
import { hash, hashRow } from './hashes.ts'
import type { HashingAlgorithm } from './parameters.ts'

/** MGF1 (RFC 8017 §B.2.1) of `seed`, over `target`. */
export function xorMask(target: Uint8Array, seed: Uint8Array, algorithm: HashingAlgorithm): void {
  const { length } = hashRow(algorithm)
  const counted = Buffer.concat([seed, new Uint8Array(4)])
  for (let offset = 0; offset < target.length; offset += length) {
    counted.writeUInt32BE(offset / length, seed.length)
    const mask = hash(algorithm, counted)
    const end = Math.min(length, target.length - offset)
    for (let index = 0; index < end; index++) target[offset + index]! ^= mask[index]!
    mask.fill(0)
  }
  counted.fill(0)
}
