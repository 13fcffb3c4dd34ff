// Requests of any size within a message: what is kept stays readable, what is too much is refused.
import { describe, expect, test } from 'vitest'
import type { Item, TypedValue } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, isLate, tapeKey, testEngine } from './engine.ts'

const vendor = (AttributeName: string, AttributeValue: TypedValue): AttributeInstance => ({
  tag: 'Attribute',
  value: { VendorIdentification: 'x', AttributeName, AttributeValue },
})
const text = (value: string): TypedValue => ({ type: 'TextString', value })
const large = 'v'.repeat(300_000)

describe.each(everyVersion)('KMIP %s', (as) => {
  const tooMuch = isLate(as) ? 'ServerLimitExceeded' : 'IndexOutOfBounds'

  test('an object whose attributes have grown large is still served, and refuses to grow further', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A', [vendor('0', text(large))])
    const add = (name: string) => ({ UniqueIdentifier, NewAttribute: vendor(name, text(large)) })
    await engine.call(as, 'AddAttribute', add('1'))
    await engine.call(as, 'AddAttribute', add('2'))
    expect(await engine.refused(as, 'AddAttribute', add('3'))).toBe(tooMuch)
    await engine.call(as, 'Get', { UniqueIdentifier })
    const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier })
    expect(Attributes!.filter(({ tag }) => tag === 'Attribute')).toHaveLength(3)
  })

  test('more conditions than an object has attributes are no search', async () => {
    const engine = await testEngine()
    const Attributes = Array.from({ length: 129 }, (_, at) => vendor(`${at}`, text('')))
    expect(await engine.refused(as, 'Locate', { Attributes })).toBe(tooMuch)
    expect(
      (await engine.call(as, 'Locate', { Attributes: Attributes.slice(1) })).UniqueIdentifier,
    ).toEqual([])
  })
})

// Custom attributes of 1.x hold no structures in structures (KMIP 1.4 §3.40).
describe.each(everyVersion.filter(isLate))('KMIP %s', (as) => {
  test('a value nested as deeply as a message may be comes back', async () => {
    const engine = await testEngine()
    let value: Item = { tag: 0x540001, type: 'Integer', value: 1 }
    for (let depth = 0; depth < 20; depth++)
      value = { tag: 0x540001, type: 'Structure', value: [value] }
    const nested = vendor('Deep', { type: 'Structure', value: [value] })
    const UniqueIdentifier = await engine.key(as, 'A', [nested])
    const [held] = await engine.attribute(as, UniqueIdentifier, 'UniqueIdentifier')
    expect(held).toBe(UniqueIdentifier)
    const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier })
    expect(Attributes![0]).toEqual(nested)
  })
})

test('ten thousand attributes asked for, one of them twice, are refused quickly', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await engine.key('1.4', 'A')
  const AttributeReference = Array.from({ length: 10_000 }, (_, at) => ({
    tag: 'Attribute' as const,
    vendor: 'x',
    name: `${at % 9_999}`,
  }))
  const request = { UniqueIdentifier, AttributeReference }
  expect(await engine.refused('1.4', 'GetAttributes', request)).toBe('InvalidMessage')
})

test('more Templates than an attribute has instances are refused', async () => {
  const engine = await testEngine()
  const name = { NameValue: 'none', NameType: 'UninterpretedTextString' as const }
  const templates = Array.from({ length: 65 }, () => ({ tag: 'Template' as const, value: name }))
  const request = {
    ObjectType: 'SymmetricKey' as const,
    Attributes: [...templates, ...tapeKey('A')],
  }
  expect(await engine.refused('1.4', 'Create', request)).toBe('IndexOutOfBounds')
})

test('secret data as large as a message is kept and handed out', async () => {
  const engine = await testEngine()
  const KeyMaterial = new Uint8Array(1_000_000).fill(7)
  const made = await engine.call('1.4', 'Register', {
    ObjectType: 'SecretData',
    SecretData: {
      SecretDataType: 'Seed',
      KeyBlock: {
        KeyFormatType: 'Raw',
        KeyValue: { type: 'Structure', value: { KeyMaterial, Attributes: undefined } },
      },
    },
    Attributes: [],
  })
  const { SecretData } = await engine.call('1.4', 'Get', made)
  const value = SecretData!.KeyBlock.KeyValue
  expect(value!.type === 'Structure' && value!.value.KeyMaterial).toEqual(KeyMaterial)
})
