/**
 * The way of an object's value into the store – KMIP 2.1 §2, §6.1.43. Whatever a client hands in or the
 * server puts together passes here: its fields are held against the attributes given, the attributes
 * that follow from it are set, and the bytes to be sealed come out. `keepObject` then keeps both.
 */
import type { Version } from 'ttlv-codec'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import type { KeyBlock } from '../model/objects.ts'
import type { OperationName } from '../model/payloads/index.ts'
import { describeCertificate, describeCertificateRequest } from './certificate-intake.ts'
import { describeKeyBlock } from './key-block-intake.ts'
import { sealedItem, type SealedType } from './key-material.ts'
import { prepareObject, type Prepared } from './new-object.ts'
import { setDigest } from './object-facts.ts'
import type { Context } from './operation.ts'
import { withNamedKeys } from './wrapped-intake.ts'

/** An object as it comes in: the fields of its structure in the clear, and attributes for it. */
export interface Incoming {
  objectType: SealedType
  fields: object
  attributes: readonly AttributeInstance[]
}

/** What there is to keep. The caller gives `material` to `keepObject`, which wipes it. */
export interface TakenIn extends Prepared {
  material: Uint8Array
}

/**
 * Checks and describes an object that `operation` brings. Nothing is kept yet.
 * @throws KmipError
 */
export async function takeIn(
  context: Context,
  operation: OperationName,
  { objectType, fields, attributes }: Incoming,
): Promise<TakenIn> {
  const prepared = await prepareObject(context, operation, objectType, attributes)
  const named = withNamedKeys(fields, context)
  const kept = describeObject(prepared.object, named, context.version)
  return { ...prepared, material: sealedItem(objectType, kept) }
}

/**
 * Sets every attribute that follows from the fields; answers the fields as they are sealed.
 * @throws KmipError `InvalidField` where fields and attributes contradict each other
 */
export function describeObject(object: ManagedObject, fields: object, version: Version): object {
  switch (object.objectType) {
    case 'OpaqueObject':
      return describeOpaque(object, fields as OpaqueFields)
    case 'Certificate':
      return describeCertificate(object, fields as Parameters<typeof describeCertificate>[1])
    case 'CertificateRequest':
      return describeCertificateRequest(
        object,
        fields as Parameters<typeof describeCertificateRequest>[1],
      )
    default:
      return describeKeyBlock(object, fields as { KeyBlock: KeyBlock }, version)
  }
}

interface OpaqueFields {
  OpaqueDataValue: Uint8Array
  OpaqueDataType: number
}

function describeOpaque(object: ManagedObject, fields: OpaqueFields): object {
  object.attributes.set('OpaqueDataType', fields.OpaqueDataType)
  object.vitals.KeyFormatType = 'Opaque'
  setDigest(object, fields.OpaqueDataValue, undefined)
  return fields
}
