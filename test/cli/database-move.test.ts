// `keyreel database move`: a keystore from its file into PostgreSQL, also when it is cut off.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { endMove, isHalfMoved, moveTables } from '../../src/keystore/move-tables.ts'
import { migrate } from '../../src/keystore/migrate.ts'
import { openPostgres } from '../../src/keystore/postgres-driver.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { SqlDriver } from '../../src/keystore/storage.ts'
import { runKeyreel, type CliResult } from '../fixtures/keyreel.ts'
import { startPostgres, withoutPostgres, type PostgresServer } from '../fixtures/postgres.ts'
import { makeTapeKey } from './tape-keys.ts'

let server: PostgresServer

describe.skipIf(withoutPostgres())('with a server', () => {
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  test('a keystore is moved whole, and everything goes on with the database', async () => {
    const data = await filledKeystore()
    const before = await run(data, 'key', 'list', '--json')
    const url = await server.fresh()
    const moved = await run(data, 'database', 'move', '--to', url, '--node', 'kms-a', '--json')
    expect(moved).toMatchObject({ status: 0 })
    const { tables } = JSON.parse(moved.stdout) as { tables: { table: string; rows: number }[] }
    expect(tables).toContainEqual(expect.objectContaining({ table: 'objects', rows: keys }))
    expect(existsSync(join(data, 'keystore.db'))).toBe(false)
    expect(existsSync(join(data, 'keystore.db.moved'))).toBe(true)

    const after = await run(data, 'key', 'list', '--json')
    expect(JSON.parse(after.stdout)).toEqual(JSON.parse(before.stdout))
    expect(await run(data, 'audit', 'verify')).toMatchObject({ status: 0 })
    expect((await run(data, 'audit', 'list', '--json')).stdout).toContain('Database Moved')
    // New rows are numbered behind those that came.
    expect(await run(data, 'library', 'add', 'later', '--out', join(data, 'kit'))).toMatchObject({
      status: 0,
    })
    expect(await run(data, 'database', 'move', '--to', url)).toMatchObject({ status: 10 })
  })

  test('a copy that was cut off goes on, and is no keystore until it is whole', async () => {
    const data = await filledKeystore()
    const url = await server.fresh()
    await withBoth(data, url, async (source, target) => {
      let steps = 0
      const cut = source.transaction((sql) =>
        moveTables(sql, target, () => {
          if (++steps === 6) throw new Error('cut off')
        }),
      )
      await expect(cut).rejects.toThrow('cut off')
      expect(await isHalfMoved(target)).toBe(true)
    })
    const early = await run(join(data, '..', 'other'), 'status', '--database', url, ...keyOf(data))
    expect(early.stderr).toContain('error: postgres://')
    expect(early.stderr).toContain('keyreel database move')

    expect(await run(data, 'database', 'move', '--to', url)).toMatchObject({ status: 0 })
    expect(await run(data, 'audit', 'verify')).toMatchObject({ status: 0 })
  })

  test('a move that is killed in the middle goes on where it stood', async () => {
    const data = await filledKeystore()
    const url = await server.fresh()
    await withBoth(data, url, async () => undefined)
    const inTheWay = new pg.Client({ connectionString: url })
    await inTheWay.connect()
    await inTheWay.query('SELECT pg_advisory_lock(1)')
    // Where the first objects come, it waits.
    await inTheWay.query(`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql
      AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END'`)
    await inTheWay.query(`CREATE TRIGGER wait BEFORE INSERT ON objects EXECUTE FUNCTION wait()`)
    const program = join(import.meta.dirname, '../../src/cli/keyreel.js')
    const words = [program, 'database', 'move', '--to', url, '--data', data]
    const moving = spawn(process.execPath, words, { stdio: 'ignore' })
    onTestFinished(() => void moving.kill('SIGKILL'))
    const waits = `SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'`
    while ((await server.query(waits)).length === 0) await delay(20)
    moving.kill('SIGKILL')
    await once(moving, 'exit')
    await inTheWay.end()

    expect(await run(data, 'audit', 'verify')).toMatchObject({ status: 0 })
    const before = await run(data, 'key', 'list', '--json')
    await withBoth(data, url, async (_, target) => {
      expect(await isHalfMoved(target)).toBe(true)
      const [row] = await target.snapshot((sql) =>
        sql.query(`SELECT value FROM settings WHERE name = 'moving'`),
      )
      expect(JSON.parse(String(row![0]))).toMatchObject({ table: 'epochs' })
    })
    const moved = await run(data, 'database', 'move', '--to', url, '--json')
    expect(moved).toMatchObject({ status: 0 })
    const { tables } = JSON.parse(moved.stdout) as { tables: { table: string; digest: string }[] }
    expect(tables.length).toBeGreaterThan(10)
    for (const { digest } of tables) expect(digest).toMatch(/^[0-9a-f]{64}$/)
    expect(await run(data, 'audit', 'verify')).toMatchObject({ status: 0 })
    const after = await run(data, 'key', 'list', '--json')
    expect(JSON.parse(after.stdout)).toEqual(JSON.parse(before.stdout))
  })

  test('a move cut off after the copy was whole only ends', async () => {
    const data = await filledKeystore()
    const url = await server.fresh()
    await withBoth(data, url, async (source, target) => {
      await source.transaction((sql) => moveTables(sql, target, () => undefined))
      await endMove(target)
    })
    const moved = await run(data, 'database', 'move', '--to', url, '--json')
    expect(JSON.parse(moved.stdout)).toMatchObject({ tables: [] })
    expect(await run(data, 'audit', 'verify')).toMatchObject({ status: 0 })
  })

  test('a row that is not the same in the end stops the move, and nothing has changed', async () => {
    const data = await filledKeystore()
    const url = await server.fresh()
    await withBoth(data, url, async (source, target) => {
      await source.transaction((sql) => moveTables(sql, target, () => undefined))
      await target.transaction((sql) => sql.query(`UPDATE objects SET sealed = sealed || '\\x00'`))
    })
    const refused = await run(data, 'database', 'move', '--to', url)
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('table objects is not the same on both sides')
    expect(await run(data, 'audit', 'verify')).toMatchObject({ status: 0 })
    expect(readFileSync(join(data, 'keystore.db')).length).toBeGreaterThan(0)
  })

  test('a keystore that is not sound is not moved, and goes on as it was', async () => {
    const data = await filledKeystore()
    const url = await server.fresh()
    const file = await openSqlite({ file: join(data, 'keystore.db') })
    await file.transaction((sql) =>
      sql.query(`UPDATE objects SET sealed = zeroblob(90) WHERE n = 3`),
    )
    await file.close()
    const refused = await run(data, 'database', 'move', '--to', url)
    expect(refused.status).toBe(1)
    expect(refused.stderr).toMatch(/^error: the keystore is not sound: .*\nhint: .*audit verify/m)
    expect(existsSync(join(data, 'keyreel.toml'))).toBe(false)
    expect(existsSync(join(data, 'keystore.db.moved'))).toBe(false)
    expect((await run(data, 'audit', 'verify')).stdout).toMatch(/1 problem/)
    expect(await run(data, 'key', 'show', '1')).toMatchObject({ status: 0 })
  })

  test('a database that holds a keystore is left alone', async () => {
    const data = await filledKeystore()
    const url = await server.fresh()
    const other = temporaryFolder()
    await runKeyreel(['init', '--data', join(other, 'data'), '--database', url])
    const refused = await run(data, 'database', 'move', '--to', url)
    expect(refused).toMatchObject({ status: 1 })
    expect(refused.stderr).toContain('the database holds a keystore already')
    expect(await run(join(other, 'data'), 'audit', 'verify')).toMatchObject({ status: 0 })
  })
})

const keys = 6

/** A data directory with some keys in its file. */
async function filledKeystore(): Promise<string> {
  const data = join(temporaryFolder(), 'data')
  expect((await runKeyreel(['init', '--data', data])).status).toBe(0)
  const now = BigInt(Math.floor(Date.now() / 1000))
  for (let at = 1; at <= keys; at++) {
    const key = { digit: String(at), barcode: `KR000${at}L8`, library: 'alpha' }
    await makeTapeKey(data, key, now)
  }
  return data
}

function run(data: string, ...args: string[]): Promise<CliResult> {
  return runKeyreel([...args, '--data', data])
}

function keyOf(data: string): string[] {
  const copy = join(temporaryFolder(), 'master.key')
  copyFileSync(join(data, 'master.key'), copy)
  return ['--master-key-file', copy]
}

async function withBoth(
  data: string,
  url: string,
  use: (source: SqlDriver, target: SqlDriver) => Promise<void>,
): Promise<void> {
  const source = await openSqlite({ file: join(data, 'keystore.db') })
  const target = await openPostgres({ urls: [url] })
  try {
    await migrate(target, 'the database')
    await use(source, target)
  } finally {
    await target.close()
    await source.close()
  }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyreel-move-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
