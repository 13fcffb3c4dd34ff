// Files of commands in a journal, once the server's files hold all of it: they are removed then.
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { headOf, journalFilesIn, readThere } from './journal-files.ts'
import { readRows } from './journal-opening.ts'
import type { Journal } from './journal.ts'
import type { Storage } from './storage.ts'

/**
 * Removes the files of commands of which the journal's own files hold every record, and so every row. A command
 * writes inside a transaction, and this removes inside one: nothing can be written meanwhile. Only those are read
 * that have not grown since the last look, whose `sizes` are remembered. Answers whether to look again.
 */
export async function absorbCommandFiles(
  storage: Storage,
  journal: Journal,
  sizes: Map<string, number>,
): Promise<boolean> {
  let isGrowing = false
  for (const file of await journalFilesIn(journal.path, 'command')) {
    const path = join(journal.path, file)
    const size = await sizeOf(path)
    if (size !== undefined && size !== sizes.get(file)) {
      sizes.set(file, size)
      isGrowing = true
      continue
    }
    const bytes = await readThere(journal.path, file)
    if (bytes === undefined) continue
    const head = headOf(bytes)
    const isCovered = head === undefined || journal.covers(readRows(bytes, head.rest).tail)
    if (isCovered) await removeUngrown(storage, path, bytes.length)
  }
  return isGrowing
}

function removeUngrown(storage: Storage, path: string, length: number): Promise<void> {
  return storage.write(async () => {
    if ((await sizeOf(path)) === length) await rm(path)
  })
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
