// Reading connections to the primary: a few, made when needed, each used by one snapshot at a time.
import { connectPrimary, type PrimarySearch } from './postgres-primary.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { explained, isConflict, isNotKnown } from './postgres-errors.ts'
import type { Soon } from './soon.ts'
import type { LogCut, SqlSession } from './storage.ts'

/** Most reading connections. */
const mostReaders = 4

/** Tables whose dead rows may hold sealed bytes. */
const withSealed = ['objects', 'documents', 'transients']

/** The reading connections. */
export class PostgresReaders {
  readonly #search: PrimarySearch
  readonly #patience: number
  readonly #idle: PostgresConnection[] = []
  readonly #waiting: (() => void)[] = []
  #busy = 0

  constructor(search: PrimarySearch, patience: number) {
    this.#search = search
    this.#patience = patience
  }

  /** Runs `fn` on one consistent state; again when the connection breaks meanwhile. */
  async snapshot<T>(fn: (sql: SqlSession) => Soon<T>): Promise<T> {
    const until = performance.now() + this.#patience
    for (;;) {
      const connection = await this.#take(until)
      try {
        return await readOn(connection, fn)
      } catch (error) {
        const mayRunAgain = connection.lost !== undefined || isConflict(connection.failure)
        if (!mayRunAgain || performance.now() > until) {
          throw explained(
            connection.failure === undefined ? error : connection.failure,
            connection.address.name,
          )
        }
      } finally {
        this.#giveBack(connection)
      }
    }
  }

  /**
   * Lets the database reuse the space of rows that are no longer there, so that sealed bytes which
   * were wiped are overwritten in time. Databases without VACUUM do that by themselves, at their own time.
   */
  async vacuum(): Promise<LogCut> {
    const connection = await this.#take(performance.now() + this.#patience)
    try {
      for (const table of withSealed) await connection.run(`VACUUM ${table}`)
      return 'done'
    } catch (error) {
      if (isNotKnown(error)) return 'by itself'
      throw explained(error, connection.address.name)
    } finally {
      this.#giveBack(connection)
    }
  }

  /** Milliseconds by which this machine's clock is ahead of the server's, give or take half a round trip. */
  async clockAhead(): Promise<number> {
    return this.snapshot(async (sql) => {
      await sql.query('SELECT 1')
      const before = Date.now()
      const rows = await sql.query(
        'SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)',
      )
      return Math.round((before + Date.now()) / 2 - Number(rows[0]![0]))
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close()))
  }

  async #take(until: number): Promise<PostgresConnection> {
    while (this.#busy >= mostReaders) await new Promise<void>((free) => this.#waiting.push(free))
    this.#busy++
    try {
      for (;;) {
        const idle = this.#idle.pop()
        if (idle === undefined) return await connectPrimary(this.#search, until)
        if (idle.lost !== undefined) continue
        // Another server may have become the primary while this one still answers.
        if (idle.address === (this.#search.primary.address ?? idle.address)) return idle
        idle.destroy()
      }
    } catch (error) {
      this.#leave()
      throw error
    }
  }

  #giveBack(connection: PostgresConnection): void {
    if (connection.lost === undefined) this.#idle.push(connection)
    this.#leave()
  }

  #leave(): void {
    this.#busy--
    this.#waiting.shift()?.()
  }
}

async function readOn<T>(
  connection: PostgresConnection,
  fn: (sql: SqlSession) => Soon<T>,
): Promise<T> {
  connection.beginReading()
  try {
    const result = await fn(connection)
    if (connection.failure !== undefined) throw connection.failure
    return result
  } finally {
    connection.endReading()
  }
}
