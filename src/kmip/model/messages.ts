/** Request and Response Message – KMIP 2.1 §8 and §9, with the shapes of 1.0–1.4 beside them. */
import {
  boolean,
  bytes,
  dateTime,
  dateTimeExtended,
  dependent,
  integer,
  many,
  map,
  opt,
  raw,
  req,
  text,
  type Infer,
  type Schema,
} from 'ttlv-codec'
import {
  AsynchronousIndicator,
  AttestationType,
  BatchErrorContinuationOption,
  CredentialType,
  HashingAlgorithm,
  Operation,
  ResultReason,
  ResultStatus,
  TicketType,
} from './enumerations.ts'
import { payloadSchema } from './payloads/index.ts'
import { shapes, struct } from './tags.ts'

/** §9.16 Protocol Version. */
export const ProtocolVersion = struct({
  ProtocolVersionMajor: req(integer),
  ProtocolVersionMinor: req(integer),
})

/** §9.14 Nonce. */
export const Nonce = struct({ NonceID: req(bytes), NonceValue: req(bytes) })

const UsernameAndPassword = struct({ Username: req(text), Password: opt(text) })
const Device = struct({
  DeviceSerialNumber: opt(text),
  Password: opt(text),
  DeviceIdentifier: opt(text),
  NetworkIdentifier: opt(text),
  MachineIdentifier: opt(text),
  MediaIdentifier: opt(text),
})
const Attestation = struct({
  Nonce: req(Nonce),
  AttestationType: req(AttestationType),
  AttestationMeasurement: opt(bytes),
  AttestationAssertion: opt(bytes),
})
const OneTimePassword = struct({
  Username: req(text),
  Password: opt(text),
  OneTimePassword: req(text),
})
const HashedPassword = struct({
  Username: req(text),
  TimeStamp: req(dateTimeExtended),
  HashingAlgorithm: opt(HashingAlgorithm),
  HashedPassword: req(bytes),
})
const TicketCredential = struct({
  Ticket: req(struct({ TicketType: req(TicketType), TicketValue: req(bytes) })),
})

const credentialValues: Record<string, Schema<unknown>> = {
  UsernameAndPassword: UsernameAndPassword as Schema<unknown>,
  Device: Device as Schema<unknown>,
  Attestation: Attestation as Schema<unknown>,
  OneTimePassword: OneTimePassword as Schema<unknown>,
  HashedPassword: HashedPassword as Schema<unknown>,
  Ticket: TicketCredential as Schema<unknown>,
}

/** §9.11 Credential. The value of a type not known here stays undecoded. */
export const Credential = struct({
  CredentialType: req(CredentialType),
  CredentialValue: req(
    dependent(
      'CredentialType',
      (type) => credentialValues[String(type)] ?? (raw as Schema<unknown>),
    ),
  ),
})

/** The value of a Username and Password Credential. */
export type UsernameAndPassword = Infer<typeof UsernameAndPassword>

/** §9.4 Authentication. */
export const Authentication = struct({ Credential: many(Credential, { min: 1 }) })

/** §9.13 Message Extension. Its content is the vendor's. */
export const MessageExtension = struct({
  VendorIdentification: req(text),
  CriticalityIndicator: req(boolean),
  VendorExtension: req(raw),
})

/** 1.x says True / False, 2.x Mandatory / Optional / Prohibited (§9.2). In memory: the words of 2.x. */
const asynchronousBoolean = map(boolean, {
  read: (able): Infer<typeof AsynchronousIndicator> => (able ? 'Optional' : 'Prohibited'),
  write: (indicator) => indicator !== 'Prohibited',
})

/** §8.2 Request Header. */
export const RequestHeader = struct({
  ProtocolVersion: req(ProtocolVersion),
  MaximumResponseSize: opt(integer),
  ClientCorrelationValue: opt(text, { since: '1.4' }),
  ServerCorrelationValue: opt(text, { since: '1.4' }),
  AsynchronousIndicator: shapes(
    { until: '1.4', tag: 'AsynchronousIndicator', schema: asynchronousBoolean },
    { since: '2.0', tag: 'AsynchronousIndicator', schema: AsynchronousIndicator },
  ),
  AttestationCapableIndicator: opt(boolean, { since: '1.2' }),
  AttestationType: many(AttestationType, { since: '1.2' }),
  Authentication: opt(Authentication),
  BatchErrorContinuationOption: opt(BatchErrorContinuationOption),
  BatchOrderOption: opt(boolean),
  TimeStamp: opt(dateTime),
  BatchCount: req(integer),
})

/**
 * §8.3 Request Batch Item as a server first sees it: the payload stays undecoded until its
 * operation is known, so that a wrong payload fails its item and not the message.
 */
export const RequestBatchItem = struct({
  Operation: req(Operation),
  Ephemeral: opt(boolean, { since: '2.0' }),
  UniqueBatchItemID: opt(bytes),
  RequestPayload: req(raw),
  MessageExtension: many(MessageExtension),
})

/** As much of a Request Batch Item as the answer to a broken one needs. */
export const RequestItemLabel = struct({
  Operation: opt(Operation),
  UniqueBatchItemID: opt(bytes),
  MessageExtension: many(MessageExtension),
})

/** §8.1 Request Message, payloads undecoded. */
export const RequestMessage = struct({
  RequestHeader: req(RequestHeader),
  BatchItem: many(raw),
})

/** §8.1 Request Message as a client writes it: payloads typed by their Operation. */
export const OutgoingRequestMessage = struct({
  RequestHeader: req(RequestHeader),
  BatchItem: many(
    struct({
      Operation: req(Operation),
      UniqueBatchItemID: opt(bytes),
      RequestPayload: req(
        dependent('Operation', (operation) => payloadSchema(operation, 'request')),
      ),
      MessageExtension: many(MessageExtension),
    }),
  ),
})

/** §8.5 Response Header. */
export const ResponseHeader = struct({
  ProtocolVersion: req(ProtocolVersion),
  TimeStamp: req(dateTime),
  Nonce: opt(Nonce, { since: '1.2' }),
  ServerHashedPassword: opt(bytes, { since: '2.0' }),
  AttestationType: many(AttestationType, { since: '1.2' }),
  ClientCorrelationValue: opt(text, { since: '1.4' }),
  ServerCorrelationValue: opt(text, { since: '1.4' }),
  BatchCount: req(integer),
})

/** §8.6 Response Batch Item. */
export const ResponseBatchItem = struct({
  Operation: opt(Operation),
  UniqueBatchItemID: opt(bytes),
  ResultStatus: req(ResultStatus),
  ResultReason: opt(ResultReason),
  ResultMessage: opt(text),
  AsynchronousCorrelationValue: opt(bytes),
  ResponsePayload: opt(dependent('Operation', (operation) => payloadSchema(operation, 'response'))),
  MessageExtension: many(MessageExtension),
})

/** §8.4 Response Message. */
export const ResponseMessage = struct({
  ResponseHeader: req(ResponseHeader),
  BatchItem: many(ResponseBatchItem),
})

export type RequestHeader = Infer<typeof RequestHeader>
export type RequestBatchItem = Infer<typeof RequestBatchItem>
export type ResponseBatchItem = Infer<typeof ResponseBatchItem>
export type ResponseMessage = Infer<typeof ResponseMessage>
