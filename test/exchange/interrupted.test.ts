// Exports and imports that are cut off: by SIGKILL, by a full disk; and data directories that were made
// before keyreel exchanged keys. Real processes on real directories where a process is what ends.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createServerIdentity } from '../../src/access/authority.ts'
import { ensureExchange } from '../../src/exchange/identity.ts'
import { exportKeys } from '../../src/exchange/export-keys.ts'
import { readOffered } from '../../src/exchange/peer-certificates.ts'
import { trustPeer } from '../../src/exchange/peers.ts'
import { initialise } from '../../src/initialise.ts'
import { initialiseStore } from '../../src/keystore/initialise.ts'
import { createMasterKeyFile, openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import { runKeyreel, startKeyreel } from '../fixtures/keyreel.ts'
import { insertKey, newSite, scratch, twoSites } from './site.ts'

const program = resolve(import.meta.dirname, '../../src/cli/keyreel.js')
const clock = () => BigInt(Math.floor(Date.now() / 1000))

/** Runs `use` on the store of a data directory and closes it. */
async function withStore<T>(data: string, use: (store: Store) => Promise<T>): Promise<T> {
  const masterKey = openMasterKeyFile(join(data, 'master.key'))
  const store = await openStore({ directory: data, masterKey, writer: 'cli', now: clock })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

/** Two data directories whose sites trust each other as A and B; A has so many keys. */
async function directories(folder: string, keys: number): Promise<{ a: string; b: string }> {
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  const masterKey = { kind: 'file', path: undefined } as const
  for (const data of [a, b]) await initialise({ data, hosts: ['localhost'], masterKey, now: clock })
  const offerOf = (data: string) =>
    withStore(data, async (store) => {
      const { current, identity } = await ensureExchange(store)
      return readOffered(Buffer.from(current.pem + identity.pem), 'file', clock())
    })
  const [offeredA, offeredB] = [await offerOf(a), await offerOf(b)]
  const how = { confirmed: 'fingerprint', replace: false } as const
  await withStore(b, (store) => trustPeer(store, 'A', offeredA, how))
  await withStore(a, async (store) => {
    await trustPeer(store, 'B', offeredB, how)
    for (let first = 0; first < keys; first += 100)
      await store.act(async (work) => {
        for (let at = first; at < Math.min(first + 100, keys); at += 1) {
          const barcode = `${String(at).padStart(6, '0')}L8`
          await insertKey(work, crypto.randomUUID(), { barcode }, work.now)
        }
      })
  })
  return { a, b }
}

/** One number out of a database that other processes write. */
function numberIn(data: string, sql: string): number {
  const database = new DatabaseSync(join(data, 'keystore.db'), { readOnly: true, timeout: 5000 })
  try {
    return Number(Object.values(database.prepare(sql).get() ?? {})[0])
  } finally {
    database.close()
  }
}

const objects = 'SELECT count(*) FROM objects'
const released = `SELECT count(*) FROM audit WHERE body LIKE '%"exchange export part"%'`

/** Starts a command on a data directory and ends it by SIGKILL once `sql` gives `enough`. */
async function killedAt(
  data: string,
  sql: string,
  enough: number,
  ...words: readonly string[]
): Promise<void> {
  const child = spawn(process.execPath, [program, ...words, '--data', data], { stdio: 'ignore' })
  const exit = once(child, 'exit')
  while (child.exitCode === null && numberIn(data, sql) < enough) await delay(2)
  child.kill('SIGKILL')
  await exit
  expect(child.signalCode).toBe('SIGKILL')
}

async function json(data: string, ...words: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runKeyreel([...words, '--data', data, '--json'])
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return JSON.parse(stdout) as Record<string, unknown>
}

interface Logged {
  id: string
  finished?: string
  counts?: { new: number; here: number }
}
interface Reported {
  id: string
  verdict: string
}

describe('a process that is ended by SIGKILL', () => {
  const keys = 1200

  test('amid an import leaves whole steps; run again it brings the others, and reports tell of all', async () => {
    const folder = scratch()
    const { a, b } = await directories(folder, keys)
    const bundle = join(folder, 'bundle')
    const selection = { scope: 'all' } as const
    await withStore(a, (store) =>
      exportKeys(store, { peer: 'B', group: 'default', selection, out: bundle, validDays: 9 }),
    )
    await killedAt(b, objects, 1, 'exchange', 'import', bundle)
    const kept = numberIn(b, objects)
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThan(keys)
    expect(kept % 100).toBe(0)

    const again = await json(b, 'exchange', 'import', bundle)
    expect(again['counts']).toEqual({ new: keys - kept, here: kept, conflict: 0, refused: 0 })
    expect(again['reports']).toHaveLength(keys)
    expect(numberIn(b, objects)).toBe(keys)

    const log = (await json(b, 'exchange', 'log')) as unknown as Logged[]
    expect(log.map(({ finished }) => finished === undefined).toSorted()).toEqual([false, true])
    const unfinished = log.find(({ finished }) => finished === undefined)
    expect(unfinished?.counts).toMatchObject({ new: kept, here: 0 })
    const brought = new Set<string>()
    for (const { id } of log) {
      const { reports } = await json(b, 'exchange', 'log', id)
      for (const { id: key, verdict } of reports as Reported[])
        if (verdict === 'new') {
          expect(brought.has(key)).toBe(false)
          brought.add(key)
        }
    }
    expect(brought.size).toBe(keys)
    expect((await runKeyreel(['audit', 'verify', '--data', b])).status).toBe(0)
  }, 120_000)

  test('amid an export leaves no file and a record of what was released; run again it makes the bundle', async () => {
    const folder = scratch()
    const { a, b } = await directories(folder, keys)
    const out = join(folder, 'out')
    mkdirSync(out)
    const bundle = join(out, 'for-b')
    const words = ['exchange', 'export', '--peer', 'B', '--all', '--out', bundle]
    await killedAt(a, released, 1, ...words)
    expect(await readdir(out)).toEqual([])
    const [entry] = (await json(a, 'exchange', 'log')) as unknown as Logged[]
    expect(entry?.finished).toBe(undefined)

    const made = await json(a, ...words)
    expect(made['keys']).toBe(keys)
    expect(await readdir(out)).toEqual(['for-b'])
    const { counts } = await json(b, 'exchange', 'import', bundle)
    expect(counts).toEqual({ new: keys, here: 0, conflict: 0, refused: 0 })
  }, 120_000)
})

test('what an export that was killed at its very end has left is gone after the next one', async () => {
  const { a } = await twoSites()
  await a.key()
  const folder = scratch()
  for (const left of ['.for-b.0123abcd.tmp', '.other.0123abcd.tmp', '.for-b.notes.tmp'])
    writeFileSync(join(folder, left), 'half a bundle')
  await a.export({ peer: 'B', out: join(folder, 'for-b') })
  expect((await readdir(folder)).toSorted()).toEqual([
    '.for-b.notes.tmp',
    '.other.0123abcd.tmp',
    'for-b',
  ])
})

test('a key that was changed here behind our back is refused by name, and the others go on', async () => {
  const driver = await openSqlite({ file: ':memory:' })
  const [a, b] = [await newSite(), await newSite({ driver })]
  await a.trust('B', b)
  await b.trust('A', a)
  const [one, two] = [await a.key(), await a.key()]
  const { file } = await a.export({ peer: 'B' })
  await b.import(file)
  await driver.transaction((sql) =>
    sql.query('UPDATE objects SET record = ?1 WHERE id = ?2', [
      new Uint8Array(9),
      Buffer.from(one.replaceAll('-', ''), 'hex'),
    ]),
  )
  const { file: again } = await a.export({ peer: 'B' })
  const { reports } = await b.import(again)
  expect(reports.find(({ id }) => id === one)).toMatchObject({
    verdict: 'refused',
    reason: expect.stringContaining(`${one}: its record was changed outside keyreel`) as string,
  })
  expect(reports.find(({ id }) => id === two)).toMatchObject({ verdict: 'here' })
})

describe('a database without space', () => {
  test('stops an import with the reason, after whole steps; with space it goes on', async () => {
    const driver = await openSqlite({ file: ':memory:' })
    const [a, b] = [await newSite(), await newSite({ driver })]
    await a.trust('B', b)
    await b.trust('A', a)
    const ids = await Promise.all(Array.from({ length: 450 }, () => a.key()))
    const { file } = await a.export({ peer: 'B' })
    const pages = (sql: string) => driver.transaction((session) => session.query(sql))
    let full: Promise<unknown> | undefined
    const importing = b.import(file, {
      // No page more than there are now.
      progress(done) {
        if (done === 200) full = pages('PRAGMA max_page_count = 1')
      },
    })
    await expect(importing).rejects.toMatchObject({
      code: 'import-interrupted',
      message: expect.stringContaining('no space left to write') as string,
      hint: expect.stringContaining('free space') as string,
    })
    const here = await b.store.read((work) => work.identifiers('', 1000))
    await full
    expect(here.length).toBe(200)

    await pages('PRAGMA max_page_count = 100000')
    const { counts } = await b.import(file)
    expect(counts).toMatchObject({ new: ids.length - here.length, here: here.length })
    expect(await b.bytesOf(ids.at(-1)!)).toBe(await a.bytesOf(ids.at(-1)!))
    expect((await b.store.auditVerify()).problems).toEqual([])
  })

  test('stops an export, and no file remains', async () => {
    const driver = await openSqlite({ file: ':memory:' })
    const [a, b] = [await newSite({ driver }), await newSite()]
    await a.trust('B', b)
    await Promise.all(Array.from({ length: 450 }, () => a.key()))
    const pages = (sql: string) => driver.transaction((session) => session.query(sql))
    await pages('PRAGMA max_page_count = 1')
    const folder = scratch()
    const out = join(folder, 'bundle')
    await expect(a.export({ peer: 'B', out })).rejects.toMatchObject({ code: 'disk-full' })
    expect(await readdir(folder)).toEqual([])
  })
})

describe('a data directory made before keyreel exchanged keys', () => {
  /** As `init` made it then: keystore, authority, server certificates. */
  async function earlier(folder: string): Promise<string> {
    const directory = join(folder, 'data')
    await initialiseStore({
      directory,
      masterKey: (building) => createMasterKeyFile(join(building, 'master.key')),
      fill: async (store) => void (await createServerIdentity(store, ['localhost'])),
      now: clock,
    })
    expect(numberIn(directory, identities)).toBe(0)
    return directory
  }
  const identities = `SELECT count(*) FROM documents WHERE kind = 'exchange-identity'`

  test('gets its exchange keys when it is served, once and on record', async () => {
    const folder = scratch()
    const data = await earlier(folder)
    const server = await startKeyreel({ data })
    const out = join(folder, 'own.pem')
    const export1 = await server.cli('exchange', 'certificate', 'export', '--out', out, '--json')
    await server.stop()
    expect(export1.status).toBe(0)
    rmSync(out)
    const export2 = await json(data, 'exchange', 'certificate', 'export', '--out', out)
    expect(export2).toEqual(JSON.parse(export1.stdout))
    expect(numberIn(data, identities)).toBe(1)
    const made = `SELECT count(*) FROM audit WHERE chain = 'serve' AND body LIKE '%"exchange identity create"%'`
    expect(numberIn(data, made)).toBe(1)
  })

  test('or by the first command that needs them, with no server running', async () => {
    const folder = scratch()
    const data = await earlier(folder)
    await json(data, 'exchange', 'certificate', 'export', '--out', join(folder, 'other.pem'))
    expect(numberIn(data, identities)).toBe(1)
  })
})
