// Whether SQLite finds its own file sound: pages, order of rows, constraints. MACs are verified elsewhere.
import type { SqlDriver } from './storage.ts'

/** What `PRAGMA quick_check` finds wrong, at most ten lines; empty when the file is sound. */
export async function quickCheck(driver: SqlDriver): Promise<string[]> {
  const rows = await driver.snapshot((sql) => sql.query('PRAGMA quick_check(10)'))
  return rows.map(([line]) => String(line)).filter((line) => line !== 'ok')
}
