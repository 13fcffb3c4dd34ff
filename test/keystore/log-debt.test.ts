// What was wiped is in the log of the database, and in old pages, until the log is cut off: also when the process is
// killed in between, at whatever moment.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openPostgres } from '../../src/keystore/postgres-driver.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { createStore } from '../../src/keystore/create-store.ts'
import type { SqlDriver } from '../../src/keystore/storage.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import { hasCompiler } from '../faults/unsynced.ts'
import { startPostgres, withoutPostgres } from '../fixtures/postgres.ts'
import {
  clock,
  create,
  dataDirectory,
  done,
  idOf,
  loaded,
  memoryMasterKey,
  opened,
  tamper,
  temporaryFolder,
} from './sample.ts'

vi.setConfig({ testTimeout: 60_000 })

const program = join(import.meta.dirname, 'wiping-process.ts')
const faults = join(import.meta.dirname, '../faults')

const wipe = (store: Store, at: number) =>
  store.act(async (work) => {
    await work.wipe(await loaded(work, at))
    work.audit(done('Wipe', idOf(at)))
  })

/** A data directory with key 1, and the key's sealed bytes. */
async function withKey(): Promise<{ directory: string; sealed: Buffer }> {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await create(store, 1)
  await create(store, 2)
  await store.close()
  return { directory, sealed: sealedOf(directory, 1) }
}

function sealedOf(directory: string, at: number): Buffer {
  const [row] = tamper(directory, 'SELECT sealed FROM objects WHERE n = ?', at)
  return Buffer.from(row!.sealed as Uint8Array)
}

/** Files of the directory that hold those bytes. */
function holding(directory: string, bytes: Buffer): string[] {
  const names = readdirSync(directory).filter((name) => !name.endsWith('-shm'))
  return names.filter((name) => readFileSync(join(directory, name)).includes(bytes))
}

/** Whether the row has its sealed bytes, by a copy: opening the files themselves would change them. */
function rowHasSealed(directory: string): boolean {
  const copy = join(temporaryFolder(), 'copy')
  cpSync(directory, copy, { recursive: true })
  using database = new DatabaseSync(join(copy, 'keystore.db'))
  return database.prepare('SELECT sealed FROM objects WHERE n = 1').get()!.sealed !== null
}

describe.skipIf(!hasCompiler())('a process that is killed while it wipes', () => {
  test('at whatever sync, leaves nothing of the bytes once the store was opened again', async () => {
    const library = join(temporaryFolder(), 'unsynced.so')
    const source = join(faults, 'unsynced.c')
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
    const { directory: original, sealed } = await withKey()
    expect(holding(original, sealed)).toEqual(['keystore.db'])
    const seen = { killed: 0, wipedAndHeld: 0, whole: 0 }
    for (let diesAt = 1; seen.whole === 0; diesAt++) {
      const directory = join(temporaryFolder(), 'data')
      cpSync(original, directory, { recursive: true })
      const preloaded = { LD_PRELOAD: library, FAULTS_LIVE: directory, FAULTS_DIES_AT: `${diesAt}` }
      const env = { ...process.env, ...preloaded }
      const { signal, stdout } = spawnSync(process.execPath, [program, directory], { env })
      if (signal !== 'SIGKILL') seen.whole++
      else {
        seen.killed++
        const acknowledged = stdout.toString().includes('wiped')
        const isWiped = !rowHasSealed(directory)
        if (acknowledged) expect(isWiped).toBe(true)
        // The case in question: wiped by every record, and in the files all the same.
        if (isWiped && holding(directory, sealed).length > 0) seen.wipedAndHeld++
      }
      const store = await opened(directory)
      const object = await store.read((work) => work.load('default', idOf(1)))
      expect(holding(directory, sealed)).toEqual(object!.hasMaterial ? ['keystore.db'] : [])
      expect(await store.leftLog(clock)).toBeDefined()
      expect((await store.auditVerify()).problems).toEqual([])
      await store.close()
    }
    expect(seen.killed).toBeGreaterThan(3)
    expect(seen.wipedAndHeld).toBeGreaterThan(0)
  })
})

describe('while somebody reads the database', () => {
  test('the bytes are in its log, and it is known; the next who can pays', async () => {
    const { directory, sealed } = await withKey()
    const seconds = { now: clock }
    const store = await opened(directory, { now: () => seconds.now })
    const reader = new DatabaseSync(join(directory, 'keystore.db'), { readOnly: true })
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM objects').get()
    await wipe(store, 1)
    expect(await store.payLog()).toBe(false)
    expect(holding(directory, sealed)).toContain('keystore.db')
    expect(await store.leftLog(clock)).toBeUndefined()
    // What was wiped before has left it.
    expect(await store.leftLog(clock - 1n)).toBe(clock - 1n)
    await store.close()
    const other = await opened(directory, { now: () => seconds.now })
    expect(await other.leftLog(clock)).toBeUndefined()
    seconds.now += 3600n
    reader.close()
    expect(await other.payLog()).toBe(true)
    expect(holding(directory, sealed)).toEqual([])
    // Copies of the files made in that hour have the bytes.
    expect(await other.leftLog(clock)).toBe(clock + 3600n)
    expect(await other.leftLog(clock - 1n)).toBe(clock - 1n)
    expect(await other.leftLog(clock + 3601n)).toBe(clock + 3601n)
  })

  test('the server pays by itself as soon as nobody reads any more', async () => {
    const { directory, sealed } = await withKey()
    const store = await opened(directory)
    const reader = new DatabaseSync(join(directory, 'keystore.db'), { readOnly: true })
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM objects').get()
    await wipe(store, 1)
    expect(await store.payLog()).toBe(false)
    reader.close()
    while ((await store.leftLog(clock)) === undefined) await delay(20)
    expect(holding(directory, sealed)).toEqual([])
  })
})

test('what is wiped while the log is cut off is a debt of its own', async () => {
  const directory = await dataDirectory()
  const driver = await openSqlite({ file: join(directory, 'keystore.db') })
  const other = await opened(directory, { writer: 'cli' })
  for (const at of [1, 2]) await create(other, at)
  let first = true
  const meddled: SqlDriver = {
    ...driver,
    async truncateLog() {
      const isDone = await driver.truncateLog()
      // Another process wipes right behind; its own attempt is kept from success.
      if (first) await wipedWithoutPaying(directory, 2)
      first = false
      return isDone
    },
  }
  const masterKey = openMasterKeyFile(join(directory, 'master.key'))
  const store = await openStore({ driver: meddled, masterKey, writer: 'serve', now: () => clock })
  onTestFinished(() => store.close())
  await wipe(store, 1)
  expect(await store.payLog()).toBe(true)
  expect(await store.leftLog(clock)).toBeUndefined()
  expect(await store.payLog()).toBe(true)
  expect(await store.leftLog(clock)).toBe(clock)
})

/** Wipes in a store that cannot cut off the log. */
async function wipedWithoutPaying(directory: string, at: number): Promise<void> {
  const driver = await openSqlite({ file: join(directory, 'keystore.db') })
  const masterKey = openMasterKeyFile(join(directory, 'master.key'))
  const unable = { ...driver, truncateLog: () => Promise.resolve('later' as const) }
  const store = await openStore({ driver: unable, masterKey, writer: 'cli', now: () => clock })
  await wipe(store, at)
  await store.close()
}

test('a master key that was taken away leaves its wraps in no log', async () => {
  const { directory } = await withKey()
  const store = await opened(directory, { writer: 'cli' })
  await store.addMasterKey(memoryMasterKey('other'), { name: 'a', kind: 'cli' })
  const [row] = tamper(directory, `SELECT bytes FROM epoch_wraps WHERE provider LIKE 'file:%'`)
  const wrap = Buffer.from(row!.bytes as Uint8Array)
  const reader = new DatabaseSync(join(directory, 'keystore.db'), { readOnly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM objects').get()
  await store.retireOthers(memoryMasterKey('other'), { name: 'a', kind: 'cli' })
  expect(holding(directory, wrap)).not.toEqual([])
  reader.close()
  await store.close()
  const again = await opened(directory, { masterKey: memoryMasterKey('other') })
  expect(holding(directory, wrap)).toEqual([])
  expect(await again.payLog()).toBe(true)
})

describe.skipIf(withoutPostgres())('on PostgreSQL', () => {
  test('the vacuum that a node owes which is gone is made by the next', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const url = await server.fresh()
    const masterKey = memoryMasterKey()
    const now = () => clock
    const made = await openPostgres({ urls: [url] })
    await createStore({ driver: made, masterKey, now })
    const unable = { ...made, truncateLog: () => Promise.resolve('later' as const) }
    const gone = await openStore({ driver: unable, masterKey, writer: 'serve', now })
    await create(gone, 1)
    await wipe(gone, 1)
    expect(await gone.leftLog(clock)).toBeUndefined()
    await gone.close()
    const driver = await openPostgres({ urls: [url] })
    const next = await openStore({ driver, masterKey, writer: 'serve', now })
    onTestFinished(() => next.close())
    expect(await next.leftLog(clock)).toBe(clock)
  })
})
