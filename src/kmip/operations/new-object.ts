/** What Create and Register share: a new object from the attributes a client gives (KMIP 2.1 §4, §6.1.8). */
import type { InferInput } from 'ttlv-codec'
import { randomUuid } from '../../crypto/primitives/random.ts'
import { AttributeSet } from '../../keystore/attribute-set.ts'
import {
  conflictOf,
  insertObject,
  insertReplacement,
  replaceObject,
  type Conflict,
} from '../../keystore/keystore.ts'
import { unrecordedState } from '../../keystore/lifecycle.ts'
import { ManagedObject, type ObjectTypeName, type Vitals } from '../../keystore/managed-object.ts'
import { isVital } from '../../keystore/object-attributes.ts'
import { after, either, type Soon } from '../../keystore/soon.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import { ProtectionStorageMask } from '../model/masks.ts'
import type { OperationName } from '../model/payloads/index.ts'
import type { ProtectionStorageMasks } from '../model/payloads/objects.ts'
import { KmipError } from '../model/result.ts'
import { completed } from './completion.ts'
import { checkConstraints } from './constraints.ts'
import { checkDates, checkGiven, checkNumbers } from './given-attributes.ts'
import { withDefaults } from './object-defaults.ts'
import type { MakingContext } from './operation.ts'
import { fromTemplates } from './templates.ts'

/** Seconds for which a client may keep an object without asking again (KMIP 2.1 §4.30). */
export const leaseTime = 3600

/** The new object, and the attributes whose values the server made for the client. */
export interface Prepared {
  object: ManagedObject
  made: AttributeInstance[]
}

/** Checks the attributes given and makes the object. Nothing is kept yet. */
export function prepareObject(
  context: MakingContext,
  operation: OperationName,
  objectType: ObjectTypeName,
  given: readonly AttributeInstance[],
): Soon<Prepared> {
  return after(wanted(context, operation, objectType, given), (said) =>
    after(withDefaults(context, operation, objectType, said), (all) =>
      assembled(context, objectType, all),
    ),
  )
}

/** The attributes given, checked, with those of the templates named among them. */
export function wanted(
  context: MakingContext,
  operation: OperationName,
  objectType: ObjectTypeName,
  given: readonly AttributeInstance[],
): Soon<AttributeInstance[]> {
  const explicit = given.filter(({ tag }) => tag !== 'Template')
  checkGiven(explicit, objectType, operation, context)
  return explicit.length === given.length ? explicit : fromTemplates(context, objectType, given)
}

/** Makes an object of attributes that have been checked one by one. */
export function assembled(
  context: MakingContext,
  objectType: ObjectTypeName,
  instances: readonly AttributeInstance[],
): Prepared {
  checkNumbers(instances, context)
  const made: AttributeInstance[] = []
  const attributes = new AttributeSet()
  const vitals: Vitals = {
    Owner: context.principal.owner,
    Fresh: true,
    Sensitive: false,
    Extractable: true,
    InitialDate: context.now,
    LastChangeDate: context.now,
    LeaseTime: leaseTime,
  }
  for (const instance of instances) {
    const complete = completed(instance, context)
    if (instance.tag === 'ApplicationSpecificInformation' && complete.value !== instance.value)
      made.push(complete)
    if (isVital(instance.tag)) Object.assign(vitals, { [instance.tag]: complete.value })
    else attributes.add(complete)
  }
  if (objectType !== 'Template') {
    attributes.set('AlwaysSensitive', vitals.Sensitive)
    attributes.set('NeverExtractable', !vitals.Extractable)
  }
  const { group } = context.principal
  const object = new ManagedObject({ id: randomUuid(), group, objectType }, vitals, attributes)
  checkDates(object)
  const reached = unrecordedState(vitals, context.now)
  if (reached !== undefined) vitals.ShownState = reached
  return { object, made }
}

/**
 * Keeps the object, its unique values being free or those of the object it replaces, and lets the batch
 * refer to it. Saves the replaced object as well. Wipes `material`.
 */
export function keepObject(
  context: MakingContext,
  object: ManagedObject,
  material: Uint8Array | undefined,
  replaced?: ManagedObject,
): Soon<void> {
  const { work } = context
  return keep(context, object, material, () =>
    replaced === undefined
      ? insertObject(work, object, material)
      : insertReplacement(work, replaced, object, material),
  )
}

/** As `keepObject`, in the place of a kept object of the same identifier, which is gone with it. */
export async function keepInPlaceOf(
  context: MakingContext,
  before: ManagedObject,
  object: ManagedObject,
  material: Uint8Array | undefined,
): Promise<void> {
  await keep(context, object, material, () => replaceObject(context.work, before, object, material))
}

function keep(
  context: MakingContext,
  object: ManagedObject,
  material: Uint8Array | undefined,
  write: () => Soon<Conflict | undefined>,
): Soon<void> {
  const written = () => {
    refuseDoubledName(object, 'InvalidField')
    return after(checkConstraints(context, object), write)
  }
  return either(
    written,
    (conflict) => {
      material?.fill(0)
      if (conflict !== undefined) throw refusalOfConflict(context, conflict, 'InvalidField')
      context.noted.object = object.id
      context.batch.placeholder = object.id
    },
    (error) => {
      material?.fill(0)
      throw error
    },
  )
}

/**
 * Refuses a changed value that another object of the group holds, and a Name that the object has twice.
 */
export async function refuseConflict(context: MakingContext, object: ManagedObject): Promise<void> {
  refuseDoubledName(object, 'IllegalOperation')
  const conflict = await conflictOf(context.work, object)
  if (conflict !== undefined) throw refusalOfConflict(context, conflict, 'IllegalOperation')
}

/**
 * Refuses new objects that cannot all be kept: asked before the first of several is, since what was
 * written before a refusal costs a second run of the act. Those that they replace stand in no one's way.
 */
export async function refuseUnkeepable(
  context: MakingContext,
  objects: readonly ManagedObject[],
  replaced: readonly ManagedObject[] = [],
): Promise<void> {
  const names = objects.flatMap(({ attributes }) => attributes.values('Name'))
  refuseDoubled(names, 'InvalidField')
  for (const object of objects) {
    await checkConstraints(context, object)
    const conflict = await conflictOf(context.work, object, replaced)
    if (conflict !== undefined) throw refusalOfConflict(context, conflict, 'InvalidField')
  }
}

/** Reason before 2.0 for a Name that is taken: KMIP 1.4 §11.2 and §11.15. */
type NameReason = 'InvalidField' | 'IllegalOperation'

function refuseDoubledName({ attributes }: ManagedObject, before20: NameReason): void {
  refuseDoubled(attributes.values('Name'), before20)
}

function refuseDoubled(names: readonly { NameValue: string }[], before20: NameReason): void {
  if (new Set(names.map(({ NameValue }) => NameValue)).size < names.length) {
    throw new KmipError('NonUniqueNameAttribute', 'the object has that Name already', { before20 })
  }
}

/**
 * A tape library that finds two keys under one identifier reads nothing, so a doubled application
 * information also alarms. Users who see their own objects alone are not told whose the value is.
 */
function refusalOfConflict(
  context: MakingContext,
  { kind, holder }: Conflict,
  before20: NameReason,
): KmipError {
  const whose = context.principal.ownOnly ? 'another object' : `object ${holder}`
  if (kind === 'name') {
    return new KmipError('NonUniqueNameAttribute', `the Name is that of ${whose}`, { before20 })
  }
  context.alarm(`a second key was to get the Application Specific Information of key ${holder}`)
  return new KmipError(
    'InvalidAttributeValue',
    `the Application Specific Information is that of ${whose}`,
  )
}

/** What no suitable storage is called: the halves of a key pair have a reason each. */
const unavailable = {
  object: 'ProtectionStorageUnavailable',
  privateKey: 'PrivateProtectionStorageUnavailable',
  publicKey: 'PublicProtectionStorageUnavailable',
} as const

/** Refuses a new object when none of the kinds of storage the client accepts is ours (KMIP 2.1 §7.33). */
export function checkStorage(
  wanted: InferInput<typeof ProtectionStorageMasks> | undefined,
  what: keyof typeof unavailable = 'object',
): void {
  const masks = wanted?.ProtectionStorageMask ?? []
  const { Software } = ProtectionStorageMask.bits
  if (masks.length > 0 && !masks.some((mask) => mask === Software || mask === 0))
    throw new KmipError(unavailable[what], 'objects are kept in Software storage')
}
