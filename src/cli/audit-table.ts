// Audit records as the commands print them.
import type { AuditEntry } from '../keystore/work.ts'
import { isoMoment, moment, table } from './output.ts'
import type { Style } from './output.ts'

/** A record for --json; changes are left to `audit verify`. */
export function auditEntryJson(entry: AuditEntry) {
  const { chain, number, time, actor, operation, object, group, outcome, details } = entry
  return {
    chain,
    number,
    time: isoMoment(time),
    actor,
    operation,
    object,
    group,
    outcome,
    details,
  }
}

/** Records as a table, in the order given. */
export function auditTable(entries: readonly AuditEntry[], style: Style): string {
  const columns = {
    TIME: ({ time }: AuditEntry) => moment(time),
    RECORD: ({ chain, number }: AuditEntry) => `${chain}/${number}`,
    WHO: ({ actor }: AuditEntry) => actor.name,
    WHAT: ({ operation }: AuditEntry) => operation,
    ABOUT: ({ object, details }: AuditEntry) => object ?? subjectOf(details),
    OUTCOME: ({ outcome }: AuditEntry) => outcome,
  }
  return table(columns, entries, style, 'no records')
}

/** What a record without an object is about: the library or group it names. */
function subjectOf(details: AuditEntry['details']): string | undefined {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return undefined
  const { library, group } = details as Record<string, unknown>
  const subject = library ?? group
  return typeof subject === 'string' ? subject : undefined
}
