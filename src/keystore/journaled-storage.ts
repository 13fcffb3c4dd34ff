// Storage whose transactions are in its journals before they are committed. When one cannot be written the
// transaction is undone and runs again without it; whoever needs the copy refuses then.
import type { JournalEntry } from './journal-format.ts'
import { JournalLost } from './journal-trouble.ts'
import type { Journal } from './journal.ts'
import type { Beside } from './journals.ts'
import type { Soon } from './soon.ts'
import type { Storage, StorageReader, StorageWriter } from './storage.ts'

/** The same storage with journals beside it. */
export function journaled(storage: Storage, journals: Beside): Storage {
  return {
    ...storage,
    async write(fn) {
      for (;;) {
        let isKept = false
        try {
          return await storage.write(async (rows) => {
            isKept = false
            const entries: JournalEntry[] = []
            const result = await fn(collecting(rows, journals, entries))
            isKept = true
            await journals.keep(rows, entries)
            return result
          })
        } catch (error) {
          if (isKept) journals.undo()
          if (!(error instanceof JournalLost)) throw error
        }
      }
    },
    read: (fn) => storage.read((rows) => fn(counting(rows, journals))),
  }
}

/** One step of bringing the journal up to date; false when there was nothing left. */
export async function catchUpJournal(storage: Storage, journal: Journal): Promise<boolean> {
  try {
    return await storage.write((rows) => journal.catchUp(rows))
  } catch (error) {
    if (error instanceof JournalLost) return false
    throw error
  }
}

function counting<R extends StorageReader>(rows: R, journals: Beside): R {
  return {
    ...rows,
    async copies(relied) {
      const own = await rows.copies(relied)
      const { count, missing } = await journals.added(rows)
      return { count: own.count + count, missing }
    },
  }
}

/** The same rows, which also say what they have written. */
function collecting(rows: StorageWriter, journals: Beside, entries: JournalEntry[]): StorageWriter {
  const note = (entry: JournalEntry): void => void entries.push(entry)
  return {
    ...counting(rows, journals),
    async savepoint<T>(fn: () => Soon<T>): Promise<T> {
      const mark = entries.length
      try {
        return await rows.savepoint(fn)
      } catch (error) {
        entries.length = mark
        throw error
      }
    },
    async insertObject(object, sealed) {
      const n = await rows.insertObject(object, sealed)
      const { id, group, type, revision, epoch, mac, record } = object
      note({ kind: 'object', row: { id, group, type, revision, epoch, mac, record, sealed } })
      return n
    },
    async updateObject(n, object, previous, from) {
      if (!(await rows.updateObject(n, object, previous, from))) return false
      const { id, group, type, revision, epoch, mac, record } = object
      note({ kind: 'object', row: { id, group, type, revision, epoch, mac, record } })
      return true
    },
    async putSealed(object, sealed) {
      await rows.putSealed(object, sealed)
      reseal(entries, object.id, sealed)
    },
    async forgetSealed(object) {
      await rows.forgetSealed(object)
      if (!reseal(entries, object.id, null))
        note({ kind: 'wipe', id: object.id, revision: object.revision })
    },
    async putDocument(row, from) {
      if (!(await rows.putDocument(row, from))) return false
      note({ kind: 'document', row })
      return true
    },
    async putWrap(row) {
      await rows.putWrap(row)
      note({ kind: 'wrap', row })
    },
    async appendAudit(row) {
      await rows.appendAudit(row)
      note({ kind: 'audit', row })
    },
  }
}

/** Other sealed bytes of a row that this transaction has written; false when it has not. */
function reseal(entries: JournalEntry[], id: string, sealed: Uint8Array | null): boolean {
  const at = entries.findLastIndex((entry) => entry.kind === 'object' && entry.row.id === id)
  const entry = entries[at]
  if (entry?.kind !== 'object') return false
  entries[at] = { kind: 'object', row: { ...entry.row, sealed } }
  return true
}
