/** What every transport's connections have in common: how they are made, and how they end. */
import type { TLSSocket } from 'node:tls'
import type { Contact } from './contacts.ts'
import type { Limits } from './limits.ts'
import type { ClientName, Clock, ListenerPorts, PeerCertificate, Session } from './ports.ts'

/** A connection of an identified client, whatever it carries its messages in. */
export interface OpenSession<Principal extends ClientName> extends Session<Principal> {
  principal: Principal
  contact: Contact
  /** Answers what has arrived, then ends with close_notify. */
  drain(): void
  /** Closes at once; an answer that has not left is lost and its bytes are cleared. */
  cut(): void
  /** Closes a connection that has passed one of its times. */
  sweep(): void
}

/** What a connection is made of. */
export interface SessionOptions<Principal extends ClientName> {
  readonly socket: TLSSocket
  readonly principal: Principal
  readonly certificate: PeerCertificate
  readonly remoteAddress: string
  readonly contact: Contact
  readonly ports: ListenerPorts<Principal>
  readonly limits: Limits
  readonly clock: Clock
  /** Called once, when the socket is closed. */
  readonly closed: () => void
}

/** Makes the connection of one transport; it owns the socket from then on. */
export type MakeSession<Principal extends ClientName> = (
  options: SessionOptions<Principal>,
) => OpenSession<Principal>
