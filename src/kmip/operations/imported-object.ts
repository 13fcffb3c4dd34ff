/**
 * The object that Import makes – KMIP 2.1 §6.1.25, KMIP 1.4 §4.41: every attribute has the value given,
 * whoever else sets it otherwise. What every object has and the request leaves out follows from the
 * object itself, or is as for Register.
 */
import { AttributeSet, type HeldInstance } from '../../keystore/attribute-set.ts'
import { stateOf, unrecordedState, type State } from '../../keystore/lifecycle.ts'
import { ManagedObject, type ObjectTypeName, type Vitals } from '../../keystore/managed-object.ts'
import { isVital } from '../../keystore/object-attributes.ts'
import { referenceOf, type AttributeInstance } from '../model/attribute-forms.ts'
import type { AttributeName, AttributeValueOf } from '../model/attributes.ts'
import { KmipError } from '../model/result.ts'
import { nameOf } from './attribute-rows.ts'
import { completed } from './completion.ts'
import { checkDates, checkGiven, checkNumbers } from './given-attributes.ts'
import { leaseTime } from './new-object.ts'
import { describeObject } from './object-intake.ts'
import type { Context } from './operation.ts'

interface Identity {
  id: string
  group: string
  objectType: ObjectTypeName
}

/** The object, and its fields as they are sealed. */
export interface Imported {
  object: ManagedObject
  kept: object | undefined
}

/** Makes the object; nothing is kept yet. `fields` is absent when there is no key to it any more. */
export function importedObject(
  context: Context,
  identity: Identity,
  given: readonly AttributeInstance[],
  fields: object | undefined,
): Imported {
  const { version, now, principal } = context
  checkGiven(given, identity.objectType, 'Import', context)
  checkNumbers(given, context)
  checkIdentity(given, identity)
  const instances = withIndexes(
    given.filter(({ tag }) => !follows.has(tag)).map((instance) => asGiven(instance, context)),
  )
  const vitals: Vitals = {
    Owner: principal.owner,
    Fresh: true,
    Sensitive: false,
    Extractable: true,
    InitialDate: now,
    LastChangeDate: now,
    LeaseTime: leaseTime,
  }
  const held: HeldInstance[] = []
  for (const instance of instances) {
    if (isVital(instance.tag)) Object.assign(vitals, { [instance.tag]: instance.value })
    else held.push(instance)
  }
  // Of a key that is gone the request alone says what format it had.
  const format = given.find(({ tag }) => tag === 'KeyFormatType')?.value as Vitals['KeyFormatType']
  if (fields === undefined && format !== undefined) vitals.KeyFormatType = format
  const read = new AttributeSet(held.filter(({ tag }) => tellsHowToRead.has(tag)))
  const object = new ManagedObject(identity, vitals, read)
  const kept = fields && describeObject(object, fields, version)
  if (identity.objectType !== 'Template') {
    read.set('AlwaysSensitive', vitals.Sensitive)
    read.set('NeverExtractable', !vitals.Extractable)
  }
  const stated = new Set(held.map(({ tag }) => tag))
  const derived = read.instances.filter(({ tag }) => !stated.has(tag))
  const whole = new ManagedObject(identity, vitals, new AttributeSet([...held, ...derived]))
  checkDates(whole, { lived: true })
  settleState(vitals, stateIn(given), now)
  return { object: whole, kept }
}

/** Attributes that follow from others here, and are not kept as values of their own. */
const follows: ReadonlySet<string> = new Set([
  'UniqueIdentifier',
  'ShortUniqueIdentifier',
  'ObjectType',
  'State',
  'KeyFormatType',
  'ProtectionStorageMask',
] satisfies AttributeName[])

/** Attributes without which the object itself cannot be read. */
const tellsHowToRead: ReadonlySet<string> = new Set([
  'CryptographicAlgorithm',
  'CryptographicLength',
  'CryptographicDomainParameters',
  'CryptographicUsageMask',
  'Link',
] satisfies AttributeName[])

function checkIdentity(given: readonly AttributeInstance[], { id, objectType }: Identity): void {
  for (const instance of given) {
    const { tag, value } = instance
    const other =
      (tag === 'UniqueIdentifier' && value !== id) || (tag === 'ObjectType' && value !== objectType)
    if (other)
      throw new KmipError('InvalidField', `${nameOf(referenceOf(instance))} is said in two ways`)
  }
}

/** The instance with what only the client's own batch understands put in words. */
function asGiven(instance: AttributeInstance, context: Context): AttributeInstance {
  if (instance.tag === 'UsageLimits') {
    // The count is part of what is given, unlike elsewhere.
    const limits = instance.value as AttributeValueOf<'UsageLimits'>
    return { ...instance, value: { UsageLimitsCount: limits.UsageLimitsTotal, ...limits } }
  }
  return { ...instance, value: completed(instance, context).value }
}

/** Each instance with the index given, or the next one. */
function withIndexes(instances: readonly AttributeInstance[]): HeldInstance[] {
  const taken = new Map<string, Set<number>>()
  return instances.map(({ tag, value, index }) => {
    const reference = referenceOf({ tag, value })
    const key = `${reference.tag}\0${reference.vendor}\0${reference.name}`
    const others = taken.get(key) ?? new Set()
    taken.set(key, others)
    if (index !== undefined && others.has(index))
      throw new KmipError('InvalidField', `${nameOf(reference)} has an index twice`)
    const own = index ?? Math.max(-1, ...others) + 1
    others.add(own)
    return { tag, value, index: own }
  })
}

function stateIn(given: readonly AttributeInstance[]): State | undefined {
  return given.find(({ tag }) => tag === 'State')?.value as State | undefined
}

/** States that time leads to. */
const later: Record<State, readonly State[]> = {
  PreActive: ['PreActive', 'Active', 'Deactivated'],
  Active: ['Active', 'Deactivated'],
  Deactivated: ['Deactivated'],
  Compromised: ['Compromised'],
  Destroyed: ['Destroyed'],
  DestroyedCompromised: ['DestroyedCompromised'],
}

/**
 * The state follows from the dates. One that other servers have reached without a date is noted like
 * one that time has brought about; any other that the dates do not give is refused.
 */
function settleState(vitals: Vitals, given: State | undefined, now: bigint): void {
  if (given === 'Active' || given === 'Deactivated') vitals.ShownState = given
  const state = stateOf(vitals, now)
  if (given !== undefined && !later[given].includes(state)) {
    const what = `State is ${given}, but the dates say ${state}`
    throw new KmipError('InvalidAttributeValue', what)
  }
  const reached = unrecordedState(vitals, now)
  if (reached !== undefined) vitals.ShownState = reached
}
