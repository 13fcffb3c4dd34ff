/** Get Attributes – KMIP 2.1 §6.1.20. Those asked for and held; all of them when none is named. */
import { attributesOf, instancesOf } from '../../keystore/object-attributes.ts'
import { shown } from '../model/attribute-forms.ts'
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'
import { refuseLook } from './peer-questions.ts'
import { sayable } from './sayable.ts'
import { subject } from './subject.ts'

export const getAttributes = operation('GetAttributes', {
  effect: 'read',
  async run({ UniqueIdentifier, AttributeReference: wanted = [] }, context) {
    const names = wanted.map(({ tag, vendor, name }) => JSON.stringify([tag, vendor, name]))
    if (new Set(names).size < names.length)
      throw new KmipError('InvalidMessage', 'an attribute is named more than once')
    const { now, version } = context
    const object = await subject(context, UniqueIdentifier, 'GetAttributes')
    await refuseLook(object, context)
    const instances =
      wanted.length === 0
        ? attributesOf(object, now)
        : wanted.flatMap((reference) => instancesOf(object, reference, now))
    return {
      UniqueIdentifier: object.id,
      Attributes: sayable(instances, object.objectType, version).map(shown),
    }
  },
})
