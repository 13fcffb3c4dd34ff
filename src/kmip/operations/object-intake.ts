/**
 * The way of an object's value into the store – KMIP 2.1 §2, §6.1.43. Whatever a client hands in or the
 * server puts together passes here: its fields are held against the attributes given, the attributes
 * that follow from it are set, and the bytes to be sealed come out. `keepTaken` then keeps both.
 */
import type { Version } from 'ttlv-codec'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import type { KeyBlock } from '../model/objects.ts'
import type { OperationName } from '../model/payloads/index.ts'
import {
  describeCertificate,
  describeCertificateRequest,
  describeCompanion,
} from './certificate-intake.ts'
import { describeKeyBlock } from './key-block-intake.ts'
import { sealedItem, type SealedType } from './key-material.ts'
import { keepObject, prepareObject, refuseUnkeepable, type Prepared } from './new-object.ts'
import { setDigest } from './object-facts.ts'
import type { Context } from './operation.ts'
import { isPkcs12, unpackedPkcs12 } from './pkcs12-intake.ts'
import { link } from './replacement.ts'
import { withNamedKeys } from './wrapped-intake.ts'

/** An object as it comes in: the fields of its structure in the clear, and attributes for it. */
export interface Incoming {
  objectType: SealedType
  fields: object
  attributes: readonly AttributeInstance[]
}

/** What there is to keep; `keepTaken` keeps it and wipes the material. */
export interface TakenIn extends Prepared {
  material: Uint8Array
  /** Objects that came inside this one: the certificates of a PKCS#12 file, linked to it already. */
  companions: readonly TakenIn[]
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
  const { object } = prepared
  const file = isPkcs12(fields)
    ? await unpackedPkcs12(context, object, fields.KeyBlock)
    : { fields: withNamedKeys(fields, context), certificates: [] }
  const kept = describeObject(object, file.fields, context.version)
  const material = sealedItem(objectType, kept)
  const companions = await chainTakenIn(context, object, file.certificates)
  return { ...prepared, material, companions }
}

/** Keeps an object that was taken in, with what came inside it. The batch goes on with the object. */
export async function keepTaken(context: Context, taken: TakenIn): Promise<void> {
  const all = [...taken.companions, taken]
  try {
    if (all.length > 1) {
      await refuseUnkeepable(
        context,
        all.map(({ object }) => object),
      )
    }
    for (const { object, material } of all) await keepObject(context, object, material)
  } finally {
    for (const { material } of all) material.fill(0)
  }
}

/** Certificates that came with a key, each linked to its issuer's and the first to the key. */
async function chainTakenIn(
  context: Context,
  key: ManagedObject,
  certificates: readonly Uint8Array[],
): Promise<TakenIn[]> {
  const name = key.attributes.instances.filter(({ tag }) => tag === 'PKCS_12FriendlyName')
  const chain: TakenIn[] = []
  for (const CertificateValue of certificates) {
    const fields = { CertificateType: 'X_509', CertificateValue }
    const attributes = name.map(({ tag, value }) => ({ tag, value }))
    const taken = await takeIn(context, 'Register', {
      objectType: 'Certificate',
      fields,
      attributes,
    })
    describeCompanion(taken.object, CertificateValue)
    chain.push(taken)
  }
  for (const [at, { object }] of chain.entries()) {
    const before = chain[at - 1]?.object ?? key
    before.attributes.add(link('PKCS_12CertificateLink', object))
  }
  return chain
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
