// The journals that a command writes beside the server, each in a file of its own there. They are those that the
// keystore has noted, unless others are named; and are looked for only once a group wants more than one copy.
import { resolve } from 'node:path'
import { UserError } from '../errors.ts'
import type { JournalEntry } from './journal-format.ts'
import { Journal } from './journal.ts'
import type { ReplayGround } from './journal-replay.ts'
import type { JournalWish } from './journal-wish.ts'
import { Journals, type Beside } from './journals.ts'
import { journalsIn, noted } from './noted-journals.ts'
import type { Copies } from './ready.ts'
import type { StorageReader } from './storage.ts'

/** Which journals a command writes: those noted by default. */
export type CommandJournalWish = Pick<JournalWish, 'log'> & Partial<Pick<JournalWish, 'paths'>>

/** Journals of a command. */
export class CommandJournals implements Beside {
  readonly #wish: CommandJournalWish
  readonly #ground: Pick<ReplayGround, 'store' | 'sealing'>
  #opening: Promise<readonly Journal[]> | undefined
  #all: readonly Journal[] = []
  #journals = new Journals([])

  constructor(wish: CommandJournalWish, ground: Pick<ReplayGround, 'store' | 'sealing'>) {
    this.#wish = wish
    this.#ground = ground
  }

  /** Looks for them the first time. Throws UserError for one that must not be used. */
  async added(rows: StorageReader): Promise<Copies> {
    this.#opening ??= this.#open(rows)
    const all = await this.#opening
    if (all.length === 0) return { count: 0, missing: 'this keystore has no journal' }
    return this.#journals.added()
  }

  keep(rows: StorageReader, entries: readonly JournalEntry[]): Promise<void> {
    return this.#journals.keep(rows, entries)
  }

  undo(): void {
    this.#journals.undo()
  }

  /** Nothing more is written. */
  close(): void {
    for (const journal of this.#all) journal.close()
  }

  async #open(rows: StorageReader): Promise<readonly Journal[]> {
    const { store, sealing } = this.#ground
    const { log, paths } = this.#wish
    const row = await rows.document(noted.kind, noted.name)
    if (row) sealing.verifyDocument(row)
    const known = journalsIn(row?.body ? JSON.parse(row.body) : undefined)
    const wanted = paths?.map((path) => resolve(path)) ?? known.map(({ path }) => path)
    this.#all = wanted.map((path) => {
      const expected = known.find((one) => one.path === path)?.journal
      return new Journal({ path, role: 'command', store, expected }, log)
    })
    await Promise.all(this.#all.map((journal) => journal.open()))
    for (const { path, id } of this.#all) {
      if (id !== undefined && known.every(({ journal }) => journal !== id)) throw notKept(path)
    }
    this.#journals = new Journals(this.#all)
    return this.#all
  }
}

function notKept(path: string): UserError {
  return new UserError(
    'journal-not-kept',
    `the journal in ${path} is none that the server keeps: what a command adds to it would lack the rest`,
    'name one of those that  keyreel status  shows, or leave --journal out',
  )
}
