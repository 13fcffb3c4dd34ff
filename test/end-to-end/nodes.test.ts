// Two nodes on a primary with a synchronous standby, a fleet of simulated libraries writing: a node is
// killed, then the primary, and the standby promoted. No acknowledged key is lost, none is doubled.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/kmip/client/client.ts'
import type { Cartridge } from '../../simulator/cartridge.ts'
import { dialectNamed } from '../../simulator/dialects.ts'
import { readKit } from '../../simulator/kit.ts'
import type { Library } from '../../simulator/library.ts'
import { readBack, write, type Recording } from '../../simulator/recording.ts'
import { Stage } from '../../simulator/stage.ts'
import { runKeyreel, startKeyreel, type Keyreel } from '../fixtures/keyreel.ts'
import {
  makeCluster,
  postgresBinaries,
  withoutPostgres,
  type Cluster,
} from '../fixtures/postgres.ts'

const libraries = 2
const cartridgesEach = 12
/** Longest pause of a drive in milliseconds, from the crash of the primary; the standby's promotion is in it. */
const longestPause = 10_000

// A primary and a standby cannot be had from a URL alone.
const cannotRun = withoutPostgres() || postgresBinaries() === undefined

describe.skipIf(cannotRun)('two nodes, a primary and a synchronous standby', () => {
  let folder: string
  let primary: Cluster
  let standby: Cluster
  const nodes: Keyreel[] = []

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'keyreel-nodes-'))
    primary = await makeCluster()
    await primary.start()
    standby = await primary.standby('standby')
    await standby.start()
    await primary.query(`ALTER SYSTEM SET synchronous_standby_names = 'standby'`)
    await primary.query('SELECT pg_reload_conf()')
    const inStep = `SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'`
    while ((await primary.query(inStep)).length === 0) await delay(50)

    const databases = [primary, standby].flatMap(({ url }) => ['--database', url])
    for (const name of ['kms-a', 'kms-b']) {
      const data = join(folder, name)
      const key = join(folder, 'master.key')
      const joins = nodes.length === 0 ? [] : ['--master-key-file', key]
      const flags = ['--node', name, '--host', '127.0.0.1', '--host', 'localhost']
      const made = await runKeyreel(['init', '--data', data, ...databases, ...flags, ...joins])
      expect(made).toMatchObject({ status: 0 })
      if (nodes.length === 0) copyFileSync(join(data, 'master.key'), key)
      nodes.push(await startKeyreel({ data }))
    }
  }, 120_000)

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    await Promise.all([primary, standby].map((cluster) => cluster.remove()))
    rmSync(folder, { recursive: true, force: true })
  })

  test('what one node does counts at the other', { timeout: 120_000 }, async () => {
    const [a, b] = nodes as [Keyreel, Keyreel]
    const kit = await readKit((await a.enrol('early')).directory)
    const stage = stageOn([b], [kit], join(folder, 'early'))
    const library = stage.library()
    const cartridge = await stage.cartridge('KR0001L8')
    await library.insert(cartridge)
    await write(await library.mount(cartridge, 0), { seed: 1, blocks: 1, blockSize: 512 })
    await library.dismount(0)
    const there = stageOn([a], [kit], join(folder, 'other'))
    const other = there.library()
    await other.insert(cartridge)
    await readBack(await other.mount(cartridge, 0), [{ seed: 1, blocks: 1, blockSize: 512 }])
    await other.dismount(0)
    await there.close()
    await stage.close()

    const { host, port } = b
    const key = { ca: kit.ca, cert: kit.certificate, key: kit.key }
    const client = await connect({ host, port, ...key, reconnect: { attempts: 1 } })
    const ping = () => client.call('Query', { QueryFunction: ['QueryOperations'] })
    await ping()
    expect((await a.cli('library', 'revoke', 'early', '--yes')).status).toBe(0)
    const since = performance.now()
    const isAnswered = () => ping().then(Boolean, () => false)
    while (await isAnswered()) {
      expect(performance.now() - since).toBeLessThan(5_000)
      await delay(50)
    }
    await client.close()
    const { stdout } = await b.cli('status', '--json')
    const status = JSON.parse(stdout) as {
      nodes: { name: string; running: boolean; version: string; leads: boolean }[]
    }
    expect(status.nodes).toMatchObject([
      { name: 'kms-a', running: true, leads: true },
      { name: 'kms-b', running: true, leads: false },
    ])
  })

  test(
    'a fleet writes on while a node and then the primary is killed',
    { timeout: 300_000 },
    async () => {
      const [a, b] = nodes as [Keyreel, Keyreel]
      const kits = []
      for (let n = 0; n < libraries; n += 1) {
        kits.push(await readKit((await a.enrol(`fleet-${n}`)).directory))
      }
      const before = await objectsOn(b)
      const stage = stageOn([a, b], kits, join(folder, 'fleet'))
      const fleet = await Promise.all(kits.map((_, n) => stocked(stage, n)))
      const everything = fleet.flatMap(({ tapes }) => tapes)
      let written = 0
      let crash: Promise<void> | undefined
      await Promise.all(
        fleet.map((one) =>
          onEveryDrive(one, async (library, { cartridge, recording }, drive) => {
            await write(await library.mount(cartridge, drive), recording)
            written += 1
            if (written === Math.floor(everything.length / 3)) void a.kill()
            if (written === Math.floor((2 * everything.length) / 3)) crash = failOver()
          }),
        ),
      )
      expect(crash).toBeDefined()
      await crash
      await Promise.all(
        fleet.map((one) =>
          onEveryDrive(one, async (library, { cartridge, recording }, drive) => {
            await readBack(await library.mount(cartridge, drive), [recording])
          }),
        ),
      )

      const events = fleet.flatMap(({ library }) => library.journal.events())
      const ofKind = (kind: string) => events.filter((event) => event.kind === kind)
      expect(ofKind('no-server')).toEqual([])
      expect(ofKind('key-refused')).toEqual([])
      expect(ofKind('key-not-found')).toEqual([])
      const drives = fleet.reduce((sum, { library }) => sum + library.drives.length, 0)
      expect(ofKind('failover').length).toBeLessThanOrEqual(drives)
      const waits = events.flatMap((event) => ('milliseconds' in event ? [event.milliseconds] : []))
      expect(Math.max(...waits)).toBeLessThan(longestPause)
      expect((await objectsOn(b)) - before).toBe(everything.length)
      await stage.close()
    },
  )

  /** The primary dies as a machine does; whoever watches promotes the standby, which waits for nobody. */
  async function failOver(): Promise<void> {
    await primary.crash()
    await standby.promote()
    await standby.query('ALTER SYSTEM RESET synchronous_standby_names')
    await standby.query('SELECT pg_reload_conf()')
  }
})

/** How many objects verify, all chains and rows being sound. */
async function objectsOn(node: Keyreel): Promise<number> {
  const { status, stdout, stderr } = await node.cli('audit', 'verify', '--json')
  expect({ status, stderr }).toMatchObject({ status: 0 })
  return (JSON.parse(stdout) as { objects: number }).objects
}

function stageOn(
  servers: readonly Keyreel[],
  kits: Awaited<ReturnType<typeof readKit>>[],
  scratch: string,
): Stage {
  const addresses = servers.map(({ host, port }) => ({ host, port }))
  return new Stage({ servers: addresses, kits, dialect: dialectNamed('P-strict14'), scratch })
}

interface Tape {
  readonly cartridge: Cartridge
  readonly recording: Recording
}

interface Stocked {
  readonly library: Library
  readonly tapes: readonly Tape[]
}

async function stocked(stage: Stage, n: number): Promise<Stocked> {
  const library = stage.library({ kit: n, storageSlots: cartridgesEach })
  const tapes: Tape[] = []
  for (let m = 0; m < cartridgesEach; m += 1) {
    const cartridge = await stage.cartridge(`F${n}${String(m).padStart(4, '0')}L8`)
    library.robot.stock(cartridge)
    tapes.push({ cartridge, recording: { seed: n * 100 + m, blocks: 2, blockSize: 4096 } })
  }
  return { library, tapes }
}

/** Every drive of the library takes the next tape until there is none. */
async function onEveryDrive(
  { library, tapes }: Stocked,
  work: (library: Library, tape: Tape, drive: number) => Promise<void>,
): Promise<void> {
  const waiting = [...tapes]
  await Promise.all(
    library.drives.map(async (_, drive) => {
      for (let tape = waiting.shift(); tape !== undefined; tape = waiting.shift()) {
        await work(library, tape, drive)
        await library.dismount(drive)
      }
    }),
  )
}
