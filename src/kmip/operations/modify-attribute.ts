/**
 * Modify Attribute – KMIP 2.1 §6.1.34. Another value for one instance: in 1.x the one with the
 * Attribute Index given (0 when absent), in 2.x the one equal to Current Attribute.
 */
import type { HeldInstance } from '../../keystore/attribute-set.ts'
import { saveObject } from '../../keystore/keystore.ts'
import { covers } from '../../keystore/matching.ts'
import { instancesOf } from '../../keystore/object-attributes.ts'
import { referenceOf, sameReference, type AttributeInstance } from '../model/attribute-forms.ts'
import { KmipError } from '../model/result.ts'
import { version20 } from '../model/versions.ts'
import { checkChange, writeAttribute } from './attribute-changes.ts'
import { completed } from './completion.ts'
import { checkDates } from './given-attributes.ts'
import { refuseConflict } from './new-object.ts'
import { operation, type Context } from './operation.ts'
import { subject } from './subject.ts'

export const modifyAttribute = operation('ModifyAttribute', {
  effect: 'act',
  async run({ UniqueIdentifier, CurrentAttribute, NewAttribute }, context) {
    const object = await subject(context, UniqueIdentifier, 'ModifyAttribute')
    checkChange('modify', NewAttribute, object, context)
    const held = instancesOf(object, referenceOf(NewAttribute), context.now)
    const chosen = choose(held, NewAttribute, CurrentAttribute, context)
    const value = completed(NewAttribute, context, chosen.value)
    const modified = writeAttribute(object, value, chosen)
    checkDates(object, { changed: NewAttribute.tag })
    await refuseConflict(context, object)
    object.vitals.LastChangeDate = context.now
    await saveObject(context.work, object)
    return { UniqueIdentifier: object.id, Attribute: modified }
  },
})

function choose(
  held: readonly HeldInstance[],
  wanted: AttributeInstance,
  current: AttributeInstance | undefined,
  context: Context,
): HeldInstance {
  if (held.length === 0) {
    throw new KmipError('AttributeNotFound', 'the object has no such attribute: add it first', {
      before20: 'InvalidField',
    })
  }
  if (context.version < version20) {
    const chosen = held.find(({ index }) => index === (wanted.index ?? 0))
    if (chosen !== undefined) return chosen
    throw new KmipError(
      'AttributeInstanceNotFound',
      `no instance has Attribute Index ${wanted.index ?? 0}`,
    )
  }
  if (current === undefined) {
    if (held.length === 1) return held[0]!
    throw new KmipError(
      'MultiValuedAttribute',
      'the attribute has several instances: say which by Current Attribute',
    )
  }
  if (!sameReference(referenceOf(current), referenceOf(wanted))) {
    throw new KmipError(
      'InvalidField',
      'Current Attribute and New Attribute are different attributes',
    )
  }
  return instanceEqualTo(held, current)
}

/** The instance with the value given. */
export function instanceEqualTo(
  held: readonly HeldInstance[],
  current: AttributeInstance,
): HeldInstance {
  const chosen = held.find(
    ({ value }) => covers(value, current.value) && covers(current.value, value),
  )
  if (chosen !== undefined) return chosen
  throw new KmipError('AttributeInstanceNotFound', 'no instance has the value of Current Attribute')
}
