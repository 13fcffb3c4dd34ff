// Rows of the keystore as entries of a journal, as they stand now.
import type { JournalEntry } from './journal-format.ts'
import type { StorageReader } from './storage.ts'

/** An entry of a row that stands in the keystore. */
export type RowEntry = Extract<JournalEntry, { kind: 'object' | 'document' }>

/** An object; undefined when there is none. */
export async function objectEntry(rows: StorageReader, id: string): Promise<RowEntry | undefined> {
  const found = await rows.object(undefined, id)
  if (found === undefined) return undefined
  const { group, type, revision, epoch, mac, record, n } = found
  const sealed = found.sealed === undefined ? await rows.sealed(n) : found.sealed
  return { kind: 'object', row: { id, group, type, revision, epoch, mac, record, sealed } }
}

/** A document; undefined when there is none. */
export async function documentEntry(
  rows: StorageReader,
  subject: string,
): Promise<RowEntry | undefined> {
  const slash = subject.indexOf('/')
  const found = await rows.document(subject.slice(0, slash), subject.slice(slash + 1))
  if (found === undefined) return undefined
  const { kind, name, revision, epoch, body, sealed, mac } = found
  return { kind: 'document', row: { kind, name, revision, epoch, body, sealed, mac } }
}
