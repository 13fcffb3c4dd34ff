// Two nodes on a primary with a synchronous standby, a fleet of simulated libraries writing: a node is
// killed, then the primary, and the standby promoted. No acknowledged key is lost, none is doubled.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/kmip/client/client.ts'
import { readKit } from '../../simulator/kit.ts'
import { readBack, write } from '../../simulator/recording.ts'
import type { Keyreel } from '../fixtures/keyreel.ts'
import { fleetJourney, objectsOn, stageOn, twoNodes, type TwoNodes } from '../fixtures/fleet.ts'
import { postgresBinaries, withoutPostgres } from '../fixtures/postgres.ts'

/** Longest pause of a drive in milliseconds, from the crash of the primary; the standby's promotion is in it. */
const longestPause = 10_000

// A primary and a standby cannot be had from a URL alone.
const cannotRun = withoutPostgres() || postgresBinaries() === undefined

describe.skipIf(cannotRun)('two nodes, a primary and a synchronous standby', () => {
  let two: TwoNodes

  beforeAll(async () => {
    two = await twoNodes()
  }, 120_000)

  afterAll(() => two.remove())

  test('what one node does counts at the other', { timeout: 120_000 }, async () => {
    const { folder } = two
    const [a, b] = two.nodes as [Keyreel, Keyreel]
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
      const { primary } = two
      const [a, b] = two.nodes as [Keyreel, Keyreel]
      const before = await objectsOn(b)
      let crash: Promise<void> | undefined
      const journey = await fleetJourney(
        two,
        (written, tapes) => {
          if (written === Math.floor(tapes / 3)) void a.kill()
          if (written === Math.floor((2 * tapes) / 3)) crash = primary.crash().then(two.promote)
        },
        () => crash!,
      )
      expect(journey.ofKind('no-server')).toBe(0)
      expect(journey.ofKind('key-refused')).toBe(0)
      expect(journey.ofKind('key-not-found')).toBe(0)
      expect(journey.ofKind('failover')).toBeLessThanOrEqual(journey.drives)
      expect(journey.longestWait).toBeLessThan(longestPause)
      expect((await objectsOn(b)) - before).toBe(journey.tapes)
    },
  )
})
