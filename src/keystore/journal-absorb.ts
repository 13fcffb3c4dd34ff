// Files of commands in a journal, once the server's files hold all of it: they are removed then.
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { headOf, journalFilesIn, readThere } from './journal-files.ts'
import { readRows } from './journal-opening.ts'
import type { Journal } from './journal.ts'
import type { Storage } from './storage.ts'

/**
 * Removes the files of commands of which the journal's own files hold every record, and so every row. A command
 * writes inside a transaction, and this removes inside one: nothing can be written meanwhile. Answers whether some
 * were left.
 */
export async function absorbCommandFiles(storage: Storage, journal: Journal): Promise<boolean> {
  let isLeft = false
  for (const file of await journalFilesIn(journal.path, 'command')) {
    const bytes = await readThere(journal.path, file)
    if (bytes === undefined) continue
    const head = headOf(bytes)
    const isCovered = head === undefined || journal.covers(readRows(bytes, head.rest).tail)
    if (!isCovered || !(await removed(storage, join(journal.path, file), bytes.length)))
      isLeft = true
  }
  return isLeft
}

/** Removes a file, unless it has grown. */
function removed(storage: Storage, path: string, length: number): Promise<boolean> {
  return storage.write(async () => {
    const { size } = await stat(path)
    if (size !== length) return false
    await rm(path)
    return true
  })
}
