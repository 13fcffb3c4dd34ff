// Plain values: the examples of the specification byte for byte (KMIP 1.4 §9.1.2), limits of each
// type, and round trips.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bigInteger, boolean, bytes, dateTime, dateTimeExtended, decode, encode } from 'ttlv-codec'
import { integer, interval, longInteger, text } from 'ttlv-codec'
import type { Schema } from 'ttlv-codec'
import { CryptographicAlgorithm, hex, v14 } from './fixtures.ts'

const tag = 0x420020

const examples: [string, Schema<unknown>, unknown, string][] = [
  ['Integer', integer, 8, '02 | 00000004 | 00000008 00000000'],
  ['Long Integer', longInteger, 123456789000000000n, '03 | 00000008 | 01B69B4BA5749200'],
  [
    'Big Integer',
    bigInteger,
    1234567890000000000000000000n,
    '04 | 00000010 | 0000000003FD35EB6BC2DF4618080000',
  ],
  ['Enumeration', CryptographicAlgorithm, 255, '05 | 00000004 | 000000FF 00000000'],
  ['Boolean', boolean, true, '06 | 00000008 | 0000000000000001'],
  ['Text String', text, 'Hello World', '07 | 0000000B | 48656C6C6F20576F726C640000000000'],
  ['Byte String', bytes, hex('010203'), '08 | 00000003 | 0102030000000000'],
  ['Date Time', dateTime, 1205495800n, '09 | 00000008 | 0000000047DA67F8'],
  ['Interval', interval, 864000, '0A | 00000004 | 000D2F00 00000000'],
]

const more: [string, Schema<unknown>, unknown, string][] = [
  ['the least Integer', integer, -(2 ** 31), '02 | 00000004 | 80000000 00000000'],
  ['minus one', longInteger, -1n, '03 | 00000008 | FFFFFFFFFFFFFFFF'],
  ['Big Integer 0', bigInteger, 0n, '04 | 00000008 | 0000000000000000'],
  ['Big Integer -1', bigInteger, -1n, '04 | 00000008 | FFFFFFFFFFFFFFFF'],
  ['Big Integer -2^63', bigInteger, -(2n ** 63n), '04 | 00000008 | 8000000000000000'],
  ['Big Integer 2^63', bigInteger, 2n ** 63n, '04 | 00000010 | 00000000000000008000000000000000'],
  [
    'Big Integer -2^63 - 1',
    bigInteger,
    -(2n ** 63n) - 1n,
    '04 | 00000010 | FFFFFFFFFFFFFFFF7FFFFFFFFFFFFFFF',
  ],
  ['false', boolean, false, '06 | 00000008 | 0000000000000000'],
  [
    'the greatest Enumeration',
    CryptographicAlgorithm,
    0xffffffff,
    '05 | 00000004 | FFFFFFFF 00000000',
  ],
  ['the greatest Interval', interval, 0xffffffff, '0A | 00000004 | FFFFFFFF 00000000'],
  ['a date before 1970', dateTime, -1n, '09 | 00000008 | FFFFFFFFFFFFFFFF'],
  ['a Date Time Extended', dateTimeExtended, 1n, '0B | 00000008 | 0000000000000001'],
  ['empty text', text, '', '07 | 00000000'],
  ['empty bytes', bytes, hex(''), '08 | 00000000'],
  ['text beyond ASCII', text, 'Ω€😀', '07 | 00000009 | CEA9E282ACF09F9880 00000000000000'],
  ['a byte order mark', text, '\uFEFFa', '07 | 00000004 | EFBBBF61 00000000'],
]

describe('plain values', () => {
  it.each([...examples, ...more])(
    '%s is the bytes of the specification',
    (_, schema, value, wire) => {
      const item = hex(`420020 | ${wire}`)
      expect(encode(schema, tag, value, v14)).toEqual(item)
      expect(decode(schema, tag, item, v14)).toEqual(value)
    },
  )

  it('a byte string is a view of the message, not a copy', () => {
    const item = hex('420020 08 00000003 0102030000000000')
    expect(decode(bytes, tag, item, v14).buffer).toBe(item.buffer)
  })

  it.each<[string, Schema<unknown>, unknown]>([
    ['an Integer above 32 bits', integer, 2 ** 31],
    ['a fraction', integer, 0.5],
    ['not a number', integer, NaN],
    ['a negative Interval', interval, -1],
    ['a Long Integer above 64 bits', longInteger, 2n ** 63n],
    ['a number for a bigint', dateTime, 1],
    ['a number for a Big Integer', bigInteger, 1],
    ['a string for a boolean', boolean, 'true'],
    ['an array for bytes', bytes, [1, 2]],
    ['a number for text', text, 1],
    ['a lone high surrogate', text, 'a\uD800'],
    ['a lone low surrogate', text, '\uDC00a'],
    ['a negative enumeration number', CryptographicAlgorithm, -1],
  ])('%s cannot be written', (_, schema, value) => {
    expect(() => encode(schema, tag, value, v14)).toThrow(
      expect.objectContaining({ name: 'EncodeError', code: 'value', path: '0x420020' }),
    )
  })

  it.each<[string, Schema<unknown>, string, string]>([
    ['a Boolean of 2', boolean, '06 00000008 0000000000000002', 'boolean'],
    ['a Boolean with a high bit', boolean, '06 00000008 8000000000000001', 'boolean'],
    ['an Integer of eight bytes', integer, '02 00000008 0000000000000001', 'length'],
    ['a Long Integer of four bytes', longInteger, '03 00000004 0000000100000000', 'length'],
    ['a Big Integer of four bytes', bigInteger, '04 00000004 0000000100000000', 'length'],
    ['a Big Integer of no bytes', bigInteger, '04 00000000', 'length'],
    ['padding that is not zero', integer, '02 00000004 0000000100000001', 'padding'],
    ['text padding that is not zero', text, '07 00000001 6120202020202020', 'padding'],
    ['a byte that is never UTF-8', text, '07 00000001 FF00000000000000', 'utf8'],
    ['an overlong form', text, '07 00000002 C080000000000000', 'utf8'],
    ['a surrogate in UTF-8', text, '07 00000003 EDA0800000000000', 'utf8'],
    ['a character cut short', text, '07 00000002 E282000000000000', 'utf8'],
    ['another type', integer, '05 00000004 0000000100000000', 'type'],
    ['a type that is none', integer, '0C 00000004 0000000100000000', 'type'],
  ])('%s is refused', (_, schema, wire, code) => {
    expect(() => decode(schema, tag, hex(`420020 ${wire}`), v14)).toThrow(
      expect.objectContaining({ name: 'DecodeError', code, path: '0x420020', offset: 0 }),
    )
  })

  it.each<[string, Schema<unknown>, fc.Arbitrary<unknown>]>([
    ['Integer', integer, fc.integer()],
    ['Interval', interval, fc.nat(0xffffffff)],
    ['Long Integer', longInteger, fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)],
    ['Date Time', dateTime, fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)],
    ['Big Integer', bigInteger, fc.bigInt(-(2n ** 200n), 2n ** 200n)],
    ['Boolean', boolean, fc.boolean()],
    ['Text String', text, fc.string({ unit: 'binary', maxLength: 200 })],
    ['Byte String', bytes, fc.uint8Array({ maxLength: 100 })],
  ])('%s comes back as it was written', (_, schema, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const item = encode(schema, tag, value, v14)
        expect(item.length % 8).toBe(0)
        expect(decode(schema, tag, item, v14)).toEqual(value)
      }),
    )
  })
})
