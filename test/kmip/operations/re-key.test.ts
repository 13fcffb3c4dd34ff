// Re-key: a new symmetric key in the place of an old one, in every version.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { AttributeName } from '../../../src/kmip/model/attributes.ts'
import { everyVersion, isLate, principal, started, testEngine, type TestEngine } from './engine.ts'
import {
  contact,
  custom,
  describeRefusals,
  destroyed,
  name,
  register,
  secret,
  since14,
  type Row,
} from './refusals.ts'

const date = (tag: AttributeName, value: bigint): AttributeInstance => ({ tag, value })
const links = (engine: TestEngine, as: VersionText, id: string) => engine.attribute(as, id, 'Link')

/** An active key with every date, made a while ago. */
async function oldKey(engine: TestEngine, as: VersionText): Promise<string> {
  const id = await engine.key(as, 'A', [
    date('ActivationDate', started - 100n),
    date('ProcessStartDate', started - 50n),
    date('ProtectStopDate', started + 500n),
    date('DeactivationDate', started + 900n),
    { tag: 'UsageLimits', value: { UsageLimitsTotal: 100n, UsageLimitsUnit: 'Byte' } },
    { tag: 'CryptographicParameters', value: { BlockCipherMode: 'CBC' } },
    { tag: 'ObjectGroup', value: 'pool' },
    contact,
    custom('x', 'place', 'hall 3'),
  ])
  engine.time.seconds += 10n
  await engine.call(as, 'GetUsageAllocation', { UniqueIdentifier: id, UsageLimitsCount: 60n })
  return id
}

async function datesOf(engine: TestEngine, as: VersionText, id: string) {
  const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier: id })
  const held = Attributes!.filter(({ tag }) => /Date$|^State$/u.test(tag))
  return Object.fromEntries(held.map(({ tag, value }) => [tag, value]))
}

describe.each(everyVersion)('KMIP %s', (as) => {
  test('the replacement takes over attributes, dates and Name, with a new key', async () => {
    const engine = await testEngine()
    const old = await oldKey(engine, as)
    const before = await engine.call(as, 'Get', { UniqueIdentifier: old })
    engine.time.seconds += 10n
    const { UniqueIdentifier: id } = await engine.call(as, 'ReKey', { UniqueIdentifier: old })
    expect(id).not.toBe(old)
    for (const tag of [
      'CryptographicAlgorithm',
      'CryptographicLength',
      'CryptographicUsageMask',
      'CryptographicParameters',
      'ContactInformation',
      'ObjectGroup',
    ] as const)
      expect(await engine.attribute(as, id, tag)).toEqual(await engine.attribute(as, old, tag))
    expect(await engine.attribute(as, id, 'UsageLimits')).toEqual([
      { UsageLimitsTotal: 100n, UsageLimitsCount: 100n, UsageLimitsUnit: 'Byte' },
    ])
    expect(await engine.attribute(as, id, 'Name')).toEqual([name('name of A').value])
    expect(await engine.attribute(as, old, 'Name')).toEqual([])
    expect(await datesOf(engine, as, id)).toMatchObject({
      State: 'Active',
      InitialDate: started + 20n,
      LastChangeDate: started + 20n,
      ActivationDate: started - 100n,
      ProcessStartDate: started - 50n,
      ProtectStopDate: started + 500n,
      DeactivationDate: started + 900n,
    })
    const after = await engine.call(as, 'Get', { UniqueIdentifier: id })
    expect(after.SymmetricKey!.KeyBlock.CryptographicLength).toBe(256)
    expect(after.SymmetricKey).not.toEqual(before.SymmetricKey)
    const digest = await engine.attribute(as, id, 'Digest')
    expect(digest).not.toEqual(await engine.attribute(as, old, 'Digest'))
    const { Attributes } = await engine.call(as, 'GetAttributes', {
      UniqueIdentifier: id,
      AttributeReference: [{ tag: 'Attribute', vendor: 'x', name: 'place' }],
    })
    expect(Attributes).toEqual([custom('x', 'place', 'hall 3')])
  })

  test('both keys point to each other, and the old one changed', async () => {
    const engine = await testEngine()
    const old = await oldKey(engine, as)
    engine.time.seconds += 10n
    const { UniqueIdentifier: id } = await engine.call(as, 'ReKey', { UniqueIdentifier: old })
    expect(await links(engine, as, old)).toEqual([
      { LinkType: 'ReplacementObjectLink', LinkedObjectIdentifier: id },
    ])
    expect(await links(engine, as, id)).toEqual([
      { LinkType: 'ReplacedObjectLink', LinkedObjectIdentifier: old },
    ])
    expect(await engine.attribute(as, old, 'LastChangeDate')).toEqual([started + 20n])
    const next = await engine.call(as, 'ReKey', { UniqueIdentifier: id })
    expect(await links(engine, as, next.UniqueIdentifier)).toEqual([
      { LinkType: 'ReplacedObjectLink', LinkedObjectIdentifier: id },
    ])
  })

  test('an Offset shifts every date by as much as the Activation Date', async () => {
    const engine = await testEngine()
    const old = await oldKey(engine, as)
    engine.time.seconds += 990n
    const request = { UniqueIdentifier: old, Offset: 30 }
    const { UniqueIdentifier: id } = await engine.call(as, 'ReKey', request)
    expect(await datesOf(engine, as, old)).toMatchObject({ State: 'Deactivated' })
    expect(await datesOf(engine, as, id)).toMatchObject({
      State: 'PreActive',
      ActivationDate: started + 1030n,
      ProcessStartDate: started + 1080n,
      ProtectStopDate: started + 1630n,
      DeactivationDate: started + 2030n,
    })
    engine.time.seconds += 30n
    expect(await engine.attribute(as, id, 'State')).toEqual(['Active'])
  })

  test('an expired or compromised key gets a replacement; its own end is not inherited', async () => {
    const engine = await testEngine()
    const old = await oldKey(engine, as)
    await engine.call(as, 'Revoke', {
      UniqueIdentifier: old,
      RevocationReason: { RevocationReasonCode: 'KeyCompromise' },
    })
    const request = { UniqueIdentifier: old, Offset: 0 }
    const { UniqueIdentifier: id } = await engine.call(as, 'ReKey', request)
    const dates = await datesOf(engine, as, id)
    expect(dates).toMatchObject({ State: 'Active', ActivationDate: started + 10n })
    expect(Object.keys(dates)).not.toContain('CompromiseDate')
    expect(Object.keys(dates)).not.toContain('CompromiseOccurrenceDate')
    expect(await engine.attribute(as, id, 'RevocationReason')).toEqual([])
    expect(await engine.attribute(as, old, 'State')).toEqual(['Compromised'])
  })

  test('attributes of the request win over single ones and stand beside several', async () => {
    const engine = await testEngine()
    const old = await oldKey(engine, as)
    const Attributes = [
      name('second name'),
      name('name of A'),
      { tag: 'CryptographicLength' as const, value: 128 },
      date('ActivationDate', started + 20n),
      date('ProcessStartDate', started + 20n),
      date('DeactivationDate', started + 5000n),
    ]
    const request = { UniqueIdentifier: old, Attributes }
    const { UniqueIdentifier: id } = await engine.call(as, 'ReKey', request)
    expect(await engine.attribute(as, id, 'Name')).toEqual([
      name('name of A').value,
      name('second name').value,
    ])
    expect(await engine.attribute(as, id, 'CryptographicLength')).toEqual([128])
    expect(await datesOf(engine, as, id)).toMatchObject({
      State: 'PreActive',
      ActivationDate: started + 20n,
      ProtectStopDate: started + 500n,
      DeactivationDate: started + 5000n,
    })
  })

  test('a tape then belongs to the new key alone', async () => {
    const engine = await testEngine()
    const old = await oldKey(engine, as)
    const locate = async () => {
      const information = { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: 'A' }
      const Attributes = [{ tag: 'ApplicationSpecificInformation' as const, value: information }]
      return (await engine.call(as, 'Locate', { Attributes })).UniqueIdentifier
    }
    expect(await locate()).toEqual([old])
    const { UniqueIdentifier: id } = await engine.call(as, 'ReKey', { UniqueIdentifier: old })
    expect(await locate()).toEqual([id])
    expect(await engine.attribute(as, old, 'ApplicationSpecificInformation')).toEqual([])
  })

  test('other application information stays with the old key too', async () => {
    const engine = await testEngine()
    const information = { ApplicationNamespace: 'ssl', ApplicationData: 'www' }
    const held = [{ tag: 'ApplicationSpecificInformation' as const, value: information }]
    const Attributes = [...held, { tag: 'CryptographicUsageMask' as const, value: 12 }]
    const algorithm = { tag: 'CryptographicAlgorithm' as const, value: 'AES' }
    const made = await engine.call(as, 'Create', {
      ObjectType: 'SymmetricKey',
      Attributes: [...Attributes, algorithm],
    })
    await engine.call(as, 'ReKey', made)
    const found = await engine.call(as, 'Locate', { Attributes: held })
    expect(found.UniqueIdentifier).toHaveLength(2)
  })

  test('the ID Placeholder then means the new key', async () => {
    const engine = await testEngine()
    const old = await engine.key(as, 'A')
    const items = await engine.batch(as, [
      ['ReKey', { UniqueIdentifier: old }],
      ['ReKey', {}],
      ['GetAttributes', { AttributeReference: [{ tag: 'Name' }] }],
    ])
    expect(items.map(({ ResultStatus }) => ResultStatus)).toEqual(Array(3).fill('Success'))
    const [, second, shown] = items.map(({ ResponsePayload }) => ResponsePayload)
    expect(shown).toMatchObject(second as object)
  })

  test('an undone batch leaves the old key its Name', async () => {
    const engine = await testEngine()
    const old = await engine.key(as, 'A')
    await engine.batch(
      as,
      [
        ['ReKey', { UniqueIdentifier: old }],
        ['Get', { UniqueIdentifier: 'none' }],
      ],
      { BatchErrorContinuationOption: 'Undo' },
    )
    expect(await engine.attribute(as, old, 'Name')).toEqual([name('name of A').value])
    expect(await links(engine, as, old)).toEqual([])
  })

  test('a refused re-key changes nothing', async () => {
    const engine = await testEngine()
    const old = await engine.key(as, 'A')
    await engine.key(as, 'B')
    const request = { UniqueIdentifier: old, Attributes: [name('name of B')] }
    const reason = isLate(as) ? 'NonUniqueNameAttribute' : 'InvalidField'
    expect(await engine.refused(as, 'ReKey', request)).toBe(reason)
    expect(await engine.attribute(as, old, 'Name')).toEqual([name('name of A').value])
    expect(await links(engine, as, old)).toEqual([])
    await engine.call(as, 'ReKey', { UniqueIdentifier: old })
  })

  test('the record says which key was replaced', async () => {
    const engine = await testEngine()
    const old = await engine.key(as, 'A')
    const { UniqueIdentifier: id } = await engine.call(as, 'ReKey', { UniqueIdentifier: old })
    const record = (await engine.audited()).at(-1)!
    expect(record).toMatchObject({ operation: 'ReKey', object: id, details: { replaced: old } })
    expect(record.changes.map(({ object }) => object).sort()).toEqual([id, old].sort())
  })
})

test('a set of rotated keys is counted from zero, and the latest is known (2.1)', async () => {
  const engine = await testEngine()
  const old = await engine.key('2.1', 'A')
  const first = await engine.call('2.1', 'ReKey', { UniqueIdentifier: old })
  engine.time.seconds += 5n
  const second = await engine.call('2.1', 'ReKey', first)
  const rotation = async (id: string) => [
    ...(await engine.attribute('2.1', id, 'RotateGeneration')),
    ...(await engine.attribute('2.1', id, 'RotateLatest')),
    ...(await engine.attribute('2.1', id, 'RotateDate')),
  ]
  expect(await rotation(old)).toEqual([0, false, started])
  expect(await rotation(first.UniqueIdentifier)).toEqual([1, false, started + 5n])
  expect(await rotation(second.UniqueIdentifier)).toEqual([2, true])
})

test('a replacement stays with the owner of the old key', async () => {
  const engine = await testEngine()
  const user = principal({ name: 'alpha', owner: 'alpha/user', ownOnly: true })
  const made = await engine.call(
    '1.4',
    'Create',
    {
      ObjectType: 'SymmetricKey',
      Attributes: [
        { tag: 'CryptographicAlgorithm', value: 'AES' },
        { tag: 'CryptographicUsageMask', value: 12 },
      ],
    },
    user,
  )
  const replaced = await engine.call('1.4', 'ReKey', made)
  await engine.call('1.4', 'GetAttributes', replaced, user)
})

const again: Row[] = [
  [
    'a key that is not there',
    () => ['ReKey', { UniqueIdentifier: 'none' }],
    'ItemNotFound',
    'ObjectNotFound',
  ],
  [
    'a key that has a replacement',
    async (engine, as) => {
      const UniqueIdentifier = await engine.key(as, 'old')
      await engine.call(as, 'ReKey', { UniqueIdentifier })
      return ['ReKey', { UniqueIdentifier }]
    },
    'PermissionDenied',
    'PermissionDenied',
  ],
  [
    'a destroyed key',
    async (engine, as) => ['ReKey', { UniqueIdentifier: await destroyed(engine, as) }],
    'PermissionDenied',
    'PermissionDenied',
  ],
  [
    'an archived key',
    async (engine, as) => {
      const UniqueIdentifier = await engine.key(as, 'old')
      await engine.call(as, 'Archive', { UniqueIdentifier })
      return ['ReKey', { UniqueIdentifier }]
    },
    'ObjectArchived',
    'ObjectArchived',
  ],
  [
    'what is no symmetric key',
    async (engine, as) => {
      const [, request] = register('SecretData', { SecretData: secret('Raw') })
      const made = await engine.call(as, 'Register', request as never)
      return ['ReKey', { UniqueIdentifier: made.UniqueIdentifier }]
    },
    'PermissionDenied',
    'InvalidObjectType',
  ],
  [
    'a key whose value is elsewhere',
    async (engine, as) => {
      const block = { KeyFormatType: 'Raw', CryptographicAlgorithm: 'AES' }
      const SymmetricKey = { KeyBlock: { ...block, CryptographicLength: 128 } }
      const [, request] = register('SymmetricKey', { SymmetricKey })
      const made = await engine.call(as, 'Register', request as never)
      return ['ReKey', { UniqueIdentifier: made.UniqueIdentifier }]
    },
    'KeyValueNotPresent',
    'KeyValueNotPresent',
    since14,
  ],
  [
    'an Offset beside dates',
    async (engine, as) => [
      'ReKey',
      {
        UniqueIdentifier: await engine.key(as, 'old'),
        Offset: 5,
        Attributes: [date('ActivationDate', started)],
      },
    ],
    'InvalidMessage',
    'InvalidMessage',
  ],
  [
    'an Offset for dates without an Activation Date',
    async (engine, as) => [
      'ReKey',
      {
        UniqueIdentifier: await engine.key(as, 'old', [date('DeactivationDate', started + 50n)]),
        Offset: 5,
      },
    ],
    'IllegalOperation',
    'InvalidField',
  ],
  [
    'attributes that only the server sets',
    async (engine, as) => [
      'ReKey',
      {
        UniqueIdentifier: await engine.key(as, 'old'),
        Attributes: [date('InitialDate', started)],
      },
    ],
    'PermissionDenied',
    'ReadOnlyAttribute',
  ],
]

describeRefusals('Re-key', again)
