// Create Key Pair: two keys that fit, with attributes, links and formats of their own.
import { describe, expect, test } from 'vitest'
import { readPrivateKey, readPublicKey } from '../../../src/crypto/key-formats.ts'
import { isPair } from '../../../src/crypto/key-formats/asymmetric-key.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { KeyBlock } from '../../../src/kmip/model/objects.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { everyVersion, isLate, testEngine, type TestEngine } from './engine.ts'
import { describeRefusals, early, type Row } from './refusals.ts'

type Request = Partial<RequestPayload<'CreateKeyPair'>>

const algorithm = (value: string): AttributeInstance => ({ tag: 'CryptographicAlgorithm', value })
const length = (value: number): AttributeInstance => ({ tag: 'CryptographicLength', value })
const mask = (value: number): AttributeInstance => ({ tag: 'CryptographicUsageMask', value })
const named = (NameValue: string): AttributeInstance => ({
  tag: 'Name',
  value: { NameValue, NameType: 'UninterpretedTextString' },
})
const curve = (RecommendedCurve: string): AttributeInstance => ({
  tag: 'CryptographicDomainParameters',
  value: { RecommendedCurve },
})

const asked = (...CommonAttributes: AttributeInstance[]): Request => ({
  CommonAttributes,
  PrivateKeyAttributes: [mask(1)],
  PublicKeyAttributes: [mask(2)],
})
const p256 = asked(algorithm('ECDSA'), curve('P_256'))

async function keysOf(engine: TestEngine, as: (typeof everyVersion)[number], request: Request) {
  const made = await engine.call(as, 'CreateKeyPair', request)
  const block = async (UniqueIdentifier: string, type: 'PrivateKey' | 'PublicKey') => {
    const got = await engine.call(as, 'Get', { UniqueIdentifier })
    const { KeyBlock } = got[type]!
    const { KeyValue } = KeyBlock
    const material = KeyValue?.type === 'Structure' ? KeyValue.value.KeyMaterial : undefined
    return [KeyBlock, material] as const
  }
  const [privateBlock, secret] = await block(made.PrivateKeyUniqueIdentifier, 'PrivateKey')
  const [publicBlock, open] = await block(made.PublicKeyUniqueIdentifier, 'PublicKey')
  const hints = (KeyBlock: KeyBlock) => ({ algorithm: KeyBlock.CryptographicAlgorithm })
  const key = readPrivateKey(privateBlock.KeyFormatType, secret, hints(privateBlock))
  expect(isPair(readPublicKey(publicBlock.KeyFormatType, open, hints(publicBlock)), key)).toBe(true)
  return { made, key, privateBlock, publicBlock }
}

describe.each(everyVersion)('KMIP %s', (as) => {
  test('makes two keys that fit, linked to each other', async () => {
    const engine = await testEngine()
    const { made, key } = await keysOf(engine, as, p256)
    expect(key).toMatchObject({ algorithm: 'EC', recommendedCurve: 'P_256' })
    const { PrivateKeyUniqueIdentifier: one, PublicKeyUniqueIdentifier: other } = made
    expect(await engine.attribute(as, one, 'Link')).toEqual([
      { LinkType: 'PublicKeyLink', LinkedObjectIdentifier: other },
    ])
    expect(await engine.attribute(as, other, 'Link')).toEqual([
      { LinkType: 'PrivateKeyLink', LinkedObjectIdentifier: one },
    ])
    for (const [id, type, usage] of [
      [one, 'PrivateKey', 1],
      [other, 'PublicKey', 2],
    ] as const) {
      expect(await engine.attribute(as, id, 'ObjectType')).toEqual([type])
      expect(await engine.attribute(as, id, 'CryptographicUsageMask')).toEqual([usage])
      expect(await engine.attribute(as, id, 'CryptographicAlgorithm')).toEqual(['ECDSA'])
      expect(await engine.attribute(as, id, 'CryptographicLength')).toEqual([256])
      expect(await engine.attribute(as, id, 'State')).toEqual(['PreActive'])
      expect(await engine.attribute(as, id, 'Digest')).toHaveLength(1)
    }
  })

  test('an RSA pair leaves as PKCS#1 and has a record of who asked', async () => {
    const engine = await testEngine()
    await engine.policy('short=allow')
    const rsa = asked(algorithm('RSA'), length(1024))
    const { key, made, privateBlock, publicBlock } = await keysOf(engine, as, rsa)
    expect(key).toMatchObject({ algorithm: 'RSA', length: 1024 })
    expect([privateBlock.KeyFormatType, publicBlock.KeyFormatType]).toEqual(['PKCS_1', 'PKCS_1'])
    const entry = (await engine.audited()).find(({ operation }) => operation === 'CreateKeyPair')
    expect(entry).toMatchObject({
      object: made.PrivateKeyUniqueIdentifier,
      details: { publicKey: made.PublicKeyUniqueIdentifier },
      outcome: 'Success',
    })
  })

  test('own attributes win over common ones; those with several values are united', async () => {
    const engine = await testEngine()
    const contact = (value: string) => ({ tag: 'ContactInformation' as const, value })
    const group = (value: string) => ({ tag: 'ObjectGroup' as const, value })
    const made = await engine.call(as, 'CreateKeyPair', {
      CommonAttributes: [...p256.CommonAttributes!, contact('all'), group('both')],
      PrivateKeyAttributes: [mask(1), contact('one'), group('secret'), named('secret half')],
      PublicKeyAttributes: [mask(2), named('open half')],
    })
    const { PrivateKeyUniqueIdentifier: one, PublicKeyUniqueIdentifier: other } = made
    expect(await engine.attribute(as, one, 'ContactInformation')).toEqual(['one'])
    expect(await engine.attribute(as, other, 'ContactInformation')).toEqual(['all'])
    expect(await engine.attribute(as, one, 'ObjectGroup')).toEqual(['both', 'secret'])
    expect(await engine.attribute(as, other, 'ObjectGroup')).toEqual(['both'])
    const Attributes = [named('open half')]
    const found = await engine.call(as, 'Locate', { Attributes })
    expect(found.UniqueIdentifier).toEqual([other])
  })

  test('the ID Placeholder is the private key', async () => {
    const engine = await testEngine()
    const [made, got] = await engine.batch(as, [
      ['CreateKeyPair', p256],
      ['GetAttributes', { AttributeReference: [{ tag: 'ObjectType' }] }],
    ])
    expect(got?.ResponsePayload).toMatchObject({
      UniqueIdentifier: (made?.ResponsePayload as { PrivateKeyUniqueIdentifier: string })
        .PrivateKeyUniqueIdentifier,
    })
  })

  test('a pair that is taken back leaves nothing', async () => {
    const engine = await testEngine()
    const header = { BatchErrorContinuationOption: 'Undo' as const }
    const asks = [['CreateKeyPair', p256] as const, ['Get', { UniqueIdentifier: 'none' }] as const]
    await engine.batch(as, asks as never, header)
    expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([])
  })
})

test.each([
  ['RSA', [algorithm('RSA')], { algorithm: 'RSA', length: 2048 }],
  ['DSA', [algorithm('DSA'), length(1024)], { algorithm: 'DSA', length: 1024 }],
  ['DH', [algorithm('DH'), length(2048)], { algorithm: 'DH', length: 2048 }],
  ['a curve of its length', [algorithm('EC'), length(384)], { recommendedCurve: 'P_384' }],
  ['X25519', [algorithm('ECDH'), curve('CURVE25519')], { recommendedCurve: 'CURVE25519' }],
  ['Ed25519', [algorithm('Ed25519')], { algorithm: 'Ed25519' }],
  ['Ed448', [algorithm('Ed448')], { algorithm: 'Ed448' }],
])('a pair of %s is made', async (_, common, facts) => {
  const engine = await testEngine()
  await engine.policy('short=allow')
  const { key } = await keysOf(engine, '2.1', asked(...common))
  expect(key).toMatchObject(facts)
})

test('a Qlength that is that of the curve changes nothing', async () => {
  const engine = await testEngine()
  const value = { RecommendedCurve: 'P_256', Qlength: 256 }
  const domain: AttributeInstance = { tag: 'CryptographicDomainParameters', value }
  const { key, made } = await keysOf(engine, '1.4', asked(algorithm('EC'), domain))
  expect(key).toMatchObject({ recommendedCurve: 'P_256' })
  const id = made.PublicKeyUniqueIdentifier
  expect(await engine.attribute('1.4', id, 'CryptographicDomainParameters')).toEqual([value])
})

test('a server in test mode makes the short keys of published cases', async () => {
  const engine = await testEngine()
  engine.responder.facts.testingSince = 0n
  const { key } = await keysOf(engine, '1.0', asked(algorithm('RSA'), length(1024)))
  expect(key).toMatchObject({ algorithm: 'RSA', length: 1024 })
})

test('a pair is made in the formats asked for, with digests of both', async () => {
  const engine = await testEngine()
  const format = (value: string): AttributeInstance => ({ tag: 'KeyFormatType', value })
  const { made, privateBlock, publicBlock } = await keysOf(engine, '2.1', {
    ...p256,
    PrivateKeyAttributes: [mask(1), format('PKCS_8')],
    PublicKeyAttributes: [mask(2), format('X_509')],
  })
  expect([privateBlock.KeyFormatType, publicBlock.KeyFormatType]).toEqual(['PKCS_8', 'X_509'])
  const digests = await engine.attribute('2.1', made.PrivateKeyUniqueIdentifier, 'Digest')
  expect(digests).toMatchObject([
    { KeyFormatType: 'PKCS_8' },
    { KeyFormatType: 'TransparentECPrivateKey' },
  ])
})

test('without words about use a 2.x pair does what its algorithm does', async () => {
  const engine = await testEngine()
  const made = await engine.call('2.1', 'CreateKeyPair', {
    CommonAttributes: [algorithm('Ed25519')],
  })
  const usage = (id: string) => engine.attribute('2.1', id, 'CryptographicUsageMask')
  expect(await usage(made.PrivateKeyUniqueIdentifier)).toEqual([1])
  expect(await usage(made.PublicKeyUniqueIdentifier)).toEqual([2])
})

test('each half of a pair can be named in the same batch, and not both at once', async () => {
  const engine = await testEngine()
  const of = (placeholder: string) =>
    [
      'GetAttributes',
      { UniqueIdentifier: { placeholder }, AttributeReference: [{ tag: 'ObjectType' }] },
    ] as never
  const [, ...answers] = await engine.batch('2.1', [
    ['CreateKeyPair', p256],
    of('CreateKeyPairPrivateKey'),
    of('CreateKeyPairPublicKey'),
    of('CreateKeyPair'),
  ])
  expect(answers.pop()).toMatchObject({ ResultReason: 'FeatureNotSupported' })
  const types = answers.map(
    ({ ResponsePayload }) =>
      (ResponsePayload as { Attributes: AttributeInstance[] }).Attributes[0]?.value,
  )
  expect(types).toEqual(['PrivateKey', 'PublicKey'])
})

const pair = (request: Request) => ['CreateKeyPair', request] as const as never

const rows: Row[] = [
  [
    'RSA below 2048 bits',
    () => pair(asked(algorithm('RSA'), length(1024))),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'RSA beyond what is made',
    () => pair(asked(algorithm('RSA'), length(1 << 20))),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'an algorithm of symmetric keys',
    () => pair(asked(algorithm('AES'), length(256))),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'a curve of another length than asked for',
    () => pair(asked(algorithm('ECDSA'), curve('P_256'), length(384))),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'a Qlength that is not that of the curve',
    () => {
      const value = { RecommendedCurve: 'P_256', Qlength: 384 }
      const domain: AttributeInstance = { tag: 'CryptographicDomainParameters', value }
      return pair(asked(algorithm('ECDSA'), domain))
    },
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'halves of two lengths',
    () =>
      pair({
        CommonAttributes: [algorithm('RSA')],
        PrivateKeyAttributes: [mask(1), length(2048)],
        PublicKeyAttributes: [mask(2), length(3072)],
      }),
    'InvalidField',
    'InvalidField',
  ],
  [
    'two halves with one Name',
    () => pair(asked(...p256.CommonAttributes!, named('both'))),
    'InvalidField',
    'NonUniqueNameAttribute',
  ],
  ['no algorithm', () => pair(asked(length(2048))), 'InvalidField', undefined, early],
  [
    'no usage mask for the public key',
    () => pair({ ...p256, PublicKeyAttributes: [] }),
    'InvalidField',
    undefined,
    (as) => as < '1.4',
  ],
  [
    'an attribute that the server sets',
    () => pair(asked(...p256.CommonAttributes!, { tag: 'State', value: 'Active' })),
    'PermissionDenied',
    'ReadOnlyAttribute',
  ],
  [
    'a format that the private key does not have',
    () => pair({ ...p256, PrivateKeyAttributes: [{ tag: 'KeyFormatType', value: 'PKCS_1' }] }),
    '',
    'InvalidAttributeValue',
    isLate,
  ],
  [
    'storage of the public key that is not there',
    () => pair({ ...p256, PublicProtectionStorageMasks: { ProtectionStorageMask: [2] } }),
    '',
    'PublicProtectionStorageUnavailable',
    isLate,
  ],
]

describeRefusals('Create Key Pair', rows)

test('a curve key made as EC is one of ECDSA for the versions without that word', async () => {
  const engine = await testEngine()
  const { PublicKeyUniqueIdentifier: id } = await engine.call('1.4', 'CreateKeyPair', {
    CommonAttributes: [{ tag: 'CryptographicAlgorithm', value: 'EC' }],
    PrivateKeyAttributes: [{ tag: 'CryptographicUsageMask', value: 1 }],
    PublicKeyAttributes: [{ tag: 'CryptographicUsageMask', value: 2 }],
  })
  for (const as of everyVersion) {
    const called = as < '1.2' ? 'ECDSA' : 'EC'
    expect(await engine.attribute(as, id, 'CryptographicAlgorithm')).toEqual([called])
    const { PublicKey } = await engine.call(as, 'Get', { UniqueIdentifier: id })
    expect(PublicKey!.KeyBlock.CryptographicAlgorithm).toBe(called)
  }
})
