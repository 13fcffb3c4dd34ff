// How many copies a commit has on PostgreSQL, as the primary tells it: a real primary with a standby.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { standbyAlarm } from '../../src/admin/ready-state.ts'
import { createStore } from '../../src/keystore/create-store.ts'
import { openPostgres } from '../../src/keystore/postgres-driver.ts'
import { openStore, type OpenOptions, type Store } from '../../src/keystore/store.ts'
import { makeCluster, waitForStandbys, withoutCluster, type Cluster } from '../fixtures/postgres.ts'
import { runKeyreel } from '../fixtures/keyreel.ts'
import {
  clock,
  createKey,
  done,
  get,
  idOf,
  materialOf,
  memoryMasterKey,
  sampleObject,
  temporaryFolder,
} from './sample.ts'

vi.setConfig({ testTimeout: 15_000 })

describe.skipIf(withoutCluster())('a primary and a standby', () => {
  let primary: Cluster
  let standby: Cluster

  beforeAll(async () => {
    primary = await makeCluster()
    await primary.start()
    standby = await primary.standby('second')
    await standby.start()
    const driver = await openPostgres({ urls: [primary.url] })
    await createStore({ driver, masterKey: memoryMasterKey(), now: () => clock })
    await driver.close()
  }, 120_000)

  afterAll(() => Promise.all([primary, standby].map((cluster) => cluster.remove())))

  const names = (setting: string) => waitForStandbys(primary, setting)

  async function opened(url = primary.url, more: Partial<OpenOptions> = {}): Promise<Store> {
    const driver = await openPostgres({ urls: [url] })
    const masterKey = memoryMasterKey()
    const store = await openStore({ driver, masterKey, writer: 'serve', now: () => clock, ...more })
    onTestFinished(() => store.close())
    return store
  }

  const copies = (store: Store) => store.read((work) => work.copies())

  /** What is told once it says that. */
  async function until(store: Store, words: RegExp | number): Promise<void> {
    for (;;) {
      const { count, missing } = await copies(store)
      if (typeof words === 'number' ? count === words : words.test(missing)) return
      await delay(20)
    }
  }

  test('an asynchronous standby is no copy', async () => {
    await names('')
    const store = await opened()
    await until(store, /the standby of the database is asynchronous/)
    expect((await copies(store)).count).toBe(1)
  })

  test.each(['second', 'FIRST 1 (second, third)', 'ANY 1 (*)', '1 (second)'])(
    'a synchronous one is, named as %s',
    async (setting) => {
      await names(setting)
      await until(await opened(), 2)
    },
  )

  test('more than there are do not count, nor does one that may only have been sent it', async () => {
    await names('second')
    const store = await opened()
    await until(store, 2)
    // Nothing is committed while it waits for two.
    await names('ANY 2 (*)')
    await until(store, /away \(1 of 2 there\)/)
    await names('second')
    await until(store, 2)
    const slack = '-c synchronous_commit=remote_write'
    const other = await opened(`${primary.url}&options=${encodeURIComponent(slack)}`)
    expect(await copies(other)).toEqual({
      count: 1,
      missing: 'the database is set to synchronous_commit=remote_write',
    })
  })

  test('a group that wants two copies gets keys only while there are', async () => {
    await names('second')
    const store = await opened()
    await until(store, 2)
    await store.act(async (work) => {
      await work.putDocument('group', 'default', { created: 1, ready: '2' })
      work.audit(done('group set'))
    })
    await createKey(store, 1)
    await names('')
    await until(store, /asynchronous/)
    await expect(createKey(store, 2)).rejects.toMatchObject({
      reason: 'GeneralFailure',
      message: expect.stringContaining('the standby of the database is asynchronous') as string,
    })
    expect(await get(store, 1)).toEqual(materialOf(1))
    expect(await store.read((work) => work.identifiers('', 9))).toHaveLength(1)
  })

  describe('once synchronous_standby_names is emptied under an act', () => {
    /** Makes a key as a group does that wants so many copies; `meanwhile` runs before the commit. */
    const madeKey = (store: Store, at: number, wanted: number, meanwhile: () => Promise<unknown>) =>
      store.act(async (work) => {
        if (wanted > 1) expect(await work.copies(wanted)).toMatchObject({ count: wanted })
        await work.insert(sampleObject({ id: idOf(at) }), materialOf(at))
        work.audit(done('Create', idOf(at)))
        await meanwhile()
      })

    test('what relies on a standby that is gone is not acknowledged, though nothing waits', async () => {
      await names('second')
      const store = await opened()
      await until(store, 2)
      const making = madeKey(store, 11, 2, async () => {
        await standby.crash()
        await names('')
      })
      await expect(making).rejects.toMatchObject({ code: 'commit-not-replicated' })
      await standby.start()
    })

    test('nor when the commit was waiting already', async () => {
      await names('second')
      const store = await opened()
      await until(store, 2)
      const making = madeKey(store, 12, 2, () => standby.crash())
      const refused = expect(making).rejects.toMatchObject({ code: 'commit-not-replicated' })
      await waiting()
      await names('')
      await refused
      await standby.start()
    })

    test('what relies on the primary alone is', async () => {
      await names('second')
      const store = await opened()
      await until(store, 2)
      const making = madeKey(store, 13, 1, () => standby.crash())
      await waiting()
      await names('')
      await making
      expect(await get(store, 13)).toEqual(materialOf(13))
      await standby.start()
    })

    test('what the standby has all the same counts', async () => {
      await names('second')
      const store = await opened()
      await until(store, 2)
      await madeKey(store, 14, 2, () => names(''))
      await standby.crash()
      await standby.start()
      const [row] = await standby.query(
        `SELECT count(*) FROM objects WHERE id = '\\x${idOf(14).replaceAll('-', '')}'`,
      )
      expect(Number(row![0])).toBe(1)
    })

    test('of three copies two are not enough', async () => {
      await names('second')
      const store = await opened()
      await until(store, 2)
      await store.act(async (work) => {
        // There are two: an act that wants three is refused, and relies on nothing.
        expect(await work.copies(3)).toMatchObject({ count: 2 })
        await work.insert(sampleObject({ id: idOf(15) }), materialOf(15))
        work.audit(done('Create', idOf(15)))
        await names('')
      })
      expect(await get(store, 15)).toEqual(materialOf(15))
    })
  })

  test('a server that may not look says so', async () => {
    await primary.query('CREATE ROLE plain LOGIN')
    await primary.query('GRANT ALL ON ALL TABLES IN SCHEMA public TO plain')
    await names('second')
    const store = await opened(primary.url.replace('keyreel@', 'plain@'))
    await until(store, /does not let this server see its standbys/)
  })

  describe('while the synchronous standby is away', () => {
    test('what leaves nothing to commit is answered, the rest is refused, and goes on by itself', async () => {
      await names('second')
      const store = await opened(primary.url, { standbyGrace: 0 })
      await until(store, 2)
      await note(store)
      const noted = (await store.readAudit({ chain: 'serve', limit: 999 })).length
      await standby.crash()
      await until(store, /away \(0 of 1 there\)/)

      // A refused Create is such an act.
      expect(await store.act((work) => work.copies())).toMatchObject({
        count: 1,
        stuckFor: expect.any(Number) as number,
      })
      const underWay = note(store)
      await waiting()
      const queued = note(store)
      const refused = expect(queued).rejects.toMatchObject({ code: 'standby-away' })
      const inDoubt = expect(underWay).rejects.toMatchObject({ code: 'commit-waits' })
      await store.watchStandby()
      await Promise.all([refused, inDoubt])
      await expect(note(store)).rejects.toMatchObject({ code: 'standby-away' })

      await standby.start()
      await until(store, 2)
      await store.watchStandby()
      expect(await note(store)).toBe('noted')
      // What nothing was promised of is kept all the same: it was waiting on the primary already.
      expect((await store.readAudit({ chain: 'serve', limit: 999 })).length).toBe(noted + 2)
    })
  })

  test('a standby that falls silent is noticed by the commit that waits for it', async () => {
    await names('second')
    const store = await opened(primary.url, { standbyGrace: 3_000 })
    const other = await opened(primary.url, { standbyGrace: 3_000, writer: 'cli' })
    await until(store, 2)
    await Promise.all([note(store), note(other)])
    onTestFinished(() => standby.thaw())
    standby.freeze()
    const underWay = note(store)
    await waiting()
    const queued = expect(note(other)).rejects.toMatchObject({ code: 'standby-away' })
    const since = performance.now()
    const lines: string[] = []
    const tell = (_: object, text: string) => void lines.push(text)
    const watch = standbyAlarm(other, { info: tell, error: tell })
    while (lines.length === 0) await delay(50).then(watch)
    expect(performance.now() - since).toBeLessThan(5_000)
    expect(lines).toEqual([expect.stringContaining('standby of the database does not answer')])
    await queued
    await expect(note(other)).rejects.toMatchObject({ code: 'standby-away' })
    // What only looks is answered.
    const looking = await opened(primary.url, { writer: 'cli' })
    expect(await copies(looking)).toMatchObject({ count: 1 })

    standby.thaw()
    expect(await underWay).toBe('noted')
    await watch()
    expect(lines.at(-1)).toBe('the synchronous standby answers again')
    expect(await note(other)).toBe('noted')
  })

  test('commands that record are refused at once while it is away, and status says who gets no keys', async () => {
    await names('second')
    const data = join(temporaryFolder(), 'data')
    await primary.query('CREATE SCHEMA commands')
    const url = `${primary.url}&options=${encodeURIComponent('-csearch_path=commands')}`
    const run = (...words: string[]) => runKeyreel([...words, '--data', data])
    expect(await run('init', '--database', url)).toMatchObject({ status: 0 })
    expect(await run('group', 'set', 'default', 'ready=2')).toMatchObject({ status: 0 })
    await standby.crash()
    const refused = await run('group', 'set', 'default', 'destroy=refuse')
    expect(refused).toMatchObject({ status: 1, stdout: '' })
    expect(refused.stderr).toMatch(
      /^error: the synchronous standby of the database is away .*\nhint: bring the standby back/,
    )
    const { status, stdout } = await run('status')
    expect(status).toBe(0)
    expect(stdout).toContain(
      'warning: group default wants new keys on 2 copies and there is 1: the synchronous standby of the database is away (0 of 1 there); its libraries get none',
    )
    const shown = JSON.parse((await run('status', '--json')).stdout) as { unready: unknown }
    expect(shown.unready).toEqual([{ group: 'default', wanted: 2 }])
    const checked = await run('doctor', 'ready')
    expect(checked).toMatchObject({ status: 1 })
    expect(checked.stdout).toMatch(/^failed +ready .*its libraries get none/m)
    await standby.start()
    await until(await opened(), 2)
    expect(await run('group', 'set', 'default', 'destroy=refuse')).toMatchObject({ status: 0 })
  }, 60_000)

  const note = (store: Store) =>
    store.act((work) => {
      work.audit({ actor: { name: 'a', kind: 'cli' }, operation: 'Test', outcome: 'Success' })
      return Promise.resolve('noted')
    })

  /** Until a commit waits for the standby. */
  async function waiting(): Promise<void> {
    const question = `SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
    while ((await primary.query(question)).length === 0) await delay(20)
  }
})
