/**
 * The structures that attributes have as values – KMIP 1.4 §3, KMIP 2.1 §4. Fields are in wire
 * order; `since` is the version that added the field. Distinguished names are DER as bytes.
 */

import { anyValue, boolean, bytes, integer, longInteger, many, opt, req, text } from 'ttlv-codec'
import {
  AlternativeNameType,
  BlockCipherMode,
  CryptographicAlgorithm,
  DigitalSignatureAlgorithm,
  DRBGAlgorithm,
  FIPS186Variation,
  HashingAlgorithm,
  KeyFormatType,
  KeyRoleType,
  KeyValueLocationType,
  LinkType,
  MaskGenerator,
  NameType,
  PaddingMethod,
  RecommendedCurve,
  RevocationReasonCode,
  RNGAlgorithm,
  RotateNameType,
  UsageLimitsUnit,
} from './enumerations.ts'
import { struct } from './tags.ts'
import { UniqueIdentifier } from './unique-identifier.ts'

/** Alternative Name – KMIP 2.1 §4.2. Need not be unique. */
export const AlternativeName = struct({
  AlternativeNameValue: req(text),
  AlternativeNameType: req(AlternativeNameType),
})

/**
 * Application Specific Information – KMIP 2.1 §4.4. A client that leaves out the data asks the
 * server to make it; an answer always has it.
 */
export const ApplicationSpecificInformation = struct({
  ApplicationNamespace: req(text),
  ApplicationData: opt(text),
})

/** Certificate Identifier – KMIP 1.4 §3.13. PGP certificates have no serial number. */
export const CertificateIdentifier = struct({
  Issuer: req(text),
  SerialNumber: opt(text),
})

/** Certificate Issuer – KMIP 1.4 §3.15. */
export const CertificateIssuer = struct({
  CertificateIssuerDistinguishedName: req(text),
  CertificateIssuerAlternativeName: many(text),
})

/** Certificate Subject – KMIP 1.4 §3.14. */
export const CertificateSubject = struct({
  CertificateSubjectDistinguishedName: req(text),
  CertificateSubjectAlternativeName: many(text),
})

/** Cryptographic Domain Parameters – KMIP 2.1 §4.14. Qlength is in bits. */
export const CryptographicDomainParameters = struct({
  Qlength: opt(integer),
  RecommendedCurve: opt(RecommendedCurve),
})

/** Cryptographic Parameters – KMIP 2.1 §4.16. Tag and salt lengths are in bytes, others in bits. */
export const CryptographicParameters = struct({
  BlockCipherMode: opt(BlockCipherMode),
  PaddingMethod: opt(PaddingMethod),
  HashingAlgorithm: opt(HashingAlgorithm),
  KeyRoleType: opt(KeyRoleType),
  DigitalSignatureAlgorithm: opt(DigitalSignatureAlgorithm, { since: '1.2' }),
  CryptographicAlgorithm: opt(CryptographicAlgorithm, { since: '1.2' }),
  RandomIV: opt(boolean, { since: '1.2' }),
  IVLength: opt(integer, { since: '1.2' }),
  TagLength: opt(integer, { since: '1.2' }),
  FixedFieldLength: opt(integer, { since: '1.2' }),
  InvocationFieldLength: opt(integer, { since: '1.2' }),
  CounterLength: opt(integer, { since: '1.2' }),
  InitialCounterValue: opt(integer, { since: '1.2' }),
  SaltLength: opt(integer, { since: '1.4' }),
  MaskGenerator: opt(MaskGenerator, { since: '1.4' }),
  MaskGeneratorHashingAlgorithm: opt(HashingAlgorithm, { since: '1.4' }),
  PSource: opt(bytes, { since: '1.4' }),
  TrailerField: opt(integer, { since: '1.4' }),
})

/** Digest – KMIP 2.1 §4.21. */
export const Digest = struct({
  HashingAlgorithm: req(HashingAlgorithm),
  DigestValue: opt(bytes),
  KeyFormatType: opt(KeyFormatType, { since: '1.1' }),
})

/** Key Value Location – KMIP 2.1 §4.27. */
export const KeyValueLocation = struct({
  KeyValueLocationValue: req(text),
  KeyValueLocationType: req(KeyValueLocationType),
})

/** Link – KMIP 2.1 §4.31. In a 2.x request the identifier may be a placeholder; a text is kept. */
export const Link = struct({
  LinkType: req(LinkType),
  LinkedObjectIdentifier: req(UniqueIdentifier),
})

/** Name – KMIP 2.1 §4.32. Unique among the objects a client can see. */
export const Name = struct({
  NameValue: req(text),
  NameType: req(NameType),
})

/** Random Number Generator, a RNG Parameters structure – KMIP 2.1 §4.46 and §7.36. */
export const RandomNumberGenerator = struct({
  RNGAlgorithm: req(RNGAlgorithm),
  CryptographicAlgorithm: opt(CryptographicAlgorithm),
  CryptographicLength: opt(integer),
  HashingAlgorithm: opt(HashingAlgorithm),
  DRBGAlgorithm: opt(DRBGAlgorithm),
  RecommendedCurve: opt(RecommendedCurve),
  FIPS186Variation: opt(FIPS186Variation),
  PredictionResistance: opt(boolean),
})

/** Revocation Reason – KMIP 2.1 §4.47. */
export const RevocationReason = struct({
  RevocationReasonCode: req(RevocationReasonCode),
  RevocationMessage: opt(text),
})

/** Rotate Name – KMIP 2.1 §4.53. */
export const RotateName = struct({
  RotateNameValue: req(text),
  RotateNameType: req(RotateNameType),
})

/** Usage Limits – KMIP 2.1 §4.59. Clients give total and unit, the server adds the count left. */
export const UsageLimits = struct({
  UsageLimitsTotal: opt(longInteger),
  UsageLimitsCount: opt(longInteger),
  UsageLimitsUnit: opt(UsageLimitsUnit),
})

/** Vendor Attribute, an Attribute structure – KMIP 2.1 §4.60. */
export const VendorAttribute = struct({
  VendorIdentification: req(text),
  AttributeName: req(text),
  AttributeValue: req(anyValue),
})

/** X.509 Certificate Identifier – KMIP 2.1 §4.61. */
export const X_509CertificateIdentifier = struct({
  IssuerDistinguishedName: req(bytes),
  CertificateSerialNumber: req(bytes),
})

/** X.509 Certificate Issuer – KMIP 2.1 §4.62. */
export const X_509CertificateIssuer = struct({
  IssuerDistinguishedName: req(bytes),
  IssuerAlternativeName: many(bytes),
})

/** X.509 Certificate Subject – KMIP 2.1 §4.63. The distinguished name may be empty. */
export const X_509CertificateSubject = struct({
  SubjectDistinguishedName: req(bytes),
  SubjectAlternativeName: many(bytes),
})
