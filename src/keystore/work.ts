// What the keystore's users see of the store: the unit of work, stored objects, queries, documents
// and audit records. Attributes are opaque bytes here; managed-object.ts knows what they mean.
import type { Secret } from '../crypto/secret.ts'
import type { Soon } from './soon.ts'
import type { Copies } from './ready.ts'

/** A JSON document as kept in the store. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined }

/** Values copied out of the record so that Locate can filter in SQL. Derived, never trusted. Dates are seconds. */
export interface ObjectColumns {
  readonly owner: string
  readonly initialDate: bigint
  readonly lastChangeDate: bigint
  readonly activationDate?: bigint | undefined
  readonly deactivationDate?: bigint | undefined
  readonly destroyDate?: bigint | undefined
  readonly compromiseDate?: bigint | undefined
  readonly archiveDate?: bigint | undefined
  readonly algorithm?: number | undefined
  readonly length?: number | undefined
  readonly usageMask?: number | undefined
  readonly fresh?: boolean | undefined
  /** When the sealed bytes of a destroyed object are to be forgotten. */
  readonly wipeAfter?: bigint | undefined
}

/** A value found by equality: one row of the derived attribute index. */
export interface IndexEntry {
  readonly attribute: string
  readonly value: string
}

/** A value at most one object of a group may hold, such as a Name: (`kind`, `value`). */
export interface UniqueEntry {
  readonly kind: string
  readonly value: string
}

/**
 * One managed object as the store keeps it. `record` is what the MAC covers (with id, type, group,
 * epoch and revision); `columns`, `index` and `unique` are derived from it and never trusted.
 * A loaded object is shared within its act and never changes: `update` answers the changed one.
 */
export interface StoredObject {
  /** UUID, lower-case with dashes; any text for an object that was imported under it. */
  readonly id: string
  readonly group: string
  /** Number of the Object Type enumeration. */
  readonly type: number
  /** 1 at insert, one more at each update. */
  readonly revision: number
  readonly record: Uint8Array
  readonly columns: ObjectColumns
  readonly index: readonly IndexEntry[]
  readonly unique: readonly UniqueEntry[]
  /** Whether sealed key material is still kept. */
  readonly hasMaterial: boolean
  /** What the one `decode` there is makes of the record: made once, shared, and so never changed. */
  decoded<T>(decode: (record: Uint8Array) => T): T
}

/** What `insert` takes; the store adds the rest. */
export type NewObject = Omit<StoredObject, 'revision' | 'hasMaterial' | 'decoded'>

/**
 * What `update` takes: identifier, group and type never change. Without `index` and `unique` both stay
 * as they are, and the columns' initial date with them.
 */
export type ObjectChanges = Partial<Omit<NewObject, 'id' | 'group' | 'type'>>

/** Columns a query may bound; `fresh` counts as 0 or 1. */
export type RangeColumn = Exclude<keyof ObjectColumns, 'owner'>

/** Inclusive bounds on a column. An object without the value matches only if `absent` says so. */
export interface ColumnRange {
  readonly column: RangeColumn
  readonly from?: bigint | undefined
  readonly to?: bigint | undefined
  /** 'never' (default): the value must be there; 'also': absent matches too; 'only': it must be absent. */
  readonly absent?: 'never' | 'also' | 'only'
}

/** Whether objects with such a date take part. */
export type Inclusion = 'exclude' | 'include' | 'only'

/**
 * A search in one group: every condition must hold. Newest first: initial date, then `n`, descending.
 * The result is a candidate list: what is served is checked against the MAC-verified record.
 */
export interface Query {
  readonly group: string
  readonly type?: number | undefined
  readonly equals: readonly IndexEntry[]
  readonly ranges: readonly ColumnRange[]
  /** Bits that must all be set. */
  readonly usageMask?: number | undefined
  readonly destroyed: Inclusion
  readonly archived: Inclusion
  readonly owner?: string | undefined
  /** The only order there is. */
  readonly order?: 'newest'
  readonly offset: number
  readonly limit: number
}

/** What may be asked about at once: identifiers, unique values and index entries. */
export interface Things {
  readonly ids: readonly string[]
  readonly unique: readonly UniqueEntry[]
  readonly index: readonly IndexEntry[]
}

/** A find's answer; `total` counts before paging and stops at 100 000 (`totalIsFloor`). */
export interface Found {
  readonly ids: readonly string[]
  readonly total: number
  readonly totalIsFloor: boolean
}

/** Where a scan goes on: the last row examined. */
export interface ScanPosition {
  readonly initialDate: bigint
  readonly n: number
}

/** What one step of a scan found, verified, newest first; `next` is absent when the group has been seen to its end. */
export interface ScanPage {
  readonly objects: readonly StoredObject[]
  readonly next?: ScanPosition
}

/** Where sealing anew stands: objects first, by epoch and `n`, then documents by kind and name. */
export interface ResealPlace {
  readonly epoch: number
  readonly n: number
  readonly kind: string
  readonly name: string
}

/** A step of what is under earlier epochs; `next` is absent when that was the last of it. */
export interface EarlierPage {
  readonly objects: readonly { readonly group: string; readonly id: string }[]
  readonly documents: readonly { readonly kind: string; readonly name: string }[]
  readonly next?: ResealPlace
}

/**
 * A small MAC-protected JSON record: group, client, certificate, credential, CA or server key.
 * `revision` is 1 at first and grows with every put and delete of that (kind, name), also across deletion.
 */
export interface Document {
  readonly kind: string
  readonly name: string
  readonly revision: number
  readonly body: JsonValue
  readonly hasSecret: boolean
}

/**
 * A small record that is forgotten when its time is over. Under a MAC, but without revisions: nothing
 * that would do harm when an older state of it is put back belongs here.
 */
export interface Transient {
  readonly kind: string
  readonly name: string
  /** Whom it belongs to, such as a client's name; never changes. */
  readonly owner: string
  /** Seconds since 1970. */
  readonly expires: bigint
  readonly body: JsonValue
  readonly hasSecret: boolean
}

/** One object that an act has written: as it was, unless it is new, and as it is. */
export interface ObjectChange {
  readonly before: StoredObject | undefined
  readonly after: StoredObject
  /** Another object has taken its place, under its identifier. */
  readonly replaced: boolean
}

/**
 * Told, at the end of an act, of the objects that it has written. It may write more, which becomes durable
 * with the act. Like the act it may run again, and awaits nothing but its Work.
 */
export type ChangeObserver = (work: Work, changes: readonly ObjectChange[]) => Soon<void>

/** Who did something: a client's or operator's name and what kind of party it is. */
export interface AuditActor {
  readonly name: string
  /** 'client', 'operator', 'cli', 'server' … */
  readonly kind: string
}

/** What an act writes into the audit chain. Never a secret, never key material. */
export interface AuditRecord {
  readonly actor: AuditActor
  /** KMIP operation or our own event name. */
  readonly operation: string
  /** Unique identifier of the object concerned. */
  readonly object?: string | undefined
  readonly group?: string | undefined
  /** 'Success' or the Result Reason. */
  readonly outcome: string
  readonly details?: JsonValue | undefined
}

/** A state change as it stands in the chain; `mac` is the row's, in base64url. */
export interface AuditChange {
  /** Unique identifier, or `kind/name` of a document when `document` is set. */
  readonly object: string
  readonly document?: true
  readonly revision: number
  readonly mac: string
}

/** An audit record as read back. `time` is seconds; numbers are consecutive in a chain from 1. */
export interface AuditEntry extends AuditRecord {
  readonly chain: string
  readonly number: number
  readonly time: bigint
  readonly changes: readonly AuditChange[]
}

/**
 * One act's view of the store: inside a group's write transaction (`Store.act`) or a read snapshot
 * (`Store.read`, where every changing method and `material` throw).
 * An act awaits nothing but these methods and must be re-runnable: no side effect elsewhere.
 */
export interface Work {
  /** The group's time in seconds, the same for every act in it. */
  readonly now: bigint
  /** Grows with every step of the act that writes: tells whether something has written in between. */
  readonly written: number

  /** Whether the disk has room for new objects; if not, what is left is for records of what is handed out. */
  readonly hasRoom: boolean
  /** On how many copies what this act writes will be durable; `relied`: on how many it must be before it is answered. */
  copies(relied?: number): Promise<Copies>

  /** The object, MAC and revision verified; undefined when the group has no such object. Throws IntegrityError. */
  load(group: string, id: string): Soon<StoredObject | undefined>
  /** As `load`, in whichever group: for administrators, and to see whether an identifier is taken. */
  loadAnywhere(id: string): Soon<StoredObject | undefined>
  /** Unique identifiers starting with `prefix` (hexadecimal, dashes optional), at most `limit`: for the CLI. */
  identifiers(prefix: string, limit: number): Promise<readonly string[]>

  /**
   * Adds an object and seals `material` (not kept, caller wipes). It is written when the act is over, or
   * something searches the tables, as the act has left it then: changes before count as part of its
   * making. Ask `holder` first: an act that makes what another object holds fails with UniqueConflict.
   */
  insert(object: NewObject, material?: Uint8Array): Soon<StoredObject>
  /** Writes changes of an object as it was loaded. Throws RevisionConflict, UniqueConflict. */
  update(object: StoredObject, changes: ObjectChanges): Soon<StoredObject>
  /**
   * Puts a new object in the place of one that was loaded, under its identifier: the record, the type
   * and the material are new, and the sealed bytes of before are forgotten. Throws as `update` does.
   */
  replace(before: StoredObject, object: NewObject, material?: Uint8Array): Promise<StoredObject>
  /** The check value of material that is about to be kept with that object: belongs into its record. */
  checkValue(object: Pick<NewObject, 'id' | 'group' | 'type'>, material: Uint8Array): Uint8Array
  /**
   * An unsealed copy of the key material, compared with the check value of the record where it has one;
   * the caller wipes it. The act must audit. Throws IntegrityError.
   */
  material(object: StoredObject, check?: Uint8Array): Soon<Secret>
  /**
   * Seals the object anew under the newest epoch, and its record under that epoch's MAC: one revision more,
   * and nothing of it changes. The material is compared with the check value first. False when it is there
   * already. Throws IntegrityError.
   */
  reseal(object: StoredObject, check?: Uint8Array): Promise<boolean>
  /** Objects and documents that are under earlier epochs, at most `limit`, after `after`. */
  underEarlierEpochs(after: ResealPlace, limit: number): Promise<EarlierPage>
  /** Forgets the sealed bytes for good; revision and record stay. */
  wipe(object: StoredObject): Promise<void>

  /** Unique identifier of the object of the group that holds (`kind`, `value`). */
  holder(group: string, kind: string, value: string): Soon<string | undefined>
  /** Whether any of these is there: an object of whatever group, or an entry of this one. One question for many. */
  holdsAny(group: string, things: Things): Promise<boolean>
  find(query: Query): Soon<Found>
  /** One bounded step: the matching objects among the group's next `query.limit`; `query.offset` is ignored. */
  scan(query: Query, after?: ScanPosition): Promise<ScanPage>
  /** Objects whose `wipeAfter` is not after `now` and which still hold sealed bytes, oldest first. */
  wipeable(now: bigint, limit: number): Promise<readonly { group: string; id: string }[]>

  document(kind: string, name: string): Soon<Document | undefined>
  /** All documents of a kind, by name. */
  documents(kind: string): Promise<readonly Document[]>
  /** Adds or replaces. Without `secret` the sealed part stays as it is; `null` removes it. */
  putDocument(
    kind: string,
    name: string,
    body: JsonValue,
    secret?: Uint8Array | null,
  ): Promise<Document>
  /** As `reseal` for a document. */
  resealDocument(kind: string, name: string): Promise<boolean>
  /** Whether there was such a document. */
  deleteDocument(kind: string, name: string): Promise<boolean>
  /** The unsealed secret part; the caller wipes it. Throws IntegrityError when there is none. */
  documentSecret(kind: string, name: string): Promise<Secret>
  /** Grows whenever a document changes, whoever changed it, but for kinds `besides`: ask it to refresh a cache. */
  documentsChange(besides?: readonly string[]): Promise<number>

  /** Undefined once its time is over. */
  transient(kind: string, name: string): Promise<Transient | undefined>
  /** Those of an owner, or of everybody, oldest first. */
  transients(kind: string, owner: string | undefined, limit: number): Promise<readonly Transient[]>
  /** How many an owner has, and bytes sealed in them; those whose time is over still count for a while. */
  transientsHeld(kind: string, owner: string): Promise<{ count: number; bytes: number }>
  /** The unsealed secret part; the caller wipes it. Throws IntegrityError when there is none. */
  transientSecret(kind: string, name: string): Promise<Secret>
  /** Adds or replaces. Without `secret` the sealed part stays as it is; `null` removes it. */
  putTransient(transient: Omit<Transient, 'hasSecret'>, secret?: Uint8Array | null): Promise<void>
  /** Whether there was such a record. */
  deleteTransient(kind: string, name: string): Promise<boolean>
  /** Deletes what has expired, up to `limit` records; answers how many. */
  forgetTransients(limit: number): Promise<number>

  /** Appends to this writer's chain within the act's transaction. An act that changes or releases anything must call it. */
  audit(record: AuditRecord): void
}

/** What is wrong with a stored thing. */
export type IntegrityCode =
  'changed' | 'derived' | 'replayed' | 'material-changed' | 'material-missing' | 'unknown-epoch'

/**
 * The database holds something this keystore did not write there, or an older state of it.
 * An act may catch it, audit the refusal and return it as a result.
 */
export class IntegrityError extends Error {
  readonly code: IntegrityCode
  /** Unique identifier, `kind/name` of a document, or `chain/number` of an audit row. */
  readonly subject: string

  constructor(code: IntegrityCode, subject: string, message: string, cause?: unknown) {
    super(`${subject}: ${message}`, cause === undefined ? undefined : { cause })
    this.name = 'IntegrityError'
    this.code = code
    this.subject = subject
  }
}

/** Another object of the group already holds the value. */
export class UniqueConflict extends Error {
  readonly code = 'unique-conflict'
  readonly kind: string
  readonly value: string
  /** Unique identifier of the object that holds it. */
  readonly holder: string

  constructor(kind: string, value: string, holder: string) {
    super(`${kind} '${value}' is held by ${holder}`)
    this.name = 'UniqueConflict'
    this.kind = kind
    this.value = value
    this.holder = holder
  }
}

/** The object was changed since it was loaded: load again within one act. */
export class RevisionConflict extends Error {
  readonly code = 'revision-conflict'
  readonly object: string

  constructor(object: string, revision: number) {
    super(`${object} is no longer at revision ${revision}`)
    this.name = 'RevisionConflict'
    this.object = object
  }
}
