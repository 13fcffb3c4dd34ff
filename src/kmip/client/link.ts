/** A connection that is made again when it was lost, without ever repeating what may have been done. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Connection, TlsDetails } from './connection.ts'
import { ConnectionError } from './errors.ts'
import {
  openConnection,
  serverText,
  type ConnectionOptions,
  type SessionStore,
} from './open-connection.ts'

/** How a lost connection is made again. */
export interface Reconnect {
  /** Attempts to connect before giving up; 5 when absent. 1 never tries twice. */
  readonly attempts?: number
  /** Milliseconds before the second attempt, doubled for each further one; 100 when absent. */
  readonly firstDelay?: number
  /** The longest delay in milliseconds; 5 000 when absent. */
  readonly longestDelay?: number
}

/** Connects when something is to be sent and no connection is open. */
export class Link {
  readonly #options: ConnectionOptions & { readonly reconnect?: Reconnect }
  readonly #store: SessionStore = {}
  readonly #stop = new AbortController()
  #connection: Connection | undefined
  #opening: Promise<Connection> | undefined

  constructor(options: ConnectionOptions & { readonly reconnect?: Reconnect }) {
    this.#options = options
  }

  /** For error messages. */
  get server(): string {
    return serverText(this.#options)
  }

  /** Of the newest connection. */
  get tls(): TlsDetails | undefined {
    return this.#connection?.tls
  }

  /** Connects if need be; `attempts` other than the options'. Rejects with ConnectionError. */
  open(attempts = this.#options.reconnect?.attempts ?? 5): Promise<Connection> {
    if (this.#stop.signal.aborted)
      return Promise.reject(new ConnectionError('closed', 'this client was closed'))
    if (this.#connection?.isOpen === true) return Promise.resolve(this.#connection)
    this.#opening ??= this.#connect(attempts).finally(() => (this.#opening = undefined))
    return this.#opening
  }

  /**
   * Sends a message and resolves to its answer. A lost message is sent once more only when it
   * cannot have been executed, or when `safe` says that executing it twice does no harm.
   */
  async send(message: Uint8Array, { safe = false } = {}): Promise<Uint8Array> {
    const connection = await this.open()
    try {
      return await connection.send(message)
    } catch (error) {
      if (!maySendAgain(error, safe)) throw error
    }
    return (await this.open()).send(message)
  }

  /** Ends the connection; a request under way still gets its answer. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#opening?.catch(() => undefined)
    await this.#connection?.close()
  }

  async #connect(attempts: number): Promise<Connection> {
    const { firstDelay = 100, longestDelay = 5_000 } = this.#options.reconnect ?? {}
    for (let attempt = 1; ; attempt++) {
      try {
        const connection = await openConnection(this.#options, this.#store)
        if (this.#stop.signal.aborted) {
          await connection.close()
          throw new ConnectionError('closed', 'this client was closed')
        }
        this.#connection = connection
        return connection
      } catch (error) {
        if (!worthRetrying(error) || attempt >= attempts) throw error
      }
      const delay = Math.min(firstDelay * 2 ** (attempt - 1), longestDelay)
      // Up to half of it at random, so that clients of a server that restarted do not come all at once.
      await this.#pause(delay * (0.5 + Math.random() / 2))
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    try {
      await wait(milliseconds, undefined, { signal: this.#stop.signal })
    } catch (cause) {
      throw new ConnectionError('closed', 'this client was closed', { cause })
    }
  }
}

/** A server that is not there may come back; one that is refused, or refuses us, stays so. */
const worthRetrying = (error: unknown) =>
  error instanceof ConnectionError && (error.code === 'unreachable' || error.code === 'timeout')

/** What certainly was not executed, or was lost and may be executed twice. A timeout is not tried twice. */
const maySendAgain = (error: unknown, safe: boolean) =>
  error instanceof ConnectionError &&
  (error.mayHaveRun ? safe && error.code === 'lost' : error.code !== 'closed')
