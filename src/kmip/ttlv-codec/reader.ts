// Bounded cursor over one TTLV message (KMIP 2.1 §10.1). Every length is checked against what is
// left before anything is made of it; padding must be zero; depth and number of items are limited.
// The path of an error is worked out from the offsets of the open items only when one happens.

import { DecodeError } from './errors.ts'
import type { DecodeErrorCode } from './errors.ts'
import { anyLength, itemTypeName, itemTypes, multipleOf8, tagHex, valueLengths } from './items.ts'
import { versionText } from './versions.ts'
import type { Version } from './versions.ts'

/** What one message may cost; `decode` takes the defaults where a member is absent. */
export interface Limits {
  /** Bytes of a whole message, header included. */
  readonly maxBytes: number
  /** Structures inside one another. */
  readonly maxDepth: number
  /** Items of a whole message. */
  readonly maxItems: number
}

/** The limits used when none are given: 1 MiB, 32 levels, 65536 items. */
export const limits: Limits = { maxBytes: 1024 * 1024, maxDepth: 32, maxItems: 65536 }

/** How to read: for which version, how tolerant, how much. */
export interface DecodeOptions {
  readonly version: Version
  readonly limits?: Partial<Limits>
  /** `'any'` (default) finds fields in any order; `'strict'` demands the order of the schema. */
  readonly order?: 'any' | 'strict'
  /** `'refuse'` (default) or `'ignore'` items the schema does not know; vendor tags are skipped. */
  readonly unknown?: 'refuse' | 'ignore'
  /** Also refuse names of enumerations and masks that are not part of the version. */
  readonly strict?: boolean
}

/** Where the bytes come from when they are part of a larger message. */
export interface Origin {
  readonly path: string
  readonly offset: number
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const vendorTags = 0x54

/** Cursor and state of one decoding; schemas read from it, nobody else needs it. */
export class Reader {
  readonly version: Version
  readonly strict: boolean
  readonly strictOrder: boolean
  /** Header of the current item; the cursor stands at its value. */
  tag = 0
  type = 0
  length = 0
  /** End of the current item, padding included. */
  itemEnd = 0
  position = 0
  /** End of the structure being read. */
  end: number
  /** Fields read so far of the structure being read; for `dependent`. */
  siblings: Readonly<Record<string, unknown>> = {}
  /** Names for paths; structures set it to their vocabulary. */
  tagName: (tag: number) => string = tagHex

  readonly view: DataView
  private readonly bytes: Uint8Array
  private readonly ignoreUnknown: boolean
  private readonly maxDepth: number
  private readonly maxItems: number
  private readonly origin: Origin | undefined
  private readonly offsets: number[] = []
  private depth: number
  private items = 0

  constructor(bytes: Uint8Array, options: DecodeOptions, origin?: Origin) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.length
    this.version = options.version
    this.strict = options.strict === true
    this.strictOrder = options.order === 'strict'
    this.ignoreUnknown = options.unknown === 'ignore'
    const { maxBytes = limits.maxBytes } = options.limits ?? limits
    this.maxDepth = options.limits?.maxDepth ?? limits.maxDepth
    this.maxItems = options.limits?.maxItems ?? limits.maxItems
    this.origin = origin
    this.depth = origin === undefined ? 0 : 1
    if (bytes.length > maxBytes) {
      throw new DecodeError('size', `${bytes.length} bytes exceed ${maxBytes}`)
    }
  }

  /** Reads and checks the header, the length and the padding of the item at the cursor. */
  header(): void {
    const at = this.position
    const left = this.end - at
    this.offsets[this.depth] = at
    if (left < 8) this.fail('truncated', `header needs 8 bytes, ${left} left`)
    if (++this.items > this.maxItems) {
      this.fail('items', `more than ${this.maxItems} items`)
    }
    const word = this.view.getUint32(at)
    const length = this.view.getUint32(at + 4)
    const type = word & 0xff
    this.tag = word >>> 8
    this.type = type
    this.length = length
    if (valueLengths[type] === undefined) {
      this.fail('type', `0x${hexByte(type)} is not an item type`)
    }
    if (length > left - 8) this.failLength(length, left - 8)
    this.checkLength()
    this.position = at + 8
    this.itemEnd = at + 8 + ((length + 7) & ~7)
    if ((length & 7) !== 0) this.checkPadding(at + 8 + length)
  }

  /** Makes the whole input the value of an item whose header was read before (`decodeRaw`). */
  resume(type: number): void {
    this.type = type
    this.length = this.end
    this.itemEnd = this.end
    this.checkLength()
  }

  /** Refuses the current item unless it has this type byte. */
  expect(type: number): void {
    if (this.type !== type) this.failType(itemTypeName(type) ?? 'another')
  }

  /** Moves past the current item. */
  skip(): void {
    this.position = this.itemEnd
  }

  /** Enters the structure whose header was read; returns what `leave` needs. */
  enter(): number {
    this.expect(itemTypes.Structure)
    if (++this.depth > this.maxDepth) {
      this.depth--
      this.fail('depth', `more than ${this.maxDepth} structures inside one another`)
    }
    const outer = this.end
    this.end = this.itemEnd
    return outer
  }

  /** Leaves the structure; from here on errors are its own, no longer an item's in it. */
  leave(outer: number): void {
    this.end = outer
    this.depth--
  }

  /** Skips an item that has no place here, or refuses it. */
  unknownItem(): void {
    if (this.tag >>> 16 !== vendorTags && !this.ignoreUnknown) {
      this.fail('unknown-item', `not expected here in KMIP ${versionText(this.version)}`)
    }
    this.position = this.itemEnd
  }

  /** The value field of the current item, as a view of the message. */
  valueBytes(): Uint8Array {
    const start = this.position
    this.position = this.itemEnd
    return this.bytes.subarray(start, start + this.length)
  }

  /** The value of the current item as text; refuses what is not UTF-8. */
  text(): string {
    try {
      return decoder.decode(this.valueBytes())
    } catch {
      return this.fail('utf8', 'not UTF-8')
    }
  }

  /** The offset of the value of the current item in the whole message. */
  valueOffset(): number {
    return (this.origin?.offset ?? 0) + this.position
  }

  /** The path of an item whose value begins there; it was read before. */
  pathOf(value: number): string {
    const places: number[] = []
    const found = value - (this.origin?.offset ?? 0) - 8
    // Headers of structures lie one behind the other; those of other items are passed over whole.
    for (let at = 0; at < found;) {
      const inside = found < this.afterItem(at)
      if (inside) places.push(at)
      at = inside ? at + 8 : this.afterItem(at)
    }
    return this.pathThrough([...places, found])
  }

  /** Throws the error, with the place of the current item. */
  fail(code: DecodeErrorCode, reason: string): never {
    const at = this.offsets[this.depth] ?? 0
    throw new DecodeError(code, reason, {
      path: this.pathThrough(this.offsets.slice(0, this.depth + 1)),
      offset: (this.origin?.offset ?? 0) + at,
    })
  }

  /** Throws 'type': the current item is not what the schema expects. */
  failType(expected: string): never {
    return this.fail('type', `${itemTypeName(this.type)}, expected ${expected}`)
  }

  /** Refuses bytes after the item that was to be the whole input. */
  finish(): void {
    if (this.position < this.end) {
      this.fail('trailing', `${this.end - this.position} bytes after the end`)
    }
  }

  /** Refuses a length that the type of the current item cannot have. */
  private checkLength(): void {
    const { type, length } = this
    const expected = valueLengths[type] ?? anyLength
    if (expected === anyLength || expected === length) return
    if (expected === multipleOf8 && (length & 7) === 0) return
    const rule = expected === multipleOf8 ? 'a multiple of 8' : String(expected)
    this.fail('length', `length ${length} of ${itemTypeName(type)}, expected ${rule}`)
  }

  /** The path of the last of items that lie in one another. */
  private pathThrough(places: readonly number[]): string {
    const segments = this.origin === undefined ? [] : [this.origin.path]
    let start = 0
    let end = this.bytes.length
    for (const at of places) {
      if (at === undefined || at + 3 > end) continue
      segments.push(this.tagName(this.tagAt(at)) + this.indexAt(start, at, end))
      start = at + 8
      end = this.afterItem(at)
    }
    return segments.join('/')
  }

  private failLength(length: number, left: number): never {
    const code = this.depth === 0 ? 'truncated' : 'length'
    return this.fail(code, `length ${length} exceeds ${left} left`)
  }

  private checkPadding(valueEnd: number): void {
    if (this.itemEnd > this.end) this.fail('truncated', 'padding is missing')
    for (let at = valueEnd; at < this.itemEnd; at++) {
      if (this.bytes[at] !== 0) this.fail('padding', 'padding is not zero')
    }
  }

  /** `[n]` when the tag occurs more than once among the items from `start` to `end`. */
  private indexAt(start: number, at: number, end: number): string {
    const tag = this.tagAt(at)
    let before = 0
    for (let sibling = start; sibling < at; sibling = this.afterItem(sibling)) {
      if (this.tagAt(sibling) === tag) before++
    }
    const next = this.afterItem(at)
    const again = next + 8 <= end && this.tagAt(next) === tag
    return before > 0 || again ? `[${before}]` : ''
  }

  private tagAt(at: number): number {
    return this.view.getUint16(at) * 256 + this.view.getUint8(at + 2)
  }

  /** End of the item at `at`; the end of the bytes when its length points past them. */
  private afterItem(at: number): number {
    const length = this.bytes.length
    if (at + 8 > length) return length
    return Math.min(length, at + 8 + Math.ceil(this.view.getUint32(at + 4) / 8) * 8)
  }
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
