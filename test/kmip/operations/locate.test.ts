// Locate, rule by rule – KMIP 2.1 §6.1.28; KMIP 1.4 §4.9.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import { loadObject, saveObject } from '../../../src/keystore/keystore.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { everyVersion, started, tapeKey, testEngine, type TestEngine } from './engine.ts'

const maximal = 2n ** 63n - 1n

const asi = (value: object): AttributeInstance => ({ tag: 'ApplicationSpecificInformation', value })
const date = (tag: 'ActivationDate' | 'InitialDate' | 'ProcessStartDate', value: bigint) => ({
  tag,
  value,
})
const alternative = (AlternativeNameValue: string): AttributeInstance => ({
  tag: 'AlternativeName',
  value: { AlternativeNameValue, AlternativeNameType: 'UninterpretedTextString' },
})
const vendor = (AttributeName: string, value: string): AttributeInstance => ({
  tag: 'Attribute',
  value: {
    VendorIdentification: 'x',
    AttributeName,
    AttributeValue: { type: 'TextString', value },
  },
})
const link = (value: object): AttributeInstance => ({ tag: 'Link', value })

async function find(
  engine: TestEngine,
  as: VersionText,
  Attributes: AttributeInstance[],
  more: Partial<RequestPayload<'Locate'>> = {},
): Promise<string[]> {
  return (await engine.call(as, 'Locate', { Attributes, ...more })).UniqueIdentifier
}

/** Keys by a letter each, made a second apart; newest last. */
async function keys(
  engine: TestEngine,
  as: VersionText,
  of: Record<string, AttributeInstance[]>,
): Promise<Record<string, string>> {
  const made: Record<string, string> = {}
  for (const [letter, attributes] of Object.entries(of)) {
    engine.time.seconds += 1n
    made[letter] = await engine.key(as, letter, attributes)
  }
  return made
}

describe.each(everyVersion)('KMIP %s', (as) => {
  test('all conditions must hold, and every value named must be held', async () => {
    const engine = await testEngine()
    const group = (value: string): AttributeInstance => ({ tag: 'ObjectGroup', value })
    const { A, B } = await keys(engine, as, {
      A: [group('one'), group('two'), vendor('Barcode', 'KR0001L8')],
      B: [group('one'), vendor('Barcode', 'KR0001L8')],
    })
    expect(await find(engine, as, [group('one')])).toEqual([B, A])
    expect(await find(engine, as, [group('one'), group('two')])).toEqual([A])
    expect(await find(engine, as, [group('one'), group('three')])).toEqual([])
    expect(await find(engine, as, [vendor('Barcode', 'KR0001L8'), group('two')])).toEqual([A])
    expect(await find(engine, as, [vendor('Barcode', 'kr0001l8')])).toEqual([])
    expect(await find(engine, as, [])).toEqual([B, A])
  })

  test('an attribute that an object does not have never matches', async () => {
    const engine = await testEngine()
    await engine.key(as, 'A')
    const absent: AttributeInstance[] = [
      { tag: 'DeactivationDate', value: 0n },
      { tag: 'ContactInformation', value: '' },
      { tag: 'Link', value: { LinkType: 'PublicKeyLink', LinkedObjectIdentifier: '' } },
      { tag: 'ProcessStartDate', value: started },
      { tag: 'CryptographicParameters', value: {} },
      { tag: 'UsageLimits', value: { UsageLimitsTotal: 0n } },
      vendor('None', ''),
    ]
    for (const one of absent) expect(await find(engine, as, [one])).toEqual([])
  })

  test('structures may be given in part', async () => {
    const engine = await testEngine()
    const { A, B } = await keys(engine, as, {
      A: [
        asi({ ApplicationNamespace: 'ssl', ApplicationData: 'www' }),
        link({ LinkType: 'PublicKeyLink', LinkedObjectIdentifier: 'p' }),
      ],
      B: [link({ LinkType: 'PrivateKeyLink', LinkedObjectIdentifier: 'p' })],
    })
    expect(await find(engine, as, [asi({ ApplicationNamespace: 'ssl' })])).toEqual([A])
    expect(await find(engine, as, [asi({ ApplicationNamespace: 'LIBRARY-LTO' })])).toEqual([B, A])
    expect(await find(engine, as, [asi({ ApplicationData: 'B' })])).toEqual([B])
    // Both halves must be of one instance.
    const crossed = asi({ ApplicationNamespace: 'ssl', ApplicationData: 'A' })
    expect(await find(engine, as, [crossed])).toEqual([])
    expect(await find(engine, as, [{ tag: 'Name', value: { NameValue: 'name of A' } }])).toEqual([
      A,
    ])
    const type = { NameType: 'UninterpretedTextString' }
    expect(await find(engine, as, [{ tag: 'Name', value: type }])).toEqual([B, A])
    expect(await find(engine, as, [{ tag: 'Name', value: { NameType: 'URI' } }])).toEqual([])
    expect(await find(engine, as, [link({ LinkedObjectIdentifier: 'p' })])).toEqual([B, A])
    expect(await find(engine, as, [link({ LinkType: 'PrivateKeyLink' })])).toEqual([B])
  })

  test('a date given once must be equal, twice is a range, and the largest means “not set”', async () => {
    const engine = await testEngine()
    const { A, B, C } = await keys(engine, as, {
      A: [date('ActivationDate', 100n), date('ProcessStartDate', 150n)],
      B: [date('ActivationDate', 200n), date('ProcessStartDate', 250n)],
      C: [],
    })
    for (const [tag, shift] of [
      ['ActivationDate', 0n],
      ['ProcessStartDate', 50n],
    ] as const) {
      const by = (...values: bigint[]) =>
        find(
          engine,
          as,
          values.map((value) => date(tag, value === maximal ? value : value + shift)),
        )
      expect(await by(100n)).toEqual([A])
      expect(await by(101n)).toEqual([])
      expect(await by(100n, 200n)).toEqual([B, A])
      expect(await by(199n, 101n)).toEqual([])
      expect(await by(200n, -5n)).toEqual([B, A])
      expect(await by(150n, maximal)).toEqual([B])
      expect(await by(maximal)).toEqual([C])
      expect(await by(maximal, maximal)).toEqual([])
    }
    expect(await find(engine, as, [date('InitialDate', started + 2n)])).toEqual([B])
  })

  test('a usage mask matches keys that have all its bits', async () => {
    const engine = await testEngine()
    const { A } = await keys(engine, as, { A: [] })
    const by = (value: number) => find(engine, as, [{ tag: 'CryptographicUsageMask', value }])
    expect(await by(0)).toEqual([A])
    expect(await by(4)).toEqual([A])
    expect(await by(12)).toEqual([A])
    expect(await by(13)).toEqual([])
  })

  test('Usage Limits match keys that have at least as much', async () => {
    const engine = await testEngine()
    const limits = (UsageLimitsTotal: bigint): AttributeInstance => ({
      tag: 'UsageLimits',
      value: { UsageLimitsTotal, UsageLimitsUnit: 'Byte' },
    })
    const { B } = await keys(engine, as, { A: [limits(5n)], B: [limits(9n)], C: [] })
    expect(await find(engine, as, [limits(6n)])).toEqual([B])
    expect(await find(engine, as, [limits(10n)])).toEqual([])
    const count = { UsageLimitsCount: 9n }
    expect(await find(engine, as, [{ tag: 'UsageLimits', value: count }])).toEqual([B])
    const objects = { UsageLimitsTotal: 1n, UsageLimitsUnit: 'Object' }
    expect(await find(engine, as, [{ tag: 'UsageLimits', value: objects }])).toEqual([])
  })

  test('archived and destroyed objects are found by who asks for them', async () => {
    const engine = await testEngine()
    const { A, B, C } = await keys(engine, as, { A: [], B: [], C: [] })
    await engine.call(as, 'Destroy', { UniqueIdentifier: B! })
    await archive(engine, C!)
    const by = (StorageStatusMask?: number) =>
      find(engine, as, [], StorageStatusMask === undefined ? {} : { StorageStatusMask })
    expect(await by()).toEqual([A])
    expect(await by(1)).toEqual([A])
    expect(await by(2)).toEqual([C])
    expect(await by(3)).toEqual([C, A])
    expect(await by(0)).toEqual([])
    // 1.x does not know the bit for destroyed ones; the encoder would not write it.
    if (as < '2.0') return
    expect(await by(4)).toEqual([B])
    expect(await by(5)).toEqual([B, A])
    expect(await by(6)).toEqual([C, B])
    expect(await by(7)).toEqual([C, B, A])
    const byState = [{ tag: 'State' as const, value: 'Destroyed' }]
    expect(await find(engine, as, byState, { StorageStatusMask: 6 })).toEqual([B])
    expect(await find(engine, as, byState)).toEqual([])
  })
})

async function archive(engine: TestEngine, id: string): Promise<void> {
  await engine.store.act(async (work) => {
    const object = (await loadObject(work, 'default', id))!
    object.vitals.ArchiveDate = work.now
    await saveObject(work, object)
    work.audit({ actor: { name: 'x', kind: 'cli' }, operation: 'store', outcome: 'Success' })
  })
}

test.each(['1.1', '1.4', '2.1'] as const)(
  'in %s Group Member Fresh finds keys nobody got yet',
  async (as) => {
    const engine = await testEngine()
    const pool: AttributeInstance = { tag: 'ObjectGroup', value: 'pool' }
    const { A, B } = await keys(engine, as, { A: [pool], B: [pool], C: [] })
    const fresh = { ObjectGroupMember: 'GroupMemberFresh' as const }
    expect(await find(engine, as, [pool], fresh)).toEqual([B, A])
    await engine.call(as, 'Get', { UniqueIdentifier: B! })
    expect(await find(engine, as, [pool], fresh)).toEqual([A])
    await engine.call(as, 'Get', { UniqueIdentifier: A! })
    expect(await find(engine, as, [pool], fresh)).toEqual([])
    // The default member is the newest.
    expect(await find(engine, as, [pool], { ObjectGroupMember: 'GroupMemberDefault' })).toEqual([B])
  },
)

test.each(['1.3', '1.4', '2.0', '2.1'] as const)(
  'in %s pages follow one another, newest first',
  async (as) => {
    const engine = await testEngine()
    const made: string[] = []
    // All in one second: identifiers of pages must not depend on the clock.
    for (let at = 0; at < 25; at++) made.unshift(await engine.key(as, `${at}`))
    for (const Attributes of [[], [{ tag: 'State' as const, value: 'PreActive' }]]) {
      const seen: string[] = []
      for (let OffsetItems = 0; OffsetItems < 30; OffsetItems += 10) {
        const page = { Attributes, MaximumItems: 10, OffsetItems }
        const answer = await engine.call(as, 'Locate', page)
        expect(answer.LocatedItems).toBe(25)
        seen.push(...answer.UniqueIdentifier)
      }
      expect(seen).toEqual(made)
      const plain = await engine.call(as, 'Locate', { Attributes, MaximumItems: 3 })
      expect(plain).toEqual({ UniqueIdentifier: made.slice(0, 3) })
    }
  },
)

test('an answer holds as many identifiers as the server allows, and the rest is counted', async () => {
  const engine = await testEngine()
  engine.responder.facts.locate.maximumItems = 4
  for (let at = 0; at < 6; at++) await engine.key('1.4', `${at}`)
  const answer = await engine.call('1.4', 'Locate', { Attributes: [], OffsetItems: 0 })
  expect(answer.UniqueIdentifier).toHaveLength(4)
  expect(answer.LocatedItems).toBe(6)
})

test('a search without index stops at the number of objects it may look at', async () => {
  const engine = await testEngine()
  engine.responder.facts.locate.maximumScanned = 5
  for (let at = 0; at < 5; at++) await engine.key('1.4', `${at}`, [vendor('Shelf', '7')])
  const slow = { Attributes: [{ tag: 'State' as const, value: 'PreActive' }] }
  expect((await engine.call('1.4', 'Locate', slow)).UniqueIdentifier).toHaveLength(5)
  await engine.key('1.4', 'one more')
  expect(await engine.refused('1.4', 'Locate', slow)).toBe('GeneralFailure')
  expect(await engine.refused('2.1', 'Locate', slow)).toBe('ServerLimitExceeded')
  // With an index the same question is answered.
  expect(await find(engine, '1.4', [...slow.Attributes, tapeKey('3')[4]!])).toHaveLength(1)
  expect(await find(engine, '1.4', [...slow.Attributes, vendor('Shelf', '7')])).toHaveLength(5)
})

test('a search without index stops when its time is up, one with an index does not need it', async () => {
  const engine = await testEngine()
  engine.responder.facts.locate.maximumTime = -1
  await engine.key('1.4', 'A')
  const slow = { tag: 'State' as const, value: 'PreActive' }
  expect(await engine.refused('2.1', 'Locate', { Attributes: [slow] })).toBe('ServerLimitExceeded')
  expect(await find(engine, '1.4', [tapeKey('A')[4]!])).toHaveLength(1)
})

test('an Attribute Index in a search is passed over', async () => {
  const engine = await testEngine()
  const id = await engine.key('1.2', 'A')
  expect(await find(engine, '1.2', [{ ...tapeKey('A')[4]!, index: 7 }])).toEqual([id])
})

test('a relabelled cartridge is found by either label', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await engine.key('1.2', 'A', [alternative('KR0001L8')])
  const NewAttribute = alternative('KR0009L8')
  await engine.call('1.2', 'AddAttribute', { UniqueIdentifier, NewAttribute })
  for (const label of ['KR0001L8', 'KR0009L8'])
    expect(await find(engine, '1.2', [alternative(label)])).toEqual([UniqueIdentifier])
})

test('in 2.x vendor attributes may be searched for by name alone', async () => {
  const engine = await testEngine()
  const id = await engine.key('2.1', 'A', [vendor('Barcode', 'KR0001L8')])
  await engine.key('2.1', 'B')
  const value = { VendorIdentification: 'x', AttributeName: 'Barcode' }
  expect(await find(engine, '2.1', [{ tag: 'Attribute', value }])).toEqual([id])
})

test('searching changes nothing and leaves no audit record', async () => {
  const engine = await testEngine()
  await engine.key('1.4', 'A')
  await find(engine, '1.4', [tapeKey('A')[4]!])
  expect((await engine.audited()).map(({ operation }) => operation)).toEqual(['Create'])
})

test.each(everyVersion)(
  '%s: a tape that nobody here has is noted when it is looked for',
  async (as) => {
    const engine = await testEngine()
    await engine.key(as, 'KAD-1')
    const { unknownTapes } = engine.responder
    const tape = (ApplicationData: string, ApplicationNamespace = 'LIBRARY-LTO') =>
      find(engine, as, [asi({ ApplicationNamespace, ApplicationData })])
    await tape('KAD-1')
    await tape('KAD-2', 'BACKUP')
    expect(unknownTapes?.take()).toEqual([])
    await tape('KAD-2', 'ACME-LIBRARY-LTO')
    const noted = { group: 'default', namespace: 'LIBRARY-LTO', data: 'KAD-2', library: 'alpha' }
    expect(unknownTapes?.take()).toEqual([{ ...noted, asked: started }])
  },
)
