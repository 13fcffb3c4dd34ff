/** How backups are refused: one error for each kind of trouble. */
import { UserError } from '../errors.ts'

/** Bytes that are no backup, or were changed. */
export function unreadableBackup(found: string, cause?: unknown): UserError {
  return new UserError(
    'backup-unreadable',
    `this is not a whole, unchanged backup: ${found}`,
    'take another copy of it, or an earlier backup; nothing was changed',
    { cause },
  )
}

/** A backup that other shares, or another server, open. */
export function foreignBackup(tried: string): UserError {
  return new UserError(
    'backup-foreign',
    `${tried} does not open this backup, or it is none`,
    'take the shares of the recovery key it was made for; backup create has printed which',
  )
}
