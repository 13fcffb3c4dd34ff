/**
 * Delete Attribute – KMIP 2.1 §6.1.13. One instance (1.x: Attribute Index, 2.x: Current Attribute), or
 * in 2.x all instances of the attribute referred to.
 */
import type { HeldInstance } from '../../keystore/attribute-set.ts'
import { saveObject } from '../../keystore/keystore.ts'
import { instancesOf } from '../../keystore/object-attributes.ts'
import { referenceOf, sameReference, shown } from '../model/attribute-forms.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { version20 } from '../model/versions.ts'
import { checkDeletion, eraseAttribute } from './attribute-changes.ts'
import { instanceEqualTo } from './modify-attribute.ts'
import { operation, type Context } from './operation.ts'
import { sayable } from './sayable.ts'
import { subject } from './subject.ts'

export const deleteAttribute = operation('DeleteAttribute', {
  effect: 'act',
  async run(request, context) {
    const { CurrentAttribute, AttributeReference } = request
    if (CurrentAttribute === undefined && AttributeReference === undefined) {
      throw new KmipError('InvalidMessage', 'no attribute is named')
    }
    const reference = AttributeReference ?? referenceOf(CurrentAttribute!)
    if (
      CurrentAttribute !== undefined &&
      !sameReference(referenceOf(CurrentAttribute), reference)
    ) {
      throw new KmipError(
        'InvalidField',
        'Current Attribute and Attribute Reference are different attributes',
      )
    }
    const object = await subject(context, request.UniqueIdentifier, 'DeleteAttribute')
    checkDeletion(reference, object, context)
    const held = instancesOf(object, reference, context.now)
    if (held.length === 0)
      throw new KmipError('AttributeNotFound', 'the object has no such attribute')
    const chosen = choose(held, request, context)
    eraseAttribute(object, reference, chosen)
    object.vitals.LastChangeDate = context.now
    await saveObject(context.work, object)
    const [Attribute] = sayable(chosen, object.objectType, context.version).map(shown)
    return { UniqueIdentifier: object.id, ...(Attribute && { Attribute }) }
  },
})

function choose(
  held: readonly HeldInstance[],
  { CurrentAttribute, AttributeIndex }: RequestPayload<'DeleteAttribute'>,
  context: Context,
): HeldInstance[] {
  if (context.version >= version20) {
    return CurrentAttribute === undefined ? [...held] : [instanceEqualTo(held, CurrentAttribute)]
  }
  const chosen = held.find(({ index }) => index === (AttributeIndex ?? 0))
  if (chosen !== undefined) return [chosen]
  throw new KmipError(
    'AttributeInstanceNotFound',
    `no instance has Attribute Index ${AttributeIndex ?? 0}`,
  )
}
