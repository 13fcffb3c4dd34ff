/**
 * Set Defaults – KMIP 2.1 §6.1.53, §7.22. The values that new objects of the group get from now on where
 * the client says none; without Defaults Information there are none any more, the server's own included.
 */
import { KmipError } from '../model/result.ts'
import { nameOf } from './attribute-rows.ts'
import { typesOf, type ObjectDefaults } from './object-defaults.ts'
import {
  checkMaySet,
  checkRuleAttribute,
  checkTypes,
  isGivable,
  keepRuleList,
} from './object-rules.ts'
import { operation, type MakingContext } from './operation.ts'
import { referenceOf, type AttributeInstance } from '../model/attribute-forms.ts'

export const setDefaults = operation('SetDefaults', {
  effect: 'act',
  async run({ DefaultsInformation = { ObjectDefaults: [] } }, context) {
    await checkMaySet(context)
    const { ObjectDefaults } = DefaultsInformation
    for (const one of ObjectDefaults) check(one, context)
    await keepRuleList('object-defaults', DefaultsInformation, ObjectDefaults, context)
    return {}
  },
})

/** What tells one object from another: a second object with it would be refused, or found in its place. */
const ofOneObject: ReadonlySet<string> = new Set(['Name', 'ApplicationSpecificInformation', 'Link'])

function check(defaults: ObjectDefaults, context: MakingContext): void {
  const { ObjectType, ObjectTypes, Attributes } = defaults
  if ((ObjectType === undefined) === (ObjectTypes === undefined))
    throw new KmipError('InvalidField', 'Object Defaults are for an Object Type or Object Types')
  const types = typesOf(defaults)
  checkTypes(types, context)
  for (const instance of Attributes) {
    checkRuleAttribute(instance, context)
    if (ofOneObject.has(instance.tag) || !types.every((type) => isGivable(instance, type)))
      throw notDefault(instance)
  }
}

function notDefault(instance: AttributeInstance): KmipError {
  const name = nameOf(referenceOf(instance))
  return new KmipError('InvalidField', `${name} is no default of such objects`)
}
