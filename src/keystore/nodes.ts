// The nodes that share one database: what each says of itself every few seconds, and which of them does
// the work that must be done once. Both are transients: a node that is gone is forgotten by itself.
import { UserError } from '../errors.ts'
import type { AuditActor, JsonValue, Work } from './work.ts'

/** What a node says of itself. Times are milliseconds since 1970 by the node's own clock. */
export interface NodeReport {
  readonly node: string
  /** Machine and directory: tells a restarted node from another of the same name. */
  readonly home: string
  readonly version: string
  readonly kmip: string
  readonly https?: string
  readonly started: number
  readonly heard: number
  /** Milliseconds by which its clock is ahead of the database's. */
  readonly clockAhead: number
  /** Whether it has said that it stops. */
  readonly stopped: boolean
  readonly contacts: readonly NodeContact[]
}

/** When a client was last heard of at a node. */
export interface NodeContact {
  readonly client: string
  readonly connections: number
  readonly lastContact: number
}

/** Owner of the transients of nodes; no client has this name. */
const owner: AuditActor['name'] = '(nodes)'

/** Seconds for which a node that says nothing is remembered. */
const remembered = 365n * 86_400n

/** Milliseconds after which a node that says nothing counts as gone. */
export const silentAfter = 30_000

/** Seconds for which a node keeps the work that must be done once, unless it says so again. */
const leaseTime = 30n

const mostNodes = 100

/** The nodes, by name. */
export async function nodesOf(work: Work): Promise<readonly NodeReport[]> {
  const rows = await work.transients('node', owner, mostNodes)
  return rows
    .map(({ body }) => body as unknown as NodeReport)
    .sort((one, other) => (one.node < other.node ? -1 : 1))
}

/** Whether the node has said something lately. */
export function isRunningNode({ heard, stopped }: NodeReport, now: number): boolean {
  return !stopped && now - heard < silentAfter
}

/** Writes down what a node says; clients that have not been there since its start keep their last contact. */
export async function announceNode(work: Work, report: NodeReport): Promise<void> {
  const before = await reportOf(work, report.node)
  const known = new Set(report.contacts.map(({ client }) => client))
  const absent = (before?.contacts ?? []).filter(({ client }) => !known.has(client))
  const contacts = [...report.contacts, ...absent.map((entry) => ({ ...entry, connections: 0 }))]
  await work.putTransient({
    kind: 'node',
    name: report.node,
    owner,
    expires: work.now + remembered,
    body: { ...report, contacts } as unknown as JsonValue,
  })
}

/** Throws UserError 'node-name-taken' while another node of that name is running. */
export async function demandNodeName(
  work: Work,
  { node, home }: Pick<NodeReport, 'node' | 'home'>,
  now: number,
): Promise<void> {
  const before = await reportOf(work, node)
  if (before === undefined || before.home === home || !isRunningNode(before, now)) return
  throw new UserError(
    'node-name-taken',
    `another node with the name ${node} runs on this database (${before.home})`,
    'give this one a name of its own with --node NAME, or in its settings',
  )
}

async function reportOf(work: Work, node: string): Promise<NodeReport | undefined> {
  return (await work.transient('node', node))?.body as unknown as NodeReport | undefined
}

/** Whether the node does, for a while, the work that must be done once; it then does it until it is silent. */
export async function takeLead(work: Work, node: string): Promise<boolean> {
  const leader = await leadingNode(work)
  if (leader !== undefined && leader !== node) return false
  await work.putTransient({
    kind: 'lease',
    name: 'upkeep',
    owner,
    expires: work.now + leaseTime,
    body: { node },
  })
  return true
}

/** Gives the work up, so that another node takes it at once. */
export async function leaveLead(work: Work, node: string): Promise<void> {
  if ((await leadingNode(work)) === node) await work.deleteTransient('lease', 'upkeep')
}

/** The node that does the work which must be done once. */
export async function leadingNode(work: Work): Promise<string | undefined> {
  const lease = await work.transient('lease', 'upkeep')
  return (lease?.body as { node: string } | undefined)?.node
}
