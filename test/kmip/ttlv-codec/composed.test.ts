// Schemas made of others: dependent, oneOf, map, lazy, raw, anyValue, bag.

import { describe, expect, it } from 'vitest'
import {
  anyValue,
  bytes,
  decode,
  DecodeError,
  decodeRaw,
  dependent,
  encode,
  encodeItem,
} from 'ttlv-codec'
import { integer, lazy, many, map, oneOf, opt, raw, req, text, version } from 'ttlv-codec'
import type { Infer, Item, Schema } from 'ttlv-codec'
import {
  bag,
  hex,
  message,
  messageBytes,
  messageTag,
  ObjectType,
  struct,
  structure,
} from './fixtures.ts'
import { tagNumber, tags, thrownBy, v14, v20 } from './fixtures.ts'

const root = tagNumber('Attribute')

function item(name: keyof typeof tags, type: 'Integer' | 'TextString', value: number | string) {
  return { tag: tagNumber(name), type, value } as Item
}

describe('dependent', () => {
  const schema = struct({
    AttributeName: req(text),
    AttributeValue: many(
      dependent('AttributeName', (name: string, number): Schema<unknown> => {
        if (name === 'Object Type') return ObjectType
        return number >= version('2.0') ? bytes : text
      }),
    ),
  })

  it.each([
    ['Object Type', ['SymmetricKey', 'Certificate'], v14],
    ['x-Barcode', ['ABC123L9'], v14],
    ['x-Barcode', [hex('00')], v20],
  ])('chooses the schema of %s by name and version', (AttributeName, AttributeValue, options) => {
    const value = { AttributeName, AttributeValue }
    expect(decode(schema, root, encode(schema, root, value, options), options)).toEqual(value)
  })

  it('goes by the sibling of the same structure, not of one inside', () => {
    const nested = struct({
      AttributeName: req(text),
      KeyValue: opt(struct({ AttributeName: req(text) })),
      AttributeValue: req(
        dependent('AttributeName', (name: string): Schema<unknown> =>
          name === 'outer' ? integer : text,
        ),
      ),
    })
    const value = {
      AttributeName: 'outer',
      KeyValue: { AttributeName: 'inner' },
      AttributeValue: 7,
    }
    expect(decode(nested, root, encode(nested, root, value, v14), v14)).toEqual(value)
  })

  it('gives undefined for a sibling that has not come', () => {
    const names: unknown[] = []
    const watching = struct({
      AttributeName: opt(text),
      AttributeValue: req(
        dependent('AttributeName', (name: string | undefined) => {
          names.push(name)
          return integer
        }),
      ),
    })
    const late = [item('AttributeValue', 'Integer', 1), item('AttributeName', 'TextString', 'x')]
    decode(watching, root, structure(root, ...late), v14)
    expect(names).toEqual([undefined])
  })
})

describe('oneOf', () => {
  const schema = oneOf(text, ObjectType)

  it.each([
    { type: 'TextString', value: 'a' },
    { type: 'Enumeration', value: 'PGPKey' },
  ] as const)('tells $type by the type on the wire', (value) => {
    expect(decode(schema, root, encode(schema, root, value, v14), v14)).toEqual(value)
  })

  it('refuses other types, both ways', () => {
    const other = encode(integer, root, 1, v14)
    expect(() => decode(schema, root, other, v14)).toThrow(
      expect.objectContaining({
        code: 'type',
        reason: 'Integer, expected TextString or Enumeration',
      }),
    )
    const value = { type: 'Integer', value: 1 } as never
    expect(() => encode(schema, root, value, v14)).toThrow(
      expect.objectContaining({ code: 'value' }),
    )
  })

  it('cannot have two schemas of one type', () => {
    expect(() => oneOf(text, text)).toThrow(TypeError)
  })
})

describe('map', () => {
  const upper = map(text, {
    read(value, number) {
      if (value === '') throw new DecodeError('value', 'empty')
      return `${value}@${number}`
    },
    write: (value) => value.split('@')[0] ?? '',
  })

  it('changes the form in memory, knowing the version', () => {
    const written = encode(upper, root, 'a@260', v14)
    expect(written).toEqual(encode(text, root, 'a', v14))
    expect(decode(upper, root, written, v14)).toBe('a@260')
  })

  it('gives an error of the reading form its place', () => {
    const schema = struct({ AttributeName: req(upper) })
    const empty = structure(root, item('AttributeName', 'TextString', ''))
    expect(thrownBy(() => decode(schema, root, empty, v14))).toMatchObject({
      message: 'Attribute/AttributeName: empty',
      offset: 8,
    })
  })
})

describe('lazy', () => {
  interface Tree {
    BatchCount?: number
    Attribute: Tree[]
  }
  const tree: Schema<Tree> = struct({
    BatchCount: opt(integer),
    Attribute: many(lazy(() => tree)),
  })

  it('lets a schema contain itself', () => {
    const value: Tree = { Attribute: [{ BatchCount: 1, Attribute: [] }, { Attribute: [] }] }
    expect(decode(tree, root, encode(tree, root, value, v14), v14)).toEqual(value)
  })
})

describe('raw', () => {
  const envelope = struct({
    ResponseHeader: req(raw),
    BatchItem: many(struct({ Operation: opt(raw), ResponsePayload: opt(raw) })),
  })
  const payload = struct({
    ObjectType: req(ObjectType),
    UniqueIdentifier: req(text),
    SymmetricKey: opt(raw),
  })

  it('keeps a view of the value with its place, to be decoded later', () => {
    const bytes = messageBytes()
    const decoded = decode(envelope, messageTag, bytes, v14)
    const second = decoded.BatchItem[1]?.ResponsePayload
    expect(second).toMatchObject({
      type: 'Structure',
      path: 'ResponseMessage/BatchItem[1]/ResponsePayload',
    })
    expect(second?.bytes.buffer).toBe(bytes.buffer)
    expect(second?.offset).toBe(second?.bytes.byteOffset)
    expect(decodeRaw(payload, second!, v14)).toEqual(message.BatchItem[1]?.ResponsePayload)
  })

  it('is written verbatim', () => {
    const bytes = messageBytes()
    const decoded = decode(envelope, messageTag, bytes, v14)
    expect(encode(envelope, messageTag, decoded, v14)).toEqual(bytes)
  })

  it('tells errors of the later decoding by their place in the whole message', () => {
    const decoded = decode(envelope, messageTag, messageBytes(), v14)
    const first = decoded.BatchItem[0]!.ResponsePayload!
    const narrower = struct({ ObjectType: req(ObjectType), UniqueIdentifier: req(text) })
    const error = thrownBy(() => decodeRaw(narrower, first, v14))
    const place = 'ResponseMessage/BatchItem[0]/ResponsePayload'
    expect(error).toMatchObject({ code: 'unknown-item', path: `${place}/SymmetricKey` })
    expect((error as DecodeError).offset).toBe(first.offset + 16 + 24)
    const wider = struct({ ...fieldsOf, BatchCount: req(integer) })
    expect(() => decodeRaw(wider, first, v14)).toThrow(
      expect.objectContaining({ code: 'missing', path: place }),
    )
    expect(() => decodeRaw(text, first, v14)).toThrow(
      expect.objectContaining({ code: 'type', path: place }),
    )
  })

  const fieldsOf = {
    ObjectType: req(ObjectType),
    UniqueIdentifier: req(text),
    SymmetricKey: opt(raw),
  }

  it('reads a plain value too', () => {
    const decoded = decode(envelope, messageTag, messageBytes(), v14)
    expect(
      decodeRaw(integer, { type: 'Integer', bytes: hex('00000007'), offset: 0, path: 'x' }, v14),
    ).toBe(7)
    expect(() =>
      decodeRaw(integer, { type: 'Integer', bytes: hex('07'), offset: 0, path: 'x' }, v14),
    ).toThrow(expect.objectContaining({ code: 'length' }))
    expect(decoded.BatchItem[0]?.Operation).toMatchObject({ type: 'Enumeration' })
  })
})

describe('anyValue', () => {
  const schema = struct({ AttributeValue: req(anyValue) })
  it.each<Infer<typeof anyValue>>([
    { type: 'Integer', value: -1 },
    { type: 'Enumeration', value: 0x80000000 },
    { type: 'Boolean', value: true },
    { type: 'BigInteger', value: -1n },
    { type: 'DateTimeExtended', value: 5n },
    { type: 'Structure', value: [{ tag: root, type: 'ByteString', value: hex('01') }] },
  ])('holds $type', (AttributeValue) => {
    const written = encode(schema, root, { AttributeValue }, v14)
    expect(decode(schema, root, written, v14)).toEqual({ AttributeValue })
  })
})

describe('bag', () => {
  const schema = bag({
    UniqueIdentifier: text,
    ObjectType: { schema: ObjectType, since: '2.0' },
    AttributeIndex: { schema: integer, until: '1.4' },
  })
  const value: Infer<typeof schema> = [
    { tag: 'UniqueIdentifier', value: 'a' },
    { tag: 'ObjectType', value: 'PGPKey' },
    { tag: 'UniqueIdentifier', value: 'b' },
  ]

  it('keeps its children in order, however often they come', () => {
    expect(decode(schema, root, encode(schema, root, value, v20), v20)).toEqual(value)
  })

  it('does not write children outside the version, and refuses to read them', () => {
    expect(decode(schema, root, encode(schema, root, value, v14), v14)).toEqual([
      { tag: 'UniqueIdentifier', value: 'a' },
      { tag: 'UniqueIdentifier', value: 'b' },
    ])
    expect(() => decode(schema, root, encode(schema, root, value, v20), v14)).toThrow(
      expect.objectContaining({ code: 'unknown-item', path: 'Attribute/ObjectType' }),
    )
  })

  it('skips vendor tags and refuses tags outside its table', () => {
    const vendor: Item = { tag: 0x540001, type: 'Integer', value: 1 }
    expect(decode(schema, root, structure(root, vendor), v20)).toEqual([])
    const other = structure(root, item('BatchCount', 'Integer', 1))
    expect(() => decode(schema, root, other, v20)).toThrow(
      expect.objectContaining({ code: 'unknown-item' }),
    )
    expect(decode(schema, root, other, { ...v20, unknown: 'ignore' })).toEqual([])
    expect(() =>
      encode(schema, root, [{ tag: 'toString' as 'ObjectType', value: 1 }], v20),
    ).toThrow(expect.objectContaining({ code: 'value', path: 'Attribute/toString' }))
  })

  it('may stand inside a structure', () => {
    const outer = struct({ Attributes: req(schema), BatchCount: opt(integer) })
    const whole = { Attributes: value, BatchCount: 1 }
    const written = encode(outer, root, whole, v20)
    expect(decode(outer, root, written, v20)).toEqual(whole)
    expect(encodeItem({ tag: root, type: 'Structure', value: [] }).length).toBe(8)
  })
})
