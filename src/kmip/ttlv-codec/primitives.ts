// Schemas of the item types that hold one plain value (KMIP 2.1 §10.1.2–10.1.5).

import { fromHex, toHex } from './hex.ts'
import { itemTypes } from './items.ts'
import type { ItemType } from './items.ts'
import type { Schema } from './schema.ts'
import { itemSize, padded } from './writer.ts'
import type { Writer } from './writer.ts'

/** Integer: 32 bits, signed; a number. */
export const integer: Schema<number, 'Integer'> = {
  itemType: 'Integer',
  size(value, writer) {
    if (value !== (value | 0)) writer.fail('value', `${shown(value)} is not a 32-bit integer`)
    return 16
  },
  write: (value, writer, tag) => writer.int32(tag, itemTypes.Integer, value),
  read(reader) {
    reader.expect(itemTypes.Integer)
    const value = reader.view.getInt32(reader.position)
    reader.skip()
    return value
  },
}

/** Interval: 32 bits, unsigned; a number of seconds. */
export const interval: Schema<number, 'Interval'> = {
  itemType: 'Interval',
  size(value, writer) {
    if (value !== value >>> 0) writer.fail('value', `${shown(value)} is not unsigned 32-bit`)
    return 16
  },
  write: (value, writer, tag) => writer.int32(tag, itemTypes.Interval, value),
  read(reader) {
    reader.expect(itemTypes.Interval)
    const value = reader.view.getUint32(reader.position)
    reader.skip()
    return value
  },
}

/** Long Integer: 64 bits, signed; a bigint. */
export const longInteger = int64('LongInteger')

/** Date Time: seconds since 1970-01-01T00:00:00Z, signed; a bigint. */
export const dateTime = int64('DateTime')

/** Date Time Extended: microseconds since 1970-01-01T00:00:00Z, signed; a bigint. */
export const dateTimeExtended = int64('DateTimeExtended')

/** Big Integer: two's complement of any length; a bigint. Written with the least bytes. */
export const bigInteger: Schema<bigint, 'BigInteger'> = {
  itemType: 'BigInteger',
  size(value, writer) {
    if (typeof value !== 'bigint') writer.fail('value', `${shown(value)} is not a bigint`)
    return 8 + bigIntegerLength(value)
  },
  write(value, writer, tag) {
    writer.block(tag, itemTypes.BigInteger, bigIntegerBytes(value))
  },
  read(reader) {
    reader.expect(itemTypes.BigInteger)
    if (reader.length === 0) reader.fail('length', 'length 0 of BigInteger')
    return bigIntegerOf(reader.valueBytes())
  },
}

/** Boolean: eight bytes, 0 or 1 and nothing else. */
export const boolean: Schema<boolean, 'Boolean'> = {
  itemType: 'Boolean',
  size(value, writer) {
    if (typeof value !== 'boolean') writer.fail('value', `${shown(value)} is not a boolean`)
    return 16
  },
  write: (value, writer, tag) => writer.boolean(tag, value),
  read(reader) {
    reader.expect(itemTypes.Boolean)
    const high = reader.view.getUint32(reader.position)
    const low = reader.view.getUint32(reader.position + 4)
    if (high !== 0 || low > 1) reader.fail('boolean', 'neither 0 nor 1')
    reader.skip()
    return low === 1
  },
}

/** Text String: UTF-8, nothing stripped or replaced; a well-formed string. */
export const text: Schema<string, 'TextString'> = {
  itemType: 'TextString',
  size: (value, writer) => itemSize(utf8Length(value, writer)),
  write: (value, writer, tag) => writer.text(tag, value),
  read(reader) {
    reader.expect(itemTypes.TextString)
    return reader.text()
  },
}

/** Byte String: a Uint8Array; decoding gives a view of the message, not a copy. */
export const bytes: Schema<Uint8Array, 'ByteString'> = {
  itemType: 'ByteString',
  size(value, writer) {
    if (!(value instanceof Uint8Array)) writer.fail('value', `${shown(value)} is not bytes`)
    return itemSize(value.length)
  },
  write: (value, writer, tag) => writer.block(tag, itemTypes.ByteString, value),
  read(reader) {
    reader.expect(itemTypes.ByteString)
    return reader.valueBytes()
  },
}

function int64<K extends ItemType>(itemType: K): Schema<bigint, K> {
  const type = itemTypes[itemType]
  return {
    itemType,
    size(value, writer) {
      if (typeof value !== 'bigint' || value !== BigInt.asIntN(64, value)) {
        writer.fail('value', `${shown(value)} is not a 64-bit bigint`)
      }
      return 16
    },
    write: (value, writer, tag) => writer.int64(tag, type, value),
    read(reader) {
      reader.expect(type)
      const value = reader.view.getBigInt64(reader.position)
      reader.skip()
      return value
    },
  }
}

/** Bytes in UTF-8; refuses lone surrogates, which UTF-8 cannot carry. */
function utf8Length(value: string, writer: Writer): number {
  if (typeof value !== 'string') writer.fail('value', `${shown(value)} is not a string`)
  let length = value.length
  let wide = false
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i)
    if (unit < 0x80) continue
    wide = true
    // A pair of surrogates is two units and four bytes: one more byte for each of them.
    length += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2
  }
  if (wide && !value.isWellFormed()) writer.fail('value', 'text has a lone surrogate')
  return length
}

function bigIntegerLength(value: bigint): number {
  const magnitude = value < 0n ? ~value : value
  const digits = magnitude.toString(16)
  const bits = digits.length * 4 - Math.clz32(parseInt(digits.charAt(0), 16)) + 28 + 1
  return padded(Math.ceil(bits / 8))
}

/** Two's complement of a big integer, a multiple of eight bytes, as few as hold it. */
export function bigIntegerBytes(value: bigint): Uint8Array {
  const length = bigIntegerLength(value)
  const digits = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, '0')
  return fromHex(digits) as Uint8Array
}

/** The big integer whose two's complement the bytes are. */
export function bigIntegerOf(value: Uint8Array): bigint {
  return BigInt.asIntN(value.length * 8, BigInt(`0x${toHex(value)}`))
}

/** A value in an error: numbers as they are, anything else by its type only. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : typeof value
}
