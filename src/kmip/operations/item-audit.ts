/** What a batch item leaves in the audit chain. */
import type { Principal } from '../../access/identity.ts'
import type { JsonValue, Work } from '../../keystore/work.ts'
import type { StateReached } from './operation.ts'

/** One item as it went. */
export interface ItemNote {
  operation: string
  /** 'Success', 'OperationUndone' or the Result Reason. */
  outcome: string
  /** True when success is audited in the act that ran it. */
  isAct: boolean
  object?: string
  details?: JsonValue
  /** Why it was refused. */
  message?: string
  /** States that time had brought about and the item recorded. */
  reached?: StateReached[]
  alarms: string[]
}

/** Audits an item. */
export function auditItem(work: Work, principal: Principal, note: ItemNote): void {
  const { operation, outcome, object, alarms, details } = note
  work.audit({
    actor: { name: principal.owner, kind: principal.kind },
    operation,
    outcome,
    group: principal.group,
    object,
    details: detailsOf(details, alarms),
  })
}

/** Audits a batch that was rolled back: what had been done, and that it was undone. */
export function auditUndo(work: Work, principal: Principal, notes: readonly ItemNote[]): void {
  for (const note of notes) auditItem(work, principal, note)
}

function detailsOf(
  details: JsonValue | undefined,
  alarms: readonly string[],
): JsonValue | undefined {
  if (alarms.length === 0) return details
  return { ...(details === undefined ? {} : { about: details }), alarms }
}
