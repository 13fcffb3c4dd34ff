/**
 * Get Constraints – KMIP 2.1 §6.1.22, §7.7. None are applied: what a client may make is decided by its
 * profile and by the policies of its group, which only an administrator changes.
 */
import { operation } from './operation.ts'

export const getConstraints = operation('GetConstraints', {
  effect: 'none',
  run: () => Promise.resolve({ Constraints: { Constraint: [] } }),
})
