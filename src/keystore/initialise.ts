// Makes a data directory with an empty store, whole or not at all.
import { closeSync, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { alreadyInitialised, createStore } from './create-store.ts'
import { buildDirectory, contentOf, databaseFile, finishBuilding } from './data-directory.ts'
import type { MasterKey } from './master-key.ts'
import { openSqlite } from './sqlite-driver.ts'
import { openStore, type Store } from './store.ts'

/** How a data directory is made. */
export interface Initialisation {
  readonly directory: string
  /** Makes the master key; files inside the data directory go into `building`. */
  readonly masterKey: (building: string) => MasterKey | Promise<MasterKey>
  /** Puts into the new store what it begins with: groups, CA, server certificate. */
  readonly fill?: (store: Store, building: string) => Promise<void>
  /** Takes back what `masterKey` made outside `building` when the rest fails. */
  readonly undo?: () => void
  readonly now?: () => bigint
}

/**
 * Makes the data directory (mode 0700) with an empty, filled store and closes it. When anything fails
 * nothing is left. Throws UserError 'initialised' when the directory holds a store, 'directory-in-use'
 * when it holds anything else.
 */
export async function initialiseStore(options: Initialisation): Promise<void> {
  const directory = resolve(options.directory)
  const made = { masterKey: false }
  try {
    finishBuilding(directory)
    refuseUsed(directory)
    await buildDirectory(directory, (building) => build(options, building, made))
  } catch (error) {
    // A key file that was there before is not ours to take back.
    if (made.masterKey) options.undo?.()
    throw explained(error, directory)
  }
}

async function build(
  options: Initialisation,
  building: string,
  made: { masterKey: boolean },
): Promise<void> {
  const now = options.now ?? (() => BigInt(Math.floor(Date.now() / 1000)))
  const masterKey = await options.masterKey(building)
  made.masterKey = true
  const file = join(building, databaseFile)
  closeSync(openSync(file, 'wx', 0o600))
  const driver = await openSqlite({ file })
  try {
    await createStore({ driver, masterKey, now, where: options.directory })
  } finally {
    await driver.close()
  }
  const store = await openStore({ directory: building, masterKey, writer: 'serve', now })
  try {
    await options.fill?.(store, building)
  } finally {
    await store.close()
  }
}

function refuseUsed(directory: string): void {
  const names = contentOf(directory)
  if (names.includes(databaseFile)) throw alreadyInitialised(directory)
  if (names.length === 0) return
  throw new UserError(
    'directory-in-use',
    `${directory} is not empty and holds no keystore`,
    'name a new or an empty directory with --data',
  )
}

/** File system errors in the administrator's words. */
function explained(error: unknown, directory: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (error instanceof UserError || code === undefined || !/^E[A-Z]+$/.test(code)) return error
  return new UserError(
    code === 'ENOSPC' ? 'disk-full' : 'directory-unwritable',
    `cannot make ${directory}: ${message}`,
    code === 'ENOSPC'
      ? 'free space on its file system; nothing was half-written'
      : 'name a directory this user may create with --data',
    { cause: error },
  )
}
