// Every operation × who asks: what one may not see answers exactly like what is not there.
import { describe, expect, test } from 'vitest'
import { version, type VersionText } from 'ttlv-codec'
import type { Principal } from '../../../src/access/identity.ts'
import { allowed, isForTests, profiles } from '../../../src/access/policy.ts'
import type { OperationName } from '../../../src/kmip/model/payloads/index.ts'
import { Operation } from '../../../src/kmip/model/enumerations.ts'
import { operations } from '../../../src/kmip/operations/index.ts'
import {
  answerOf,
  isLate,
  principal,
  requestBytes,
  tapeKey,
  testEngine,
  type Ask,
  type Header,
} from './engine.ts'

const contact = { tag: 'ContactInformation' as const, value: 'somebody' }

/** A request of each operation about an object; operations about none are not here. */
const about: Partial<Record<OperationName, (UniqueIdentifier: string, as: VersionText) => Ask>> = {
  Check: (UniqueIdentifier) => ['Check', { UniqueIdentifier, CryptographicUsageMask: 4 }],
  Get: (UniqueIdentifier) => ['Get', { UniqueIdentifier }],
  GetAttributes: (UniqueIdentifier) => ['GetAttributes', { UniqueIdentifier }],
  GetAttributeList: (UniqueIdentifier) => ['GetAttributeList', { UniqueIdentifier }],
  AddAttribute: (UniqueIdentifier) => ['AddAttribute', { UniqueIdentifier, NewAttribute: contact }],
  ModifyAttribute: (UniqueIdentifier) => [
    'ModifyAttribute',
    { UniqueIdentifier, NewAttribute: tapeKey('changed')[0]! },
  ],
  DeleteAttribute: (UniqueIdentifier) => [
    'DeleteAttribute',
    { UniqueIdentifier, AttributeReference: { tag: 'Name' } },
  ],
  SetAttribute: (UniqueIdentifier) => ['SetAttribute', { UniqueIdentifier, NewAttribute: contact }],
  Activate: (UniqueIdentifier) => ['Activate', { UniqueIdentifier }],
  Revoke: (UniqueIdentifier) => [
    'Revoke',
    { UniqueIdentifier, RevocationReason: { RevocationReasonCode: 'KeyCompromise' } },
  ],
  Certify: (UniqueIdentifier) => ['Certify', { UniqueIdentifier, Attributes: [] }],
  ReCertify: (UniqueIdentifier) => ['ReCertify', { UniqueIdentifier, Attributes: [] }],
  Validate: (UniqueIdentifier) => [
    'Validate',
    { Certificate: [], UniqueIdentifier: [UniqueIdentifier] },
  ],
  Destroy: (UniqueIdentifier) => ['Destroy', { UniqueIdentifier }],
  AdjustAttribute: (UniqueIdentifier) => [
    'AdjustAttribute',
    {
      UniqueIdentifier,
      AttributeReference: { tag: 'CryptographicLength' },
      AdjustmentType: 'Increment',
    },
  ],
  Notify: (UniqueIdentifier) => ['Notify', { UniqueIdentifier, Attributes: [contact] }],
  Archive: (UniqueIdentifier) => ['Archive', { UniqueIdentifier }],
  Recover: (UniqueIdentifier) => ['Recover', { UniqueIdentifier }],
  ObtainLease: (UniqueIdentifier) => ['ObtainLease', { UniqueIdentifier }],
  GetUsageAllocation: (UniqueIdentifier) => [
    'GetUsageAllocation',
    { UniqueIdentifier, UsageLimitsCount: 1n },
  ],
  ReKey: (UniqueIdentifier) => ['ReKey', { UniqueIdentifier }],
  ReKeyKeyPair: (PrivateKeyUniqueIdentifier) => ['ReKeyKeyPair', { PrivateKeyUniqueIdentifier }],
  DeriveKey: (UniqueIdentifier) => [
    'DeriveKey',
    {
      ObjectType: 'SymmetricKey',
      UniqueIdentifier: [UniqueIdentifier],
      DerivationMethod: 'HASH',
      DerivationParameters: {
        CryptographicParameters: { HashingAlgorithm: 'SHA_256' },
        DerivationData: [],
      },
      Attributes: tapeKey('derived'),
    },
  ],
  CreateSplitKey: (UniqueIdentifier) => [
    'CreateSplitKey',
    {
      ObjectType: 'SplitKey',
      UniqueIdentifier,
      SplitKeyParts: 2,
      SplitKeyThreshold: 2,
      SplitKeyMethod: 'XOR',
      Attributes: [],
    },
  ],
  JoinSplitKey: (UniqueIdentifier) => [
    'JoinSplitKey',
    { ObjectType: 'SymmetricKey', UniqueIdentifier: [UniqueIdentifier], Attributes: [] },
  ],
  Export: (UniqueIdentifier) => ['Export', { UniqueIdentifier }],
  Sign: (UniqueIdentifier) => ['Sign', { UniqueIdentifier, Data: new Uint8Array(16) }],
  SignatureVerify: (UniqueIdentifier) => [
    'SignatureVerify',
    { UniqueIdentifier, Data: new Uint8Array(16), SignatureData: new Uint8Array(16) },
  ],
  MAC: (UniqueIdentifier) => ['MAC', { UniqueIdentifier, Data: new Uint8Array(16) }],
  MACVerify: (UniqueIdentifier) => [
    'MACVerify',
    { UniqueIdentifier, Data: new Uint8Array(16), MACData: new Uint8Array(32) },
  ],
  Encrypt: (UniqueIdentifier) => ['Encrypt', { UniqueIdentifier, Data: new Uint8Array(16) }],
  Decrypt: (UniqueIdentifier) => ['Decrypt', { UniqueIdentifier, Data: new Uint8Array(16) }],
}

/** Operations that this key refuses to those who see it, for reasons of its own. */
const refusedOfThisKey: ReadonlySet<OperationName> = new Set([
  'AdjustAttribute',
  'GetUsageAllocation',
  'ReKey',
  'ReKeyKeyPair',
  'DeriveKey',
  'CreateSplitKey',
  'JoinSplitKey',
  'Encrypt',
  'Decrypt',
  'Certify',
  'ReCertify',
  'Validate',
  'Sign',
  'SignatureVerify',
  'MAC',
  'MACVerify',
])

/** Their tables in 2.x (§6.1.3.1, §6.1.6.1, §6.1.10.1) keep the older word. */
const keepOlderWord: ReadonlySet<OperationName> = new Set([
  'AdjustAttribute',
  'Certify',
  'CreateSplitKey',
])

const aboutNone: string[] = [
  'DiscoverVersions',
  'Query',
  'Create',
  'CreateKeyPair',
  'Register',
  'Locate',
  'Ping',
  'Interop',
  'Log',
  'Login',
  'Logout',
  'DelegatedLogin',
  'Poll',
  'Cancel',
  'Process',
  'QueryAsynchronousRequests',
  'GetConstraints',
  'SetConstraints',
  'SetDefaults',
  'ReProvision',
  'SetEndpointRole',
  'PKCS_11',
  'Put',
  'Import',
  'RNGRetrieve',
  'RNGSeed',
  'Hash',
]

type Sight = 'seen' | 'denied' | 'absent'

/** Who asks for a key of library alpha's user ann, and whether it is there for them. */
const relations: [string, Principal, Sight][] = [
  ['its owner', principal({ owner: 'alpha/ann' }), 'seen'],
  ['its owner, who sees its own alone', principal({ owner: 'alpha/ann', ownOnly: true }), 'seen'],
  ['another library of the group', principal({ name: 'beta', owner: 'beta' }), 'seen'],
  ['a tape library of the group', principal({ name: 'beta', profile: 'tape-library' }), 'seen'],
  [
    'another user, who sees its own alone',
    principal({ owner: 'alpha/bob', ownOnly: true }),
    'denied',
  ],
  ['a library of another group', principal({ name: 'gamma', group: 'other' }), 'absent'],
  ['the same name in another group', principal({ owner: 'alpha/ann', group: 'other' }), 'absent'],
]

const missing = '00000000-0000-4000-8000-000000000000'

test('every operation is in this matrix', () => {
  const named = [...Object.keys(about), ...aboutNone]
  expect(named).toEqual(expect.arrayContaining(Object.keys(operations)))
})

describe.each<VersionText>(['1.0', '1.4', '2.1'])('KMIP %s', (as) => {
  const rows = (Object.keys(about) as OperationName[])
    .filter((name) => Operation.since(name) <= version(as))
    .flatMap((name) => relations.map(([who, by, seen]) => [name, who, by, seen] as const))

  test.each(rows)('%s by %s', async (name, _, by, seen) => {
    const engine = await testEngine()
    const request = { ObjectType: 'SymmetricKey' as const, Attributes: tapeKey('A') }
    const ann = principal({ owner: 'alpha/ann' })
    const { UniqueIdentifier: id } = await engine.call(as, 'Create', request, ann)
    const before = await engine.call(as, 'GetAttributes', { UniqueIdentifier: id }, ann)
    const ask = (subject: string) => requestBytes(as, [about[name]!(subject, as)])
    const answer = await engine.raw(ask(id), by)
    const [item] = answerOf(answer, as).BatchItem
    const isNewWord = isLate(as) && !keepOlderWord.has(name)
    const notFound = isNewWord ? 'ObjectNotFound' : 'ItemNotFound'
    if (allowed(by, name) !== true) {
      expect(item!.ResultReason).toBe('PermissionDenied')
      return
    }
    if (seen === 'denied') {
      expect(item!.ResultReason).toBe('PermissionDenied')
      const after = await engine.call(as, 'GetAttributes', { UniqueIdentifier: id }, ann)
      expect(after).toEqual(before)
      return
    }
    if (seen === 'seen') {
      if (refusedOfThisKey.has(name)) expect(item!.ResultReason).not.toBe(notFound)
      else expect(item!.ResultStatus).toBe('Success')
      return
    }
    expect(item!.ResultReason).toBe(notFound)
    // Byte for byte the answer for an object that is not there, but for the name asked about.
    const other = await engine.raw(ask(missing), by)
    const told = (bytes: Uint8Array, subject: string) =>
      Buffer.from(bytes).toString('latin1').replaceAll(subject, '').slice(96)
    expect(told(answer, id)).toBe(told(other, missing))
    expect(await engine.call(as, 'GetAttributes', { UniqueIdentifier: id }, ann)).toEqual(before)
  })

  test.each(relations)('Locate by %s', async (_, by, seen) => {
    const engine = await testEngine()
    const request = { ObjectType: 'SymmetricKey' as const, Attributes: tapeKey('A') }
    const ann = principal({ owner: 'alpha/ann' })
    const { UniqueIdentifier: id } = await engine.call(as, 'Create', request, ann)
    const searches = [
      [],
      [tapeKey('A')[0]!],
      [tapeKey('A')[4]!],
      [{ tag: 'UniqueIdentifier' as const, value: id }],
      [{ tag: 'State' as const, value: 'PreActive' }],
      [{ tag: 'CryptographicLength' as const, value: 256 }],
    ]
    for (const Attributes of searches) {
      const found = await engine.call(as, 'Locate', { Attributes }, by)
      expect(found.UniqueIdentifier).toEqual(seen === 'seen' ? [id] : [])
    }
    if (as < '1.3') return
    const counted = await engine.call(as, 'Locate', { Attributes: [], OffsetItems: 0 }, by)
    expect(counted.LocatedItems).toBe(seen === 'seen' ? 1 : 0)
  })
})

test('a tape library may do what its profile lists, and Query lists exactly that', async () => {
  const engine = await testEngine()
  const tape = principal({ profile: 'tape-library' })
  const { Operation, ObjectType } = await engine.call(
    '2.1',
    'Query',
    { QueryFunction: ['QueryOperations', 'QueryObjects'] },
    tape,
  )
  const listed = Object.keys(profiles['tape-library']).filter((name) => !isForTests(name))
  expect(Operation.toSorted()).toEqual(listed.toSorted())
  expect(ObjectType).toEqual(['SymmetricKey'])
  const UniqueIdentifier = await engine.key('2.1', 'A')
  const wrapped = {
    UniqueIdentifier,
    KeyWrappingSpecification: {
      WrappingMethod: 'Encrypt' as const,
      EncryptionKeyInformation: { UniqueIdentifier },
      AttributeName: [],
    },
  }
  expect(await engine.refused('2.1', 'Get', wrapped, tape)).toBe('PermissionDenied')
})

test('without the credential it needs a client gets to know versions and features, and nothing else', async () => {
  const engine = await testEngine()
  const id = await engine.key('1.4', 'A')
  const locked = principal({ credentialRequired: true })
  await engine.call('1.4', 'DiscoverVersions', { ProtocolVersion: [] }, locked)
  await engine.call('1.4', 'Query', { QueryFunction: ['QueryOperations'] }, locked)
  for (const ask of Object.values(about)) {
    const [name, request] = ask(id, '1.4')
    if (Operation.since(name) > version('1.4')) continue
    expect(await engine.refused('1.4', name, request, locked)).toBe('AuthenticationNotSuccessful')
  }
  const create = { ObjectType: 'SymmetricKey' as const, Attributes: tapeKey('B') }
  expect(await engine.refused('1.4', 'Create', create, locked)).toBe('AuthenticationNotSuccessful')
  expect(await engine.refused('1.4', 'Locate', {}, locked)).toBe('AuthenticationNotSuccessful')
})

test('a wrong credential is refused for everything, also when none is needed', async () => {
  const engine = await testEngine()
  const CredentialValue = { Username: 'nobody', Password: 'wrong' }
  const Credential = [{ CredentialType: 'UsernameAndPassword', CredentialValue }]
  const asks: Ask[] = [
    ['DiscoverVersions', { ProtocolVersion: [] }],
    ['Query', { QueryFunction: ['QueryOperations'] }],
  ]
  for (const ask of asks) {
    const [item] = await engine.batch('1.4', [ask], { Authentication: { Credential } } as Header)
    expect(item).toMatchObject({ ResultReason: 'AuthenticationNotSuccessful' })
  }
})

test('objects belong to the user of the credential, and audit and log name it', async () => {
  const engine = await testEngine()
  const request = { ObjectType: 'SymmetricKey' as const, Attributes: tapeKey('A') }
  await engine.call('1.4', 'Create', request, principal({ owner: 'alpha/ann' }))
  expect((await engine.audited())[0]).toMatchObject({
    operation: 'Create',
    actor: { name: 'alpha/ann', kind: 'library' },
    group: 'default',
  })
})

test('an identifier of any length or form is not found, and not written down at length', async () => {
  const engine = await testEngine()
  for (const UniqueIdentifier of ['', 'x'.repeat(100_000), '\u0000\n', missing.toUpperCase()])
    expect(await engine.refused('1.4', 'Get', { UniqueIdentifier })).toBe('ItemNotFound')
  const told = [...engine.lines, ...(await engine.audited())].map((entry) =>
    JSON.stringify(entry, (_, value: unknown) => (typeof value === 'bigint' ? 0 : value)),
  )
  expect(Math.max(...told.map(({ length }) => length))).toBeLessThan(1000)
})
