// Backups of a keystore in PostgreSQL: into another database, into a file, and onto what is not empty.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openPostgres } from '../../src/keystore/postgres-driver.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { SqlDriver } from '../../src/keystore/storage.ts'
import { openStore } from '../../src/keystore/store.ts'
import { insertKey } from '../exchange/site.ts'
import { runKeyreel } from '../fixtures/keyreel.ts'
import { startPostgres, withoutPostgres, type PostgresServer } from '../fixtures/postgres.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyreel-postgres-backup-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const place = (name: string): string => join(folder, name)
const leftOf = (name: string) =>
  readdirSync(folder).filter((entry) => entry.startsWith(`.${name}.`))
const program = resolve(import.meta.dirname, '../../src/cli/keyreel.js')
const shares = [1, 3].flatMap((n) => ['--share', join(place('shares'), `share-${n}.txt`)])
const keys = 120

/** A command that must succeed. */
async function run(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await runKeyreel(words)
  expect(status, `${words.join(' ')}: ${stderr}${stdout}`).toBe(0)
  return stdout
}

/** Makes so many keys more. */
async function fill(data: string, url: string, count: number): Promise<void> {
  const masterKey = openMasterKeyFile(join(data, 'master.key'))
  const store = await openStore({ directory: data, database: [url], masterKey, writer: 'test' })
  await store.act(async (work) => {
    for (let at = 0; at < count; at++) await insertKey(work, crypto.randomUUID(), {}, work.now)
  })
  await store.close()
}

/** Everything that is kept of the objects. */
async function objectsIn(driver: SqlDriver): Promise<unknown> {
  const rows = await driver.snapshot((sql) =>
    sql.query('SELECT n, id, revision, epoch, mac, record, sealed FROM objects ORDER BY n'),
  )
  await driver.close()
  return rows.map((row) =>
    row.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value)),
  )
}

const inPostgres = async (url: string) => objectsIn(await openPostgres({ urls: [url] }))

const restoring = (file: string, data: string, ...more: string[]) =>
  ['backup', 'restore', place(file), ...shares, '--data', place(data), '--yes', ...more] as const

describe.skipIf(withoutPostgres())('a keystore in PostgreSQL', () => {
  let server: PostgresServer
  let first: string

  beforeAll(async () => {
    server = await startPostgres()
    first = await server.fresh()
    const data = ['--data', place('first')]
    await run('init', ...data, '--database', first, '--host', 'localhost')
    await fill(place('first'), first, keys)
    const split = ['--threshold', '2', '--shares', '3', '--out', place('shares')]
    await run('recovery', 'setup', ...split, ...data)
    await run('backup', 'create', '--out', place('whole'), ...data)
    const whole = readFileSync(place('whole'))
    whole[whole.length - 100]! ^= 1
    writeFileSync(place('damaged'), whole)
  }, 60_000)
  afterAll(() => server.stop())

  test('is verified and compared with what is there', async () => {
    const found = await run('backup', 'verify', place('whole'), '--data', place('first'))
    expect(found).toMatch(/^live keystore +compared$/m)
    expect(found).toMatch(/every key of it can be restored; noted/)
  })

  test('comes back byte for byte in another database, where new keys go on', async () => {
    const url = await server.fresh()
    await run(...restoring('whole', 'second', '--database', url))
    expect(await inPostgres(url)).toEqual(await inPostgres(first))
    await fill(place('second'), url, 1)
    expect(await run('audit', 'verify', '--data', place('second'))).toMatch(
      /^all is well: 121 objects/,
    )
    expect((await inPostgres(url)) as unknown[]).toHaveLength(keys + 1)
  })

  test('comes back byte for byte in a file', async () => {
    await run(...restoring('whole', 'third'))
    const file = await openSqlite({ file: join(place('third'), 'keystore.db') })
    expect(await objectsIn(file)).toEqual(await inPostgres(first))
    expect(await run('audit', 'verify', '--data', place('third'))).toMatch(/^all is well/)
  })

  test('is not restored onto a database that holds a keystore, of which nothing is changed', async () => {
    const before = await inPostgres(first)
    const { status, stderr } = await runKeyreel(restoring('whole', 'fourth', '--database', first))
    expect(status).toBe(1)
    expect(stderr).toMatch(/^error: the database holds a keystore already$/m)
    expect(stderr).toMatch(/^hint: name an empty database/m)
    expect(existsSync(place('fourth'))).toBe(false)
    expect(await inPostgres(first)).toEqual(before)
    expect(await run('audit', 'verify', '--data', place('first'))).toMatch(/^all is well/)
  })

  test('whose restore was killed in the middle is no keystore there, and comes back by the same command', async () => {
    const url = await server.fresh()
    const waiting = new pg.Client({ connectionString: url })
    await waiting.connect()
    await waiting.query('SELECT pg_advisory_lock(2)')
    // Where the first rows of the audit record come, it waits: keys are there already.
    await waiting.query(`CREATE FUNCTION wait_row() RETURNS trigger LANGUAGE plpgsql
      AS 'BEGIN PERFORM pg_advisory_xact_lock(2); RETURN NULL; END'`)
    const hasAudit = async () => {
      const { rows } = await waiting.query(`SELECT to_regclass('audit') IS NOT NULL AS there`)
      return (rows as { there: boolean }[])[0]!.there
    }
    const words = [program, ...restoring('whole', 'killed', '--database', url)]
    const child = spawn(process.execPath, words, { stdio: 'ignore' })
    onTestFinished(() => void child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    while (!(await hasAudit())) await delay(1)
    await waiting.query('CREATE TRIGGER wait BEFORE INSERT ON audit EXECUTE FUNCTION wait_row()')
    const waits = `SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'`
    while ((await server.query(waits)).length === 0) await delay(20)
    child.kill('SIGKILL')
    await ended
    await waiting.end()
    expect((await inPostgres(url)) as unknown[]).toHaveLength(keys)

    const key = ['--master-key-file', join(place('first'), 'master.key')]
    const joining = ['init', '--data', place('joining'), '--database', url, '--node', 'b', ...key]
    const early = await runKeyreel(joining)
    expect(early.status).toBe(1)
    expect(early.stderr).toMatch(
      /^error: .*moved or restored here, and is not whole\nhint: .*restore/,
    )
    expect(existsSync(place('killed'))).toBe(false)
    expect(leftOf('killed')).toHaveLength(1)

    await run(...restoring('whole', 'killed', '--database', url))
    expect(await inPostgres(url)).toEqual(await inPostgres(first))
    expect(await run('audit', 'verify', '--data', place('killed'))).toMatch(/^all is well/)
    expect(leftOf('killed')).toEqual([])
  })

  test('that is damaged leaves an empty database empty', async () => {
    const url = await server.fresh()
    const { status, stderr } = await runKeyreel(restoring('damaged', 'fifth', '--database', url))
    expect(status).toBe(1)
    expect(stderr).toMatch(/^error: this is not a whole, unchanged backup/m)
    expect(existsSync(place('fifth'))).toBe(false)
    await run(...restoring('whole', 'fifth', '--database', url))
  })
})
