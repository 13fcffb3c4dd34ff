/**
 * An object whose material was computed from others: derived, or joined from parts – KMIP 2.1 §6.1.14,
 * §6.1.27. What the client says of algorithm and length has to fit the material.
 */
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { Infer } from 'ttlv-codec'
import type { SecretDataType } from '../model/enumerations.ts'
import { KmipError } from '../model/result.ts'
import { sealedItem } from './key-material.ts'
import { bytesOf, lengthToMake } from './key-sizes.ts'
import { setDigest } from './object-facts.ts'

/** Object types that are computed. */
export const computedTypes = ['SymmetricKey', 'SecretData'] as const
export type ComputedType = (typeof computedTypes)[number]

/** Whether such objects are computed. */
export function isComputedType(objectType: unknown): objectType is ComputedType {
  return computedTypes.includes(objectType as ComputedType)
}

/** Bytes of material that the attributes ask for; a key needs algorithm and length, secret data a length. */
export function materialLength({ objectType, attributes }: ManagedObject): number {
  const bits = attributes.first('CryptographicLength')
  if (bits === undefined) throw new KmipError('InvalidField', 'the Cryptographic Length is missing')
  if (objectType === 'SymmetricKey') {
    const algorithm = attributes.first('CryptographicAlgorithm')
    if (algorithm === undefined)
      throw new KmipError('InvalidField', 'the Cryptographic Algorithm is missing')
    return bytesOf(algorithm, lengthToMake(algorithm, bits))
  }
  if (bits % 8 === 0 && bits > 0) return bits / 8
  const what = `secret data has whole bytes, not ${bits} bits`
  throw new KmipError('InvalidAttributeValue', what)
}

/** The item to be sealed, around those bytes; notes format and digest. The caller wipes it. */
export function computedItem(
  object: ManagedObject,
  bytes: Uint8Array,
  secretDataType: Infer<typeof SecretDataType> = 'Seed',
): Uint8Array {
  const { objectType, attributes, vitals } = object
  const format = 'Raw'
  vitals.KeyFormatType = format
  setDigest(object, bytes, format)
  const KeyBlock = {
    KeyFormatType: format,
    KeyValue: { type: 'Structure', value: { KeyMaterial: bytes, Attributes: undefined } },
    CryptographicAlgorithm: attributes.first('CryptographicAlgorithm'),
    CryptographicLength: attributes.first('CryptographicLength'),
  }
  const isSecret = objectType === 'SecretData'
  const fields = isSecret ? { SecretDataType: secretDataType, KeyBlock } : { KeyBlock }
  return sealedItem(objectType as ComputedType, fields)
}

/**
 * What is computed from others is closed to no fewer than they are: it is Sensitive when one of them is, and
 * not Extractable when one of them is not.
 */
export function closeAs(
  { vitals, attributes }: ManagedObject,
  sources: readonly ManagedObject[],
): void {
  vitals.Sensitive ||= sources.some((source) => source.vitals.Sensitive)
  vitals.Extractable &&= sources.every((source) => source.vitals.Extractable)
  attributes.set('AlwaysSensitive', vitals.Sensitive)
  attributes.set('NeverExtractable', !vitals.Extractable)
}
