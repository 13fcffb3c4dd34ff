// SQLite against the storage contract, and what only a file can do.
import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { knownSchema, migrate } from '../../src/keystore/migrate.ts'
import { fileCheck } from '../../src/keystore/sqlite-driver-check.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { storageContract } from '../contract/storage.ts'
import { writeOldDatabase } from './old-databases.ts'
import { create, dataDirectory, done, idOf, loaded, opened, temporaryFolder } from './sample.ts'

storageContract('SQLite', async () => {
  const file = emptyFile()
  return () => openSqlite({ file })
})

test('a transaction waits for another connection without stopping the event loop', async () => {
  const file = emptyFile()
  const [first, second] = [await openSqlite({ file }), await openSqlite({ file })]
  onTestFinished(() => first.close())
  onTestFinished(() => second.close())
  const order: string[] = []
  let release = (): void => undefined
  const holding = first.transaction(async () => {
    await new Promise<void>((resolve) => (release = resolve))
    order.push('first ends')
  })
  const waiting = second.transaction(async () => {
    order.push('second begins')
  })
  setTimeout(() => {
    order.push('timer runs')
    release()
  }, 20)
  await Promise.all([holding, waiting])
  expect(order).toEqual(['timer runs', 'first ends', 'second begins'])
})

test('waiting for another connection ends in an error that says so', async () => {
  const file = emptyFile()
  const first = await openSqlite({ file })
  const second = await openSqlite({ file, patience: 10 })
  onTestFinished(() => first.close())
  onTestFinished(() => second.close())
  await first.transaction(async () => {
    const waiting = second.transaction(() => Promise.resolve())
    await expect(waiting).rejects.toMatchObject({ code: 'database-busy' })
  })
})

test('the log moves to its place when it was said to', async () => {
  const file = emptyFile()
  const driver = await openSqlite({ file })
  onTestFinished(() => driver.close())
  await driver.transaction((sql) => sql.query('CREATE TABLE things (b BLOB)'))
  const write = async (pages: number): Promise<number> => {
    for (let at = 0; at < pages; at += 100)
      await driver.transaction((sql) => {
        for (let one = 0; one < 100; one++)
          void sql.query('INSERT INTO things (b) VALUES (zeroblob(3000))')
      })
    return statSync(file).size / 4096
  }
  await driver.moveLog('seldom')
  expect(await write(2000)).toBeLessThan(100)
  await driver.moveLog('usual')
  expect(await write(100)).toBeGreaterThan(2000)
})

test('a full database undoes the transaction and says so', async () => {
  const driver = await openSqlite({ file: emptyFile() })
  onTestFinished(() => driver.close())
  await driver.transaction((sql) => sql.query('CREATE TABLE things (b BLOB)'))
  await driver.transaction((sql) => sql.query('PRAGMA max_page_count = 8'))
  const filling = driver.transaction(async (sql) => {
    for (;;) await sql.query('INSERT INTO things (b) VALUES (?1)', [new Uint8Array(4000)])
  })
  await expect(filling).rejects.toMatchObject({ code: 'disk-full' })
  const rows = await driver.snapshot((sql) => sql.query('SELECT count(*) FROM things'))
  expect(rows).toEqual([[0n]])
})

test('only the owner can read any file of the data directory that holds data', async () => {
  const directory = await dataDirectory()
  await create(await opened(directory), 1)
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  const holdData = readdirSync(directory).filter((name) => /keystore|master/.test(name))
  expect(holdData).toContain('keystore.db-wal')
  for (const name of holdData)
    expect([name, statSync(join(directory, name)).mode & 0o077]).toEqual([name, 0])
})

test('wiped sealed bytes are in no file once the act is answered and the log truncated', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await create(store, 1)
  await store.close()
  const sealed = sealedBytes(directory)
  expect(holding(directory, sealed)).toEqual(['keystore.db'])

  const again = await opened(directory)
  await again.act(async (work) => {
    await work.wipe(await loaded(work, 1))
    work.audit(done('Wipe', idOf(1)))
  })
  const object = await again.read((work) => work.load('default', idOf(1)))
  expect(object?.hasMaterial).toBe(false)
  await again.close()
  expect(holding(directory, sealed)).toEqual([])
})

function emptyFile(): string {
  const file = join(temporaryFolder(), 'test.db')
  closeSync(openSync(file, 'wx'))
  return file
}

function sealedBytes(directory: string): Buffer {
  const database = new DatabaseSync(join(directory, 'keystore.db'))
  try {
    const row = database.prepare('SELECT sealed FROM objects').get() as { sealed: Uint8Array }
    return Buffer.from(row.sealed)
  } finally {
    database.close()
  }
}

function holding(directory: string, bytes: Buffer): string[] {
  return readdirSync(directory).filter((name) =>
    readFileSync(join(directory, name)).includes(bytes),
  )
}

describe('the check of the file', () => {
  test.each(Array.from({ length: knownSchema() }, (_, at) => at + 1))(
    'finds nothing in a database that began with schema %i',
    async (schema) => {
      const driver = await openSqlite({ file: ':memory:' })
      await writeOldDatabase(driver, schema)
      await migrate(driver, 'memory')
      expect(await fileCheck(driver, true)).toEqual([])
      await driver.close()
    },
  )

  test('finds a table that is described in other words', async () => {
    const directory = await dataDirectory()
    const file = join(directory, 'keystore.db')
    const database = new DatabaseSync(file)
    database.enableDefensive(false)
    database.exec(`PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = replace(sql, 'PRIMARY KEY', 'PRIMARX KEY') WHERE name = 'epochs'`)
    database.close()
    const driver = await openSqlite({ file })
    expect(await fileCheck(driver, false)).toEqual([
      'epochs is not described as keyreel has made it',
    ])
    await driver.close()
  })
})
