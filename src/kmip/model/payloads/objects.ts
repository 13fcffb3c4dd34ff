/** Payloads of Create, Register, Get, Export, Import and Locate – KMIP 2.1 §6.1.8 to §6.1.43. */
import { boolean, integer, interval, many, opt, req, text } from 'ttlv-codec'
import {
  Attribute1,
  attributeFilter,
  attributeList,
  chosenAttributes,
  newObjectAttributes,
} from '../attribute-forms.ts'
import {
  KeyCompressionType,
  KeyFormatType,
  KeyWrapType,
  ObjectGroupMember,
  ObjectType,
} from '../enumerations.ts'
import { ProtectionStorageMask, StorageStatusMask } from '../masks.ts'
import { KeyWrappingSpecification, objectFields } from '../objects.ts'
import { struct } from '../tags.ts'
import { UniqueIdentifier } from '../unique-identifier.ts'

/** KMIP 2.1 §7.33: kinds of storage that a client accepts, each in all its bits. */
export const ProtectionStorageMasks = struct({ ProtectionStorageMask: many(ProtectionStorageMask) })

/** 1.x Template (KMIP 1.4 §2.2.6): attributes to be taken over by new objects. */
const Template = struct({ Attribute: many(Attribute1) })

/** "Any Object": one field per Managed Object, of which exactly one is present (KMIP 2.1 §2). */
export const anyObject = {
  Certificate: opt(objectFields.Certificate),
  CertificateRequest: opt(objectFields.CertificateRequest, { since: '2.0' }),
  SymmetricKey: opt(objectFields.SymmetricKey),
  PGPKey: opt(objectFields.PGPKey, { since: '1.2' }),
  PrivateKey: opt(objectFields.PrivateKey),
  PublicKey: opt(objectFields.PublicKey),
  SplitKey: opt(objectFields.SplitKey),
  Template: opt(Template, { until: '1.4' }),
  SecretData: opt(objectFields.SecretData),
  OpaqueObject: opt(objectFields.OpaqueObject),
}

export const Create = {
  request: struct({
    ObjectType: req(ObjectType),
    Attributes: newObjectAttributes,
    ProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
  }),
  response: struct({
    ObjectType: req(ObjectType),
    UniqueIdentifier: req(text),
    Attributes: chosenAttributes,
  }),
}
export const ReKey = {
  request: struct({
    UniqueIdentifier: opt(UniqueIdentifier),
    Offset: opt(interval),
    Attributes: newObjectAttributes,
    ProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
  }),
  response: struct({ UniqueIdentifier: req(text), Attributes: chosenAttributes }),
}
export const Register = {
  request: struct({
    ObjectType: req(ObjectType),
    Attributes: newObjectAttributes,
    ...anyObject,
    ProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
  }),
  response: struct({ UniqueIdentifier: req(text), Attributes: chosenAttributes }),
}
export const Get = {
  request: struct({
    UniqueIdentifier: opt(UniqueIdentifier),
    KeyFormatType: opt(KeyFormatType),
    KeyWrapType: opt(KeyWrapType, { since: '1.4' }),
    KeyCompressionType: opt(KeyCompressionType),
    KeyWrappingSpecification: opt(KeyWrappingSpecification),
  }),
  response: struct({
    ObjectType: req(ObjectType),
    UniqueIdentifier: req(text),
    ...anyObject,
  }),
}
/** The object stays away for objects that are destroyed. */
export const Export = {
  request: Get.request,
  response: struct({
    ObjectType: req(ObjectType),
    UniqueIdentifier: req(text),
    Attributes: attributeList,
    ...anyObject,
  }),
}
export const Import = {
  request: struct({
    UniqueIdentifier: req(UniqueIdentifier),
    ObjectType: opt(ObjectType, { since: '2.0' }),
    ReplaceExisting: opt(boolean),
    KeyWrapType: opt(KeyWrapType),
    Attributes: attributeList,
    ...anyObject,
  }),
  response: struct({ UniqueIdentifier: req(text) }),
}
export const Locate = {
  request: struct({
    MaximumItems: opt(integer),
    OffsetItems: opt(integer, { since: '1.3' }),
    StorageStatusMask: opt(StorageStatusMask),
    ObjectGroupMember: opt(ObjectGroupMember, { since: '1.1' }),
    Attributes: attributeFilter,
  }),
  response: struct({
    LocatedItems: opt(integer, { since: '1.3' }),
    UniqueIdentifier: many(text),
  }),
}
