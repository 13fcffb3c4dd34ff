/** What is counted about each client: for status, metrics and the limit of connections per client. */
import type { Clock } from './ports.ts'

/** One client that has been here since the start. */
export interface Contact {
  readonly client: string
  /** Open now. */
  connections: number
  /** Requests since the start. */
  requests: number
  /** Of the newest connection or request, milliseconds since the epoch. */
  lastContact: number
}

/** Only identified clients get here, so there are as many as are enrolled and no more. */
export class Contacts {
  readonly #clock: Clock
  readonly #byName = new Map<string, Contact>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The client's record, made at its first connection. */
  of(client: string): Contact {
    let contact = this.#byName.get(client)
    if (contact === undefined) {
      contact = { client, connections: 0, requests: 0, lastContact: this.#clock.date() }
      this.#byName.set(client, contact)
    }
    return contact
  }

  /** Copies, by name. */
  list(): Contact[] {
    return [...this.#byName.values()]
      .map((contact) => ({ ...contact }))
      .sort((a, b) => (a.client < b.client ? -1 : 1))
  }
}
