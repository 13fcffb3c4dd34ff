// Data of a host whose tapes are to be checked: blocks that can be made again at any time, so that
// what is read is compared with what was written byte for byte.

import type { Cartridge } from './cartridge.ts'
import type { Drive } from './drive.ts'
import { applicationDataOf } from './kad.ts'

/** A run of equal-sized blocks; the seed tells runs apart. */
export interface Recording {
  readonly seed: number
  readonly blocks: number
  readonly blockSize: number
}

/** Block `n` of a recording, from 0. */
export function blockOf({ seed, blockSize }: Recording, n: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(blockSize / 4))
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b)) | 1
  for (let at = 0; at < words.length; at += 1) {
    // xorshift32: cheap, and no block looks like another.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[at] = state
  }
  return new Uint8Array(words.buffer, 0, blockSize)
}

/** Writes a recording where the drive stands; `onBlock` is called after each block. */
export async function write(
  drive: Drive,
  recording: Recording,
  onBlock?: (n: number) => void | Promise<void>,
): Promise<void> {
  for (let n = 0; n < recording.blocks; n += 1) {
    await drive.write(blockOf(recording, n))
    await onBlock?.(n)
  }
}

/** What the drive reads is not what was written. */
export class WrongData extends Error {
  override readonly name = 'WrongData'
}

/**
 * Reads a tape from its beginning to the end of data; throws WrongData at the first byte that is not
 * of these recordings, one after the other, CheckCondition when the drive cannot read.
 */
export async function readBack(drive: Drive, recordings: readonly Recording[]): Promise<void> {
  await drive.rewind()
  for (const recording of recordings) {
    for (let n = 0; n < recording.blocks; n += 1) {
      const found = await drive.read()
      const where = `block ${n} of recording ${recording.seed}`
      if (found.kind !== 'block') throw new WrongData(`${where}: ${found.kind}`)
      if (Buffer.compare(found.data, blockOf(recording, n)) !== 0) {
        throw new WrongData(`${where}: other bytes than were written`)
      }
    }
  }
  const after = await drive.read()
  if (after.kind !== 'end-of-data') throw new WrongData(`after the last block: ${after.kind}`)
}

/** The identifier on every block of an unloaded cartridge, in order; undefined for a clear block. */
export async function identifiersOnTape(cartridge: Cartridge): Promise<(string | undefined)[]> {
  const medium = await cartridge.mount()
  try {
    const found: (string | undefined)[] = []
    for (let n = 0; n < medium.count; n += 1) {
      const object = await medium.peek(n)
      if (object?.kind === 'encrypted') found.push(applicationDataOf(object))
      if (object?.kind === 'clear') found.push(undefined)
    }
    return found
  } finally {
    await medium.close()
  }
}
