// Register, and Get of what was registered: the same object comes back, in the format it came in.
import { describe, expect, test } from 'vitest'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, isLate, started, testEngine, tapeKey } from './engine.ts'

type Register = Partial<RequestPayload<'Register'>>

const bytes = Uint8Array.from({ length: 16 }, (_, at) => at)
const mask: AttributeInstance = { tag: 'CryptographicUsageMask', value: 12 }
const inClear = (KeyMaterial: unknown, Attributes?: AttributeInstance[]) => ({
  type: 'Structure' as const,
  value: { KeyMaterial, Attributes },
})
const aes = { CryptographicAlgorithm: 'AES', CryptographicLength: 128 } as const

const objects: Record<string, Register> = {
  'a raw key': {
    ObjectType: 'SymmetricKey',
    SymmetricKey: { KeyBlock: { KeyFormatType: 'Raw', KeyValue: inClear(bytes), ...aes } },
    Attributes: [mask],
  },
  'a transparent key': {
    ObjectType: 'SymmetricKey',
    SymmetricKey: {
      KeyBlock: {
        KeyFormatType: 'TransparentSymmetricKey',
        KeyValue: inClear({ Key: bytes }),
        ...aes,
      },
    },
    Attributes: [mask],
  },
  'a password': {
    ObjectType: 'SecretData',
    SecretData: {
      SecretDataType: 'Password',
      KeyBlock: { KeyFormatType: 'Opaque', KeyValue: inClear(bytes) },
    },
    Attributes: [],
  },
  'a seed of 96 bytes': {
    ObjectType: 'SecretData',
    SecretData: {
      SecretDataType: 'Seed',
      KeyBlock: { KeyFormatType: 'Raw', KeyValue: inClear(new Uint8Array(96).fill(7)) },
    },
    Attributes: [mask],
  },
  'an opaque object': {
    ObjectType: 'OpaqueObject',
    OpaqueObject: { OpaqueDataType: 0x80123456, OpaqueDataValue: bytes },
    Attributes: [],
  },
}

/** What is there without what decoding adds. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, one: unknown) =>
      one instanceof Uint8Array ? Buffer.from(one).toString('hex') : one,
    ).replaceAll(/,"Attributes":\[\]/gu, ''),
  )

describe.each(everyVersion)('KMIP %s', (as) => {
  test.each(Object.keys(objects))('%s comes back as it was registered', async (kind) => {
    const engine = await testEngine()
    const object = objects[kind]!
    const made = await engine.call(as, 'Register', object)
    const got = await engine.call(as, 'Get', made)
    const field = object.ObjectType as 'SymmetricKey'
    expect(got.ObjectType).toBe(field)
    expect(plain(got[field])).toEqual(plain(object[field]))
    // Another version gets the same object.
    for (const other of everyVersion)
      expect(plain((await engine.call(other, 'Get', made))[field])).toEqual(plain(object[field]))
  })

  test('the digest is that of the bytes', async () => {
    const engine = await testEngine()
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    for (const [kind, format] of [
      ['a raw key', 'Raw'],
      ['a transparent key', 'Raw'],
      ['a password', 'Opaque'],
      ['an opaque object', undefined],
    ] as const) {
      const { UniqueIdentifier } = await engine.call(as, 'Register', objects[kind]!)
      expect(await engine.attribute(as, UniqueIdentifier, 'Digest')).toEqual([
        {
          HashingAlgorithm: 'SHA_256',
          DigestValue: digest,
          ...(format !== undefined && as !== '1.0' && { KeyFormatType: format }),
        },
      ])
    }
  })

  test('algorithm and length come from the Key Block or from the attributes', async () => {
    const engine = await testEngine()
    const KeyBlock = { KeyFormatType: 'Raw' as const, KeyValue: inClear(bytes) }
    const { UniqueIdentifier: id } = await engine.call(as, 'Register', {
      ObjectType: 'SymmetricKey',
      SymmetricKey: { KeyBlock },
      Attributes: [
        mask,
        { tag: 'CryptographicAlgorithm', value: 'AES' },
        { tag: 'CryptographicLength', value: 128 },
      ],
    })
    const other = await engine.call(as, 'Register', objects['a raw key']!)
    for (const one of [id, other.UniqueIdentifier]) {
      expect(await engine.attribute(as, one, 'CryptographicAlgorithm')).toEqual(['AES'])
      expect(await engine.attribute(as, one, 'CryptographicLength')).toEqual([128])
    }
  })

  test('attributes inside the Key Value stay there, as far as a version can say them', async () => {
    const engine = await testEngine()
    const inside: AttributeInstance[] = [
      { tag: 'CryptographicUsageMask', value: 0x4c },
      { tag: 'ContactInformation', value: 'somebody' },
    ]
    const KeyBlock = { KeyFormatType: 'Raw' as const, KeyValue: inClear(bytes, inside), ...aes }
    if (isLate(as)) inside[0]!.value = 0x0c
    const request = { ObjectType: 'SymmetricKey' as const, SymmetricKey: { KeyBlock } }
    const made = await engine.call(as, 'Register', { ...request, Attributes: [mask] })
    for (const other of everyVersion) {
      const { SymmetricKey } = await engine.call(other, 'Get', made)
      const { KeyValue } = SymmetricKey!.KeyBlock
      expect(KeyValue!.type === 'Structure' && KeyValue!.value.Attributes).toEqual([
        { tag: 'CryptographicUsageMask', value: 0x0c },
        { tag: 'ContactInformation', value: 'somebody' },
      ])
    }
    expect(await engine.attribute(as, made.UniqueIdentifier, 'ContactInformation')).toEqual([])
  })
})

test('dates and freshness that the client knows of are kept', async () => {
  const engine = await testEngine()
  const { UniqueIdentifier: id } = await engine.call('1.4', 'Register', {
    ...objects['a raw key'],
    Attributes: [
      mask,
      { tag: 'OriginalCreationDate', value: 2520n },
      { tag: 'Fresh', value: false },
      { tag: 'RandomNumberGenerator', value: { RNGAlgorithm: 'ANSIX9_31' } },
      { tag: 'DeactivationDate', value: started + 5n },
      { tag: 'ActivationDate', value: -5n },
    ],
  })
  expect(await engine.attribute('1.4', id, 'OriginalCreationDate')).toEqual([2520n])
  expect(await engine.attribute('1.4', id, 'Fresh')).toEqual([false])
  expect(await engine.attribute('1.4', id, 'State')).toEqual(['Active'])
  expect(await engine.attribute('1.4', id, 'RandomNumberGenerator')).toEqual([
    { RNGAlgorithm: 'ANSIX9_31' },
  ])
})

test('what only a making server knows is not set on a registered key', async () => {
  const engine = await testEngine()
  const { UniqueIdentifier: id } = await engine.call('2.1', 'Register', objects['a raw key']!)
  expect(await engine.attribute('2.1', id, 'OriginalCreationDate')).toEqual([])
  expect(await engine.attribute('2.1', id, 'RandomNumberGenerator')).toEqual([])
})

test.each(['1.2', '1.3', '1.4', '2.0', '2.1'] as const)(
  'in %s a key whose value is elsewhere is kept without it (TC-MDO)',
  async (as) => {
    const engine = await testEngine()
    const location = { KeyValueLocationValue: 'HSM', KeyValueLocationType: 'URI' }
    const made = await engine.call(as, 'Register', {
      ObjectType: 'SymmetricKey',
      SymmetricKey: { KeyBlock: { KeyFormatType: 'Raw', ...aes } },
      Attributes: [mask, { tag: 'KeyValueLocation', value: location }],
    })
    const id = made.UniqueIdentifier
    expect((await engine.call(as, 'Get', made)).SymmetricKey).toEqual({
      KeyBlock: { KeyFormatType: 'Raw', ...aes },
    })
    expect(await engine.attribute(as, id, 'KeyValuePresent')).toEqual([false])
    expect(await engine.attribute(as, id, 'Digest')).toEqual([])
    await engine.key(as, 'present')
    const absent = { tag: 'KeyValuePresent' as const, value: false }
    const { UniqueIdentifier } = await engine.call(as, 'Locate', { Attributes: [absent] })
    expect(UniqueIdentifier).toEqual([id])
  },
)

test('a tape library registers symmetric keys with application information like created ones', async () => {
  const engine = await testEngine()
  const Attributes = tapeKey('A').filter(({ tag }) => tag !== 'CryptographicLength')
  const key = { ...objects['a raw key'], Attributes }
  const { UniqueIdentifier } = await engine.call('1.0', 'Register', key)
  const located = await engine.call('1.0', 'Locate', { Attributes: [tapeKey('A')[4]!] })
  expect(located.UniqueIdentifier).toEqual([UniqueIdentifier])
})
