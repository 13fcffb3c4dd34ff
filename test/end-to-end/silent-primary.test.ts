// A primary that vanishes without a word, all its processes standing still, while a fleet writes through two
// nodes: the standby is promoted, and goes on being the primary when the old one wakes up.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runKeyreel, startKeyreel, type Keyreel } from '../fixtures/keyreel.ts'
import { fleetJourney, objectsOn, twoNodes, type TwoNodes } from '../fixtures/fleet.ts'
import { withoutCluster } from '../fixtures/postgres.ts'

/** Longest pause of a drive in milliseconds; noticing, and the standby's promotion, are in it. */
const longestPause = 10_000

describe.skipIf(withoutCluster())('two nodes, and a primary that falls silent', () => {
  let two: TwoNodes

  beforeAll(async () => {
    two = await twoNodes()
  }, 120_000)

  afterAll(() => two.remove())

  test('a fleet writes on after at most 10 s', { timeout: 300_000 }, async () => {
    const { primary } = two
    const [, b] = two.nodes as [Keyreel, Keyreel]
    const before = await objectsOn(b)
    let failover: Promise<void> | undefined
    const journey = await fleetJourney(
      two,
      (written, tapes) => {
        if (written !== Math.floor(tapes / 2)) return
        primary.freeze()
        failover = two.promote()
      },
      () => failover!,
    )
    expect(journey.ofKind('no-server')).toBe(0)
    expect(journey.ofKind('key-refused')).toBe(0)
    expect(journey.ofKind('key-not-found')).toBe(0)
    expect(journey.mostRetries).toBeLessThanOrEqual(1)
    expect(journey.longestWait).toBeLessThan(longestPause)
    expect((await objectsOn(b)) - before).toBe(journey.tapes)
  })

  test(
    'nodes that start again refuse the old primary, which woke up',
    { timeout: 120_000 },
    async () => {
      const { primary, standby, nodes } = two
      const [{ data }] = nodes as [Keyreel]
      for (const node of nodes) expect(await node.stop()).toBe(0)
      primary.thaw()
      const again = await startKeyreel({ data })
      nodes[0] = again
      const checked = await again.cli('doctor', 'checkpoint')
      expect(checked.stdout).toContain('this node refuses a database that is behind what it saw at')
      expect(await again.stop()).toBe(0)

      await standby.crash()
      for (const command of ['doctor', 'serve']) {
        const refused = await runKeyreel([command, '--data', data])
        expect(refused.status).toBe(1)
        expect(refused.stderr).toMatch(
          /^error: .*it lacks changes that keyreel has already answered for/m,
        )
        expect(refused.stderr).toMatch(/^hint: .*bring back the one before it/m)
      }
    },
  )
})
