/**
 * What the text forms of KMIP (XML, JSON, pretty print) need to know of the model: the enumeration or
 * mask that a tag carries, and which values must never be shown – KMIP Profiles, XML and JSON
 * encodings.
 */

import type { TextVocabulary } from 'ttlv-codec'
import { attributeByText } from './attributes.ts'
import * as enumerations from './enumerations.ts'
import * as masks from './masks.ts'
import { tagName, tagNumber, TagEnumeration, type TagName } from './tags.ts'

/** Enumerations whose name is the name of the tag that carries them. */
const { ItemType, ...enumerationsOfTheirName } = enumerations

/** Tags whose enumeration has another name. */
const enumerationsOfOtherNames = {
  AttributeReference: TagEnumeration,
  CertificateRequestUniqueIdentifier: enumerations.UniqueIdentifier,
  ExtensionType: ItemType,
  LinkedObjectIdentifier: enumerations.UniqueIdentifier,
  MaskGeneratorHashingAlgorithm: enumerations.HashingAlgorithm,
  PrivateKeyUniqueIdentifier: enumerations.UniqueIdentifier,
  PublicKeyUniqueIdentifier: enumerations.UniqueIdentifier,
  ReplacedUniqueIdentifier: enumerations.UniqueIdentifier,
  Tag: TagEnumeration,
}

/** Values that are keys, parts of keys, plaintext or credentials. Shown by their length alone. */
const secretTags = [
  'CRTCoefficient',
  'D',
  'Data',
  'DerivationData',
  'HashedPassword',
  'Key',
  'KeyMaterial',
  'KeyValue',
  'OneTimePassword',
  'OpaqueDataValue',
  'P',
  'Password',
  'PKCS_11InputParameters',
  'PKCS_11OutputParameters',
  'PrimeExponentP',
  'PrimeExponentQ',
  'PrivateExponent',
  'Q',
  'ServerHashedPassword',
  'TicketValue',
  'X',
] as const satisfies readonly TagName[]

/** The vocabulary for `toXml`, `fromXml`, `toJson`, `fromJson`, `prettyPrint`. */
export const textVocabulary: TextVocabulary = {
  tagName,
  tagNumber,
  enumerations: { ...enumerationsOfTheirName, ...enumerationsOfOtherNames },
  masks: { ...masks },
  attributeTag: attributeByText,
  secretTags: new Set(secretTags),
}
