/** The material that is split, and that of parts to be joined – KMIP 2.1 §2.8, §6.1.10, §6.1.27. */
import type { Infer } from 'ttlv-codec'
import { materialOf } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import { objectFields, type KeyBlock } from '../model/objects.ts'
import type { OperationName } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import type { ObjectName } from '../model/unique-identifier.ts'
import { unsealedFields, type SealedType } from './key-material.ts'
import { fieldsInClear } from './key-wrapping.ts'
import type { Context } from './operation.ts'
import { subject } from './subject.ts'

/** Bytes to be split, a view of unsealed material where they are of a kept object. */
export interface Splittable {
  /** The key they are of; none when it is a new one. */
  objects: readonly ManagedObject[]
  /** What it says of itself, for its parts to say too. */
  attributes: readonly AttributeInstance[]
  format: KeyBlock['KeyFormatType']
  bytes: Uint8Array
}

/** Object types that are split. */
const splitTypes: readonly string[] = ['SymmetricKey', 'SecretData', 'PrivateKey']

/** What parts say as their key does. */
const inherited = [
  'CryptographicAlgorithm',
  'CryptographicLength',
  'CryptographicUsageMask',
] as const

/** The key to be split. Throws KmipError for one that is no bytes, or not here. */
export async function splittable(context: Context, name: ObjectName): Promise<Splittable> {
  const { object, fields } = await unsealedObject(context, name, 'CreateSplitKey', splitTypes)
  const { KeyFormatType, KeyValue } = (fields as { KeyBlock: KeyBlock }).KeyBlock
  const { attributes } = object
  const said = inherited.flatMap((tag) => {
    const value = attributes.first(tag)
    return value === undefined ? [] : [{ tag, value }]
  })
  const material = KeyValue?.type === 'Structure' ? KeyValue.value.KeyMaterial : undefined
  const key = (material as { Key?: Uint8Array } | undefined)?.Key
  if (material instanceof Uint8Array)
    return { objects: [object], attributes: said, format: KeyFormatType, bytes: material }
  if (key instanceof Uint8Array)
    return { objects: [object], attributes: said, format: 'Raw', bytes: key }
  throw new KmipError('KeyFormatTypeNotSupported', `object ${object.id} is not kept as bytes`)
}

/** A part, unsealed; its bytes are a view. */
export interface KeptPart {
  object: ManagedObject
  fields: Infer<typeof objectFields.SplitKey>
  bytes: Uint8Array
}

/** A part to be joined. */
export async function keptPart(context: Context, name: ObjectName): Promise<KeptPart> {
  const { object, fields } = await unsealedObject(context, name, 'JoinSplitKey', ['SplitKey'])
  const part = fields as Infer<typeof objectFields.SplitKey>
  const { KeyValue } = part.KeyBlock
  const bytes = KeyValue?.type === 'Structure' ? KeyValue.value.KeyMaterial : undefined
  if (bytes instanceof Uint8Array) return { object, fields: part, bytes }
  throw new KmipError('KeyValueNotPresent', `part ${object.id} is kept wrapped`)
}

async function unsealedObject(
  context: Context,
  name: ObjectName,
  operation: OperationName,
  types: readonly string[],
): Promise<{ object: ManagedObject; fields: object }> {
  const object = await subject(context, name, operation)
  const { id, objectType, vitals } = object
  if (!types.includes(objectType)) {
    const what = `object ${id}, ${objectType}, is not for ${operation}`
    throw new KmipError('InvalidObjectType', what)
  }
  if (vitals.DestroyDate !== undefined)
    throw new KmipError('ObjectDestroyed', `object ${id} is destroyed`)
  const secret = await materialOf(context.work, object)
  if (secret === undefined)
    throw new KmipError('KeyValueNotPresent', `the value of object ${id} is not here`)
  context.secrets.push(secret)
  const fields = unsealedFields(objectType as SealedType, secret.bytes)
  return { object, fields: await fieldsInClear(context, fields) }
}
