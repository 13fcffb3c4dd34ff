// One server per data directory: an exclusive transaction held on a small SQLite file. The operating
// system frees it with the process, however it ends. The CLI does not take it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { UserError } from '../errors.ts'
import { explained, isBusy } from './sqlite-driver.ts'

/** The held lock. */
export interface ServeLock {
  release(): void
}

/** Takes the lock or throws UserError 'already-served', which names the other process. */
export function takeServeLock(directory: string): ServeLock {
  // Beside the lock, not in it: reading the locked file here would drop the lock (POSIX).
  const owner = join(directory, 'serve.pid')
  const file = join(directory, 'serve.lock')
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database?.close()
    if (!isBusy(cause)) throw explained(cause, file)
    throw new UserError(
      'already-served',
      `${directory} is served by another process${ownerOf(owner)}`,
      'stop that server first, or name another data directory with --data',
      { cause },
    )
  }
  const held = database
  noteOwner(owner, held)
  return {
    release() {
      rmSync(owner, { force: true })
      held.close()
    },
  }
}

/** Leaves the number of this process for whoever finds the lock taken. Throws UserError 'disk-full'. */
function noteOwner(path: string, held: DatabaseSync): void {
  try {
    writeFileSync(path, `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    held.close()
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    throw new UserError(
      'disk-full',
      `${path}: no space left to write`,
      'free space on its file system; nothing was half-written',
      { cause: error },
    )
  }
}

function ownerOf(path: string): string {
  try {
    return ` (process ${readFileSync(path, 'utf8').trim()})`
  } catch {
    // The other process has not written its number yet.
    return ''
  }
}
