/** Requests to bytes, and what comes of their items – KMIP 2.1 §8 "Messages", §9.6. */
import { encode, type InferInput, type Version } from 'ttlv-codec'
import {
  OutgoingRequestMessage,
  type Authentication,
  type RequestHeader,
} from '../model/messages.ts'
import type { OperationName, payloads, ResponsePayload } from '../model/payloads/index.ts'
import { tagNumber } from '../model/tags.ts'
import type { ResultError } from './errors.ts'

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

/** Unique Batch Item ID: the item's index, four bytes. */
function itemId(index: number): Uint8Array {
  const id = new Uint8Array(4)
  new DataView(id.buffer).setUint32(0, index)
  return id
}

/** The index in a Unique Batch Item ID of ours; -1 in any other. */
export const indexOf = (id: Uint8Array): number =>
  id.length === 4 ? new DataView(id.buffer, id.byteOffset).getUint32(0) : -1
