// The order of the exchange log: moments are whole seconds, so each entry has a number as well.
import type { Documents } from './documents.ts'

/** Kinds of documents that are entries of the exchange log. They are never removed. */
const kinds = ['exchange-export', 'exchange-import', 'exchange-withdrawal'] as const

/** The number of an entry that is about to be written for the first time, above those of all that are there. */
export async function nextEntry(work: Pick<Documents, 'documents'>): Promise<number> {
  let entries = 0
  for (const kind of kinds) entries += (await work.documents(kind)).length
  return entries + 1
}
