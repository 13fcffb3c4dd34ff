// Byte stream to whole messages (KMIP 2.1 §10.1: the length of a message is in its first item).
// A header that cannot begin a message is refused as soon as it is there, before anything more is
// kept. What is kept is at most twice what has come, however small the chunks are.

import { DecodeError } from './errors.ts'
import { itemTypes, tagHex } from './items.ts'

const requestMessage = 0x420078
const responseMessage = 0x42007b
const headerLength = 8
const leastRoom = 64

/** Reassembles messages from the chunks of one connection. After an error it is of no more use. */
export class Frames {
  private readonly maxBytes: number
  /** Holds what waits, from `start` to `end`. Never written before `end`: messages are views. */
  private buffer: Uint8Array = new Uint8Array(0)
  private start = 0
  private end = 0
  /** Length of the message at the front; undefined until its header is there. */
  private announced: number | undefined

  /** `maxBytes` is the ceiling of one whole message, header included. */
  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.maxBytes = maxBytes
  }

  /** Bytes kept, waiting to be part of a message. */
  get buffered(): number {
    return this.end - this.start
  }

  /**
   * Takes a chunk over; take all messages with `next` before the next chunk. Throws DecodeError on
   * a header that cannot begin a message.
   */
  push(chunk: Uint8Array): void {
    if (this.buffered === 0) {
      this.buffer = chunk
      this.start = 0
      this.end = chunk.length
    } else {
      this.makeRoom(chunk.length)
      this.buffer.set(chunk, this.end)
      this.end += chunk.length
    }
    this.announce()
  }

  /**
   * The next whole message, or undefined until more bytes come; a view of the chunk when one chunk
   * held it. Throws as `push` does.
   */
  next(): Uint8Array | undefined {
    this.announce()
    if (this.announced === undefined || this.buffered < this.announced) return undefined
    const message = this.buffer.subarray(this.start, this.start + this.announced)
    this.start += this.announced
    this.announced = undefined
    return message
  }

  /** Reads the header at the front, if it is there and was not read before. */
  private announce(): void {
    if (this.announced !== undefined || this.buffered < headerLength) return
    const { buffer, start } = this
    const header = new DataView(buffer.buffer, buffer.byteOffset + start, headerLength)
    const tag = header.getUint32(0) >>> 8
    const type = header.getUint8(3)
    const length = header.getUint32(4)
    if (tag !== requestMessage && tag !== responseMessage) {
      throw new DecodeError('tag', `${tagHex(tag)} does not begin a message`)
    }
    if (type !== itemTypes.Structure) throw new DecodeError('type', 'a message is a structure')
    if (length % 8 !== 0) throw new DecodeError('length', `length ${length} is no multiple of 8`)
    if (headerLength + length > this.maxBytes) {
      throw new DecodeError('size', `${headerLength + length} bytes exceed ${this.maxBytes}`)
    }
    this.announced = headerLength + length
  }

  /** Doubles the buffer when the chunk does not fit, so that bytes are moved a few times at most. */
  private makeRoom(size: number): void {
    if (this.end + size <= this.buffer.length) return
    const waiting = this.buffer.subarray(this.start, this.end)
    this.buffer = new Uint8Array(Math.max(leastRoom, 2 * (waiting.length + size)))
    this.buffer.set(waiting)
    this.start = 0
    this.end = waiting.length
  }
}
