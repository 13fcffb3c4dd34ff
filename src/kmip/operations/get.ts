/**
 * Get – KMIP 2.1 §6.1.19. Hands out one object, in the format it is kept in or one it converts to.
 * Getting is no cryptographic use: Pre-Active and Deactivated keys are served, so that old tapes read.
 */
import { allowed } from '../../access/policy.ts'
import { materialOf, saveObject } from '../../keystore/keystore.ts'
import { stateOf } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { shown } from '../model/attribute-forms.ts'
import type { KeyBlock } from '../model/objects.ts'
import type { RequestPayload, ResponsePayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { formatFor, inFormat } from './key-conversion.ts'
import { unsealedFields, type SealedType } from './key-material.ts'
import { isWrapped, unwrappedBlock, wrappedBlock, type WrappedBlock } from './key-wrapping.ts'
import { operation, type Context } from './operation.ts'
import { sayable } from './sayable.ts'
import { subject } from './subject.ts'
import { contentsOf } from './templates.ts'
import { encrypts } from './wrapping-keys.ts'

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
    const found = await handedOut(fields, format, object, request, context)
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
  object: ManagedObject,
  request: RequestPayload<'Get'>,
  { principal }: Context,
): void {
  const { id, objectType, vitals } = object
  if (vitals.DestroyDate !== undefined)
    throw new KmipError('ObjectDestroyed', `object ${id} is destroyed`)
  const wrapped = request.KeyWrappingSpecification !== undefined
  const refusal = allowed(principal, 'Get', { objectType, wrapped })
  if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
  if (wrapped && objectType === 'Template')
    throw new KmipError('InvalidField', `object ${id} is a Template: it is not wrapped`)
  if (!vitals.Extractable) throw new KmipError('NotExtractable', `object ${id} is not extractable`)
  if (vitals.Sensitive && !mayLeaveEncrypted(object, request)) throw sensitive(object)
}

function sensitive({ id }: ManagedObject): KmipError {
  return new KmipError('Sensitive', `object ${id} is sensitive: it leaves encrypted only`)
}

/**
 * Whether the object may turn out to leave encrypted: that it is registered wrapped shows in its link
 * at once, and for certain once it is unsealed.
 */
function mayLeaveEncrypted(
  { attributes }: ManagedObject,
  { KeyWrappingSpecification: specification, KeyWrapType }: RequestPayload<'Get'>,
): boolean {
  if (specification !== undefined) return encrypts(specification)
  const isRegisteredWrapped = attributes
    .values('Link')
    .some(({ LinkType }) => LinkType === 'WrappingKeyLink')
  return isRegisteredWrapped && KeyWrapType !== 'NotWrapped'
}

/** A key that is served although it is out of use is marked in the audit. */
function noteState({ vitals }: ManagedObject, { now, noted }: Context): void {
  const state = stateOf(vitals, now)
  if (state === 'Deactivated' || state === 'Compromised') noted.details = { state }
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

/** The fields as they leave: unwrapped, converted and wrapped as asked (KMIP 1.4 §4.11, §9.1.3.2.48). */
async function handedOut(
  fields: object,
  format: KeyBlock['KeyFormatType'] | undefined,
  object: ManagedObject,
  request: RequestPayload<'Get'>,
  context: Context,
): Promise<object> {
  const { KeyWrapType, KeyWrappingSpecification: specification, KeyCompressionType } = request
  if (!('KeyBlock' in fields)) {
    if (specification === undefined) return fields
    throw new KmipError('InvalidObjectType', `object ${object.id} is no key to be wrapped`, {
      before20: 'IllegalOperation',
    })
  }
  const kept = fields.KeyBlock as KeyBlock
  if (KeyWrapType !== undefined && KeyWrapType !== 'NotWrapped' && KeyWrapType !== 'AsRegistered')
    throw wrapTypeRefusal(`Key Wrap Type ${KeyWrapType} is not known`)
  if (isWrapped(kept)) {
    if (KeyWrapType !== 'NotWrapped' && specification === undefined)
      return asRegistered(fields, kept, format, object)
    if (KeyWrapType === 'AsRegistered')
      throw wrapTypeRefusal(`object ${object.id} is wrapped as it is registered`)
  }
  const inClear = isWrapped(kept)
    ? { ...fields, KeyBlock: await unwrappedBlock(context, kept) }
    : fields
  const converted = inFormat(inClear, format, KeyCompressionType, object, context.version)
  if (specification === undefined) return converted
  const { KeyBlock: block } = converted as { KeyBlock: KeyBlock }
  return {
    ...converted,
    KeyBlock: await wrappedBlock(context, object, { block, kept }, specification),
  }
}

/** A wrapped object is kept as its client has given it, and leaves so. */
function asRegistered(
  fields: object,
  kept: WrappedBlock,
  format: KeyBlock['KeyFormatType'] | undefined,
  object: ManagedObject,
): object {
  if (object.vitals.Sensitive && !encrypts(kept.KeyWrappingData)) throw sensitive(object)
  if (format === kept.KeyFormatType) return fields
  throw new KmipError(
    'KeyFormatTypeNotSupported',
    `object ${object.id} is not converted while it is wrapped`,
  )
}

function wrapTypeRefusal(message: string): KmipError {
  return new KmipError('KeyWrapTypeNotSupported', message, { before20: 'FeatureNotSupported' })
}
