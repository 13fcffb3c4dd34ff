/**
 * The ports of one server, TTLV and HTTPS, run as one: listened on, reloaded, rechecked and drained
 * together. Each keeps its own connections and limits, so that a flood on one leaves the other alone.
 */
import type { AddressInfo } from 'node:net'
import type { Contact } from './contacts.ts'
import { Listener, type ListenerOptions, type ListenerStatistics } from './listener.ts'
import type { ClientName, ListenerPorts } from './ports.ts'

/** Where a port is bound, and what it carries. */
export interface PortOptions extends ListenerOptions {
  readonly host: string
  readonly port: number
}

/** A port that accepts connections. */
interface OpenPort<Principal extends ClientName> {
  readonly listener: Listener<Principal>
  /** As bound: `HOST:PORT`, an IPv6 host in brackets. */
  readonly address: string
}

/** Made by `listen`. */
export class Listeners<Principal extends ClientName, Name extends string> {
  readonly #open: ReadonlyMap<Name, OpenPort<Principal>>

  private constructor(open: ReadonlyMap<Name, OpenPort<Principal>>) {
    this.#open = open
  }

  /** Opens every port, or none: throws UserError `listen` for one that cannot be bound. */
  static async listen<Principal extends ClientName, Name extends string>(
    ports: ListenerPorts<Principal>,
    wanted: Readonly<Partial<Record<Name, PortOptions>>>,
  ): Promise<Listeners<Principal, Name>> {
    const open = new Map<Name, OpenPort<Principal>>()
    const listeners = new Listeners(open)
    try {
      for (const [name, options] of Object.entries(wanted) as [Name, PortOptions | undefined][]) {
        if (options === undefined) continue
        const listener = new Listener<Principal>(ports, options)
        const bound = await listener.listen(options)
        open.set(name, { listener, address: addressText(bound) })
      }
    } catch (error) {
      await listeners.close()
      throw error
    }
    return listeners
  }

  /** The address of a port as bound; undefined when it was not wanted. */
  address(name: Name): string | undefined {
    return this.#open.get(name)?.address
  }

  /** See `Listener.reload`. */
  reload(): void {
    for (const { listener } of this.#open.values()) listener.reload()
  }

  /** See `Listener.recheck`; every port is asked, also when one rejects. */
  async recheck(): Promise<void> {
    const rechecks = [...this.#open.values()].map(({ listener }) => listener.recheck())
    const failed = (await Promise.allSettled(rechecks)).filter((one) => one.status === 'rejected')
    if (failed.length > 0) throw new AggregateError(failed.map(({ reason }) => reason as unknown))
  }

  /** Counts of each port. */
  statistics(): Readonly<Partial<Record<Name, ListenerStatistics>>> {
    const counts = [...this.#open].map(([name, { listener }]) => [name, listener.statistics()])
    return Object.fromEntries(counts) as Partial<Record<Name, ListenerStatistics>>
  }

  /** Every client that has been at any port, by name. */
  clients(): Contact[] {
    const byName = new Map<string, Contact>()
    for (const { listener } of this.#open.values()) {
      for (const contact of listener.statistics().clients) {
        const known = byName.get(contact.client)
        if (known === undefined) byName.set(contact.client, contact)
        else {
          known.connections += contact.connections
          known.requests += contact.requests
          known.lastContact = Math.max(known.lastContact, contact.lastContact)
        }
      }
    }
    return [...byName.values()].sort((a, b) => (a.client < b.client ? -1 : 1))
  }

  /** Drains every port at the same time; see `Listener.close`. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ listener }) => listener.close()))
  }
}

function addressText({ address, port }: AddressInfo): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}
