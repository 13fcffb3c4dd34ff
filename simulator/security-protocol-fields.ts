// Words for describing a SCSI parameter page as a table of fields: each field is bits of a
// big-endian byte range with a meaning. Bits no field names are reserved and must be zero.

export type PageErrorCode = 'length' | 'page' | 'reserved' | 'value'

/** The bytes are not the page they should be; `code` says in which way. */
export class PageError extends Error {
  readonly code: PageErrorCode

  constructor(code: PageErrorCode, message: string) {
    super(message)
    this.name = 'PageError'
    this.code = code
  }
}

/** `width` bits, the lowest of them bit `low` of byte `last`, bytes numbered as the page does. */
export interface Field<T> {
  readonly first: number
  readonly last: number
  readonly low: number
  readonly width: number
  /** The meaning of the number on the wire; undefined refuses it. */
  read(wire: number): T | undefined
  write(value: T): number
}

const plain = { read: (wire: number) => wire, write: (value: number) => value }

/** An unsigned integer of whole bytes; eight bytes hold at most 2^53 - 1. */
export const uint = (first: number, length: number): Field<number> => ({
  first,
  last: first + length - 1,
  low: 0,
  width: length * 8,
  ...plain,
})

/** Bits `high` down to `low` of one byte, as a number. */
export const bits = (byte: number, high: number, low: number): Field<number> => ({
  first: byte,
  last: byte,
  low,
  width: high - low + 1,
  ...plain,
})

/** One bit. */
export const flag = (byte: number, bit: number): Field<boolean> => ({
  ...bits(byte, bit, bit),
  read: (wire) => wire === 1,
  write: (value) => (value ? 1 : 0),
})

/** Bits whose values have names; a value without a name is refused. */
export const named = <Name extends string>(
  byte: number,
  high: number,
  low: number,
  values: Readonly<Record<Name, number>>,
): Field<Name> => ({
  ...bits(byte, high, low),
  read: (wire) => (Object.keys(values) as Name[]).find((name) => values[name] === wire),
  write: (name) => values[name],
})

type AnyField = Field<unknown>
type Fields = Readonly<Record<string, AnyField>>

/** What a layout's fields hold, by name. */
export type Values<F> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }

/** A table of fields over `size` bytes. */
export interface Layout<T> {
  readonly size: number
  /** Throws PageError 'length', 'reserved' or 'value'. Bytes after `size` are left alone. */
  read(bytes: Uint8Array): T
  /** The `size` bytes; throws PageError 'value' when a value does not fit its field. */
  write(values: T): Uint8Array
}

/**
 * Makes a layout of the bytes numbered `from` up to but not including `to`; `name` opens its error
 * messages.
 */
export function layout<F extends Fields>(
  name: string,
  [from, to]: readonly [from: number, to: number],
  fields: F,
): Layout<Values<F>> {
  const size = to - from
  const rows = Object.entries(fields).map(([key, field]) => {
    return [key, { ...field, first: field.first - from, last: field.last - from }]
  }) as [string, AnyField][]
  const used = usedBits(size, rows)

  function read(bytes: Uint8Array): Values<F> {
    if (bytes.length < size) {
      throw new PageError('length', `${name}: ${bytes.length} bytes, expected ${size}`)
    }
    const junk = used.findIndex((mask, at) => ((bytes[at] ?? 0) & ~mask) !== 0)
    if (junk !== -1)
      throw new PageError('reserved', `${name}: reserved bits set in byte ${from + junk}`)
    const values: Record<string, unknown> = {}
    for (const [key, field] of rows) {
      const wire = integerAt(bytes, field)
      const value = field.read(wire)
      if (value === undefined || wire > Number.MAX_SAFE_INTEGER) {
        throw new PageError('value', `${name}: ${key} is ${wire}, which has no meaning`)
      }
      values[key] = value
    }
    return values as Values<F>
  }

  function write(values: Values<F>): Uint8Array {
    const bytes = new Uint8Array(size)
    for (const [key, field] of rows) {
      const wire = field.write((values as Record<string, unknown>)[key])
      if (!Number.isSafeInteger(wire) || wire < 0 || wire >= 2 ** field.width) {
        throw new PageError('value', `${name}: ${key} does not fit ${field.width} bits`)
      }
      let rest = wire * 2 ** field.low
      for (let at = field.last; at >= field.first; at -= 1) {
        bytes[at] = (bytes[at] ?? 0) | (rest % 256)
        rest = Math.floor(rest / 256)
      }
    }
    return bytes
  }

  return { size, read, write }
}

function integerAt(bytes: Uint8Array, field: AnyField): number {
  let value = 0
  for (let at = field.first; at <= field.last; at += 1) value = value * 256 + (bytes[at] ?? 0)
  return Math.floor(value / 2 ** field.low) % 2 ** field.width
}

function usedBits(size: number, rows: readonly [string, AnyField][]): Uint8Array {
  const used = new Uint8Array(size)
  for (const [, field] of rows) {
    for (let bit = field.low; bit < field.low + field.width; bit += 1) {
      const at = field.last - Math.floor(bit / 8)
      used[at] = (used[at] ?? 0) | (1 << (bit % 8))
    }
  }
  return used
}
