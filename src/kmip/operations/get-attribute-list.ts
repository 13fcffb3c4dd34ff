/** Get Attribute List – KMIP 2.1 §6.1.21. The attributes an object has, each named once. */
import { attributesOf } from '../../keystore/object-attributes.ts'
import { referenceOf, sameReference } from '../model/attribute-forms.ts'
import { operation } from './operation.ts'
import { refuseLook } from './peer-questions.ts'
import { sayable } from './sayable.ts'
import { subject } from './subject.ts'

export const getAttributeList = operation('GetAttributeList', {
  effect: 'read',
  async run({ UniqueIdentifier }, context) {
    const object = await subject(context, UniqueIdentifier, 'GetAttributeList')
    await refuseLook(object, context)
    const instances = attributesOf(object, context.now)
    const references = sayable(instances, object.objectType, context.version).map(referenceOf)
    return {
      UniqueIdentifier: object.id,
      AttributeReference: references.filter(
        (one, at) => references.findIndex((other) => sameReference(one, other)) === at,
      ),
    }
  },
})
