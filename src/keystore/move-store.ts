// Moves a keystore from the file of a data directory into PostgreSQL. The file stays as it is until the
// copy has been compared and verified; then it is renamed, and the settings name the database. Every
// step may be cut off: the same command goes on.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'smol-toml'
import { ownConfigFile } from '../config.ts'
import { equalBytes } from '../crypto/primitives/mac.ts'
import { moveIntoPlaceSync, replaceFileSync } from '../durable-files.ts'
import { exitStatus, UserError } from '../errors.ts'
import { demandAccess, isThere } from '../presence.ts'
import { databaseFile } from './data-directory.ts'
import { placeName } from './database.ts'
import { migrate, schemaOf } from './migrate.ts'
import { endMove, isHalfMoved, moveTables, type MovedTable } from './move-tables.ts'
import { machineName, writeNodeIdentity } from './node-identity.ts'
import { openPostgres } from './postgres-driver.ts'
import { takeServeLock } from './serve-lock.ts'
import { openSqlite } from './sqlite-driver.ts'
import type { SqlDriver, SqlSession } from './storage.ts'

/** Where the file goes once the keystore is elsewhere. */
export const movedFile = `${databaseFile}.moved`

/** What is moved, and where to. */
export interface MoveOptions {
  readonly directory: string
  readonly urls: readonly string[]
  readonly node?: string | undefined
  /** Called after each step with its number of rows. */
  readonly step: (rows: number) => void
  /** Looks through the copy with the master key; throws when anything is wrong with it. */
  verify(): Promise<void>
}

/** What was moved. */
export interface MoveReport {
  /** Empty when an earlier run had copied everything. */
  readonly tables: readonly MovedTable[]
  /** Where the keystore is now, without password. */
  readonly database: string
  /** Path of what was the keystore. */
  readonly left: string
}

/** Moves it. Throws UserError; the keystore in the file is then as it was. */
export async function moveStore(options: MoveOptions): Promise<MoveReport> {
  const { directory, urls } = options
  const file = join(directory, databaseFile)
  if (!isThere(file)) throw nothingToMove(directory)
  demandAccess(directory, file)
  const lock = takeServeLock(directory)
  const source = await openSqlite({ file })
  const target = await openPostgres({ urls })
  try {
    await migrate(source, file)
    if ((await schemaOf(target)) === 0)
      await migrate(target, placeName({ directory, database: urls }))
    // The transaction keeps commands from writing into what is being moved, until it has another name.
    const tables = await source.transaction(async (sql) => {
      const isThere = await isSameKeystore(sql, target)
      const moved = isThere ? [] : await moveTables(sql, target, options.step)
      await options.verify()
      await endMove(target)
      nameDatabase(options, await storeIn(sql))
      return moved
    })
    const database = placeName({ directory, database: urls })
    return { tables, database, left: join(directory, movedFile) }
  } finally {
    await target.close()
    await source.close()
    lock.release()
  }
}

/** Whether the target is this very keystore, whole, moved there by a run that was cut off at its end. */
async function isSameKeystore(source: SqlSession, target: SqlDriver): Promise<boolean> {
  if (await isHalfMoved(target)) return false
  const heads = await source.query(
    `SELECT chain, first, mac FROM audit a
     WHERE first = (SELECT max(first) FROM audit b WHERE b.chain = a.chain)`,
  )
  const store = await storeIn(source)
  return target.snapshot(async (sql) => {
    if ((await storeIn(sql)) !== store) return false
    for (const [chain, first, mac] of heads) {
      const rows = await sql.query('SELECT mac FROM audit WHERE chain = ?1 AND first = ?2', [
        chain!,
        first!,
      ])
      const kept = rows[0]?.[0]
      if (!(kept instanceof Uint8Array) || !equalBytes(kept, mac as Uint8Array)) return false
    }
    return true
  })
}

async function storeIn(sql: SqlSession): Promise<string> {
  const rows = await sql.query(`SELECT value FROM settings WHERE name = 'store'`)
  return String(rows[0]?.[0] ?? '')
}

/** From now on the data directory belongs to a node of the keystore in the database. */
function nameDatabase({ directory, urls, node = machineName() }: MoveOptions, store: string): void {
  writeNodeIdentity(directory, { node, store })
  const settings = join(directory, ownConfigFile)
  const before = existsSync(settings) ? readFileSync(settings, 'utf8') : ''
  const others = before.replace(/^database *=.*\n?/m, '')
  replaceFileSync(settings, `${stringify({ database: [...urls] })}\n${others}`)
  moveIntoPlaceSync(join(directory, databaseFile), join(directory, movedFile))
}

function nothingToMove(directory: string): UserError {
  return new UserError(
    'nothing-to-move',
    `there is no keystore in a file in ${directory}`,
    'name its data directory with --data; keyreel status  says where a keystore is',
    { exitStatus: exitStatus.notInitialised },
  )
}
