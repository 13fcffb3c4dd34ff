// Export and Import: an object with all that is known of it goes from one server to another and back.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { RequestPayload, ResponsePayload } from '../../../src/kmip/model/payloads/index.ts'
import {
  answerOf,
  edited,
  everyVersion,
  found,
  principal,
  requestBytes,
  started,
  tapeKey,
  testEngine,
  type TestEngine,
} from './engine.ts'
import {
  active,
  bytes,
  clearBlock,
  encryption,
  hex,
  keyHex,
  keyValueHex,
  masks,
  plainKey,
  registered,
  unwrapped,
  usage,
  wrappedBlock,
  wrappedHex,
  wrappedValue,
  wrappingKey,
} from './wrapped.ts'

const late: VersionText[] = everyVersion.filter((as) => as >= '1.4')

type Exported = ResponsePayload<'Export'>
type Import = RequestPayload<'Import'>

/** What Export has answered, as a request to import it. */
const bundle = (exported: Exported, as: VersionText, more: Partial<Import> = {}): Import => {
  const { ObjectType, ...rest } = exported
  return { ...rest, ...(as >= '2.0' && { ObjectType }), ...more } as Import
}

const attributesOf = async (engine: TestEngine, as: VersionText, UniqueIdentifier: string) =>
  (await engine.call(as, 'GetAttributes', { UniqueIdentifier })).Attributes

const text = (tag: AttributeInstance['tag'], value: string): AttributeInstance => ({ tag, value })
const custom = (AttributeName: string, AttributeValue: object): AttributeInstance => ({
  tag: 'Attribute',
  value: { VendorIdentification: 'x', AttributeName, AttributeValue },
})

/** A tape key with a past: names, dates, limits, vendor attributes, several instances, a gap in their indexes. */
async function tapeKeyWithPast(engine: TestEngine, as: VersionText): Promise<string> {
  const id = await engine.key(as, 'A1B2', [
    { tag: 'ActivationDate', value: started - 50n },
    { tag: 'ProcessStartDate', value: started - 50n },
    { tag: 'ProtectStopDate', value: started + 50n },
    { tag: 'UsageLimits', value: { UsageLimitsTotal: 10n, UsageLimitsUnit: 'Object' } },
    text('ContactInformation', 'somebody'),
    text('ObjectGroup', 'one'),
    text('ObjectGroup', 'two'),
    text('ObjectGroup', 'three'),
    custom('Barcode', { type: 'TextString', value: 'KR0001L8' }),
    custom('Number', { type: 'Integer', value: 7 }),
    { tag: 'CryptographicParameters', value: { BlockCipherMode: 'GCM', TagLength: 16 } },
    {
      tag: 'AlternativeName',
      value: { AlternativeNameValue: 'KR0001L8', AlternativeNameType: 'UninterpretedTextString' },
    },
    { tag: 'Link', value: { LinkType: 'NextLink', LinkedObjectIdentifier: 'another' } },
  ])
  engine.time.seconds += 10n
  await engine.call(as, 'Get', { UniqueIdentifier: id })
  await engine.call(as, 'GetUsageAllocation', { UniqueIdentifier: id, UsageLimitsCount: 3n })
  return id
}

describe.each(late)('KMIP %s', (as) => {
  test('a key goes to another server with its identifier and every attribute', async () => {
    const [here, there] = [await testEngine(), await testEngine()]
    const id = await tapeKeyWithPast(here, as)
    const exported = await here.call(as, 'Export', { UniqueIdentifier: id })
    expect(exported.Attributes).toEqual(await attributesOf(here, as, id))
    there.time.seconds = here.time.seconds
    const made = await there.call(as, 'Import', bundle(exported, as))
    expect(made).toEqual({ UniqueIdentifier: id })
    expect(await attributesOf(there, as, id)).toEqual(await attributesOf(here, as, id))
    const [one, other] = await Promise.all(
      [here, there].map((engine) => engine.call(as, 'Export', { UniqueIdentifier: id })),
    )
    expect(other).toEqual(one)
  })

  test('every digest that an object brings is told, under its index', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A1')
    const exported = await engine.call(as, 'Export', { UniqueIdentifier: id })
    const Digests = (['SHA_256', 'SHA_1', 'SHA_512'] as const).map(
      (HashingAlgorithm, at): AttributeInstance => ({
        tag: 'Digest',
        value: { HashingAlgorithm, DigestValue: bytes(`0${at}`), KeyFormatType: 'Raw' },
      }),
    )
    const Attributes = [...exported.Attributes.filter(({ tag }) => tag !== 'Digest'), ...Digests]
    const there = await testEngine()
    await there.call(as, 'Import', bundle(exported, as, { Attributes }))
    for (const version of everyVersion.filter((spoken) => spoken >= '1.1'))
      expect(await there.attribute(version, id, 'Digest')).toEqual(
        Digests.map(({ value }) => value),
      )
    const asked = { UniqueIdentifier: id, AttributeReference: [{ tag: 'Digest' as const }] }
    const shown = (await there.call('1.4', 'GetAttributes', asked)).Attributes!
    expect(shown.map(({ index }) => index ?? 0)).toEqual([0, 1, 2])
  })

  test.each([
    ['Pre-Active', []],
    ['Active', ['Activate']],
    ['Deactivated', ['Activate', 'Revoke']],
    ['Destroyed', ['Destroy']],
    ['Destroyed after its time', ['Activate', 'Revoke', 'Destroy']],
    ['Compromised', ['Revoke']],
    ['Destroyed Compromised', ['Activate', 'Revoke', 'Destroy']],
  ] as const)('a key that is %s stays so', async (state, steps) => {
    const [here, there] = [await testEngine(), await testEngine()]
    const UniqueIdentifier = await here.key(as, 'A1')
    for (const step of steps) {
      here.time.seconds += 10n
      const RevocationReasonCode = state.endsWith('Compromised')
        ? ('KeyCompromise' as const)
        : ('CessationOfOperation' as const)
      const more = step === 'Revoke' ? { RevocationReason: { RevocationReasonCode } } : {}
      await here.call(as, step, { UniqueIdentifier, ...more })
    }
    here.time.seconds += 10n
    there.time.seconds = here.time.seconds
    const exported = await here.call(as, 'Export', { UniqueIdentifier })
    await there.call(as, 'Import', bundle(exported, as))
    const kept = await attributesOf(there, as, UniqueIdentifier)
    expect(kept).toEqual(await attributesOf(here, as, UniqueIdentifier))
    const isDestroyed = steps.includes('Destroy' as never)
    expect(exported.SymmetricKey!.KeyBlock.KeyValue === undefined).toBe(isDestroyed)
    if (isDestroyed) {
      const early = as < '2.0'
      expect(await there.refused(as, 'Get', { UniqueIdentifier })).toBe(
        early ? 'ItemNotFound' : 'ObjectDestroyed',
      )
    } else expect(await there.call(as, 'Export', { UniqueIdentifier })).toEqual(exported)
  })

  test('an identifier that is no UUID is kept as well', async () => {
    const [here, there] = [await testEngine(), await testEngine()]
    const exported = await here.call(as, 'Export', {
      UniqueIdentifier: await here.key(as, 'A1'),
    })
    const id = 'Schlüssel 42'
    const Attributes = exported.Attributes!.filter(({ tag }) => tag !== 'UniqueIdentifier')
    await there.call(as, 'Import', bundle({ ...exported, UniqueIdentifier: id, Attributes }, as))
    const again = await there.call(as, 'Export', { UniqueIdentifier: id })
    expect(again.SymmetricKey).toEqual(exported.SymmetricKey)
    const Name = { tag: 'Name' as const, value: tapeKey('A1')[0]!.value }
    const located = await there.call(as, 'Locate', { Attributes: [Name] })
    expect(located.UniqueIdentifier).toEqual([id])
  })

  test('a wrapped key is kept wrapped, or unwrapped when Key Wrap Type says so', async () => {
    const engine = await testEngine()
    const kek = await wrappingKey(engine, as)
    const UniqueIdentifier = await plainKey(engine, as)
    const KeyWrappingSpecification = encryption(kek)
    const exported = await engine.call(as, 'Export', { UniqueIdentifier, KeyWrappingSpecification })
    const sent = wrappedValue(exported.SymmetricKey!.KeyBlock)
    expect(hex(unwrapped(sent))).toBe(keyValueHex)
    await engine.call(as, 'Destroy', { UniqueIdentifier })
    const replaced = { ReplaceExisting: true }
    await engine.call(
      as,
      'Import',
      bundle(exported, as, { ...replaced, KeyWrapType: 'AsRegistered' }),
    )
    const kept = await engine.call(as, 'Get', { UniqueIdentifier })
    expect(hex(wrappedValue(kept.SymmetricKey!.KeyBlock))).toBe(hex(sent))
    await engine.call(
      as,
      'Import',
      bundle(exported, as, { ...replaced, KeyWrapType: 'NotWrapped' }),
    )
    const clear = (await engine.call(as, 'Get', { UniqueIdentifier })).SymmetricKey!.KeyBlock
    expect(clear.KeyWrappingData).toBeUndefined()
    const { KeyValue } = clear
    expect(KeyValue!.type === 'Structure' && hex(KeyValue!.value.KeyMaterial as Uint8Array)).toBe(
      keyHex,
    )
  })

  test('the placeholder is the object that was imported or exported', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A1')
    const [, second] = await engine.batch(as, [
      ['Export', { UniqueIdentifier }],
      ['GetAttributes', { AttributeReference: [{ tag: 'State' }] }],
    ])
    expect(second!.ResponsePayload).toMatchObject({ UniqueIdentifier })
    const exported = await engine.call(as, 'Export', { UniqueIdentifier })
    const [, last] = await engine.batch(as, [
      ['Import', bundle(exported, as, { ReplaceExisting: true })],
      ['GetAttributes', { AttributeReference: [{ tag: 'State' }] }],
    ])
    expect(last!.ResponsePayload).toMatchObject({ UniqueIdentifier })
  })
})

test('before 1.4 there is neither', async () => {
  const engine = await testEngine()
  for (const operation of [0x2a, 0x2b]) {
    const request = edited(
      requestBytes('1.3', [['Query', { QueryFunction: ['QueryOperations'] }]]),
      (root) => {
        Object.assign(found(root, 'Operation'), { value: operation })
      },
    )
    const [item] = answerOf(await engine.raw(request), '1.3', false).BatchItem
    expect(item!.ResultReason).toBe('OperationNotSupported')
  }
})

test('exported by one version, imported by another', async () => {
  const here = await testEngine()
  for (const [from, to] of [
    ['1.4', '2.1'],
    ['2.1', '1.4'],
  ] as const) {
    const id = await here.key(from, from)
    const exported = await here.call(to, 'Export', { UniqueIdentifier: id })
    const there = await testEngine()
    await there.call(to, 'Import', bundle(exported, to))
    expect(await attributesOf(there, to, id)).toEqual(await attributesOf(here, to, id))
  }
})

test('a state that other servers reach without a date is kept', async () => {
  const engine = await testEngine()
  const state = async (UniqueIdentifier: string, ...Attributes: AttributeInstance[]) => {
    const SymmetricKey = { KeyBlock: clearBlock(keyHex) }
    const ObjectType = 'SymmetricKey' as const
    await engine.call('2.1', 'Import', { UniqueIdentifier, ObjectType, Attributes, SymmetricKey })
    return engine.attribute('2.1', UniqueIdentifier, 'State')
  }
  expect(await state('1', { tag: 'State', value: 'Active' })).toEqual(['Active'])
  expect(await state('2', { tag: 'State', value: 'Deactivated' })).toEqual(['Deactivated'])
  expect(await state('3', { tag: 'State', value: 'PreActive' }, active)).toEqual(['Active'])
  expect(await state('4')).toEqual(['PreActive'])
})

test('what the request leaves out follows from the object, or is as for Register', async () => {
  const engine = await testEngine()
  await engine.call('2.1', 'Import', {
    UniqueIdentifier: 'bare',
    ObjectType: 'SymmetricKey',
    Attributes: [usage(masks.use)],
    SymmetricKey: { KeyBlock: clearBlock(keyHex) },
  })
  const one = async (tag: AttributeInstance['tag']) =>
    (await engine.attribute('2.1', 'bare', tag as 'Digest'))[0]
  expect(await one('CryptographicAlgorithm')).toBe('AES')
  expect(await one('CryptographicLength')).toBe(128)
  expect(await one('InitialDate')).toBe(started)
  expect(await one('Fresh')).toBe(true)
  expect(await one('Sensitive')).toBe(false)
  expect(await one('NeverExtractable')).toBe(false)
  expect(await one('Digest')).toMatchObject({ HashingAlgorithm: 'SHA_256', KeyFormatType: 'Raw' })
})

test('Export leaves the freshness, and is audited with the keys that wrapped', async () => {
  const engine = await testEngine()
  const kek = await wrappingKey(engine, '2.1')
  const UniqueIdentifier = await plainKey(engine, '2.1')
  const KeyWrappingSpecification = encryption(kek)
  await engine.call('2.1', 'Export', { UniqueIdentifier, KeyWrappingSpecification })
  expect(await engine.attribute('2.1', UniqueIdentifier, 'Fresh')).toEqual([true])
  const exports = (await engine.audited()).filter(({ operation }) => operation === 'Export')
  expect(exports.map(({ object, details }) => [object, details])).toEqual([
    [UniqueIdentifier, { wrappedBy: [kek] }],
  ])
})

describe('Replace Existing', () => {
  const other = '11'.repeat(16)
  const request = (UniqueIdentifier: string, ...Attributes: AttributeInstance[]): Import =>
    ({
      UniqueIdentifier,
      ObjectType: 'SymmetricKey',
      ReplaceExisting: true,
      Attributes,
      SymmetricKey: { KeyBlock: clearBlock(other) },
    }) as Import
  const material = async (engine: TestEngine, UniqueIdentifier: string) => {
    const { KeyBlock } = (await engine.call('2.1', 'Get', { UniqueIdentifier })).SymmetricKey!
    return KeyBlock.KeyValue!.type === 'Structure'
      ? hex(KeyBlock.KeyValue!.value.KeyMaterial as Uint8Array)
      : undefined
  }

  test('the key that is replaced is kept like a destroyed one, for an administrator to bring back', async () => {
    const engine = await testEngine()
    const id = await plainKey(engine, '2.1')
    await engine.call('2.1', 'Import', request(id, usage(masks.use)))
    expect(await material(engine, id)).toBe(other)
    const imported = (await engine.audited()).find(({ operation }) => operation === 'Import')!
    expect(imported.details).toEqual({
      replaced: 'SymmetricKey',
      keptAs: expect.any(String) as string,
    })
    const { keptAs } = imported.details as { keptAs: string }
    expect(await engine.attribute('2.1', keptAs, 'State')).toEqual(['Destroyed'])
    const kept = await engine.store.read((work) => work.load('default', keptAs))
    expect(kept).toMatchObject({ hasMaterial: true })
    expect(kept!.columns.wipeAfter).toBe(started + 30n * 86_400n)
  })

  test('the same key again leaves nothing behind', async () => {
    const engine = await testEngine()
    const id = await plainKey(engine, '2.1')
    for (const expected of [{ replaced: 'SymmetricKey' }]) {
      const exported = await engine.call('2.1', 'Export', { UniqueIdentifier: id })
      await engine.call('2.1', 'Import', bundle(exported, '2.1', { ReplaceExisting: true }))
      const imported = (await engine.audited()).find(({ operation }) => operation === 'Import')!
      expect(imported.details).toEqual(expected)
    }
  })

  test('a group that wipes at once keeps nothing, one that refuses Destroy refuses this', async () => {
    const engine = await testEngine()
    const id = await plainKey(engine, '2.1')
    await engine.policy('destroy=refuse')
    expect(await engine.refused('2.1', 'Import', request(id))).toBe('PermissionDenied')
    expect(await material(engine, id)).toBe(keyHex)
    await engine.policy('destroy=now')
    await engine.call('2.1', 'Import', request(id))
    const imported = (await engine.audited()).findLast(({ operation }) => operation === 'Import')!
    expect(imported.details).toEqual({ replaced: 'SymmetricKey' })
  })

  test('nobody replaces what somebody else owns, or what is of another group', async () => {
    const engine = await testEngine()
    const id = await plainKey(engine, '2.1')
    const stranger = principal({ name: 'beta', group: 'other' })
    const own = principal({ name: 'gamma', ownOnly: true })
    for (const who of [stranger, own])
      for (const ReplaceExisting of [true, false])
        expect(
          await engine.refused('2.1', 'Import', { ...request(id), ReplaceExisting }, who),
        ).toBe('ObjectAlreadyExists')
    expect(await material(engine, id)).toBe(keyHex)
  })

  test('Names and application information of the replaced object are free for the new one, others are not', async () => {
    const engine = await testEngine()
    const id = await engine.key('2.1', 'A1')
    await engine.key('2.1', 'B2')
    await engine.call('2.1', 'Import', request(id, ...tapeKey('A1').slice(0, 1), tapeKey('A1')[4]!))
    expect(await engine.refused('2.1', 'Import', request(id, tapeKey('B2')[0]!))).toBe(
      'NonUniqueNameAttribute',
    )
    expect(await engine.refused('2.1', 'Import', request(id, tapeKey('B2')[4]!))).toBe(
      'InvalidAttributeValue',
    )
    expect(await engine.refused('2.1', 'Import', request('new', tapeKey('B2')[4]!))).toBe(
      'InvalidAttributeValue',
    )
  })

  test('an undone batch puts the replaced key back', async () => {
    const engine = await testEngine()
    const id = await plainKey(engine, '2.1')
    await engine.batch(
      '2.1',
      [
        ['Import', request(id)],
        ['Get', { UniqueIdentifier: 'none' }],
      ],
      {
        BatchErrorContinuationOption: 'Undo',
      },
    )
    expect(await material(engine, id)).toBe(keyHex)
  })

  test('another type of object may take the place', async () => {
    const engine = await testEngine()
    const id = await plainKey(engine, '2.1')
    await engine.call('2.1', 'Import', {
      UniqueIdentifier: id,
      ObjectType: 'OpaqueObject',
      ReplaceExisting: true,
      Attributes: [],
      OpaqueObject: { OpaqueDataType: 0x80000001, OpaqueDataValue: bytes('0102') },
    })
    const got = await engine.call('2.1', 'Get', { UniqueIdentifier: id })
    expect(got.OpaqueObject?.OpaqueDataValue).toEqual(bytes('0102'))
  })
})

test('a wrapped key whose wrapping key is elsewhere is imported as it is', async () => {
  const engine = await testEngine()
  const id = 'wrapped elsewhere'
  await engine.call('2.1', 'Import', {
    UniqueIdentifier: id,
    ObjectType: 'SymmetricKey',
    KeyWrapType: 'AsRegistered',
    Attributes: [usage(masks.use)],
    SymmetricKey: { KeyBlock: wrappedBlock('a key elsewhere') },
  })
  const got = await engine.call('2.1', 'Get', { UniqueIdentifier: id })
  expect(hex(wrappedValue(got.SymmetricKey!.KeyBlock))).toBe(wrappedHex)
})

test('a Template goes from 1.4 to 1.4', async () => {
  const [here, there] = [await testEngine(), await testEngine()]
  const { UniqueIdentifier: id } = await here.call('1.4', 'Register', {
    ObjectType: 'Template',
    Attributes: [tapeKey('template')[0]!],
    Template: { Attribute: [text('ContactInformation', 'somebody')] },
  })
  const exported = await here.call('1.4', 'Export', { UniqueIdentifier: id })
  await there.call('1.4', 'Import', bundle(exported, '1.4'))
  expect(await there.call('1.4', 'Export', { UniqueIdentifier: id })).toEqual(exported)
  expect(await registered(there, '1.4', clearBlock(keyHex), usage(masks.use))).toBeTypeOf('string')
})
