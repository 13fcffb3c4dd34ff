// Group commit: shared transactions, acts that throw, commits that fail.
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createStore } from '../../src/keystore/create-store.ts'
import { GroupCommit, type GroupHost } from '../../src/keystore/group-commit.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { SqlDriver, SqlSession } from '../../src/keystore/storage.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import type { Work } from '../../src/keystore/work.ts'
import {
  actor,
  change,
  create,
  done,
  get,
  idOf,
  loaded,
  materialOf,
  memoryMasterKey,
  newStore,
  sampleObject,
  temporaryFolder,
} from './sample.ts'

test('acts queued together share a transaction and one audit row', async () => {
  const { store, transactions } = await watchedStore()
  const before = transactions()
  await Promise.all(Array.from({ length: 64 }, (_, at) => create(store, at + 1)))
  expect(transactions() - before).toBe(1)
  const entries = await store.readAudit({ chain: 'serve', after: 1, limit: 100 })
  expect(entries.map(({ number }) => number)).toEqual(Array.from({ length: 64 }, (_, at) => at + 2))
})

test('an act alone has a transaction of its own', async () => {
  const { store, transactions } = await watchedStore()
  const before = transactions()
  for (const at of [1, 2, 3]) await create(store, at)
  expect(transactions() - before).toBe(3)
})

test('what is given up while its commit waits is answered at once, and not run again', async () => {
  const commit = Promise.withResolvers<void>()
  const [waits, runs] = [Promise.withResolvers<void>(), [] as string[]]
  const recorded: number[] = []
  const host: GroupHost<undefined> = {
    async transaction(fn) {
      await fn(undefined)
      if (runs.length > 1) return
      waits.resolve()
      await commit.promise
      // As a database does whose connection broke, and which has kept nothing.
      await fn(undefined)
    },
    savepoint: (_, fn) => fn(),
    run: (_, act) => act(undefined as never),
    record: (_, traces) => Promise.resolve(void recorded.push(traces.length)),
    isRecoverable: () => false,
    recover: () => Promise.resolve(),
    committed: () => undefined,
    undone: () => undefined,
  }
  const group = new GroupCommit(host)
  const act = (name: string) => group.act(() => void runs.push(name))
  const first = expect(act('first')).rejects.toThrow('may be kept')
  await waits.promise
  const second = expect(act('second')).rejects.toThrow('refused')
  group.refuseWaiting(new Error('refused'), new Error('it may be kept'))
  await Promise.all([first, second])
  const third = act('third')
  commit.resolve()
  await third
  await group.close()
  expect({ runs, recorded }).toEqual({ runs: ['first', 'third'], recorded: [1, 1] })
})

test('an act that throws after writing is undone without harming its group', async () => {
  const store = await newStore()
  const acts = [1, 2, 3, 4].map((at) =>
    store.act(async (work) => {
      await work.insert(sampleObject({ id: idOf(at) }), materialOf(at))
      work.audit(done('Create', idOf(at)))
      if (at % 2 === 0) throw new Error(`no ${at}`)
      return at
    }),
  )
  const outcomes = await Promise.allSettled(acts)
  expect(outcomes.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
  ])
  const there = await store.read((work) => work.identifiers('', 10))
  expect(there).toEqual([idOf(1), idOf(3)])
  const entries = await store.readAudit({ chain: 'serve', after: 1, limit: 10 })
  expect(entries.map(({ object }) => object)).toEqual([idOf(1), idOf(3)])
  expect((await store.auditVerify()).problems).toEqual([])
})

test('an act that throws before writing costs its group no second run', async () => {
  const { store, transactions } = await watchedStore()
  const before = transactions()
  const refused = store.act(() => Promise.reject(new Error('refused')))
  await Promise.all([
    create(store, 1),
    expect(refused).rejects.toThrow('refused'),
    create(store, 2),
  ])
  expect(transactions() - before).toBe(1)
})

test('an act whose write failed half-way is undone even when it hides the error', async () => {
  const store = await newStore()
  const unique = [{ kind: 'name', value: 'taken' }]
  const insert = async (work: Work, at: number) =>
    work.insert(sampleObject({ id: idOf(at), unique }))
  await store.act(async (work) => {
    await insert(work, 1)
    work.audit(done('Create', idOf(1)))
  })
  const hiding = store.act(async (work) => {
    work.audit(done('Create', idOf(2)))
    await insert(work, 2).catch(() => undefined)
    return 'all is well'
  })
  await expect(hiding).rejects.toMatchObject({ code: 'unique-conflict' })
  expect(await store.read((work) => work.identifiers('', 10))).toEqual([idOf(1)])
})

test('when the commit fails every act of the group fails and nothing is visible', async () => {
  const { store, failNext } = await watchedStore()
  await create(store, 1)
  await change(store, 1, 'second')
  failNext('COMMIT')
  const acts = [create(store, 2), create(store, 3), change(store, 1, 'third')]
  const outcomes = await Promise.allSettled(acts)
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(await store.read((work) => work.identifiers('', 10))).toEqual([idOf(1)])

  const object = await store.read((work) => loaded(work, 1))
  expect(object.revision).toBe(2)
  await change(store, 1, 'third')
  await create(store, 2)
  expect((await store.auditVerify()).problems).toEqual([])
})

test('a full disk fails every act of the group, shows nothing of it, and later acts succeed', async () => {
  const { store, driver } = await watchedStore()
  await create(store, 1)
  await limitPages(driver, 'PRAGMA max_page_count = 40')
  const record = new Uint8Array(20_000)
  const large = (at: number) =>
    store.act(async (work) => {
      await work.insert(sampleObject({ id: idOf(at), record }))
      work.audit(done('Register', idOf(at)))
    })
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, (_, at) => large(at + 2)))
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(failed.length).toBeGreaterThan(0)
  for (const { reason } of failed) expect(reason).toMatchObject({ code: 'disk-full' })
  const there = await store.read((work) => work.identifiers('', 20))
  const acknowledged = outcomes.flatMap(({ status }, at) =>
    status === 'fulfilled' ? [idOf(at + 2)] : [],
  )
  expect(there).toEqual([idOf(1), ...acknowledged].sort())

  await limitPages(driver, 'PRAGMA max_page_count = 100000')
  await create(store, 50)
  expect((await store.auditVerify()).problems).toEqual([])
})

test('unsealed keys of an act that was undone are cleared', async () => {
  const store = await newStore()
  await create(store, 1)
  let kept: Uint8Array | undefined
  const undone = store.act(async (work) => {
    kept = (await work.material(await loaded(work, 1))).bytes
    throw new Error('no answer')
  })
  await expect(undone).rejects.toThrow('no answer')
  expect(Uint8Array.from(kept!)).toEqual(new Uint8Array(32))
})

test('hundreds of acts are cut into several groups, all of them answered', async () => {
  const { store, transactions } = await watchedStore()
  const before = transactions()
  await Promise.all(Array.from({ length: 600 }, (_, at) => create(store, at + 1)))
  expect(transactions() - before).toBeGreaterThan(2)
  expect(await get(store, 600)).toEqual(materialOf(600))
})

test('closing answers what is queued and takes nothing more', async () => {
  const store = await newStore()
  const queued = create(store, 1)
  const closing = store.close()
  await expect(create(store, 2)).rejects.toThrow('closed')
  await closing
  expect((await queued).id).toBe(idOf(1))
})

interface Watched {
  readonly store: Store
  readonly driver: SqlDriver
  /** Write transactions so far. */
  transactions(): number
  /** Makes the next transaction fail at its commit. */
  failNext(at: 'COMMIT'): void
}

/** A store over a driver that counts transactions and can be told to fail one at its end. */
async function watchedStore(): Promise<Watched> {
  const file = join(temporaryFolder(), 'test.db')
  closeSync(openSync(file, 'wx'))
  const sqlite = await openSqlite({ file })
  let transactions = 0
  let failing = false
  const driver: SqlDriver = {
    ...sqlite,
    transaction(fn) {
      transactions++
      return sqlite.transaction(async (sql) => {
        const result = await fn(sql)
        if (!failing) return result
        failing = false
        // A deferred constraint that fails only at COMMIT, as a full disk may.
        await breakAtCommit(sql)
        return result
      })
    },
  }
  await sqlite.transaction(async (sql) => {
    await sql.query('CREATE TABLE parents (n INTEGER PRIMARY KEY)')
    await sql.query(
      'CREATE TABLE children (n INTEGER REFERENCES parents (n) DEFERRABLE INITIALLY DEFERRED)',
    )
  })
  const masterKey = memoryMasterKey()
  await createStoreIn(driver)
  const store = await openStore({ driver, masterKey, writer: 'serve', groupTime: Infinity })
  onTestFinished(() => store.close())
  return { store, driver, transactions: () => transactions, failNext: () => (failing = true) }
}

async function createStoreIn(driver: SqlDriver): Promise<void> {
  await createStore({ driver, masterKey: memoryMasterKey(), now: () => 1n })
}

async function breakAtCommit(sql: SqlSession): Promise<void> {
  await sql.query('INSERT INTO children (n) VALUES (1)')
}

async function limitPages(driver: SqlDriver, pragma: string): Promise<void> {
  await driver.transaction((sql) => sql.query(pragma))
}

test('a record names who did what when', async () => {
  const store = await newStore({ now: () => 1_900_000_000n })
  await create(store, 1)
  const [entry] = await store.readAudit({ chain: 'serve', after: 1, limit: 1 })
  expect(entry).toMatchObject({ actor, operation: 'Create', object: idOf(1), outcome: 'Success' })
  expect(entry).toMatchObject({ chain: 'serve', number: 2, time: 1_900_000_000n })
  expect(entry?.changes).toMatchObject([{ object: idOf(1), revision: 1 }])
})
