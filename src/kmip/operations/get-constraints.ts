/** Get Constraints – KMIP 2.1 §6.1.22, §7.7. Those that are held against the client's new objects, as set. */
import { ruleList } from './object-rules.ts'
import { operation } from './operation.ts'

export const getConstraints = operation('GetConstraints', {
  effect: 'read',
  run: async (_, context) => ({
    Constraints: (await ruleList('constraints', context)) ?? { Constraint: [] },
  }),
})
