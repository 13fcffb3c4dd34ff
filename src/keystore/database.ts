// Where a keystore's tables are: in a file of the data directory, or in the PostgreSQL that is named.
import { join } from 'node:path'
import { demandAccess, isThere } from '../presence.ts'
import { databaseFile } from './data-directory.ts'
import { refuseTwoKeystores } from './node-identity.ts'
import { databaseAddress } from './postgres-address.ts'
import { openPostgres, type PostgresOptions } from './postgres-driver.ts'
import { openSqlite } from './sqlite-driver.ts'
import type { SqlDriver } from './storage.ts'

/** The place of a keystore. */
export interface DatabasePlace {
  readonly directory: string
  /** URLs of PostgreSQL databases; absent or empty: the file in the directory. */
  readonly database?: readonly string[] | undefined
}

/** URLs of the place; undefined for the file in the directory. */
export function urlsOf({
  database,
}: Pick<DatabasePlace, 'database'>): readonly string[] | undefined {
  return database === undefined || database.length === 0 ? undefined : database
}

/** The place in messages: the file, or the first URL without password and parameters. */
export function placeName(place: DatabasePlace): string {
  const [url] = urlsOf(place) ?? []
  return url === undefined ? join(place.directory, databaseFile) : databaseAddress(url).name
}

/** The keystore in messages: its directory, or the first URL without password and parameters. */
export function keystoreName(place: DatabasePlace): string {
  return urlsOf(place) === undefined ? place.directory : placeName(place)
}

/** Whether there is anything that could be opened. @throws UserError 'permission-denied' when this user may not look */
export function mayBeThere(place: DatabasePlace): boolean {
  return urlsOf(place) !== undefined || isThere(join(place.directory, databaseFile))
}

/** Opens the database. Throws UserError. */
export async function openDatabase(
  place: DatabasePlace,
  { mayBeAlone = true, ...options }: Omit<PostgresOptions, 'urls'> & { mayBeAlone?: boolean } = {},
): Promise<SqlDriver> {
  const urls = urlsOf(place)
  const { patience } = options
  if (urls === undefined) {
    const file = join(place.directory, databaseFile)
    demandAccess(place.directory, file)
    return openSqlite({ file, mayBeAlone, ...(patience !== undefined && { patience }) })
  }
  refuseTwoKeystores(place.directory)
  return openPostgres({ urls, ...options })
}
