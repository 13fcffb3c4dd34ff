// When a key may be used: state × use × dates × mask × limits, as KMIP 2.1 §4.57, §4.17 and §4.59 say.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { isLate, principal, started, testEngine, type TestEngine } from './engine.ts'
import { active, cipherVersions, secretData, symmetric, usage } from './keys.ts'

const parameters = { BlockCipherMode: 'ECB' } as const
const Data = new Uint8Array(16)
const material = '000102030405060708090a0b0c0d0e0f'
const both = usage('Encrypt', 'Decrypt')
type Way = 'Encrypt' | 'Decrypt'

/** 'Success' or the Result Reason of using the key. */
async function use(engine: TestEngine, as: VersionText, way: Way, UniqueIdentifier: string) {
  const request = { UniqueIdentifier, CryptographicParameters: parameters, Data }
  const [item] = await engine.batch(as, [[way, request]])
  return item!.ResultStatus === 'Success' ? 'Success' : String(item!.ResultReason)
}

const date = (tag: 'ProcessStartDate' | 'ProtectStopDate' | 'ActivationDate', value: bigint) => ({
  tag,
  value,
})

const revoke = async (engine: TestEngine, as: VersionText, id: string, code: string) =>
  void (await engine.call(as, 'Revoke', {
    UniqueIdentifier: id,
    RevocationReason: { RevocationReasonCode: code },
  } as never))
const destroy = async (engine: TestEngine, as: VersionText, UniqueIdentifier: string) =>
  void (await engine.call(as, 'Destroy', { UniqueIdentifier }))

type Way1 = (engine: TestEngine, as: VersionText, id: string) => Promise<void>
const rows: [
  state: string,
  attributes: AttributeInstance[],
  encrypt: boolean,
  decrypt: boolean,
  bring?: Way1,
][] = [
  ['Pre-Active', [both], false, false],
  ['Active', [both, active], true, true],
  [
    'Deactivated',
    [both, active],
    false,
    true,
    (engine, as, id) => revoke(engine, as, id, 'Unspecified'),
  ],
  [
    'Compromised',
    [both, active],
    false,
    true,
    (engine, as, id) => revoke(engine, as, id, 'KeyCompromise'),
  ],
  ['Destroyed', [both], false, false, destroy],
  [
    'Destroyed Compromised',
    [both],
    false,
    false,
    async (engine, as, id) => {
      await revoke(engine, as, id, 'KeyCompromise')
      await destroy(engine, as, id)
    },
  ],
  [
    'Active, its Process Start Date ahead',
    [both, active, date('ProcessStartDate', started + 60n)],
    true,
    false,
  ],
  [
    'Active, its Protect Stop Date past',
    [both, active, date('ProtectStopDate', started - 60n)],
    false,
    true,
  ],
]

describe.each(cipherVersions)('KMIP %s', (as) => {
  test.each(rows)(
    'a key that is %s encrypts and decrypts as its state allows',
    async (_, attributes, encrypts, decrypts, bring) => {
      const engine = await testEngine()
      const id = await symmetric(engine, as, material, attributes)
      await bring?.(engine, as, id)
      const refused = isLate(as) ? 'WrongKeyLifecycleState' : 'PermissionDenied'
      expect(await use(engine, as, 'Encrypt', id)).toBe(encrypts ? 'Success' : refused)
      expect(await use(engine, as, 'Decrypt', id)).toBe(decrypts ? 'Success' : refused)
    },
  )

  test('a key is used for what its mask has, and for nothing else', async () => {
    const engine = await testEngine()
    const encrypts = await symmetric(engine, as, material, [usage('Encrypt'), active])
    const decrypts = await symmetric(engine, as, material, [usage('Decrypt'), active])
    const refused = isLate(as) ? 'IncompatibleCryptographicUsageMask' : 'PermissionDenied'
    expect(await use(engine, as, 'Encrypt', encrypts)).toBe('Success')
    expect(await use(engine, as, 'Decrypt', encrypts)).toBe(refused)
    expect(await use(engine, as, 'Decrypt', decrypts)).toBe('Success')
    expect(await use(engine, as, 'Encrypt', decrypts)).toBe(refused)
  })

  test('an object of another type is no key for this use', async () => {
    const engine = await testEngine()
    const id = await secretData(engine, as, material, [both, active])
    const refused = isLate(as) ? 'InvalidObjectType' : 'PermissionDenied'
    expect(await use(engine, as, 'Encrypt', id)).toBe(refused)
  })

  test('an object of another group answers like none', async () => {
    const engine = await testEngine()
    const id = await symmetric(engine, as, material, [both, active])
    const request = { UniqueIdentifier: id, CryptographicParameters: parameters, Data }
    const stranger = principal({ name: 'beta', group: 'other' })
    const refused = isLate(as) ? 'ObjectNotFound' : 'ItemNotFound'
    expect(await engine.refused(as, 'Encrypt', request, stranger)).toBe(refused)
    const none = { ...request, UniqueIdentifier: 'none' }
    expect(await engine.refused(as, 'Encrypt', none)).toBe(refused)
  })

  test('Usage Limits in bytes are taken off by protecting, and not by processing', async () => {
    const engine = await testEngine()
    const limits = { UsageLimitsTotal: 40n, UsageLimitsUnit: 'Byte' }
    const id = await symmetric(engine, as, material, [
      both,
      active,
      { tag: 'UsageLimits', value: limits },
    ])
    expect(await use(engine, as, 'Encrypt', id)).toBe('Success')
    expect(await use(engine, as, 'Decrypt', id)).toBe('Success')
    expect(await use(engine, as, 'Encrypt', id)).toBe('Success')
    expect(await use(engine, as, 'Encrypt', id)).toBe('PermissionDenied')
    expect(await engine.attribute(as, id, 'UsageLimits')).toEqual([
      { ...limits, UsageLimitsCount: 8n },
    ])
  })

  test('Usage Limits in objects count operations, failed ones not', async () => {
    const engine = await testEngine()
    const limits = { UsageLimitsTotal: 1n, UsageLimitsUnit: 'Object' }
    const id = await symmetric(engine, as, material, [
      both,
      active,
      { tag: 'UsageLimits', value: limits },
    ])
    const odd = { CryptographicParameters: parameters, Data: new Uint8Array(3) }
    await engine.refused(as, 'Encrypt', { UniqueIdentifier: id, ...odd })
    expect(await use(engine, as, 'Encrypt', id)).toBe('Success')
    expect(await use(engine, as, 'Encrypt', id)).toBe('PermissionDenied')
  })

  test('a MAC beyond the Usage Limits has a reason of its own since 2.0', async () => {
    const engine = await testEngine()
    const id = await symmetric(engine, as, material, [
      usage('MACGenerate'),
      active,
      { tag: 'UsageLimits', value: { UsageLimitsTotal: 1n, UsageLimitsUnit: 'Byte' } },
    ])
    const request = { UniqueIdentifier: id, Data: new Uint8Array(2) }
    expect(await engine.refused(as, 'MAC', request)).toBe(
      isLate(as) ? 'UsageLimitExceeded' : 'PermissionDenied',
    )
  })

  test('the first of the Cryptographic Parameters of a key is used when the request has none', async () => {
    const engine = await testEngine()
    const of = (BlockCipherMode: string) =>
      ({ tag: 'CryptographicParameters', value: { BlockCipherMode } }) as AttributeInstance
    const id = await symmetric(engine, as, material, [both, active, of('ECB'), of('CBC')])
    const own = await engine.call(as, 'Encrypt', { UniqueIdentifier: id, Data })
    const asked = { UniqueIdentifier: id, Data, CryptographicParameters: parameters }
    expect(own.Data).toEqual((await engine.call(as, 'Encrypt', asked)).Data)
  })

  test('a group may keep keys that are out of use from being used at all', async () => {
    const engine = await testEngine()
    await engine.policy('retired=refuse')
    const id = await symmetric(engine, as, material, [both, active])
    expect(await use(engine, as, 'Decrypt', id)).toBe('Success')
    await revoke(engine, as, id, 'Unspecified')
    expect(await use(engine, as, 'Decrypt', id)).toBe(
      isLate(as) ? 'WrongKeyLifecycleState' : 'PermissionDenied',
    )
  })
})

test('a use is audited with the key, and says when the key was out of use', async () => {
  const engine = await testEngine()
  const id = await symmetric(engine, '2.1', material, [both, active])
  await use(engine, '2.1', 'Encrypt', id)
  await revoke(engine, '2.1', id, 'Unspecified')
  await use(engine, '2.1', 'Decrypt', id)
  const uses = (await engine.audited()).filter(({ operation }) => /crypt$/u.test(operation))
  expect(uses).toMatchObject([
    { operation: 'Encrypt', object: id, outcome: 'Success' },
    { operation: 'Decrypt', object: id, outcome: 'Success', details: { state: 'Deactivated' } },
  ])
})

test('what was unsealed for a use that failed is audited', async () => {
  const engine = await testEngine()
  const id = await symmetric(engine, '2.1', material, [both, active])
  await engine.refused('2.1', 'Decrypt', {
    UniqueIdentifier: id,
    CryptographicParameters: { BlockCipherMode: 'CBC', PaddingMethod: 'PKCS5' },
    Data,
    IVCounterNonce: Data,
  })
  const last = (await engine.audited()).find(({ operation }) => operation === 'Decrypt')
  expect(last).toMatchObject({ object: id, outcome: 'CryptographicFailure' })
})

test('of two batches at once that want the last allocation one gets it', async () => {
  const engine = await testEngine()
  const limits = { UsageLimitsTotal: 16n, UsageLimitsUnit: 'Byte' }
  const id = await symmetric(engine, '2.1', material, [
    both,
    active,
    { tag: 'UsageLimits', value: limits },
  ])
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, () => use(engine, '2.1', 'Encrypt', id)),
  )
  expect(outcomes.filter((outcome) => outcome === 'Success')).toHaveLength(1)
})
