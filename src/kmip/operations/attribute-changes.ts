/** Which attributes of an object a client may change, and the changing – KMIP 2.1 §4; KMIP 1.4 §3. */
import type { HeldInstance } from '../../keystore/attribute-set.ts'
import { stateOf } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { instancesOf, isVital } from '../../keystore/object-attributes.ts'
import {
  referenceOf,
  shown,
  type AttributeInstance,
  type AttributeReference,
} from '../model/attribute-forms.ts'
import type { While } from '../model/attribute-rules.ts'
import { appliesTo } from '../model/attributes.ts'
import { KmipError } from '../model/result.ts'
import { checkKnown, checkValue, nameOf, rowOf, serverVendor } from './attribute-rows.ts'
import type { Context } from './operation.ts'

/** How an attribute operation changes what an object has. */
export type Change = 'add' | 'modify' | 'set' | 'adjust'

/** Refuses a change that the attribute's rules do not give to clients. */
export function checkChange(
  change: Change,
  instance: AttributeInstance,
  object: ManagedObject,
  context: Context,
): void {
  const reference = referenceOf(instance)
  checkKnown(reference, context.version)
  checkValue(instance, context.version)
  checkRules(change, reference, object, context)
}

/** The same, whatever the new value is. */
export function checkRules(
  change: Change,
  reference: AttributeReference,
  object: ManagedObject,
  { version, now }: Context,
): void {
  const { tag } = reference
  if (tag !== 'Attribute' && !appliesTo(tag, object.objectType, version)) {
    const reason = change === 'adjust' ? 'UnsupportedAttribute' : 'InvalidAttribute'
    throw new KmipError(reason, `${object.objectType} has no ${nameOf(reference)}`, {
      before20: change === 'add' ? 'PermissionDenied' : 'InvalidField',
    })
  }
  const { givenByClient, changeByClient } = rowOf(tag)
  const isHeld = instancesOf(object, reference, now).length > 0
  const adds = change === 'add' || (change !== 'modify' && !isHeld)
  const mayEver = adds ? givenByClient === 'any-time' : changeByClient !== 'never'
  if (!mayEver || reference.vendor === serverVendor) {
    const reason = change === 'modify' ? 'AttributeReadOnly' : 'ReadOnlyAttribute'
    throw new KmipError(reason, `${nameOf(reference)} is not for clients to ${change}`)
  }
  if (changeByClient !== 'never') checkWhile(changeByClient, reference, object, now)
  refuseDestroyed(object)
}

/** Refuses to delete what must stay. */
export function checkDeletion(
  reference: AttributeReference,
  object: ManagedObject,
  { version, now }: Context,
): void {
  checkKnown(reference, version, 'ItemNotFound')
  const { always, deleteByClient } = rowOf(reference.tag)
  if (reference.vendor === serverVendor || always || deleteByClient === 'never') {
    throw new KmipError('AttributeReadOnly', `${nameOf(reference)} is not for clients to delete`)
  }
  checkWhile(deleteByClient, reference, object, now)
  refuseDestroyed(object)
}

function refuseDestroyed({ vitals, id }: ManagedObject): void {
  if (vitals.DestroyDate !== undefined) {
    throw new KmipError('WrongKeyLifecycleState', `object ${id} is destroyed`)
  }
}

function checkWhile(
  condition: While,
  reference: AttributeReference,
  object: ManagedObject,
  now: bigint,
): void {
  const state = stateOf(object.vitals, now)
  const held = instancesOf(object, reference, now)[0]?.value
  const isAlive = state === 'PreActive' || state === 'Active'
  const met: Record<While, boolean> = {
    always: true,
    never: false,
    'pre-active': state === 'PreActive',
    'pre-active-or-active': isAlive,
    'pre-active-or-active-and-not-passed': isAlive && !(typeof held === 'bigint' && held <= now),
    'until-first-use': isUnused(held),
    'when-omitted': held === undefined,
  }
  if (met[condition]) return
  throw new KmipError(
    'WrongKeyLifecycleState',
    `${nameOf(reference)} no longer changes: object ${object.id} is ${state}`,
  )
}

/** Usage Limits of which nothing has been allocated. */
function isUnused(held: unknown): boolean {
  const limits = held as { UsageLimitsTotal?: bigint; UsageLimitsCount?: bigint } | undefined
  return limits?.UsageLimitsTotal === limits?.UsageLimitsCount
}

/** Refuses one instance too many. */
export function checkRoom(
  instance: AttributeInstance,
  held: number,
  object: ManagedObject,
  { facts }: Context,
): void {
  const reference = referenceOf(instance)
  if (held > 0 && !rowOf(reference.tag).multiple) {
    throw new KmipError('AttributeSingleValued', `the object has ${nameOf(reference)} already`)
  }
  const all = object.attributes.instances.length
  if (held >= facts.maximumInstances || all >= facts.maximumAttributes) {
    throw new KmipError('ServerLimitExceeded', 'the object has as many attributes as are kept')
  }
}

/** Puts the value on the object, in the place of `held` when given; answers what it is now. */
export function writeAttribute(
  object: ManagedObject,
  { tag, value }: AttributeInstance,
  held: HeldInstance | undefined,
): AttributeInstance {
  const { vitals, attributes } = object
  if (isVital(tag)) {
    Object.assign(vitals, { [tag]: value })
    if (tag === 'Sensitive' && value === false) attributes.set('AlwaysSensitive', false)
    if (tag === 'Extractable' && value === true) attributes.set('NeverExtractable', false)
    return { tag, value }
  }
  return shown(
    held === undefined ? attributes.add({ tag, value }) : attributes.replace(held, value),
  )
}

/** Takes instances away. */
export function eraseAttribute(
  object: ManagedObject,
  { tag }: AttributeReference,
  instances: readonly HeldInstance[],
): void {
  if (isVital(tag)) delete (object.vitals as Record<string, unknown>)[tag]
  else object.attributes.remove(instances)
}
