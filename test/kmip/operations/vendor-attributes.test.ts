// Vendor attributes: `x-` custom attributes in 1.x, those of any vendor in 2.x.
import { describe, expect, test } from 'vitest'
import type { TypedValue } from 'ttlv-codec'
import type {
  AttributeInstance,
  AttributeReference,
} from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, isLate, started, testEngine, type TestEngine } from './engine.ts'

const custom = (name: string, AttributeValue: TypedValue, vendor = 'x'): AttributeInstance => ({
  tag: 'Attribute',
  value: { VendorIdentification: vendor, AttributeName: name, AttributeValue },
})
const text = (value: string): TypedValue => ({ type: 'TextString', value })

/** Values and indexes of one attribute as a 1.x client sees them. */
async function instances(
  engine: TestEngine,
  as: (typeof everyVersion)[number],
  UniqueIdentifier: string,
  reference: AttributeReference,
) {
  const request = { UniqueIdentifier, AttributeReference: [reference] }
  const { Attributes } = await engine.call(as, 'GetAttributes', request)
  return Attributes!.map(({ value, index = 0 }) => [index, value])
}

const everyType: [string, TypedValue, TypedValue][] = [
  ['Integer', { type: 'Integer', value: -7 }, { type: 'Integer', value: 8 }],
  [
    'Long Integer',
    { type: 'LongInteger', value: -(2n ** 60n) },
    { type: 'LongInteger', value: 1n },
  ],
  ['Big Integer', { type: 'BigInteger', value: 2n ** 99n }, { type: 'BigInteger', value: -1n }],
  ['Enumeration', { type: 'Enumeration', value: 3 }, { type: 'Enumeration', value: 0x80000001 }],
  ['Boolean', { type: 'Boolean', value: true }, { type: 'Boolean', value: false }],
  ['Text String', text('Ω'), text('')],
  [
    'Byte String',
    { type: 'ByteString', value: Uint8Array.of(1, 2) },
    { type: 'ByteString', value: new Uint8Array() },
  ],
  ['Date-Time', { type: 'DateTime', value: -5n }, { type: 'DateTime', value: started }],
  ['Interval', { type: 'Interval', value: 9 }, { type: 'Interval', value: 4_000_000_000 }],
  [
    'Structure',
    { type: 'Structure', value: [{ tag: 0x540001, type: 'Integer', value: 1 }] },
    { type: 'Structure', value: [] },
  ],
]

describe.each(everyVersion)('vendor attributes in KMIP %s', (as) => {
  test.each(everyType)(
    'of type %s are kept with their type, found, changed',
    async (_, one, two) => {
      const engine = await testEngine()
      const reference = { tag: 'Attribute' as const, vendor: 'x', name: 'Ours' }
      const UniqueIdentifier = await engine.key(as, 'A', [custom('Ours', one)])
      await engine.key(as, 'B', [custom('Ours', two)])
      const held = () => instances(engine, as, UniqueIdentifier, reference)
      expect(await held()).toEqual([[0, custom('Ours', one).value]])
      const located = await engine.call(as, 'Locate', { Attributes: [custom('Ours', one)] })
      expect(located.UniqueIdentifier).toEqual([UniqueIdentifier])
      const NewAttribute = custom('Ours', two)
      await engine.call(as, 'ModifyAttribute', { UniqueIdentifier, NewAttribute })
      expect(await held()).toEqual([[0, NewAttribute.value]])
      // A client may change the type (TL-M-3-10 does).
      const other = custom('Ours', text('text'))
      await engine.call(as, 'ModifyAttribute', { UniqueIdentifier, NewAttribute: other })
      expect(await held()).toEqual([[0, other.value]])
    },
  )

  test('thirty and more of them, with long names and values', async () => {
    const engine = await testEngine()
    const name = 'N'.repeat(253)
    const many = Array.from({ length: 40 }, (_, at) =>
      custom(`${name}${at}`, text('v'.repeat(256))),
    )
    const UniqueIdentifier = await engine.key(as, 'A', many)
    const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier })
    const shown = Attributes!.filter(({ tag }) => tag === 'Attribute')
    expect(shown.map(({ value }) => value)).toEqual(many.map(({ value }) => value))
    const located = await engine.call(as, 'Locate', { Attributes: [many[17]!] })
    expect(located.UniqueIdentifier).toEqual([UniqueIdentifier])
  })
})

test('custom attributes of 1.x are vendor attributes of vendor x in 2.x, both ways', async () => {
  const engine = await testEngine()
  const old = await engine.key('1.0', 'A', [custom('Barcode', text('KR0001L8'))])
  const recent = await engine.key('2.1', 'B', [
    custom('Barcode', text('KR0002L8')),
    custom('Shelf', text('7'), 'acme'),
  ])
  const reference = { tag: 'Attribute' as const, vendor: 'x', name: 'Barcode' }
  for (const as of everyVersion) {
    expect(await instances(engine, as, old, reference)).toHaveLength(1)
    expect(await instances(engine, as, recent, reference)).toHaveLength(1)
    const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier: recent })
    const vendors = Attributes!.filter(({ tag }) => tag === 'Attribute')
    // 1.x has no way to name other vendors' attributes.
    expect(vendors).toHaveLength(isLate(as) ? 2 : 1)
  }
})

describe('what only newer versions have', () => {
  test('a Date-Time Extended is not told to 1.x', async () => {
    const engine = await testEngine()
    const moment: TypedValue = { type: 'DateTimeExtended', value: 5n }
    const within: TypedValue = { type: 'Structure', value: [{ tag: 0x540001, ...moment }] }
    const given = [custom('At', moment), custom('In', within), custom('Name', text('told'))]
    const UniqueIdentifier = await engine.key('2.1', 'A', given)
    const seen = async (as: '1.4' | '2.0') => {
      const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier })
      return Attributes!.filter(({ tag }) => tag === 'Attribute')
    }
    expect(await seen('2.0')).toEqual(given)
    expect(await seen('1.4')).toEqual([custom('Name', text('told'))])
  })

  test('nor taken from it', async () => {
    const engine = await testEngine()
    const moment: TypedValue = { type: 'DateTimeExtended', value: 5n }
    const within: TypedValue = { type: 'Structure', value: [{ tag: 0x540001, ...moment }] }
    const UniqueIdentifier = await engine.key('1.4', 'A')
    for (const value of [moment, within]) {
      const request = { UniqueIdentifier, NewAttribute: custom('At', value) }
      expect(await engine.refused('1.4', 'AddAttribute', request)).toBe('InvalidField')
    }
  })
})
