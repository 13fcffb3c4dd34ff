// A process of its own that brings a database up to date and stands still in the middle: prints a line once that
// many statements of the migration have run, and waits to be killed. Arguments: statements, file or URL.
import { migrate } from '../../src/keystore/migrate.ts'
import { openPostgres } from '../../src/keystore/postgres-driver.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { SqlDriver, SqlSession } from '../../src/keystore/storage.ts'

const [count, place] = process.argv.slice(2) as [string, string]
const isUrl = place.startsWith('postgres://')
const driver = await (isUrl ? openPostgres({ urls: [place] }) : openSqlite({ file: place }))

let left = Number(count)
const stopping = (sql: SqlSession): SqlSession => ({
  savepoint: (fn) => sql.savepoint(fn),
  copies: (relied) => sql.copies(relied),
  othersVersion: () => sql.othersVersion(),
  async query(text, parameters) {
    const rows = await sql.query(text, parameters)
    if (!text.startsWith('SELECT') && --left === 0) {
      process.stdout.write('half\n')
      setInterval(() => undefined, 60_000)
      await Promise.withResolvers().promise
    }
    return rows
  },
})
const slow: SqlDriver = {
  ...driver,
  transaction: (fn) => driver.transaction((sql) => fn(stopping(sql))),
}
await migrate(slow, 'the database')
process.stdout.write('whole\n')
