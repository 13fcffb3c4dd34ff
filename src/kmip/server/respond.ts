/**
 * From the bytes of a request to the bytes of its answer – KMIP 2.1 §8, §9; errors of the message as a
 * whole by KMIP 1.4 §11.1. Whatever comes in, a KMIP answer goes out.
 */
import { randomUUID } from 'node:crypto'
import {
  decode,
  DecodeError,
  encode,
  peekVersion,
  type DecodeOptions,
  type Infer,
  type InferInput,
  type Limits,
  type Version,
} from 'ttlv-codec'
import type { CredentialCheck } from '../../access/credentials.ts'
import type { Principal } from '../../access/identity.ts'
import type { AsynchronousRequests } from '../operations/asynchronous-requests.ts'
import { runBatch, type Engine } from '../operations/batch.ts'
import { itemsOf, type Item } from '../operations/items.ts'
import { refusalOfReading } from '../operations/refusals.ts'
import { refusalOfOurs } from '../operations/store-trouble.ts'
import {
  RequestMessage,
  ResponseBatchItem,
  ResponseHeader,
  ResponseMessage,
  type RequestHeader,
} from '../model/messages.ts'
import { KmipError } from '../model/result.ts'
import { tagNumber } from '../model/tags.ts'
import { newest, spokenFor, versions } from '../model/versions.ts'
import type { Answer } from './ports.ts'
import { checkPushedHeader } from './pushed-headers.ts'

/** Ceilings of one request. */
export interface RequestLimits extends Limits {
  /** Most items in one batch. */
  maxBatchItems: number
  /** Most in one with Undo: one transaction, which holds up every other (no longer than 50 ms). */
  maxUndoItems: number
}

/** What answering needs; made once. */
export interface Responder extends Engine {
  limits: RequestLimits
  credentials: Pick<CredentialCheck, 'authenticate'>
  requests: AsynchronousRequests
}

/** Answers one request of an identified client. Always answers; a bug or a failing store with General Failure. */
export async function respond(
  responder: Responder,
  message: Uint8Array,
  principal: Principal,
  turnable = false,
): Promise<Answer> {
  const asked = peekVersion(message)
  const spoken = asked === undefined ? undefined : spokenFor(asked)
  const version = spoken?.number ?? fallbackVersion(asked)
  try {
    if (asked === undefined)
      throw new KmipError('InvalidMessage', 'the message has no Protocol Version')
    if (spoken === undefined) {
      throw new KmipError(
        'UnsupportedProtocolVersion',
        `protocol version ${asked >> 8}.${asked & 0xff} is not spoken here`,
      )
    }
    // A later minor version may bring fields nobody here knows; they are passed over (KMIP 1.4 §11.1).
    const decoding: DecodeOptions = {
      version,
      limits: responder.limits,
      unknown: asked === spoken.number ? 'refuse' : 'ignore',
    }
    const request = decode(RequestMessage, tagNumber('RequestMessage'), message, decoding)
    return await answerRequest(responder, request, principal, decoding, turnable)
  } catch (error) {
    const refusal = refusalOfReading(error)
    if (refusal === undefined) return { bytes: encodeFailure(responder, error, version) }
    const outcome = refusal.reasonFor(version)
    const note = {
      operation: 'Message',
      outcome,
      isAct: false,
      message: refusal.message,
      alarms: [],
    }
    await responder.aftermath.conclude(responder.store, principal, [note], randomUUID())
    return { bytes: encodeRefusal(refusal, version) }
  }
}

function encodeFailure({ log }: Responder, error: unknown, version: Version): Uint8Array {
  const correlation = randomUUID()
  log.error({ err: error, correlation }, 'a request failed for a reason of our own')
  return encodeRefusal(refusalOfOurs(error, correlation), version)
}

/** The answer to a stream of which not even one message can be cut. */
export function refuseStream(error: DecodeError, firstBytes: Uint8Array): Uint8Array {
  const asked = peekVersion(firstBytes)
  const version =
    (asked === undefined ? undefined : spokenFor(asked)?.number) ?? fallbackVersion(asked)
  return encodeRefusal(new KmipError('InvalidMessage', error.message), version)
}

/** The version to answer in when the one asked for is not spoken: the nearest that is. */
function fallbackVersion(asked: Version | undefined): Version {
  return asked !== undefined && asked > newest.number ? newest.number : versions[0]!.number
}

async function answerRequest(
  responder: Responder,
  request: Infer<typeof RequestMessage>,
  principal: Principal,
  decoding: DecodeOptions,
  turnable: boolean,
): Promise<Answer> {
  const { version } = decoding
  const header = request.RequestHeader
  checkHeader(header, request.BatchItem.length, responder.limits)
  const { items, extensions } = itemsOf(request, decoding)
  if (extensions.some(({ CriticalityIndicator }) => CriticalityIndicator)) {
    throw new KmipError('UnknownMessageExtension', 'a critical Message Extension is not understood')
  }
  checkIdentifiers(items)
  checkPushedHeader(header, items, version)
  if (typeof header.AsynchronousIndicator === 'number') {
    const found = header.AsynchronousIndicator
    throw new KmipError('UnknownEnumeration', `unknown Asynchronous Indicator ${found}`)
  }
  const correlation = randomUUID()
  const fields = {
    client: principal.name,
    correlation,
    clientCorrelation: header.ClientCorrelationValue,
  }
  if (header.ClientCorrelationValue !== undefined)
    responder.log.info(fields, 'request with a correlation value')
  const presented = header.Authentication?.Credential ?? []
  const identified = await responder.credentials.authenticate(
    responder.store,
    principal,
    presented,
    items.length,
  )
  const unauthenticated = identified.ok
    ? undefined
    : { refusal: refusalOfCredential(identified.reason), ofAll: presented.length > 0 }
  if (!identified.ok)
    responder.log.warn(
      { ...fields, reason: identified.reason, ...identified.detail },
      'credential refused',
    )
  const answerHeader = {
    ProtocolVersion: { ProtocolVersionMajor: version >> 8, ProtocolVersionMinor: version & 0xff },
    TimeStamp: BigInt(Math.floor(Date.now() / 1000)),
    // Only clients that use correlation values themselves are sent ours: old ones trip over the field.
    ...(header.ClientCorrelationValue === undefined ? {} : { ServerCorrelationValue: correlation }),
    ...(identified.ok &&
      identified.serverHashedPassword && { ServerHashedPassword: identified.serverHashedPassword }),
    BatchCount: 0,
  }
  const room =
    header.MaximumResponseSize === undefined
      ? undefined
      : header.MaximumResponseSize - encodeResponse(answerHeader, [], version).length
  const served = identified.ok ? identified.principal : principal
  const continuation = continuationOf(header)
  if (identified.ok && header.AsynchronousIndicator !== undefined) {
    const lenient = decoding.unknown === 'ignore'
    const submission = { message: request, items, version, lenient, room }
    const pending = await responder.requests.submitted(served, submission)
    if (pending !== undefined) return { bytes: encodeResponse(answerHeader, pending, version) }
  }
  const { answers, secrets } = await runBatch(responder, {
    version,
    principal: served,
    items,
    continuation,
    unauthenticated,
    room,
    decoding,
    correlation,
    turnable,
  })
  try {
    const bytes = encodeAnswers(responder, answerHeader, answers, version)
    const turned = answers.some(isTurning) && { turned: version }
    return { bytes, wipe: () => bytes.fill(0), ...turned }
  } finally {
    for (const secret of secrets) secret.wipe()
  }
}

/** The client has become the server of the connection (Set Endpoint Role). */
function isTurning({ Operation, ResultStatus, ResponsePayload }: ResponseBatchItem): boolean {
  if (Operation !== 'SetEndpointRole' || ResultStatus !== 'Success') return false
  return (ResponsePayload as { EndpointRole?: unknown }).EndpointRole === 'Client'
}

function refusalOfCredential(reason: string): KmipError {
  return reason === 'attestation'
    ? new KmipError('AttestationFailed', 'attestation is not verified here')
    : new KmipError('AuthenticationNotSuccessful', 'the credential is missing or wrong')
}

function checkHeader(header: RequestHeader, items: number, limits: RequestLimits): void {
  if (header.BatchCount !== items) {
    throw new KmipError(
      'InvalidMessage',
      `Batch Count is ${header.BatchCount}, but there are ${items} Batch Items`,
    )
  }
  if (items === 0) throw new KmipError('InvalidMessage', 'there is no Batch Item')
  if (items > limits.maxBatchItems) {
    throw new KmipError('InvalidMessage', `more than ${limits.maxBatchItems} Batch Items`)
  }
  if (header.BatchErrorContinuationOption === 'Undo' && items > limits.maxUndoItems) {
    const most = limits.maxUndoItems
    throw new KmipError('InvalidMessage', `more than ${most} Batch Items to be undone as a whole`)
  }
  const { MaximumResponseSize } = header
  if (MaximumResponseSize !== undefined && MaximumResponseSize <= 0) {
    throw new KmipError('InvalidMessage', `Maximum Response Size is ${MaximumResponseSize}`)
  }
}

/** With several items each needs an identifier to be answered by. */
function checkIdentifiers(items: readonly Item[]): void {
  if (
    items.length > 1 &&
    items.some(({ id, operation }) => id === undefined && operation !== undefined)
  ) {
    throw new KmipError(
      'InvalidMessage',
      'Batch Count is over 1, but a Batch Item has no Unique Batch Item ID',
    )
  }
}

function continuationOf({ BatchErrorContinuationOption: option }: RequestHeader) {
  if (typeof option === 'number') {
    throw new KmipError('UnknownEnumeration', `unknown Batch Error Continuation Option ${option}`)
  }
  return option ?? 'Stop'
}

/**
 * The operations answer nothing that the version cannot say. Should one do so all the same, that item
 * alone fails: its neighbours have been done, and the client must hear of them.
 */
function encodeAnswers(
  { log }: Responder,
  header: InferInput<typeof ResponseHeader>,
  answers: ResponseBatchItem[],
  version: Version,
): Uint8Array {
  try {
    return encodeResponse(header, answers, version)
  } catch (error) {
    log.error({ err: error }, 'an answer could not be encoded')
    const spoken = answers.map((answer): ResponseBatchItem => {
      try {
        encode(ResponseBatchItem, tagNumber('BatchItem'), answer, { version })
        return answer
      } catch {
        return {
          ...answer,
          ResultStatus: 'OperationFailed',
          ResultReason: 'GeneralFailure',
          ResponsePayload: undefined,
        }
      }
    })
    return encodeResponse(header, spoken, version)
  }
}

function encodeResponse(
  header: InferInput<typeof ResponseHeader>,
  BatchItem: ResponseBatchItem[],
  version: Version,
): Uint8Array {
  return encode(
    ResponseMessage,
    tagNumber('ResponseMessage'),
    { ResponseHeader: { ...header, BatchCount: BatchItem.length }, BatchItem },
    { version },
  )
}

/** A response with one item that names no operation, as errors of a whole message are answered. */
function encodeRefusal(refusal: KmipError, version: Version): Uint8Array {
  return encodeResponse(
    {
      ProtocolVersion: { ProtocolVersionMajor: version >> 8, ProtocolVersionMinor: version & 0xff },
      TimeStamp: BigInt(Math.floor(Date.now() / 1000)),
      BatchCount: 1,
    },
    [
      {
        ResultStatus: 'OperationFailed',
        ResultReason: refusal.reasonFor(version),
        ResultMessage: refusal.message,
        MessageExtension: [],
      },
    ],
    version,
  )
}
