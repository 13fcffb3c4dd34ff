/**
 * Set Constraints – KMIP 2.1 §6.1.52, §7.6. What every new object of the group has to satisfy from now on;
 * an empty list takes all constraints away.
 */
import { checkMaySet, checkRuleAttribute, checkTypes, keepRuleList } from './object-rules.ts'
import { operation } from './operation.ts'

export const setConstraints = operation('SetConstraints', {
  effect: 'act',
  async run({ Constraints }, context) {
    await checkMaySet(context)
    for (const { ObjectTypes, Attributes = [] } of Constraints.Constraint) {
      checkTypes(ObjectTypes?.ObjectType ?? [], context)
      for (const instance of Attributes) checkRuleAttribute(instance, context)
    }
    await keepRuleList('constraints', Constraints, Constraints.Constraint, context)
    return {}
  },
})
