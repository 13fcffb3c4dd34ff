/** Requests to bytes and answers to results – KMIP 2.1 §8 "Messages", §9.6, §9.21. */
import { decode, encode, peekVersion, type InferInput, type Version } from 'ttlv-codec'
import { OutgoingRequestMessage, ResponseMessage, type Authentication } from '../model/messages.ts'
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
}

/** One request message. Throws EncodeError for a payload that the version cannot say. */
export function encodeRequest(
  items: readonly BatchItem[],
  version: Version,
  options: RequestOptions = {},
): Uint8Array {
  const several = items.length > 1
  const { onError, maximumResponseSize, clientCorrelationValue, authentication } = options
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
        ...(authentication !== undefined && { Authentication: authentication }),
        ...(several && onError !== undefined && { BatchErrorContinuationOption: onError }),
        // ID Placeholder needs the order, and 1.x promises none unless asked (KMIP 1.4 §6.12).
        ...(several && { BatchOrderOption: true }),
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

/**
 * The results in an answer to `items` sent as `asked`. Throws ResultError when the server refused the message as
 * a whole, DecodeError for bytes that are no answer, ConnectionError `no-kmip` for one to other items.
 */
export function decodeResponse<const Items extends readonly BatchItem[]>(
  bytes: Uint8Array,
  items: Items,
  asked: Version,
): DecodedResponse<Items> {
  const version = peekVersion(bytes) ?? asked
  const { BatchItem: answers } = decode(ResponseMessage, tagNumber('ResponseMessage'), bytes, {
    version,
    unknown: 'ignore',
  })
  const results: ItemResult<OperationName>[] = items.map(() => ({ status: 'NotRun' }))
  for (const [position, answer] of answers.entries()) {
    const failed = answer.ResultStatus !== 'Success'
    const error = new ResultError({
      operation: answer.Operation,
      status: answer.ResultStatus,
      reason: answer.ResultReason,
      message: answer.ResultMessage,
    })
    if (failed && answer.Operation === undefined && answer.UniqueBatchItemID === undefined)
      throw error
    const index =
      answer.UniqueBatchItemID === undefined ? position : indexOf(answer.UniqueBatchItemID)
    const item = items[index]
    if (item === undefined || (answer.Operation ?? item.operation) !== item.operation)
      throw new ConnectionError('no-kmip', `answer ${position} is not for an item that was asked`, {
        mayHaveRun: true,
      })
    results[index] = failed
      ? { status: 'Failed', error }
      : {
          status: 'Success',
          payload: (answer.ResponsePayload ?? {}) as ResponsePayload<OperationName>,
        }
  }
  return { version, results: results as BatchResults<Items> }
}

/** Unique Batch Item ID: the item's index, four bytes. */
function itemId(index: number): Uint8Array {
  const id = new Uint8Array(4)
  new DataView(id.buffer).setUint32(0, index)
  return id
}

const indexOf = (id: Uint8Array) =>
  id.length === 4 ? new DataView(id.buffer, id.byteOffset).getUint32(0) : -1
