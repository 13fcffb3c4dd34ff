// Item types of TTLV (KMIP 2.1 §10.1.2, §10.1.3) and the generic in-memory form of an item.

/** Item types by name, with the byte that stands for them on the wire. */
export const itemTypes = {
  Structure: 0x01,
  Integer: 0x02,
  LongInteger: 0x03,
  BigInteger: 0x04,
  Enumeration: 0x05,
  Boolean: 0x06,
  TextString: 0x07,
  ByteString: 0x08,
  DateTime: 0x09,
  Interval: 0x0a,
  DateTimeExtended: 0x0b,
} as const

/** The name of an item type. */
export type ItemType = keyof typeof itemTypes

const namesByCode = Object.fromEntries(
  Object.entries(itemTypes).map(([name, code]) => [code, name]),
) as Readonly<Record<number, ItemType>>

/** The name of a type byte, or undefined when there is no such type. */
export function itemTypeName(code: number): ItemType | undefined {
  return namesByCode[code]
}

/** Marks in `valueLengths`: any length, or any multiple of 8. */
export const anyLength = 0
/** See `anyLength`. */
export const multipleOf8 = -8

/** Length of a value by type byte, in bytes; absent where there is no such type. */
export const valueLengths: readonly (number | undefined)[] = [
  undefined,
  multipleOf8,
  4,
  8,
  multipleOf8,
  4,
  8,
  anyLength,
  anyLength,
  8,
  4,
  8,
]

/** The value of an item with its type; an Enumeration is its number, a DateTime seconds. */
export type TypedValue =
  | { readonly type: 'Structure'; readonly value: readonly Item[] }
  | { readonly type: 'Integer' | 'Enumeration' | 'Interval'; readonly value: number }
  | {
      readonly type: 'LongInteger' | 'BigInteger' | 'DateTime' | 'DateTimeExtended'
      readonly value: bigint
    }
  | { readonly type: 'Boolean'; readonly value: boolean }
  | { readonly type: 'TextString'; readonly value: string }
  | { readonly type: 'ByteString'; readonly value: Uint8Array }

/** Any item: a tag, a type and a value. */
export type Item = TypedValue & { readonly tag: number }

/** How a tag is shown when no table names it: `0x540001`. */
export function tagHex(tag: number): string {
  return `0x${tag.toString(16).padStart(6, '0')}`
}

/** How a number without a name is shown: `0x80000001`. */
export function numberHex(number: number): string {
  return `0x${(number >>> 0).toString(16).padStart(8, '0')}`
}
