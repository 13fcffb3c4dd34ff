// Several journals of one keystore: each is written and synced before a transaction is committed, all at the same
// time. One that cannot be written is away from then on, and the transaction runs again without it.
import type { JournalEntry } from './journal-format.ts'
import { JournalLost } from './journal-trouble.ts'
import type { Journal } from './journal.ts'
import type { Copies } from './ready.ts'
import type { StorageReader } from './storage.ts'

/** What is written beside a storage, before it commits. */
export interface Beside {
  /** Keeps what a transaction has written. Throws JournalLost when it is to run again without some of it. */
  keep(rows: StorageReader, entries: readonly JournalEntry[]): Promise<void>
  /** What was kept last was not committed: the next transaction takes its place. */
  undo(): void
  /** What it adds to the copies that the database is. */
  added(rows: StorageReader): Copies | Promise<Copies>
}

/** The journals that are written together. */
export class Journals implements Beside {
  readonly #all: readonly Journal[]
  /** Those that have what the last transaction has written. */
  #kept: readonly Journal[] = []

  constructor(all: readonly Journal[]) {
    this.#all = all
  }

  async keep(rows: StorageReader, entries: readonly JournalEntry[]): Promise<void> {
    this.#kept = []
    const current = this.#all.filter(({ isCurrent }) => isCurrent)
    const outcomes = await Promise.allSettled(current.map((journal) => journal.keep(rows, entries)))
    this.#kept = current.filter((_, at) => outcomes[at]!.status === 'fulfilled')
    const errors = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    )
    const bug = errors.find((error) => !(error instanceof JournalLost))
    if (errors.length > 0) throw bug ?? errors[0]
  }

  undo(): void {
    for (const journal of this.#kept) journal.undo()
    this.#kept = []
  }

  added(): Copies {
    const all = this.#all.map((journal) => journal.added())
    const count = all.reduce((sum, copies) => sum + copies.count, 0)
    if (all.length === 1) return all[0]!
    if (count === all.length) return { count, missing: `there are ${count} journals` }
    const missing = all.filter((copies) => copies.count === 0).map((copies) => copies.missing)
    const others = [...new Set(missing)].join('; ')
    return {
      count,
      missing: `of ${all.length} journals ${missing.length} cannot be used: ${others}`,
    }
  }
}
