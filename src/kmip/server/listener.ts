/**
 * A KMIP port: TLS with mutual authentication, limits, draining, reload – KMIP 2.1 Profiles §3.
 * A client is who its enrolled certificate says, decided by `identify` at every connection; one
 * without such a certificate is closed unanswered and logged.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { UserError } from '../../errors.ts'
import { cipherOptions, type CipherSettingName } from './cipher-settings.ts'
import type { Contact } from './contacts.ts'
import { Handshakes, type Attempt } from './handshakes.ts'
import { httpSessions } from './http-sessions.ts'
import { limits as limitsOf, type Limits } from './limits.ts'
import type { MakeSession } from './open-session.ts'
import { machineClock, type ClientName, type Clock, type ListenerPorts } from './ports.ts'
import { names, RefusalLog, type Refusal } from './refusal-log.ts'
import { LiveSession } from './session.ts'
import { Sessions } from './sessions.ts'

/** What a listener can be told besides its ports. */
export interface ListenerOptions {
  readonly limits?: Partial<Limits>
  readonly ciphers?: CipherSettingName
  /** Carries messages in HTTP requests to `path` instead of one after another. */
  readonly https?: { readonly path: string }
}

/** Counts for status and metrics; totals since the start. */
export interface ListenerStatistics {
  /** Open connections by phase. */
  readonly open: {
    readonly sessions: number
    readonly handshakes: number
    readonly waiting: number
  }
  readonly accepted: number
  readonly identified: number
  readonly resumed: number
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>
  readonly clients: readonly Contact[]
}

const sweepTime = 1_000

/** One KMIP port. `listen` once, `close` once; nothing a client does makes it throw. */
export class Listener<Principal extends ClientName> {
  readonly #ports: ListenerPorts<Principal>
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #ciphers: CipherSettingName
  /** How an administrator says where this port is. */
  readonly #flag: '--listen' | '--https'
  readonly #refusals: RefusalLog
  readonly #handshakes: Handshakes
  readonly #sessions: Sessions<Principal>
  readonly #tls: TlsServer
  readonly #net: Server
  #stopSweep: (() => void) | undefined
  #contextMade = 0
  #drainUntil = Infinity
  #closed: Promise<void> | undefined
  #accepted = 0
  #identified = 0
  #resumed = 0

  /** Throws what node:tls throws for keys and certificates that do not fit. */
  constructor(ports: ListenerPorts<Principal>, options: ListenerOptions = {}) {
    const limits = limitsOf(options.limits)
    const clock = ports.clock ?? machineClock
    this.#ports = ports
    this.#limits = limits
    this.#clock = clock
    this.#ciphers = options.ciphers ?? 'default'
    this.#flag = options.https === undefined ? '--listen' : '--https'
    this.#refusals = new RefusalLog(ports.log, clock, limits.refusalLines)
    const make: MakeSession<Principal> =
      options.https === undefined
        ? (session) => new LiveSession(session)
        : httpSessions(options.https.path)
    this.#sessions = new Sessions(ports, limits, clock, make)
    this.#tls = createTlsServer({
      ...this.#contextOptions(),
      ...(options.https && { ALPNProtocols: ['http/1.1'] }),
      // Whatever the chain: the client gets through the handshake, `identify` decides, the log can say why.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeTime,
    })
    this.#tls.on('secureConnection', (socket) => void this.#secured(socket))
    this.#tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      const attempt = this.#handshakes.of(socket)
      if (attempt !== undefined) attempt.reason ??= error.code
      // The runtime reports a handshake that takes too long, and leaves the socket open.
      socket.destroy()
    })
    this.#handshakes = new Handshakes(limits, clock, this.#refusals, (raw) => {
      this.#tls.emit('connection', raw)
    })
    this.#net = createServer({
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: limits.keepAliveTime,
    })
    this.#net.maxConnections = limits.connections
    this.#net.on('connection', (raw) => this.#accept(raw))
    this.#net.on('drop', (dropped) => {
      const remoteAddress = dropped?.remoteAddress ?? ''
      this.#refusals.write({ reason: 'too-many-connections', remoteAddress })
    })
  }

  /** Starts accepting; the address as bound. Throws UserError `listen` when it cannot be bound. */
  async listen({ host, port }: { host: string; port: number }): Promise<AddressInfo> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#net.once('error', reject)
    this.#net.listen({ host, port, backlog: this.#limits.backlog }, resolve)
    try {
      await promise
    } catch (cause) {
      throw cannotListen(host, port, this.#flag, cause)
    }
    this.#net.off('error', reject)
    this.#net.on('error', (error) => this.#ports.log.error({ err: error }, 'cannot accept'))
    this.#stopSweep = this.#clock.every(sweepTime, () => this.#sweep())
    return this.#net.address() as AddressInfo
  }

  /**
   * Takes certificates and issuers anew, for new connections; open ones live on. TLS sessions from
   * before are not resumed. Throws when the certificates do not fit, and the old ones stay in use.
   */
  reload(): void {
    this.#tls.setSecureContext(this.#contextOptions())
  }

  /**
   * Identifies the client of every open connection again, once per certificate, and closes those
   * that are refused now. Resolves when all have been asked, to the number closed. Rejects after
   * that when `identify` failed for some: their connections stay open, and a recheck is still due.
   */
  recheck(): Promise<number> {
    return this.#sessions.recheck()
  }

  /** Counts, as of now. */
  statistics(): ListenerStatistics {
    return {
      open: {
        sessions: this.#sessions.size,
        handshakes: this.#handshakes.underWay,
        waiting: this.#handshakes.waiting,
      },
      accepted: this.#accepted,
      identified: this.#identified,
      resumed: this.#resumed,
      refused: this.#refusals.totals,
      clients: this.#sessions.clients,
    }
  }

  /**
   * Stops accepting, answers the requests that have arrived, ends every connection with
   * close_notify; what is left after `drainTime` is cut. Resolves when all are closed.
   */
  close(): Promise<void> {
    if (this.#closed !== undefined) return this.#closed
    this.#drainUntil = this.#clock.now() + this.#limits.drainTime
    this.#closed = new Promise<void>((resolve) => this.#net.close(() => resolve())).then(() =>
      this.#stopSweep?.(),
    )
    this.#handshakes.stop()
    this.#sessions.drain()
    return this.#closed
  }

  #contextOptions() {
    this.#contextMade = this.#clock.now()
    return {
      ...this.#ports.secureContext(),
      ...cipherOptions(this.#ciphers),
      honorCipherOrder: true,
      // Without a context id OpenSSL refuses to resume sessions of clients with certificates.
      sessionIdContext: 'keyreel',
      sessionTimeout: Math.ceil(this.#limits.sessionTime / 1000),
    }
  }

  #accept(raw: Socket): void {
    this.#accepted++
    if (this.#closed === undefined) this.#handshakes.add(raw)
    else raw.destroy()
  }

  async #secured(socket: TLSSocket): Promise<void> {
    const attempt = this.#handshakes.of(socket)
    if (attempt === undefined) {
      socket.destroy()
      return
    }
    socket.on('error', (error: NodeJS.ErrnoException) => {
      attempt.reason ??= error.code
      socket.destroy()
    })
    // The certificate proved in the first handshake is the one identified: no second handshake.
    socket.disableRenegotiation()
    const certificate = socket.getPeerX509Certificate()
    const { remoteAddress } = attempt
    if (certificate === undefined) {
      this.#refuse(socket, attempt, { reason: 'no-certificate', remoteAddress })
      return
    }
    try {
      const found = await this.#sessions.identify(certificate)
      if (socket.destroyed) return
      if (!found.ok) {
        this.#refuse(socket, attempt, { ...found, remoteAddress, certificate })
        return
      }
      const { principal } = found
      if (!this.#sessions.open(socket, principal, certificate, remoteAddress)) {
        const detail = { client: principal.name }
        const reason = 'too-many-of-client'
        this.#refuse(socket, attempt, { reason, remoteAddress, certificate, detail })
        return
      }
    } catch (error) {
      this.#ports.log.error({ err: error, ...names(certificate) }, 'cannot identify a client')
      const reason = 'identity-unavailable'
      this.#refuse(socket, attempt, { reason, remoteAddress, certificate })
      return
    }
    this.#identified++
    if (socket.isSessionReused()) this.#resumed++
    this.#handshakes.succeed(attempt)
  }

  #refuse(socket: TLSSocket, attempt: Attempt, refusal: Refusal): void {
    attempt.settled = true
    this.#refusals.write(refusal)
    socket.destroy()
  }

  #sweep(): void {
    const now = this.#clock.now()
    this.#handshakes.sweep()
    this.#refusals.sweep()
    if (now >= this.#drainUntil) this.#sessions.cut()
    else this.#sessions.sweep()
    if (now - this.#contextMade < this.#limits.ticketKeyTime) return
    try {
      this.reload()
    } catch (error) {
      this.#ports.log.error({ err: error }, 'cannot replace the keys of session tickets')
    }
  }
}

function cannotListen(host: string, port: number, flag: string, cause: unknown): UserError {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  const [problem, hint] = listenProblems[code] ?? [code, 'choose another address with FLAG']
  const advice = hint.replace('FLAG', flag)
  return new UserError('listen', `cannot listen on ${host}:${port}: ${problem}`, advice, { cause })
}

const listenProblems: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: [
    'the port is in use',
    'stop the other server (is keyreel running already?), or choose another port with FLAG',
  ],
  EACCES: ['permission denied', 'ports below 1024 need privileges: choose another with FLAG'],
  EADDRNOTAVAIL: [
    'this machine does not have that address',
    'choose one of its addresses with FLAG, or 0.0.0.0 for all',
  ],
  ENOTFOUND: ['the name is unknown', 'give an address of this machine with FLAG'],
}
