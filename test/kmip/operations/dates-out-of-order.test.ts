// Dates that Activate and Revoke have brought out of order (KMIP 2.1 §4.40, §4.41), and dates at the end of time.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { RequestPayload, ResponsePayload } from '../../../src/kmip/model/payloads/index.ts'
import { everyVersion, isLate, started, testEngine, type TestEngine } from './engine.ts'

const date = (
  tag: 'ActivationDate' | 'ProcessStartDate' | 'ProtectStopDate' | 'DeactivationDate',
  value: bigint,
): AttributeInstance => ({ tag, value })

const contact: AttributeInstance = { tag: 'ContactInformation', value: 'somebody' }
const superseded = { RevocationReasonCode: 'Superseded' as const, RevocationMessage: undefined }
const endOfTime = 2n ** 63n - 1n

async function revoked(engine: TestEngine, as: VersionText): Promise<string> {
  const id = await engine.key(as, 'A', [
    date('ActivationDate', started - 100n),
    date('ProtectStopDate', started + 900n),
  ])
  await engine.call(as, 'Revoke', { UniqueIdentifier: id, RevocationReason: superseded } as never)
  return id
}

async function activated(engine: TestEngine, as: VersionText): Promise<string> {
  const id = await engine.key(as, 'A', [date('ProcessStartDate', started - 50n)])
  await engine.call(as, 'Activate', { UniqueIdentifier: id })
  return id
}

const imported = (engine: TestEngine, { ObjectType, ...rest }: ResponsePayload<'Export'>) =>
  engine.call('2.1', 'Import', { ...rest, ObjectType } as Partial<RequestPayload<'Import'>>)

describe.each(everyVersion)('KMIP %s', (as) => {
  test('Revoke lets protection stop with the life of the key', async () => {
    const engine = await testEngine()
    const id = await revoked(engine, as)
    expect(await engine.attribute(as, id, 'DeactivationDate')).toEqual([started])
    expect(await engine.attribute(as, id, 'ProtectStopDate')).toEqual([started])
  })

  test.each([
    ['revoked before its Protect Stop Date', revoked],
    ['activated after its Process Start Date', activated],
  ])('a key %s takes attributes, and a replacement', async (_, made) => {
    const engine = await testEngine()
    const id = await made(engine, as)
    await engine.call(as, 'AddAttribute', { UniqueIdentifier: id, NewAttribute: contact })
    expect(await engine.attribute(as, id, 'ContactInformation')).toEqual(['somebody'])
    await engine.call(as, 'ReKey', { UniqueIdentifier: id })
  })

  test('the order of dates that a client changes is looked at', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [
      date('ActivationDate', started + 100n),
      date('DeactivationDate', started + 900n),
    ])
    for (const NewAttribute of [
      date('ProcessStartDate', started + 99n),
      date('ProtectStopDate', started + 901n),
    ])
      expect(await engine.refused(as, 'AddAttribute', { UniqueIdentifier: id, NewAttribute })).toBe(
        isLate(as) ? 'InvalidAttributeValue' : 'InvalidField',
      )
  })

  test('an Offset that leads past the end of time is refused, and nothing is changed', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [
      date('ActivationDate', started - 5n),
      date('DeactivationDate', endOfTime),
    ])
    expect(await engine.refused(as, 'ReKey', { UniqueIdentifier: id, Offset: 100 })).toBe(
      'InvalidField',
    )
    expect(await engine.attribute(as, id, 'Link')).toEqual([])
  })
})

test.each([
  ['revoked before its Protect Stop Date', revoked],
  ['activated after its Process Start Date', activated],
])('a key %s goes to another server', async (_, made) => {
  const [here, there] = [await testEngine(), await testEngine()]
  const id = await made(here, '2.1')
  const exported = await here.call('2.1', 'Export', { UniqueIdentifier: id })
  expect(await imported(there, exported)).toEqual({ UniqueIdentifier: id })
})

test('as does one that an earlier release has left with its Protect Stop Date', async () => {
  const [here, there] = [await testEngine(), await testEngine()]
  const id = await revoked(here, '2.1')
  const exported = await here.call('2.1', 'Export', { UniqueIdentifier: id })
  const Attributes = exported.Attributes.map((one) =>
    one.tag === 'ProtectStopDate' ? date('ProtectStopDate', started + 900n) : one,
  )
  await imported(there, { ...exported, Attributes })
  await there.call('2.1', 'AddAttribute', { UniqueIdentifier: id, NewAttribute: contact })
  await there.call('2.1', 'ReKey', { UniqueIdentifier: id })
})

test('nothing follows on the last Rotate Generation', async () => {
  const [here, there] = [await testEngine(), await testEngine()]
  const id = await here.key('2.1', 'A')
  const exported = await here.call('2.1', 'Export', { UniqueIdentifier: id })
  const generation: AttributeInstance = { tag: 'RotateGeneration', value: 2 ** 31 - 1 }
  const Attributes = [
    ...exported.Attributes.filter(({ tag }) => tag !== 'RotateGeneration'),
    generation,
  ]
  await imported(there, { ...exported, Attributes })
  expect(await there.refused('2.1', 'ReKey', { UniqueIdentifier: id })).toBe('InvalidField')
})
