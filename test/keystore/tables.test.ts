// The list of tables that are copied is whole: a table or column that it forgets would be missing after a restore.
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { migrate } from '../../src/keystore/migrate.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { tables, tablesLeftOut } from '../../src/keystore/tables.ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const kinds = { INTEGER: 'integer', BIGINT: 'integer', TEXT: 'text', BLOB: 'bytes' } as const

async function newestSchema(): Promise<DatabaseSync> {
  const folder = mkdtempSync(join(tmpdir(), 'keyreel-tables-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'keystore.db')
  writeFileSync(file, '')
  const driver = await openSqlite({ file })
  await migrate(driver, file)
  await driver.close()
  return new DatabaseSync(file)
}

test('every table of the newest schema is copied with all its columns, or left out for a reason', async () => {
  const database = await newestSchema()
  const names = database
    .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
    .all()
    .map(({ name }) => name as string)
  const listed = [...tables.map(({ name }) => name), ...Object.keys(tablesLeftOut)]
  expect(listed.toSorted()).toEqual(names)
  for (const { name, columns, key } of tables) {
    const found = database.prepare(`PRAGMA table_info(${name})`).all() as unknown as {
      name: string
      type: keyof typeof kinds
      pk: number
    }[]
    const inOrder = (a: string, b: string) => a.localeCompare(b)
    expect(
      Object.entries(columns)
        .map(([column, kind]) => `${column} ${kind}`)
        .toSorted(inOrder),
    ).toEqual(found.map((column) => `${column.name} ${kinds[column.type]}`).toSorted(inOrder))
    const primary = found.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk)
    expect(primary.map((column) => column.name)).toEqual(key)
  }
  database.close()
})
