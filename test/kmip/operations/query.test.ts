// Query, Discover Versions, Check and Ping: what a client learns before it does anything.
import { describe, expect, test } from 'vitest'
import { decodeItem, version, type VersionText } from 'ttlv-codec'
import { Operation, QueryFunction } from '../../../src/kmip/model/enumerations.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import {
  childrenOf,
  everyVersion,
  isLate,
  requestBytes,
  testEngine,
  edited,
  found,
  answerOf,
  principal,
} from './engine.ts'

type Functions = RequestPayload<'Query'>['QueryFunction']

/** TL-M-1: what a tape library must find in the answer. */
const tapeOperations = [
  'Query',
  'Locate',
  'Destroy',
  'Get',
  'Create',
  'Register',
  'GetAttributes',
  'GetAttributeList',
  'AddAttribute',
  'ModifyAttribute',
  'DeleteAttribute',
  'Activate',
  'Revoke',
  'Check',
] as const

describe.each(everyVersion)('KMIP %s', (as) => {
  const query = async (...QueryFunction: Functions) =>
    (await testEngine()).call(as, 'Query', { QueryFunction })

  test('a tape library finds the operations, objects and namespaces it looks for (TL-M-1)', async () => {
    const answer = await query(
      'QueryOperations',
      'QueryObjects',
      'QueryServerInformation',
      'QueryApplicationNamespaces',
    )
    expect(answer.Operation).toEqual(expect.arrayContaining([...tapeOperations]))
    expect(answer.ObjectType).toEqual(
      expect.arrayContaining(isLate(as) ? ['SymmetricKey'] : ['SymmetricKey', 'Template']),
    )
    expect(answer.ObjectType.includes('Template')).toBe(!isLate(as))
    expect(answer.VendorIdentification).toBe('keyreel')
    expect(Object.values(answer.ServerInformation!).flat()).toEqual([])
    expect(answer.ApplicationNamespace).toEqual([
      'LIBRARY-LTO',
      ...[4, 5, 6, 7, 8, 9].map((generation) => `LIBRARY-LTO${generation}`),
    ])
  })

  test('only operations that the version has are named', async () => {
    const { Operation: named } = await query('QueryOperations')
    for (const name of named)
      expect(Operation.since(name as 'Get')).toBeLessThanOrEqual(version(as))
    expect(named.includes('DiscoverVersions')).toBe(as !== '1.0')
    expect(named.includes('SetAttribute')).toBe(isLate(as))
  })

  test('every function there is may be asked for at once, and the answer fits the version', async () => {
    const answer = await query(...QueryFunction.names(version(as)))
    expect(answer.Operation.length).toBeGreaterThan(10)
    if (as >= '1.3') {
      expect(answer.RNGParameters).toHaveLength(1)
      expect(answer.CapabilityInformation).toHaveLength(1)
      const profiles = answer.ProfileInformation.map(({ ProfileName }) => ProfileName)
      const minor = as === '1.3' ? '3' : '4'
      for (const name of ['TapeLibraryServer', 'SymmetricKeyLifecycleServer', 'XMLServer'])
        expect(profiles).toContain(isLate(as) ? name : `${name}KMIPV1_${minor}`)
      expect(profiles).not.toContain(
        isLate(as) ? 'QuantumSafeServer' : 'SuiteBMinLOS_128ServerKMIPV1_3',
      )
      expect(answer.ClientRegistrationMethod).toHaveLength(4)
      expect(answer.ValidationInformation).toEqual([])
      expect(answer.AttestationType).toEqual([])
    }
    if (as >= '1.4') {
      expect(answer.CapabilityInformation[0]).toMatchObject({
        BatchUndoCapability: true,
        BatchContinueCapability: true,
        AsynchronousCapability: true,
        StreamingCapability: true,
        AttestationCapability: false,
        UnwrapMode: 'NotProcessed',
        ShreddingAlgorithm: 'Unsupported',
      })
    }
    if (isLate(as)) {
      expect(answer.DefaultsInformation!.ObjectDefaults).toHaveLength(1)
      expect(answer.ProtectionStorageMasks).toEqual({ ProtectionStorageMask: [1] })
    }
  })

  test('profiles of HTTPS are named only where there is an HTTPS port', async () => {
    const engine = await testEngine()
    engine.responder.facts.https = false
    if (as < '1.3') return
    const { ProfileInformation } = await engine.call(as, 'Query', {
      QueryFunction: ['QueryProfiles'],
    })
    const names = ProfileInformation.map(({ ProfileName }) => String(ProfileName)).join()
    expect(names).toContain('BaselineServer')
    expect(names).not.toMatch(/HTTPS|XML|JSON/)
  })

  test('a function nobody knows is passed over', async () => {
    const engine = await testEngine()
    const bytes = edited(
      requestBytes(as, [['Query', { QueryFunction: ['QueryOperations'] }]]),
      (root) => Object.assign(found(root, 'QueryFunction'), { value: 0x77 }),
    )
    const [item] = answerOf(await engine.raw(bytes), as).BatchItem
    expect(item).toMatchObject({ ResultStatus: 'Success' })
  })
})

test('operations that the group keeps from the client are not named', async () => {
  const engine = await testEngine()
  const named = async (who = principal()) => {
    const ask = { QueryFunction: ['QueryOperations' as const] }
    const { Operation: names } = await engine.call('2.1', 'Query', ask, who)
    return ['SetConstraints', 'SetDefaults', 'ReProvision'].filter((name) =>
      names.includes(name as 'Get'),
    )
  }
  expect(await named()).toEqual(['SetConstraints', 'SetDefaults'])
  await engine.policy('rules=fixed', 'reprovision=beside')
  expect(await named()).toEqual(['ReProvision'])
  await engine.policy('rules=clients')
  expect(await named(principal({ owner: 'alpha/ann', ownOnly: true }))).toEqual([])
})

describe('Discover Versions', () => {
  const of = (texts: readonly string[]) =>
    texts.map((text) => {
      const [major, minor] = text.split('.').map(Number)
      return { ProtocolVersionMajor: major!, ProtocolVersionMinor: minor! }
    })
  const discover = async (as: VersionText, ...texts: string[]) => {
    const engine = await testEngine()
    return (await engine.call(as, 'DiscoverVersions', { ProtocolVersion: of(texts) }))
      .ProtocolVersion
  }

  test.each(everyVersion.slice(1))('in %s lists all of ours, best first', async (as) => {
    expect(await discover(as)).toEqual(of(everyVersion.toReversed()))
  })

  test('works in 1.0 too, which does not have it: how else would its client learn of others', async () => {
    const engine = await testEngine()
    const asked = edited(
      requestBytes('1.1', [['DiscoverVersions', { ProtocolVersion: [] }]]),
      (root) => Object.assign(found(root, 'ProtocolVersionMinor'), { value: 0 }),
    )
    const answer = decodeItem(await engine.raw(asked))
    expect(found(answer, 'ProtocolVersionMinor').value).toBe(0)
    expect(found(answer, 'ResultStatus').value).toBe(0)
    expect(childrenOf(found(answer, 'ResponsePayload'))).toHaveLength(everyVersion.length)
  })

  test('lists of those the client has the ones that are ours, best first', async () => {
    expect(await discover('1.2', '1.0', '9.9', '1.4', '2.0')).toEqual(of(['2.0', '1.4', '1.0']))
  })

  test('with nothing in common succeeds with an empty list', async () => {
    expect(await discover('1.1', '3.0', '0.9')).toEqual([])
  })
})

describe.each(everyVersion)('Check in KMIP %s', (as) => {
  test('says yes with the identifier, for uses the key allows', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A', [
      { tag: 'UsageLimits', value: { UsageLimitsTotal: 5n, UsageLimitsUnit: 'Byte' } },
    ])
    const wanted = { CryptographicUsageMask: 8, UsageLimitsCount: 5n, LeaseTime: 3600 }
    const answer = await engine.call(as, 'Check', { UniqueIdentifier, ...wanted })
    expect(answer).toEqual({ UniqueIdentifier })
  })
})

test('a key without Usage Limits is not limited', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await engine.key('1.4', 'A')
  await engine.call('1.4', 'Check', { UniqueIdentifier, UsageLimitsCount: 2n ** 60n })
})

test('the server answers a Ping', async () => {
  const engine = await testEngine()
  expect(await engine.call('2.1', 'Ping', {})).toEqual({})
})

test('operations and object types are listed in the order of the published cases', async () => {
  const engine = await testEngine()
  const asked = { QueryFunction: ['QueryOperations' as const, 'QueryObjects' as const] }
  const { Operation, ObjectType } = await engine.call('1.4', 'Query', asked)
  const among = (names: string[], listed: readonly unknown[]) =>
    listed.filter((one) => names.includes(String(one)))
  const first = ['Query', 'Locate', 'Destroy', 'Get', 'Create', 'Register', 'GetAttributes']
  const last = ['ReCertify', 'DiscoverVersions', 'Notify', 'Put', 'RNGRetrieve', 'JoinSplitKey']
  expect(among([...first, ...last], Operation)).toEqual([...first, ...last])
  expect(ObjectType.slice(0, 3)).toEqual(['Certificate', 'SymmetricKey', 'SecretData'])
  expect((await engine.call('2.1', 'Query', asked)).ObjectType.at(-1)).toBe('CertificateRequest')
})
