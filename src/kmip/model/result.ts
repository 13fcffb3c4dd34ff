/**
 * How a refusal is said on the wire: one Result Reason per situation, in the words of KMIP 2.1 §11.46,
 * and what the same situation was called before 2.0 (KMIP 1.4 §11, "Error Handling").
 */
import type { Infer, Version } from 'ttlv-codec'
import { ResultReason } from './enumerations.ts'
import { version20 } from './versions.ts'

/** A Result Reason by its name in KMIP 2.1. */
export type ResultReasonName = Extract<Infer<typeof ResultReason>, string>

/**
 * The reason an older peer is told, for reasons that its version does not have. A situation whose
 * older reason depends on the operation passes its own (`before20`).
 */
const olderReason: Partial<Record<ResultReasonName, ResultReasonName>> = {
  ObjectNotFound: 'ItemNotFound',
  ObjectDestroyed: 'ItemNotFound',
  WrongKeyLifecycleState: 'PermissionDenied',
  IncompatibleCryptographicUsageMask: 'PermissionDenied',
  InvalidAttributeValue: 'InvalidField',
  InvalidAttribute: 'InvalidField',
  InvalidDataType: 'InvalidField',
  InvalidObjectType: 'InvalidField',
  IllegalObjectType: 'IllegalOperation',
  UnknownEnumeration: 'InvalidField',
  UnknownTag: 'InvalidField',
  UnknownMessageExtension: 'FeatureNotSupported',
  UnsupportedProtocolVersion: 'InvalidMessage',
  UnsupportedAttribute: 'PermissionDenied',
  ReadOnlyAttribute: 'PermissionDenied',
  AttributeReadOnly: 'PermissionDenied',
  AttributeSingleValued: 'IllegalOperation',
  AttributeNotFound: 'ItemNotFound',
  AttributeInstanceNotFound: 'ItemNotFound',
  MultiValuedAttribute: 'IllegalOperation',
  NonUniqueNameAttribute: 'InvalidField',
  NumericRange: 'InvalidField',
  ServerLimitExceeded: 'IndexOutOfBounds',
  UsageLimitExceeded: 'PermissionDenied',
  WrappingObjectNotFound: 'ItemNotFound',
  WrappingObjectArchived: 'ObjectArchived',
  WrappingObjectDestroyed: 'ItemNotFound',
  EncodingOptionError: 'InvalidField',
  KeyWrapTypeNotSupported: 'FeatureNotSupported',
  KeyValueNotPresent: 'IllegalOperation',
  AttestationRequired: 'PermissionDenied',
  AttestationFailed: 'PermissionDenied',
  Sensitive: 'PermissionDenied',
  NotExtractable: 'PermissionDenied',
  ObjectAlreadyExists: 'IllegalOperation',
  BadCryptographicParameters: 'InvalidField',
  UnsupportedCryptographicParameters: 'FeatureNotSupported',
  MissingInitializationVector: 'InvalidMessage',
  InvalidCorrelationValue: 'ItemNotFound',
  UnknownObjectGroup: 'InvalidField',
  InvalidAsynchronousCorrelationValue: 'ItemNotFound',
  ProtectionStorageUnavailable: 'FeatureNotSupported',
  ConstraintViolation: 'PermissionDenied',
}

/**
 * A request that cannot be served. The batch engine alone turns it into an answer.
 * `message` goes to the peer as Result Message: it must never hold a secret or another client's object.
 */
export class KmipError extends Error {
  override readonly name = 'KmipError'
  readonly reason: ResultReasonName
  readonly before20: ResultReasonName | undefined

  constructor(
    reason: ResultReasonName,
    message: string,
    options: { before20?: ResultReasonName; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.reason = reason
    this.before20 = options.before20
  }

  /** The reason in the words of `peer`'s version: never one that version does not have. */
  reasonFor(peer: Version): ResultReasonName {
    let reason = (peer < version20 ? this.before20 : undefined) ?? this.reason
    while (ResultReason.since(reason) > peer) reason = olderReason[reason] ?? 'GeneralFailure'
    return reason
  }
}
