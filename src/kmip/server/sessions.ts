/** The open connections of identified clients: how many each may have, and whether they still may. */
import type { TLSSocket } from 'node:tls'
import { Contacts, type Contact } from './contacts.ts'
import type { Limits } from './limits.ts'
import type { MakeSession, OpenSession } from './open-session.ts'
import type { ClientName, Clock, Identification, ListenerPorts, PeerCertificate } from './ports.ts'
import { names } from './refusal-log.ts'

export class Sessions<Principal extends ClientName> {
  readonly #ports: ListenerPorts<Principal>
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #make: MakeSession<Principal>
  readonly #contacts: Contacts
  readonly #open = new Set<OpenSession<Principal>>()
  #rechecks = 0
  #rechecking: Promise<unknown> = Promise.resolve()

  constructor(
    ports: ListenerPorts<Principal>,
    limits: Limits,
    clock: Clock,
    make: MakeSession<Principal>,
  ) {
    this.#ports = ports
    this.#make = make
    this.#limits = limits
    this.#clock = clock
    this.#contacts = new Contacts(clock)
  }

  get size(): number {
    return this.#open.size
  }

  get clients(): Contact[] {
    return this.#contacts.list()
  }

  /**
   * Who shows this certificate; rejects as the port does. Asks again when a recheck came between,
   * as the answer may be from before a withdrawal.
   */
  async identify(certificate: PeerCertificate): Promise<Identification<Principal>> {
    for (;;) {
      const asked = this.#rechecks
      const found = await this.#ports.identify(certificate, this.#clock.date())
      if (asked === this.#rechecks) return found
    }
  }

  /** Serves an identified client; false when it has as many connections as it may. */
  open(
    socket: TLSSocket,
    principal: Principal,
    certificate: PeerCertificate,
    remoteAddress: string,
  ): boolean {
    const contact = this.#contacts.of(principal.name)
    if (contact.connections >= this.#limits.connectionsPerClient) return false
    contact.connections++
    contact.lastContact = this.#clock.date()
    const session: OpenSession<Principal> = this.#make({
      socket,
      principal,
      certificate,
      remoteAddress,
      contact,
      ports: this.#ports,
      limits: this.#limits,
      clock: this.#clock,
      closed: () => {
        this.#open.delete(session)
        session.contact.connections--
      },
    })
    this.#open.add(session)
    return true
  }

  /** See `Listener.recheck`. Rechecks run one after another, so that an older answer never wins. */
  recheck(): Promise<number> {
    this.#rechecks++
    const result = this.#rechecking.then(() => this.#recheckAll())
    this.#rechecking = result.catch(() => undefined)
    return result
  }

  drain(): void {
    for (const session of this.#open) session.drain()
  }

  cut(): void {
    for (const session of this.#open) session.cut()
  }

  sweep(): void {
    for (const session of this.#open) session.sweep()
  }

  async #recheckAll(): Promise<number> {
    const asked = new Map<string, Identification<Principal> | undefined>()
    const failures: unknown[] = []
    let ended = 0
    for (const session of [...this.#open]) {
      const { certificate } = session
      const { fingerprint256 } = certificate
      if (!asked.has(fingerprint256))
        try {
          asked.set(fingerprint256, await this.identify(certificate))
        } catch (error) {
          asked.set(fingerprint256, undefined)
          failures.push(error)
        }
      const found = asked.get(fingerprint256)
      if (found === undefined || !this.#open.has(session)) continue
      if (found.ok) this.#move(session, found.principal)
      else {
        const fields = { client: session.principal.name, reason: found.reason }
        const log = { ...fields, ...names(certificate), ...found.detail }
        this.#ports.log.warn(log, 'client withdrawn: connection closed')
        session.cut()
        ended++
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `cannot identify ${failures.length} clients again`)
    return ended
  }

  #move(session: OpenSession<Principal>, principal: Principal): void {
    session.principal = principal
    if (session.contact.client === principal.name) return
    session.contact.connections--
    session.contact = this.#contacts.of(principal.name)
    session.contact.connections++
  }
}
