// Batches: order, continuation, identifiers that live as long as the batch.
import { describe, expect, test } from 'vitest'
import type { ResponseBatchItem } from '../../../src/kmip/model/messages.ts'
import type { ResponsePayload } from '../../../src/kmip/model/payloads/index.ts'
import {
  answerOf,
  childrenOf,
  edited,
  everyVersion,
  found,
  isLate,
  requestBytes,
  tapeKey,
  testEngine,
  type Ask,
} from './engine.ts'

const statusOf = (items: ResponseBatchItem[]) => items.map(({ ResultStatus }) => ResultStatus)
const idOf = (item: ResponseBatchItem | undefined) =>
  (item!.ResponsePayload as { UniqueIdentifier: string }).UniqueIdentifier

const create = (data: string): Ask => [
  'Create',
  { ObjectType: 'SymmetricKey', Attributes: tapeKey(data) },
]
const locate = (data: string): Ask => ['Locate', { Attributes: [tapeKey(data)[4]!] }]
const missing: Ask = ['Get', { UniqueIdentifier: 'no such key' }]

describe.each(everyVersion)('KMIP %s', (as) => {
  test('after a failure, Stop answers what was done and the failure, and nothing behind it', async () => {
    const engine = await testEngine()
    const answers = await engine.batch(as, [create('A'), missing, create('B')])
    expect(statusOf(answers)).toEqual(['Success', 'OperationFailed'])
    expect(answers[1]!.ResultReason).toBe(isLate(as) ? 'ObjectNotFound' : 'ItemNotFound')
    // What was done before stays, what stood behind it was not done.
    expect(statusOf(await engine.batch(as, [locate('A'), ['Get', {}]]))).toEqual([
      'Success',
      'Success',
    ])
    const { UniqueIdentifier } = await engine.call(as, 'Locate', {
      Attributes: [tapeKey('B')[4]!],
    })
    expect(UniqueIdentifier).toEqual([])
  })

  test('with Continue every item is answered', async () => {
    const engine = await testEngine()
    const answers = await engine.batch(as, [missing, create('A'), missing, create('B')], {
      BatchErrorContinuationOption: 'Continue',
    })
    expect(statusOf(answers)).toEqual(['OperationFailed', 'Success', 'OperationFailed', 'Success'])
    expect(answers.map(({ UniqueBatchItemID }) => [...UniqueBatchItemID!])).toEqual([
      [1],
      [2],
      [3],
      [4],
    ])
  })
})

test('1 to 32 items and 1000 run in order, whatever Batch Order Option says', async () => {
  const engine = await testEngine()
  for (const [count, order] of [
    [1, true],
    [32, false],
    [1000, undefined],
  ] as const) {
    const asks = Array.from({ length: count }, (_, at) => create(`${count}-${at}`))
    const header = order === undefined ? {} : { BatchOrderOption: order }
    const answers = await engine.batch('1.4', asks, header)
    expect(answers).toHaveLength(count)
    const located = await engine.call('1.4', 'Locate', {
      MaximumItems: count,
      Attributes: [],
    })
    // Newest first: the order of creation backwards.
    expect(located.UniqueIdentifier).toEqual(answers.map(idOf).toReversed())
  }
})

test('a long batch that stops half-way keeps what was done', async () => {
  const engine = await testEngine()
  const asks = Array.from({ length: 300 }, (_, at) => (at === 250 ? missing : create(`${at}`)))
  const answers = await engine.batch('1.2', asks)
  expect(answers).toHaveLength(251)
  expect(statusOf(answers).filter((status) => status === 'Success')).toHaveLength(250)
})

test('more items than are taken refuse the whole message', async () => {
  const engine = await testEngine()
  const answers = await engine.batch(
    '1.4',
    Array.from({ length: 1025 }, (): Ask => ['Query', { QueryFunction: ['QueryOperations'] }]),
  )
  expect(answers).toHaveLength(1)
  expect(answers[0]).toMatchObject({ ResultReason: 'InvalidMessage' })
  expect(answers[0]!.Operation).toBeUndefined()
})

test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
  [
    'a Batch Count that is not the number of items',
    (bytes) => edited(bytes, (root) => Object.assign(found(root, 'BatchCount'), { value: 3 })),
  ],
  [
    'an item without Unique Batch Item ID among several',
    (bytes) =>
      edited(bytes, (root) => {
        const item = childrenOf(found(root, 'BatchItem'))
        item.splice(1, 1)
      }),
  ],
  [
    'no item at all',
    (bytes) =>
      edited(bytes, (root) => {
        childrenOf(root).splice(1)
        Object.assign(found(root, 'BatchCount'), { value: 0 })
      }),
  ],
  [
    'a Maximum Response Size of 0',
    (bytes) =>
      edited(bytes, (root) =>
        childrenOf(found(root, 'RequestHeader')).splice(1, 0, {
          tag: 0x420050,
          type: 'Integer',
          value: 0,
        }),
      ),
  ],
])('%s refuses the whole message, and nothing is done', async (_, spoil) => {
  const engine = await testEngine()
  const bytes = spoil(requestBytes('1.4', [create('A'), create('B')]))
  const { BatchItem } = answerOf(await engine.raw(bytes), '1.4')
  expect(BatchItem).toHaveLength(1)
  expect(BatchItem[0]).toMatchObject({
    ResultStatus: 'OperationFailed',
    ResultReason: 'InvalidMessage',
  })
  expect((await engine.call('1.4', 'Locate', {})).UniqueIdentifier).toEqual([])
})

test('Locate and Get in one batch hand out exactly the located key among many alike', async () => {
  const engine = await testEngine()
  const keys = new Map<string, string>()
  for (let at = 0; at < 50; at++) {
    const answers = await engine.batch('1.2', [create(`0${at}`), ['Get', {}]])
    keys.set(`0${at}`, materialOf(answers[1]!))
  }
  expect(new Set(keys.values()).size).toBe(50)
  for (const [data, key] of keys) {
    const answers = await engine.batch('1.2', [locate(data), ['Get', {}]])
    expect(materialOf(answers[1]!)).toBe(key)
  }
})

function materialOf(item: ResponseBatchItem): string {
  const { SymmetricKey } = item.ResponsePayload as ResponsePayload<'Get'>
  const value = SymmetricKey!.KeyBlock.KeyValue
  if (value?.type !== 'Structure') throw new Error('no key value in the clear')
  return Buffer.from(value.value.KeyMaterial as Uint8Array).toString('hex')
}
