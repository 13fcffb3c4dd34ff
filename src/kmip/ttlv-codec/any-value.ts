// Items without a schema: `anyValue` reads a whole subtree into generic items, `raw` keeps an item
// undecoded until its schema is known.

import { itemTypeName, itemTypes } from './items.ts'
import type { Item, ItemType, TypedValue } from './items.ts'
import { bigInteger, boolean, bytes, dateTime, dateTimeExtended } from './primitives.ts'
import { integer, interval, longInteger, text } from './primitives.ts'
import type { Reader } from './reader.ts'
import type { Schema, Writes } from './schema.ts'
import { itemSize } from './writer.ts'
import type { Writer } from './writer.ts'

/** Enumeration as its number. */
const enumerationNumber: Schema<number, 'Enumeration'> = {
  itemType: 'Enumeration',
  size(value, writer) {
    if (value !== value >>> 0) writer.fail('value', 'not an unsigned 32-bit number')
    return 16
  },
  write: (value, writer, tag) => writer.int32(tag, itemTypes.Enumeration, value),
  read(reader) {
    reader.expect(itemTypes.Enumeration)
    const value = reader.view.getUint32(reader.position)
    reader.skip()
    return value
  },
}

/** Structure as a list of items. */
const items: Schema<readonly Item[], 'Structure'> = {
  itemType: 'Structure',
  size(value, writer) {
    let size = 8
    for (const item of value) size += anyValue.size(item, writer)
    return size
  },
  write(value, writer, tag) {
    const start = writer.startStructure(tag)
    for (const item of value) anyValue.write(item, writer, item.tag)
    writer.endStructure(start)
  },
  read(reader) {
    const found: Item[] = []
    const outer = reader.enter()
    while (reader.position < reader.end) {
      reader.header()
      found.push(readItem(reader))
    }
    reader.leave(outer)
    return found
  },
}

const byType: { readonly [K in ItemType]: Schema<unknown, K> } = {
  Structure: items,
  Integer: integer,
  LongInteger: longInteger,
  BigInteger: bigInteger,
  Enumeration: enumerationNumber,
  Boolean: boolean,
  TextString: text,
  ByteString: bytes,
  DateTime: dateTime,
  Interval: interval,
  DateTimeExtended: dateTimeExtended,
}

/** A value of any type, told in `type`; a structure is a list of items. */
export const anyValue: Schema<TypedValue> = {
  itemType: 'Any',
  size: (value, writer) => schemaOf(value, writer).size(value.value, writer),
  write: (value, writer, tag) => schemaOf(value, writer).write(value.value, writer, tag),
  read(reader) {
    const type = typeOf(reader)
    return { type, value: byType[type].read(reader) } as TypedValue
  },
}

/** The current item with its tag. */
export function readItem(reader: Reader): Item {
  const { tag } = reader
  const type = typeOf(reader)
  return { tag, type, value: byType[type].read(reader) } as Item
}

/** An item that was not decoded: the bytes of its value, a view of the message. */
export interface Raw {
  readonly type: ItemType
  readonly bytes: Uint8Array
  /** Where the value begins in the message. */
  readonly offset: number
  /** Where the item was, for errors of `decodeRaw`. */
  readonly path: string
}

/** Keeps an item undecoded; see `decodeRaw`. Writes `bytes` verbatim as a value of `type`. */
export const raw: Schema<Raw> & Writes<Pick<Raw, 'type' | 'bytes'>> = {
  itemType: 'Any',
  size: (value) => itemSize(value.bytes.length),
  write: (value, writer, tag) => writer.block(tag, itemTypes[value.type], value.bytes),
  read: (reader) => new RawItem(reader),
}

/** Works its path out when an error asks for it; a class, since objects with getters of their own are slow. */
class RawItem implements Raw {
  readonly type: ItemType
  readonly offset: number
  readonly bytes: Uint8Array
  readonly #reader: Reader

  constructor(reader: Reader) {
    this.type = typeOf(reader)
    this.offset = reader.valueOffset()
    this.#reader = reader
    this.bytes = reader.valueBytes()
  }

  get path(): string {
    return this.#reader.pathOf(this.offset)
  }
}

function schemaOf(value: TypedValue, writer: Writer): Schema<unknown> {
  return byType[value.type] ?? writer.fail('value', 'not an item type')
}

function typeOf(reader: Reader): ItemType {
  return itemTypeName(reader.type) ?? reader.failType('an item type')
}
