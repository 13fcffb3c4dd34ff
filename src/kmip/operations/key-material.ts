/** Objects of keys as they are sealed: the TTLV item of the whole object, in the newest version. */
import { decode, encode, type Schema } from 'ttlv-codec'
import { sha256 } from '../../crypto/primitives/hash.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { objectFields, type KeyBlock } from '../model/objects.ts'
import { tagNumber } from '../model/tags.ts'
import { newest } from '../model/versions.ts'

/** Object types whose material is sealed. */
export type SealedType = keyof typeof objectFields

/** The item to be sealed. The caller wipes it. */
export function sealedItem(objectType: SealedType, fields: object): Uint8Array {
  const schema = objectFields[objectType] as Schema<object>
  return encode(schema, tagNumber(objectType), fields, { version: newest.number })
}

/** The fields of a sealed item. Byte strings are views of `item`. */
export function unsealedFields(objectType: SealedType, item: Uint8Array): object {
  const schema = objectFields[objectType] as Schema<object>
  return decode(schema, tagNumber(objectType), item, {
    version: newest.number,
    limits: { maxBytes: Infinity, maxItems: Infinity, maxDepth: 64 },
  })
}

/** Notes the SHA-256 of the material, in the format it is kept in (KMIP 2.1 §4.21). */
export function setDigest(
  { attributes }: ManagedObject,
  bytes: Uint8Array,
  format: KeyBlock['KeyFormatType'] | undefined,
): void {
  attributes.set('Digest', {
    HashingAlgorithm: 'SHA_256',
    DigestValue: sha256(bytes),
    ...(format === undefined ? {} : { KeyFormatType: format }),
  })
}
