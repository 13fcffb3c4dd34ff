/** What a listener asks of the rest: who a client is, what to answer, where to log, what time it is. */
import type { TLSSocket } from 'node:tls'
import type { DecodeError } from 'ttlv-codec'

/** A client's certificate as the handshake proved it; an X509Certificate of the runtime is one. */
export interface PeerCertificate {
  /** SHA-256 of the DER bytes, upper-case hexadecimal with colons. */
  readonly fingerprint256: string
  /** DER. */
  readonly raw: Uint8Array
  readonly subject: string
  readonly issuer: string
  readonly validFrom: string
  readonly validTo: string
}

/** The least a listener knows of a client: the name under which its connections are counted. */
export interface ClientName {
  readonly name: string
}

/** One connection of an identified client, as `respond` sees it. */
export interface Session<Principal extends ClientName = ClientName> {
  /** Replaced when `recheck` finds the client changed; read it anew for each request. */
  readonly principal: Principal
  readonly certificate: PeerCertificate
  readonly remoteAddress: string
  /** Names as node:tls gives them: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
  readonly tls: { readonly protocol: string; readonly cipher: string; readonly resumed: boolean }
  /** Milliseconds since the epoch. */
  readonly since: number
  /** Whether `Answer.turned` can be heeded; not when absent. */
  readonly turnable?: boolean
}

/** An answer: the bytes to send, and whether the connection ends after them. */
export interface Answer {
  readonly bytes: Uint8Array
  readonly close?: boolean
  /** The connection is turned round after them: this side asks from then on, in that version. */
  readonly turned?: number
  /** Called once when the bytes have left or cannot leave any more; clears them. */
  readonly wipe?: () => void
}

/** Who shows this certificate. `reason` is a stable word, `detail` more for the log (`why`: in words), never for the peer. */
export type Identification<Principal extends ClientName> =
  | { readonly ok: true; readonly principal: Principal }
  | {
      readonly ok: false
      readonly reason: string
      readonly detail?: Readonly<Record<string, unknown>>
    }

/** Key and certificate chain pairs (PEM, same order), and the issuers of enrolled certificates. */
export interface ServerCertificates {
  readonly key: (string | Buffer)[]
  readonly cert: (string | Buffer)[]
  readonly ca: (string | Buffer)[]
}

/** The part of a pino logger that is used. */
export type Log = Readonly<
  Record<'debug' | 'info' | 'warn' | 'error', (fields: object, message: string) => void>
>

/** Time, so that tests need not wait. */
export interface Clock {
  /** Milliseconds that never go back, from any origin. */
  now(): number
  /** Milliseconds since the epoch. */
  date(): number
  /** Calls `run` again and again until the function it returns is called. */
  every(milliseconds: number, run: () => void): () => void
}

/** What the composition root gives a listener. */
export interface ListenerPorts<Principal extends ClientName = ClientName> {
  /** Asked when the listener starts, on `reload`, and when ticket keys are replaced. */
  secureContext(): ServerCertificates
  /**
   * Asked for every connection, resumed ones too, and on `recheck` once per certificate.
   * `at` is milliseconds since the epoch. Chain, dates and revocation are judged here alone:
   * the handshake proves only that the client holds the key. A throw refuses the connection.
   */
  identify(peer: PeerCertificate, at: number): Promise<Identification<Principal>>
  /** One request, one answer, in order. `message` is a view that the listener does not touch again. */
  respond(message: Uint8Array, session: Session<Principal>): Promise<Answer>
  /**
   * The KMIP error answer to a stream that cannot be cut into messages, from the bytes of the bad
   * message seen so far (possibly none); undefined where no answer makes sense.
   */
  refuse(error: DecodeError, firstBytes: Uint8Array): Uint8Array | undefined
  /** Takes a connection that was turned round; its end is the session's as before. Without it none is turned. */
  turn?(socket: TLSSocket, session: Session<Principal>, version: number): void
  readonly log: Log
  readonly clock?: Clock
}

/** The clock of the machine; its timer does not keep the process alive. */
export const machineClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  every(milliseconds, run) {
    const timer = setInterval(run, milliseconds).unref()
    return () => clearInterval(timer)
  },
}
