// SqlDriver over node:sqlite: one file in WAL mode, one writing and one read-only connection.
// Several processes may open the file. SQLite never waits for their locks itself (it would stop the
// event loop); waiting is a timer. Never open the database file by other means in this process:
// closing any descriptor of it drops SQLite's POSIX locks.
import { accessSync, constants } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import { inOrder } from './in-order.ts'
import type { Copies } from './ready.ts'
import type { Soon } from './soon.ts'
import type { LogCut, LogMoves, SqlDriver, SqlRow, SqlSession, SqlValue } from './storage.ts'

/** How a database file is opened. */
export interface SqliteOptions {
  /** An existing file (empty for a new database), or `:memory:`. */
  readonly file: string
  /** Milliseconds to wait for another process's lock before 'database-busy'. */
  readonly patience?: number
  /**
   * On a full disk, where the file beside the log that processes share has no room, the database is opened for
   * this process alone, unless this is false: 'disk-full' then.
   */
  readonly mayBeAlone?: boolean
}

/** Primary SQLite result codes that have a meaning for the administrator or for us (sqlite.org/rescode.html). */
const resultCodes = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADatabase: 26,
} as const

/** SQLITE_IOERR_SHMSIZE: no room for the index of the log, which is a file that processes share. */
const noRoomForIndex = 4874

const statementsKept = 256

const oneFile: Copies = { count: 1, missing: 'this process writes no journal' }

/**
 * Pages of 4 KiB in the log after which a commit moves them to their places. Whoever writes much alone changes the
 * same pages of the indexes again and again, and has nobody wait for it.
 */
const pagesOfLog: Readonly<Record<LogMoves, number>> = { usual: 1000, seldom: 32_768, early: 400 }

/**
 * Attempts a millisecond apart before they become rare. A process that writes much holds the lock for
 * moments with shorter ones between them: whoever asks seldom would find it locked again and again.
 */
const quickTries = 200

/** Opens the database file. Throws UserError naming it when it cannot be used. */
export async function openSqlite(options: SqliteOptions): Promise<SqlDriver> {
  const { writer, reader } = await connections(options)

  return {
    dialect: 'sqlite',
    transaction: (fn) => writer.turn(() => inTransaction(writer, 'BEGIN IMMEDIATE', fn)),
    snapshot: (fn) => reader.turn(() => inTransaction(reader, 'BEGIN', fn)),
    truncateLog: () => writer.turn(() => Promise.resolve(truncateLog(writer))),
    clockAhead: () => Promise.resolve(0),
    standing: () => undefined,
    othersWrote: () => writer.turn(() => Promise.resolve(writer.othersWrote())),
    moveLog: (when) =>
      writer.turn(() => {
        writer.execute(`PRAGMA wal_autocheckpoint = ${pagesOfLog[when]}`)
        return Promise.resolve()
      }),
    async close() {
      if (reader !== writer) await reader.turn(() => Promise.resolve(reader.database.close()))
      if (!isShared(writer)) await writer.turn(() => Promise.resolve(writer.database.close()))
    },
  }
}

interface Connections {
  readonly writer: Connection
  /** The same where there can be only one. */
  readonly reader: Connection
}

/** By path: what is open for this process alone, and how often. */
const alone = new Map<string, { connection: Connection; uses: number }>()

/** Gives up one use of a connection; whether others remain. */
function isShared(connection: Connection): boolean {
  const found = alone.get(resolve(connection.file))
  if (found?.connection !== connection) return false
  found.uses -= 1
  if (found.uses === 0) alone.delete(resolve(connection.file))
  return found.uses > 0
}

/** The database for this process alone: the index of the log is in memory, and the file locked, also for a second connection. */
async function openAlone(file: string, patience: number): Promise<Connections> {
  const found = alone.get(resolve(file))
  const connection = found?.connection ?? (await connect(file, 'alone', patience))
  alone.set(resolve(file), { connection, uses: (found?.uses ?? 0) + 1 })
  return { writer: connection, reader: connection }
}

async function connections(options: SqliteOptions): Promise<Connections> {
  const { file, patience = 10_000, mayBeAlone = true } = options
  if (alone.has(resolve(file))) return openAlone(file, patience)
  let writer: Connection | undefined
  try {
    writer = await connect(file, 'writer', patience)
    const reader = file === ':memory:' ? writer : await connect(file, 'reader', patience)
    return { writer, reader }
  } catch (error) {
    writer?.database.close()
    const { cause } = error as Error
    if (!mayBeAlone || resultCode(cause) !== noRoomForIndex) throw error
    return openAlone(file, patience)
  }
}

/** One connection, and the session of whichever transaction runs on it. */
class Connection implements SqlSession {
  readonly file: string
  readonly patience: number
  readonly database: DatabaseSync
  /** Runs one thing after the other. */
  readonly turn = inOrder()
  /**
   * After a full disk or an I/O error SQLite may have ended the transaction by itself: what follows
   * would be committed statement by statement, so every further statement throws that error again.
   */
  lost: unknown
  readonly #statements = new Map<string, StatementSync>()
  #version: SqlValue | undefined

  constructor(file: string, patience: number, database: DatabaseSync) {
    this.file = file
    this.patience = patience
    this.database = database
  }

  query(sql: string, parameters: readonly SqlValue[] = []): SqlRow[] {
    if (this.lost !== undefined) throw this.lost
    try {
      return this.execute(sql, parameters)
    } catch (cause) {
      const error = explained(cause, this.file)
      if (!this.database.isTransaction) this.lost = error
      throw error
    }
  }

  copies(): Promise<Copies> {
    return Promise.resolve(oneFile)
  }

  async savepoint<T>(fn: () => Soon<T>): Promise<T> {
    this.query('SAVEPOINT part')
    try {
      const result = await fn()
      this.query('RELEASE part')
      return result
    } catch (error) {
      if (this.database.isTransaction) {
        this.query('ROLLBACK TO part')
        this.query('RELEASE part')
      }
      throw error
    }
  }

  /** By sqlite.org/pragma.html#pragma_data_version. */
  othersVersion(): SqlValue | undefined {
    return this.execute('PRAGMA data_version')[0]?.[0]
  }

  /** Whether another connection has committed since this was last asked. */
  othersWrote(): boolean {
    const before = this.#version
    this.#version = this.othersVersion()
    return before !== undefined && before !== this.#version
  }

  /** Runs a statement outside the rules of a session; errors are SQLite's own. */
  execute(sql: string, parameters: readonly SqlValue[] = []): SqlRow[] {
    const statement = this.#statements.get(sql) ?? this.#prepared(sql)
    return statement.all(...parameters) as unknown as SqlRow[]
  }

  #prepared(sql: string): StatementSync {
    const statement = this.database.prepare(sql)
    if (this.#statements.size >= statementsKept) {
      const oldest = this.#statements.keys().next()
      if (!oldest.done) this.#statements.delete(oldest.value)
    }
    this.#statements.set(sql, statement)
    return statement
  }
}

async function connect(
  file: string,
  use: 'writer' | 'reader' | 'alone',
  patience: number,
): Promise<Connection> {
  const readOnly = use === 'reader'
  const database = openDatabase(file, readOnly)
  const connection = new Connection(file, patience, database)
  try {
    await patiently(connection, () => {
      // First of all: others read the schema, and the log with it.
      if (use === 'alone') connection.execute('PRAGMA locking_mode = EXCLUSIVE')
      connection.execute('PRAGMA temp_store = MEMORY')
      connection.execute('PRAGMA trusted_schema = OFF')
      connection.execute('PRAGMA cell_size_check = ON')
      connection.execute('PRAGMA cache_size = -32768')
      if (!readOnly) prepareWriter(connection)
      connection.execute('SELECT count(*) FROM sqlite_schema')
    })
  } catch (error) {
    database.close()
    throw explained(error, file)
  }
  return connection
}

function openDatabase(file: string, readOnly: boolean): DatabaseSync {
  try {
    return new DatabaseSync(file, {
      readOnly,
      timeout: 0,
      readBigInts: true,
      returnArrays: true,
      enableDoubleQuotedStringLiterals: false,
    })
  } catch (error) {
    throw explained(error, file)
  }
}

function prepareWriter(connection: Connection): void {
  connection.execute('PRAGMA synchronous = FULL')
  connection.execute('PRAGMA secure_delete = ON')
  const mode = connection.execute('PRAGMA journal_mode = WAL')[0]?.[0]
  if (mode === 'wal' || connection.file === ':memory:') return
  throw new UserError(
    'journal-mode',
    `${connection.file}: the file system does not support write-ahead logging (mode ${mode})`,
    'keep the data directory on a local file system, not on a network share',
  )
}

async function inTransaction<T>(
  connection: Connection,
  begin: string,
  fn: (sql: SqlSession) => Soon<T>,
): Promise<T> {
  await patiently(connection, () => {
    connection.execute(begin)
    // BEGIN alone takes no snapshot; the first read does, and may find the database locked.
    if (begin === 'BEGIN') takeSnapshot(connection)
  })
  connection.lost = undefined
  try {
    const result = await fn(connection)
    if (connection.lost !== undefined) throw connection.lost
    connection.execute('COMMIT')
    return result
  } catch (error) {
    if (connection.database.isTransaction) connection.execute('ROLLBACK')
    throw explained(error, connection.file)
  }
}

function takeSnapshot(connection: Connection): void {
  try {
    connection.execute('SELECT 1 FROM sqlite_schema LIMIT 1')
  } catch (error) {
    connection.execute('ROLLBACK')
    throw error
  }
}

function truncateLog(connection: Connection): LogCut {
  try {
    const [row] = connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    return row?.[0] === 0n ? 'done' : 'later'
  } catch (error) {
    if (isBusy(error)) return 'later'
    throw explained(error, connection.file)
  }
}

/** Tries again while another process holds the lock, without stopping the event loop. */
async function patiently(connection: Connection, attempt: () => void): Promise<void> {
  const until = performance.now() + connection.patience
  for (let tries = 1; ; tries += 1) {
    try {
      attempt()
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw explained(error, connection.file)
    }
    await delay(tries < quickTries ? 1 : 20)
  }
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return Number(error.errcode)
}

function primaryCode(error: unknown): number | undefined {
  const code = resultCode(error)
  return code === undefined ? undefined : code & 0xff
}

/** Whether another connection holds a lock that was wanted. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error)
  return code === resultCodes.busy || code === resultCodes.locked
}

function isReadOnlyFileSystem(file: string): boolean {
  try {
    accessSync(file, constants.W_OK)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS'
  }
}

/** SQLite's failures in the administrator's words; any other error unchanged. */
export function explained(error: unknown, file: string): unknown {
  const text = error instanceof Error ? error.message : ''
  const said = (code: string, message: string, hint: string): UserError =>
    new UserError(code, `${file}: ${message}`, hint, { cause: error })
  const full = () =>
    said(
      'disk-full',
      'no space left to write',
      'free space on its file system; nothing was half-written',
    )
  switch (primaryCode(error)) {
    case resultCodes.full:
      return full()
    case resultCodes.corrupt:
      return said(
        'database-damaged',
        `the database is damaged (${text})`,
        // SQLite says the same when the disk fails to read (SQLITE_IOERR_CORRUPTFS).
        'look at the system log for disk errors first: a disk that cannot be read is told like this too. If the file itself is damaged, stop the server, keep it, and go back to the last backup (docs/how-to/back-up-and-restore.md)',
      )
    case resultCodes.notADatabase:
      return said(
        'not-a-database',
        'this file is not a keystore database',
        'name the right data directory with --data, or go back to a copy of it (docs/how-to/copy-the-keystore.md)',
      )
    case resultCodes.io:
      if (resultCode(error) === noRoomForIndex) return full()
      // A write to a file system that has become read-only is no more than an I/O error to SQLite.
      if (isReadOnlyFileSystem(file))
        return said(
          'database-unwritable',
          `its file system is read-only (${text})`,
          'look at the system log: a file system with errors is often set read-only; put it right and mount it for writing again',
        )
      return said(
        'database-io',
        `the disk failed (${text})`,
        'look at the system log for disk errors',
      )
    case resultCodes.readOnly:
    case resultCodes.cantOpen:
      return said(
        'database-unwritable',
        `cannot be opened for writing (${text})`,
        'check owner and permissions of the data directory: it belongs to the user that runs keyreel',
      )
    case resultCodes.busy:
    case resultCodes.locked:
      return said(
        'database-busy',
        'another process keeps the database locked',
        'wait until the other keyreel command has finished and try again',
      )
    default:
      return error
  }
}
