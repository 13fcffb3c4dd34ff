/** Payloads of Discover Versions and Query – KMIP 2.1 §6.1.16, §6.1.40, §7. */
import { boolean, integer, many, oneOf, opt, req, text } from 'ttlv-codec'
import { Attributes2 } from '../attribute-forms.ts'
import { RandomNumberGenerator } from '../attribute-values.ts'
import {
  AttestationType,
  ClientRegistrationMethod,
  DestroyAction,
  ItemType,
  ObjectType,
  Operation,
  ProfileName,
  QueryFunction,
  RNGMode,
  ShreddingAlgorithm,
  UnwrapMode,
  ValidationAuthorityType,
  ValidationType,
} from '../enumerations.ts'
import { struct } from '../tags.ts'
import { ProtectionStorageMasks } from './objects.ts'

/** §9.16 Protocol Version, as Discover Versions lists it. */
const ProtocolVersion = struct({
  ProtocolVersionMajor: req(integer),
  ProtocolVersionMinor: req(integer),
})

export const DiscoverVersions = {
  request: struct({ ProtocolVersion: many(ProtocolVersion) }),
  response: struct({ ProtocolVersion: many(ProtocolVersion) }),
}

/** §7.37 Server Information; vendors' own in 1.x, so its fields are written from 2.0 on. */
const ServerInformation = struct({
  ServerName: opt(text, { since: '2.0' }),
  ServerSerialNumber: opt(text, { since: '2.0' }),
  ServerVersion: opt(text, { since: '2.0' }),
  ServerLoad: opt(text, { since: '2.0' }),
  ProductName: opt(text, { since: '2.0' }),
  BuildLevel: opt(text, { since: '2.0' }),
  BuildDate: opt(text, { since: '2.0' }),
  ClusterInfo: opt(text, { since: '2.0' }),
  AlternateFailoverEndpoints: many(text, { since: '2.0' }),
})

/** §7.13 Extension Information. The Extension Type was an Integer before it became an Enumeration. */
const ExtensionInformation = struct({
  ExtensionName: req(text),
  ExtensionTag: opt(integer),
  ExtensionType: opt(oneOf(integer, ItemType)),
  ExtensionEnumeration: opt(integer, { since: '2.0' }),
  ExtensionAttribute: opt(boolean, { since: '2.0' }),
  ExtensionParentStructureTag: opt(integer, { since: '2.0' }),
  ExtensionDescription: opt(text, { since: '2.0' }),
})

/** §7.41 Validation Information. */
const ValidationInformation = struct({
  ValidationAuthorityType: req(ValidationAuthorityType),
  ValidationAuthorityCountry: opt(text),
  ValidationAuthorityURI: opt(text),
  ValidationVersionMajor: req(integer),
  ValidationVersionMinor: opt(integer),
  ValidationType: req(ValidationType),
  ValidationLevel: req(integer),
  ValidationCertificateIdentifier: opt(text),
  ValidationCertificateURI: opt(text),
  ValidationVendorURI: opt(text),
  ValidationProfile: many(text),
})

/** §7.31 Profile Information. */
const ProfileInformation = struct({
  ProfileName: req(ProfileName),
  ProfileVersion: opt(
    struct({ ProfileVersionMajor: req(integer), ProfileVersionMinor: req(integer) }),
    { since: '2.1' },
  ),
  ServerURI: opt(text),
  ServerPort: opt(integer),
})

/** §7.5 Capability Information. */
const CapabilityInformation = struct({
  StreamingCapability: opt(boolean),
  AsynchronousCapability: opt(boolean),
  AttestationCapability: opt(boolean),
  BatchUndoCapability: opt(boolean, { since: '1.4' }),
  BatchContinueCapability: opt(boolean, { since: '1.4' }),
  UnwrapMode: opt(UnwrapMode),
  DestroyAction: opt(DestroyAction),
  ShreddingAlgorithm: opt(ShreddingAlgorithm),
  RNGMode: opt(RNGMode),
  QuantumSafeCapability: opt(boolean, { since: '2.0' }),
})

/** §7.23 Object Groups. */
export const ObjectGroups = struct({ ObjectGroup: many(text) })

/** §7.11 Defaults Information, §7.22 Object Defaults. */
export const DefaultsInformation = struct({
  ObjectDefaults: many(
    struct({
      ObjectType: opt(ObjectType),
      ObjectTypes: opt(struct({ ObjectType: many(ObjectType) })),
      Attributes: req(Attributes2),
      ObjectGroups: opt(ObjectGroups),
    }),
  ),
})

export const Query = {
  request: struct({
    QueryFunction: many(QueryFunction, { min: 1 }),
    ObjectGroups: opt(ObjectGroups, { since: '2.1' }),
  }),
  response: struct({
    Operation: many(Operation),
    ObjectType: many(ObjectType),
    VendorIdentification: opt(text),
    ServerInformation: opt(ServerInformation),
    ApplicationNamespace: many(text),
    ExtensionInformation: many(ExtensionInformation, { since: '1.1' }),
    AttestationType: many(AttestationType, { since: '1.2' }),
    RNGParameters: many(RandomNumberGenerator, { since: '1.3' }),
    ProfileInformation: many(ProfileInformation, { since: '1.3' }),
    ValidationInformation: many(ValidationInformation, { since: '1.3' }),
    CapabilityInformation: many(CapabilityInformation, { since: '1.3' }),
    ClientRegistrationMethod: many(ClientRegistrationMethod, { since: '1.3' }),
    DefaultsInformation: opt(DefaultsInformation, { since: '2.0' }),
    ProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
  }),
}
