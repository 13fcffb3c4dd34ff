// Maximum Response Size: what does not fit is not sent, and what must not happen unseen does not happen.
import { describe, expect, test } from 'vitest'
import type { ResponseBatchItem } from '../../../src/kmip/model/messages.ts'
import { everyVersion, requestBytes, tapeKey, testEngine, type Ask } from './engine.ts'

const create = (data: string): Ask => [
  'Create',
  { ObjectType: 'SymmetricKey', Attributes: tapeKey(data) },
]
const query: Ask = ['Query', { QueryFunction: ['QueryOperations', 'QueryObjects'] }]
const reasonOf = (items: ResponseBatchItem[]) =>
  items.map(({ ResultStatus, ResultReason }) => ResultReason ?? ResultStatus)

describe.each(everyVersion)('KMIP %s', (as) => {
  test('an answer that fits exactly is sent, one byte less refuses it', async () => {
    const engine = await testEngine()
    const size = (await engine.raw(requestBytes(as, [query]))).length
    const fits = await engine.batch(as, [query], { MaximumResponseSize: size })
    expect(reasonOf(fits)).toEqual(['Success'])
    const tooLarge = await engine.batch(as, [query], { MaximumResponseSize: size - 1 })
    expect(reasonOf(tooLarge)).toEqual(['ResponseTooLarge'])
  })

  test('a Create whose answer cannot fit is not done', async () => {
    const engine = await testEngine()
    const answers = await engine.batch(as, [create('A')], { MaximumResponseSize: 150 })
    expect(reasonOf(answers)).toEqual(['ResponseTooLarge'])
    expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([])
    await engine.key(as, 'A')
  })

  test('a tiny limit is answered with the error although that does not fit either', async () => {
    const engine = await testEngine()
    expect(reasonOf(await engine.batch(as, [query], { MaximumResponseSize: 1 }))).toEqual([
      'ResponseTooLarge',
    ])
  })
})

test('a Get that does not fit leaves the key fresh', async () => {
  const engine = await testEngine()
  const id = await engine.key('1.4', 'A')
  const header = { MaximumResponseSize: 250 }
  const answers = await engine.batch('1.4', [['Get', { UniqueIdentifier: id }]], header)
  expect(reasonOf(answers)).toEqual(['ResponseTooLarge'])
  expect(await engine.attribute('1.4', id, 'Fresh')).toEqual([true])
})

test('in a batch only what no longer fits is refused; what is behind it still has the room', async () => {
  const engine = await testEngine()
  const header = { MaximumResponseSize: 560, BatchErrorContinuationOption: 'Continue' as const }
  const answers = await engine.batch('1.4', [create('A'), query, create('B')], header)
  expect(reasonOf(answers)).toEqual(['Success', 'ResponseTooLarge', 'Success'])
  expect((await engine.call('1.4', 'Locate', {})).UniqueIdentifier).toHaveLength(2)
})

test('with Stop, items behind the one that does not fit are not done', async () => {
  const engine = await testEngine()
  const header = { MaximumResponseSize: 400 }
  const answers = await engine.batch('1.4', [create('A'), ['Get', {}], create('B')], header)
  expect(reasonOf(answers)).toEqual(['Success', 'ResponseTooLarge'])
  expect((await engine.call('1.4', 'Locate', {})).UniqueIdentifier).toHaveLength(1)
})

test('with Undo, an answer that does not fit undoes all', async () => {
  const engine = await testEngine()
  const header = { MaximumResponseSize: 400, BatchErrorContinuationOption: 'Undo' as const }
  const answers = await engine.batch('1.4', [create('A'), ['Get', {}]], header)
  expect(answers.map(({ ResultStatus }) => ResultStatus)).toEqual([
    'OperationUndone',
    'OperationFailed',
  ])
  expect(answers[1]!.ResultReason).toBe('ResponseTooLarge')
  expect((await engine.call('1.4', 'Locate', {})).UniqueIdentifier).toEqual([])
})

test('a refusal for size is audited as what it was, not as a Create', async () => {
  const engine = await testEngine()
  await engine.batch('1.4', [create('A')], { MaximumResponseSize: 150 })
  expect((await engine.audited()).map(({ operation, outcome }) => [operation, outcome])).toEqual([
    ['Create', 'ResponseTooLarge'],
  ])
})
