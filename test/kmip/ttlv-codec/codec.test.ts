// Entry points: whole items, sizes, a glance at the version.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decode,
  decodeItem,
  encode,
  encodeItem,
  limits,
  measureItem,
  peekVersion,
} from 'ttlv-codec'
import { version, versionText } from 'ttlv-codec'
import type { Item } from 'ttlv-codec'
import {
  hex,
  message,
  messageBytes,
  messageTag,
  ResponseMessage,
  structure,
  v14,
} from './fixtures.ts'

const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
const tag = fc.constantFrom(0x420001, 0x420094, 0x540001, 0xffffff)

/** Items of all types, nested a little. */
const { item } = fc.letrec<{ item: Item }>((tie) => ({
  item: fc.oneof(
    { depthSize: 'small' },
    fc.record({ tag, type: fc.constant('Integer' as const), value: fc.integer() }),
    fc.record({ tag, type: fc.constant('LongInteger' as const), value: int64 }),
    fc.record({ tag, type: fc.constant('BigInteger' as const), value: fc.bigInt() }),
    fc.record({ tag, type: fc.constant('Enumeration' as const), value: fc.nat(0xffffffff) }),
    fc.record({ tag, type: fc.constant('Boolean' as const), value: fc.boolean() }),
    fc.record({
      tag,
      type: fc.constant('TextString' as const),
      value: fc.string({ unit: 'binary' }),
    }),
    fc.record({ tag, type: fc.constant('ByteString' as const), value: fc.uint8Array() }),
    fc.record({ tag, type: fc.constant('DateTime' as const), value: int64 }),
    fc.record({ tag, type: fc.constant('Interval' as const), value: fc.nat(0xffffffff) }),
    fc.record({ tag, type: fc.constant('DateTimeExtended' as const), value: int64 }),
    fc.record({
      tag,
      type: fc.constant('Structure' as const),
      value: fc.array(tie('item'), { maxLength: 4 }),
    }),
  ),
}))

describe('items without a schema', () => {
  it('come back as they were written, in the size measured', () => {
    fc.assert(
      fc.property(item, (one) => {
        const bytes = encodeItem(one)
        expect(bytes.length).toBe(measureItem(one))
        expect(decodeItem(bytes, { maxDepth: 100 })).toEqual(one)
      }),
    )
  })
})

describe('encode', () => {
  it('gives one buffer of exactly the size', () => {
    const bytes = encode(ResponseMessage, messageTag, message, v14)
    expect(bytes.buffer.byteLength).toBe(bytes.length)
  })

  it('refuses to exceed the size asked for', () => {
    const { length } = messageBytes()
    const write = (maxBytes: number) =>
      encode(ResponseMessage, messageTag, message, { version: version('1.4'), maxBytes })
    expect(write(length).length).toBe(length)
    expect(() => write(length - 1)).toThrow(
      expect.objectContaining({ name: 'EncodeError', code: 'size' }),
    )
  })
})

describe('decode', () => {
  it('refuses another tag than the one asked for', () => {
    expect(() => decode(ResponseMessage, 0x420078, messageBytes(), v14)).toThrow(
      expect.objectContaining({ code: 'tag', path: 'ResponseMessage' }),
    )
  })

  it('reads bytes that are part of a larger buffer', () => {
    const bytes = messageBytes()
    const larger = new Uint8Array(bytes.length + 16)
    larger.set(bytes, 8)
    const view = larger.subarray(8, 8 + bytes.length)
    expect(decode(ResponseMessage, messageTag, view, v14)).toEqual(message)
  })

  it('has limits that a caller may know', () => {
    expect(limits).toEqual({ maxBytes: 1024 * 1024, maxDepth: 32, maxItems: 65536 })
  })
})

describe('versions', () => {
  it('are numbers that compare', () => {
    expect(version('1.4')).toBe(0x104)
    expect(version('2.0')).toBeGreaterThan(version('1.4'))
    expect(versionText(version('2.1'))).toBe('2.1')
  })
})

describe('peekVersion', () => {
  const part = (name: number, value: number): Item => ({ tag: name, type: 'Integer', value })
  const header = (...parts: Item[]): Item => ({
    tag: 0x420077,
    type: 'Structure',
    value: [
      { tag: 0x420050, type: 'Integer', value: 1024 },
      { tag: 0x420069, type: 'Structure', value: parts },
    ],
  })

  it('finds the version of requests and responses', () => {
    expect(peekVersion(messageBytes())).toBe(version('1.4'))
    const parts = [part(0x42006a, 2), part(0x42006b, 1)]
    expect(peekVersion(structure(0x420078, header(...parts)))).toBe(version('2.1'))
  })

  it('finds it though the rest is broken', () => {
    const bytes = messageBytes()
    bytes.fill(0xff, 72)
    expect(peekVersion(bytes)).toBe(version('1.4'))
  })

  it.each([
    ['nothing', hex('')],
    ['another message', structure(0x420001, header(part(0x42006a, 1), part(0x42006b, 0)))],
    ['no header', structure(0x420078)],
    ['another header', structure(0x420078, part(0x42006a, 1))],
    ['half a version', structure(0x420078, header(part(0x42006a, 1)))],
    ['a great number', structure(0x420078, header(part(0x42006a, 1), part(0x42006b, 256)))],
    ['a negative number', structure(0x420078, header(part(0x42006a, -1), part(0x42006b, 0)))],
    ['a header of another type', structure(0x420078, { tag: 0x420077, type: 'Integer', value: 1 })],
  ])('gives undefined for %s', (_, bytes) => {
    expect(peekVersion(bytes)).toBeUndefined()
  })
})
