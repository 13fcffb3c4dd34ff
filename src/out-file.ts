// The file that a command is to write: refused beforehand, by the name that was given, where it is there already or
// cannot be made. No command writes over a file.
import { accessSync, constants, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { dirname } from 'node:path'
import { UserError } from './errors.ts'
import { isRefusal } from './presence.ts'
import { shellWord } from './shell-word.ts'

/** Throws UserError unless a file, or a directory, of that name can be made; `flag` is what named it. */
export function refuseOut(out: string, flag = '--out FILE'): void {
  const folder = dirname(out)
  try {
    if (lookAt(out) !== undefined)
      throw new UserError('file-exists', `${out} exists already`, `choose another with ${flag}`)
    const found = lookAt(folder)
    if (found === undefined)
      throw unwritable(
        out,
        `there is no directory ${folder}`,
        `make it:  mkdir -p ${shellWord(folder)}  , or choose another place with ${flag}`,
      )
    if (!found.isDirectory())
      throw unwritable(out, `${folder} is not a directory`, `choose another place with ${flag}`)
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    if (error instanceof UserError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (isRefusal(error))
      throw unwritable(
        out,
        'permission denied',
        `look who may write to ${folder} (ls -ld ${shellWord(folder)}), or choose another place with ${flag}`,
      )
    if (code === 'EROFS')
      throw unwritable(
        out,
        `the file system of ${folder} is read-only`,
        `choose another place with ${flag}`,
      )
    throw error
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw error
  }
}

function unwritable(out: string, why: string, hint: string): UserError {
  return new UserError('out-unwritable', `cannot write ${out}: ${why}`, hint)
}
