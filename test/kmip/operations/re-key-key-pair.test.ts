// Re-key Key Pair: a new pair in the place of an old one, in the versions that have it.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, isLate, started, testEngine, type TestEngine } from './engine.ts'
import { contact, describeRefusals, name, type Row } from './refusals.ts'

const since11 = (as: VersionText) => as >= '1.1'
const date = (
  tag: 'ActivationDate' | 'DeactivationDate' | 'ProtectStopDate',
  value: bigint,
): AttributeInstance => ({ tag, value })
const mask = (value: number): AttributeInstance => ({ tag: 'CryptographicUsageMask', value })
const p256: AttributeInstance[] = [
  { tag: 'CryptographicAlgorithm', value: 'ECDSA' },
  { tag: 'CryptographicDomainParameters', value: { RecommendedCurve: 'P_256' } },
]

/** Identifiers of a new pair, private key first. */
async function pair(
  engine: TestEngine,
  as: VersionText,
  ...more: AttributeInstance[]
): Promise<[string, string]> {
  const made = await engine.call(as, 'CreateKeyPair', {
    CommonAttributes: [...p256, ...more],
    PrivateKeyAttributes: [mask(1), name('private A')],
    PublicKeyAttributes: [mask(2), name('public A')],
  })
  return [made.PrivateKeyUniqueIdentifier, made.PublicKeyUniqueIdentifier]
}

async function reKeyed(
  engine: TestEngine,
  as: VersionText,
  PrivateKeyUniqueIdentifier: string,
  more: object = {},
): Promise<[string, string]> {
  const request = { PrivateKeyUniqueIdentifier, ...more }
  const made = await engine.call(as, 'ReKeyKeyPair', request)
  return [made.PrivateKeyUniqueIdentifier, made.PublicKeyUniqueIdentifier]
}

const to = (LinkType: string, LinkedObjectIdentifier: string) => ({
  LinkType,
  LinkedObjectIdentifier,
})

describe.each(everyVersion.filter(since11))('KMIP %s', (as) => {
  test('each half takes over attributes and Name of the old one, with a key of its own', async () => {
    const engine = await testEngine()
    const old = await pair(engine, as, contact, date('ActivationDate', started - 50n))
    engine.time.seconds += 10n
    const made = await reKeyed(engine, as, old[0])
    for (const [at, half] of made.entries()) {
      const before = old[at]!
      for (const tag of [
        'ObjectType',
        'CryptographicAlgorithm',
        'CryptographicLength',
        'CryptographicDomainParameters',
        'CryptographicUsageMask',
        'ContactInformation',
        'ActivationDate',
      ] as const)
        expect(await engine.attribute(as, half, tag), tag).toEqual(
          await engine.attribute(as, before, tag),
        )
      const told = at === 0 ? 'private A' : 'public A'
      expect(await engine.attribute(as, half, 'Name')).toEqual([name(told).value])
      expect(await engine.attribute(as, before, 'Name')).toEqual([])
      expect(await engine.attribute(as, half, 'InitialDate')).toEqual([started + 10n])
      expect(await engine.attribute(as, before, 'LastChangeDate')).toEqual([started + 10n])
      expect(await engine.attribute(as, half, 'Digest')).not.toEqual(
        await engine.attribute(as, before, 'Digest'),
      )
      await engine.call(as, 'Get', { UniqueIdentifier: half })
    }
  })

  test('all four keys are linked', async () => {
    const engine = await testEngine()
    const [oldPrivate, oldPublic] = await pair(engine, as)
    const [privateKey, publicKey] = await reKeyed(engine, as, oldPrivate)
    const links = (id: string) => engine.attribute(as, id, 'Link')
    expect(await links(oldPrivate)).toEqual([
      to('PublicKeyLink', oldPublic),
      to('ReplacementObjectLink', privateKey),
    ])
    expect(await links(oldPublic)).toEqual([
      to('PrivateKeyLink', oldPrivate),
      to('ReplacementObjectLink', publicKey),
    ])
    expect(await links(privateKey)).toEqual([
      to('PublicKeyLink', publicKey),
      to('ReplacedObjectLink', oldPrivate),
    ])
    expect(await links(publicKey)).toEqual([
      to('PrivateKeyLink', privateKey),
      to('ReplacedObjectLink', oldPublic),
    ])
  })

  test('an Offset shifts the dates of both halves', async () => {
    const engine = await testEngine()
    const dates = [date('ActivationDate', started - 100n), date('DeactivationDate', started + 900n)]
    const old = await pair(engine, as, ...dates)
    engine.time.seconds += 2000n
    for (const half of await reKeyed(engine, as, old[0], { Offset: 60 })) {
      expect(await engine.attribute(as, half, 'State')).toEqual(['PreActive'])
      expect(await engine.attribute(as, half, 'ActivationDate')).toEqual([started + 2060n])
      expect(await engine.attribute(as, half, 'DeactivationDate')).toEqual([started + 3060n])
    }
    expect(await engine.attribute(as, old[0], 'State')).toEqual(['Deactivated'])
  })

  test('attributes of the request are for both halves, or for one', async () => {
    const engine = await testEngine()
    const old = await pair(engine, as, contact)
    const [privateKey, publicKey] = await reKeyed(engine, as, old[0], {
      CommonAttributes: [{ tag: 'ContactInformation', value: 'both' }],
      PrivateKeyAttributes: [name('second')],
      PublicKeyAttributes: [{ tag: 'ContactInformation', value: 'public' }],
    })
    expect(await engine.attribute(as, privateKey, 'ContactInformation')).toEqual(['both'])
    expect(await engine.attribute(as, publicKey, 'ContactInformation')).toEqual(['public'])
    expect(await engine.attribute(as, privateKey, 'Name')).toEqual([
      name('private A').value,
      name('second').value,
    ])
  })

  test('the batch goes on with the new private key, which is re-keyed in turn', async () => {
    const engine = await testEngine()
    const [old] = await pair(engine, as)
    const items = await engine.batch(as, [
      ['ReKeyKeyPair', { PrivateKeyUniqueIdentifier: old }],
      ['ReKeyKeyPair', {}],
      ['GetAttributes', { AttributeReference: [{ tag: 'ObjectType' }] }],
    ])
    expect(items.map(({ ResultStatus }) => ResultStatus)).toEqual(Array(3).fill('Success'))
    const [, second, shown] = items.map(({ ResponsePayload }) => ResponsePayload)
    const { PrivateKeyUniqueIdentifier } = second as { PrivateKeyUniqueIdentifier: string }
    expect(shown).toMatchObject({ UniqueIdentifier: PrivateKeyUniqueIdentifier })
  })

  test('a refused re-key leaves both halves as they were', async () => {
    const engine = await testEngine()
    const old = await pair(engine, as)
    await engine.key(as, 'B')
    const request = {
      PrivateKeyUniqueIdentifier: old[0],
      PublicKeyAttributes: [name('name of B')],
    }
    const reason = isLate(as) ? 'NonUniqueNameAttribute' : 'InvalidField'
    expect(await engine.refused(as, 'ReKeyKeyPair', request)).toBe(reason)
    for (const half of old) {
      expect(await engine.attribute(as, half, 'Name')).toHaveLength(1)
      expect(await engine.attribute(as, half, 'Link')).toHaveLength(1)
    }
    await reKeyed(engine, as, old[0])
  })

  test('the record names the new pair and the old private key', async () => {
    const engine = await testEngine()
    const [old] = await pair(engine, as)
    const [privateKey, publicKey] = await reKeyed(engine, as, old)
    expect((await engine.audited()).at(-1)).toMatchObject({
      operation: 'ReKeyKeyPair',
      object: privateKey,
      details: { replaced: old, publicKey },
    })
  })
})

const rows: Row[] = [
  [
    'a key that is not there',
    () => ['ReKeyKeyPair', { PrivateKeyUniqueIdentifier: 'none' }],
    'ItemNotFound',
    'ObjectNotFound',
    since11,
  ],
  [
    'a symmetric key',
    async (engine, as) => [
      'ReKeyKeyPair',
      { PrivateKeyUniqueIdentifier: await engine.key(as, 'A') },
    ],
    'PermissionDenied',
    'InvalidObjectType',
    since11,
  ],
  [
    'a public key',
    async (engine, as) => [
      'ReKeyKeyPair',
      { PrivateKeyUniqueIdentifier: (await pair(engine, as))[1] },
    ],
    'PermissionDenied',
    'InvalidObjectType',
    since11,
  ],
  [
    'a pair that has a replacement',
    async (engine, as) => {
      const [PrivateKeyUniqueIdentifier] = await pair(engine, as)
      await reKeyed(engine, as, PrivateKeyUniqueIdentifier)
      return ['ReKeyKeyPair', { PrivateKeyUniqueIdentifier }]
    },
    'PermissionDenied',
    'PermissionDenied',
    since11,
  ],
  [
    'a pair whose public key is destroyed',
    async (engine, as) => {
      const [PrivateKeyUniqueIdentifier, UniqueIdentifier] = await pair(engine, as)
      await engine.call(as, 'Destroy', { UniqueIdentifier })
      return ['ReKeyKeyPair', { PrivateKeyUniqueIdentifier }]
    },
    'PermissionDenied',
    'PermissionDenied',
    since11,
  ],
  [
    'a private key without a public one',
    async (engine, as) => {
      const [UniqueIdentifier] = await pair(engine, as)
      const AttributeReference = { tag: 'Link' } as const
      await engine.call(as, 'DeleteAttribute', { UniqueIdentifier, AttributeReference })
      return ['ReKeyKeyPair', { PrivateKeyUniqueIdentifier: UniqueIdentifier }]
    },
    'PermissionDenied',
    'PermissionDenied',
    since11,
  ],
  [
    'an archived pair',
    async (engine, as) => {
      const [PrivateKeyUniqueIdentifier, UniqueIdentifier] = await pair(engine, as)
      await engine.call(as, 'Archive', { UniqueIdentifier })
      return ['ReKeyKeyPair', { PrivateKeyUniqueIdentifier }]
    },
    'ObjectArchived',
    'ObjectArchived',
    since11,
  ],
  [
    'an Offset beside dates',
    async (engine, as) => [
      'ReKeyKeyPair',
      {
        PrivateKeyUniqueIdentifier: (await pair(engine, as))[0],
        Offset: 5,
        CommonAttributes: [date('ActivationDate', started)],
      },
    ],
    'InvalidMessage',
    'InvalidMessage',
    since11,
  ],
  [
    'an Offset for dates without an Activation Date',
    async (engine, as) => [
      'ReKeyKeyPair',
      {
        PrivateKeyUniqueIdentifier: (
          await pair(engine, as, date('DeactivationDate', started + 50n))
        )[0],
        Offset: 5,
      },
    ],
    'IllegalOperation',
    'InvalidField',
    since11,
  ],
]

describeRefusals('Re-key Key Pair', rows)
