/**
 * Get – KMIP 2.1 §6.1.19. Hands out one object, in the format it is kept in or one it converts to.
 * Getting is no cryptographic use: Pre-Active and Deactivated keys are served, so that old tapes read.
 */
import type { Version } from 'ttlv-codec'
import { allowed } from '../../access/policy.ts'
import { materialOf, saveObject } from '../../keystore/keystore.ts'
import { stateOf } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { shown } from '../model/attribute-forms.ts'
import { CryptographicAlgorithm, KeyFormatType } from '../model/enumerations.ts'
import type { KeyBlock } from '../model/objects.ts'
import type { RequestPayload, ResponsePayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { unsealedFields, type SealedType } from './key-material.ts'
import { operation, type Context } from './operation.ts'
import { sayable } from './sayable.ts'
import { subject } from './subject.ts'
import { contentsOf } from './templates.ts'

export const get = operation('Get', {
  effect: 'act',
  async run(request, context) {
    const object = await subject(context, request.UniqueIdentifier, 'Get')
    const { id, objectType, vitals } = object
    checkRelease(object, request, context)
    noteState(object, context)
    if (objectType === 'Template') {
      const contents = sayable(contentsOf(object, context.now), objectType, context.version)
      const Template = { Attribute: contents.map(shown) }
      return { ObjectType: objectType, UniqueIdentifier: id, Template }
    }
    const format = formatFor(object, request, context.version)
    const fields = await fieldsOf(object, context)
    const found = 'KeyBlock' in fields ? inFormat(fields, format, object, context.version) : fields
    if (vitals.Fresh) {
      vitals.Fresh = false
      await saveObject(context.work, object)
    }
    return {
      ObjectType: objectType,
      UniqueIdentifier: id,
      [objectType]: found,
    } as unknown as ResponsePayload<'Get'>
  },
  // The object itself, and so the key, is not sent after all.
  undone: ({ ObjectType, UniqueIdentifier }) => ({ ObjectType, UniqueIdentifier }),
})

/** Everything that forbids handing the object out as asked, checked before its material is unsealed. */
function checkRelease(
  { id, objectType, vitals }: ManagedObject,
  { KeyWrappingSpecification, KeyCompressionType }: RequestPayload<'Get'>,
  { principal }: Context,
): void {
  if (vitals.DestroyDate !== undefined)
    throw new KmipError('ObjectDestroyed', `object ${id} is destroyed`)
  const wrapped = KeyWrappingSpecification !== undefined
  const refusal = allowed(principal, 'Get', { objectType, wrapped })
  if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
  if (!vitals.Extractable) throw new KmipError('NotExtractable', `object ${id} is not extractable`)
  if (wrapped) throw new KmipError('FeatureNotSupported', 'this server does not wrap keys on Get')
  if (vitals.Sensitive)
    throw new KmipError('Sensitive', `object ${id} is sensitive: it leaves wrapped only`)
  if (KeyCompressionType !== undefined)
    throw new KmipError('KeyCompressionTypeNotSupported', `object ${id} has no compressed form`)
}

/** A key that is served although it is out of use is marked in the audit. */
function noteState({ vitals }: ManagedObject, { now, noted }: Context): void {
  const state = stateOf(vitals, now)
  if (state === 'Deactivated' || state === 'Compromised') noted.details = { state }
}

/** The format to hand the object out in; undefined for objects without a Key Block. */
function formatFor(
  { id, vitals, stored }: ManagedObject,
  { KeyFormatType: asked }: RequestPayload<'Get'>,
  version: Version,
): KeyBlock['KeyFormatType'] | undefined {
  const kept = vitals.KeyFormatType
  const format = asked ?? kept
  const isKept = format === kept
  if (!isKept && !(isEitherForm(kept) && isEitherForm(format)))
    throw new KmipError('KeyFormatTypeNotSupported', `object ${id} is not converted to ${format}`)
  // The column saves decoding the attributes. It is not trusted: where it is wrong the encoder refuses.
  const number = stored?.columns.algorithm
  const algorithm = number === undefined ? undefined : CryptographicAlgorithm.nameOf(number)
  const isSayable =
    (typeof format !== 'string' || KeyFormatType.names(version).includes(format)) &&
    (algorithm === undefined || CryptographicAlgorithm.since(algorithm) <= version)
  if (isSayable) return format
  throw new KmipError(
    'KeyFormatTypeNotSupported',
    `object ${id}, ${algorithm} in ${format} format, is not part of this protocol version`,
  )
}

/** Raw and Transparent Symmetric Key hold the same bytes in two shapes (§3.4). */
function isEitherForm(format: unknown): boolean {
  return format === 'Raw' || format === 'TransparentSymmetricKey'
}

/** The object's structure, unsealed. The bytes belong to a secret that is wiped after the answer. */
async function fieldsOf(object: ManagedObject, context: Context): Promise<object> {
  const secret = await materialOf(context.work, object)
  if (secret === undefined) {
    throw new KmipError('KeyValueNotPresent', `the value of object ${object.id} is not here`, {
      before20: 'IllegalOperation',
    })
  }
  context.secrets.push(secret)
  return unsealedFields(object.objectType as SealedType, secret.bytes)
}

/** The fields with the Key Block in that format, and with what this version can say inside it. */
function inFormat(
  fields: object,
  format: KeyBlock['KeyFormatType'] | undefined,
  { objectType }: ManagedObject,
  version: Version,
): object {
  const block = (fields as { KeyBlock: KeyBlock }).KeyBlock
  const { KeyFormatType: kept, KeyValue } = block
  if (KeyValue?.type !== 'Structure') return fields
  const { KeyMaterial: material, Attributes } = KeyValue.value
  const value = {
    KeyMaterial: format === kept ? material : converted(material, format),
    Attributes: Attributes && sayable(Attributes, objectType, version),
  }
  const KeyBlock = { ...block, KeyFormatType: format, KeyValue: { type: 'Structure', value } }
  return { ...fields, KeyBlock }
}

function converted(material: unknown, format: unknown): unknown {
  return format === 'Raw' ? (material as { Key: Uint8Array }).Key : { Key: material }
}
