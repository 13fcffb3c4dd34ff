/**
 * Attributes that follow from an object itself: algorithm, length, digests. Clients may say them too,
 * but not otherwise (KMIP 1.4 §11.4, KMIP 2.1 §6.1.43.1).
 */
import { encode, type Schema } from 'ttlv-codec'
import { sha256 } from '../../crypto/primitives/hash.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeName, AttributeValueOf } from '../model/attributes.ts'
import { transparentMaterial, type KeyBlock } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'
import { tagNumber } from '../model/tags.ts'
import { newest } from '../model/versions.ts'
import { rowOf } from './attribute-rows.ts'

type Format = KeyBlock['KeyFormatType']

/** Key Material in a format: bytes, or the structure of a transparent one. */
export interface Material {
  format: Format
  value: unknown
}

/** Sets what the object says of itself. Refuses another value that the client gave. */
export function noteFact<Name extends AttributeName>(
  { attributes }: ManagedObject,
  tag: Name,
  value: AttributeValueOf<Name>,
): void {
  const given = attributes.first(tag)
  if (given !== undefined && given !== value) {
    const what = `${rowOf(tag).text} is ${String(value)} in the object, ${String(given)} as attribute`
    throw new KmipError('InvalidField', what)
  }
  attributes.set(tag, value)
}

/** The value in the Key Block, or the one given as attribute; both must agree. */
export function claimed<Name extends 'CryptographicAlgorithm' | 'CryptographicLength'>(
  { attributes }: ManagedObject,
  block: KeyBlock,
  tag: Name,
): AttributeValueOf<Name> | undefined {
  const inBlock = block[tag] as AttributeValueOf<Name> | undefined
  const asAttribute = attributes.first(tag)
  if (inBlock !== undefined && asAttribute !== undefined && inBlock !== asAttribute) {
    throw new KmipError(
      'InvalidField',
      `${rowOf(tag).text} is ${inBlock} in the Key Block, ${asAttribute} as attribute`,
    )
  }
  return inBlock ?? asAttribute
}

/** Notes the SHA-256 of what the object holds besides keys: KMIP 2.1 §4.21. */
export function setDigest(
  { attributes }: ManagedObject,
  bytes: Uint8Array,
  format: Format | undefined,
): void {
  attributes.set('Digest', {
    HashingAlgorithm: 'SHA_256',
    DigestValue: sha256(bytes),
    ...(format === undefined ? {} : { KeyFormatType: format }),
  })
}

/**
 * Notes the SHA-256 of a key in each of these formats, the one it is kept in first and then the default
 * of its kind (KMIP 2.1 §4.21, §4.26).
 */
export function setDigests({ attributes }: ManagedObject, materials: readonly Material[]): void {
  attributes.clear('Digest')
  for (const { format, value } of materials) {
    const bytes = materialBytes(format, value)
    attributes.add({
      tag: 'Digest',
      value: { HashingAlgorithm: 'SHA_256', DigestValue: sha256(bytes), KeyFormatType: format },
    })
    if (bytes !== value) bytes.fill(0)
  }
}

/** The bytes a digest is made of: those of the material, or its structure as TTLV (KMIP 2.1 §4.21). */
function materialBytes(format: Format, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  const schema = transparentMaterial[format] as Schema<unknown>
  return encode(schema, tagNumber('KeyMaterial'), value, { version: newest.number })
}
