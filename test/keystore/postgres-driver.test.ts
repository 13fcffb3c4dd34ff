// PostgreSQL against the storage contract, and what only a server can do.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createStore } from '../../src/keystore/create-store.ts'
import { openPostgres, type PostgresOptions } from '../../src/keystore/postgres-driver.ts'
import type { SqlDriver } from '../../src/keystore/storage.ts'
import { openStore } from '../../src/keystore/store.ts'
import { wipeDue } from '../../src/keystore/wiping.ts'
import { storageContract } from '../contract/storage.ts'
import { cutProxy, type CutProxy } from '../fixtures/cut-proxy.ts'
import {
  startPostgres,
  waitForStandbys,
  withoutPostgres,
  type PostgresServer,
} from '../fixtures/postgres.ts'
import { clock, createKey, destroyed, memoryMasterKey } from './sample.ts'

let server: PostgresServer

describe.skipIf(withoutPostgres())('with a server', () => {
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  storageContract('PostgreSQL', async () => {
    const url = await server.fresh()
    return () => openPostgres({ urls: [url] })
  })

  test('a transaction whose connection is ended runs again', async () => {
    const driver = await withThings(await server.fresh())
    let runs = 0
    await driver.transaction(async (sql) => {
      await sql.query('INSERT INTO things (n) VALUES (1)')
      if (++runs === 1) await endBackendOf(sql)
    })
    expect(runs).toBe(2)
    expect(await things(driver)).toEqual([[1n]])
  })

  test('a snapshot whose connection is ended runs again', async () => {
    const driver = await withThings(await server.fresh())
    let runs = 0
    const rows = await driver.snapshot(async (sql) => {
      if (++runs === 1) await endBackendOf(sql)
      return sql.query('SELECT count(*) FROM things')
    })
    expect({ runs, rows }).toEqual({ runs: 2, rows: [[0n]] })
  })

  test('connections that were ended while idle are made anew', async () => {
    const driver = await withThings(await server.fresh())
    await things(driver)
    await server.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
    )
    await add(driver, 1)
    expect(await things(driver)).toEqual([[1n]])
  })

  test('a commit that never reached the server is made again, once', async () => {
    const { driver, proxy } = await behindProxy()
    proxy.cutNextCommit('before')
    await add(driver, 1)
    expect(await things(driver)).toEqual([[1n]])
  })

  test('a commit whose answer was lost counts once', async () => {
    const { driver, proxy } = await behindProxy()
    proxy.cutNextCommit('after')
    let runs = 0
    await driver.transaction(async (sql) => {
      runs++
      await sql.query('INSERT INTO things (n) VALUES (1)')
    })
    expect(runs).toBe(1)
    expect(await things(driver)).toEqual([[1n]])
  })

  test('a commit that cannot be settled is in doubt, and says so', async () => {
    const { driver, proxy } = await behindProxy({ patience: 300 })
    proxy.cutNextCommit('after')
    const doubtful = await refusal(
      driver.transaction(async (sql) => {
        await sql.query('INSERT INTO things (n) VALUES (1)')
        proxy.refuse('new')
      }),
    )
    expect(doubtful).toMatchObject({ code: 'commit-in-doubt' })
    expect(doubtful.hint).toContain('keyreel audit list')
    proxy.refuse(false)
    // It was kept, and nobody has done it again.
    expect(await things(driver)).toEqual([[1n]])
  })

  test.each(['40001', '40P01'])(
    'a transaction or snapshot that loses against another (%s) runs again',
    async (state) => {
      const driver = await withThings(await server.fresh())
      const losing = `DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '${state}'; END $$`
      let runs = 0
      await driver.transaction(async (sql) => {
        await sql.query('INSERT INTO things (n) VALUES (1)')
        if (++runs < 3) await sql.query(losing)
      })
      expect({ runs, things: await things(driver) }).toEqual({ runs: 3, things: [[1n]] })
      runs = 0
      const count = await driver.snapshot(async (sql) => {
        if (++runs < 3) await sql.query(losing)
        return sql.query('SELECT count(*) FROM things')
      })
      expect({ runs, count }).toEqual({ runs: 3, count: [[1n]] })
    },
  )

  test('a commit that loses against another runs again', async () => {
    const url = await server.fresh()
    const driver = await withThings(url)
    const other = await opened({ urls: [url] })
    await other.transaction(async (sql) => {
      await sql.query('CREATE SEQUENCE commits')
      // What a sequence counts stays counted when the transaction is undone.
      await sql.query(`CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('commits') < 3 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END IF;
        RETURN NULL; END $$`)
      await sql.query(`CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON things
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose()`)
    })
    let runs = 0
    await driver.transaction(async (sql) => {
      runs++
      await sql.query('INSERT INTO things (n) VALUES (1)')
    })
    expect({ runs, things: await things(driver) }).toEqual({ runs: 3, things: [[1n]] })
  })

  test('the other database named is used once the first is gone', async () => {
    const schema = await server.fresh()
    const [first, second] = [await cutProxy(schema), await cutProxy(schema)]
    onTestFinished(() => second.close())
    const driver = await withThings(schema, { urls: [first.url, second.url] })
    await add(driver, 1)
    await first.close()
    await add(driver, 2)
    expect(await things(driver)).toEqual([[1n], [2n]])
  })

  test('a wipe takes the sealed bytes out of the row, and a vacuum follows', async () => {
    const driver = await openPostgres({ urls: [await server.fresh()] })
    const masterKey = memoryMasterKey()
    await createStore({ driver, masterKey, now: () => clock, chain: 'test' })
    const store = await openStore({ driver, masterKey, writer: 'test', now: () => clock })
    onTestFinished(() => store.close())
    await createKey(store, 1, destroyed)
    const read = (statement: string) => driver.snapshot((sql) => sql.query(statement))
    const vacuumed = async () => {
      const found = await read(
        `SELECT vacuum_count, n_dead_tup FROM pg_stat_user_tables WHERE relid = 'objects'::regclass`,
      )
      return { times: Number(found[0]![0]), dead: Number(found[0]![1]) }
    }
    const { times } = await vacuumed()
    await wipeDue(store)
    expect(await read('SELECT sealed FROM objects')).toEqual([[null]])
    await expect.poll(vacuumed, { timeout: 10_000 }).toEqual({ times: times + 1, dead: 0 })
    expect(store.dialect).toBe('postgres')
  })

  test('a primary that lacks what was answered for is refused', async () => {
    const [primary, older] = [
      await cutProxy(await server.fresh()),
      await cutProxy(await server.fresh()),
    ]
    for (const proxy of [primary, older]) onTestFinished(() => proxy.close())
    older.refuse(true)
    const urls = [primary.url, older.url]
    const driver = await withThings(primary.url, { urls, patience: 300 })
    await add(driver, 1)

    primary.refuse(true)
    older.refuse(false)
    await expect(add(driver, 2)).rejects.toMatchObject({ code: 'database-behind' })
    primary.refuse(false)
    await add(driver, 3)
    expect(await things(driver)).toEqual([[1n], [3n]])
  })

  test('a primary that vanishes without a word is given up, and the next one used', async () => {
    const schema = await server.fresh()
    const [first, second] = [await cutProxy(schema), await cutProxy(schema)]
    for (const proxy of [first, second]) onTestFinished(() => proxy.close())
    second.refuse(true)
    const driver = await withThings(schema, { urls: [first.url, second.url], silence: 100 })
    await add(driver, 1)
    await things(driver)
    first.hang('all')
    second.refuse(false)
    const since = performance.now()
    expect(await things(driver)).toEqual([[1n]])
    await add(driver, 2)
    expect(performance.now() - since).toBeLessThan(3_000)
    expect(await things(driver)).toEqual([[1n], [2n]])
  })

  test('a commit whose server vanishes before it answers counts once', async () => {
    const schema = await server.fresh()
    const [first, second] = [await cutProxy(schema), await cutProxy(schema)]
    for (const proxy of [first, second]) onTestFinished(() => proxy.close())
    second.refuse(true)
    const driver = await withThings(schema, { urls: [first.url, second.url], silence: 100 })
    first.hangAtNextCommit()
    second.refuse(false)
    await add(driver, 1)
    expect(await things(driver)).toEqual([[1n]])
  })

  test('a connection that was forgotten on the way is made anew, though the server is there', async () => {
    const { driver, proxy } = await behindProxy({ silence: 100 })
    await add(driver, 1)
    await things(driver)
    proxy.hang('open')
    await add(driver, 2)
    expect(await things(driver)).toEqual([[1n], [2n]])
  })

  test('with every database silent the error says so, within the patience', async () => {
    const { driver, proxy } = await behindProxy({ silence: 100, patience: 300 })
    await add(driver, 1)
    proxy.hang('all')
    const since = performance.now()
    const silent = await refusal(add(driver, 2))
    expect(silent).toMatchObject({ code: 'database-unreachable' })
    expect(silent.message).toContain('it does not answer')
    expect(performance.now() - since).toBeLessThan(6_000)
    proxy.hang('nothing')
    await add(driver, 3)
    expect(await things(driver)).toEqual([[1n], [3n]])
  })

  test('a statement that takes its time, and a wait for a lock, are not taken for silence', async () => {
    const schema = await server.fresh()
    const driver = await withThings(schema, { silence: 50 })
    const other = await opened({ urls: [schema], silence: 50 })
    let runs = 0
    const slow = driver.transaction(async (sql) => {
      runs++
      await sql.query('SELECT pg_sleep(0.6)')
      await sql.query('INSERT INTO things (n) VALUES (1)')
    })
    await Promise.all([slow, add(other, 2)])
    expect(runs).toBe(1)
    expect(await things(driver)).toEqual([[1n], [2n]])
  })

  test('a server that takes no writes is no primary', async () => {
    const readOnly = `${await server.fresh()}%20-cdefault_transaction_read_only%3Don`
    const opening = openPostgres({ urls: [readOnly], startPatience: 10 })
    await expect(opening).rejects.toMatchObject({ code: 'database-unreachable' })
  })

  test('a write in a snapshot is refused at once, and the connection serves on', async () => {
    const driver = await withThings(await server.fresh())
    const process = () => driver.snapshot((sql) => sql.query('SELECT pg_backend_pid()'))
    const before = await process()
    let runs = 0
    const writing = driver.snapshot((sql) => {
      runs++
      return sql.query('INSERT INTO things (n) VALUES (1)')
    })
    await expect(writing).rejects.toThrow('a snapshot writes nothing')
    expect({ runs, process: await process() }).toEqual({ runs: 1, process: before })
  })

  test('a server that takes writes no longer is left, and the transaction runs again', async () => {
    const driver = await withThings(await server.fresh())
    const processes: unknown[] = []
    await driver.transaction(async (sql) => {
      processes.push((await sql.query('SELECT pg_backend_pid()'))[0]![0])
      // As after the server was set to take no writes, or has become a standby.
      if (processes.length === 1) await sql.query('SET transaction_read_only = on')
      await sql.query('INSERT INTO things (n) VALUES (1)')
    })
    expect(new Set(processes).size).toBe(2)
    expect(await things(driver)).toEqual([[1n]])
  })

  test('what is wrong is said without the password', async () => {
    const { user, host, port } = await address()
    const at = (login: string, database: string) =>
      openPostgres({
        urls: [`postgres://${login}:Sesam42@/${database}?host=${host}&port=${port}`],
        startPatience: 10,
      })
    const nobody = await refusal(at('nobody-here', 'postgres'))
    expect(nobody).toMatchObject({ code: 'database-refused' })
    const nowhere = await refusal(at(user, 'no-such-database'))
    expect(nowhere).toMatchObject({ code: 'no-database' })
    const gone = await refusal(
      openPostgres({ urls: [`postgres://me:Sesam42@127.0.0.1:1/db`], startPatience: 10 }),
    )
    expect(gone).toMatchObject({ code: 'database-unreachable' })
    for (const { message, hint } of [nobody, nowhere, gone]) {
      expect(`${message} ${hint}`).not.toContain('Sesam42')
    }
    expect(gone.message).toContain('postgres://me@127.0.0.1:1/db: nothing listens there')
    expect(await refusal(openPostgres({ urls: ['mysql://a/b'] }))).toMatchObject({
      code: 'database-url',
    })
  })

  test('a schema that holds other tables of these names is left alone', async () => {
    const driver = await opened({ urls: [await server.fresh()] })
    await driver.transaction((sql) => sql.query('CREATE TABLE objects (colour TEXT)'))
    const masterKey = memoryMasterKey()
    const making = createStore({ driver, masterKey, now: () => 1n })
    await expect(making).rejects.toMatchObject({ code: 'wrong-schema' })
    const opening = openStore({
      driver: await openPostgres({ urls: [await server.fresh()] }),
      masterKey,
      writer: 'serve',
    })
    await expect(opening).rejects.toMatchObject({ code: 'not-initialised' })
  })

  test('waiting for another writer ends in an error that says so', async () => {
    const schema = await server.fresh()
    const [first, second] = [
      await withThings(schema),
      await opened({ urls: [schema], patience: 50 }),
    ]
    await first.transaction(async () => {
      await expect(add(second, 1)).rejects.toMatchObject({ code: 'database-busy' })
    })
  })

  test('a commit that waits for its standby is not taken for silence', async () => {
    const driver = await withThings(await server.fresh(), { silence: 200 })
    await waitForStandbys(server, 'absent')
    onTestFinished(() => waitForStandbys(server, ''))
    let runs = 0
    const adding = driver.transaction(async (sql) => {
      runs++
      await sql.query('INSERT INTO things (n) VALUES (1)')
    })
    const waits = `SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'
      AND state_change < clock_timestamp() - interval '1 s'`
    while ((await server.query(waits)).length === 0) await delay(20)
    await waitForStandbys(server, '')
    await adding
    expect({ runs, things: await things(driver) }).toEqual({ runs: 1, things: [[1n]] })
  })

  test('a commit that only one machine has is not acknowledged', async () => {
    const driver = await withThings(await server.fresh())
    await waitForStandbys(server, 'absent')
    onTestFinished(() => waitForStandbys(server, ''))
    const waits = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
    const adding = refusal(add(driver, 1))
    while ((await server.query(waits)).length === 0) await delay(10)
    await server.query(`SELECT pg_cancel_backend(pid) FROM (${waits}) AS waiting`)
    expect(await adding).toMatchObject({ code: 'commit-not-replicated' })
  })
})

async function opened(options: PostgresOptions): Promise<SqlDriver> {
  const driver = await openPostgres(options)
  onTestFinished(() => driver.close())
  return driver
}

async function withThings(url: string, options?: Partial<PostgresOptions>): Promise<SqlDriver> {
  const driver = await opened({ urls: [url], ...options })
  await driver.transaction((sql) => sql.query('CREATE TABLE things (n BIGINT)'))
  return driver
}

/** A driver that has not committed on its connection yet, and the proxy it goes through. */
async function behindProxy(
  options?: Partial<PostgresOptions>,
): Promise<{ driver: SqlDriver; proxy: CutProxy }> {
  const schema = await server.fresh()
  await withThings(schema)
  const proxy = await cutProxy(schema)
  onTestFinished(() => proxy.close())
  return { driver: await opened({ urls: [proxy.url], ...options }), proxy }
}

const add = (driver: SqlDriver, n: number) =>
  driver.transaction((sql) => sql.query('INSERT INTO things (n) VALUES (?1)', [n]))

const things = (driver: SqlDriver) =>
  driver.snapshot((sql) => sql.query('SELECT n FROM things ORDER BY n'))

async function endBackendOf(sql: { query(text: string): unknown }): Promise<void> {
  const rows = (await sql.query('SELECT pg_backend_pid()')) as [bigint][]
  await server.query(`SELECT pg_terminate_backend(${rows[0]![0]})`)
}

async function refusal(attempt: Promise<unknown>): Promise<Error & { code: string; hint: string }> {
  try {
    await attempt
  } catch (error) {
    return error as Error & { code: string; hint: string }
  }
  throw new Error('it was not refused')
}

/** Where the server is, as parts of a URL. */
async function address(): Promise<{ user: string; host: string; port: string }> {
  const url = new URL((await server.fresh()).replace('@/', '@socket/'))
  const host = url.searchParams.get('host') ?? url.hostname
  return { user: url.username, host: encodeURIComponent(host), port: url.port || '5432' }
}
