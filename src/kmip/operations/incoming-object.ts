/**
 * What Import and Put share – KMIP 2.1 §6.1.25, §6.2.3; KMIP 1.4 §4.41, §5.2. An object of another server
 * under the identifier it has there, and what becomes of an object whose place it takes.
 */
import { allowed, groupPolicy } from '../../access/policy.ts'
import { randomUuid } from '../../crypto/primitives/random.ts'
import { equalBytes } from '../../crypto/primitives/mac.ts'
import { refuseHeld } from '../../keystore/holds.ts'
import { insertObject, materialOf } from '../../keystore/keystore.ts'
import { ManagedObject } from '../../keystore/managed-object.ts'
import { objectFields, type KeyBlock } from '../model/objects.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { importedFrom } from './from-peer.ts'
import { importedObject } from './imported-object.ts'
import { sealedItem, type SealedType } from './key-material.ts'
import { isWrapped, unwrappedBlock } from './key-wrapping.ts'
import { keepInPlaceOf } from './new-object.ts'
import type { Context } from './operation.ts'
import { refuseDestroyByPeer } from './peer-withdrawals.ts'
import { objectTypesIn } from './sayable.ts'
import { identifierOf } from './subject.ts'
import { withNamedKeys } from './wrapped-intake.ts'

/** An object with its identifier and attributes, as both requests bring it. */
export type Incoming = Omit<RequestPayload<'Import'>, 'ReplaceExisting'>

/** What it will be, before anything of it was read. */
export interface Identity {
  id: string
  objectType: SealedType | 'Template'
}

/** Which object comes in, once the client may bring such objects. */
export function incomingIdentity(
  request: Incoming,
  operation: 'Import' | 'Put',
  context: Context,
): Identity {
  const objectType = typeOf(request, operation, context)
  const refusal = allowed(context.principal, operation, { objectType })
  if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
  const id = identifierFor(request, context)
  context.noted.object = id
  return { id, objectType }
}

/** Makes the object; nothing is kept yet. The caller wipes the material. */
export async function incomingObject(
  request: Incoming,
  { id, objectType }: Identity,
  context: Context,
): Promise<{ object: ManagedObject; material: Uint8Array | undefined }> {
  const given = fieldsOf(request, objectType)
  const fields = given && (await asWrapped(given, request, context))
  const { object, kept } = importedObject(
    context,
    { id, group: context.principal.group, objectType },
    importedFrom([...request.Attributes, ...contentsOf(request)], context),
    fields,
  )
  return { object, material: kept && sealedItem(objectType as SealedType, kept) }
}

/** Before 2.0, and in Put, the object itself says what it is. */
function typeOf(
  request: Incoming,
  operation: string,
  { version }: Context,
): SealedType | 'Template' {
  const present = [...Object.keys(objectFields), 'Template'].filter((field) => field in request)
  const { ObjectType = present[0] } = request
  if (ObjectType === undefined)
    throw new KmipError('InvalidMessage', `there is no object to ${operation.toLowerCase()}`)
  if (typeof ObjectType !== 'string' || !objectTypesIn(version).has(ObjectType))
    throw new KmipError('InvalidObjectType', `${operation} does not take ${ObjectType}`)
  if (present.some((field) => field !== ObjectType)) {
    const what = `Object Type is ${ObjectType}, but the object given is ${present.join(', ')}`
    throw new KmipError('InvalidField', what)
  }
  return ObjectType as SealedType | 'Template'
}

/** Text that may be an identifier: it is shown in logs and on command lines. */
const identifierForm = /^[^\p{Cc}\p{Cn}\p{Cs}]{1,255}$/u

function identifierFor({ UniqueIdentifier }: Incoming, context: Context): string {
  const id = identifierOf(UniqueIdentifier, context)
  if (identifierForm.test(id)) return id
  throw new KmipError('InvalidField', 'the Unique Identifier has 1 to 255 printable characters')
}

/** The object's structure; none is needed of an object that was destroyed, or of a Template. */
function fieldsOf(request: Incoming, objectType: SealedType | 'Template'): object | undefined {
  if (objectType === 'Template') return undefined
  const isDestroyed = request.Attributes.some(({ tag }) => tag === 'DestroyDate')
  const fields = request[objectType] as object | undefined
  if (isDestroyed) return undefined
  if (fields === undefined) throw new KmipError('InvalidMessage', 'there is no object to import')
  return fields
}

/** What a Template hands on: Export has shown it among the attributes as well. */
function contentsOf({ Template, Attributes }: Incoming) {
  const contents = Template?.Attribute ?? []
  return contents.filter(({ tag }) => !Attributes.some((other) => other.tag === tag))
}

/** Key Wrap Type says whether a wrapped key is kept as it is or in the clear. */
async function asWrapped(
  given: object,
  { KeyWrapType: type }: Incoming,
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

/** Refuses a client that may not destroy the object: it may not put another in its place either. */
export function refuseUnlessDestroyable(context: Context, object: ManagedObject): void {
  const { principal } = context
  const { objectType, vitals } = object
  const refusal = allowed(principal, 'Destroy', { objectType, owner: vitals.Owner })
  if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
  refuseDestroyByPeer(object, context)
}

/** Days that a replaced object is kept, by the policy of its group. Refused for one that is held. */
export async function daysKept({ work }: Context, object: ManagedObject): Promise<number> {
  await refuseHeld(work, object)
  const { group } = object
  const { destroyAfterDays: days } = await groupPolicy(work, group)
  if (days !== undefined) return days
  const what = `group ${group} refuses Destroy by its policy, and so to replace an object`
  throw new KmipError('PermissionDenied', what)
}

/** Marks an object as destroyed, to be wiped after so many days. */
export function destroyedVitals(
  { vitals }: ManagedObject,
  now: bigint,
  days: number,
): ManagedObject['vitals'] {
  return {
    ...vitals,
    DestroyDate: vitals.DestroyDate ?? now,
    LastChangeDate: now,
    WipeAfter: vitals.WipeAfter ?? now + BigInt(days) * 86_400n,
  }
}

/**
 * Puts the object in the place of one of the same identifier, whose key is kept as that of a destroyed
 * one would be.
 */
export async function replaceInPlace(
  context: Context,
  existing: ManagedObject,
  object: ManagedObject,
  material: Uint8Array | undefined,
): Promise<void> {
  const days = await daysKept(context, existing)
  const keptAs = days === 0 ? undefined : await retired(context, existing, material, days)
  context.noted.details = { replaced: existing.objectType, ...(keptAs && { keptAs }) }
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
  const secret = await materialOf(context.work, existing)
  if (secret === undefined) return undefined
  context.secrets.push(secret)
  if (material !== undefined && equalBytes(material, secret.bytes)) return undefined
  const { group, objectType, attributes } = existing
  const copy = new ManagedObject(
    { id: randomUuid(), group, objectType },
    destroyedVitals(existing, context.now, days),
    attributes,
  )
  await insertObject(context.work, copy, secret.bytes)
  return copy.id
}
