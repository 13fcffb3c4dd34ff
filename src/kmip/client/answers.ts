/**
 * Answers to results – KMIP 2.1 §8.4 to §8.6, §9.21; KMIP 1.4 §7.2. A success that is not certainly the answer to what
 * was asked counts as no answer: whoever keeps tapes under a key must not take another's for it.
 */
import { decode, peekVersion, versionText, type Version } from 'ttlv-codec'
import { ResponseMessage, type ResponseBatchItem } from '../model/messages.ts'
import type { OperationName, ResponsePayload } from '../model/payloads/index.ts'
import { tagNumber } from '../model/tags.ts'
import { spokenFor, supported } from '../model/versions.ts'
import { indexOf, type BatchItem, type BatchResults, type ItemResult } from './batch.ts'
import { ConnectionError, ResultError } from './errors.ts'

/** The items of an answer, each in the place of the one it answers, and what its header proves. */
export interface DecodedAnswers {
  readonly serverHashedPassword: Uint8Array | undefined
  readonly answers: readonly (ResponseBatchItem | undefined)[]
}

/**
 * The results in an answer to `items` sent as `asked`. Throws ResultError when the server refused the message as
 * a whole, ConnectionError `no-kmip` for bytes that are no answer, or not one to these items.
 */
export function decodeResponse<const Items extends readonly BatchItem[]>(
  bytes: Uint8Array,
  items: Items,
  asked: Version,
): BatchResults<Items> {
  return decodeAnswers(bytes, items, asked).answers.map(resultOf) as BatchResults<Items>
}

/** As `decodeResponse`; `server` is for error messages. The answer to a Poll may be that of any operation. */
export function decodeAnswers(
  bytes: Uint8Array,
  items: readonly BatchItem[],
  asked: Version,
  server = 'the server',
): DecodedAnswers {
  const said = peekVersion(bytes) ?? asked
  const { ResponseHeader: header, BatchItem: given } = decodeMessage(bytes, said, asked, server)
  const isRefused = given.every(({ ResultStatus }) => ResultStatus === 'OperationFailed')
  // Only a server that does not speak the version asked in may answer in another one, to say so.
  if (said !== asked && !isRefused)
    throw noAnswer(server, `KMIP ${versionText(said)} to a request in ${versionText(asked)}`)
  if (header.BatchCount !== given.length)
    throw noAnswer(server, `Batch Count ${header.BatchCount} with ${given.length} items`)
  const [first] = given
  if (given.length === 1 && isRefused && !isNamed(first!)) throw errorOf(first!)
  return {
    serverHashedPassword: header.ServerHashedPassword,
    answers: placed(given, items, server),
  }
}

/** What an answer says of its item. */
export function resultOf(answer: ResponseBatchItem | undefined): ItemResult<OperationName> {
  if (answer === undefined) return { status: 'NotRun' }
  if (answer.ResultStatus !== 'Success') return { status: 'Failed', error: errorOf(answer) }
  const payload = (answer.ResponsePayload ?? {}) as ResponsePayload<OperationName>
  return { status: 'Success', payload }
}

function decodeMessage(bytes: Uint8Array, said: Version, asked: Version, server: string) {
  const version = supported(said) ? said : (spokenFor(said)?.number ?? asked)
  try {
    return decode(ResponseMessage, tagNumber('ResponseMessage'), bytes, {
      version,
      unknown: 'ignore',
    })
  } catch (cause) {
    throw noAnswer(server, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

/** Each answer in the place of its item; empty places only behind a failure that stopped the batch (§9.6). */
function placed(
  given: readonly ResponseBatchItem[],
  items: readonly BatchItem[],
  server: string,
): (ResponseBatchItem | undefined)[] {
  const answers: (ResponseBatchItem | undefined)[] = items.map(() => undefined)
  for (const [position, answer] of given.entries()) {
    const id = answer.UniqueBatchItemID
    const index = id === undefined ? position : indexOf(id)
    const item = items[index]
    const problem = item === undefined ? 'is not for an item that was asked' : wrong(answer, item)
    if (problem !== undefined) throw noAnswer(server, `answer ${position} ${problem}`)
    if (answers[index] !== undefined)
      throw noAnswer(server, `answer ${position} is the second to item ${index}`)
    answers[index] = answer
  }
  const missing = answers.indexOf(undefined)
  if (missing !== -1 && !given.some(({ ResultStatus }) => stops.has(ResultStatus)))
    throw noAnswer(server, `no answer to ${items[missing]!.operation}`)
  return answers
}

/** Why an answer cannot be the one to `item`; a failed one may say no more than that it failed. */
function wrong(answer: ResponseBatchItem, item: BatchItem): string | undefined {
  const { Operation, ResultStatus, ResponsePayload: payload } = answer
  const isPoll = item.operation === 'Poll'
  if (Operation !== undefined && Operation !== item.operation && !isPoll)
    return `is for ${Operation}, not for ${item.operation}`
  if (ResultStatus !== 'Success') return undefined
  if (Operation === undefined) return `says success of no operation, asked was ${item.operation}`
  if (payload === undefined)
    return withoutFields.has(Operation) ? undefined : `says success of ${Operation} and no more`
  if (makesAnother.has(Operation) || isPoll) return undefined
  const { UniqueIdentifier: asked } = item.payload as { UniqueIdentifier?: unknown }
  const { UniqueIdentifier: about } = payload as { UniqueIdentifier?: unknown }
  const isOther = typeof asked === 'string' && typeof about === 'string' && asked !== about
  return isOther ? `to ${Operation} is about another object than was asked for` : undefined
}

const stops: ReadonlySet<string | number> = new Set(['OperationFailed', 'OperationUndone'])

/** Operations whose answer has no fields; some servers leave the empty payload out. */
const withoutFields: ReadonlySet<string | number> = new Set<OperationName>([
  'Notify',
  'Put',
  'Ping',
  'Interop',
  'Log',
  'SetConstraints',
  'SetDefaults',
  'Logout',
  'ReProvision',
])

/** Operations whose answer names the object they have made of the one asked for. */
const makesAnother: ReadonlySet<string | number> = new Set<OperationName>([
  'ReKey',
  'Certify',
  'ReCertify',
])

const isNamed = ({ Operation, UniqueBatchItemID }: ResponseBatchItem) =>
  Operation !== undefined || UniqueBatchItemID !== undefined

/** What came may be the answer to a request that ran. */
function noAnswer(server: string, problem: string, cause?: unknown): ConnectionError {
  return new ConnectionError(
    'no-kmip',
    `${server} sent no KMIP answer to the request: ${problem}`,
    {
      mayHaveRun: true,
      cause,
    },
  )
}

function errorOf(answer: ResponseBatchItem): ResultError {
  return new ResultError({
    operation: answer.Operation,
    status: answer.ResultStatus,
    reason: answer.ResultReason,
    message: answer.ResultMessage,
  })
}
