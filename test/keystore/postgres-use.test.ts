// How PostgreSQL is used: connections shared, statements prepared and sent together, commits durable whatever
// the server is set to; and what a database that only speaks its protocol may lack.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { dependentsOf } from '../../src/admin/destruction.ts'
import { createStore } from '../../src/keystore/create-store.ts'
import { openPostgres, type PostgresOptions } from '../../src/keystore/postgres-driver.ts'
import { postgresFacts } from '../../src/keystore/postgres-facts.ts'
import type { SqlDriver } from '../../src/keystore/storage.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import { wipeDue } from '../../src/keystore/wiping.ts'
import { storageContract } from '../contract/storage.ts'
import { cutProxy } from '../fixtures/cut-proxy.ts'
import {
  startPostgres,
  waitForStandbys,
  withoutPostgres,
  type PostgresServer,
} from '../fixtures/postgres.ts'
import { clock, destroyed, createKey, get, idOf, materialOf, memoryMasterKey } from './sample.ts'

let server: PostgresServer

describe.skipIf(withoutPostgres())('with a server', () => {
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  test('a statement is prepared once on a connection', async () => {
    const driver = await withThings()
    const statement = 'INSERT INTO things (n) VALUES (?1)'
    const prepared = await driver.transaction(async (sql) => {
      for (const n of [1, 2, 3]) await sql.query(statement, [n])
      return sql.query(
        `SELECT count(*), max(generic_plans + custom_plans) FROM pg_prepared_statements
         WHERE statement = 'INSERT INTO things (n) VALUES ($1)'`,
      )
    })
    expect(prepared).toEqual([[1n, 3n]])
  })

  test('a statement is sent while the answer to the one before is awaited', async () => {
    const schema = await server.fresh()
    await withThings(schema)
    const proxy = await cutProxy(schema)
    onTestFinished(() => proxy.close())
    const driver = await opened({ urls: [proxy.url], silence: 60_000 })
    await driver.transaction(async (sql) => {
      await sql.query('INSERT INTO things (n) VALUES (1)')
      const held = proxy.holdAnswers()
      const both = Promise.all([sql.query('SELECT 17 AS one'), sql.query('SELECT 18 AS two')])
      await expect.poll(held.sent).toMatch(/SELECT 17 AS one.*SELECT 18 AS two/s)
      held.release()
      expect(await both).toEqual([[[17n]], [[18n]]])
    })
  })

  test('the turn of a writer is taken together with BEGIN', async () => {
    const schema = await server.fresh()
    await withThings(schema)
    const proxy = await cutProxy(schema)
    onTestFinished(() => proxy.close())
    const driver = await opened({ urls: [proxy.url], silence: 60_000 })
    const held = proxy.holdAnswers()
    const done = driver.transaction((sql) => sql.query('INSERT INTO things (n) VALUES (1)'))
    await expect.poll(held.sent).toMatch(/BEGIN ISOLATION.*UPDATE turns/s)
    held.release()
    await done
  })

  test('many snapshots at once share four connections, which are kept', async () => {
    const driver = await withThings()
    const backend = () =>
      driver.snapshot(async (sql) => {
        await sql.query('SELECT pg_sleep(0.05)')
        return String((await sql.query('SELECT pg_backend_pid()'))[0]![0])
      })
    const first = new Set(await Promise.all(Array.from({ length: 12 }, backend)))
    expect(first.size).toBe(4)
    const again = new Set(await Promise.all(Array.from({ length: 12 }, backend)))
    expect(again).toEqual(first)
  })

  test.each([
    ['off', 'on'],
    ['local', 'on'],
    ['remote_apply', 'remote_apply'],
  ])('where commits are %s by default, ours are %s', async (usual, ours) => {
    const url = await server.fresh()
    const driver = await opened({ urls: [`${url}%20-csynchronous_commit%3D${usual}`] })
    const shown = await driver.transaction((sql) =>
      sql.query(`SELECT current_setting('synchronous_commit')`),
    )
    expect(shown).toEqual([[ours]])
  })

  test('a database whose texts are not Unicode is refused, and the hint says how to make one', async () => {
    const name = `keyreel_${process.pid}_ascii`
    await server.query(
      `CREATE DATABASE ${name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
    )
    const url = (await server.database()).replace(/(@[^/]*\/)[^?]*/, `$1${name}`)
    await expect(openPostgres({ urls: [url] })).rejects.toMatchObject({
      code: 'database-encoding',
      message: expect.stringContaining('SQL_ASCII') as string,
      hint: expect.stringContaining('createdb --encoding UTF8') as string,
    })
  })

  test('a database without the views of its sessions and standbys keeps keys as well, on one copy', async () => {
    const url = await server.fresh()
    // Named before the system's own schema, this one hides what is in there.
    const [, schema] = /search_path%3D(\w+)/.exec(url)!
    for (const view of ['pg_stat_activity', 'pg_stat_replication']) {
      await server.query(`CREATE VIEW ${schema!}.${view} AS SELECT 1 AS nothing`)
    }
    const driver = await openPostgres({ urls: [`${url}%2Cpg_catalog`], silence: 50 })
    const store = await withKey(driver)
    expect(await store.read((work) => work.copies())).toEqual({
      count: 1,
      missing: 'the database does not tell of its standbys',
    })
    // An answer that takes its time is not taken for silence where nobody can be asked.
    const slow = await driver.snapshot((sql) => sql.query('SELECT 1 FROM pg_sleep(0.3)'))
    expect(slow).toEqual([[1n]])
  })

  describe('a database that knows nothing which only PostgreSQL has', () => {
    const onlyThere = [
      ...['VACUUM', 'lock_timeout', 'idle_in_transaction_session_timeout', 'fsync'],
      ...['pg_backend_pid', 'pg_stat_activity', 'pg_stat_replication', 'full_page_writes'],
      ...['synchronous_commit', 'synchronous_standby_names'],
    ]
    const without = async () => {
      const proxy = await cutProxy(await server.fresh())
      onTestFinished(() => proxy.close())
      return { url: proxy.url, used: proxy.unlearn(onlyThere) }
    }

    storageContract('it', async () => {
      const { url } = await without()
      return () => openPostgres({ urls: [url] })
    })

    test('keeps and destroys keys, and no more is said of it than is known', async () => {
      const { url, used } = await without()
      const driver = await openPostgres({ urls: [url], silence: 50 })
      const store = await withKey(driver)
      expect((await store.read((work) => work.copies())).count).toBe(1)
      expect(await postgresFacts(driver)).toMatchObject({ unsafe: undefined, hasStandby: false })
      await createKey(store, 2, destroyed)
      await wipeDue(store)
      expect(await store.payLog()).toBe(true)
      const { destruction } = await dependentsOf(store, idOf(2), [], undefined)
      expect(destruction).toMatchObject({
        isInLog: false,
        how: 'taken out of the row; this database knows no VACUUM, and overwrites what was there at its own time',
      })
      expect([...used].sort()).toEqual([...onlyThere].sort())
    })
  })

  test('how far this clock is ahead of the database is told', async () => {
    const driver = await withThings()
    expect(Math.abs(await driver.clockAhead())).toBeLessThan(1_000)
    onTestFinished(() => void vi.useRealTimers())
    vi.useFakeTimers({ now: Date.now() + 3_600_000, toFake: ['Date'] })
    expect(Math.round((await driver.clockAhead()) / 10_000)).toBe(360)
  })

  test('a commit in doubt is not settled by one machine alone either', async () => {
    const schema = await server.fresh()
    await withThings(schema)
    const proxy = await cutProxy(schema)
    onTestFinished(() => proxy.close())
    const driver = await opened({ urls: [proxy.url] })
    await waitForStandbys(server, 'absent')
    onTestFinished(() => waitForStandbys(server, ''))
    const waiting = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
    let outcome: unknown
    const adding = add(driver, 1).then(
      () => (outcome = 'answered'),
      (error: unknown) => (outcome = error),
    )
    while ((await server.query(waiting)).length === 0) await delay(10)
    proxy.refuse(true)
    proxy.refuse(false)
    // The first wait is called off, and then that of the transaction which settles it.
    while (outcome === undefined) {
      await server.query(`SELECT pg_cancel_backend(pid) FROM (${waiting}) AS waiting`)
      await delay(10)
    }
    await adding
    expect(outcome).toMatchObject({ code: 'commit-in-doubt' })
  })
})

async function opened(options: PostgresOptions): Promise<SqlDriver> {
  const driver = await openPostgres(options)
  onTestFinished(() => driver.close())
  return driver
}

/** A store with key 1 in it, which is handed out. */
async function withKey(driver: SqlDriver): Promise<Store> {
  const masterKey = memoryMasterKey()
  await createStore({ driver, masterKey, now: () => clock, chain: 'test' })
  const store = await openStore({ driver, masterKey, writer: 'test', now: () => clock })
  onTestFinished(() => store.close())
  await createKey(store, 1)
  expect(await get(store, 1)).toEqual(materialOf(1))
  return store
}

async function withThings(url?: string): Promise<SqlDriver> {
  const driver = await opened({ urls: [url ?? (await server.fresh())] })
  await driver.transaction((sql) => sql.query('CREATE TABLE things (n BIGINT)'))
  return driver
}

const add = (driver: SqlDriver, n: number) =>
  driver.transaction((sql) => sql.query('INSERT INTO things (n) VALUES (?1)', [n]))
