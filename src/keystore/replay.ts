// Replay checks: a row older than one this process has already served or written is refused.
// The revisions table catches a single row put back; this catches both put back while the server
// runs; what was put back while it stood still only `audit verify` finds.
import { equalBytes } from '../crypto/primitives/mac.ts'
import type { SeenRevision } from './acts.ts'
import type { DocumentRow, ObjectRow } from './storage.ts'
import { IntegrityError } from './work.ts'

const remembered = 500_000

/** Highest revision of each thing served or written since the start; revision 1 needs no entry. */
export class HighestRevisions {
  readonly #revisions = new Map<string, number>()

  /** Remembers committed revisions. */
  note(seen: readonly SeenRevision[]): void {
    for (const { subject, revision } of seen) {
      if (revision < 2 || revision <= (this.#revisions.get(subject) ?? 0)) continue
      this.#revisions.set(subject, revision)
      if (this.#revisions.size > remembered) this.#forgetOldest()
    }
  }

  /** Whether `revision` is older than one seen before. */
  isOlder(subject: string, revision: number): boolean {
    return revision < (this.#revisions.get(subject) ?? 0)
  }

  #forgetOldest(): void {
    const oldest = this.#revisions.keys().next()
    if (!oldest.done) this.#revisions.delete(oldest.value)
  }
}

/** Throws IntegrityError when the revisions table knows another state of the object. */
export function verifyNoted({ id, revision, mac, noted }: ObjectRow): void {
  if (noted === undefined && revision === 1) return
  if (noted?.revision === revision && equalBytes(noted.mac, mac)) return
  const known = noted === undefined ? 'none' : `revision ${noted.revision}`
  throw replayed(id, `it stands at revision ${revision}, the revisions table has ${known}`)
}

/** Throws IntegrityError unless the document stands as its newest revision is noted. */
export function verifyDocumentNoted({ kind, name, revision, mac, noted }: DocumentRow): void {
  if (noted?.revision === revision && equalBytes(noted.mac, mac)) return
  const known = noted === undefined ? 'none' : `revision ${noted.revision}`
  throw replayed(`${kind}/${name}`, `it stands at revision ${revision}, noted is ${known}`)
}

/** The error for an earlier state put back. */
export function replayed(subject: string, what: string): IntegrityError {
  return new IntegrityError('replayed', subject, `an earlier state was put back: ${what}`)
}
