// The operations on attributes: instances and their indexes, vendor attributes, what each version sees.
import { describe, expect, test } from 'vitest'
import type {
  AttributeInstance,
  AttributeReference,
} from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, testEngine, type TestEngine } from './engine.ts'

const early = ['1.0', '1.1', '1.2', '1.3', '1.4'] as const
const late = ['2.0', '2.1'] as const

const group = (value: string): AttributeInstance => ({ tag: 'ObjectGroup', value })
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

describe.each(early)('Attribute Index in KMIP %s', (as) => {
  test('counts from 0, stays when others come and go, and names the instance to change', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A', [group('zero')])
    const add = async (value: string) =>
      (await engine.call(as, 'AddAttribute', { UniqueIdentifier, NewAttribute: group(value) }))
        .Attribute
    expect(await add('one')).toEqual({ ...group('one'), index: 1 })
    expect(await add('two')).toEqual({ ...group('two'), index: 2 })
    const held = () => instances(engine, as, UniqueIdentifier, { tag: 'ObjectGroup' })
    const removed = await engine.call(as, 'DeleteAttribute', {
      UniqueIdentifier,
      AttributeReference: { tag: 'ObjectGroup' },
      AttributeIndex: 1,
    })
    expect(removed.Attribute).toEqual({ ...group('one'), index: 1 })
    expect(await held()).toEqual([
      [0, 'zero'],
      [2, 'two'],
    ])
    expect(await add('three')).toEqual({ ...group('three'), index: 3 })
    const changed = await engine.call(as, 'ModifyAttribute', {
      UniqueIdentifier,
      NewAttribute: { ...group('second'), index: 2 },
    })
    expect(changed.Attribute).toEqual({ ...group('second'), index: 2 })
    // Without an index, the one with index 0 is meant, also to delete.
    await engine.call(as, 'ModifyAttribute', { UniqueIdentifier, NewAttribute: group('null') })
    expect(await held()).toEqual([
      [0, 'null'],
      [2, 'second'],
      [3, 'three'],
    ])
    const AttributeReference = { tag: 'ObjectGroup' as const }
    await engine.call(as, 'DeleteAttribute', { UniqueIdentifier, AttributeReference })
    expect(await held()).toEqual([
      [2, 'second'],
      [3, 'three'],
    ])
    const again = { UniqueIdentifier, AttributeReference }
    expect(await engine.refused(as, 'DeleteAttribute', again)).toBe('ItemNotFound')
  })
})

describe.each(late)('instances in KMIP %s', (as) => {
  test('are changed and deleted by their value', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A', [group('a'), group('b'), group('c')])
    const values = () => engine.attribute(as, UniqueIdentifier, 'ObjectGroup')
    const changed = await engine.call(as, 'ModifyAttribute', {
      UniqueIdentifier,
      CurrentAttribute: group('b'),
      NewAttribute: group('B'),
    })
    expect(changed).toEqual({ UniqueIdentifier })
    expect(await values()).toEqual(['a', 'B', 'c'])
    const unclear = { UniqueIdentifier, NewAttribute: group('x') }
    expect(await engine.refused(as, 'ModifyAttribute', unclear)).toBe('MultiValuedAttribute')
    await engine.call(as, 'DeleteAttribute', { UniqueIdentifier, CurrentAttribute: group('a') })
    expect(await values()).toEqual(['B', 'c'])
    await engine.call(as, 'DeleteAttribute', {
      UniqueIdentifier,
      AttributeReference: { tag: 'ObjectGroup' },
    })
    expect(await values()).toEqual([])
  })

  test('Set makes the attribute, and changes it while there is one instance', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A')
    const set = (value: string) =>
      engine.call(as, 'SetAttribute', { UniqueIdentifier, NewAttribute: group(value) })
    await set('a')
    await set('b')
    expect(await engine.attribute(as, UniqueIdentifier, 'ObjectGroup')).toEqual(['b'])
  })
})

describe('what a version does not have', () => {
  test('is left out of the usage mask, bit by bit', async () => {
    const engine = await testEngine()
    const all1 = 0x000fffff
    const created = async (as: '1.4' | '2.1', value: number) => {
      const { UniqueIdentifier } = await engine.call(as, 'Create', {
        ObjectType: 'SymmetricKey',
        Attributes: [
          { tag: 'CryptographicAlgorithm', value: 'AES' },
          { tag: 'CryptographicUsageMask', value },
        ],
      })
      return (other: (typeof everyVersion)[number]) =>
        engine.attribute(other, UniqueIdentifier, 'CryptographicUsageMask')
    }
    const ofOld = await created('1.4', all1)
    expect(await ofOld('1.0')).toEqual([all1])
    expect(await ofOld('2.1')).toEqual([0x00003bbf])
    const ofNew = await created('2.1', 0x00f00004)
    expect(await ofNew('2.1')).toEqual([0x00f00004])
    expect(await ofNew('1.4')).toEqual([4])
    // What a client gave is kept whole: the older one still finds its key by all its bits.
    const located = await engine.call('1.4', 'Locate', {
      Attributes: [{ tag: 'CryptographicUsageMask', value: all1 }],
    })
    expect(located.UniqueIdentifier).toHaveLength(1)
  })

  test('is left out among values', async () => {
    const engine = await testEngine()
    const id = await engine.key('1.4', 'A', [
      { tag: 'CryptographicParameters', value: { BlockCipherMode: 'CBC' } },
      { tag: 'CryptographicParameters', value: { BlockCipherMode: 'AEAD' } },
      { tag: 'CryptographicParameters', value: { BlockCipherMode: 'GCM', TagLength: 16 } },
    ])
    const modes = async (as: (typeof everyVersion)[number]) =>
      (await engine.attribute(as, id, 'CryptographicParameters')).map(
        (value) => (value as { BlockCipherMode: string }).BlockCipherMode,
      )
    expect(await modes('1.4')).toEqual(['CBC', 'AEAD', 'GCM'])
    expect(await modes('1.3')).toEqual(['CBC', 'GCM'])
    expect(await modes('2.1')).toEqual(['CBC', 'AEAD', 'GCM'])
    expect(await instances(engine, '1.0', id, { tag: 'CryptographicParameters' })).toEqual([
      [0, { BlockCipherMode: 'CBC' }],
      [2, { BlockCipherMode: 'GCM' }],
    ])
  })

  test('is refused when its clients send it; extensions are kept', async () => {
    const engine = await testEngine()
    const add = async (as: (typeof everyVersion)[number], BlockCipherMode: number) => ({
      UniqueIdentifier: await engine.key(as, `${as} ${BlockCipherMode}`),
      NewAttribute: { tag: 'CryptographicParameters' as const, value: { BlockCipherMode } },
    })
    const aead = 0x12
    await engine.call('1.4', 'AddAttribute', await add('1.4', aead))
    expect(await engine.refused('1.3', 'AddAttribute', await add('1.3', aead))).toBe('InvalidField')
    expect(await engine.refused('2.1', 'AddAttribute', await add('2.1', 0x77))).toBe(
      'UnknownEnumeration',
    )
    const extension = await add('2.1', 0x80000001)
    await engine.call('2.1', 'AddAttribute', extension)
    const located = await engine.call('2.1', 'Locate', { Attributes: [extension.NewAttribute] })
    expect(located.UniqueIdentifier).toEqual([extension.UniqueIdentifier])
  })

  test('Operation Policy Name is kept for 1.x and not there in 2.x', async () => {
    const engine = await testEngine()
    const policy: AttributeInstance = { tag: 'OperationPolicyName', value: 'default' }
    const id = await engine.key('1.2', 'A', [policy])
    expect(await engine.attribute('1.4', id, 'OperationPolicyName')).toEqual(['default'])
    const { Attributes } = await engine.call('2.1', 'GetAttributes', { UniqueIdentifier: id })
    expect(Attributes!.map(({ tag }) => tag)).not.toContain('OperationPolicyName')
  })
})

test('attributes are answered in the order they are asked for, those not there left out', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await engine.key('1.2', 'A')
  const tags = ['State', 'ContactInformation', 'Name', 'UniqueIdentifier'] as const
  const { Attributes } = await engine.call('1.2', 'GetAttributes', {
    UniqueIdentifier,
    AttributeReference: [
      ...tags.map((tag) => ({ tag })),
      { tag: 'Attribute', vendor: 'x', name: 'n' },
    ],
  })
  expect(Attributes!.map(({ tag }) => tag)).toEqual(['State', 'Name', 'UniqueIdentifier'])
})

test('Sensitive and Extractable may change, but what once was not always stays so', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await engine.key('2.1', 'A', [
    { tag: 'Sensitive', value: true },
    { tag: 'Extractable', value: false },
  ])
  const flags = async () =>
    Promise.all(
      (['Sensitive', 'AlwaysSensitive', 'Extractable', 'NeverExtractable'] as const).map(
        async (tag) => (await engine.attribute('2.1', UniqueIdentifier, tag))[0],
      ),
    )
  const set = (tag: 'Sensitive' | 'Extractable', value: boolean) =>
    engine.call('2.1', 'SetAttribute', { UniqueIdentifier, NewAttribute: { tag, value } })
  expect(await flags()).toEqual([true, true, false, true])
  await set('Sensitive', false)
  await set('Extractable', true)
  expect(await flags()).toEqual([false, false, true, false])
  await set('Sensitive', true)
  await set('Extractable', false)
  expect(await flags()).toEqual([true, false, false, false])
})

test('Usage Limits count from their total, and either half is corrected alone', async () => {
  const engine = await testEngine()
  const limits = { UsageLimitsTotal: 100n, UsageLimitsCount: 3n, UsageLimitsUnit: 'Byte' }
  const UniqueIdentifier = await engine.key('1.4', 'A', [{ tag: 'UsageLimits', value: limits }])
  const held = () => engine.attribute('1.4', UniqueIdentifier, 'UsageLimits')
  expect(await held()).toEqual([{ ...limits, UsageLimitsCount: 100n }])
  const modify = (value: object) =>
    engine.call('1.4', 'ModifyAttribute', {
      UniqueIdentifier,
      NewAttribute: { tag: 'UsageLimits', value },
    })
  await modify({ UsageLimitsTotal: 50n })
  await modify({ UsageLimitsUnit: 'Object' })
  expect(await held()).toEqual([
    { UsageLimitsTotal: 50n, UsageLimitsCount: 50n, UsageLimitsUnit: 'Object' },
  ])
})

test('every change moves the Last Change Date, looking does not', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await engine.key('2.1', 'A')
  const changed = async () =>
    (await engine.attribute('2.1', UniqueIdentifier, 'LastChangeDate'))[0] as bigint
  const NewAttribute = group('a')
  for (const run of [
    () => engine.call('2.1', 'AddAttribute', { UniqueIdentifier, NewAttribute }),
    () => engine.call('2.1', 'ModifyAttribute', { UniqueIdentifier, NewAttribute: group('b') }),
    () => engine.call('2.1', 'SetAttribute', { UniqueIdentifier, NewAttribute }),
    () => engine.call('2.1', 'DeleteAttribute', { UniqueIdentifier, CurrentAttribute: group('a') }),
  ]) {
    engine.time.seconds += 10n
    await run()
    expect(await changed()).toBe(engine.time.seconds)
  }
  engine.time.seconds += 10n
  await engine.call('2.1', 'GetAttributeList', { UniqueIdentifier })
  expect(await changed()).toBe(engine.time.seconds - 10n)
})
