// Load for a server that is a process of its own and may fail or die: what was acknowledged goes into a ledger.
import { readFileSync } from 'node:fs'
import { connect, type Client } from '../../src/kmip/client/client.ts'
import type { ResponseBatchItem } from '../../src/kmip/model/messages.ts'
import type { Keyreel, Kit } from '../fixtures/keyreel.ts'
import { answerOf, requestBytes, type Ask } from '../fixtures/responder.ts'
import type { Ledger } from './ledger.ts'
import { runLoad } from './load.ts'

/** A server, a client of it, and what it has acknowledged. */
export interface Site {
  readonly server: Keyreel
  readonly kit: Kit
  readonly ledger: Ledger
}

/** How a server is kept busy. */
export interface Busy {
  readonly seed: number
  readonly clients: number
  /** Asked before each request, with how many were sent: whether that was enough. */
  readonly until: (sent: number) => boolean
}

/** Keeps the server busy; how many requests were sent. */
export async function worked(site: Site, { seed, clients, until }: Busy): Promise<number> {
  let sent = 0
  const { ledger } = site
  const connections = new Reconnecting(site)
  await runLoad({
    seed,
    clients,
    mayFail: true,
    ask(asks) {
      sent++
      return connections.ask(asks)
    },
    tell: (line) => ledger.take(line),
    until: () => until(sent),
  })
  await connections.close()
  return sent
}

/** A client that comes back after its connection was cut, as a library does. No answer is an empty one. */
export class Reconnecting {
  readonly #site: Pick<Site, 'server' | 'kit'>
  #client: Client | undefined

  constructor(site: Pick<Site, 'server' | 'kit'>) {
    this.#site = site
  }

  /** Sends a batch. */
  async ask(asks: readonly Ask[]): Promise<readonly ResponseBatchItem[]> {
    try {
      const client = (this.#client ??= await this.#connected())
      const answer = await client.send(requestBytes('2.1', asks))
      return answerOf(answer, '2.1').BatchItem
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      await this.close()
      return asks.map(() => ({ ResultStatus: 'OperationFailed', ResultMessage: message }) as never)
    }
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.close()
  }

  #connected(): Promise<Client> {
    const { server, kit } = this.#site
    const { host, port } = server
    const [ca, cert, key] = [kit.ca, kit.certificate, kit.key].map((file) => readFileSync(file))
    return connect({ host, port, ca: ca!, cert: cert!, key: key!, versions: ['2.1'] })
  }
}
