/**
 * Import – KMIP 2.1 §6.1.25, KMIP 1.4 §4.41. An object of another server with all its attributes, under
 * the identifier it had there. To put it in the place of another takes the right to destroy that one.
 */
import { groupPolicy, allowed } from '../../access/policy.ts'
import { randomUuid } from '../../crypto/primitives/random.ts'
import { equalBytes } from '../../crypto/primitives/mac.ts'
import { insertObject, materialOf } from '../../keystore/keystore.ts'
import { ManagedObject } from '../../keystore/managed-object.ts'
import { objectFields, type KeyBlock } from '../model/objects.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { importedFrom } from './from-peer.ts'
import { importedObject } from './imported-object.ts'
import { sealedItem, type SealedType } from './key-material.ts'
import { isWrapped, unwrappedBlock } from './key-wrapping.ts'
import { keepInPlaceOf, keepObject } from './new-object.ts'
import { operation, type Context } from './operation.ts'
import { objectTypesIn } from './sayable.ts'
import { identifierOf, subject, visibleObject } from './subject.ts'
import { withNamedKeys } from './wrapped-intake.ts'

type Request = RequestPayload<'Import'>

export const importObject = operation('Import', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const objectType = typeOf(request, context)
    const refusal = allowed(context.principal, 'Import', { objectType })
    if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
    const id = identifierFor(request, context)
    const existing = await replaceable(id, request, context)
    const given = fieldsOf(request, objectType)
    const fields = given && (await asWrapped(given, request, context))
    const { object, kept } = importedObject(
      context,
      { id, group: context.principal.group, objectType },
      importedFrom([...request.Attributes, ...contentsOf(request)], context),
      fields,
    )
    const material = kept && sealedItem(objectType as SealedType, kept)
    if (existing === undefined) await keepObject(context, object, material)
    else await replace(context, existing, object, material)
    return { UniqueIdentifier: id }
  },
})

/** Before 2.0 the object itself says what it is. */
function typeOf(request: Request, { version }: Context): SealedType | 'Template' {
  const present = [...Object.keys(objectFields), 'Template'].filter((field) => field in request)
  const { ObjectType = present[0] } = request
  if (ObjectType === undefined)
    throw new KmipError('InvalidMessage', 'there is no object to import')
  if (typeof ObjectType !== 'string' || !objectTypesIn(version).has(ObjectType))
    throw new KmipError('InvalidObjectType', `Import does not take ${ObjectType}`)
  if (present.some((field) => field !== ObjectType)) {
    const what = `Object Type is ${ObjectType}, but the object given is ${present.join(', ')}`
    throw new KmipError('InvalidField', what)
  }
  return ObjectType as SealedType | 'Template'
}

/** Text that may be an identifier: it is shown in logs and on command lines. */
const identifierForm = /^[^\p{Cc}\p{Cn}\p{Cs}]{1,255}$/u

function identifierFor({ UniqueIdentifier }: Request, context: Context): string {
  const id = identifierOf(UniqueIdentifier, context)
  if (identifierForm.test(id)) return id
  throw new KmipError('InvalidField', 'the Unique Identifier has 1 to 255 printable characters')
}

/**
 * The object that is to be replaced; undefined when the identifier is free. One that the client may not
 * see is in the way like any other, and no more is said about it.
 */
async function replaceable(
  id: string,
  { ReplaceExisting = false }: Request,
  context: Context,
): Promise<ManagedObject | undefined> {
  const { work, principal, noted } = context
  noted.object = id
  if ((await work.loadAnywhere(id)) === undefined) return undefined
  const visible = await visibleObject(context, id)
  if (visible === undefined || !ReplaceExisting)
    throw new KmipError('ObjectAlreadyExists', `there is an object ${id} already`)
  const { objectType, vitals } = visible
  const refusal = allowed(principal, 'Destroy', { objectType, owner: vitals.Owner })
  if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
  return subject(context, id, 'Import')
}

/** The object's structure; none is needed of an object that was destroyed, or of a Template. */
function fieldsOf(request: Request, objectType: SealedType | 'Template'): object | undefined {
  if (objectType === 'Template') return undefined
  const isDestroyed = request.Attributes.some(({ tag }) => tag === 'DestroyDate')
  const fields = request[objectType] as object | undefined
  if (isDestroyed) return undefined
  if (fields === undefined) throw new KmipError('InvalidMessage', 'there is no object to import')
  return fields
}

/** What a Template hands on: Export has shown it among the attributes as well. */
function contentsOf({ Template, Attributes }: Request) {
  const contents = Template?.Attribute ?? []
  return contents.filter(({ tag }) => !Attributes.some((other) => other.tag === tag))
}

/** Key Wrap Type says whether a wrapped key is kept as it is or in the clear. */
async function asWrapped(
  given: object,
  { KeyWrapType: type }: Request,
  context: Context,
): Promise<object> {
  if (type !== undefined && type !== 'NotWrapped' && type !== 'AsRegistered') {
    const what = `Key Wrap Type ${type} is not known`
    throw new KmipError('KeyWrapTypeNotSupported', what, { before20: 'FeatureNotSupported' })
  }
  const fields = withNamedKeys(given, context)
  if (type !== 'NotWrapped' || !('KeyBlock' in fields)) return fields
  const block = fields.KeyBlock as KeyBlock
  return isWrapped(block) ? { ...fields, KeyBlock: await unwrappedBlock(context, block) } : fields
}

/** Puts the object in the place of another, whose key is kept as that of a destroyed one would be. */
async function replace(
  context: Context,
  existing: ManagedObject,
  object: ManagedObject,
  material: Uint8Array | undefined,
): Promise<void> {
  const { work, noted } = context
  const { destroyAfterDays: days } = await groupPolicy(work, existing.group)
  if (days === undefined) {
    const what = `group ${existing.group} refuses Destroy by its policy, and so to replace an object`
    throw new KmipError('PermissionDenied', what)
  }
  const keptAs = days === 0 ? undefined : await retired(context, existing, material, days)
  noted.details = { replaced: existing.objectType, ...(keptAs && { keptAs }) }
  await keepInPlaceOf(context, existing, object, material)
}

/**
 * Keeps the replaced object under another identifier, destroyed, until the group's policy wipes it: an
 * administrator can bring it back. Answers that identifier; undefined when no key would be lost.
 */
async function retired(
  context: Context,
  existing: ManagedObject,
  material: Uint8Array | undefined,
  days: number,
): Promise<string | undefined> {
  const { work, now, secrets } = context
  const secret = await materialOf(work, existing)
  if (secret === undefined) return undefined
  secrets.push(secret)
  if (material !== undefined && equalBytes(material, secret.bytes)) return undefined
  const { group, objectType, vitals, attributes } = existing
  const copy = new ManagedObject(
    { id: randomUuid(), group, objectType },
    {
      ...vitals,
      DestroyDate: vitals.DestroyDate ?? now,
      LastChangeDate: now,
      WipeAfter: vitals.WipeAfter ?? now + BigInt(days) * 86_400n,
    },
    attributes,
  )
  await insertObject(work, copy, secret.bytes)
  return copy.id
}
