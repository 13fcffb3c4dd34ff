// What the client makes of answers that are none, or are not to what was asked: never a success.
import { encode, version, type VersionText } from 'ttlv-codec'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  connect,
  ConnectionError,
  materialOf,
  type BatchItem,
  type Client,
  type ResponsePayload,
} from '../../../src/kmip/client/client.ts'
import { ResponseMessage, type ResponseBatchItem } from '../../../src/kmip/model/messages.ts'
import { tagNumber } from '../../../src/kmip/model/tags.ts'
import { startListener, stopListener, type TestListener } from '../../fixtures/listener.ts'
import { makePki, type TestPki } from '../../fixtures/openssl-certificates.ts'

type Item = Partial<Omit<ResponseBatchItem, 'MessageExtension'>>

let pki: TestPki
let server: TestListener
let client: Client | undefined
beforeAll(() => {
  pki = makePki()
})
beforeEach(async () => {
  server = await startListener(pki)
})
afterEach(async () => {
  await client?.close()
  client = undefined
  await stopListener(server)
})

const spoken = async (text: VersionText) =>
  (client = await connect({
    host: '127.0.0.1',
    port: server.port,
    ca: pki.ca,
    ...pki.alpha,
    versions: [text],
  }))

/** An answer of these items; `count` and `says` where its header is to lie. */
function answer(
  items: readonly Item[],
  {
    text,
    says = text,
    count = items.length,
  }: { text: VersionText; says?: VersionText; count?: number },
): Uint8Array {
  const said = version(says)
  return encode(
    ResponseMessage,
    tagNumber('ResponseMessage'),
    {
      ResponseHeader: {
        ProtocolVersion: { ProtocolVersionMajor: said >> 8, ProtocolVersionMinor: said & 0xff },
        TimeStamp: 1_795_000_000n,
        BatchCount: count,
      },
      BatchItem: items as ResponseBatchItem[],
    },
    { version: version(text) },
  )
}

const created = (UniqueIdentifier = 'made'): Item => ({
  Operation: 'Create',
  ResultStatus: 'Success',
  ResponsePayload: { ObjectType: 'SymmetricKey', UniqueIdentifier },
})
const got = (UniqueIdentifier: string, id?: number): Item => ({
  Operation: 'Activate',
  ...(id !== undefined && { UniqueBatchItemID: Uint8Array.of(0, 0, 0, id) }),
  ResultStatus: 'Success',
  ResponsePayload: { UniqueIdentifier },
})
const failed = (more: Item = {}): Item => ({
  ResultStatus: 'OperationFailed',
  ResultReason: 'GeneralFailure',
  ResultMessage: 'no',
  ...more,
})

const create: BatchItem = {
  operation: 'Create',
  payload: { ObjectType: 'SymmetricKey', Attributes: [] },
}
const activate = (UniqueIdentifier: string): BatchItem => ({
  operation: 'Activate',
  payload: { UniqueIdentifier },
})

/** Sends the items, which are answered with these bytes. */
function answered(bytes: Uint8Array, ...items: readonly [BatchItem, ...BatchItem[]]) {
  server.ports.respond = async () => ({ bytes })
  return client!.batch(items)
}

async function expectNoAnswer(asked: Promise<unknown>, problem: string | RegExp) {
  await expect(asked).rejects.toBeInstanceOf(ConnectionError)
  await expect(asked).rejects.toMatchObject({ code: 'no-kmip', mayHaveRun: true })
  await expect(asked).rejects.toThrow(problem)
  await expect(asked).rejects.toThrow(`127.0.0.1:${server.port} sent no KMIP answer to the request`)
}

describe.each(['1.0', '1.4', '2.1'] as const)('in KMIP %s no answer are', (text) => {
  beforeEach(() => spoken(text))

  test('a frame with something else inside', async () => {
    const bytes = answer([created()], { text })
    bytes.fill(0xff, 8)
    const asked = answered(bytes, create)
    await expectNoAnswer(asked, 'ResponseMessage')
    await expect(asked).rejects.toMatchObject({ cause: { name: 'DecodeError' } })
  })

  test('a message without Protocol Version', async () => {
    const whole = answer([created()], { text })
    // Without the forty bytes of Protocol Version behind the two headers of structures.
    const bytes = new Uint8Array([...whole.subarray(0, 16), ...whole.subarray(56)])
    const lengths = new DataView(bytes.buffer)
    for (const at of [4, 12]) lengths.setUint32(at, lengths.getUint32(at) - 40)
    await expectNoAnswer(answered(bytes, create), 'ProtocolVersion is missing')
  })

  test('a payload that lacks what it must have', async () => {
    const incomplete = { ...got('made'), Operation: 'Activate' } as const
    const bytes = Buffer.from(answer([incomplete], { text }))
    // The same payload under the name of Create, which wants an Object Type (2.1: of Get).
    const operation = bytes.indexOf(Buffer.from('42005c0500000004', 'hex')) + 8
    bytes.writeUInt32BE(0x0a, operation)
    const asked = answered(bytes, { operation: 'Get', payload: {} })
    await expectNoAnswer(asked, 'ObjectType is missing')
  })

  test('the request itself', async () => {
    server.ports.respond = async (message) => ({ bytes: message })
    await expectNoAnswer(client!.batch([create]), 'RequestMessage')
  })

  test.each(['1.3', '2.0', '9.9'] as const)('a success in KMIP %s', async (says) => {
    const asked = answered(answer([created()], { text, says }), create)
    await expectNoAnswer(asked, `KMIP ${says} to a request in ${text}`)
  })

  test('a success without payload', async () => {
    const bytes = answer([{ Operation: 'Create', ResultStatus: 'Success' }], { text })
    await expectNoAnswer(answered(bytes, create), 'answer 0 says success of Create and no more')
  })

  test('a success without Operation', async () => {
    const bytes = Buffer.from(answer([created()], { text }))
    // Operation, sixteen bytes, becomes a Message Extension's tag that nobody knows.
    bytes.writeUIntBE(0x540001, bytes.indexOf(Buffer.from('42005c0500000004', 'hex')), 3)
    await expectNoAnswer(answered(bytes, create), 'success of no operation, asked was Create')
  })

  test('a Batch Count that is not the number of items', async () => {
    const bytes = answer([created()], { text, count: 5 })
    await expectNoAnswer(answered(bytes, create), 'Batch Count 5 with 1 items')
  })

  test('no items', async () => {
    await expectNoAnswer(answered(answer([], { text }), create), 'no answer to Create')
  })

  test('two answers to one item', async () => {
    const bytes = answer([got('a', 0), got('a', 0)], { text })
    const asked = answered(bytes, activate('a'), activate('b'))
    await expectNoAnswer(asked, 'answer 1 is the second to item 0')
  })

  test('fewer successes than were asked for', async () => {
    const asked = answered(answer([got('a', 0)], { text }), activate('a'), activate('b'))
    await expectNoAnswer(asked, 'no answer to Activate')
  })

  test('a success about another object', async () => {
    const asked = answered(answer([got('b')], { text }), activate('a'))
    await expectNoAnswer(asked, 'answer 0 to Activate is about another object than was asked for')
  })
})

describe.each(['1.0', '1.4', '2.1'] as const)('in KMIP %s an answer is', (text) => {
  beforeEach(() => spoken(text))

  test('a refusal in a version that the server speaks', async () => {
    const asked = answered(answer([failed()], { text: '1.0', says: '1.0' }), create)
    await expect(asked).rejects.toMatchObject({ name: 'ResultError', reason: 'GeneralFailure' })
  })

  test('a failed item without Operation in a batch', async () => {
    const unnamed = failed()
    const bytes = answer([got('a', 0), unnamed], { text })
    const results = await answered(bytes, activate('a'), activate('b'))
    expect(results.map(({ status }) => status)).toEqual(['Success', 'Failed'])
  })

  test('items without Unique Batch Item ID, in order', async () => {
    const bytes = answer([got('a'), got('b')], { text })
    const results = await answered(bytes, activate('a'), activate('b'))
    expect(results.map(({ status }) => status)).toEqual(['Success', 'Success'])
  })

  test('another object where a new one was made of that which was asked for', async () => {
    const item = { ...got('new'), Operation: 'ReKey' } as const
    const results = await answered(answer([item], { text }), {
      operation: 'ReKey',
      payload: { UniqueIdentifier: 'old' },
    })
    expect(results).toMatchObject([{ status: 'Success', payload: { UniqueIdentifier: 'new' } }])
  })
})

test('the success of an operation whose answer has no fields needs no payload', async () => {
  await spoken('2.1')
  const bytes = answer([{ Operation: 'Ping', ResultStatus: 'Success' }], { text: '2.1' })
  expect(await answered(bytes, { operation: 'Ping', payload: {} })).toEqual([
    { status: 'Success', payload: {} },
  ])
})

test('a server that answers the question for its versions with it has none', async () => {
  await spoken('1.4')
  server.ports.respond = async (message) => ({ bytes: message })
  const { port } = server
  const asked = connect({ host: '127.0.0.1', port, ca: pki.ca, ...pki.alpha })
  await expect(asked).rejects.toMatchObject({ code: 'no-kmip' })
})

describe('the bytes of a raw key', () => {
  const key = (bytes: number, more: object): ResponsePayload<'Get'> =>
    ({
      ObjectType: 'SymmetricKey',
      UniqueIdentifier: 'a',
      SymmetricKey: {
        KeyBlock: {
          KeyFormatType: 'Raw',
          CryptographicAlgorithm: 'AES',
          KeyValue: { type: 'Structure', value: { KeyMaterial: new Uint8Array(bytes) } },
          ...more,
        },
      },
    }) as unknown as ResponsePayload<'Get'>

  test('are not taken when they are fewer than the key block says', () => {
    expect(() => materialOf(key(16, { CryptographicLength: 256 }))).toThrow(
      'the key block says 256 bits, the key has 128',
    )
  })

  test.each([
    [32, { CryptographicLength: 256 }],
    [32, {}],
    [24, { CryptographicAlgorithm: 'DES3', CryptographicLength: 168 }],
    [24, { CryptographicAlgorithm: 'DES3', CryptographicLength: 192 }],
    [40, { CryptographicLength: 256, KeyWrappingData: { WrappingMethod: 'Encrypt' } }],
  ])('are taken: %s with %j', (bytes, block) => {
    expect(materialOf(key(bytes, block))).toHaveLength(bytes)
  })
})
