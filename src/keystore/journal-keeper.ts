// A server's journal from its start to its end: found again or begun, compared with the keystore, brought up to
// date, looked for while its disk is away.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { relative, resolve } from 'node:path'
import { exitStatus, UserError } from '../errors.ts'
import { urlsOf, type DatabasePlace } from './database.ts'
import { Journal, type JournalLog, type JournalStanding, type JournalStatus } from './journal.ts'
import { catchUpJournal, journaled } from './journaled-storage.ts'
import { replayJournal, type ReplayGround } from './journal-replay.ts'
import type { JournalPlace } from './journal-writer.ts'
import type { Storage } from './storage.ts'
import type { AuditActor, Work } from './work.ts'

/** Which journal a server keeps. */
export interface JournalWish extends Pick<JournalPlace, 'fileLength' | 'patience' | 'sync'> {
  readonly path: string
  readonly log: JournalLog
}

/**
 * The journal of a server that was started with `journal`; undefined without. Throws UserError where it would
 * be no second copy.
 */
export function journalFor(
  place: DatabasePlace,
  journal: string | undefined,
  log: JournalLog,
): JournalWish | undefined {
  if (journal === undefined) return undefined
  if (urlsOf(place) !== undefined) {
    throw new UserError(
      'journal-with-database',
      'a journal is for a keystore in a file; this one is in PostgreSQL',
      'leave --journal out: its synchronous standbys are the other copies (synchronous_standby_names)',
      { exitStatus: exitStatus.usage },
    )
  }
  if (!relative(resolve(place.directory), resolve(journal)).startsWith('..')) {
    throw new UserError(
      'journal-in-data',
      `the journal ${journal} lies in the data directory: both would be lost together`,
      'name a folder on another disk or share with --journal',
      { exitStatus: exitStatus.usage },
    )
  }
  return { path: journal, log }
}

/** Where the keystore notes which journal it has. */
const noted = { kind: 'journal', name: 'place' } as const

/** A journal that was begun: where it is, and its identity. */
export interface NotedJournal {
  readonly path: string
  readonly journal: string
}

/** The journal that a server of this keystore has begun last. */
export async function notedJournal(
  work: Pick<Work, 'document'>,
): Promise<NotedJournal | undefined> {
  return (await work.document(noted.kind, noted.name))?.body as NotedJournal | undefined
}

const keyreel: AuditActor = { name: 'keyreel', kind: 'server' }

/** A journal in use. */
export class JournalKeeper {
  readonly #journal: Journal
  readonly #ground: ReplayGround
  readonly #known: NotedJournal | undefined
  #act: (<T>(fn: (work: Work) => Promise<T>) => Promise<T>) | undefined
  #closing = false

  private constructor(journal: Journal, ground: ReplayGround, known: NotedJournal | undefined) {
    this.#journal = journal
    this.#ground = ground
    this.#known = known
  }

  /**
   * Opens the journal, and takes over from it what was under way when the last process ended. Throws UserError
   * for one that must not be used; one whose disk is away is looked for later.
   */
  static async begin(wish: JournalWish, ground: ReplayGround): Promise<JournalKeeper> {
    const path = resolve(wish.path)
    const { store, storage, sealing } = ground
    const row = await storage.read((rows) => rows.document(noted.kind, noted.name))
    if (row) sealing.verifyDocument(row)
    const before = row?.body ? (JSON.parse(row.body) as NotedJournal) : undefined
    const known = before?.path === path ? before : undefined
    const { log } = wish
    const journal = new Journal({ ...wish, path, store, expected: known?.journal }, log)
    const keeper = new JournalKeeper(journal, ground, known)
    try {
      if (await journal.open()) await keeper.#takeOver(log)
    } catch (error) {
      journal.close()
      throw error
    }
    return keeper
  }

  /** The storage whose transactions are in the journal. */
  get storage(): Storage {
    return journaled(this.#ground.storage, this.#journal)
  }

  get status(): JournalStatus {
    return this.#journal.status
  }

  /** From now on acts can be run: the journal's identity is noted in one. */
  async start(act: <T>(fn: (work: Work) => Promise<T>) => Promise<T>): Promise<void> {
    this.#act = act
    await this.#note()
  }

  /** Looks for a journal that is away, and brings one up to date that is behind. Asked every second. */
  async tend(): Promise<void> {
    const journal = this.#journal
    if (journal.status.state === 'away') {
      try {
        if (!(await journal.open())) return
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        journal.refuse(error.message)
        return
      }
      const standing = await this.#standing()
      if (standing.kind !== 'behind') {
        journal.refuse('it holds what the keystore does not have: restart the server')
        return
      }
      await this.#note()
    }
    while (!this.#closing && (await catchUpJournal(this.#ground.storage, journal))) await nextTurn()
  }

  /** Nothing more is written. */
  async close(): Promise<void> {
    this.#closing = true
    if (this.#journal.isCurrent) await catchUpJournal(this.#ground.storage, this.#journal)
    this.#journal.close()
  }

  async #takeOver(log: JournalLog): Promise<void> {
    const { path } = this.#journal
    const standing = await this.#standing()
    if (standing.kind === 'other') throw otherHistory(path, standing.chain)
    if (standing.kind === 'behind') return
    const { frames, file: from } = standing
    await replayJournal(this.#ground, { path, from, apply: true, actor: keyreel })
    log.info(
      { journal: path, frames },
      'what was under way when the last server ended is taken over',
    )
  }

  #standing(): Promise<JournalStanding> {
    // In a transaction: nobody else writes meanwhile.
    return this.#ground.storage.write((rows) => this.#journal.standing(rows))
  }

  async #note(): Promise<void> {
    const { path, id } = this.#journal
    if (id === undefined || this.#act === undefined) return
    const place = { path, journal: id }
    if (this.#known?.journal === id) return
    await this.#act(async (work) => {
      const now = await notedJournal(work)
      if (now?.journal === id && now.path === path) return
      await work.putDocument(noted.kind, noted.name, place)
      const record = { actor: keyreel, operation: 'Journal Begun', outcome: 'Success' }
      work.audit({ ...record, details: place })
    })
  }
}

function otherHistory(path: string, chain: string): UserError {
  return new UserError(
    'journal-other',
    `${path}: this journal holds records (chain ${chain}) that the keystore does not have: an older state of the keystore was put back, or it went on elsewhere`,
    `put back what is missing:  keyreel journal replay ${path}  ; then name a new folder with --journal and keep this one`,
  )
}
