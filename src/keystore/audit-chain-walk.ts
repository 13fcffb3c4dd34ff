// Walks the audit chains row by row and remembers what they say last about each object and document.
import { equalBytes } from '../crypto/primitives/mac.ts'
import { problemOfIndex } from './audit-reading.ts'
import { beforeFirst, chainEvents, entriesOf } from './audit.ts'
import type { Sealing } from './sealing.ts'
import type { AuditRow, StorageReader } from './storage.ts'
import { IntegrityError, type AuditEntry } from './work.ts'

/** What a problem is about. */
export type ProblemKind =
  | 'audit-changed'
  | 'audit-gap'
  | 'audit-truncated'
  | 'chain-missing'
  | 'chain-unannounced'
  | 'changed'
  | 'derived'
  | 'replayed'
  | 'missing'
  | 'unaudited'

/** One thing that is wrong: `subject` is `chain/number`, a unique identifier or `kind/name`. */
export interface Problem {
  readonly kind: ProblemKind
  readonly subject: string
  readonly message: string
}

/** The state of a chain at one moment, to be kept outside the store; `mac` in base64url. */
export interface Checkpoint {
  readonly chain: string
  readonly number: number
  readonly mac: string
}

/** A row of either kind, as compared with the chains. */
export interface Standing {
  readonly revision: number
  readonly mac: Uint8Array
}

type Report = (kind: ProblemKind, subject: string, message: string) => void

interface Walked {
  last: number
  mac: Uint8Array
  /** Nothing after the first bad row is believed. */
  broken: boolean
}

/** State of a walk over all chains; goes on where it stopped, also over rows appended since. */
export class ChainWalk {
  readonly #sealing: Sealing
  readonly #checkpoints: readonly Checkpoint[]
  readonly #report: Report
  readonly #chains = new Map<string, Walked>()
  readonly #announced = new Map<string, number>()
  readonly #roots: string[] = []
  readonly #audited = new Map<string, { revision: number; mac: string }>()

  constructor(sealing: Sealing, checkpoints: readonly Checkpoint[], report: Report) {
    this.#sealing = sealing
    this.#checkpoints = checkpoints
    this.#report = report
  }

  /** Verifies up to `limit` rows; false when no chain has more. Throws EpochNotOpen, and may then go on. */
  async step(rows: StorageReader, limit: number): Promise<boolean> {
    for (const chain of await rows.chains()) {
      const walked = this.#walked(chain)
      if (walked.broken) continue
      const found = await rows.auditAfter(chain, walked.last, limit)
      const indexed = found.length === 0 ? 0 : await rows.auditIndexed(chain)
      for (const row of found) {
        if (!walked.broken) this.#take(row, walked)
        const problem = walked.broken ? undefined : await problemOfIndex(rows, row, indexed)
        if (problem) this.#report(problem.kind, problem.subject, problem.message)
      }
      if (found.length > 0) return true
    }
    return false
  }

  /** Reports what only shows at the end: chains not announced or gone, and checkpoints not reached. */
  finish(): void {
    for (const chain of this.#announced.keys()) {
      if (this.#chains.has(chain)) continue
      this.#report('chain-missing', chain, 'this audit chain was announced in another, but is gone')
    }
    for (const [chain, { broken }] of this.#chains) {
      const expected = this.#roots[0] === chain ? 0 : 1
      const announced = this.#announced.get(chain) ?? 0
      if (announced === expected || broken || this.#someBroken()) continue
      this.#report('chain-unannounced', chain, `announced ${announced} times by other audit chains`)
    }
    if (this.#chains.size === 0) this.#report('chain-missing', 'audit', 'there is no audit chain')
    for (const { chain, number } of this.#checkpoints) {
      const last = this.#chains.get(chain)?.last ?? 0
      if (last >= number || this.#chains.get(chain)?.broken) continue
      const what = `the chain ends at ${last}, a checkpoint knows record ${number}`
      this.#report('audit-truncated', `${chain}/${number}`, what)
    }
  }

  /** Whether the row is what the chains said last. */
  agrees(subject: string, { revision, mac }: Standing): boolean {
    const audited = this.#audited.get(subject)
    return audited?.revision === revision && audited.mac === base64url(mac)
  }

  /** Takes the subject off the list: its row has been looked at. */
  settle(subject: string): void {
    this.#audited.delete(subject)
  }

  /** Subjects the chains speak of whose rows have not been found so, or that changed since. */
  unsettled(): Iterable<string> {
    return this.#audited.keys()
  }

  /** How a row differs from what the chains said last. */
  disagreement(
    subject: string,
    standing: Standing | undefined,
  ): Pick<Problem, 'kind' | 'message'> | undefined {
    const audited = this.#audited.get(subject)
    if (!standing) {
      if (!audited) return undefined
      return {
        kind: 'missing',
        message: `audited at revision ${audited.revision}, its row is gone`,
      }
    }
    if (!audited || audited.revision < standing.revision) {
      if (this.#someBroken()) return undefined
      const message = `at revision ${standing.revision}, audited ${audited ? `to ${audited.revision}` : 'never'}`
      return { kind: 'unaudited', message }
    }
    if (this.agrees(subject, standing)) return undefined
    const message = `at revision ${standing.revision}, but the audit trail says another revision ${audited.revision}`
    return { kind: 'replayed', message }
  }

  /** Where each chain ended. */
  heads(): Checkpoint[] {
    return [...this.#chains].map(([chain, { last, mac }]) => ({
      chain,
      number: last,
      mac: base64url(mac),
    }))
  }

  #take(row: AuditRow, walked: Walked): void {
    const subject = `${row.chain}/${row.first}`
    if (row.first !== walked.last + 1) {
      walked.broken = true
      this.#report(
        'audit-gap',
        `${row.chain}/${walked.last + 1}`,
        `record ${row.first} follows on record ${walked.last}`,
      )
      return
    }
    if (!this.#isGenuine(row, walked.mac)) {
      walked.broken = true
      this.#report('audit-changed', subject, `records ${row.first} to ${row.last} were changed`)
      return
    }
    walked.last = row.last
    walked.mac = row.mac
    this.#compareCheckpoints(row)
    for (const entry of entriesOf(row)) this.#note(entry)
  }

  #isGenuine(row: AuditRow, previous: Uint8Array): boolean {
    try {
      return equalBytes(this.#sealing.auditMac(row, previous), row.mac)
    } catch (error) {
      // An epoch that the store never had.
      if (error instanceof IntegrityError) return false
      throw error
    }
  }

  #compareCheckpoints({ chain, first, last, mac }: AuditRow): void {
    for (const checkpoint of this.#checkpoints) {
      if (checkpoint.chain !== chain || checkpoint.number < first || checkpoint.number > last)
        continue
      if (checkpoint.number === last && checkpoint.mac === base64url(mac)) continue
      const what = 'the chain went another way after the checkpoint was taken before it'
      this.#report('audit-changed', `${chain}/${checkpoint.number}`, what)
    }
  }

  #note({ chain, operation, details, changes }: AuditEntry): void {
    if (operation === chainEvents.created) this.#roots.push(chain)
    if (operation === chainEvents.announced) {
      const { chain: name } = details as { chain: string }
      this.#announced.set(name, (this.#announced.get(name) ?? 0) + 1)
    }
    for (const { object, revision, mac } of changes) {
      if ((this.#audited.get(object)?.revision ?? 0) > revision) continue
      this.#audited.set(object, { revision, mac })
    }
  }

  #walked(chain: string): Walked {
    const known = this.#chains.get(chain)
    if (known) return known
    const walked = { last: 0, mac: beforeFirst, broken: false }
    this.#chains.set(chain, walked)
    return walked
  }

  #someBroken(): boolean {
    return [...this.#chains.values()].some(({ broken }) => broken)
  }
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
