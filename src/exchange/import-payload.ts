/**
 * What travels for a key: the Import request of KMIP 2.1 §6.1.25, as far as a bundle uses it, in a
 * request message. Bundles are of one version, whatever the versions of their readers.
 */
import { bytes, integer, many, opt, raw, req, text, type Infer } from 'ttlv-codec'
import { attributeList } from '../kmip/model/attribute-forms.ts'
import {
  BatchErrorContinuationOption,
  KeyWrapType,
  ObjectType,
  Operation,
} from '../kmip/model/enumerations.ts'
import { ProtocolVersion } from '../kmip/model/messages.ts'
import { objectFields } from '../kmip/model/objects.ts'
import { struct } from '../kmip/model/tags.ts'

/** The payload, with the one kind of object that is exchanged. */
export const ImportPayload = struct({
  UniqueIdentifier: req(text),
  ObjectType: req(ObjectType),
  KeyWrapType: opt(KeyWrapType),
  Attributes: attributeList,
  SymmetricKey: req(objectFields.SymmetricKey),
})

export type ImportRequest = Infer<typeof ImportPayload>

const RequestHeader = struct({
  ProtocolVersion: req(ProtocolVersion),
  BatchErrorContinuationOption: opt(BatchErrorContinuationOption),
  BatchCount: req(integer),
})

/** One item. */
export const ImportItem = struct({
  Operation: req(Operation),
  UniqueBatchItemID: opt(bytes),
  RequestPayload: req(ImportPayload),
})

/** The message of a part as it is written … */
export const OutgoingPart = struct({
  RequestHeader: req(RequestHeader),
  BatchItem: many(ImportItem),
})

/** … and as it is read: a broken item fails alone. */
export const IncomingPart = struct({ RequestHeader: req(RequestHeader), BatchItem: many(raw) })
