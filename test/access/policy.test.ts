import { describe, expect, test } from 'vitest'
import {
  allowed,
  isForTests,
  groupPolicy,
  needsCredential,
  parseGroupSettings,
  policyOf,
} from '../../src/access/policy.ts'
import { Operation } from '../../src/kmip/model/enumerations.ts'
import { newest } from '../../src/kmip/model/versions.ts'

const library = {
  name: 'alpha',
  profile: 'tape-library',
  owner: 'alpha',
  ownOnly: false,
} as const
const general = { ...library, profile: 'general' } as const

const libraryOperations = [
  'Activate',
  'AddAttribute',
  'Check',
  'Create',
  'DeleteAttribute',
  'Destroy',
  'DiscoverVersions',
  'Get',
  'GetAttributeList',
  'GetAttributes',
  'Locate',
  'ModifyAttribute',
  'Ping',
  'Query',
  'Register',
  'Revoke',
  'SetAttribute',
]

describe('the tape-library profile', () => {
  test('allows exactly its seventeen operations', () => {
    const names = Operation.names(newest.number).map(String)
    expect(
      names.filter((name) => !isForTests(name) && allowed(library, name) === true).toSorted(),
    ).toEqual(libraryOperations)
  })

  test('registers symmetric keys and nothing else', () => {
    expect(allowed(library, 'Register', { objectType: 'SymmetricKey' })).toBe(true)
    for (const objectType of ['SecretData', 'PrivateKey', 'OpaqueObject', 0x8000_0001])
      expect(allowed(library, 'Register', { objectType })).toContain('does not allow Register of')
  })

  test('gets keys unwrapped only', () => {
    expect(allowed(library, 'Get', { wrapped: false, objectType: 'SymmetricKey' })).toBe(true)
    expect(allowed(library, 'Get', { wrapped: true })).toContain('wrapped')
  })

  test.each(['toString', 'constructor', '__proto__', '', 'create'])(
    'does not take %j for an operation',
    (name) => {
      expect(allowed(library, name)).not.toBe(true)
    },
  )
})

test('the general profile allows every operation on every object', () => {
  for (const name of Operation.names(newest.number))
    expect(allowed(general, String(name))).toBe(true)
  expect(allowed(general, 'Register', { objectType: 'PrivateKey' })).toBe(true)
  expect(allowed(general, 'Get', { wrapped: true })).toBe(true)
})

test('libraries use each other’s objects, a user kept to its own does not', () => {
  const own = { ...library, owner: 'alpha/night', ownOnly: true }
  expect(allowed(library, 'Get', { owner: 'beta' })).toBe(true)
  expect(allowed(own, 'Get', { owner: 'alpha/night' })).toBe(true)
  expect(allowed(own, 'Get', { owner: 'alpha' })).toContain('own objects only')
  expect(allowed(own, 'Get', { owner: '' })).not.toBe(true)
  expect(allowed({ ...own, profile: 'general' }, 'Get', { owner: 'beta' })).not.toBe(true)
})

test('only Discover Versions and Query need no credential', () => {
  const open = Operation.names(newest.number).filter((name) => !needsCredential(String(name)))
  expect(open.toSorted()).toEqual(['DiscoverVersions', 'Query'])
})

describe('group settings', () => {
  test('each word sets its own and no other', () => {
    expect(parseGroupSettings(['destroy=now', 'ready=2'])).toEqual({ destroy: 'now', ready: '2' })
    expect(parseGroupSettings([])).toEqual({})
  })

  test.each([
    [undefined, 30],
    ['now', 0],
    ['7d', 7],
    ['refuse', undefined],
  ])('destroy=%s wipes after %s days', (destroy, days) => {
    expect(policyOf(destroy === undefined ? {} : { destroy }).destroyAfterDays).toBe(days)
  })

  test('duplicates are refused unless the group says otherwise', () => {
    expect(policyOf({}).duplicates).toBe('refuse')
    expect(policyOf(parseGroupSettings(['duplicates=allow'])).duplicates).toBe('allow')
  })

  test('retired keys process and ECB is allowed unless the group says otherwise', () => {
    expect(
      policyOf(
        parseGroupSettings(['retired=refuse', 'ecb=refuse', 'padding=pkcs1', 'approval=required']),
      ),
    ).toMatchObject({
      retired: 'refuse',
      ecb: 'refuse',
      padding: 'pkcs1',
      approval: 'required',
    })
  })

  test.each([
    'destroy=later',
    'destroy=0d',
    'destroy=-1d',
    'destroy=1000000d',
    'destroy=',
    'destroy',
    'duplicates=yes',
    'retired=no',
    'ecb=maybe',
    'padding=none',
    'approval=maybe',
    'export=',
    'export=a b',
    'ready=a\nb',
    'ready=0',
    'ready=10',
    'ready=soon',
    'colour=blue',
    'toString=1',
    '=now',
    '',
  ])('%j is refused and the hint says what is taken', (word) => {
    expect(() => parseGroupSettings([word])).toThrow(
      expect.objectContaining({ code: 'group-setting', exitStatus: 2 }),
    )
  })

  test('a group that was never set has the defaults', async () => {
    const document = () => Promise.resolve(undefined)
    expect(await groupPolicy({ document }, 'default')).toEqual({
      destroyAfterDays: 30,
      duplicates: 'refuse',
      short: 'refuse',
      retired: 'process',
      ecb: 'allow',
      padding: 'oaep',
      approval: 'none',
      rules: 'clients',
      withdraw: 'apply',
      reprovision: 'refuse',
      export: undefined,
      ready: 1,
    })
  })
})
