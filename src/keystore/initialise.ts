// Makes a data directory with an empty store, whole or not at all.
import { closeSync, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { alreadyInitialised, createStore } from './create-store.ts'
import { openDatabase, placeName, urlsOf } from './database.ts'
import {
  buildDirectory,
  contentOf,
  databaseFile,
  finishBuilding,
  isInitialised,
} from './data-directory.ts'
import type { MasterKey } from './master-key.ts'
import { migrate, schemaOf } from './migrate.ts'
import { beginFilling, endMove, isHalfMoved } from './move-tables.ts'
import { machineName, writeNodeIdentity } from './node-identity.ts'
import type { SqlDriver } from './storage.ts'
import { openStore, type Store } from './store.ts'
import { tables, tablesLeftOut } from './tables.ts'

/** Has the settings in which it is noted that a database is being filled. */
const firstSchema = 1

/** How a data directory is made. */
export interface Initialisation {
  readonly directory: string
  /** URLs of the PostgreSQL that holds the tables; absent: a file in the directory. */
  readonly database?: readonly string[] | undefined
  /** This node among those on one database. */
  readonly node?: string | undefined
  /**
   * Makes the master key, or opens it when the database holds a store already; files inside the data
   * directory go into `building`.
   */
  readonly masterKey: (building: string, isThere: boolean) => MasterKey | Promise<MasterKey>
  /** Makes the empty database a store; absent: a new one. */
  readonly make?: (driver: SqlDriver, where: string) => Promise<void>
  /** The audit chain of what `fill` does; 'serve' by default. */
  readonly writer?: string
  /** Puts into the store what it begins with: groups, CA, server certificate. */
  readonly fill?: (store: Store, building: string, wasThere: boolean) => Promise<void>
  /** Takes back what `masterKey` made outside `building` when the rest fails. */
  readonly undo?: () => void
  readonly now?: () => bigint
}

/**
 * Makes the data directory (mode 0700) with an empty, filled store and closes it; on a database that
 * holds one, the directory of a further node. When anything fails nothing is left. Throws UserError 'initialised' when the directory holds a store, 'directory-in-use'
 * when it holds anything else.
 */
export async function initialiseStore(options: Initialisation): Promise<void> {
  const directory = resolve(options.directory)
  const made = { masterKey: false }
  try {
    // Before anything is touched: it may be the keystore of another user.
    isInitialised(directory)
    finishBuilding(directory)
    refuseUsed(directory)
    await buildDirectory(directory, (building) => build(options, building, made))
  } catch (error) {
    // A key file that was there before is not ours to take back, nor is one that a faster one has found.
    if (made.masterKey && !isInitialised(directory)) options.undo?.()
    throw explained(error, directory)
  }
}

async function build(
  options: Initialisation,
  building: string,
  made: { masterKey: boolean },
): Promise<void> {
  const now = options.now ?? (() => BigInt(Math.floor(Date.now() / 1000)))
  const { database, node = machineName() } = options
  const place = { directory: building, database }
  const isShared = urlsOf(place) !== undefined
  if (!isShared) closeSync(openSync(join(building, databaseFile), 'wx', 0o600))
  const driver = await openDatabase(place)
  const isFilled = isShared && options.make !== undefined
  try {
    // What a restore that was cut off has left is no keystore, and nothing of it is needed.
    if (isFilled && (await schemaOf(driver)) > 0 && (await isHalfMoved(driver)))
      await dropTables(driver, [...tables.map(({ name }) => name), ...Object.keys(tablesLeftOut)])
  } catch (error) {
    await driver.close()
    throw error
  }
  const before = isShared ? await tablesIn(driver) : undefined
  const wasThere = (await schemaOf(driver)) > 0
  try {
    const masterKey = await options.masterKey(building, wasThere)
    made.masterKey = true
    const where = isShared ? placeName(place) : options.directory
    const chain = isShared ? `serve@${node}` : 'serve'
    const { writer = 'serve', make } = options
    if (!wasThere && isFilled) {
      await migrate(driver, where, firstSchema)
      await beginFilling(driver)
    }
    if (!wasThere) {
      await (make?.(driver, where) ?? createStore({ driver, masterKey, now, chain, where }))
    }
    const store = await openStore({
      ...{ ...place, masterKey, writer, node, now },
      whileMoving: isFilled,
    })
    try {
      await options.fill?.(store, building, wasThere)
      if (isShared) writeNodeIdentity(building, { node, store: store.id })
    } finally {
      await store.close()
    }
    if (isFilled) await endMove(driver)
  } catch (error) {
    if (before !== undefined && !wasThere) await dropOthers(driver, before)
    throw error
  } finally {
    await driver.close()
  }
}

async function tablesIn(driver: SqlDriver): Promise<readonly string[]> {
  const rows = await driver.snapshot((sql) =>
    sql.query(
      'SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()',
    ),
  )
  return rows.map(([name]) => name as string)
}

async function dropTables(driver: SqlDriver, names: readonly string[]): Promise<void> {
  await driver.transaction(async (sql) => {
    for (const name of names) await sql.query(`DROP TABLE IF EXISTS ${name}`)
  })
}

/** Takes a store that was not finished away again. */
async function dropOthers(driver: SqlDriver, kept: readonly string[]): Promise<void> {
  // Those of the driver too: this transaction has taken its turn.
  await driver.transaction(async (sql) => {
    for (const table of await tablesIn(driver))
      if (!kept.includes(table)) await sql.query(`DROP TABLE ${table}`)
  })
}

function refuseUsed(directory: string): void {
  const names = contentOf(directory)
  if (isInitialised(directory)) throw alreadyInitialised(directory)
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
  // Somebody else was faster.
  if (['ENOTEMPTY', 'EEXIST'].includes(code) && isInitialised(directory))
    return alreadyInitialised(directory)
  const what = message.replace(/, .*$/, '')
  return new UserError(
    code === 'ENOSPC' ? 'disk-full' : 'directory-unwritable',
    `cannot make ${directory}: ${what}`,
    hints[code] ?? 'name a directory this user may create with --data',
    { cause: error },
  )
}

const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on its file system; nothing was half-written',
  ENAMETOOLONG:
    'choose a shorter name with --data: while it is made, its name is some 50 bytes longer',
}
