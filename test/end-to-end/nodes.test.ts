// Two nodes on a primary with a synchronous standby, a fleet of simulated libraries writing: a node is
// killed, then the primary, and the standby promoted. No acknowledged key is lost, none is doubled.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, type Client } from '../../src/kmip/client/client.ts'
import { readKit, type Kit } from '../../simulator/kit.ts'
import { readBack, write } from '../../simulator/recording.ts'
import type { Keyreel } from '../fixtures/keyreel.ts'
import { fleetJourney, objectsOn, stageOn, twoNodes, type TwoNodes } from '../fixtures/fleet.ts'
import { withoutCluster } from '../fixtures/postgres.ts'

/** Longest pause of a drive in milliseconds, from the crash of the primary; the standby's promotion is in it. */
const longestPause = 10_000

describe.skipIf(withoutCluster())('two nodes, a primary and a synchronous standby', () => {
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

    const hasMet = () =>
      statusOf(b).then((nodes) => nodes.every(({ contacts }) => contacts.some(isEarly)))
    const isEarly = ({ client }: { client: string }) => client === 'early'
    await within(20_000, hasMet)
    expect(await statusOf(b)).toMatchObject([
      { name: 'kms-a', running: true, leads: true, clockAheadMilliseconds: expect.any(Number) },
      { name: 'kms-b', running: true, leads: false, clockAheadMilliseconds: expect.any(Number) },
    ])
  })

  test('a key of one node is handed out by the other as soon as its Create is answered', async () => {
    const clients: Client[] = []
    const [a] = two.nodes as [Keyreel, Keyreel]
    const kit = await readKit((await a.enrol('swift')).directory)
    for (const { host, port } of two.nodes) clients.push(await clientOf(host, port, kit))
    for (let round = 0; round < 40; round++) {
      const [one, other] = round % 2 === 0 ? clients : clients.toReversed()
      const { UniqueIdentifier } = await one!.call('Create', newKey)
      const got = await other!.call('Get', { UniqueIdentifier })
      expect(got.SymmetricKey?.KeyBlock).toBeDefined()
      await other!.call('Activate', { UniqueIdentifier })
      await expect(one!.call('Activate', { UniqueIdentifier })).rejects.toThrow(/Active/)
    }
    await Promise.all(clients.map((client) => client.close()))
  })

  test('policies, certificates and revocations of one node count at the other within 5 s', async () => {
    const [a, b] = two.nodes as [Keyreel, Keyreel]
    const { host, port } = b
    const kit = await readKit((await a.enrol('late')).directory)
    const client = await clientOf(host, port, kit)
    const { UniqueIdentifier } = await client.call('Create', newKey)
    expect((await a.cli('group', 'set', 'default', 'destroy=refuse')).status).toBe(0)
    // Every act asks for it anew.
    await expect(client.call('Destroy', { UniqueIdentifier })).rejects.toThrow(
      /refuses Destroy by its policy/,
    )

    const shown = await fingerprintAt(b, kit.ca)
    expect((await a.cli('server', 'certificate', 'renew')).status).toBe(0)
    await within(5_000, async () => (await fingerprintAt(b, kit.ca)) !== shown)

    const isAnswered = () =>
      client.call('Query', { QueryFunction: ['QueryOperations'] }).then(Boolean, () => false)
    expect(await isAnswered()).toBe(true)
    expect((await a.cli('library', 'revoke', 'late', '--yes')).status).toBe(0)
    await within(5_000, async () => !(await isAnswered()))
    await client.close()
  }, 120_000)

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
          if (written === Math.floor((2 * tapes) / 3)) crash = primary.kill().then(two.promote)
        },
        () => crash!,
      )
      expect(journey.ofKind('no-server')).toBe(0)
      expect(journey.ofKind('key-refused')).toBe(0)
      expect(journey.ofKind('key-not-found')).toBe(0)
      // The node that dies costs its libraries one retry, the primary none.
      expect(journey.mostRetries).toBe(1)
      expect(journey.longestWait).toBeLessThan(longestPause)
      expect((await objectsOn(b)) - before).toBe(journey.tapes)
      // The work that must be done once falls to the node that is left.
      await within(60_000, async () => (await statusOf(b))[1]!.leads)
    },
  )
})

const newKey = {
  ObjectType: 'SymmetricKey' as const,
  Attributes: [
    { tag: 'CryptographicAlgorithm' as const, value: 'AES' as const },
    { tag: 'CryptographicLength' as const, value: 256 },
    { tag: 'CryptographicUsageMask' as const, value: 0x0c },
  ],
}

function clientOf(host: string, port: number, kit: Kit): Promise<Client> {
  const { ca, certificate: cert, key } = kit
  return connect({ host, port, ca, cert, key, reconnect: { attempts: 1 } })
}

interface NodeStatus {
  readonly name: string
  readonly running: boolean
  readonly leads: boolean
  readonly contacts: readonly { readonly client: string }[]
}

async function statusOf(node: Keyreel): Promise<readonly NodeStatus[]> {
  const { stdout } = await node.cli('status', '--json')
  return (JSON.parse(stdout) as { nodes: NodeStatus[] }).nodes
}

/** Waits until it is so; fails when that takes longer. */
async function within(milliseconds: number, isSo: () => Promise<boolean>): Promise<void> {
  const since = performance.now()
  while (!(await isSo())) {
    expect(performance.now() - since).toBeLessThan(milliseconds)
    await delay(50)
  }
}

/** Fingerprint of the certificate that the server shows. */
async function fingerprintAt({ host, port }: Keyreel, ca: string): Promise<string> {
  const socket = tlsConnect({ host, port, ca })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  socket.once('secureConnect', () => resolve(socket.getPeerCertificate().fingerprint256))
  socket.once('error', reject)
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}
