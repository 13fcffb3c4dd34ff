// What can be said about a keystore without its master key: for `status` while sealed.
import { keystoreName, mayBeThere, openDatabase, type DatabasePlace } from './database.ts'
import { schemaOf } from './migrate.ts'
import { sqlStorage } from './sql-storage.ts'
import { notInitialised } from './store-refusals.ts'
import type { WrapRow } from './storage.ts'

/** An unopened store: its schema version, identity and the master keys that open it. */
export interface StoreDescription {
  readonly schema: number
  readonly id: string
  readonly providers: readonly string[]
  /** Every wrap of every epoch. */
  readonly wraps: readonly WrapRow[]
}

/** The description. Throws UserError 10 when there is no store. */
export async function describedStore(
  directory: string,
  database?: DatabasePlace['database'],
): Promise<StoreDescription> {
  const description = await describeStore(directory, database)
  if (description === undefined) throw notInitialised(keystoreName({ directory, database }))
  return description
}

/** The description, or undefined when there is no store. Throws UserError. */
export async function describeStore(
  directory: string,
  database?: DatabasePlace['database'],
): Promise<StoreDescription | undefined> {
  const place = { directory, database }
  if (!mayBeThere(place)) return undefined
  const driver = await openDatabase(place)
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
