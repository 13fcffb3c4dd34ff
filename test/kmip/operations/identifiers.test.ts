// Identifiers that live as long as the batch: the ID Placeholder (KMIP 2.1 §6.1), and those of 2.x (§4.58).
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { ResponseBatchItem } from '../../../src/kmip/model/messages.ts'
import {
  answerOf,
  childrenOf,
  edited,
  found,
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
describe('the ID Placeholder', () => {
  test.each<[string, Ask]>([
    ['Create', create('new')],
    [
      'Register',
      [
        'Register',
        {
          ObjectType: 'OpaqueObject',
          Attributes: [],
          OpaqueObject: { OpaqueDataType: 0x80000001, OpaqueDataValue: Uint8Array.of(1) },
        },
      ],
    ],
    ['Locate of one object', locate('old')],
  ])('is set by %s', async (_, ask) => {
    const engine = await testEngine()
    await engine.key('1.4', 'old')
    const answers = await engine.batch('1.4', [ask, ['GetAttributes', {}], ['Get', {}]])
    expect(statusOf(answers)).toEqual(['Success', 'Success', 'Success'])
    expect(idOf(answers[1])).toBe([idOf(answers[0])].flat()[0])
    expect(idOf(answers[2])).toBe(idOf(answers[1]))
  })

  test.each<[string, Ask]>([
    ['a Locate that finds several', ['Locate', { Attributes: [] }]],
    ['a Locate of several at an offset', ['Locate', { Attributes: [], OffsetItems: 1 }]],
    ['a Locate that finds none', locate('nowhere')],
    ['a Locate that is refused', ['Locate', { Attributes: [], MaximumItems: -1 }]],
    ['a Create that is refused', create('one')],
    ['a Check that denies', ['Check', { CryptographicUsageMask: 0x200 }]],
  ])('is emptied by %s', async (_, ask) => {
    const engine = await testEngine()
    await engine.key('1.4', 'one')
    await engine.key('1.4', 'two')
    const header = { BatchErrorContinuationOption: 'Continue' as const }
    const answers = await engine.batch('1.4', [locate('one'), ask, ['Get', {}]], header)
    expect(answers[0]!.ResultStatus).toBe('Success')
    expect(answers[2]).toMatchObject({
      ResultStatus: 'OperationFailed',
      ResultReason: 'ItemNotFound',
    })
  })

  test('is emptied by an item that was not run: who knows what it would have set', async () => {
    const engine = await testEngine()
    await engine.key('2.1', 'one')
    const header = { BatchErrorContinuationOption: 'Continue' as const }
    const bytes = edited(
      requestBytes('2.1', [locate('one'), locate('one'), ['Get', {}]], header),
      (root) =>
        Object.assign(found(childrenOf(root)[2]!, 'Operation'), {
          value: 0x8000_0001,
        }),
    )
    const { BatchItem } = answerOf(await engine.raw(bytes), '2.1')
    expect(BatchItem.map(({ ResultReason }) => ResultReason)).toEqual([
      undefined,
      'OperationNotSupported',
      'ObjectNotFound',
    ])
  })

  test('is set by a Locate of several that asks for one', async () => {
    const engine = await testEngine()
    await engine.key('1.4', 'one')
    const newest = await engine.key('1.4', 'two')
    const answers = await engine.batch('1.4', [
      ['Locate', { Attributes: [], MaximumItems: 1 }],
      ['Get', {}],
    ])
    expect(idOf(answers[1])).toBe(newest)
  })

  test('survives items that do not set it', async () => {
    const engine = await testEngine()
    const id = await engine.key('1.4', 'one')
    const answers = await engine.batch('1.4', [
      locate('one'),
      ['Query', { QueryFunction: ['QueryObjects'] }],
      ['Activate', {}],
      ['Check', { CryptographicUsageMask: 4 }],
      ['Get', {}],
    ])
    expect(statusOf(answers)).toEqual(Array(5).fill('Success'))
    expect(idOf(answers[4])).toBe(id)
  })

  test('does not reach into the next message', async () => {
    const engine = await testEngine()
    await engine.batch('1.4', [create('one')])
    expect(await engine.refused('1.4', 'Get', {})).toBe('ItemNotFound')
    expect(await engine.refused('2.1', 'Get', {})).toBe('ObjectNotFound')
  })
})

describe.each<VersionText>(['2.0', '2.1'])('Unique Identifiers of KMIP %s by other means', (as) => {
  const get = (name: ResponseIdentifier): Ask => ['Get', { UniqueIdentifier: name }]
  type ResponseIdentifier = Extract<Ask, ['Get', unknown]>[1]['UniqueIdentifier'] & {}

  test('a position counts the identifiers answered so far, from either end', async () => {
    const engine = await testEngine()
    const answers = await engine.batch(as, [
      create('A'),
      create('B'),
      get({ position: 0 }),
      get({ position: 1 }),
      get({ position: -3 }),
      get({ position: -1 }),
    ])
    expect(statusOf(answers)).toEqual(Array(6).fill('Success'))
    const [A, B] = answers.map(idOf)
    // Before the fifth item the answers name A, B, A, B; before the sixth A, B, A, B, B.
    expect(answers.slice(2).map(idOf)).toEqual([A, B, B, B])
  })

  test('an operation stands for what its most recent item answered', async () => {
    const engine = await testEngine()
    const answers = await engine.batch(as, [
      create('A'),
      create('B'),
      locate('A'),
      get({ placeholder: 'Create' }),
      get({ placeholder: 'Locate' }),
      get({ placeholder: 'IDPlaceholder' }),
    ])
    const [A, B] = answers.map(idOf)
    expect(answers.slice(3).map(idOf)).toEqual([B, A, A])
  })

  test.each<[string, ResponseIdentifier]>([
    ['a position that is not there', { position: 7 }],
    ['an operation that has not run', { placeholder: 'Register' }],
    ['an empty ID Placeholder', { placeholder: 'IDPlaceholder' }],
  ])('%s finds no object', async (_, name) => {
    const engine = await testEngine()
    expect(await engine.refused(as, 'Get', { UniqueIdentifier: name })).toBe('ObjectNotFound')
  })

  test('a Locate that answered several is not guessed at', async () => {
    const engine = await testEngine()
    await engine.key(as, 'one')
    await engine.key(as, 'two')
    const answers = await engine.batch(as, [
      ['Locate', { Attributes: [] }],
      get({ placeholder: 'Locate' }),
    ])
    expect(answers[1]).toMatchObject({ ResultReason: 'FeatureNotSupported' })
  })

  test('a Link to an object of the same batch is kept as its identifier', async () => {
    const engine = await testEngine()
    const answers = await engine.batch(as, [
      create('A'),
      create('B'),
      [
        'AddAttribute',
        {
          NewAttribute: {
            tag: 'Link',
            value: { LinkType: 'NextLink', LinkedObjectIdentifier: { position: 0 } },
          },
        },
      ],
    ])
    const [A, B] = answers.map(idOf)
    const links = [{ LinkType: 'NextLink', LinkedObjectIdentifier: A }]
    expect(await engine.attribute(as, B!, 'Link')).toEqual(links)
    expect(await engine.attribute('1.4', B!, 'Link')).toEqual(links)
  })
})

test('in 1.x a Unique Identifier is a text', async () => {
  const engine = await testEngine()
  const bytes = edited(requestBytes('1.4', [['Get', { UniqueIdentifier: 'x' }]]), (root) => {
    Object.assign(found(root, 'UniqueIdentifier'), { type: 'Integer', value: 0 })
  })
  const [item] = answerOf(await engine.raw(bytes), '1.4').BatchItem
  expect(item).toMatchObject({ Operation: 'Get', ResultReason: 'InvalidMessage' })
})
