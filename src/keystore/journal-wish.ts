// Which journals a process keeps, and which folders cannot be one.
import { relative, resolve } from 'node:path'
import { exitStatus, UserError } from '../errors.ts'
import { urlsOf, type DatabasePlace } from './database.ts'
import type { JournalLog } from './journal.ts'
import type { JournalPlace } from './journal-writer.ts'

/** The journals of a process. */
export interface JournalWish extends Pick<JournalPlace, 'fileLength' | 'patience' | 'sync'> {
  readonly paths: readonly string[]
  readonly log: JournalLog
}

/**
 * The journals of a server that was started with `paths`; undefined without. Throws UserError where one would be
 * no further copy.
 */
export function journalsFor(
  place: DatabasePlace,
  paths: readonly string[] | undefined,
  log: JournalLog,
): JournalWish | undefined {
  if (paths === undefined) return undefined
  if (urlsOf(place) !== undefined) {
    throw new UserError(
      'journal-with-database',
      'a journal is for a keystore in a file; this one is in PostgreSQL',
      'leave --journal out: its synchronous standbys are the other copies (synchronous_standby_names)',
      { exitStatus: exitStatus.usage },
    )
  }
  const whole = paths.map((path) => resolve(path))
  for (const [at, path] of whole.entries()) {
    if (isWithin(resolve(place.directory), path)) {
      throw new UserError(
        'journal-in-data',
        `the journal ${paths[at]} lies in the data directory: both would be lost together`,
        'name a folder on another disk or share with --journal',
        { exitStatus: exitStatus.usage },
      )
    }
    const other = whole.findIndex((one, index) => index !== at && isWithin(one, path))
    if (other < 0) continue
    throw new UserError(
      'journal-twice',
      `the journal ${paths[at]} lies in ${paths[other]}: both would be lost together`,
      'name each folder once, on different disks or shares',
      { exitStatus: exitStatus.usage },
    )
  }
  return { paths, log }
}

function isWithin(folder: string, path: string): boolean {
  return !relative(folder, path).startsWith('..')
}
