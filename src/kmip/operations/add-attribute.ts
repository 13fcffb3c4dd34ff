/** Add Attribute – KMIP 2.1 §6.1.2. The first instance of an attribute, or one more. */
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

export const addAttribute = operation('AddAttribute', {
  effect: 'act',
  async run({ UniqueIdentifier, NewAttribute }, context) {
    if (NewAttribute.index !== undefined) {
      throw new KmipError('InvalidField', 'an attribute is added without Attribute Index')
    }
    const object = await subject(context, UniqueIdentifier, 'AddAttribute')
    checkChange('add', NewAttribute, object, context)
    const held = instancesOf(object, referenceOf(NewAttribute), context.now)
    checkRoom(NewAttribute, held.length, object, context)
    const added = writeAttribute(object, completed(NewAttribute, context), undefined)
    checkDates(object, { changed: NewAttribute.tag })
    await refuseConflict(context, object)
    object.vitals.LastChangeDate = context.now
    await saveObject(context.work, object)
    return { UniqueIdentifier: object.id, Attribute: added }
  },
})
