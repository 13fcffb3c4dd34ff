// Why a store is not opened, in the administrator's words.
import { statSync } from 'node:fs'
import { exitStatus, UserError } from '../errors.ts'
import { isThere } from '../presence.ts'
import type { MasterKey } from './master-key.ts'
import type { WrapRow } from './storage.ts'

/** Refuses a directory without a database, or with a journal beside it that is not keyreel's. */
export function refuseUnusable(directory: string, file: string): void {
  if (!isThere(file)) throw notInitialised(directory)
  const journal = statSync(`${file}-journal`, { throwIfNoEntry: false })
  if (!journal || journal.size === 0) return
  // keyreel never writes one; SQLite would roll it into the database.
  throw new UserError(
    'foreign-journal',
    `${file}-journal lies beside the database, but keyreel does not write such a file`,
    'another program opened the database: keep copies of both files, then move the journal away',
  )
}

/** A keystore that was being moved or restored here. */
export function halfMoved(where: string): UserError {
  return new UserError(
    'half-moved',
    `${where}: a keystore was being moved or restored here, and is not whole`,
    'run the same  keyreel database move  again where the keystore was, or the same  keyreel backup restore',
  )
}

/** Refuses a master key that does not open all epochs. */
export function refuseOtherMasterKey(
  { id }: MasterKey,
  wraps: readonly WrapRow[],
  where: string,
): void {
  const providers = wraps.map(({ provider }) => provider)
  const opened = wraps.filter(({ provider }) => provider === id)
  const epochs = new Set(wraps.map(({ epoch }) => epoch)).size
  if (opened.length === epochs && epochs > 0) return
  if (opened.length > 0) {
    throw new UserError(
      'wrong-master-key',
      `${where}: ${id} opens ${opened.length} of ${epochs} epochs; later ones were begun while shares had opened it`,
      'give the keystore a master key again:  keyreel master-key rotate --share FILE …',
      { exitStatus: exitStatus.sealed },
    )
  }
  throw new UserError(
    'wrong-master-key',
    `${where} is sealed under ${[...new Set(providers)].join(', ') || 'no master key'}; this master key is ${id}`,
    'name the right one with --master-key-file or --passphrase-file',
    { exitStatus: exitStatus.sealed },
  )
}

/** There is no keystore in a directory, or in a database by the beginning of its URL. */
export function notInitialised(where: string): UserError {
  return new UserError(
    'not-initialised',
    `there is no keystore in ${where}`,
    /^postgres(ql)?:/.test(where)
      ? 'check which database, and which schema of it, the URL names, and that it was restored whole; to begin anew:  keyreel init --database URL'
      : 'make one with `keyreel init`, or name its data directory with --data',
    { exitStatus: exitStatus.notInitialised },
  )
}
