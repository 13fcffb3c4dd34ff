// What one act leaves behind beside its rows; the group commit publishes it only once it is durable.
import type { Secret } from '../crypto/secret.ts'
import { either, type Soon } from './soon.ts'
import type { AuditChange, AuditRecord, ObjectChange } from './work.ts'

/** Collected while an act runs; thrown away when it is undone. */
export class ActTrace {
  readonly records: AuditRecord[] = []
  /** In order; of each subject the last counts. */
  readonly changes: AuditChange[] = []
  /** Objects written, in order. */
  readonly objects: ObjectChange[] = []
  /** Revisions read or written. */
  readonly seen: SeenRevision[] = []
  /** Steps that have written something that must be undone when it throws. */
  writes = 0
  /** Unsealed key material handed out; wiped when the act is undone. */
  readonly released: Secret[] = []
  /** Whether sealed bytes were forgotten, so that the log must be truncated. */
  wiped = false
  /** What made the act impossible to keep, even if it caught it: a write that failed half-way. */
  failure: unknown
}

/** The revision at which an act has met an object or document. */
export interface SeenRevision {
  readonly subject: string
  readonly revision: number
}

/** Of each subject its last change. */
export function lastOfEach(changes: readonly AuditChange[]): readonly AuditChange[] {
  if (changes.length < 2) return changes
  return [...new Map(changes.map((change) => [change.object, change])).values()]
}

/** Runs a step that writes: when it fails, the act fails, whatever it does about the error. */
export function writeStep<T>(trace: ActTrace, step: () => Soon<T>): Soon<T> {
  trace.writes++
  return vitalStep(trace, step)
}

/** Runs a step without which the act cannot be kept: when it fails, the act fails. */
export function vitalStep<T>(trace: ActTrace, step: () => Soon<T>): Soon<T> {
  return either(
    step,
    (value) => value,
    (error): never => {
      trace.failure ??= error
      throw error
    },
  )
}

/** Clears what an undone act had unsealed. */
export function forget(trace: ActTrace): void {
  for (const secret of trace.released) secret.wipe()
}

/** Throws when an act changed or released something and left no record of it. */
export function demandRecord(trace: ActTrace): void {
  if (trace.records.length > 0) return
  if (trace.changes.length === 0 && trace.released.length === 0 && !trace.wiped) return
  throw new Error('an act changed or released something without an audit record')
}
