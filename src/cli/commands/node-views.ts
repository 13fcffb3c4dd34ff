// The nodes on one database as `keyreel status` shows them: version, clock, who was last heard where.
import { isRunningNode, type NodeReport } from '../../keystore/nodes.ts'
import { isoMoment, moment, table } from '../output.ts'
import type { Style } from '../output.ts'

/** Milliseconds of difference between clocks that are worth a warning. */
const skewNoted = 2_000

/** Days after which a library that speaks to other nodes only is worth a warning. */
const daysNoted = 7
const day = 86_400_000

const seconds = (milliseconds: number): bigint => BigInt(Math.floor(milliseconds / 1000))

/** One line for each node. */
export function nodesTable(
  nodes: readonly NodeReport[],
  leader: string | undefined,
  now: number,
  style: Style,
): string {
  const columns = {
    NODE: ({ node }: NodeReport) => node,
    STATE: (report: NodeReport) => stateOf(report, leader, now),
    VERSION: ({ version }: NodeReport) => version,
    KMIP: ({ kmip }: NodeReport) => kmip,
    CONNECTIONS: (report: NodeReport) =>
      report.contacts.reduce((sum, { connections }) => sum + connections, 0),
    HEARD: ({ heard }: NodeReport) => moment(seconds(heard)),
    CLOCK: ({ clockAhead }: NodeReport) => clockText(clockAhead),
  }
  const empty = 'no node serves this keystore yet:  keyreel serve'
  return table(columns, nodes, style, empty)
}

/** Columns of a table of libraries: when each was last heard of at each node. */
export function contactColumns(
  nodes: readonly NodeReport[],
): Record<string, (library: { readonly name: string }) => string | undefined> {
  const columns = nodes.map(({ node, contacts }) => {
    const at = ({ name }: { readonly name: string }) => {
      const contact = contacts.find(({ client }) => client === name)
      return contact === undefined ? 'never' : moment(seconds(contact.lastContact))
    }
    return [`AT ${node}`, at] as const
  })
  return Object.fromEntries(columns)
}

/** The same for programs. */
export function nodesJson(nodes: readonly NodeReport[], leader: string | undefined, now: number) {
  return nodes.map((report) => ({
    name: report.node,
    running: isRunningNode(report, now),
    leads: report.node === leader,
    version: report.version,
    kmip: report.kmip,
    ...(report.https !== undefined && { https: report.https }),
    started: isoMoment(seconds(report.started)),
    heard: isoMoment(seconds(report.heard)),
    clockAheadMilliseconds: report.clockAhead,
    contacts: report.contacts.map(({ client, connections, lastContact }) => ({
      client,
      connections,
      lastContact: isoMoment(seconds(lastContact)),
    })),
  }))
}

/** What is wrong among the nodes: silent ones, clocks that differ, libraries that use only some of them. */
export function missedNodes(
  nodes: readonly NodeReport[],
  clients: readonly { readonly name: string }[],
  now: number,
): string[] {
  const found: string[] = []
  for (const report of nodes) {
    const { node, clockAhead, contacts, started } = report
    if (!isRunningNode(report, now)) {
      found.push(`node ${node} has said nothing since ${moment(seconds(report.heard))}`)
      continue
    }
    if (Math.abs(clockAhead) >= skewNoted) {
      found.push(`the clock of node ${node} is ${clockText(clockAhead)} against the database's`)
    }
    for (const { name } of clients) {
      const last = contacts.find(({ client }) => client === name)?.lastContact
      const days = Math.floor((now - (last ?? started)) / day)
      if (days < daysNoted || !speaksElsewhere(nodes, node, name)) continue
      found.push(
        last === undefined
          ? `${name} has never spoken to node ${node}`
          : `${name} has not spoken to node ${node} for ${days} days`,
      )
    }
  }
  return found
}

function speaksElsewhere(nodes: readonly NodeReport[], node: string, client: string): boolean {
  return nodes.some(
    (other) => other.node !== node && other.contacts.some((contact) => contact.client === client),
  )
}

function stateOf(report: NodeReport, leader: string | undefined, now: number): string {
  if (isRunningNode(report, now)) return report.node === leader ? 'running, leads' : 'running'
  return report.stopped ? 'stopped' : 'silent'
}

function clockText(ahead: number): string {
  const text = `${(Math.abs(ahead) / 1000).toFixed(1)} s`
  if (Math.abs(ahead) < 100) return 'even'
  return ahead > 0 ? `${text} ahead` : `${text} behind`
}
