/** Set Attribute – KMIP 2.1 §6.1.51. The value of an attribute of which the object has one instance at most. */
import { saveObject } from '../../keystore/keystore.ts'
import { instancesOf } from '../../keystore/object-attributes.ts'
import { referenceOf } from '../model/attribute-forms.ts'
import { KmipError } from '../model/result.ts'
import { checkChange, checkRoom, writeAttribute } from './attribute-changes.ts'
import { completed } from './completion.ts'
import { checkDates } from './given-attributes.ts'
import { refuseConflict } from './new-object.ts'
import { operation } from './operation.ts'
import { subject } from './subject.ts'

export const setAttribute = operation('SetAttribute', {
  effect: 'act',
  async run({ UniqueIdentifier, NewAttribute }, context) {
    const object = await subject(context, UniqueIdentifier, 'SetAttribute')
    checkChange('set', NewAttribute, object, context)
    const [held, ...more] = instancesOf(object, referenceOf(NewAttribute), context.now)
    if (more.length > 0)
      throw new KmipError('MultiValuedAttribute', 'the attribute has several instances')
    if (held === undefined) checkRoom(NewAttribute, 0, object, context)
    writeAttribute(object, completed(NewAttribute, context, held?.value), held)
    checkDates(object, { changed: NewAttribute.tag })
    await refuseConflict(context, object)
    object.vitals.LastChangeDate = context.now
    await saveObject(context.work, object)
    return { UniqueIdentifier: object.id }
  },
})
