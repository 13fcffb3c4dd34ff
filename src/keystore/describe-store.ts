// What can be said about a data directory without its master key: for `status` while sealed.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { databaseFile } from './data-directory.ts'
import { schemaOf } from './migrate.ts'
import { sqlStorage } from './sql-storage.ts'
import type { WrapRow } from './storage.ts'
import { openSqlite } from './sqlite-driver.ts'

/** An unopened store: its schema version, identity and the master keys that open it. */
export interface StoreDescription {
  readonly schema: number
  readonly id: string
  readonly providers: readonly string[]
  /** Every wrap of every epoch. */
  readonly wraps: readonly WrapRow[]
}

/** The description, or undefined when the directory holds no store. Throws UserError. */
export async function describeStore(directory: string): Promise<StoreDescription | undefined> {
  const file = join(directory, databaseFile)
  if (!existsSync(file)) return undefined
  const driver = await openSqlite({ file })
  try {
    const schema = await schemaOf(driver)
    if (schema === 0) return undefined
    return await sqlStorage(driver).read(async (rows) => {
      const wraps = await rows.wraps()
      return {
        schema,
        id: (await rows.setting('store')) ?? '',
        providers: [...new Set(wraps.map(({ provider }) => provider))],
        wraps,
      }
    })
  } finally {
    await driver.close()
  }
}
