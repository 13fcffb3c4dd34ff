// Type-level tests: what the compiler infers from schemas, and what it must refuse.

import { describe, expectTypeOf, it } from 'vitest'
import { bytes, dateTime, dependent, encode, enumeration, integer, lazy, many } from 'ttlv-codec'
import { map, mask, oneOf, opt, raw, req, text, version, vocabulary } from 'ttlv-codec'
import type { EnumerationSchema, Infer, InferInput, Raw, Schema, TextVocabulary } from 'ttlv-codec'

const tags = {
  Attribute: [0x420008, '1.0'],
  AttributeName: [0x42000a, '1.0'],
  AttributeValue: [0x42000b, '1.0'],
  Attributes: [0x420125, '2.0'],
  ObjectType: [0x420057, '1.0'],
  UniqueIdentifier: [0x420094, '1.0'],
} as const
const { struct, shapes, bag, tagNumber, tagName } = vocabulary({ tags })
const ObjectType = enumeration('ObjectType', { Certificate: 1, SymmetricKey: [2, '1.0'] })
const UsageMask = mask('UsageMask', { Sign: 1, Verify: 2 })
const options = { version: version('1.4') }

function inferred<S>(_schema: S): Infer<S> {
  return undefined as never
}

function input<S>(_schema: S): InferInput<S> {
  return undefined as never
}

describe('types of schemas', () => {
  it('make required members required, optional ones optional, repeated ones arrays', () => {
    const schema = struct({
      ObjectType: req(ObjectType),
      UniqueIdentifier: opt(text),
      Attribute: many(integer),
    })
    type Value = Infer<typeof schema>
    expectTypeOf(inferred(schema)).toEqualTypeOf<{
      ObjectType: 'Certificate' | 'SymmetricKey' | number
      UniqueIdentifier?: string
      Attribute: number[]
    }>()
    expectTypeOf<Value>().not.toBeAny()
    // @ts-expect-error an optional member is absent, not undefined
    const value: Value = { ObjectType: 1, UniqueIdentifier: undefined, Attribute: [] }
    void value
  })

  it('accept read-only lists, absent lists and undefined optional members on writing', () => {
    const schema = struct({ UniqueIdentifier: opt(text), Attribute: many(integer) })
    expectTypeOf(input(schema)).toEqualTypeOf<{
      readonly UniqueIdentifier?: string | undefined
      readonly Attribute?: readonly number[] | undefined
    }>()
    const outer = struct({ Attributes: req(schema) })
    encode(outer, tagNumber('Attributes'), { Attributes: {} }, options)
    encode(outer, tagNumber('Attributes'), { Attributes: { Attribute: [1] as const } }, options)
    // @ts-expect-error a required member must be there
    const incomplete = () => encode(outer, tagNumber('Attributes'), {}, options)
    // @ts-expect-error a member that is no field
    const extra = () => encode(schema, tagNumber('Attributes'), { ObjectType: 1 }, options)
    void incomplete
    void extra
  })

  it('refuse keys and tags that are not in the table', () => {
    // @ts-expect-error UniqueIdentifer is misspelled
    const misspelled = () => struct({ UniqueIdentifer: req(text) })
    // @ts-expect-error so is the tag named here
    const misnamed = () => struct({ identifier: req(text, { tag: 'UniqueIdentifer' }) })
    const named = struct({ identifier: req(text, { tag: 'UniqueIdentifier', since: '1.2' }) })
    expectTypeOf(inferred(named)).toEqualTypeOf<{ identifier: string }>()
    // @ts-expect-error a key outside the table without a tag
    const untagged = () => struct({ identifier: req(text, { since: '1.2' }) })
    // @ts-expect-error not a version
    const unversioned = () => struct({ UniqueIdentifier: req(text, { since: 'soon' }) })
    void [misspelled, misnamed, untagged, unversioned]
  })

  it('know the names of enumerations and masks', () => {
    expectTypeOf(inferred(ObjectType)).toEqualTypeOf<'Certificate' | 'SymmetricKey' | number>()
    expectTypeOf(ObjectType.numberOf('Certificate')).toEqualTypeOf<number>()
    expectTypeOf(ObjectType.numberOf('anything' as string)).toEqualTypeOf<number | undefined>()
    expectTypeOf(UsageMask.bits).toEqualTypeOf<{ readonly Sign: number; readonly Verify: number }>()
    // @ts-expect-error SymetricKey is misspelled
    const misspelled = () => encode(ObjectType, tagNumber('ObjectType'), 'SymetricKey', options)
    // @ts-expect-error not a tag
    const noTag = tagNumber('ObjektType') satisfies number
    void [misspelled, noTag]
  })

  it('join the forms of a field that depends on the version', () => {
    const attributes = struct({ UniqueIdentifier: req(text) })
    const listed = struct({
      Attributes: shapes(
        { until: '1.4', tag: 'Attribute', many: text },
        { since: '2.0', tag: 'Attributes', many: text },
      ),
    })
    expectTypeOf(inferred(listed)).toEqualTypeOf<{ Attributes: string[] }>()
    const optional = struct({
      attributes: shapes(
        { until: '1.4', tag: 'Attribute', schema: attributes },
        { since: '2.0', tag: 'Attributes', schema: attributes },
      ),
    })
    expectTypeOf(inferred(optional)).toEqualTypeOf<{
      attributes?: { UniqueIdentifier: string }
    }>()
    const required = struct({
      attributes: shapes({ tag: 'Attributes', schema: attributes, required: true }),
    })
    expectTypeOf(inferred(required)).toEqualTypeOf<{
      attributes: { UniqueIdentifier: string }
    }>()
    // @ts-expect-error Atributes is misspelled
    const misspelled = () => shapes({ tag: 'Atributes', many: text })
    void misspelled
  })

  it('tell the children of a bag apart by tag', () => {
    const schema = bag({ UniqueIdentifier: text, ObjectType: { schema: ObjectType, since: '1.2' } })
    expectTypeOf(inferred(schema)).toEqualTypeOf<
      (
        | { readonly tag: 'UniqueIdentifier'; readonly value: string }
        | { readonly tag: 'ObjectType'; readonly value: 'Certificate' | 'SymmetricKey' | number }
      )[]
    >()
    // @ts-expect-error not a tag
    const misspelled = () => bag({ UniqueIdentifer: text })
    void misspelled
  })

  it('tell the choices of oneOf apart by item type', () => {
    const schema = oneOf(text, integer)
    expectTypeOf(inferred(schema)).toEqualTypeOf<
      | { readonly type: 'TextString'; readonly value: string }
      | { readonly type: 'Integer'; readonly value: number }
    >()
  })

  it('follow mapped, dependent, lazy and raw schemas', () => {
    const date = map(dateTime, {
      read: (seconds) => Number(seconds),
      write: (value) => BigInt(value),
    })
    expectTypeOf(inferred(date)).toEqualTypeOf<number>()
    const chosen = dependent('AttributeName', (name: string) => (name === 'x' ? text : bytes))
    expectTypeOf(inferred(chosen)).toEqualTypeOf<string | Uint8Array>()
    interface Tree {
      Attribute: Tree[]
    }
    const tree: Schema<Tree> = struct({ Attribute: many(lazy(() => tree)) })
    expectTypeOf(inferred(tree)).toEqualTypeOf<Tree>()
    expectTypeOf(inferred(raw)).toEqualTypeOf<Raw>()
    expectTypeOf(input(raw)).toEqualTypeOf<Pick<Raw, 'type' | 'bytes'>>()
    const payload = struct({ AttributeValue: req(raw) })
    const written = () =>
      encode(
        payload,
        1,
        { AttributeValue: { type: 'Structure', bytes: new Uint8Array() } },
        options,
      )
    void written
  })

  it('pass through functions that are generic in the type', () => {
    const generic = <T>(schema: Schema<T>, value: T): Uint8Array =>
      encode(schema, tagNumber('Attribute'), value, options)
    void (() => generic(struct({ UniqueIdentifier: opt(text) }), { UniqueIdentifier: 'a' }))
    expectTypeOf(tagName).toEqualTypeOf<(number: number) => string>()
  })

  it('let the words of a vocabulary serve as a text vocabulary', () => {
    const words: TextVocabulary = {
      tagName,
      tagNumber,
      enumerations: { ObjectType },
      masks: { UsageMask },
      attributeTag: () => undefined,
      secretTags: new Set(),
    }
    expectTypeOf(words.enumerations).toEqualTypeOf<Readonly<Record<string, EnumerationSchema>>>()
  })
})
