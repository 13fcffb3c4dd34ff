// How a PostgreSQL server is set, as far as it matters for keys. Settings a compatible database does not
// have count as safe: it has other ways.
import type { SqlDriver } from './storage.ts'

/** What matters of a server's settings. */
export interface PostgresFacts {
  readonly version: string
  /** A setting by which a crash may lose what was acknowledged, such as `fsync=off`. */
  readonly unsafe: string | undefined
  /** Whether commits wait for a standby. */
  readonly hasStandby: boolean
}

const settings = ['server_version', 'fsync', 'full_page_writes', 'synchronous_standby_names']

/** The settings of the primary. */
export async function postgresFacts(driver: SqlDriver): Promise<PostgresFacts> {
  const columns = settings.map((name) => `current_setting('${name}', true)`)
  const rows = await driver.snapshot((sql) => sql.query(`SELECT ${columns.join(', ')}`))
  const [version, fsync, pages, standbys] = rows[0]!
  const off = [fsync === 'off' && 'fsync=off', pages === 'off' && 'full_page_writes=off']
  return {
    version: String(version),
    unsafe: off.find((setting) => setting !== false),
    hasStandby: typeof standbys === 'string' && standbys.trim() !== '',
  }
}
