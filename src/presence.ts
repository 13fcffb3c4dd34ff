// Whether something is there, where "no" is said only of what this user may look for: a keystore of another user is
// not an absent one, over which a new one could be made.
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { UserError } from './errors.ts'

/** Whether a path is there. @throws UserError 'permission-denied' where this user may not look */
export function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    if (isRefusal(error)) throw permissionDenied(path, error)
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return false
    throw error
  }
}

/** Throws UserError 'permission-denied' unless this user may read and write all of the paths. */
export function demandAccess(...paths: readonly string[]): void {
  for (const path of paths) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK)
    } catch (error) {
      if (isRefusal(error)) throw permissionDenied(path, error)
    }
  }
}

/** That this user may not use a path, and whose it is. */
export function permissionDenied(path: string, cause: unknown): UserError {
  const { place, found } = nearestSeen(resolve(path))
  const { uid, mode } = found
  const user = process.geteuid?.() ?? uid
  const owner = userName(uid)
  const rights = (mode & 0o7777).toString(8).padStart(4, '0')
  return new UserError(
    'permission-denied',
    `permission denied: ${place} (mode ${rights}) belongs to user ${owner}, keyreel runs as ${userName(user)}`,
    uid === user
      ? `give its owner the right to read and write it again (chmod u+rwX), or name another data directory with --data`
      : `run the same command as that user (sudo -u ${owner} …), or name another data directory with --data`,
    { cause },
  )
}

/** Whether an error of the system says that this user may not. */
export function isRefusal(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** The path, or the innermost directory above it that can be looked at: that is what keeps this user out. */
function nearestSeen(path: string): { place: string; found: Stats } {
  for (let place = path; ; place = dirname(place)) {
    try {
      const found = statSync(place, { throwIfNoEntry: false })
      if (found !== undefined) return { place, found }
    } catch (error) {
      if (!isRefusal(error)) throw error
    }
  }
}

/** The name of a user on this machine, else the number. */
function userName(uid: number): string {
  const known = isThere('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8').split('\n') : []
  const row = known.map((line) => line.split(':')).find(([, , id]) => id === String(uid))
  return row?.[0] ?? String(uid)
}
