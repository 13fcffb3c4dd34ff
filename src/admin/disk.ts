// Room on the disk of a data directory, for `doctor` and `status`.
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { reserveFile } from '../keystore/disk-reserve.ts'
import { isRunning, readServerState } from './server-state.ts'

/** What is free, and whether a server that runs has given its reserve back. */
export interface DiskState {
  /** Bytes. */
  readonly free: number
  /** New keys are refused, until there is twice the reserve's room. */
  readonly isReleased: boolean
}

/** Looks at the disk; `reserve` is the size of the server's reserve in bytes. */
export async function diskState(directory: string, reserve: number): Promise<DiskState> {
  const { bavail, bsize } = await statfs(directory)
  const free = bavail * bsize
  const server = await readServerState(directory)
  const isServed = server !== undefined && isRunning(server)
  // Until a server that has just started has made it, there is room for it.
  const isReleased = isServed && free < 2 * reserve && !(await exists(join(directory, reserveFile)))
  return { free, isReleased }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
