// Faults on tape, for scenarios and tests: what a worn head or a hostile hand could do.

import { open } from 'node:fs/promises'
import { join } from 'node:path'

import type { Cartridge } from './cartridge.ts'
import { locateBlock } from './medium.ts'
import { longestPreamble, offsetOf, type EncryptedPart } from './tape-record.ts'

/**
 * Flips one bit (0 to 7, of the first byte) in a part of encrypted block `n` of a cartridge.
 * The cartridge may be loaded: a drive keeps nothing of the tape in memory.
 */
export async function flipBit(
  cartridge: Cartridge,
  n: number,
  part: EncryptedPart,
  bit = 0,
): Promise<void> {
  const index = await open(join(cartridge.directory, 'index'), 'r')
  const data = await open(join(cartridge.directory, 'data'), 'r+')
  try {
    const { offset, length } = await locateBlock(index, n)
    const preamble = new Uint8Array(Math.min(length, longestPreamble))
    await data.read(preamble, 0, preamble.length, offset)
    const at = offset + offsetOf(part, preamble, length)
    const byte = new Uint8Array(1)
    await data.read(byte, 0, 1, at)
    await data.write(Uint8Array.of((byte[0] ?? 0) ^ (1 << bit)), 0, 1, at)
  } finally {
    await index.close()
    await data.close()
  }
}
