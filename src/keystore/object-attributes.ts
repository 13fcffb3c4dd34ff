/**
 * All attributes of an object as a client may see them: those held, the vitals, and those that
 * follow from others (State, identifiers). Vendor attributes first, the others in the order of answers.
 */
import { sha256 } from '../crypto/primitives/hash.ts'
import type { AttributeReference } from '../kmip/model/attribute-forms.ts'
import { answerOrder, attributes, type AttributeName } from '../kmip/model/attributes.ts'
import { ProtectionStorageMask } from '../kmip/model/masks.ts'
import type { HeldInstance } from './attribute-set.ts'
import { stateOf } from './lifecycle.ts'
import type { ManagedObject, ObjectTypeName, Vitals } from './managed-object.ts'

/** Attributes that are vitals of the same name. */
const vitalAttributes = [
  'Fresh',
  'Sensitive',
  'Extractable',
  'KeyFormatType',
  'InitialDate',
  'ActivationDate',
  'DeactivationDate',
  'CompromiseDate',
  'DestroyDate',
  'ArchiveDate',
  'LastChangeDate',
  'LeaseTime',
] as const satisfies (keyof Vitals & AttributeName)[]

const vital: ReadonlySet<string> = new Set(vitalAttributes)

/** True for attributes that live in the vitals. */
export function isVital(tag: string): tag is (typeof vitalAttributes)[number] {
  return vital.has(tag)
}

/** Attributes that follow from something else and are never held. */
const derived: Partial<Record<AttributeName, (object: ManagedObject, now: bigint) => unknown>> = {
  UniqueIdentifier: ({ id }) => id,
  ShortUniqueIdentifier: ({ id }) => sha256(id),
  ObjectType: ({ objectType }) => objectType,
  State: ({ vitals }, now) => stateOf(vitals, now),
  ProtectionStorageMask: () => ProtectionStorageMask.bits.Software,
}

const derivedNames = Object.keys(derived) as AttributeName[]

const ranks = new Map<ObjectTypeName, ReadonlyMap<string, number>>()

/** Places of the attributes in the answers about objects of a type. */
function rankOf(objectType: ObjectTypeName): ReadonlyMap<string, number> {
  const rank =
    ranks.get(objectType) ?? new Map(answerOrder(objectType).map((tag, place) => [tag, place]))
  ranks.set(objectType, rank)
  return rank
}

/** Whether objects of that type have the attribute in any version. */
function applies(tag: AttributeName, objectType: ObjectTypeName): boolean {
  const { v1, v2 } = attributes[tag].of
  return v1.includes(objectType) || v2.includes(objectType)
}

/** Every attribute instance of the object at `now`, in answering order. */
export function attributesOf(object: ManagedObject, now: bigint): HeldInstance[] {
  const instances = [...object.attributes.instances]
  for (const tag of vitalAttributes) {
    const value = object.vitals[tag]
    if (value !== undefined && applies(tag, object.objectType))
      instances.push({ tag, value, index: 0 })
  }
  for (const tag of derivedNames) instances.push(...derivedInstances(tag, object, now))
  const rank = rankOf(object.objectType)
  const place = ({ tag }: HeldInstance) => rank.get(tag) ?? -1
  return instances.sort((a, b) => place(a) - place(b))
}

/** The instances of one attribute, without making the others. */
export function instancesOf(
  object: ManagedObject,
  reference: AttributeReference,
  now: bigint,
): HeldInstance[] {
  const { tag } = reference
  if (tag === 'Attribute') return object.attributes.of(reference)
  if (tag in derived) return derivedInstances(tag, object, now)
  if (!isVital(tag)) return object.attributes.of(reference)
  const value = object.vitals[tag]
  return value === undefined || !applies(tag, object.objectType) ? [] : [{ tag, value, index: 0 }]
}

function derivedInstances(tag: AttributeName, object: ManagedObject, now: bigint): HeldInstance[] {
  return applies(tag, object.objectType)
    ? [{ tag, value: derived[tag]!(object, now), index: 0 }]
    : []
}
