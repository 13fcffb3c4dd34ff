// Whether SQLite finds its own file sound: pages, order of rows, constraints; and whether its tables are still
// described as keyreel has made them: one bit there changes what every row means. MACs are verified elsewhere.
import { knownSchema, migrate, schemaOf } from './migrate.ts'
import { openSqlite } from './sqlite-driver.ts'
import type { SqlDriver } from './storage.ts'

/**
 * What is wrong with the file, at most ten lines of SQLite's; empty when it is sound. When `full` it also compares
 * every index with its table, which takes long.
 */
export async function fileCheck(driver: SqlDriver, full: boolean): Promise<string[]> {
  const check = full ? 'PRAGMA integrity_check(10)' : 'PRAGMA quick_check(10)'
  const rows = await driver.snapshot((sql) => sql.query(check))
  const found = rows.map(([line]) => String(line)).filter((line) => line !== 'ok')
  return [...found, ...(await otherDescriptions(driver))]
}

/** Tables and indexes that are not described as in a new database; nothing for another schema than the newest. */
async function otherDescriptions(driver: SqlDriver): Promise<string[]> {
  if ((await schemaOf(driver)) !== knownSchema()) return []
  const fresh = await openSqlite({ file: ':memory:' })
  try {
    await migrate(fresh, 'memory')
    const [there, wanted] = [await descriptions(driver), await descriptions(fresh)]
    const names = new Set([...there.keys(), ...wanted.keys()])
    return [...names]
      .filter((name) => there.get(name) !== wanted.get(name))
      .map((name) => `${name} is not described as keyreel has made it`)
  } finally {
    await fresh.close()
  }
}

async function descriptions(driver: SqlDriver): Promise<Map<string, string>> {
  const rows = await driver.snapshot((sql) =>
    sql.query('SELECT name, type, tbl_name, sql FROM sqlite_schema ORDER BY name'),
  )
  return new Map(rows.map(([name, ...rest]) => [String(name), JSON.stringify(rest)]))
}
