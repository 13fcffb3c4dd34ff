// Messages as a whole: whatever comes in, a KMIP answer goes out, in a version the client can read.
import { describe, expect, test } from 'vitest'
import { DecodeError, version, type Item, type VersionText } from 'ttlv-codec'
import { refuseStream, respond } from '../../../src/kmip/server/respond.ts'
import { tagNumber } from '../../../src/kmip/model/tags.ts'
import {
  answerOf,
  childrenOf,
  edited,
  everyVersion,
  found,
  isLate,
  principal,
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

const labelled = (bytes: Uint8Array, major: number, minor: number) =>
  edited(bytes, (root) => {
    Object.assign(found(root, 'ProtocolVersionMajor'), { value: major })
    Object.assign(found(root, 'ProtocolVersionMinor'), { value: minor })
  })

describe('protocol versions', () => {
  test.each([
    [0, 9, '1.0', 'InvalidMessage'],
    [3, 0, '2.1', 'UnsupportedProtocolVersion'],
    [7, 200, '2.1', 'UnsupportedProtocolVersion'],
  ] as const)('%i.%i is refused in version %s', async (major, minor, as, reason) => {
    const engine = await testEngine()
    const bytes = labelled(requestBytes('1.4', [query]), major, minor)
    const { version, items, first } = await answered(engine, bytes, as)
    expect(version).toBe(as)
    expect(items).toHaveLength(1)
    expect(first).toMatchObject({ ResultStatus: 'OperationFailed', ResultReason: reason })
    expect(first.Operation).toBeUndefined()
  })

  test.each([
    [1, 5, '1.4'],
    [2, 9, '2.1'],
  ] as const)(
    '%i.%i is answered as %s, fields of the future passed over',
    async (major, minor, as) => {
      const engine = await testEngine()
      const bytes = labelled(requestBytes(as, [create('A'), ['Get', {}]]), major, minor)
      const future: Item = { tag: 0x4201ff, type: 'Integer', value: 1 }
      const withMore = edited(bytes, (root) => {
        childrenOf(found(root, 'RequestHeader')).push(future)
        childrenOf(found(root, 'BatchItem')).push(future)
        childrenOf(found(root, 'RequestPayload')).push(future)
      })
      const { version, items } = await answered(engine, withMore, as)
      expect(version).toBe(as)
      expect(items.map(({ ResultStatus }) => ResultStatus)).toEqual(['Success', 'Success'])
    },
  )

  test.each(everyVersion)('in %s itself an unknown field is refused', async (as) => {
    const engine = await testEngine()
    const future: Item = { tag: 0x4201ff, type: 'Integer', value: 1 }
    const reason = isLate(as) ? 'UnknownTag' : 'InvalidField'
    const inHeader = edited(requestBytes(as, [create('A')]), (root) =>
      childrenOf(found(root, 'RequestHeader')).push(future),
    )
    const { first: message } = await answered(engine, inHeader, as)
    expect(message).toMatchObject({ ResultReason: reason })
    expect(message.Operation).toBeUndefined()
    for (const part of ['BatchItem', 'RequestPayload'] as const) {
      const inItem = edited(requestBytes(as, [create('A')]), (root) =>
        childrenOf(found(root, part)).push(future),
      )
      expect((await answered(engine, inItem, as)).first).toMatchObject({
        Operation: 'Create',
        ResultReason: reason,
      })
    }
    expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([])
  })

  test('vendors’ tags are passed over in every version', async () => {
    const engine = await testEngine()
    const vendors: Item = { tag: 0x540001, type: 'TextString', value: 'ours' }
    for (const as of everyVersion) {
      const bytes = edited(requestBytes(as, [create(as)]), (root) => {
        childrenOf(found(root, 'RequestHeader')).push(vendors)
        childrenOf(found(root, 'BatchItem')).push(vendors)
        childrenOf(found(root, 'RequestPayload')).push(vendors)
      })
      expect((await answered(engine, bytes, as)).first.ResultStatus).toBe('Success')
    }
  })
})

function change(root: Item, name: Parameters<typeof found>[1], type: string, value: unknown) {
  Object.assign(found(root, name), { type, value })
}

describe('messages that cannot be read', () => {
  test('a message cut at any length, with its lengths left as they were, is an Invalid Message', async () => {
    const engine = await testEngine()
    const bytes = requestBytes('1.2', [create('A')])
    for (let length = 0; length < bytes.length; length++) {
      const answer = await engine.raw(bytes.slice(0, length))
      const versionKnown = length >= 80
      const { BatchItem } = answerOf(answer, versionKnown ? '1.2' : '1.0', false)
      expect(BatchItem).toHaveLength(1)
      expect(BatchItem[0]!.ResultReason).toBe('InvalidMessage')
    }
    expect((await engine.call('1.2', 'Locate', {})).UniqueIdentifier).toEqual([])
  })

  test.each<[string, (root: Item) => void]>([
    ['a response', (root) => Object.assign(root, { tag: tagNumber('ResponseMessage') })],
    ['a header twice', (root) => childrenOf(root).unshift(childrenOf(root)[0]!)],
    ['no header', (root) => childrenOf(root).shift()],
    ['a text as Batch Count', (root) => change(root, 'BatchCount', 'TextString', '1')],
    ['a message without version', (root) => childrenOf(found(root, 'RequestHeader')).shift()],
  ])('%s is an Invalid Message', async (_, spoil) => {
    const engine = await testEngine()
    const bytes = edited(requestBytes('1.0', [query]), spoil)
    const { first } = await answered(engine, bytes, '1.0')
    expect(first.ResultReason).toBe('InvalidMessage')
    expect(first.Operation).toBeUndefined()
  })

  test('the answer to bytes that are no message comes in the version that can be made out', () => {
    const error = new DecodeError('size', 'too long')
    const known = refuseStream(error, requestBytes('2.1', [query]))
    expect(answerOf(known, '2.1').BatchItem[0]).toMatchObject({ ResultReason: 'InvalidMessage' })
    const unknown = refuseStream(error, new TextEncoder().encode('GET / HTTP/1.1'))
    expect(answerOf(unknown, '1.0').BatchItem[0]).toMatchObject({ ResultReason: 'InvalidMessage' })
  })
})

describe('header fields', () => {
  test('clients that can wait are answered at once', async () => {
    const engine = await testEngine()
    for (const [as, AsynchronousIndicator] of [
      ['1.0', 'Optional'],
      ['1.4', 'Optional'],
      ['1.4', 'Prohibited'],
      ['2.1', 'Optional'],
      ['2.1', 'Prohibited'],
    ] as const) {
      const answers = await engine.batch(as, [query], { AsynchronousIndicator })
      expect(answers[0]!.ResultStatus).toBe('Success')
    }
  })

  test('who demands an asynchronous answer gets a correlation value', async () => {
    const engine = await testEngine()
    const answers = await engine.batch('2.1', [create('A')], { AsynchronousIndicator: 'Mandatory' })
    expect(answers[0]).toMatchObject({ Operation: 'Create', ResultStatus: 'OperationPending' })
    expect(answers[0]!.AsynchronousCorrelationValue).toHaveLength(16)
  })

  test.each<[string, Item, VersionText]>([
    [
      'Asynchronous Indicator',
      { tag: tagNumber('AsynchronousIndicator'), type: 'Enumeration', value: 9 },
      '2.1',
    ],
    [
      'Batch Error Continuation Option',
      { tag: tagNumber('BatchErrorContinuationOption'), type: 'Enumeration', value: 9 },
      '2.1',
    ],
  ])('an unknown %s refuses the message', async (_, item, as) => {
    const engine = await testEngine()
    const bytes = edited(requestBytes(as, [create('A')]), (root) =>
      childrenOf(found(root, 'RequestHeader')).splice(1, 0, item),
    )
    expect((await answered(engine, bytes, as)).first.ResultReason).toBe('UnknownEnumeration')
  })

  test('a Server Correlation Value goes to clients that sent one of theirs, and to no other', async () => {
    const engine = await testEngine()
    const values = new Set<string>()
    for (const as of ['1.4', '2.0', '2.1'] as const) {
      const with_ = requestBytes(as, [query], { ClientCorrelationValue: 'mine' })
      const { ResponseHeader } = await answered(engine, with_, as)
      values.add(ResponseHeader.ServerCorrelationValue!)
      expect(ResponseHeader.ClientCorrelationValue).toBeUndefined()
    }
    expect(values.size).toBe(3)
    for (const as of everyVersion) {
      const { ResponseHeader } = await answered(engine, requestBytes(as, [query]), as)
      expect(ResponseHeader.ServerCorrelationValue).toBeUndefined()
    }
    expect(engine.lines.map(({ fields }) => fields.clientCorrelation)).toContain('mine')
  })

  test('below 1.4 a Client Correlation Value is an unknown field', async () => {
    const engine = await testEngine()
    const bytes = edited(requestBytes('1.3', [query]), (root) =>
      childrenOf(found(root, 'RequestHeader')).splice(1, 0, {
        tag: tagNumber('ClientCorrelationValue'),
        type: 'TextString',
        value: 'mine',
      }),
    )
    expect((await answered(engine, bytes, '1.3')).first.ResultReason).toBe('InvalidField')
  })

  test('a client’s clock may be wrong by any amount', async () => {
    const engine = await testEngine()
    const answers = await engine.batch('1.0', [query], { TimeStamp: 5n })
    expect(answers[0]!.ResultStatus).toBe('Success')
  })
})

test('when the store fails before the items run, the answer is General Failure and tells nothing', async () => {
  const engine = await testEngine()
  const broken = {
    ...engine.responder,
    credentials: {
      authenticate: () => Promise.reject(new Error('secret path /var/lib/keystore.db')),
    },
  }
  const { bytes } = await respond(broken, requestBytes('1.4', [query]), principal())
  const [item] = answerOf(bytes, '1.4').BatchItem
  expect(item).toMatchObject({ ResultReason: 'GeneralFailure' })
  expect(item!.ResultMessage).not.toContain('secret')
  const logged = engine.lines.find(({ level }) => level === 'error')
  expect(item!.ResultMessage).toContain(logged!.fields.correlation)
})

test('refused messages are logged each, and audited once a minute', async () => {
  const engine = await testEngine()
  for (let at = 0; at < 3; at++) await engine.raw(labelled(requestBytes('1.4', [query]), 3, 0))
  expect(engine.lines.map(({ fields }) => fields.reason)).toEqual(
    Array(3).fill('UnsupportedProtocolVersion'),
  )
  const audited = await engine.audited()
  expect(audited).toHaveLength(1)
  expect(audited[0]).toMatchObject({
    operation: 'Message',
    outcome: 'UnsupportedProtocolVersion',
    actor: { name: 'alpha' },
  })
})

test('every version’s number is told back in its own answers', async () => {
  const engine = await testEngine()
  for (const as of everyVersion) {
    const answer = await answered(engine, requestBytes(as, [query]), as)
    expect(version(answer.version as VersionText)).toBe(version(as))
  }
})
