// The journals of a server from its start to its end: found again or begun, compared with the keystore, brought up
// to date, looked for while their disk is away.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { absorbCommandFiles } from './journal-absorb.ts'
import { journalFilesIn } from './journal-files.ts'
import { Journal, type JournalStanding, type JournalStatus } from './journal.ts'
import { catchUpJournal, journaled } from './journaled-storage.ts'
import { replayJournal, type ReplayGround } from './journal-replay.ts'
import type { JournalWish } from './journal-wish.ts'
import { Journals } from './journals.ts'
import { journalsIn, noted, noteJournals, type NotedJournal } from './noted-journals.ts'
import type { Storage } from './storage.ts'
import type { AuditActor, Work } from './work.ts'

const keyreel: AuditActor = { name: 'keyreel', kind: 'server' }

interface Kept {
  readonly journal: Journal
  /** As it was noted before. */
  readonly known: NotedJournal | undefined
  /** Whether files of commands may be there that it has taken over, and how long they were. */
  mayAbsorb: boolean
  readonly commandFiles: Map<string, number>
}

/** Journals in use. */
export class JournalKeeper {
  readonly #kept: readonly Kept[]
  readonly #ground: ReplayGround
  readonly #wish: JournalWish
  #act: (<T>(fn: (work: Work) => Promise<T>) => Promise<T>) | undefined
  #closing = false

  private constructor(kept: readonly Kept[], ground: ReplayGround, wish: JournalWish) {
    this.#kept = kept
    this.#ground = ground
    this.#wish = wish
  }

  /**
   * Opens the journals, and takes over from them what was under way when the last process ended. Throws UserError
   * for one that must not be used; one whose disk is away is looked for later.
   */
  static async begin(wish: JournalWish, ground: ReplayGround): Promise<JournalKeeper> {
    const { store, storage, sealing } = ground
    const row = await storage.read((rows) => rows.document(noted.kind, noted.name))
    if (row) sealing.verifyDocument(row)
    const before = journalsIn(row?.body ? JSON.parse(row.body) : undefined)
    const kept = wish.paths.map((given) => {
      const path = resolve(given)
      const known = before.find((one) => one.path === path)
      const journal = new Journal({ ...wish, path, store, expected: known?.journal }, wish.log)
      return { journal, known, mayAbsorb: true, commandFiles: new Map<string, number>() }
    })
    const keeper = new JournalKeeper(kept, ground, wish)
    try {
      const opened = await Promise.all(kept.map(({ journal }) => journal.open()))
      refuseSame(kept)
      await keeper.#takeOver(kept.filter((_, at) => opened[at]).map(({ journal }) => journal))
    } catch (error) {
      for (const { journal } of kept) journal.close()
      throw error
    }
    return keeper
  }

  /** The storage whose transactions are in the journals. */
  get storage(): Storage {
    return journaled(this.#ground.storage, new Journals(this.#kept.map(({ journal }) => journal)))
  }

  get status(): readonly JournalStatus[] {
    return this.#kept.map(({ journal }) => journal.status)
  }

  /** From now on acts can be run: the journals' identities are noted in one. */
  async start(act: <T>(fn: (work: Work) => Promise<T>) => Promise<T>): Promise<void> {
    this.#act = act
    await this.#note()
  }

  /** Looks for journals that are away, and brings those up to date that are behind. Asked every second. */
  async tend(): Promise<void> {
    await Promise.all(this.#kept.map((one) => this.#tend(one)))
  }

  async #tend(one: Kept): Promise<void> {
    const { journal } = one
    if (journal.status.state === 'away' && !(await this.#reopened(one))) return
    while (!this.#closing && (await catchUpJournal(this.#ground.storage, journal))) {
      one.mayAbsorb = true
      await nextTurn()
    }
    if (!one.mayAbsorb || this.#closing || !journal.isCurrent) return
    const { storage } = this.#ground
    one.mayAbsorb = await absorbCommandFiles(storage, journal, one.commandFiles).catch(
      (error: unknown) => {
        // Looked at again once there is something to catch up with: they do no harm.
        this.#wish.log.info({ journal: journal.path, err: error }, 'files of commands stay')
        return false
      },
    )
  }

  async #reopened({ journal }: Kept): Promise<boolean> {
    try {
      if (!(await journal.open())) return false
      refuseSame(this.#kept)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      journal.refuse(error.message)
      return false
    }
    const standing = await this.#standing(journal)
    if (standing.kind !== 'behind') {
      journal.refuse('it holds what the keystore does not have: restart the server')
      return false
    }
    await this.#note()
    return true
  }

  /** Nothing more is written. */
  async close(): Promise<void> {
    this.#closing = true
    for (const { journal } of this.#kept) {
      if (journal.isCurrent) await catchUpJournal(this.#ground.storage, journal)
      journal.close()
    }
  }

  /** From the one that has most first: the others have a part of it then. */
  async #takeOver(journals: readonly Journal[]): Promise<void> {
    const { log } = this.#wish
    for (let left = journals; left.length > 0;) {
      const found: { journal: Journal; standing: JournalStanding }[] = []
      for (const journal of left) found.push({ journal, standing: await this.#standing(journal) })
      for (const { journal, standing } of found)
        if (standing.kind === 'other') throw otherHistory(journal.path, standing.chain)
      const ahead = found.flatMap(({ journal, standing }) =>
        standing.kind === 'ahead' ? [{ journal, ...standing }] : [],
      )
      const [most] = ahead.toSorted((a, b) => b.frames - a.frames)
      if (most === undefined) break
      const { frames, file: from } = most
      const { path } = most.journal
      await replayJournal(this.#ground, { path, from, apply: true, actor: keyreel })
      const what = 'what was under way when the last server ended is taken over'
      log.info({ journal: path, frames }, what)
      left = left.filter((journal) => journal !== most.journal)
    }
    for (const { path } of journals) {
      if ((await journalFilesIn(path, 'command')).length === 0) continue
      await replayJournal(this.#ground, { path, only: 'command', apply: true, actor: keyreel })
    }
  }

  #standing(journal: Journal): Promise<JournalStanding> {
    // In a transaction: nobody else writes meanwhile.
    return this.#ground.storage.write((rows) => journal.standing(rows))
  }

  async #note(): Promise<void> {
    const places = this.#kept.flatMap(({ journal: { path, id }, known }) => {
      if (id !== undefined) return [{ path, journal: id }]
      return known === undefined ? [] : [known]
    })
    if (places.length === 0) return
    await this.#act?.((work) => noteJournals(work, keyreel, places))
  }
}

/** Two folders may be one disk, mounted twice. */
function refuseSame(kept: readonly Kept[]): void {
  const ids = new Map<string, string>()
  for (const { journal } of kept) {
    if (journal.id === undefined) continue
    const other = ids.get(journal.id)
    if (other !== undefined) {
      throw new UserError(
        'journal-twice',
        `${other} and ${journal.path} hold the same journal: together they are one copy`,
        'name folders on different disks or shares; each begins a journal of its own',
      )
    }
    ids.set(journal.id, journal.path)
  }
}

function otherHistory(path: string, chain: string): UserError {
  return new UserError(
    'journal-other',
    `${path}: this journal holds records (chain ${chain}) that the keystore does not have: an older state of the keystore was put back, or it went on elsewhere`,
    `put back what is missing:  keyreel journal replay ${path}  ; then name a new folder with --journal and keep this one`,
  )
}
