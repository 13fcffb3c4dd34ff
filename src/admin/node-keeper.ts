// What a server does as one of several nodes on a database: says every few seconds that it is there, and
// takes part in choosing the one that does what must be done once; and keeps what it has seen of the database,
// so that it refuses one that is behind. On a file there is nobody else.
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import {
  announceNode,
  demandNodeName,
  leaveLead,
  takeLead,
  type NodeContact,
  type NodeReport,
} from '../keystore/nodes.ts'
import type { Store } from '../keystore/store.ts'

/** What the node is known by. */
export interface NodeFacts {
  readonly directory: string
  readonly version: string
}

/** What there is to say once it serves. */
export interface Serving {
  readonly kmip: string
  readonly https?: string | undefined
  clients(): readonly NodeContact[]
}

/** Keeps one node's place among the others. */
export class NodeKeeper {
  readonly #store: Store
  readonly #facts: NodeFacts
  readonly #started = Date.now()
  #serving: Serving | undefined
  #leads: boolean

  constructor(store: Store, facts: NodeFacts) {
    this.#store = store
    this.#facts = facts
    this.#leads = store.node === undefined
  }

  /** Throws UserError 'node-name-taken'. */
  async start(): Promise<void> {
    const { node } = this.#store
    if (node === undefined) return
    const home = this.#home()
    await this.#store.read((work) => demandNodeName(work, { node, home }, Date.now()))
    await this.#elect()
  }

  /** From now on there is something to say. */
  async serves(serving: Serving): Promise<void> {
    this.#serving = serving
    await this.beat()
  }

  /** Says that the node is there, and whether it leads. */
  async beat(): Promise<void> {
    await this.#announce(false)
    await this.#elect()
    await this.#store.keepLastSeen()
  }

  /** Runs `task` only while this node does what must be done once. */
  alone(task: () => Promise<void>): () => Promise<void> {
    return () => (this.#leads ? task() : Promise.resolve())
  }

  /** Says goodbye. */
  async stop(): Promise<void> {
    const { node } = this.#store
    if (node === undefined) return
    await this.#announce(true)
    await this.#store.act((work) => leaveLead(work, node))
    await this.#store.keepLastSeen()
  }

  async #elect(): Promise<void> {
    const { node } = this.#store
    if (node === undefined) return
    // Nobody leads for longer than the database says so.
    this.#leads = false
    this.#leads = await this.#store.act((work) => takeLead(work, node))
  }

  async #announce(stopped: boolean): Promise<void> {
    const { node } = this.#store
    if (node === undefined || this.#serving === undefined) return
    const { kmip, https, clients } = this.#serving
    const report: NodeReport = {
      node,
      home: this.#home(),
      version: this.#facts.version,
      kmip,
      ...(https !== undefined && { https }),
      started: this.#started,
      heard: Date.now(),
      clockAhead: await this.#store.clockAhead(),
      stopped,
      contacts: clients().map(({ client, connections, lastContact }) => ({
        client,
        connections: stopped ? 0 : connections,
        lastContact,
      })),
    }
    await this.#store.act((work) => announceNode(work, report))
  }

  #home(): string {
    return `${hostname()}:${resolve(this.#facts.directory)}`
  }
}
