/** Why a bundle could not be written, in words. */
import { UserError } from '../errors.ts'

/** Why a file could not be written, by the code of the system error. */
const reasons: Readonly<Record<string, { why: string; hint: string }>> = {
  ENOSPC: { why: 'the disk is full', hint: 'free some space (df -h), then run it again' },
  EDQUOT: { why: 'the disk quota is used up', hint: 'raise the quota, then run it again' },
  EROFS: { why: 'the file system is read-only', hint: 'choose another place with --out FILE' },
  EACCES: { why: 'permission is denied', hint: 'choose another place with --out FILE' },
  EPERM: { why: 'it is not permitted', hint: 'choose another place with --out FILE' },
  ENOENT: {
    why: 'there is no such directory',
    hint: 'make it first, or choose another place with --out FILE',
  },
  ENOTDIR: { why: 'there is no such directory', hint: 'choose another place with --out FILE' },
  EEXIST: { why: 'it exists already', hint: 'choose another with --out FILE' },
  EIO: { why: 'the disk failed', hint: 'choose another place with --out FILE' },
}

/** What was thrown while the bundle was written, in words where the cause is known; no temporary file is named. */
export function unwritten(out: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  const known = error instanceof UserError || code === undefined ? undefined : reasons[code]
  if (known === undefined) return error
  const message = `${out} cannot be written: ${known.why}`
  return new UserError(String(code), message, known.hint, { cause: error })
}
