// Items and their extensions: a broken item fails alone, a critical extension refuses all.
import { describe, expect, test } from 'vitest'
import type { Item, VersionText } from 'ttlv-codec'
import { Operation } from '../../../src/kmip/model/enumerations.ts'
import { tagNumber } from '../../../src/kmip/model/tags.ts'
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
  type TestEngine,
} from '../operations/engine.ts'

const create = (data: string): Ask => [
  'Create',
  { ObjectType: 'SymmetricKey', Attributes: tapeKey(data) },
]
const query: Ask = ['Query', { QueryFunction: ['QueryObjects'] }]

/** The one item of the answer to these bytes, and the version it came in. */
async function answered(engine: TestEngine, bytes: Uint8Array, as: VersionText, strict = true) {
  const { ResponseHeader, BatchItem } = answerOf(await engine.raw(bytes), as, strict)
  const { ProtocolVersionMajor: major, ProtocolVersionMinor: minor } =
    ResponseHeader.ProtocolVersion
  expect(ResponseHeader.BatchCount).toBe(BatchItem.length)
  expect(ResponseHeader.TimeStamp).toBeGreaterThan(0n)
  return { version: `${major}.${minor}`, items: BatchItem, first: BatchItem[0]!, ResponseHeader }
}

function change(root: Item, name: Parameters<typeof found>[1], type: string, value: unknown) {
  Object.assign(found(root, name), { type, value })
}

describe('items that cannot be read fail alone', () => {
  const items: [string, (root: Item) => void, string, string][] = [
    [
      'a payload that is no structure',
      (root) => change(root, 'RequestPayload', 'Integer', 7),
      'InvalidMessage',
      'InvalidMessage',
    ],
    [
      'a field of another type',
      (root) => change(root, 'ObjectType', 'Integer', 2),
      'InvalidMessage',
      'InvalidMessage',
    ],
    [
      'a field that is missing',
      (root) => childrenOf(found(root, 'RequestPayload')).shift(),
      'InvalidMessage',
      'InvalidMessage',
    ],
    [
      'a field that is there twice',
      (root) => {
        const payload = childrenOf(found(root, 'RequestPayload'))
        payload.unshift(payload[0]!)
      },
      'InvalidMessage',
      'InvalidMessage',
    ],
    [
      'an enumeration value nobody knows',
      (root) => change(root, 'ObjectType', 'Enumeration', 0x77),
      'InvalidField',
      'InvalidObjectType',
    ],
    [
      'an enumeration value inside an attribute that nobody knows',
      (root) => change(root, 'NameType', 'Enumeration', 0x77),
      'InvalidField',
      'UnknownEnumeration',
    ],
  ]

  describe.each<VersionText>(['1.0', '1.2', '1.4', '2.0', '2.1'])('KMIP %s', (as) => {
    test.each(items)('%s', async (_, spoil, early, late) => {
      const engine = await testEngine()
      const bytes = edited(
        requestBytes(as, [create('A'), create('B')], { BatchErrorContinuationOption: 'Continue' }),
        spoil,
      )
      const { items } = await answered(engine, bytes, as)
      expect(items).toHaveLength(2)
      expect(items[0]).toMatchObject({
        Operation: 'Create',
        UniqueBatchItemID: Uint8Array.of(1),
        ResultStatus: 'OperationFailed',
        ResultReason: isLate(as) ? late : early,
      })
      expect(items[1]).toMatchObject({ ResultStatus: 'Success' })
    })

    test('an operation that nobody knows', async () => {
      const engine = await testEngine()
      const bytes = edited(requestBytes(as, [query]), (root) =>
        change(root, 'Operation', 'Enumeration', 0x77),
      )
      const { first } = await answered(engine, bytes, as, false)
      expect(first).toMatchObject({ Operation: 0x77, ResultReason: 'OperationNotSupported' })
    })
  })

  test.each(['2.0', '2.1'] as const)(
    'KMIP %s: an operation that is not performed here',
    async (as) => {
      const engine = await testEngine()
      const bytes = edited(requestBytes(as, [query]), (root) =>
        change(root, 'Operation', 'Enumeration', Operation.numberOf('Interop')),
      )
      expect((await answered(engine, bytes, as)).first).toMatchObject({
        Operation: 'Interop',
        ResultReason: 'OperationNotSupported',
      })
    },
  )

  test('an operation that came with a later version goes by its number', async () => {
    const engine = await testEngine()
    for (const [as, name] of [
      ['1.0', 'CreateSplitKey'],
      ['1.4', 'SetAttribute'],
      ['1.4', 'Ping'],
    ] as const) {
      const number = Operation.numberOf(name)
      const bytes = edited(requestBytes(as, [query]), (root) =>
        change(root, 'Operation', 'Enumeration', number),
      )
      const { first } = await answered(engine, bytes, as, false)
      expect(first.ResultReason).toBe('OperationNotSupported')
    }
  })

  test('invalid UTF-8 in a text fails its item', async () => {
    const engine = await testEngine()
    const bytes = requestBytes('1.4', [create('ZZZZ')])
    const at = Buffer.from(bytes).indexOf('name of ZZZZ')
    bytes[at] = 0xff
    expect((await answered(engine, bytes, '1.4')).first).toMatchObject({
      Operation: 'Create',
      ResultReason: 'InvalidMessage',
    })
  })
})

describe('Message Extensions', () => {
  const withExtension = (as: VersionText, critical: boolean) =>
    edited(requestBytes(as, [create('A'), create('B')]), (root) => {
      childrenOf(childrenOf(root)[2]!).push({
        tag: tagNumber('MessageExtension'),
        type: 'Structure',
        value: [
          { tag: tagNumber('VendorIdentification'), type: 'TextString', value: 'acme' },
          { tag: tagNumber('CriticalityIndicator'), type: 'Boolean', value: critical },
          { tag: tagNumber('VendorExtension'), type: 'Structure', value: [] },
        ],
      })
    })

  test.each(everyVersion)(
    'in %s a critical one in any item refuses all before anything runs',
    async (as) => {
      const engine = await testEngine()
      const { items, first } = await answered(engine, withExtension(as, true), as)
      expect(items).toHaveLength(1)
      expect(first.Operation).toBeUndefined()
      expect(first.ResultReason).toBe(
        isLate(as) ? 'UnknownMessageExtension' : 'FeatureNotSupported',
      )
      expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([])
    },
  )

  test.each(everyVersion)('in %s one that is not critical is passed over', async (as) => {
    const engine = await testEngine()
    const { items } = await answered(engine, withExtension(as, false), as)
    expect(items.map(({ ResultStatus }) => ResultStatus)).toEqual(['Success', 'Success'])
  })

  test('a critical one is seen even in an item that cannot be read', async () => {
    const engine = await testEngine()
    const bytes = edited(withExtension('2.1', true), (root) =>
      childrenOf(childrenOf(root)[2]!).push({ tag: 0x4201ff, type: 'Integer', value: 1 }),
    )
    const { first } = await answered(engine, bytes, '2.1')
    expect(first.ResultReason).toBe('UnknownMessageExtension')
  })
})
