// The public client: agreeing on a version, typed calls, batches, refusals, credentials.
import { decode, encode, peekVersion, version, type Version, type VersionText } from 'ttlv-codec'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connect, type Client, type ClientOptions } from '../../../src/kmip/client/client.ts'
import { ResultError } from '../../../src/kmip/client/errors.ts'
import {
  OutgoingRequestMessage,
  ResponseMessage,
  type ResponseBatchItem,
} from '../../../src/kmip/model/messages.ts'
import { tagNumber } from '../../../src/kmip/model/tags.ts'
import { startListener, stopListener, type TestListener } from '../../fixtures/listener.ts'
import { makePki, type TestPki } from '../../fixtures/openssl-certificates.ts'

type Request = ReturnType<typeof requestOf>
type Item = Omit<ResponseBatchItem, 'MessageExtension'>

let pki: TestPki
let server: TestListener
let client: Client | undefined
beforeAll(() => {
  pki = makePki()
})
afterEach(async () => {
  await client?.close()
  client = undefined
  await stopListener(server)
})

const requestOf = (bytes: Uint8Array, asked: Version) =>
  decode(OutgoingRequestMessage, tagNumber('RequestMessage'), bytes, { version: asked })

/** A server that answers each request with the items that a test gives for it. */
async function serverThat(
  answers: (request: Request, asked: Version) => { items: Item[]; in?: VersionText },
): Promise<Request[]> {
  const seen: Request[] = []
  server = await startListener(pki)
  server.ports.respond = async (message) => {
    const asked = peekVersion(message)!
    const request = requestOf(message, asked)
    seen.push(request)
    const { items, in: text } = answers(request, asked)
    const spoken = text === undefined ? asked : version(text)
    const bytes = encode(
      ResponseMessage,
      tagNumber('ResponseMessage'),
      {
        ResponseHeader: {
          ProtocolVersion: versionOf(spoken),
          TimeStamp: 1_795_000_000n,
          BatchCount: items.length,
        },
        BatchItem: items,
      },
      { version: spoken },
    )
    return { bytes }
  }
  return seen
}

const versionOf = (number: Version) => ({
  ProtocolVersionMajor: number >> 8,
  ProtocolVersionMinor: number & 0xff,
})

const success = (Operation: ResponseBatchItem['Operation'] & string, ResponsePayload: object) =>
  ({ Operation, ResultStatus: 'Success', ResponsePayload }) as Item
const failure = (Operation: string | undefined, ResultReason: string, ResultMessage = 'no') =>
  ({
    ...(Operation && { Operation }),
    ResultStatus: 'OperationFailed',
    ResultReason,
    ResultMessage,
  }) as Item

const connected = async (options: Partial<ClientOptions> = {}) =>
  (client = await connect({
    host: '127.0.0.1',
    port: server.port,
    ca: pki.ca,
    ...pki.alpha,
    ...options,
  } as ClientOptions))

describe('the version is', () => {
  test('the first of ours that the server has', async () => {
    const seen = await serverThat(() => ({
      items: [
        success('DiscoverVersions', { ProtocolVersion: [versionOf(0x101), versionOf(0x103)] }),
      ],
    }))
    expect((await connected()).version).toBe(version('1.3'))
    expect(seen[0]?.RequestHeader.ProtocolVersion).toEqual(versionOf(0x101))
    expect(seen[0]?.BatchItem[0]?.RequestPayload).toMatchObject({
      ProtocolVersion: { length: 7, 0: versionOf(0x201) },
    })
  })

  test('not asked for where only one is wanted', async () => {
    const seen = await serverThat(() => ({ items: [] }))
    expect((await connected({ versions: ['1.2'] })).version).toBe(version('1.2'))
    expect(seen).toEqual([])
  })

  test('1.0 with a server that does not know the question', async () => {
    await serverThat(() => ({
      items: [{ ...failure(undefined, 'OperationNotSupported'), Operation: 0x1e }],
      in: '1.0',
    }))
    expect((await connected()).version).toBe(version('1.0'))
  })

  test('the one in which a server says that it does not speak the version asked in', async () => {
    await serverThat(() => ({ items: [failure(undefined, 'InvalidMessage')], in: '2.0' }))
    expect((await connected()).version).toBe(version('2.0'))
  })

  test('an error when there is none in common', async () => {
    await serverThat(() => ({ items: [success('DiscoverVersions', { ProtocolVersion: [] })] }))
    await expect(connected({ versions: ['2.1', '1.4'] })).rejects.toMatchObject({
      code: 'version',
      message: 'the server speaks none of KMIP 2.1, 1.4',
    })
  })
})

describe.each(['1.0', '1.4', '2.1'] as const)('in KMIP %s', (text) => {
  const versions = [text]

  test('a call gives the payload of the answer', async () => {
    const seen = await serverThat(() => ({
      items: [success('Locate', { UniqueIdentifier: ['a', 'b'] })],
    }))
    const to = await connected({ versions })
    const located = await to.call('Locate', { Attributes: [] })
    const identifiers: string[] = located.UniqueIdentifier
    expect(identifiers).toEqual(['a', 'b'])
    expect(seen[0]?.RequestHeader).toMatchObject({ BatchCount: 1 })
    expect(seen[0]?.BatchItem[0]).toMatchObject({ Operation: 'Locate' })
    expect(seen[0]?.BatchItem[0]).not.toHaveProperty('UniqueBatchItemID')
  })

  test('a refusal is an error with status, reason and message', async () => {
    await serverThat(() => ({ items: [failure('Get', 'ItemNotFound', 'no such object')] }))
    const refused = (await connected({ versions })).call('Get', { UniqueIdentifier: 'x' })
    await expect(refused).rejects.toBeInstanceOf(ResultError)
    await expect(refused).rejects.toMatchObject({
      operation: 'Get',
      status: 'OperationFailed',
      reason: 'ItemNotFound',
      resultMessage: 'no such object',
      message: 'Get: OperationFailed, ItemNotFound, no such object',
    })
  })

  test('a batch runs in order, and an item without identifier takes the one before', async () => {
    const seen = await serverThat(({ BatchItem }) => ({
      items: BatchItem.map((item, index) => ({
        ...success(item.Operation as 'Locate', { UniqueIdentifier: index === 0 ? ['a'] : 'a' }),
        ...(item.UniqueBatchItemID && { UniqueBatchItemID: item.UniqueBatchItemID }),
      })),
    }))
    const to = await connected({ versions })
    const results = await to.batch(
      [
        { operation: 'Locate', payload: { Attributes: [] } },
        { operation: 'Activate', payload: {} },
      ],
      { onError: 'Continue' },
    )
    const [located, activated] = results
    if (located.status !== 'Success' || activated.status !== 'Success') throw new Error('failed')
    const found: string[] = located.payload.UniqueIdentifier
    const active: string = activated.payload.UniqueIdentifier
    expect([found, active]).toEqual([['a'], 'a'])
    expect(seen[0]?.RequestHeader).toMatchObject({
      BatchOrderOption: true,
      BatchErrorContinuationOption: 'Continue',
      BatchCount: 2,
    })
    expect(seen[0]?.BatchItem[1]?.RequestPayload).toEqual({})
  })

  test('a batch that stops leaves the items after the failed one unanswered', async () => {
    await serverThat(({ BatchItem }) => ({
      items: [{ ...failure('Locate', 'InvalidField'), ...idOf(BatchItem[0]) }],
    }))
    const to = await connected({ versions })
    const results = await to.batch([
      { operation: 'Locate', payload: { Attributes: [] } },
      { operation: 'Get', payload: {} },
    ])
    expect(results.map(({ status }) => status)).toEqual(['Failed', 'NotRun'])
  })

  test('a message refused as a whole is an error also for a batch', async () => {
    await serverThat(() => ({ items: [failure(undefined, 'InvalidMessage')] }))
    const to = await connected({ versions })
    const refused = to.batch([{ operation: 'Get', payload: {} }])
    await expect(refused).rejects.toMatchObject({ operation: undefined, reason: 'InvalidMessage' })
  })

  test('an answer to something else is no answer', async () => {
    await serverThat(() => ({ items: [success('Activate', { UniqueIdentifier: 'a' })] }))
    const to = await connected({ versions })
    await expect(to.call('Get', {})).rejects.toMatchObject({ code: 'no-kmip', mayHaveRun: true })
  })

  test('user name and password go into every request', async () => {
    const seen = await serverThat(() => ({
      items: [success('Activate', { UniqueIdentifier: 'a' })],
    }))
    const to = await connected({ versions, credential: { username: 'robot', password: 'secret' } })
    await to.call('Activate', { UniqueIdentifier: 'a' })
    expect(seen[0]?.RequestHeader.Authentication).toMatchObject({
      Credential: [
        {
          CredentialType: 'UsernameAndPassword',
          CredentialValue: { Username: 'robot', Password: 'secret' },
        },
      ],
    })
  })
})

test('what a version cannot say is an error before anything is sent', async () => {
  const seen = await serverThat(() => ({ items: [] }))
  const to = await connected({ versions: ['1.4'] })
  await expect(
    to.call('SetAttribute', { NewAttribute: { tag: 'Name', value: 'x' } } as never),
  ).rejects.toMatchObject({ name: 'EncodeError' })
  expect(seen).toEqual([])
})

test('operations and payloads are checked by the compiler', () => {
  const check = (to: Client) => [
    // @ts-expect-error an operation that does not exist
    to.call('Fetch', {}),
    // @ts-expect-error a field that Get does not have
    to.call('Get', { Identifier: 'x' }),
    // @ts-expect-error a field of the wrong type
    to.call('Get', { UniqueIdentifier: new Date() }),
    // @ts-expect-error a batch item with another operation's payload
    to.batch([{ operation: 'Get', payload: { Identifier: 'x' } }]),
  ]
  expect(check).toBeTypeOf('function')
})

const idOf = (item: Request['BatchItem'][number] | undefined) =>
  item?.UniqueBatchItemID && { UniqueBatchItemID: item.UniqueBatchItemID }
