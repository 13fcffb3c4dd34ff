// Batch Error Continuation Option Undo: everything or nothing, and the audit tells of both.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { ResponseBatchItem } from '../../../src/kmip/model/messages.ts'
import { everyVersion, isLate, tapeKey, testEngine, type Ask } from './engine.ts'

const undo = { BatchErrorContinuationOption: 'Undo' as const }
const create = (data: string): Ask => [
  'Create',
  { ObjectType: 'SymmetricKey', Attributes: tapeKey(data) },
]
const missing: Ask = ['Get', { UniqueIdentifier: 'no such key' }]
const statusOf = (items: ResponseBatchItem[]) => items.map(({ ResultStatus }) => ResultStatus)

describe.each<VersionText>(everyVersion)('KMIP %s', (as) => {
  test('a failing item undoes all before it: nothing is visible, and no key is sent', async () => {
    const engine = await testEngine()
    const answers = await engine.batch(as, [create('A'), ['Get', {}], create('B'), missing], undo)
    expect(statusOf(answers)).toEqual([
      'OperationUndone',
      'OperationUndone',
      'OperationUndone',
      'OperationFailed',
    ])
    expect(answers[3]!.ResultReason).toBe(isLate(as) ? 'ObjectNotFound' : 'ItemNotFound')
    // An undone item still has its payload (§8.6), but the key is not in it.
    const { UniqueIdentifier } = answers[0]!.ResponsePayload as { UniqueIdentifier: string }
    expect(answers[1]!.ResponsePayload).toEqual({ ObjectType: 'SymmetricKey', UniqueIdentifier })
    expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([])
    expect(await engine.refused(as, 'GetAttributes', { UniqueIdentifier })).toBe(
      isLate(as) ? 'ObjectNotFound' : 'ItemNotFound',
    )
    // Name and application information are free again.
    await engine.key(as, 'A')
  })

  test('a batch without failures is done', async () => {
    const engine = await testEngine()
    const answers = await engine.batch(as, [create('A'), ['Get', {}], create('B')], undo)
    expect(statusOf(answers)).toEqual(['Success', 'Success', 'Success'])
    expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toHaveLength(2)
  })
})

test.each<VersionText>(everyVersion)(
  'KMIP %s: a batch that would hold up others as one transaction is refused before it begins',
  async (as) => {
    const engine = await testEngine()
    const queries = (count: number): Ask[] =>
      Array.from({ length: count }, () => ['Query', { QueryFunction: ['QueryObjects'] }])
    expect(await engine.batch(as, queries(200), undo)).toHaveLength(200)
    const [refused, ...others] = await engine.batch(as, [create('A'), ...queries(200)], undo)
    expect(others).toEqual([])
    expect(refused).toMatchObject({
      ResultStatus: 'OperationFailed',
      ResultReason: 'InvalidMessage',
    })
    expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([])
    expect(await engine.batch(as, queries(201))).toHaveLength(201)
  },
)

test('changes to objects that were there before are undone too', async () => {
  const engine = await testEngine()
  const id = await engine.key('2.1', 'A')
  const before = await engine.call('2.1', 'GetAttributes', { UniqueIdentifier: id })
  engine.time.seconds += 100n
  const answers = await engine.batch(
    '2.1',
    [
      ['Activate', { UniqueIdentifier: id }],
      [
        'SetAttribute',
        { UniqueIdentifier: id, NewAttribute: { tag: 'ContactInformation', value: 'somebody' } },
      ],
      ['Get', { UniqueIdentifier: id }],
      ['Check', { UniqueIdentifier: id, CryptographicUsageMask: 0x200 }],
    ],
    undo,
  )
  expect(statusOf(answers)).toEqual([
    'OperationUndone',
    'OperationUndone',
    'OperationUndone',
    'OperationFailed',
  ])
  expect(await engine.call('2.1', 'GetAttributes', { UniqueIdentifier: id })).toEqual(before)
})

test('a Destroy with wiping at once is undone whole: the key is served', async () => {
  const engine = await testEngine()
  await engine.policy('destroy=now')
  const id = await engine.key('1.4', 'A')
  await engine.batch('1.4', [['Destroy', { UniqueIdentifier: id }], missing], undo)
  await engine.call('1.4', 'Get', { UniqueIdentifier: id })
})

test('the audit holds what was attempted, that it was undone, and the refusal', async () => {
  const engine = await testEngine()
  await engine.batch(
    '1.4',
    [create('A'), ['Get', {}], ['Query', { QueryFunction: ['QueryObjects'] }], missing],
    undo,
  )
  const audited = await engine.audited()
  expect(audited.map(({ operation, outcome }) => [operation, outcome])).toEqual([
    ['Create', 'OperationUndone'],
    ['Get', 'OperationUndone'],
    ['Get', 'ItemNotFound'],
  ])
  // Nothing of it changed the store.
  expect(audited.flatMap(({ changes }) => changes)).toEqual([])
})

test('undone Destroys do not count towards the alarm', async () => {
  const engine = await testEngine()
  const ids: string[] = []
  for (let at = 0; at < 12; at++) ids.push(await engine.key('1.4', `${at}`))
  const asks = ids.map((UniqueIdentifier): Ask => ['Destroy', { UniqueIdentifier }])
  await engine.batch('1.4', [...asks, missing], undo)
  expect(engine.alarms()).toEqual([])
})

test('a first item that fails leaves nothing to undo', async () => {
  const engine = await testEngine()
  const answers = await engine.batch('1.4', [missing, create('A')], undo)
  expect(statusOf(answers)).toEqual(['OperationFailed'])
})
