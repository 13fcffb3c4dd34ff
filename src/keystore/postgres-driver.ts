// SqlDriver over PostgreSQL: one writing connection, a few for reading, all to the primary among the
// databases named. A transaction is one turn (postgres-turns.ts): the only writer among all nodes.
// When the connection breaks, the next primary is looked for and the transaction runs again; when it
// breaks during COMMIT, the database is asked first what became of it.
import { UserError } from '../errors.ts'
import { inOrder } from './in-order.ts'
import { databaseAddress } from './postgres-address.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { explained, isConflict, sqlState } from './postgres-errors.ts'
import { isOnCopies, type Reliance } from './postgres-facts.ts'
import { connectPrimary, type PrimarySearch } from './postgres-primary.ts'
import { PostgresReaders } from './postgres-readers.ts'
import { usualSilence } from './postgres-silence.ts'
import { beginTurn, fateOf, TurnsSeen, type Turn, type TurnFate } from './postgres-turns.ts'
import type { Soon } from './soon.ts'
import type { SqlDriver, SqlSession } from './storage.ts'

/** How a database is opened. */
export interface PostgresOptions {
  /** URLs of databases of which one at a time takes writes: a primary and its standbys. */
  readonly urls: readonly string[]
  /** Milliseconds to wait for a primary, and for other writers, before giving up. */
  readonly patience?: number
  /** Milliseconds to wait for a primary at the start. */
  readonly startPatience?: number
  /** Milliseconds without an answer after which a server is asked whether it is still there. */
  readonly silence?: number
  /** How far the database had come when `standing` was asked; one that has not is no primary. */
  readonly standing?: string
}

/** Connects to the primary. Throws UserError naming the databases when none can be used. */
export async function openPostgres(options: PostgresOptions): Promise<SqlDriver> {
  const { urls, patience = 10_000, startPatience = 3_000, silence = usualSilence } = options
  const seen = new TurnsSeen(options.standing)
  const search: PrimarySearch = {
    addresses: urls.map(databaseAddress),
    seen,
    primary: {},
    options: { lockPatience: patience, silence },
  }
  const writer = new Writer(search, patience)
  await writer.connected(performance.now() + startPatience)
  const readers = new PostgresReaders(search, patience)
  return {
    dialect: 'postgres',
    transaction: (fn) => writer.transaction(fn),
    snapshot: (fn) => readers.snapshot(fn),
    truncateLog: () => readers.vacuum(),
    clockAhead: () => readers.clockAhead(),
    othersWrote: () => Promise.resolve(seen.others()),
    moveLog: () => Promise.resolve(),
    standing: () => seen.standing(),
    async close() {
      await Promise.all([writer.close(), readers.close()])
    },
  }
}

/** What became of one attempt: done, or to be made again. */
type Attempt<T> = { readonly result: T } | 'again'

/** The writing connection. */
class Writer {
  readonly #search: PrimarySearch
  readonly #patience: number
  readonly #turn = inOrder()
  #connection: PostgresConnection | undefined

  constructor(search: PrimarySearch, patience: number) {
    this.#search = search
    this.#patience = patience
  }

  transaction<T>(fn: (sql: SqlSession) => Soon<T>): Promise<T> {
    return this.#turn(async () => {
      const until = performance.now() + this.#patience
      for (;;) {
        const connection = await this.connected(until)
        const attempt = await this.#attempt(connection, fn, until)
        if (attempt !== 'again') return attempt.result
      }
    })
  }

  /** The connection, made anew when the last one broke. */
  async connected(until: number): Promise<PostgresConnection> {
    if (this.#connection === undefined || this.#connection.lost !== undefined) {
      this.#connection = await connectPrimary(this.#search, until)
      this.#search.primary.address = this.#connection.address
    }
    return this.#connection
  }

  close(): Promise<void> {
    return this.#turn(async () => this.#connection?.close())
  }

  async #attempt<T>(
    connection: PostgresConnection,
    fn: (sql: SqlSession) => Soon<T>,
    until: number,
  ): Promise<Attempt<T>> {
    let turn: Turn | undefined
    let result: T
    try {
      turn = await beginTurn(connection)
      this.#search.seen.taken(turn)
      result = await fn(connection)
      if (connection.failure !== undefined) throw connection.failure
    } catch (error) {
      // What failed first decides: `fn` may have made something else of it.
      const cause = connection.failure ?? connection.lost ?? error
      await connection.rollback()
      if (mayRunAgain(connection, cause) && performance.now() < until) return 'again'
      throw explained(connection.failure === undefined ? error : cause, connection.address.name)
    }
    if (!connection.hasWritten) {
      // Nothing but the turn would be committed, and waited for.
      await connection.rollback()
      return { result }
    }
    return this.#commit(connection, turn, result, until)
  }

  async #commit<T>(
    connection: PostgresConnection,
    turn: Turn,
    result: T,
    until: number,
  ): Promise<Attempt<T>> {
    const { reliance } = connection
    try {
      await connection.commit()
      if (connection.waitCancelled || !(await isOnCopies(connection, reliance)))
        throw notReplicated(connection)
    } catch (error) {
      if (connection.lost === undefined && sqlState(error) !== '40003') {
        await connection.rollback()
        if (isConflict(error) && performance.now() < until) return 'again'
        throw explained(error, connection.address.name)
      }
      connection.destroy(error)
      const fate = await this.#settle(turn).catch((cause: unknown) => inDoubt(connection, cause))
      if (fate === 'unknown') inDoubt(connection, error)
      if (fate === 'undone') return 'again'
      if (!(await this.#isStillOnCopies(connection, reliance))) throw notReplicated(connection)
      this.#search.seen.committed(turn)
      return { result }
    }
    this.#search.seen.committed(turn)
    return { result }
  }

  /** The same once the answer was lost: a standby that is the primary now is one of the machines, as is the one before. */
  async #isStillOnCopies(
    before: PostgresConnection,
    { copies, names }: Reliance,
  ): Promise<boolean> {
    if (copies <= 1) return true
    const connection = await this.connected(performance.now() + this.#patience)
    const wanted = connection.address === before.address ? copies : copies - 1
    return isOnCopies(connection, { copies: wanted, names })
  }

  /**
   * What became of a commit that was not answered. A turn of its own waits for the one in question,
   * should it still be under way, and its commit waits for the standbys that the other needs as well.
   */
  async #settle(turn: Turn): Promise<TurnFate> {
    const until = performance.now() + this.#patience
    for (;;) {
      const connection = await this.connected(until)
      try {
        const own = await beginTurn(connection)
        const fate = await fateOf(connection, turn)
        await connection.commit()
        if (connection.waitCancelled) throw notReplicated(connection)
        this.#search.seen.taken(own)
        return fate
      } catch (error) {
        await connection.rollback()
        const isLost = connection.lost !== undefined
        if (!(isLost || isConflict(error)) || performance.now() > until) throw error
      }
    }
  }
}

function mayRunAgain(connection: PostgresConnection, cause: unknown): boolean {
  return connection.lost !== undefined || isConflict(cause)
}

function inDoubt({ address }: PostgresConnection, cause: unknown): never {
  throw new UserError(
    'commit-in-doubt',
    `${address.name}: the connection broke while a change was committed, and whether it was kept could not be found out`,
    'once the database answers again:  keyreel audit list  shows whether it was kept',
    { cause },
  )
}

function notReplicated({ address }: PostgresConnection): UserError {
  return new UserError(
    'commit-not-replicated',
    `${address.name}: the standby was not waited for, somebody called it off or took it out of synchronous_standby_names: the change stands on one machine only`,
    'bring the synchronous standby back; the client was told that its request failed',
  )
}
