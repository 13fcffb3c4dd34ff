/**
 * What a structured attribute may look like in Locate, where a client gives only the fields it
 * wants compared – KMIP 2.1 §6.1.28. Attributes without a row here take their ordinary schema.
 */

import { bytes, integer, boolean, many, opt, text } from 'ttlv-codec'
import {
  AlternativeNameType,
  CryptographicAlgorithm,
  DRBGAlgorithm,
  FIPS186Variation,
  HashingAlgorithm,
  KeyFormatType,
  KeyValueLocationType,
  LinkType,
  NameType,
  RecommendedCurve,
  RevocationReasonCode,
  RNGAlgorithm,
  RotateNameType,
} from './enumerations.ts'
import { struct } from './tags.ts'
import { UniqueIdentifier } from './unique-identifier.ts'

/** Schemas of partly given values, by attribute: the fields of the value, none of them required. */
export const attributeFilters = {
  AlternativeName: struct({
    AlternativeNameValue: opt(text),
    AlternativeNameType: opt(AlternativeNameType),
  }),
  ApplicationSpecificInformation: struct({
    ApplicationNamespace: opt(text),
    ApplicationData: opt(text),
  }),
  CertificateIdentifier: struct({
    Issuer: opt(text),
    SerialNumber: opt(text),
  }),
  CertificateIssuer: struct({
    CertificateIssuerDistinguishedName: opt(text),
    CertificateIssuerAlternativeName: many(text),
  }),
  CertificateSubject: struct({
    CertificateSubjectDistinguishedName: opt(text),
    CertificateSubjectAlternativeName: many(text),
  }),
  Digest: struct({
    HashingAlgorithm: opt(HashingAlgorithm),
    DigestValue: opt(bytes),
    KeyFormatType: opt(KeyFormatType, { since: '1.1' }),
  }),
  KeyValueLocation: struct({
    KeyValueLocationValue: opt(text),
    KeyValueLocationType: opt(KeyValueLocationType),
  }),
  Link: struct({
    LinkType: opt(LinkType),
    LinkedObjectIdentifier: opt(UniqueIdentifier),
  }),
  Name: struct({
    NameValue: opt(text),
    NameType: opt(NameType),
  }),
  RandomNumberGenerator: struct({
    RNGAlgorithm: opt(RNGAlgorithm),
    CryptographicAlgorithm: opt(CryptographicAlgorithm),
    CryptographicLength: opt(integer),
    HashingAlgorithm: opt(HashingAlgorithm),
    DRBGAlgorithm: opt(DRBGAlgorithm),
    RecommendedCurve: opt(RecommendedCurve),
    FIPS186Variation: opt(FIPS186Variation),
    PredictionResistance: opt(boolean),
  }),
  RevocationReason: struct({
    RevocationReasonCode: opt(RevocationReasonCode),
    RevocationMessage: opt(text),
  }),
  RotateName: struct({
    RotateNameValue: opt(text),
    RotateNameType: opt(RotateNameType),
  }),
  X_509CertificateIdentifier: struct({
    IssuerDistinguishedName: opt(bytes),
    CertificateSerialNumber: opt(bytes),
  }),
  X_509CertificateIssuer: struct({
    IssuerDistinguishedName: opt(bytes),
    IssuerAlternativeName: many(bytes),
  }),
  X_509CertificateSubject: struct({
    SubjectDistinguishedName: opt(bytes),
    SubjectAlternativeName: many(bytes),
  }),
}
