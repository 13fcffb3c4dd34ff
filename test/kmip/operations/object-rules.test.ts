// Set Constraints, Get Constraints, Set Defaults: what a group asks of its new objects – KMIP 2.1 §6.1.22,
// §6.1.52, §6.1.53, §7.6, §7.22.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { everyVersion, isLate, principal, tapeKey, testEngine, type TestEngine } from './engine.ts'
import { contact, custom, describeRefusals, key, mask, name, register, secret } from './refusals.ts'

type Constraint = RequestPayload<'SetConstraints'>['Constraints']['Constraint'][number]
type Defaults = NonNullable<RequestPayload<'SetDefaults'>['DefaultsInformation']>['ObjectDefaults']

const algorithm = (value: string): AttributeInstance => ({ tag: 'CryptographicAlgorithm', value })
const length = (value: number): AttributeInstance => ({ tag: 'CryptographicLength', value })
const usage = (value: number): AttributeInstance => ({ tag: 'CryptographicUsageMask', value })
const inGroup = (value: string): AttributeInstance => ({ tag: 'ObjectGroup', value })

const constrain = (engine: TestEngine, ...Constraint: Constraint[]) =>
  engine.call('2.1', 'SetConstraints', { Constraints: { Constraint } })
const preset = (engine: TestEngine, ...ObjectDefaults: Defaults) =>
  engine.call('2.1', 'SetDefaults', { DefaultsInformation: { ObjectDefaults } })

const tape = principal({ name: 'tape', profile: 'tape-library' })
const violated = (as: VersionText) => (as === '2.1' ? 'ConstraintViolation' : 'PermissionDenied')
const symmetric = (...Attributes: AttributeInstance[]) =>
  ({ ObjectType: 'SymmetricKey', Attributes }) as const
const aes = (bits: number, ...more: AttributeInstance[]) =>
  symmetric(algorithm('AES'), length(bits), mask, ...more)

const strong: Constraint = {
  ObjectTypes: { ObjectType: ['SymmetricKey'] },
  Attributes: [algorithm('AES'), length(256)],
}

describe.each(everyVersion)('KMIP %s: constraints', (as) => {
  test('an object that violates one is not made, whichever version asks', async () => {
    const engine = await testEngine()
    await constrain(engine, strong)
    expect(await engine.refused(as, 'Create', aes(128))).toBe(violated(as))
    const [, brought] = register('SymmetricKey', { SymmetricKey: key(16) }, mask)
    expect(await engine.refused(as, 'Register', brought as never)).toBe(violated(as))
    expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([])
    await engine.call(as, 'Create', aes(256))
    const [, other] = register('SecretData', { SecretData: secret('Raw') }, mask)
    await engine.call(as, 'Register', other as never)
  })

  test('a tape library gets its keys whatever an application has set', async () => {
    const engine = await testEngine()
    await constrain(engine, { Attributes: [length(128)] })
    await engine.call(as, 'Create', symmetric(...tapeKey('A1')), tape)
    expect(await engine.refused(as, 'Create', symmetric(...tapeKey('A2')))).toBe(violated(as))
  })
})

describe('constraints', () => {
  test('are told as they were set, and none when none were', async () => {
    const engine = await testEngine()
    const none = { Constraints: { Constraint: [] } }
    expect(await engine.call('2.1', 'GetConstraints', {})).toEqual(none)
    const all: Constraint[] = [
      strong,
      { ObjectGroups: { ObjectGroup: ['vault'] }, Attributes: [contact, custom('acme', 'level')] },
      { Attributes: [] },
    ]
    expect(await constrain(engine, ...all)).toEqual({})
    const set = { Constraints: { Constraint: all } }
    expect(await engine.call('2.1', 'GetConstraints', {})).toEqual(set)
    const other = principal({ name: 'gamma', group: 'other' })
    expect(await engine.call('2.1', 'GetConstraints', {}, other)).toEqual(none)
    expect((await engine.audited()).at(-1)).toMatchObject({
      operation: 'SetConstraints',
      outcome: 'Success',
      details: { entries: 3, attributes: expect.arrayContaining(['Contact Information']) },
    })
    await constrain(engine)
    expect(await engine.call('2.1', 'GetConstraints', {})).toEqual(none)
    await engine.call('2.1', 'Create', aes(128))
  })

  test('several values of an attribute are alternatives, a usage mask is the most that is allowed', async () => {
    const engine = await testEngine()
    await constrain(engine, { Attributes: [length(192), length(256), usage(12)] })
    for (const bits of [192, 256]) await engine.call('2.1', 'Create', aes(bits))
    expect(await engine.refused('2.1', 'Create', aes(128))).toBe('ConstraintViolation')
    const encrypts = symmetric(algorithm('AES'), length(256), usage(4))
    await engine.call('2.1', 'Create', encrypts)
    const wraps = symmetric(algorithm('AES'), length(256), usage(28))
    expect(await engine.refused('2.1', 'Create', wraps)).toBe('ConstraintViolation')
  })

  test('every one counts that is for the groups of the object', async () => {
    const engine = await testEngine()
    const vault = { ObjectGroups: { ObjectGroup: ['vault'] } }
    await constrain(engine, { ...vault, Attributes: [contact] }, { Attributes: [length(256)] })
    await engine.call('2.1', 'Create', aes(256))
    const inVault = (...more: AttributeInstance[]) => aes(256, inGroup('vault'), ...more)
    expect(await engine.refused('2.1', 'Create', inVault())).toBe('ConstraintViolation')
    await engine.call('2.1', 'Create', inVault(contact))
  })

  test('neither half of a key pair is kept when one violates a constraint', async () => {
    const engine = await testEngine()
    await constrain(engine, { ObjectTypes: { ObjectType: ['PrivateKey'] }, Attributes: [contact] })
    const pair = {
      CommonAttributes: [algorithm('EC'), length(256)],
      PrivateKeyAttributes: [usage(1)],
      PublicKeyAttributes: [usage(2)],
    }
    expect(await engine.refused('2.1', 'CreateKeyPair', pair)).toBe('ConstraintViolation')
    expect((await engine.call('2.1', 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([])
    await engine.call('2.1', 'CreateKeyPair', {
      ...pair,
      PrivateKeyAttributes: [usage(1), contact],
    })
  })

  test('an administrator can hold them fast, or take all of their force away', async () => {
    const engine = await testEngine()
    await constrain(engine, strong)
    for (const rules of ['fixed', 'off']) {
      await engine.policy(`rules=${rules}`)
      const request = { Constraints: { Constraint: [] } }
      expect(await engine.refused('2.1', 'SetConstraints', request)).toBe('PermissionDenied')
      expect(await engine.refused('2.1', 'SetDefaults', {})).toBe('PermissionDenied')
      const { Constraints } = await engine.call('2.1', 'GetConstraints', {})
      expect(Constraints.Constraint).toHaveLength(rules === 'off' ? 0 : 1)
    }
    await engine.call('2.1', 'Create', aes(128))
    await engine.policy('rules=fixed')
    expect(await engine.refused('2.1', 'Create', aes(128))).toBe('ConstraintViolation')
  })

  test('a batch that is undone leaves those of before', async () => {
    const engine = await testEngine()
    await constrain(engine, strong)
    const answers = await engine.batch(
      '2.1',
      [
        ['SetConstraints', { Constraints: { Constraint: [] } }],
        ['Get', { UniqueIdentifier: 'none' }],
      ],
      { BatchErrorContinuationOption: 'Undo' },
    )
    expect(answers[0]).toMatchObject({ ResultStatus: 'OperationUndone' })
    const { Constraints } = await engine.call('2.1', 'GetConstraints', {})
    expect(Constraints.Constraint).toHaveLength(1)
  })
})

const defaultsTold = async (engine: TestEngine, as: VersionText, groups?: string[]) => {
  const { DefaultsInformation } = await engine.call(as, 'Query', {
    QueryFunction: ['QueryDefaultsInformation'],
    ...(groups && { ObjectGroups: { ObjectGroup: groups } }),
  })
  return DefaultsInformation!.ObjectDefaults
}

describe.each<VersionText>(['2.0', '2.1'])('KMIP %s: defaults', (as) => {
  test('fill what the client leaves out, and nothing that it says', async () => {
    const engine = await testEngine()
    const Attributes = [algorithm('AES'), length(192), mask, contact, custom('acme', 'level')]
    await preset(engine, { ObjectType: 'SymmetricKey', Attributes })
    const bare = await engine.call(as, 'Create', symmetric())
    expect(await engine.attribute(as, bare.UniqueIdentifier, 'CryptographicLength')).toEqual([192])
    expect(await engine.attribute(as, bare.UniqueIdentifier, 'ContactInformation')).toEqual([
      'somebody',
    ])
    const own: AttributeInstance = { tag: 'ContactInformation', value: 'me' }
    const said = await engine.call(as, 'Create', symmetric(length(128), own))
    expect(await engine.attribute(as, said.UniqueIdentifier, 'CryptographicLength')).toEqual([128])
    expect(await engine.attribute(as, said.UniqueIdentifier, 'ContactInformation')).toEqual(['me'])
    const other = await engine.call(as, 'Create', symmetric(algorithm('DES3'), mask))
    expect(await engine.attribute(as, other.UniqueIdentifier, 'CryptographicLength')).toEqual([192])
    const chacha = await engine.call(as, 'Create', symmetric(algorithm('ChaCha20'), mask))
    expect(await engine.attribute(as, chacha.UniqueIdentifier, 'CryptographicLength')).toEqual([
      256,
    ])
  })

  test('Query tells those that count: of the server, set, or none at all', async () => {
    const engine = await testEngine()
    const own = await defaultsTold(engine, as)
    expect(own).toHaveLength(1)
    const Attributes = [algorithm('AES'), length(128), mask]
    await preset(engine, { ObjectType: 'SymmetricKey', Attributes })
    expect(await defaultsTold(engine, as)).toEqual([{ ObjectType: 'SymmetricKey', Attributes }])
    await engine.call('2.1', 'SetDefaults', {})
    expect(await defaultsTold(engine, as)).toEqual([])
    expect(await engine.refused(as, 'Create', symmetric(mask))).toBe('InvalidField')
    expect(await engine.refused(as, 'Create', symmetric(algorithm('AES')))).toBe('InvalidField')
    await engine.call(as, 'Create', symmetric(algorithm('AES'), mask))
    await engine.policy('rules=off')
    expect(await defaultsTold(engine, as)).toEqual(own)
    await engine.call(as, 'Create', symmetric())
  })

  test('a tape library has those of the server', async () => {
    const engine = await testEngine()
    await preset(engine, { ObjectType: 'SymmetricKey', Attributes: [length(128), contact] })
    const { UniqueIdentifier } = await engine.call(as, 'Create', symmetric(), tape)
    expect(await engine.attribute(as, UniqueIdentifier, 'CryptographicLength')).toEqual([256])
    expect(await engine.attribute(as, UniqueIdentifier, 'ContactInformation')).toEqual([])
  })

  test('those of an Object Group go before those for all', async () => {
    const engine = await testEngine()
    await preset(
      engine,
      { ObjectType: 'SymmetricKey', Attributes: [algorithm('AES'), length(256), mask, contact] },
      {
        ObjectTypes: { ObjectType: ['SymmetricKey', 'SecretData'] },
        Attributes: [length(128)],
        ObjectGroups: { ObjectGroup: ['short', 'old'] },
      },
    )
    const made = async (...more: AttributeInstance[]) => {
      const { UniqueIdentifier } = await engine.call(as, 'Create', symmetric(...more))
      expect(await engine.attribute(as, UniqueIdentifier, 'ContactInformation')).toHaveLength(1)
      return engine.attribute(as, UniqueIdentifier, 'CryptographicLength')
    }
    expect(await made()).toEqual([256])
    expect(await made(inGroup('old'))).toEqual([128])
    expect(await defaultsTold(engine, as)).toHaveLength(as === '2.1' ? 2 : 1)
    if (as !== '2.1') return
    expect(await defaultsTold(engine, as, ['other'])).toHaveLength(1)
    expect(await defaultsTold(engine, as, ['old'])).toHaveLength(2)
  })

  test('key pairs take them too, of the algorithm that both halves have', async () => {
    const engine = await testEngine()
    const Attributes = [algorithm('RSA'), length(3072)]
    await preset(
      engine,
      { ObjectTypes: { ObjectType: ['PrivateKey', 'PublicKey'] }, Attributes },
      { ObjectType: 'PrivateKey', Attributes: [usage(1)] },
      { ObjectType: 'PublicKey', Attributes: [usage(2)] },
    )
    const curve = await engine.call(as, 'CreateKeyPair', {
      PrivateKeyAttributes: [algorithm('EC'), length(256)],
    })
    const id = curve.PublicKeyUniqueIdentifier
    expect(await engine.attribute(as, id, 'CryptographicAlgorithm')).toEqual(['EC'])
    expect(await engine.attribute(as, id, 'CryptographicUsageMask')).toEqual([2])
    const usual = await engine.call(as, 'CreateKeyPair', {})
    expect(
      await engine.attribute(as, usual.PrivateKeyUniqueIdentifier, 'CryptographicLength'),
    ).toEqual([3072])
  })

  test('an object that is brought keeps what its material says', async () => {
    const engine = await testEngine()
    const Attributes = [algorithm('DES3'), length(192), usage(4), contact]
    await preset(engine, { ObjectType: 'SymmetricKey', Attributes })
    const [, request] = register('SymmetricKey', { SymmetricKey: key(16) })
    const { UniqueIdentifier } = await engine.call(as, 'Register', request as never)
    expect(await engine.attribute(as, UniqueIdentifier, 'CryptographicLength')).toEqual([128])
    expect(await engine.attribute(as, UniqueIdentifier, 'CryptographicUsageMask')).toEqual([4])
    expect(await engine.attribute(as, UniqueIdentifier, 'ContactInformation')).toHaveLength(1)
  })
})

test.each(everyVersion.filter((as) => !isLate(as)))('KMIP %s knows of no defaults', async (as) => {
  const engine = await testEngine()
  await preset(engine, { ObjectType: 'SymmetricKey', Attributes: [algorithm('AES'), mask] })
  expect(await engine.refused(as, 'Create', symmetric(length(128)))).toBe('InvalidField')
})

const only21 = (as: VersionText) => as === '2.1'
const constraining = (one: Constraint) => () =>
  ['SetConstraints', { Constraints: { Constraint: [one] } }] as never
const presetting = (one: Defaults[number]) => () =>
  ['SetDefaults', { DefaultsInformation: { ObjectDefaults: [one] } }] as never

describeRefusals('Set Constraints', [
  [
    'types nobody knows',
    constraining({ ObjectTypes: { ObjectType: [0x77] } }),
    '',
    'InvalidObjectType',
    only21,
  ],
  [
    'an enumeration value nobody knows',
    constraining({ Attributes: [{ tag: 'CryptographicAlgorithm', value: 0x7777 }] }),
    '',
    'InvalidField',
    only21,
  ],
  [
    'attributes of the server',
    constraining({ Attributes: [custom('y', 'secret')] }),
    '',
    'InvalidField',
    only21,
  ],
  [
    'more than it keeps',
    () =>
      [
        'SetConstraints',
        { Constraints: { Constraint: Array.from({ length: 101 }, () => strong) } },
      ] as never,
    '',
    'ServerLimitExceeded',
    only21,
  ],
])

describeRefusals('Set Defaults', [
  ['defaults of no type', presetting({ Attributes: [mask] }), '', 'InvalidField', only21],
  [
    'defaults of types nobody knows',
    presetting({ ObjectType: 0x77, Attributes: [mask] }),
    '',
    'InvalidObjectType',
    only21,
  ],
  [
    'a Name that every object would have',
    presetting({ ObjectType: 'SymmetricKey', Attributes: [name('same')] }),
    '',
    'InvalidField',
    only21,
  ],
  [
    'what the server alone sets',
    presetting({ ObjectType: 'SymmetricKey', Attributes: [{ tag: 'State', value: 'Active' }] }),
    '',
    'InvalidField',
    only21,
  ],
  [
    'attributes that the type does not have',
    presetting({
      ObjectType: 'SecretData',
      Attributes: [{ tag: 'CertificateType', value: 'X_509' }],
    }),
    '',
    'InvalidField',
    only21,
  ],
])

test('a client that sees its own objects alone, or is a library or peer, sets nothing', async () => {
  const engine = await testEngine()
  const request = { Constraints: { Constraint: [strong] } }
  const peer = principal({ kind: 'peer', profile: 'peer' })
  for (const who of [principal({ ownOnly: true }), tape, peer]) {
    expect(await engine.refused('2.1', 'SetConstraints', request, who)).toBe('PermissionDenied')
    expect(await engine.refused('2.1', 'SetDefaults', {}, who)).toBe('PermissionDenied')
  }
  expect(await engine.call('2.1', 'GetConstraints', {})).toEqual({
    Constraints: { Constraint: [] },
  })
})
