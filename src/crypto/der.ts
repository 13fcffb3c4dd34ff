/**
 * DER (X.690 §10) as bundles need it: written in pieces, and read by a cursor that takes what a
 * description asks for and nothing else. Views, no copies; no recursion, so nothing nests too deep; a
 * length that is not the shortest, or reaches too far, is refused before anything is made of it.
 */
import { CryptoRefusal } from './crypto-refusal.ts'

/** Tags of the elements in use. A context tag is `contextTag(n)`. */
export const derTag = {
  integer: 0x02,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** Tag [n] of a constructed element, or of a primitive one. */
export function contextTag(n: number, constructed = true): number {
  return (constructed ? 0xa0 : 0x80) | n
}

/** One element with these contents, one after the other. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, { length: one }) => sum + one, 0)
  return Buffer.concat([header(tag, length), ...contents])
}

/** Tag and length of an element whose contents are written elsewhere. */
export function header(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length)
  const digits: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256)
  return Uint8Array.of(tag, 0x80 | digits.length, ...digits)
}

export const sequence = (...contents: readonly Uint8Array[]): Uint8Array =>
  element(derTag.sequence, ...contents)
export const octets = (bytes: Uint8Array): Uint8Array => element(derTag.octetString, bytes)
export const derNull = Uint8Array.of(derTag.null, 0)

/** A set whose elements stand in the order of their bytes (X.690 §11.6). */
export function setOf(...contents: readonly Uint8Array[]): Uint8Array {
  return element(derTag.set, ...contents.toSorted((a, b) => Buffer.compare(a, b)))
}

/** A small INTEGER from 0. */
export function integer(value: number): Uint8Array {
  const digits: number[] = []
  for (let left = value; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256)
  if (digits.length === 0 || digits[0]! >= 0x80) digits.unshift(0)
  return element(derTag.integer, Uint8Array.from(digits))
}

/** An OBJECT IDENTIFIER from its dotted form; arcs of any size. */
export function oid(dotted: string): Uint8Array {
  const [first, second, ...others] = dotted.split('.').map(BigInt) as [bigint, bigint]
  const arcs = [first * 40n + second, ...others]
  return element(derTag.oid, Uint8Array.from(arcs.flatMap(base128)))
}

function base128(arc: bigint): number[] {
  const digits = [Number(arc & 0x7fn)]
  for (let left = arc >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 0x7fn) | 0x80)
  return digits
}

/** One element that was read: views of the input. */
export interface DerElement {
  readonly tag: number
  readonly contents: Uint8Array
  /** Header and contents. */
  readonly whole: Uint8Array
}

/** How many bytes the element has that begins here; undefined while the header is incomplete. */
export function measure(bytes: Uint8Array): { start: number; end: number } | undefined {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined) return undefined
  if ((tag & 0x1f) === 0x1f) throw notDer('a tag of more than one byte')
  if (first < 0x80) return { start: 2, end: 2 + first }
  const count = first & 0x7f
  if (count === 0 || count > 4) throw notDer('a length without end, or of more than four bytes')
  if (bytes.length < 2 + count) return undefined
  let length = 0
  for (const digit of bytes.subarray(2, 2 + count)) length = length * 256 + digit
  if (length < 0x80 || length < 256 ** (count - 1))
    throw notDer('a length not in its shortest form')
  return { start: 2 + count, end: 2 + count + length }
}

/** Reads elements one after the other. Everything throws CryptoRefusal `parameters`. */
export class DerReader {
  #rest: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#rest = bytes
  }

  /** The tag that comes next; undefined at the end. */
  get tag(): number | undefined {
    return this.#rest[0]
  }

  /** The next element, of whatever tag or of the one given. */
  next(tag?: number): DerElement {
    const found = this.tag
    if (found === undefined) throw notDer('it ends too early')
    if (tag !== undefined && found !== tag)
      throw notDer(`tag ${found.toString(16)} where ${tag.toString(16)} belongs`)
    const place = measure(this.#rest)
    if (place === undefined || place.end > this.#rest.length)
      throw notDer('an element reaches beyond the end')
    const whole = this.#rest.subarray(0, place.end)
    this.#rest = this.#rest.subarray(place.end)
    return { tag: found, contents: whole.subarray(place.start), whole }
  }

  /** The next element if it has that tag. */
  optional(tag: number): DerElement | undefined {
    return this.tag === tag ? this.next(tag) : undefined
  }

  /** A reader of the contents of the next element. */
  into(tag: number = derTag.sequence): DerReader {
    return new DerReader(this.next(tag).contents)
  }

  octets(): Uint8Array {
    return this.next(derTag.octetString).contents
  }

  /** Takes exactly these bytes: what has one form only is compared, not parsed. */
  expect(bytes: Uint8Array, what: string): void {
    if (Buffer.compare(this.#rest.subarray(0, bytes.length), bytes) !== 0)
      throw notDer(`it has another ${what} than expected`)
    this.#rest = this.#rest.subarray(bytes.length)
  }

  end(): void {
    if (this.#rest.length > 0) throw notDer(`${this.#rest.length} bytes too many`)
  }
}

/** Exactly one element and nothing behind it. */
export function onlyElement(bytes: Uint8Array, tag: number = derTag.sequence): DerElement {
  const reader = new DerReader(bytes)
  const found = reader.next(tag)
  reader.end()
  return found
}

function notDer(found: string): CryptoRefusal {
  return new CryptoRefusal('parameters', `not the DER expected: ${found}`)
}
