// What nodes on one database say of themselves, and which of them leads.
import { expect, test } from 'vitest'
import { missedNodes } from '../../src/cli/commands/node-views.ts'
import {
  announceNode,
  demandNodeName,
  isRunningNode,
  leadingNode,
  leaveLead,
  nodesOf,
  takeLead,
  type NodeReport,
} from '../../src/keystore/nodes.ts'
import { dataDirectory, opened } from './sample.ts'

const day = 86_400_000
const now = 1_800_000_000_000

const report = (node: string, changes: Partial<NodeReport> = {}): NodeReport => ({
  node,
  home: `${node}:/var/lib/keyreel`,
  version: '0.1.0',
  kmip: '127.0.0.1:5696',
  started: now - 30 * day,
  heard: now,
  clockAhead: 0,
  stopped: false,
  contacts: [],
  ...changes,
})

async function storeAt(time: { now: bigint }) {
  return opened(await dataDirectory(), { now: () => time.now })
}

test('a client that has not been at a node since its start keeps its last contact there', async () => {
  const store = await storeAt({ now: BigInt(now / 1000) })
  const seen = (client: string, lastContact: number) => ({ client, lastContact, connections: 1 })
  await store.act((work) => announceNode(work, report('b')))
  await store.act((work) => announceNode(work, report('a', { contacts: [seen('alpha', 5)] })))
  await store.act((work) => announceNode(work, report('a', { contacts: [seen('beta', 9)] })))
  const nodes = await store.read(nodesOf)
  expect(nodes.map(({ node }) => node)).toEqual(['a', 'b'])
  expect(nodes[0]!.contacts).toEqual([seen('beta', 9), { ...seen('alpha', 5), connections: 0 }])
})

test('a name is refused while another node of that name runs, not after a restart', async () => {
  const store = await storeAt({ now: BigInt(now / 1000) })
  await store.act((work) => announceNode(work, report('a')))
  const demand = (home: string, at: number) =>
    store.read((work) => demandNodeName(work, { node: 'a', home }, at))
  await expect(demand('elsewhere:/data', now + 1000)).rejects.toMatchObject({
    code: 'node-name-taken',
  })
  await demand('a:/var/lib/keyreel', now + 1000)
  await demand('elsewhere:/data', now + 31_000)
})

test('one node leads, another when it leaves or falls silent', async () => {
  const time = { now: 1000n }
  const store = await storeAt(time)
  const take = (node: string) => store.act((work) => takeLead(work, node))
  expect([await take('a'), await take('b'), await take('a')]).toEqual([true, false, true])
  time.now += 31n
  expect([await take('b'), await take('a')]).toEqual([true, false])
  await store.act((work) => leaveLead(work, 'a'))
  expect(await store.read(leadingNode)).toBe('b')
  await store.act((work) => leaveLead(work, 'b'))
  expect(await take('a')).toBe(true)
})

test('status warns of silent nodes, differing clocks, and libraries that use only some nodes', () => {
  const alpha = [{ client: 'alpha', connections: 1, lastContact: now }]
  const clients = [{ name: 'alpha' }, { name: 'beta' }]
  const missed = (...nodes: NodeReport[]) => missedNodes(nodes, clients, now)
  expect(missed(report('a', { contacts: alpha }), report('b', { contacts: alpha }))).toEqual([])
  const old = [{ client: 'alpha', connections: 0, lastContact: now - 9 * day }]
  expect(missed(report('a', { contacts: alpha }), report('b', { contacts: old }))).toEqual([
    'alpha has not spoken to node b for 9 days',
  ])
  expect(missed(report('a', { contacts: alpha }), report('b'))).toEqual([
    'alpha has never spoken to node b',
  ])
  expect(missed(report('a', { heard: now - day }), report('b', { clockAhead: -2500 }))).toEqual([
    expect.stringContaining('node a has said nothing since'),
    `the clock of node b is 2.5 s behind against the database's`,
  ])
  expect(isRunningNode(report('a', { stopped: true }), now)).toBe(false)
})
