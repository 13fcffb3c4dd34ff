// The key servers of a library: 1 to 10 addresses in the order entered at its console. One is asked
// until it fails, then the next in order; each try has a time limit. A request goes round the list
// twice at most, so that a kept connection the server has closed meanwhile costs one try and no key.

import { connect, type Client, type UserCredential } from '../src/kmip/client/client.ts'
import { ConnectionError, ResultError } from '../src/kmip/client/errors.ts'
import type { Dialect } from './dialects.ts'
import { SimulatorError } from './errors.ts'
import type { Kit } from './kit.ts'

/** Where a key server is. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
  /** The name its certificate carries, where that is not `host`. */
  readonly servername?: string
}

/** How the servers are spoken to. */
export interface ServerListOptions {
  readonly servers: readonly ServerAddress[]
  readonly kit: Kit
  readonly dialect: Pick<Dialect, 'version' | 'connection' | 'patience'>
  readonly credential?: UserCredential
  /** Called when the list moves on. */
  readonly onFailover?: (failover: Failover) => void
}

/** One move to the next server. */
export interface Failover {
  readonly from: ServerAddress
  readonly to: ServerAddress
  readonly why: Error
}

/** One try at one server. */
export interface Try {
  readonly server: ServerAddress
  /** 1 for the first of a request. */
  readonly number: number
  /** An earlier try of the same request was lost and may have been executed all the same. */
  readonly mayHaveRun: boolean
}

/** Every server was tried and none answered; `failures` in the order of the tries. */
export class NoKeyServer extends Error {
  override readonly name = 'NoKeyServer'
  readonly failures: readonly Error[]
  /** Whether nothing but waiting went wrong. */
  readonly timedOut: boolean

  constructor(failures: readonly Error[]) {
    super(`no key server answered: ${failures.map(({ message }) => message).join('; ')}`)
    this.failures = failures
    this.timedOut =
      failures.length > 0 &&
      failures.every((error) => error instanceof ConnectionError && error.code === 'timeout')
  }
}

const mostServers = 10

/** A failover list with its connections. */
export class ServerList {
  readonly #options: ServerListOptions
  readonly #clients = new Set<Client>()
  readonly #closing = new Set<Promise<void>>()
  #at = 0
  #kept: Promise<Client> | undefined
  #closed = false

  /** Throws SimulatorError 'server-list' for none or more than ten servers. */
  constructor(options: ServerListOptions) {
    const { length } = options.servers
    if (length < 1 || length > mostServers) {
      throw new SimulatorError('server-list', `${length} key servers, not 1 to ${mostServers}`)
    }
    this.#options = options
  }

  /** The server that is asked next. */
  get current(): ServerAddress {
    return this.#options.servers[this.#at]!
  }

  /**
   * Does `work` with a connection to the current server, and after a failure with the next ones.
   * What `work` throws ends it, except when the server failed: ConnectionError, or a server that
   * reports a failure of its own. Rejects with NoKeyServer when all have failed or `stop` fired.
   */
  async ask<T>(work: (client: Client, attempt: Try) => Promise<T>, stop?: AbortSignal): Promise<T> {
    const failures: Error[] = []
    let mayHaveRun = false
    for (let tries = 0; tries < 2 * this.#options.servers.length; tries += 1) {
      if (this.#closed || stop?.aborted === true) break
      const at = this.#at
      const server = this.current
      try {
        return await this.#with(server, (client) =>
          work(client, { server, number: tries + 1, mayHaveRun }),
        )
      } catch (error) {
        if (!isFailureOfServer(error)) throw error
        failures.push(error)
        mayHaveRun ||= !(error instanceof ConnectionError) || error.mayHaveRun
        this.#moveOn(at, error)
      }
    }
    throw new NoKeyServer(failures)
  }

  /** Closes every connection; requests under way still get their answer. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#kept?.catch(() => undefined)
    for (const client of this.#clients) this.#drop(client)
    await Promise.all(this.#closing)
  }

  async #with<T>(server: ServerAddress, work: (client: Client) => Promise<T>): Promise<T> {
    if (this.#options.dialect.connection === 'kept') {
      this.#kept ??= this.#connect(server)
      return work(await this.#kept)
    }
    const client = await this.#connect(server)
    try {
      return await work(client)
    } finally {
      this.#drop(client)
    }
  }

  async #connect({ host, port, servername }: ServerAddress): Promise<Client> {
    const { kit, dialect, credential } = this.#options
    const client = await connect({
      host,
      port,
      ca: kit.ca,
      cert: kit.certificate,
      key: kit.key,
      versions: [dialect.version],
      timeouts: { connect: dialect.patience, answer: dialect.patience },
      reconnect: { attempts: 1 },
      ...(servername !== undefined && { servername }),
      ...(credential !== undefined && { credential }),
    })
    this.#clients.add(client)
    return client
  }

  /** To the next server, unless another request has moved there already. */
  #moveOn(from: number, why: Error): void {
    if (this.#at !== from) return
    const { servers, onFailover } = this.#options
    const before = this.current
    this.#at = (from + 1) % servers.length
    void this.#kept?.then(
      (client) => this.#drop(client),
      () => undefined,
    )
    this.#kept = undefined
    if (servers.length > 1) onFailover?.({ from: before, to: this.current, why })
  }

  #drop(client: Client): void {
    if (!this.#clients.delete(client)) return
    const closing = client.close().finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}

/** Another server may do better: there was no answer, or the answer was that this one is broken. */
export function isFailureOfServer(error: unknown): error is Error {
  if (error instanceof ConnectionError) return true
  return error instanceof ResultError && error.reason === 'GeneralFailure'
}

/** `host:port`, with brackets around an IPv6 address. */
export const addressText = ({ host, port }: ServerAddress): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`
