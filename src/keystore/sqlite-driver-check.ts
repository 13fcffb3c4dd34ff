// Whether SQLite finds its own file sound: pages, order of rows, constraints. MACs are verified elsewhere.
import type { SqlDriver } from './storage.ts'

/**
 * What SQLite finds wrong, at most ten lines; empty when the file is sound. When `full` it also compares
 * every index with its table, which takes long.
 */
export async function fileCheck(driver: SqlDriver, full: boolean): Promise<string[]> {
  const check = full ? 'PRAGMA integrity_check(10)' : 'PRAGMA quick_check(10)'
  const rows = await driver.snapshot((sql) => sql.query(check))
  return rows.map(([line]) => String(line)).filter((line) => line !== 'ok')
}
