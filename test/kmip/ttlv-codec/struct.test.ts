// Structures: order, presence, versions of fields, what is unknown, and where errors are.

import { describe, expect, it } from 'vitest'
import {
  decode,
  decodeItem,
  encode,
  encodeItem,
  integer,
  many,
  opt,
  req,
  text,
  version,
} from 'ttlv-codec'
import type { Item } from 'ttlv-codec'
import { hex, message, messageBytes, messageTag, ResponseMessage, shapes } from './fixtures.ts'
import { struct, structure, tagNumber, tags, thrownBy, v14, v20 } from './fixtures.ts'

const root = tagNumber('KeyBlock')

function integerItem(name: keyof typeof tags, value: number): Item {
  return { tag: tagNumber(name), type: 'Integer', value }
}

function decodeError(code: string, path: string) {
  return expect.objectContaining({ name: 'DecodeError', code, path })
}

describe('a structure', () => {
  it('is the bytes of the specification (KMIP 1.4 §9.1.2)', () => {
    const schema = struct({ a: req(integer, { tag: 'ActivationDate' }), BatchCount: opt(integer) })
    const item = hex(`420020 | 01 | 00000020 |
      420001 | 02 | 00000004 | 000000FE 00000000 | 42000D | 02 | 00000004 | 000000FF 00000000`)
    const value = { a: 254, BatchCount: 255 }
    expect(encode(schema, 0x420020, value, v14)).toEqual(item)
    expect(decode(schema, 0x420020, item, v14)).toEqual(value)
  })

  it('comes back as it was written', () => {
    expect(decode(ResponseMessage, messageTag, messageBytes(), v14)).toEqual(message)
    expect(encodeItem(decodeItem(messageBytes()))).toEqual(messageBytes())
  })

  it('gives absent optional members no property and absent lists an empty array', () => {
    const schema = struct({ BatchCount: opt(integer), AttributeIndex: many(integer) })
    const value = decode(schema, root, structure(root), v14)
    expect(value).toStrictEqual({ AttributeIndex: [] })
    expect(Object.keys(value)).toEqual(['AttributeIndex'])
    expect(encode(schema, root, {}, v14)).toEqual(structure(root))
    expect(encode(schema, root, { BatchCount: undefined }, v14)).toEqual(structure(root))
  })

  it('is written in the order of the literal, and read in any', () => {
    const schema = struct({
      BatchCount: req(integer),
      AttributeIndex: many(integer),
      CryptographicLength: opt(integer),
    })
    const inOrder = structure(
      root,
      integerItem('BatchCount', 1),
      integerItem('AttributeIndex', 2),
      integerItem('AttributeIndex', 3),
      integerItem('CryptographicLength', 4),
    )
    const value = { CryptographicLength: 4, AttributeIndex: [2, 3], BatchCount: 1 }
    expect(encode(schema, root, value, v14)).toEqual(inOrder)
    const mixed = structure(
      root,
      integerItem('AttributeIndex', 2),
      integerItem('CryptographicLength', 4),
      integerItem('BatchCount', 1),
      integerItem('AttributeIndex', 3),
    )
    expect(decode(schema, root, mixed, v14)).toEqual(value)
    expect(decode(schema, root, inOrder, { ...v14, order: 'strict' })).toEqual(value)
    expect(() => decode(schema, root, mixed, { ...v14, order: 'strict' })).toThrow(
      decodeError('order', 'KeyBlock/BatchCount'),
    )
  })

  it('refuses a field that occurs twice, in a row or apart', () => {
    const schema = struct({ BatchCount: req(integer), CryptographicLength: opt(integer) })
    const count = integerItem('BatchCount', 0)
    const length = integerItem('CryptographicLength', 0)
    for (const items of [
      [count, count],
      [count, length, count],
      [count, length, length],
    ]) {
      expect(() => decode(schema, root, structure(root, ...items), v14)).toThrow(
        expect.objectContaining({ code: 'duplicate' }),
      )
    }
  })

  it('refuses to read or write without what is required', () => {
    const schema = struct({ BatchCount: req(integer), AttributeIndex: many(integer, { min: 2 }) })
    const one = structure(root, integerItem('BatchCount', 1), integerItem('AttributeIndex', 1))
    expect(() => decode(schema, root, structure(root), v14)).toThrow(
      expect.objectContaining({ code: 'missing', message: 'KeyBlock: BatchCount is missing' }),
    )
    expect(() => decode(schema, root, one, v14)).toThrow(
      expect.objectContaining({ reason: '1 of AttributeIndex, at least 2' }),
    )
    expect(() => encode(schema, root, { BatchCount: 1, AttributeIndex: [1] }, v14)).toThrow(
      expect.objectContaining({ code: 'value', path: 'KeyBlock/AttributeIndex' }),
    )
    expect(() => encode(schema, root, {} as { BatchCount: number }, v14)).toThrow(
      expect.objectContaining({ code: 'value', path: 'KeyBlock/BatchCount' }),
    )
  })

  it('does not write a field outside the version, and refuses to read it', () => {
    const schema = struct({
      BatchCount: req(integer, { until: '1.4' }),
      CryptographicLength: opt(integer, { since: '2.0' }),
    })
    const value = { BatchCount: 1, CryptographicLength: 2 }
    const old = structure(root, integerItem('BatchCount', 1))
    const young = structure(root, integerItem('CryptographicLength', 2))
    expect(encode(schema, root, value, v14)).toEqual(old)
    expect(encode(schema, root, value, v20)).toEqual(young)
    expect(decode(schema, root, old, v14)).toEqual({ BatchCount: 1 })
    expect(decode(schema, root, young, v20)).toEqual({ CryptographicLength: 2 })
    expect(() => decode(schema, root, old, v20)).toThrow(
      expect.objectContaining({
        code: 'unknown-item',
        message: 'KeyBlock/BatchCount: not expected here in KMIP 2.0',
      }),
    )
    expect(decode(schema, root, old, { ...v20, unknown: 'ignore' })).toEqual({})
  })

  it('skips vendor tags it does not know and refuses other unknown tags', () => {
    const schema = struct({ BatchCount: req(integer) })
    const vendor: Item = { tag: 0x540001, type: 'Structure', value: [integerItem('BatchCount', 9)] }
    const unknown: Item = { tag: 0x42ffff, type: 'Integer', value: 1 }
    const count = integerItem('BatchCount', 1)
    expect(decode(schema, root, structure(root, vendor, count, vendor), v14)).toEqual({
      BatchCount: 1,
    })
    expect(() => decode(schema, root, structure(root, count, unknown), v14)).toThrow(
      decodeError('unknown-item', 'KeyBlock/0x42ffff'),
    )
  })

  it('refuses a tag that stands for two of its fields', () => {
    const schema = struct({ BatchCount: opt(integer), count: opt(text, { tag: 'BatchCount' }) })
    expect(() => encode(schema, root, {}, v14)).toThrow(TypeError)
  })

  it('refuses to write what is no structure and what is no list', () => {
    const schema = struct({ AttributeIndex: many(integer) })
    expect(() => encode(schema, root, null as never, v14)).toThrow(
      expect.objectContaining({ code: 'value' }),
    )
    expect(() => encode(schema, root, { AttributeIndex: 1 as never }, v14)).toThrow(
      expect.objectContaining({ code: 'value', path: 'KeyBlock/AttributeIndex' }),
    )
  })
})

describe('the place of an error', () => {
  it('is the path of tags with the index of repeated ones, and the offset of the item', () => {
    const bytes = messageBytes()
    const broken = Uint8Array.from(bytes)
    // The length of the second item's Unique Identifier, its only two-byte text.
    const at = broken.lastIndexOf(2) - 4 + 1
    new DataView(broken.buffer).setUint32(at, 88)
    const error = thrownBy(() => decode(ResponseMessage, messageTag, broken, v14))
    expect(error).toMatchObject({
      code: 'length',
      path: 'ResponseMessage/BatchItem[1]/ResponsePayload/UniqueIdentifier',
      offset: at - 4,
      reason: 'length 88 exceeds 8 left',
      message:
        'ResponseMessage/BatchItem[1]/ResponsePayload/UniqueIdentifier: length 88 exceeds 8 left',
    })
  })

  it('shows the index of the first of several', () => {
    const item = structure(
      root,
      { tag: tagNumber('BatchItem'), type: 'Structure', value: [integerItem('BatchCount', 1)] },
      { tag: tagNumber('BatchItem'), type: 'Structure', value: [] },
    )
    const schema = struct({ BatchItem: many(struct({})) })
    expect(() => decode(schema, root, item, v14)).toThrow(
      decodeError('unknown-item', 'KeyBlock/BatchItem[0]/BatchCount'),
    )
  })

  it('of a value that cannot be written is its path', () => {
    const schema = struct({ KeyValue: req(struct({ BatchCount: req(integer) })) })
    expect(() => encode(schema, root, { KeyValue: { BatchCount: 0.5 } }, v14)).toThrow(
      expect.objectContaining({ path: 'KeyBlock/KeyValue/BatchCount' }),
    )
  })
})

describe('a field of several shapes', () => {
  const inner = struct({ BatchCount: req(integer) })
  const schema = struct({
    attributes: shapes(
      { until: '1.4', tag: 'Attribute', many: inner },
      { since: '2.0', until: '2.0', tag: 'Attributes', many: inner },
      { since: '3.0', tag: 'KeyValue', many: inner, min: 1 },
    ),
    single: shapes(
      { until: '1.4', tag: 'AttributeIndex', schema: integer, required: true },
      { since: '2.0', tag: 'AttributeReference', schema: integer },
    ),
  })

  it.each([
    ['1.4', 'Attribute', 'AttributeIndex'],
    ['2.0', 'Attributes', 'AttributeReference'],
  ] as const)('has in KMIP %s the tags %s and %s', (number, list, single) => {
    const options = { version: version(number) }
    const value = { attributes: [{ BatchCount: 1 }, { BatchCount: 2 }], single: 3 }
    const child = (count: number): Item => ({
      tag: tagNumber(list),
      type: 'Structure',
      value: [integerItem('BatchCount', count)],
    })
    const item = structure(root, child(1), child(2), integerItem(single, 3))
    expect(encode(schema, root, value, options)).toEqual(item)
    expect(decode(schema, root, item, options)).toEqual(value)
  })

  it('is absent or required as the version says', () => {
    expect(() => decode(schema, root, structure(root), v14)).toThrow(
      decodeError('missing', 'KeyBlock'),
    )
    expect(decode(schema, root, structure(root), v20)).toStrictEqual({ attributes: [] })
    expect(() => decode(schema, root, structure(root), { version: version('3.0') })).toThrow(
      decodeError('missing', 'KeyBlock'),
    )
    expect(decode(schema, root, structure(root), { version: version('2.1') })).toStrictEqual({})
  })
})
