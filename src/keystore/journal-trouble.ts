// What goes wrong with a journal's disk, in words.
import { UserError } from '../errors.ts'

/** The journal could not be written: the transaction is to run again, without it. */
export class JournalLost extends Error {
  constructor(cause: unknown) {
    super('the journal could not be written', { cause })
    this.name = 'JournalLost'
  }
}

/** UserErrors that go away when a disk is mounted. */
const mayComeBack: ReadonlySet<string> = new Set(['journal-missing', 'journal-gone'])

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'its quota is used up',
  EACCES: 'it may not be written',
  EPERM: 'it may not be written',
  EROFS: 'its file system is read-only',
  ENOENT: 'its folder is not there',
  EIO: 'its disk failed',
  ESTALE: 'its share is gone',
  ETIMEDOUT: 'its disk does not answer',
}

/** Why a journal is away. */
export function wordsOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (error instanceof UserError) return 'its folder is not there'
  return (code !== undefined && reasons[code]) || message
}

/** Whether a journal that cannot be opened is only away, and looked for again. */
export function isAway(error: unknown): boolean {
  return !(error instanceof UserError) || mayComeBack.has(error.code)
}
