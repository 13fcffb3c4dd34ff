// Files that must outlast a power cut. A name lasts only once its directory is synced, and content only once the file
// is: so what is replaced is written beside its place, synced, renamed, and then its directory is synced.
// Each way there is twice: at once, for commands and what must not be interleaved, and for a server, which waits for
// no disk.
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** For its owner alone. */
const secretMode = 0o600

/** Puts a file in the place of the one there is, or of none: whole or not at all, and on the disk when it returns. */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode = secretMode,
): Promise<void> {
  const temporary = besideOf(path)
  try {
    await write(temporary, 'w', content, mode)
    await moveIntoPlace(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** The same at once. */
export function replaceFileSync(
  path: string,
  content: string | Uint8Array,
  mode = secretMode,
): void {
  const temporary = besideOf(path)
  try {
    writeSync(temporary, 'w', content, mode)
    moveIntoPlaceSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Writes a file that is not there yet; throws EEXIST. On the disk, by its name, when it returns. */
export async function writeNewFile(
  path: string,
  content: string | Uint8Array,
  mode = secretMode,
): Promise<void> {
  await write(path, 'wx', content, mode)
  await syncDirectory(dirname(path))
}

/** The same at once. */
export function writeNewFileSync(
  path: string,
  content: string | Uint8Array,
  mode = secretMode,
): void {
  writeSync(path, 'wx', content, mode)
  syncDirectorySync(dirname(path))
}

/** Gives what is written and synced, a file or a directory, its name for good. */
export async function moveIntoPlace(from: string, path: string): Promise<void> {
  await rename(from, path)
  await syncDirectory(dirname(path))
}

/** The same at once. */
export function moveIntoPlaceSync(from: string, path: string): void {
  renameSync(from, path)
  syncDirectorySync(dirname(path))
}

/**
 * Makes a directory, and those above it that are not there, whose names last as well. One after the other: Node's own
 * `recursive` tries for ever where nobody may make one and the system says ENOENT, as below /proc.
 */
export function makeDirectorySync(path: string, mode = 0o700): void {
  const missing: string[] = []
  for (let at = resolve(path); !statSync(at, { throwIfNoEntry: false }); at = dirname(at))
    missing.unshift(at)
  for (const directory of missing) {
    makeOne(directory, mode)
    syncDirectorySync(dirname(directory))
  }
  // Of what is there and no directory the system says so itself.
  if (!statSync(path).isDirectory()) mkdirSync(path)
}

/** Somebody else may make it at the same time. */
function makeOne(directory: string, mode: number): void {
  try {
    mkdirSync(directory, { mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Makes durable what was created, renamed, linked or removed in a directory. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    await using directory = await open(path, 'r')
    await directory.sync()
  } catch (error) {
    unlessImpossible(error)
  }
}

/** The same at once. */
export function syncDirectorySync(path: string): void {
  try {
    syncSync(path)
  } catch (error) {
    unlessImpossible(error)
  }
}

/** Syncs a file that is there. */
export function syncSync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Some file systems of shares know no sync of directories, and see to names by themselves; a directory into which
 * one may write without reading it cannot be synced at all.
 */
function unlessImpossible(error: unknown): void {
  if (!['EINVAL', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
}

function besideOf(path: string): string {
  return `${path}.${process.pid}`
}

async function write(
  path: string,
  flag: 'w' | 'wx',
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const file = await open(path, flag, mode)
  try {
    // Whatever the process's umask or a file left there says.
    if (mode === secretMode) await file.chmod(mode)
    await file.writeFile(content)
    await file.sync()
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

function writeSync(
  path: string,
  flag: 'w' | 'wx',
  content: string | Uint8Array,
  mode: number,
): void {
  const descriptor = openSync(path, flag, mode)
  try {
    if (mode === secretMode) fchmodSync(descriptor, mode)
    writeFileSync(descriptor, content)
    fsyncSync(descriptor)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
}
