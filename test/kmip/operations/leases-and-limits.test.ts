// Obtain Lease and Get Usage Allocation.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, isLate, started, tapeKey, testEngine, type TestEngine } from './engine.ts'
import { activated, describeRefusals, early, register, template, type Row } from './refusals.ts'

const limits = (UsageLimitsTotal: bigint): AttributeInstance => ({
  tag: 'UsageLimits',
  value: { UsageLimitsTotal, UsageLimitsUnit: 'Byte' },
})
const active: AttributeInstance = { tag: 'ActivationDate', value: started - 10n }
const dated = (tag: 'DeactivationDate' | 'ProtectStopDate', value: bigint): AttributeInstance => ({
  tag,
  value,
})

async function left(engine: TestEngine, as: VersionText, id: string): Promise<bigint> {
  const [held] = await engine.attribute(as, id, 'UsageLimits')
  return (held as { UsageLimitsCount: bigint }).UsageLimitsCount
}

describe.each(everyVersion)('KMIP %s', (as) => {
  test('a lease tells for how long, and when the object last changed', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A')
    engine.time.seconds += 100n
    expect(await engine.call(as, 'ObtainLease', { UniqueIdentifier })).toEqual({
      UniqueIdentifier,
      LeaseTime: 3600,
      LastChangeDate: started,
    })
    expect(await engine.attribute(as, UniqueIdentifier, 'LeaseTime')).toEqual([3600])
  })

  test('an expired key gets no lease', async () => {
    const engine = await testEngine()
    const dates = [active, dated('DeactivationDate', started + 50n)]
    const UniqueIdentifier = await engine.key(as, 'A', dates)
    await engine.call(as, 'ObtainLease', { UniqueIdentifier })
    engine.time.seconds = started + 50n
    expect(await engine.refused(as, 'ObtainLease', { UniqueIdentifier })).toBe('PermissionDenied')
  })

  test('allocations count down to nothing, and no further', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A', [active, limits(100n)])
    const take = { UniqueIdentifier, UsageLimitsCount: 60n }
    engine.time.seconds += 5n
    expect(await engine.call(as, 'GetUsageAllocation', take)).toEqual({ UniqueIdentifier })
    expect(await left(engine, as, UniqueIdentifier)).toBe(40n)
    expect(await engine.attribute(as, UniqueIdentifier, 'LastChangeDate')).toEqual([started + 5n])
    const reason = isLate(as) ? 'UsageLimitExceeded' : 'PermissionDenied'
    expect(await engine.refused(as, 'GetUsageAllocation', take)).toBe(reason)
    expect(await left(engine, as, UniqueIdentifier)).toBe(40n)
    await engine.call(as, 'GetUsageAllocation', { UniqueIdentifier, UsageLimitsCount: 40n })
    expect(await left(engine, as, UniqueIdentifier)).toBe(0n)
    expect(
      await engine.refused(as, 'GetUsageAllocation', { UniqueIdentifier, UsageLimitsCount: 1n }),
    ).toBe(reason)
  })

  test('clients that ask at the same time never get more than there is', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A', [active, limits(100n)])
    const asked = Array.from({ length: 30 }, () =>
      engine.batch(as, [['GetUsageAllocation', { UniqueIdentifier, UsageLimitsCount: 7n }]]),
    )
    const answers = (await Promise.all(asked)).flat()
    const granted = answers.filter(({ ResultStatus }) => ResultStatus === 'Success')
    expect(granted).toHaveLength(14)
    expect(await left(engine, as, UniqueIdentifier)).toBe(2n)
  })

  test('an allocation of an undone batch is given back', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A', [active, limits(100n)])
    await engine.batch(
      as,
      [
        ['GetUsageAllocation', { UniqueIdentifier, UsageLimitsCount: 60n }],
        ['Get', { UniqueIdentifier: 'none' }],
      ],
      { BatchErrorContinuationOption: 'Undo' },
    )
    expect(await left(engine, as, UniqueIdentifier)).toBe(100n)
  })

  test('once something was allocated, the limits neither change nor go', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A', [active, limits(100n)])
    const change = { UniqueIdentifier, NewAttribute: limits(200n) }
    await engine.call(as, 'ModifyAttribute', change)
    expect(await left(engine, as, UniqueIdentifier)).toBe(200n)
    await engine.call(as, 'GetUsageAllocation', { UniqueIdentifier, UsageLimitsCount: 1n })
    const reason = isLate(as) ? 'WrongKeyLifecycleState' : 'PermissionDenied'
    expect(await engine.refused(as, 'ModifyAttribute', change)).toBe(reason)
    const drop = { UniqueIdentifier, AttributeReference: { tag: 'UsageLimits' as const } }
    expect(await engine.refused(as, 'DeleteAttribute', drop)).toBe(reason)
  })
})

const allocation =
  (count: bigint, ...more: AttributeInstance[]): Row[1] =>
  async (engine, as) => [
    'GetUsageAllocation',
    { UniqueIdentifier: await engine.key(as, 'old', more), UsageLimitsCount: count },
  ]

const rows: Row[] = [
  [
    'a lease of what is not there',
    () => ['ObtainLease', { UniqueIdentifier: 'none' }],
    'ItemNotFound',
    'ObjectNotFound',
  ],
  [
    'a lease of a compromised key',
    async (engine, as) => {
      const UniqueIdentifier = await activated(engine, as)
      const RevocationReason = { RevocationReasonCode: 'KeyCompromise' } as const
      await engine.call(as, 'Revoke', { UniqueIdentifier, RevocationReason })
      return ['ObtainLease', { UniqueIdentifier }]
    },
    'PermissionDenied',
    'PermissionDenied',
  ],
  [
    'a lease of a Template',
    async (engine, as) => ['ObtainLease', { UniqueIdentifier: await template(engine, as) }],
    'PermissionDenied',
    undefined,
    early,
  ],
  [
    'an allocation of what is not there',
    () => ['GetUsageAllocation', { UniqueIdentifier: 'none', UsageLimitsCount: 1n }],
    'ItemNotFound',
    'ObjectNotFound',
  ],
  [
    'an allocation of a key without limits',
    allocation(1n, active),
    'IllegalOperation',
    'AttributeNotFound',
  ],
  [
    'an allocation of less than nothing',
    allocation(-1n, active, limits(5n)),
    'InvalidField',
    'InvalidField',
  ],
  ['an allocation of nothing', allocation(0n, active, limits(5n)), 'InvalidField', 'InvalidField'],
  [
    'an allocation before the Activation Date',
    allocation(1n, limits(5n)),
    'PermissionDenied',
    'PermissionDenied',
  ],
  [
    'an allocation after the Protect Stop Date',
    allocation(1n, active, limits(5n), dated('ProtectStopDate', started)),
    'PermissionDenied',
    'PermissionDenied',
  ],
  [
    'an allocation of a key that only decrypts',
    async (engine, as) => {
      const Attributes = [
        ...tapeKey('old').filter(({ tag }) => tag !== 'CryptographicUsageMask'),
        { tag: 'CryptographicUsageMask' as const, value: 8 },
        active,
        limits(5n),
      ]
      const made = await engine.call(as, 'Create', { ObjectType: 'SymmetricKey', Attributes })
      const { UniqueIdentifier } = made
      return ['GetUsageAllocation', { UniqueIdentifier, UsageLimitsCount: 1n }]
    },
    'IllegalOperation',
    'InvalidObjectType',
  ],
  [
    'an allocation of an opaque object',
    async (engine, as) => {
      const OpaqueObject = { OpaqueDataType: 0x8000_0001, OpaqueDataValue: Uint8Array.of(1) }
      const [, request] = register('OpaqueObject', { OpaqueObject })
      const { UniqueIdentifier } = await engine.call(as, 'Register', request as never)
      return ['GetUsageAllocation', { UniqueIdentifier, UsageLimitsCount: 1n }]
    },
    'IllegalOperation',
    'AttributeNotFound',
  ],
]

describeRefusals('leases and allocations', rows)
