// The tape inside a mounted cartridge: objects numbered from 0, written only at the end or over
// what follows. Two files: `data` holds the blocks one after the other, `index` one 16-byte entry
// per object, written after its block. The index decides what is recorded, so a process killed
// between the two leaves an unrecorded tail and nothing worse. No object is kept in memory.
//
//   index entry: [0] kind  [1] 1 when this or an earlier object is encrypted  [2..3] zero
//                [4..7] length of the block  [8..15] its offset in `data`

import type { FileHandle } from 'node:fs/promises'

import { CheckCondition } from './sense.ts'
import {
  decodeEncrypted,
  encodeBlock,
  longestPreamble,
  type EncryptedBlock,
  type TapeObject,
} from './tape-record.ts'

const entryLength = 16
const kinds = ['filemark', 'clear', 'encrypted'] as const

interface Entry {
  readonly kind: TapeObject['kind']
  readonly encryptedSoFar: boolean
  readonly length: number
  readonly offset: number
}

/** An open tape over files its cartridge owns. Commands on it must come one at a time. */
export class Medium {
  readonly #index: FileHandle
  readonly #data: FileHandle
  readonly #release: () => Promise<void>
  #count: number
  #last: Entry | undefined

  private constructor(
    files: { index: FileHandle; data: FileHandle },
    release: () => Promise<void>,
    count: number,
    last: Entry | undefined,
  ) {
    this.#index = files.index
    this.#data = files.data
    this.#release = release
    this.#count = count
    this.#last = last
  }

  /**
   * Drops entries whose block never reached the data file. `release` closes the files and is called
   * by `close`, or by the caller when this throws.
   */
  static async open(
    files: { index: FileHandle; data: FileHandle },
    release: () => Promise<void>,
  ): Promise<Medium> {
    const { size } = await files.data.stat()
    let count = Math.floor((await files.index.stat()).size / entryLength)
    for (; count > 0; count -= 1) {
      const last = await entryAt(files.index, count - 1)
      if (last.offset + last.length <= size) return new Medium(files, release, count, last)
    }
    return new Medium(files, release, 0, undefined)
  }

  /** How many objects are recorded: the number the next one appended gets. */
  get count(): number {
    return this.#count
  }

  /** Whether any recorded block is encrypted. */
  get containsEncrypted(): boolean {
    return this.#last?.encryptedSoFar ?? false
  }

  /** Object `n`; undefined at the end of data. Throws 3/11/00 when the record makes no sense. */
  async read(n: number): Promise<TapeObject | undefined> {
    if (n >= this.#count) return undefined
    const entry = await entryAt(this.#index, n)
    if (entry.kind === 'filemark') return { kind: 'filemark' }
    const bytes = await readExactly(this.#data, entry.length, entry.offset)
    return entry.kind === 'clear' ? { kind: 'clear', data: bytes } : encrypted(bytes, entry, n)
  }

  /** As `read`, but an encrypted block comes without ciphertext and tag, a clear one without data. */
  async peek(n: number): Promise<TapeObject | undefined> {
    if (n >= this.#count) return undefined
    const entry = await entryAt(this.#index, n)
    if (entry.kind === 'filemark') return { kind: 'filemark' }
    if (entry.kind === 'clear') return { kind: 'clear', data: new Uint8Array() }
    const length = Math.min(entry.length, longestPreamble)
    return encrypted(await readExactly(this.#data, length, entry.offset), entry, n)
  }

  /** The nearest block (not filemark) before object `n`, as `peek` gives it. */
  async blockBefore(n: number): Promise<Exclude<TapeObject, { kind: 'filemark' }> | undefined> {
    for (let at = Math.min(n, this.#count) - 1; at >= 0; at -= 1) {
      const object = await this.peek(at)
      if (object !== undefined && object.kind !== 'filemark') return object
    }
    return undefined
  }

  /**
   * Records an object as number `n`, at most `count`; what was recorded from `n` on is gone.
   * Returns when both files have the bytes (not yet synced: see `sync`).
   */
  async write(n: number, object: TapeObject): Promise<void> {
    if (n > this.#count) throw new RangeError(`object ${n} lies beyond the end, ${this.#count}`)
    if (n < this.#count) await this.#truncate(n)
    const last = this.#last
    const parts = object.kind === 'filemark' ? [] : encodeBlock(object)
    const entry: Entry = {
      kind: object.kind,
      encryptedSoFar: object.kind === 'encrypted' || (last?.encryptedSoFar ?? false),
      length: parts.reduce((sum, part) => sum + part.length, 0),
      offset: last === undefined ? 0 : last.offset + last.length,
    }
    await writeExactly(this.#data, parts, entry.offset)
    await writeExactly(this.#index, [encodeEntry(entry)], n * entryLength)
    this.#count = n + 1
    this.#last = entry
  }

  /** Hands everything written so far to the disk. */
  async sync(): Promise<void> {
    await this.#data.datasync()
    await this.#index.datasync()
  }

  /** Syncs and gives the files back. */
  async close(): Promise<void> {
    try {
      await this.sync()
    } finally {
      await this.#release()
    }
  }

  async #truncate(n: number): Promise<void> {
    const last = n === 0 ? undefined : await entryAt(this.#index, n - 1)
    await this.#index.truncate(n * entryLength)
    this.#count = n
    this.#last = last
    await this.#data.truncate(last === undefined ? 0 : last.offset + last.length)
  }
}

/** Where object `n` of an index file lies in the data file; for tools that damage tapes. */
export async function locateBlock(
  index: FileHandle,
  n: number,
): Promise<{ offset: number; length: number }> {
  const { offset, length } = await entryAt(index, n)
  return { offset, length }
}

function encrypted(bytes: Uint8Array, entry: Entry, n: number): EncryptedBlock {
  const block = decodeEncrypted(bytes, entry.length)
  if (block !== undefined) return block
  throw new CheckCondition('3/11/00', `object ${n} is not an encrypted block`)
}

function encodeEntry(entry: Entry): Uint8Array {
  const bytes = new Uint8Array(entryLength)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, kinds.indexOf(entry.kind))
  view.setUint8(1, entry.encryptedSoFar ? 1 : 0)
  view.setUint32(4, entry.length)
  view.setBigUint64(8, BigInt(entry.offset))
  return bytes
}

async function entryAt(index: FileHandle, n: number): Promise<Entry> {
  const bytes = await readExactly(index, entryLength, n * entryLength)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const kind = kinds[view.getUint8(0)]
  if (kind === undefined) throw new CheckCondition('3/11/00', `object ${n} has no known kind`)
  return {
    kind,
    encryptedSoFar: view.getUint8(1) === 1,
    length: view.getUint32(4),
    offset: Number(view.getBigUint64(8)),
  }
}

async function readExactly(file: FileHandle, length: number, from: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, from + done)
    if (bytesRead === 0) {
      throw new CheckCondition('3/11/00', `file ends ${length - done} bytes early`)
    }
    done += bytesRead
  }
  return bytes
}

async function writeExactly(
  file: FileHandle,
  parts: readonly Uint8Array[],
  from: number,
): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const { bytesWritten } = await file.writev(parts as Uint8Array[], from)
  if (bytesWritten === length) return
  throw new CheckCondition('3/0C/00', `only ${bytesWritten} of ${length} bytes were taken`)
}
