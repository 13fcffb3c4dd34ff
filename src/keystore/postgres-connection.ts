// One connection to PostgreSQL and the session of whichever transaction runs on it. Statements are
// sent as they come (pipeline mode) and answered in order; placeholders ?1 become $1; integers come
// back as bigint and byte strings as Buffer, as SqlSession wants them.
import pg from 'pg'
import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import { isConnectionLost, isNotKnown, isRefusedWrite, sqlState } from './postgres-errors.ts'
import type { DatabaseAddress } from './postgres-address.ts'
import { SilenceWatch } from './postgres-silence.ts'
import { primaryAlone, standbyCopies, type Reliance } from './postgres-facts.ts'
import type { Copies } from './ready.ts'
import type { Soon } from './soon.ts'
import type { SqlRow, SqlSession, SqlValue } from './storage.ts'

/** Milliseconds to wait for a connection. */
const connectPatience = 3_000

/** Milliseconds after which the database gives up a transaction whose node says nothing. */
const idleInTransaction = 5_000

/** Oldest server: 13. PostgreSQL-compatible databases say 13 or more. */
const oldestVersion = 130_000

/** Statements prepared on a connection; further ones are planned each time. */
const statementsKept = 256

const prepared = new Map<string, { readonly text: string; readonly name: string | undefined }>()

/** The statement with PostgreSQL's placeholders, and its name once prepared. */
function statementOf(sql: string): { readonly text: string; readonly name: string | undefined } {
  const known = prepared.get(sql)
  if (known) return known
  const text = sql.replace(/\?(\d+)/g, '$$$1')
  if (prepared.size >= statementsKept) return { text, name: undefined }
  const statement = { text, name: `s${prepared.size}` }
  prepared.set(sql, statement)
  return statement
}

/** How values of the types keyreel uses are read from their text form, by type number (pg_type). */
const readers: Readonly<Record<number, (text: string) => SqlValue>> = {
  17: (text) => Buffer.from(text.slice(2), 'hex'),
  20: BigInt,
  21: BigInt,
  23: BigInt,
}

const types = {
  getTypeParser: (type: number) => readers[type] ?? ((text: string) => text),
}

/** What a server says of itself when a connection begins. */
export interface ServerFacts {
  /** Such as 150018. */
  readonly version: number
  /** A standby, or a server set to take no writes. */
  readonly isReadOnly: boolean
}

/** How connections are made. */
export interface ConnectionOptions {
  /** Milliseconds to wait for a lock on the server. */
  readonly lockPatience: number
  /** Milliseconds without an answer after which the server is asked whether it is still there. */
  readonly silence: number
}

/** A connection. `query` and `savepoint` belong to the transaction that runs on it. */
export class PostgresConnection implements SqlSession {
  readonly address: DatabaseAddress
  /** What has ended the connection. */
  lost: unknown
  /** The first failed statement of the transaction: everything after it fails, and it cannot commit. */
  failure: unknown
  /** Whether the transaction has sent anything but questions. */
  hasWritten = false
  /** What the acts of the transaction rely on. */
  reliance: Reliance = primaryAlone
  /** Whether the wait for the standby was called off while a commit was under way. */
  waitCancelled = false
  /** Whether the transaction under way was begun as one that only reads. */
  #isReading = false
  readonly #client: pg.Client
  readonly #socket: Socket
  readonly #watch: SilenceWatch
  /** The server's process that serves this connection, where it tells. */
  #process: number | undefined

  private constructor(
    address: DatabaseAddress,
    client: pg.Client,
    socket: Socket,
    silence: number,
  ) {
    this.address = address
    this.#client = client
    this.#socket = socket
    this.#watch = new SilenceWatch({
      address,
      silence,
      process: () => this.#process,
      lost: (why) => this.#cut(why),
    })
    client.on('error', (error: Error) => (this.lost ??= error))
    client.on('end', () => {
      this.lost ??= new Error('Connection terminated')
      this.#watch.stop()
    })
    client.on('notice', ({ routine, message }) => {
      // By routine, because the text is in the server's language; compatible databases may send only text.
      this.waitCancelled ||=
        routine === 'SyncRepWaitForLSN' || /synchronous replication/.test(message ?? '')
    })
  }

  /** Connects and looks at the server. Throws UserError for one that cannot be used at all. */
  static async open(
    address: DatabaseAddress,
    { lockPatience, silence }: ConnectionOptions,
  ): Promise<{ connection: PostgresConnection; facts: ServerFacts }> {
    const socket = new Socket()
    const client = new pg.Client({
      connectionString: address.url,
      stream: () => socket,
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: 2_000,
      connectionTimeoutMillis: connectPatience,
      fallback_application_name: 'keyreel',
    } as pg.ClientConfig)
    const connection = new PostgresConnection(address, client, socket, silence)
    await client.connect()
    try {
      return { connection, facts: await connection.#begin(lockPatience) }
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  async #begin(lockPatience: number): Promise<ServerFacts> {
    // First and alone: an older server does not know what comes next.
    const [[number]] = (await this.run(`SELECT current_setting('server_version_num')`)) as [
      [string],
    ]
    const version = Number(number)
    if (version < oldestVersion) throw tooOld(this.address.name, version)
    await this.#limit('lock_timeout', lockPatience)
    await this.#limit('idle_in_transaction_session_timeout', idleInTransaction)
    const [row] = await this.run(
      `SELECT current_setting('transaction_read_only'),
       current_setting('server_encoding'), current_setting('synchronous_commit', true)`,
    )
    const [readOnly, encoding, durability] = row!.map(String)
    if (encoding !== 'UTF8') throw notUnicode(this.address.name, String(encoding))
    // What is answered must be durable, whatever the server's default is.
    if (durability === 'off' || durability === 'local')
      await this.run('SET synchronous_commit = on')
    this.#process = await this.#processNumber()
    return { version, isReadOnly: readOnly === 'on' }
  }

  /** Sets a limit in milliseconds; compatible databases that do not have it go by limits of their own. */
  async #limit(name: string, milliseconds: number): Promise<void> {
    try {
      await this.run(`SET ${name} = ${milliseconds}`)
    } catch (error) {
      if (!isNotKnown(error)) throw error
    }
  }

  /** Compatible databases may have neither the number nor the table, or numbers that mean nothing there. */
  async #processNumber(): Promise<number | undefined> {
    try {
      const rows = await this.run(
        `SELECT pid FROM pg_stat_activity WHERE pid = pg_backend_pid() AND state = 'active'`,
      )
      return rows[0] && Number(rows[0][0])
    } catch (error) {
      if (sqlState(error) === undefined || isConnectionLost(error)) throw error
      return undefined
    }
  }

  /** Runs a statement outside the rules of a session; errors are the server's own. */
  async run(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlRow[]> {
    return (await this.#send(sql, parameters)).rows
  }

  /** Commits. Throws when the server rolled back instead. */
  async commit(): Promise<void> {
    this.waitCancelled = false
    const { command } = await this.#send('COMMIT')
    if (command === 'ROLLBACK') throw this.failure ?? new Error('the transaction was rolled back')
  }

  /** Undoes the transaction; a connection on which that fails is of no more use. */
  async rollback(): Promise<void> {
    if (this.lost !== undefined) return
    try {
      await this.#send('ROLLBACK')
    } catch (error) {
      this.destroy(error)
    }
  }

  /** Begins a snapshot, not waited for: what is sent next waits by itself, and fails when this did. */
  beginReading(): void {
    this.failure = undefined
    this.#isReading = true
    this.#send(beginSnapshot).catch((error: unknown) => (this.failure ??= error))
  }

  /** Ends a snapshot; what is sent next waits for it by itself. */
  endReading(): void {
    this.#isReading = false
    if (this.lost !== undefined) return
    this.#send('COMMIT').catch((error: unknown) => this.destroy(error))
  }

  async query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlRow[]> {
    if (this.failure !== undefined) throw this.failure
    // Refused before it is sent, so that the transaction stays whole.
    if (parameters.some(holdsNul)) throw new Error('a text for the database holds U+0000')
    this.hasWritten ||= !isQuestion.test(sql)
    try {
      return (await this.#send(sql, parameters)).rows
    } catch (error) {
      this.failure ??= error
      throw error
    }
  }

  async savepoint<T>(fn: () => Soon<T>): Promise<T> {
    await this.query('SAVEPOINT part')
    try {
      const result = await fn()
      await this.query('RELEASE part')
      return result
    } catch (error) {
      await this.#undoPart()
      throw error
    }
  }

  async copies(relied = 1): Promise<Copies> {
    const { names, ...copies } = await standbyCopies(this)
    if (relied > this.reliance.copies && copies.count >= relied)
      this.reliance = { copies: relied, names }
    return copies
  }

  /** Nothing of the kind is told there. */
  othersVersion(): undefined {
    return undefined
  }

  async #undoPart(): Promise<void> {
    if (this.lost !== undefined) return
    await this.run('ROLLBACK TO part')
    await this.run('RELEASE part')
    this.failure = undefined
  }

  async #send(sql: string, parameters: readonly SqlValue[] = []) {
    const { text, name } = statementOf(sql)
    const isReading = this.#isReading
    this.#watch.sent()
    try {
      const result: unknown = await this.#client.query({
        text,
        ...(name !== undefined && { name }),
        values: [...parameters],
        rowMode: 'array',
        types,
      })
      return result as { rows: SqlRow[]; command: string }
    } catch (error) {
      // Refused because of the snapshot, whatever the server is: a mistake here, and no reason to look for another.
      if (isReading && isRefusedWrite(error))
        throw new Error('a snapshot writes nothing', { cause: error })
      if (isConnectionLost(error)) this.destroy(error)
      throw error
    } finally {
      this.#watch.answered()
    }
  }

  /** Ends it without a word to the server, of which no answer is to be had. */
  #cut(why: Error): void {
    this.lost ??= why
    this.#socket.destroy(why)
  }

  /** Cuts the connection; what is under way on it fails. */
  destroy(why: unknown = new Error('Connection terminated')): void {
    this.lost ??= why
    void this.close()
  }

  /** Says goodbye, and does not wait for ever for the answer. */
  async close(): Promise<void> {
    this.lost ??= new Error('Client was closed')
    const patience = new AbortController()
    const ended = this.#client.end()
    await Promise.race([
      ended,
      delay(1_000, undefined, { signal: patience.signal, ref: false }).catch(() => undefined),
    ])
    patience.abort()
  }
}

const beginSnapshot = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'

/** Statements that leave nothing to commit. */
const isQuestion = /^\s*(SELECT(?! setval)|SAVEPOINT|RELEASE)\b/

function holdsNul(value: SqlValue): boolean {
  return typeof value === 'string' && value.includes('\u0000')
}

function tooOld(where: string, version: number): UserError {
  return new UserError(
    'database-too-old',
    `${where}: PostgreSQL ${versionText(version)} is too old`,
    `keyreel needs PostgreSQL ${oldestVersion / 10_000} or newer: upgrade that server, or name another`,
  )
}

/** 13, or 9.4: before 10 the second part counted. */
function versionText(version: number): string {
  const [first, second] = [Math.floor(version / 10_000), Math.floor(version / 100) % 100]
  return first < 10 ? `${first}.${second}` : `${first}`
}

function notUnicode(where: string, encoding: string): UserError {
  return new UserError(
    'database-encoding',
    `${where}: its texts are kept in ${encoding}`,
    'make the database anew with  createdb --encoding UTF8 --template template0 NAME',
  )
}
