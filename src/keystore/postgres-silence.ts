// Notices a server that has vanished without a word: a machine that lost power, a frozen one, a firewall
// that forgot a connection. TCP alone may take a quarter of an hour. While an answer is awaited for too long, the
// server is asked on a second connection whether it is there and works on what was asked; so a statement
// that takes its time, or waits for a lock or a standby, is left alone.
import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { DatabaseAddress } from './postgres-address.ts'
import { isConnectionLost, sqlState } from './postgres-errors.ts'

/** Milliseconds without an answer after which the server is asked, unless it is set otherwise. */
export const usualSilence = 2_000

/** Milliseconds in which an answer that is on its way arrives. */
const onItsWay = 100

/** What a watch needs. */
export interface Watched {
  readonly address: DatabaseAddress
  /** Milliseconds without an answer after which the server is asked, and for which it may think about that. */
  readonly silence: number
  /** Number of the server's process behind the connection; undefined where the server does not tell. */
  process(): number | undefined
  /** Told when there is nobody any more. */
  lost(why: Error): void
}

/** Watches over what is sent and answered on one connection. */
export class SilenceWatch {
  readonly #watched: Watched
  #awaited = 0
  /** When something was heard last, or waiting began. */
  #heard = 0
  #timer: NodeJS.Timeout | undefined

  constructor(watched: Watched) {
    this.#watched = watched
  }

  /** Something was sent that will be answered. */
  sent(): void {
    if (this.#awaited++ === 0) this.#heard = performance.now()
    this.#timer ??= this.#in(this.#watched.silence)
  }

  /** One answer, good or bad. */
  answered(): void {
    this.#awaited--
    this.#heard = performance.now()
  }

  /** The connection is over. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  #in(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => void this.#look(), milliseconds).unref()
  }

  async #look(): Promise<void> {
    this.#timer = undefined
    if (this.#awaited === 0) return
    const { silence } = this.#watched
    const left = this.#heard + silence - performance.now()
    if (left <= 0) {
      const before = this.#heard
      const isThere = await isAtWork(this.#watched)
      if (!isThere) await delay(onItsWay)
      const isSilent = this.#awaited > 0 && this.#heard === before
      if (!isThere && isSilent) return this.#watched.lost(new Error('timeout expired'))
    }
    if (this.#awaited > 0) this.#timer ??= this.#in(Math.max(left, 0) || silence)
  }
}

/** Whether the server answers on another connection and, as far as it tells, works for the one watched. */
async function isAtWork({ address, silence, process }: Watched): Promise<boolean> {
  const socket = new Socket()
  const client = new pg.Client({
    connectionString: address.url,
    stream: () => socket,
    connectionTimeoutMillis: silence,
    query_timeout: silence,
    fallback_application_name: 'keyreel',
  })
  client.on('error', ignore)
  try {
    await client.connect()
    const { rows } = await client.query<[string | null]>({
      text: 'SELECT state FROM pg_stat_activity WHERE pid = $1',
      values: [process() ?? 0],
      rowMode: 'array',
    })
    if (process() === undefined) return true
    const [row] = rows
    return row !== undefined && !(row[0] ?? '').startsWith('idle')
  } catch (error) {
    socket.destroy()
    // A refusal in the server's own words: too many connections, a table it does not have.
    return sqlState(error) !== undefined && !isConnectionLost(error)
  } finally {
    client.end().catch(ignore)
    socket.destroySoon()
  }
}

function ignore(): void {
  // What the second connection was for is known by then.
}
