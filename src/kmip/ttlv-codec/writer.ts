// Writes TTLV in two passes over the value: `size` measures (and refuses what cannot be written),
// then one buffer of that size is filled; lengths of structures are patched in behind.

import { EncodeError } from './errors.ts'
import type { EncodeErrorCode } from './errors.ts'
import { itemTypes } from './items.ts'
import type { Version } from './versions.ts'

const encoder = new TextEncoder()
const nothing = new Uint8Array(0)
const viewOfNothing = new DataView(nothing.buffer)

/** State of one encoding; schemas measure and write through it, nobody else needs it. */
export class Writer {
  readonly version: Version
  /** Members of the structure being measured or written; for `dependent`. */
  siblings: Readonly<Record<string, unknown>> = {}
  private readonly path: string[]
  private depth = 0
  private bytes: Uint8Array = nothing
  private view = viewOfNothing
  private position = 0

  constructor(version: Version, root: string) {
    this.version = version
    this.path = [root]
  }

  /** Takes the one buffer to fill. */
  allocate(size: number): void {
    const buffer = new ArrayBuffer(size)
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
  }

  /** The filled buffer. */
  finished(): Uint8Array {
    return this.bytes
  }

  /** Names the member being measured, for the path of an error. */
  member(key: string): void {
    this.path[this.depth] = key
  }

  /** Begins to measure the members of a structure. */
  enter(): void {
    this.depth++
  }

  /** Has measured the members of a structure. */
  leave(): void {
    this.depth--
  }

  /** Throws the error, with the place of the member being measured. */
  fail(code: EncodeErrorCode, reason: string): never {
    throw new EncodeError(code, reason, { path: this.path.slice(0, this.depth + 1).join('/') })
  }

  /** Writes the header of a structure; returns what `endStructure` needs. */
  startStructure(tag: number): number {
    this.header(tag, itemTypes.Structure, 0)
    return this.position
  }

  /** Patches the length of the structure begun there. */
  endStructure(start: number): void {
    this.view.setUint32(start - 4, this.position - start)
  }

  /** An item of four bytes, signed or unsigned alike. */
  int32(tag: number, type: number, value: number): void {
    this.header(tag, type, 4)
    this.view.setInt32(this.position, value)
    this.position += 8
  }

  /** An item of eight bytes. */
  int64(tag: number, type: number, value: bigint): void {
    this.header(tag, type, 8)
    this.view.setBigInt64(this.position, value)
    this.position += 8
  }

  /** A Boolean item. */
  boolean(tag: number, value: boolean): void {
    this.header(tag, itemTypes.Boolean, 8)
    if (value) this.bytes[this.position + 7] = 1
    this.position += 8
  }

  /** An item of any bytes, padded with zeros. */
  block(tag: number, type: number, value: Uint8Array): void {
    this.header(tag, type, value.length)
    this.bytes.set(value, this.position)
    this.position += padded(value.length)
  }

  /** A Text String item; the text is well-formed. */
  text(tag: number, value: string): void {
    this.header(tag, itemTypes.TextString, 0)
    const start = this.position
    const length = this.ascii(value) ? value.length : this.utf8(value)
    this.view.setUint32(start - 4, length)
    this.position = start + padded(length)
  }

  private ascii(value: string): boolean {
    const { bytes, position } = this
    if (value.length > 64) return false
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x7f) return false
      bytes[position + i] = unit
    }
    return true
  }

  private utf8(value: string): number {
    return encoder.encodeInto(value, this.bytes.subarray(this.position)).written
  }

  private header(tag: number, type: number, length: number): void {
    this.view.setUint32(this.position, tag * 256 + type)
    this.view.setUint32(this.position + 4, length)
    this.position += 8
  }
}

/** Length on the wire of a value of that many bytes, padding included. */
export function padded(length: number): number {
  return Math.ceil(length / 8) * 8
}

/** Length of a whole item whose value has that many bytes. */
export function itemSize(length: number): number {
  return 8 + padded(length)
}
