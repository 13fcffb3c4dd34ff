/** The items of a request message as the batch engine sees them: decoded to their operation, payload not yet. */
import { DecodeError, decodeRaw, type DecodeOptions, type Infer, type Raw } from 'ttlv-codec'
import { RequestBatchItem, RequestItemLabel, type RequestMessage } from '../model/messages.ts'
import { Operation } from '../model/enumerations.ts'
import { payloads, type OperationName } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { refusalOfReading } from './refusals.ts'

/** One item; `fault` when it could not be read or must not run. */
export interface Item {
  operation: RequestBatchItem['Operation'] | undefined
  id: Uint8Array | undefined
  payload: Raw | undefined
  /** The payload decoded, in its place: of requests that this process has read already. */
  request?: object | undefined
  fault: KmipError | undefined
}

type Extensions = RequestBatchItem['MessageExtension']

/** Reads the items. A broken one fails alone; what can be read of it is answered by. */
export function itemsOf(
  message: Infer<typeof RequestMessage>,
  options: DecodeOptions,
): { items: Item[]; extensions: Extensions } {
  const extensions: Extensions = []
  const items = message.BatchItem.map((raw): Item => {
    try {
      const read = decodeRaw(RequestBatchItem, raw, options)
      extensions.push(...read.MessageExtension)
      const { Operation: operation, UniqueBatchItemID: id, RequestPayload: payload } = read
      return { operation, id, payload, fault: faultOf(read, options.version) }
    } catch (error) {
      const fault = refusalOfReading(error)
      if (fault === undefined) throw error
      const label = labelOf(raw, options)
      extensions.push(...label.MessageExtension)
      const { Operation: operation, UniqueBatchItemID: id } = label
      return { operation, id, payload: undefined, fault }
    }
  })
  return { items, extensions }
}

/** What an item that cannot be read whole still says about itself. */
function labelOf(raw: Raw, options: DecodeOptions): Infer<typeof RequestItemLabel> {
  try {
    return decodeRaw(RequestItemLabel, raw, { ...options, unknown: 'ignore' })
  } catch (error) {
    if (error instanceof DecodeError) return { MessageExtension: [] }
    throw error
  }
}

function faultOf({ Operation: operation, Ephemeral }: RequestBatchItem, version: number) {
  // A client of 1.0 has no other way to learn what else is spoken.
  const spoken =
    typeof operation === 'string' &&
    Object.hasOwn(payloads, operation) &&
    (Operation.since(operation) <= version || operation === 'DiscoverVersions')
  if (!spoken) {
    return new KmipError('OperationNotSupported', `operation ${operation} is not supported`)
  }
  return Ephemeral === true
    ? new KmipError('FeatureNotSupported', 'Ephemeral is not supported')
    : undefined
}

/** The operation of an item without a fault. */
export function operationOf({ operation }: Item): OperationName {
  return operation as OperationName
}

/** What the answer repeats of the item. An operation that the version does not have goes by its number. */
export function echoOf({ operation, id }: Item, version: number) {
  const isNewer = typeof operation === 'string' && Operation.since(operation) > version
  const said = isNewer ? Operation.numberOf(operation) : operation
  const UniqueBatchItemID = id
  if (said === undefined) return UniqueBatchItemID === undefined ? {} : { UniqueBatchItemID }
  return UniqueBatchItemID === undefined
    ? { Operation: said }
    : { Operation: said, UniqueBatchItemID }
}
