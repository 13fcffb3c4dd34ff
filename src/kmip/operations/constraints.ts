/**
 * The constraints of a group, held against every object before it is kept – KMIP 2.1 §7.6. An object must
 * satisfy all that are for its type and groups; what does not apply to its type is not asked of it.
 */
import type { Infer } from 'ttlv-codec'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { covers } from '../../keystore/matching.ts'
import { instancesOf } from '../../keystore/object-attributes.ts'
import { after, type Soon } from '../../keystore/soon.ts'
import { referenceOf, sameReference, type AttributeInstance } from '../model/attribute-forms.ts'
import { appliesTo } from '../model/attributes.ts'
import type { Constraints } from '../model/payloads/service.ts'
import { KmipError } from '../model/result.ts'
import { newest } from '../model/versions.ts'
import { nameOf } from './attribute-rows.ts'
import { isForGroups, ruleList } from './object-rules.ts'
import type { MakingContext } from './operation.ts'

/** Refuses a new object that a constraint of the group does not allow. */
export function checkConstraints(context: MakingContext, object: ManagedObject): Soon<void> {
  if (object.objectType === 'Template') return undefined
  return after(ruleList('constraints', context), (list) =>
    holdAgainst(list?.Constraint ?? [], context, object),
  )
}

function holdAgainst(
  constraints: Infer<typeof Constraints>['Constraint'],
  context: MakingContext,
  object: ManagedObject,
): void {
  for (const constraint of constraints) {
    const { ObjectTypes, Attributes = [] } = constraint
    if (ObjectTypes !== undefined && !ObjectTypes.ObjectType.includes(object.objectType)) continue
    if (!isForGroups(constraint, object.attributes.values('ObjectGroup'))) continue
    const broken = Attributes.find((one) => !isSatisfied(one, Attributes, object, context.now))
    if (broken === undefined) continue
    throw new KmipError(
      'ConstraintViolation',
      `a constraint of group ${object.group} does not allow this ${nameOf(referenceOf(broken))}`,
    )
  }
}

/** Several values of one attribute in a constraint are alternatives. */
function isSatisfied(
  instance: AttributeInstance,
  all: readonly AttributeInstance[],
  object: ManagedObject,
  now: bigint,
): boolean {
  const reference = referenceOf(instance)
  const { tag } = reference
  if (tag !== 'Attribute' && !appliesTo(tag, object.objectType, newest.number)) return true
  const allowed = all.filter((other) => sameReference(referenceOf(other), reference))
  return instancesOf(object, reference, now).some((held) =>
    allowed.some(({ value }) => agrees(tag, held.value, value)),
  )
}

/** A usage mask has no bit beside those of the constraint; structures have the fields that it names. */
function agrees(tag: AttributeInstance['tag'], held: unknown, wanted: unknown): boolean {
  return tag === 'CryptographicUsageMask'
    ? ((held as number) & ~(wanted as number)) === 0
    : covers(held, wanted)
}
