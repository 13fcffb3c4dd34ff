// A TCP relay in front of a key server that misbehaves on command. It sees ciphertext only, so its
// faults are said in terms of what passes: the next thing a client says is a request when the
// connection was idle, and the next thing the server says is the answer to it.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

import type { ServerAddress } from './library-servers.ts'

/**
 * `cut-request`   the next request never reaches the server; the connection breaks
 * `cut-answer`    the next request is executed, its answer lost; the connection breaks
 * `truncate`      half of the next answer arrives, then the connection ends
 * `garbage`       bytes that are no TLS arrive in place of the next answer
 * `hold`          the next answer waits until `release`
 */
export type OneFault = 'cut-request' | 'cut-answer' | 'truncate' | 'garbage' | 'hold'

/**
 * `up` passes everything on; `refuse` breaks every connection at once, old ones too; `silent` takes
 * connections and bytes and never answers.
 */
export type RelayState = 'up' | 'refuse' | 'silent'

interface Pair {
  readonly client: Socket
  readonly server: Socket | undefined
}

/** Listens on 127.0.0.1; close it when done. */
export class Relay {
  readonly #target: ServerAddress
  readonly #listener: Server
  readonly #pairs = new Set<Pair>()
  /** Clients whose last bytes are on their way. */
  readonly #leaving = new Set<Socket>()
  #state: RelayState = 'up'
  #armed: { fault: OneFault; struck: () => void } | undefined
  #held: (() => void)[] = []

  private constructor(target: ServerAddress) {
    this.#target = target
    this.#listener = createServer((client) => this.#accept(client))
  }

  /** Opens a relay on a free port in front of `target`. */
  static async open(target: ServerAddress): Promise<Relay> {
    const relay = new Relay(target)
    relay.#listener.listen(0, '127.0.0.1')
    await once(relay.#listener, 'listening')
    return relay
  }

  /** Where a library finds the server through this relay; the certificate stays the server's. */
  get address(): ServerAddress {
    const address = this.#listener.address()
    if (address === null || typeof address === 'string') throw new Error('the relay is closed')
    const { host, servername = host } = this.#target
    return { host: '127.0.0.1', port: address.port, servername }
  }

  /** What happens to connections from now on. */
  set(state: RelayState): void {
    this.#state = state
    if (state === 'refuse') this.#breakAll()
  }

  /** Arms one fault; resolves when it has struck. Arm it while the connections are idle. */
  next(fault: OneFault): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#armed = { fault, struck: resolve }
    return promise
  }

  /** Lets held answers go. */
  release(): void {
    for (const pass of this.#held.splice(0)) pass()
  }

  /** Breaks every connection and stops listening. */
  async close(): Promise<void> {
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    this.#breakAll()
    await closed
  }

  #accept(client: Socket): void {
    client.on('error', () => client.destroy())
    if (this.#state === 'refuse') {
      client.destroy()
      return
    }
    const server =
      this.#state === 'silent' ? undefined : connect(this.#target.port, this.#target.host)
    const pair = { client, server }
    this.#pairs.add(pair)
    client.on('close', () => this.#break(pair))
    server?.on('error', () => this.#break(pair))
    server?.on('close', () => this.#break(pair))
    client.on('data', (bytes: Buffer) => this.#fromClient(pair, bytes))
    server?.on('data', (bytes: Buffer) => this.#fromServer(pair, bytes))
  }

  #fromClient(pair: Pair, bytes: Buffer): void {
    if (this.#state !== 'up') return
    if (this.#armed?.fault !== 'cut-request') {
      pair.server?.write(bytes)
      return
    }
    this.#break(pair)
    this.#strike()
  }

  #fromServer(pair: Pair, bytes: Buffer): void {
    if (this.#state !== 'up') return
    const fault = this.#armed?.fault
    if (fault === undefined || fault === 'cut-request') {
      pair.client.write(bytes)
      return
    }
    if (fault === 'hold') {
      pair.server?.pause()
      this.#held.push(() => {
        pair.client.write(bytes)
        pair.server?.resume()
      })
    }
    if (fault === 'cut-answer') this.#break(pair)
    if (fault === 'truncate') this.#last(pair, bytes.subarray(0, bytes.length / 2))
    if (fault === 'garbage') this.#last(pair, Buffer.alloc(bytes.length, 'no TLS '))
    this.#strike()
  }

  #strike(): void {
    const struck = this.#armed?.struck
    this.#armed = undefined
    struck?.()
  }

  /** The last bytes the client gets on this connection. */
  #last(pair: Pair, bytes: Buffer): void {
    this.#pairs.delete(pair)
    pair.server?.destroy()
    this.#leaving.add(pair.client)
    pair.client.once('close', () => this.#leaving.delete(pair.client))
    pair.client.end(bytes)
  }

  #breakAll(): void {
    for (const pair of this.#pairs) this.#break(pair)
    for (const client of this.#leaving) client.destroy()
  }

  #break(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return
    pair.client.destroy()
    pair.server?.destroy()
  }
}
