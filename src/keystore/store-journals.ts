// The journals of a store that is opened: those that a server keeps, those that a command adds to, or none.
import { CommandJournals, type CommandJournalWish } from './command-journals.ts'
import { JournalKeeper } from './journal-keeper.ts'
import type { ReplayGround } from './journal-replay.ts'
import type { JournalWish } from './journal-wish.ts'
import type { JournalStatus } from './journal.ts'
import { journaled } from './journaled-storage.ts'
import type { Storage } from './storage.ts'
import type { Work } from './work.ts'

/** Which journals a store has. */
export interface JournalOptions {
  /** Keep what is written elsewhere too, before it counts; for a server on a file. */
  readonly journals?: JournalWish | undefined
  /** The same for a command, which adds to the journals of the server. */
  readonly commandJournals?: CommandJournalWish | undefined
}

/** Journals of an opened store. */
export interface StoreJournals {
  /** The storage whose transactions are in them. */
  readonly storage: Storage
  /** From now on acts can be run. */
  start(act: <T>(fn: (work: Work) => Promise<T>) => Promise<T>): Promise<void>
  /** Those that are kept. */
  status(): readonly JournalStatus[]
  tend(): Promise<void>
  close(): Promise<void>
}

/** Opens them. Throws UserError for one that must not be used. */
export async function openJournals(
  { journals, commandJournals }: JournalOptions,
  ground: ReplayGround,
): Promise<StoreJournals> {
  const keeper = journals && (await JournalKeeper.begin(journals, ground))
  const beside = commandJournals && new CommandJournals(commandJournals, ground)
  const { storage } = ground
  return {
    storage: keeper?.storage ?? (beside ? journaled(storage, beside) : storage),
    start: async (act) => keeper?.start(act),
    status: () => keeper?.status ?? [],
    tend: async () => keeper?.tend(),
    async close() {
      await keeper?.close()
      beside?.close()
    },
  }
}
