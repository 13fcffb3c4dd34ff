// Ports below the keystore: SqlDriver (a database) and Storage (the store's tables over any SqlDriver).
// The database is untrusted: nothing here checks a MAC, and nothing above believes a row before it did.
import type { Copies } from './ready.ts'
import type { Soon } from './soon.ts'
import type { TableShape } from './tables.ts'
import type {
  Found,
  IndexEntry,
  ObjectColumns,
  Query,
  ScanPosition,
  Things,
  UniqueEntry,
} from './work.ts'

/** What a statement takes and returns. Integers come back as bigint, byte strings as Uint8Array. */
export type SqlValue = null | number | bigint | string | Uint8Array

/** A result row, columns in the order of the SELECT. */
export type SqlRow = readonly SqlValue[]

/** Statements inside one transaction or snapshot. Placeholders are written ?1, ?2 …, each used once or more. */
export interface SqlSession {
  query(sql: string, parameters?: readonly SqlValue[]): Soon<SqlRow[]>
  /** Runs `fn` so that its changes can be undone alone: a throw undoes exactly them and is thrown on. */
  savepoint<T>(fn: () => Soon<T>): Promise<T>
  /**
   * On how many copies a commit is durable, as the database says now. `relied`: what is written is acknowledged only
   * once it is on so many, if there are as many.
   */
  copies(relied?: number): Promise<Copies>
  /** Differs from what it was whenever another connection has committed meanwhile; undefined where that is not told. */
  othersVersion(): SqlValue | undefined
}

/**
 * How full the log becomes before the commit that finds it so moves it: seldom, for one who writes much and
 * alone; early, for one who writes much beside others, who then need not do it.
 */
export type LogMoves = 'usual' | 'seldom' | 'early'

/** What came of cutting off the log: done, readers prevent it for now, or the database cannot be told to. */
export type LogCut = 'done' | 'later' | 'by itself'

/**
 * A database. `transaction` is atomic and durable once it resolves, and is the only writer among all
 * processes from its start (reads in it see the newest state); `fn` awaits only the session, may be
 * run again by the driver before anything was committed, and a throw rolls everything back. When the
 * commit fails the promise is rejected and nothing is visible. Waiting for another process's lock is
 * asynchronous, never inside the database, and ends in UserError 'database-busy'.
 * `snapshot` is one consistent state, read-only, and may lag behind a transaction running meanwhile.
 * Failures of the database itself (full disk, damaged page) are UserErrors that name it.
 */
export interface SqlDriver {
  readonly dialect: 'sqlite' | 'postgres'
  transaction<T>(fn: (sql: SqlSession) => Soon<T>): Promise<T>
  snapshot<T>(fn: (sql: SqlSession) => Soon<T>): Promise<T>
  /** Drops old page images from the log so that wiped bytes are gone. */
  truncateLog(): Promise<LogCut>
  /**
   * Whether another process has written since this was last asked, as far as this one has noticed: whoever
   * writes much then leaves it room.
   */
  othersWrote(): Promise<boolean>
  /** When commits of this process move what is in the log to its place. Nothing is less durable for it. */
  moveLog(when: LogMoves): Promise<void>
  /** Milliseconds by which this machine's clock is ahead of the database's; 0 where there is one clock. */
  clockAhead(): Promise<number>
  /** How far the database had come, to be demanded when it is opened again; undefined where there is only one. */
  standing(): string | undefined
  close(): Promise<void>
}

/** The rows an object has in the derived index and in the table of unique values. */
export interface Entries {
  readonly index: readonly IndexEntry[]
  readonly unique: readonly UniqueEntry[]
}

/** A row of `objects` as it stands there, unverified. */
export interface ObjectRow {
  readonly n: number
  readonly id: string
  readonly group: string
  readonly type: number
  readonly revision: number
  readonly epoch: number
  readonly columns: ObjectColumns
  /** Undefined when what the row says about them cannot be read. */
  readonly entries: Entries | undefined
  /** What the row says about them. */
  readonly entriesText: string
  readonly record: Uint8Array
  /** Null when wiped or never there; undefined when too long to be loaded along. */
  readonly sealed: Uint8Array | null | undefined
  readonly mac: Uint8Array
  /** The revisions table's row; absent for objects never changed. */
  readonly noted: { readonly revision: number; readonly mac: Uint8Array } | undefined
}

/** Which object, and how it stands. */
export type ObjectPlace = Pick<ObjectRow, 'n' | 'id' | 'revision'>

/** What an insert or update writes of an object. */
export interface WrittenObject extends Omit<
  ObjectRow,
  'n' | 'entries' | 'entriesText' | 'sealed' | 'noted'
> {
  readonly entries: Entries
}

/** A row of `documents`; `body` is null once deleted. */
export interface DocumentRow {
  readonly kind: string
  readonly name: string
  readonly revision: number
  readonly epoch: number
  readonly body: string | null
  readonly sealed: Uint8Array | null
  readonly mac: Uint8Array
  /** The row of document_revisions; undefined when somebody took it away. */
  readonly noted: { readonly revision: number; readonly mac: Uint8Array } | undefined
}

/** What is written of a document; its revision is noted with it. */
export type WrittenDocument = Omit<DocumentRow, 'noted'>

/** A row of `transients`. */
export interface TransientRow {
  readonly kind: string
  readonly name: string
  readonly owner: string
  /** Seconds since 1970; from then on it does not count, and is deleted. */
  readonly expires: bigint
  readonly epoch: number
  readonly body: string
  readonly sealed: Uint8Array | null
  readonly mac: Uint8Array
}

/** A row of `audit`: the records `first` to `last` of one group commit; `body` is their JSON array. */
export interface AuditRow {
  readonly chain: string
  readonly first: number
  readonly last: number
  readonly epoch: number
  readonly body: string
  readonly mac: Uint8Array
}

/** The newest row of a chain: all that the next one is chained to. */
export type AuditHead = Pick<AuditRow, 'chain' | 'last' | 'mac'>

/** One wrap of an epoch's secret by the provider of that id. */
export interface WrapRow {
  readonly epoch: number
  readonly provider: string
  readonly bytes: Uint8Array
}

/** Where a walk over objects by epoch stands. */
export interface EpochPlace {
  readonly epoch: number
  readonly n: number
}

/** How much is under an epoch. */
export interface EpochCount {
  readonly objects: number
  readonly documents: number
}

/** One step of a scan: the matches among the rows examined, and where the next step begins. */
export interface ScannedRows {
  readonly rows: readonly ObjectRow[]
  readonly next?: ScanPosition
}

/** Reading, inside a snapshot or a transaction. */
export interface StorageReader {
  /** As SqlSession. */
  copies(relied?: number): Promise<Copies>
  /** `group` undefined: whichever. */
  object(group: string | undefined, id: string): Soon<ObjectRow | undefined>
  /** Whether the row, entries included, is what it was, and still stands at its newest revision. */
  isUnchanged(row: ObjectRow): Soon<boolean>
  sealed(n: number): Promise<Uint8Array | null>
  identifiers(low: string, high: string, limit: number): Promise<readonly string[]>
  holder(group: string, kind: string, value: string): Soon<string | undefined>
  /** Whether any of these is there: an object of whatever group, or an entry of this one. */
  holdsAny(group: string, things: Things): Promise<boolean>
  /** Those of the identifiers that no object has, of whatever group. */
  lackingObjects(ids: readonly string[]): Promise<readonly string[]>
  /** `rows` are those of the page when there are few, so that they need not be loaded again. */
  find(query: Query): Soon<Found & { readonly rows: readonly ObjectRow[] }>
  scan(query: Query, after: ScanPosition | undefined): Promise<ScannedRows>
  wipeable(now: bigint, limit: number): Promise<readonly { group: string; id: string }[]>
  /** Whether object `n` has all these rows in the derived index and in the table of unique values. */
  holdsEntries(group: string, n: number, entries: Entries): Promise<boolean>
  /** All objects by `n`, for verification and rebuilding. */
  objectsAfter(n: number, limit: number): Promise<readonly ObjectRow[]>
  document(kind: string, name: string): Promise<DocumentRow | undefined>
  documents(kind: string): Promise<readonly DocumentRow[]>
  /** Documents of a kind, or one of them, whose revision is noted but which are gone. */
  documentsGone(kind: string, name?: string): Promise<readonly string[]>
  /** All documents, deleted ones too, by kind and name. */
  documentsAfter(kind: string, name: string, limit: number): Promise<readonly DocumentRow[]>
  documentsChange(besides?: readonly string[]): Promise<number>
  transient(kind: string, name: string): Promise<TransientRow | undefined>
  /** Oldest first; `owner` undefined: of everybody. */
  transients(
    kind: string,
    owner: string | undefined,
    limit: number,
  ): Promise<readonly TransientRow[]>
  /** All transients, those whose time is over too, by kind and name. */
  transientsAfter(kind: string, name: string, limit: number): Promise<readonly TransientRow[]>
  /** How many rows an owner has, and bytes sealed in them. */
  transientsHeld(kind: string, owner: string): Promise<{ count: number; bytes: number }>
  /** Objects under an epoch before `epoch`, from `after` on, by epoch and `n`. */
  objectsBefore(
    epoch: number,
    after: EpochPlace,
    limit: number,
  ): Promise<readonly (EpochPlace & { readonly group: string; readonly id: string })[]>
  /** Documents that are there, under an epoch before `epoch`, by kind and name. */
  documentsBefore(
    epoch: number,
    after: Pick<DocumentRow, 'kind' | 'name'>,
    limit: number,
  ): Promise<readonly Pick<DocumentRow, 'kind' | 'name'>[]>
  /** How many objects and documents there are under each epoch. */
  epochCounts(): Promise<ReadonlyMap<number, EpochCount>>
  /** Each epoch's wraps. */
  wraps(): Promise<readonly WrapRow[]>
  setting(name: string): Promise<string | undefined>
  chains(): Promise<readonly string[]>
  auditHead(chain: string): Promise<AuditHead | undefined>
  /** Rows of a chain whose last record is after `number`, in order. */
  auditAfter(chain: string, number: number, limit: number): Promise<readonly AuditRow[]>
  /** Rows of a chain whose first record is before `number`, newest first. */
  auditBefore(chain: string, number: number, limit: number): Promise<readonly AuditRow[]>
  /** How far the index of objects in the audit chain goes. */
  auditIndexed(chain: string): Promise<number>
  /** Whether the index of objects has all these places of a chain. */
  holdsAuditPlaces(chain: string, places: readonly AuditIndexEntry[]): Promise<boolean>
  /** Numbers of a chain's indexed records about an object, newest first. */
  auditPlaces(object: string, chain: string, limit: number): Promise<readonly number[]>
  /** Rows of a table as they stand there, after a key, in the order of its key. */
  tableRows(
    table: TableShape,
    after: readonly SqlValue[] | undefined,
    limit: number,
  ): Promise<readonly SqlRow[]>
}

/** Reading and writing inside one transaction. */
export interface StorageWriter extends StorageReader {
  savepoint<T>(fn: () => Soon<T>): Promise<T>
  /** Returns `n`. Notes the revision unless it is the first. Throws UniqueConflict. */
  insertObject(object: WrittenObject, sealed: Uint8Array | null): Soon<number>
  /**
   * Writes object `n` with all that follows from it, `previous` being its entries so far, and notes
   * the revision; false when the row is not at revision `from`, by default the one before. Where
   * `object.entries` is `previous` itself, entries and initial date stay as they are. Throws UniqueConflict.
   */
  updateObject(n: number, object: WrittenObject, previous: Entries, from?: number): Soon<boolean>
  /** Writes what follows from the record of object `n`, which stays; rows that it has more are left. Throws UniqueConflict. */
  rewriteDerived(n: number, group: string, columns: ObjectColumns, entries: Entries): Promise<void>
  /** Takes a row away, given whole. */
  removeDerivedRow(table: 'attribute_index' | 'unique_entries', row: SqlRow): Promise<void>
  /** Puts other sealed bytes in the place of those that the object has. */
  putSealed(object: ObjectPlace, sealed: Uint8Array): Promise<void>
  forgetSealed(object: ObjectPlace): Promise<void>
  /**
   * Adds, when `from` is 0, else replaces what is at revision `from`; by default the one before. False when it
   * is not there.
   */
  putDocument(row: WrittenDocument, from?: number): Promise<boolean>
  /** Adds or replaces. */
  putTransient(row: TransientRow): Promise<void>
  deleteTransient(kind: string, name: string): Promise<boolean>
  /** Deletes what expires at `time` or before, up to `limit` rows; answers how many. */
  deleteTransientsUntil(time: bigint, limit: number): Promise<number>
  appendAudit(row: AuditRow): Promise<void>
  putWrap(row: WrapRow): Promise<void>
  removeWraps(provider: string): Promise<void>
  /** Adds to the seals an epoch is charged with and returns the sum. */
  chargeSeals(epoch: number, seals: number): Promise<number>
  putSetting(name: string, value: string): Promise<void>
  indexAudit(chain: string, to: number, places: readonly AuditIndexEntry[]): Promise<void>
}

/** One row of the index of objects in the audit chain. */
export interface AuditIndexEntry {
  readonly object: string
  readonly number: number
}

/**
 * The store's tables. `write` and `read` carry the guarantees of SqlDriver's `transaction` and
 * `snapshot`; callers of `write` see the newest state of all processes.
 */
export interface Storage {
  write<T>(fn: (rows: StorageWriter) => Soon<T>): Promise<T>
  read<T>(fn: (rows: StorageReader) => Soon<T>): Promise<T>
  truncateLog(): Promise<LogCut>
  othersWrote(): Promise<boolean>
  moveLog(when: LogMoves): Promise<void>
  clockAhead(): Promise<number>
  standing(): string | undefined
  close(): Promise<void>
}
