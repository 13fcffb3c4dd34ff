/** Requests to bytes and answers to results – KMIP 2.1 §8 "Messages", §9.6, §9.21. */
import { decode, encode, peekVersion, type InferInput, type Version } from 'ttlv-codec'
import {
  OutgoingRequestMessage,
  ResponseMessage,
  type Authentication,
  type RequestHeader,
  type ResponseBatchItem,
} from '../model/messages.ts'
import type { OperationName, payloads, ResponsePayload } from '../model/payloads/index.ts'
import { tagNumber } from '../model/tags.ts'
import { ConnectionError, ResultError } from './errors.ts'

/** What a caller gives as a request payload: lists may be left out. */
export type Payload<Name extends OperationName> = InferInput<(typeof payloads)[Name]['request']>

/** One operation of a batch. */
export type BatchItem = {
  [Name in OperationName]: { readonly operation: Name; readonly payload: Payload<Name> }
}[OperationName]

/** What became of one item: its payload, its error, or no answer because an earlier item stopped the batch. */
export type ItemResult<Name extends OperationName> =
  | { readonly status: 'Success'; readonly payload: ResponsePayload<Name> }
  | { readonly status: 'Failed'; readonly error: ResultError }
  | { readonly status: 'NotRun' }

/** Results in the order of the items, each of its item's type. */
export type BatchResults<Items extends readonly BatchItem[]> = {
  -readonly [Index in keyof Items]: ItemResult<Items[Index]['operation']>
}

/** The header fields that a caller chooses. */
export interface RequestOptions {
  /** What to do after an item fails; the server's default is `Stop`. Only with several items. */
  readonly onError?: 'Continue' | 'Stop' | 'Undo'
  /** In bytes. */
  readonly maximumResponseSize?: number
  /** For the server's log; left out before 1.4, which has no such field. */
  readonly clientCorrelationValue?: string
  readonly authentication?: InferInput<typeof Authentication>
  /** Whether the items may run in any order; they run in theirs when absent. Only with several items. */
  readonly anyOrder?: boolean
  /** Whether the server may, or must, do it later; 1.x knows only may. */
  readonly asynchronous?: 'Optional' | 'Mandatory'
  /** Seconds since 1970. */
  readonly timeStamp?: bigint
  /** Kinds of attestation that the caller can give when asked for (1.2). */
  readonly attestationTypes?: InferInput<typeof RequestHeader>['AttestationType']
}

/** One request message. Throws EncodeError for a payload that the version cannot say. */
export function encodeRequest(
  items: readonly BatchItem[],
  version: Version,
  options: RequestOptions = {},
): Uint8Array {
  const several = items.length > 1
  const { onError, maximumResponseSize, clientCorrelationValue, authentication } = options
  const { asynchronous, attestationTypes, timeStamp, anyOrder = false } = options
  return encode(
    OutgoingRequestMessage,
    tagNumber('RequestMessage'),
    {
      RequestHeader: {
        ProtocolVersion: {
          ProtocolVersionMajor: version >> 8,
          ProtocolVersionMinor: version & 0xff,
        },
        ...(maximumResponseSize !== undefined && { MaximumResponseSize: maximumResponseSize }),
        ...(clientCorrelationValue !== undefined && {
          ClientCorrelationValue: clientCorrelationValue,
        }),
        ...(asynchronous !== undefined && { AsynchronousIndicator: asynchronous }),
        ...(attestationTypes !== undefined && {
          AttestationCapableIndicator: true,
          AttestationType: attestationTypes,
        }),
        ...(authentication !== undefined && { Authentication: authentication }),
        ...(several && onError !== undefined && { BatchErrorContinuationOption: onError }),
        // ID Placeholder needs the order, and 1.x promises none unless asked (KMIP 1.4 §6.12).
        ...(several && { BatchOrderOption: !anyOrder }),
        ...(timeStamp !== undefined && { TimeStamp: timeStamp }),
        BatchCount: items.length,
      },
      BatchItem: items.map(({ operation, payload }, index) => ({
        Operation: operation,
        ...(several && { UniqueBatchItemID: itemId(index) }),
        RequestPayload: payload,
      })),
    },
    { version },
  )
}

/** An answer decoded: the version it is written in, and a result for each item asked. */
export interface DecodedResponse<Items extends readonly BatchItem[]> {
  readonly version: Version
  readonly results: BatchResults<Items>
}

/** The items of an answer, each in the place of the one it answers, and what its header proves. */
export interface DecodedAnswers {
  readonly version: Version
  readonly serverHashedPassword: Uint8Array | undefined
  readonly answers: readonly (ResponseBatchItem | undefined)[]
}

/**
 * The results in an answer to `items` sent as `asked`. Throws ResultError when the server refused the message as
 * a whole, DecodeError for bytes that are no answer, ConnectionError `no-kmip` for one to other items.
 */
export function decodeResponse<const Items extends readonly BatchItem[]>(
  bytes: Uint8Array,
  items: Items,
  asked: Version,
): DecodedResponse<Items> {
  const { version, answers } = decodeAnswers(bytes, items, asked)
  return { version, results: answers.map(resultOf) as BatchResults<Items> }
}

/** As `decodeResponse`. The answer to a Poll may be that of any operation. */
export function decodeAnswers(
  bytes: Uint8Array,
  items: readonly BatchItem[],
  asked: Version,
): DecodedAnswers {
  const version = peekVersion(bytes) ?? asked
  const response = decode(ResponseMessage, tagNumber('ResponseMessage'), bytes, {
    version,
    unknown: 'ignore',
  })
  const answers: (ResponseBatchItem | undefined)[] = items.map(() => undefined)
  for (const [position, answer] of response.BatchItem.entries()) {
    const { Operation, UniqueBatchItemID, ResultStatus } = answer
    const isNamed = Operation !== undefined || UniqueBatchItemID !== undefined
    if (ResultStatus !== 'Success' && !isNamed) throw errorOf(answer)
    const index = UniqueBatchItemID === undefined ? position : indexOf(UniqueBatchItemID)
    const item = items[index]
    const isAnswer =
      item?.operation === 'Poll' || (Operation ?? item?.operation) === item?.operation
    if (item === undefined || !isAnswer)
      throw new ConnectionError('no-kmip', `answer ${position} is not for an item that was asked`, {
        mayHaveRun: true,
      })
    answers[index] = answer
  }
  const { ServerHashedPassword: serverHashedPassword } = response.ResponseHeader
  return { version, serverHashedPassword, answers }
}

/** What an answer says of its item. */
export function resultOf(answer: ResponseBatchItem | undefined): ItemResult<OperationName> {
  if (answer === undefined) return { status: 'NotRun' }
  if (answer.ResultStatus !== 'Success') return { status: 'Failed', error: errorOf(answer) }
  const payload = (answer.ResponsePayload ?? {}) as ResponsePayload<OperationName>
  return { status: 'Success', payload }
}

function errorOf(answer: ResponseBatchItem): ResultError {
  return new ResultError({
    operation: answer.Operation,
    status: answer.ResultStatus,
    reason: answer.ResultReason,
    message: answer.ResultMessage,
  })
}

/** Unique Batch Item ID: the item's index, four bytes. */
function itemId(index: number): Uint8Array {
  const id = new Uint8Array(4)
  new DataView(id.buffer).setUint32(0, index)
  return id
}

const indexOf = (id: Uint8Array) =>
  id.length === 4 ? new DataView(id.buffer, id.byteOffset).getUint32(0) : -1
