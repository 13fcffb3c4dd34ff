// Makes a data directory whole or not at all. One that does not exist is built beside its place and
// renamed into it. An existing empty one, such as a service's state directory whose parent is not ours
// or a mount, is built inside itself; the last step can be taken up again where it was cut off.
import {
  chmodSync,
  existsSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { randomUuid } from '../crypto/primitives/random.ts'
import {
  makeDirectorySync,
  moveIntoPlaceSync,
  syncDirectorySync,
  syncSync,
} from '../durable-files.ts'
import { demandAccess, isThere } from '../presence.ts'

/** Name of the database in the data directory; a directory that has it is initialised. */
export const databaseFile = 'keystore.db'

/** Says which node of which keystore this is, where the keystore is in a database elsewhere. */
export const nodeFile = 'node.json'

/** Whether the directory is initialised. @throws UserError 'permission-denied' when this user may not use it */
export function isInitialised(directory: string): boolean {
  const marks = [databaseFile, nodeFile].map((name) => join(directory, name)).filter(isThere)
  if (marks.length > 0) demandAccess(directory, ...marks)
  return marks.length > 0
}

const unfinished = '.initialising-'
const complete = '.initialised'

/** Fills `directory`, absent or empty, by `build`, which puts flat files into the folder it is given. */
export async function buildDirectory(
  directory: string,
  build: (building: string) => Promise<void>,
): Promise<void> {
  const inside = existsSync(directory)
  const building = inside
    ? join(directory, `${unfinished}${randomUuid()}`)
    : join(dirname(directory), `.${basename(directory)}.${process.pid}.${randomUuid()}`)
  if (!inside) removeLeft(directory)
  try {
    makeDirectorySync(building)
    await build(building)
    for (const name of readdirSync(building)) syncSync(join(building, name))
    syncDirectorySync(building)
    if (inside) closeToOthers(directory)
    moveIntoPlaceSync(building, inside ? join(directory, complete) : directory)
  } catch (error) {
    // What could never be made, such as a name that is too long, cannot be removed either.
    if (existsSync(building)) rmSync(building, { recursive: true, force: true })
    throw error
  }
  finishBuilding(directory)
}

/** An empty directory that was there is ours from now on, unless it belongs to somebody else. */
function closeToOthers(directory: string): void {
  if ((statSync(directory).mode & 0o077) === 0) return
  try {
    chmodSync(directory, 0o700)
  } catch (error) {
    if (!['EPERM', 'EROFS', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error
  }
}

/** Removes what processes that are no more have left beside a directory that they were to make. */
function removeLeft(directory: string): void {
  const parent = dirname(directory)
  if (!existsSync(parent)) return
  const own = new RegExp(`^\\.${RegExp.escape(basename(directory))}\\.(\\d+)\\.[0-9a-f-]{36}$`)
  for (const name of readdirSync(parent)) {
    const pid = own.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid)))
      rmSync(join(parent, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Takes up a building that was complete but not yet in its place; what was never complete is removed. */
export function finishBuilding(directory: string): void {
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory)) {
    if (name.startsWith(unfinished)) rmSync(join(directory, name), { recursive: true })
  }
  const built = join(directory, complete)
  if (!existsSync(built)) return
  const names = readdirSync(built)
  // These come last: until one is there, the directory does not count as initialised.
  const last = [databaseFile, nodeFile]
  const inOrder = [...names.filter((name) => !last.includes(name)), ...last]
  for (const name of inOrder) {
    if (names.includes(name)) renameSync(join(built, name), join(directory, name))
  }
  rmdirSync(built)
  syncDirectorySync(directory)
}

/** What a directory holds that is not ours to build over; nothing when it does not exist. */
export function contentOf(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory).filter((name) => name !== 'lost+found')
}
