/**
 * Locate – KMIP 2.1 §6.1.28: from attributes to identifiers, newest first.
 * Conditions that have an index or a column narrow the search in SQL; what is left, and every hit,
 * is decided on the MAC-verified record. Rows looked at are bounded.
 */
import type { AttributeInstance } from '../kmip/model/attribute-forms.ts'
import { CryptographicAlgorithm, ObjectType } from '../kmip/model/enumerations.ts'
import { StorageStatusMask } from '../kmip/model/masks.ts'
import { KmipError } from '../kmip/model/result.ts'
import { indexEntryOf } from './derived-rows.ts'
import { objectOf } from './keystore.ts'
import type { ManagedObject } from './managed-object.ts'
import { conditionsOf, matches, undefinedDate, type Condition } from './matching.ts'
import {
  IntegrityError,
  type ColumnRange,
  type Inclusion,
  type IndexEntry,
  type Query,
  type RangeColumn,
  type Work,
} from './work.ts'

/** What to look for, and where. */
export interface LocateRequest {
  group: string
  /** Only objects of this owner, for users who see their own alone. */
  owner?: string | undefined
  attributes: readonly AttributeInstance[]
  /** Bits of the Storage Status Mask; on-line objects when absent. */
  storageStatus?: number | undefined
  member?: 'GroupMemberFresh' | 'GroupMemberDefault' | undefined
  maximum?: number | undefined
  offset?: number | undefined
  /** Object types that the peer's version knows; objects of others are not there for it. */
  objectTypes: ReadonlySet<string>
  /**
   * Told of an object that failed its check and is left out of a list. A search that names a key
   * (identifier or indexed value) fails instead: its answer must not read as "there is no such key".
   */
  damaged(error: IntegrityError): void
}

/** Ceilings of one Locate. */
export interface LocateLimits {
  /** Most identifiers in one answer. */
  maximumItems: number
  /** Most rows looked at when a condition has neither index nor column. */
  maximumScanned: number
  /** Milliseconds after which such a search is given up. */
  maximumTime: number
}

/** Identifiers newest first, and how many objects match in all. */
export interface Located {
  ids: string[]
  total: number
}

type Selection = Omit<Query, 'offset' | 'limit'>

/** Rows looked at in one step of a scan. */
const rowsPerStep = 500

const dateColumns: Partial<Record<string, RangeColumn>> = {
  InitialDate: 'initialDate',
  LastChangeDate: 'lastChangeDate',
  ActivationDate: 'activationDate',
  DeactivationDate: 'deactivationDate',
  DestroyDate: 'destroyDate',
  CompromiseDate: 'compromiseDate',
  ArchiveDate: 'archiveDate',
}

const { OnLineStorage, ArchivalStorage, DestroyedStorage } = StorageStatusMask.bits

/**
 * Searches one group. Nothing outside it is counted or named.
 * @throws KmipError when too many objects would have to be looked at, or a date is given three times
 * @throws IntegrityError when a key named by the search fails its check
 */
export async function locate(
  work: Work,
  request: LocateRequest,
  limits: LocateLimits,
): Promise<Located> {
  const conditions = conditionsOf(request.attributes)
  const maximum = Math.min(request.maximum ?? limits.maximumItems, limits.maximumItems)
  const offset = request.offset ?? 0
  const status = request.storageStatus ?? OnLineStorage
  if ((status & (OnLineStorage | ArchivalStorage | DestroyedStorage)) === 0)
    return { ids: [], total: 0 }
  const isHit = (object: ManagedObject) =>
    isVisible(object, request, status) && matches(object, conditions, work.now)
  const named = request.attributes.find(({ tag }) => tag === 'UniqueIdentifier')
  if (named !== undefined) {
    const stored = await work.load(request.group, String(named.value))
    const ids = stored !== undefined && isHit(objectOf(stored)) ? [stored.id] : []
    return page(ids, offset, maximum)
  }
  const { selection, residual } = plan(request, conditions, status)
  if (residual || request.member === 'GroupMemberDefault') {
    const ids = await scan(work, request, selection, isHit, limits)
    return page(request.member === 'GroupMemberDefault' ? ids.slice(0, 1) : ids, offset, maximum)
  }
  const found = await work.find({ ...selection, offset, limit: maximum })
  return { ids: await confirmed(work, request, selection, found.ids, isHit), total: found.total }
}

function page(ids: string[], offset: number, maximum: number): Located {
  return { ids: ids.slice(offset, offset + maximum), total: ids.length }
}

/** Those candidates that are hits by their verified records. */
async function confirmed(
  work: Work,
  { group, damaged }: LocateRequest,
  { equals }: Selection,
  candidates: readonly string[],
  isHit: (object: ManagedObject) => boolean,
): Promise<string[]> {
  const ids: string[] = []
  for (const id of candidates) {
    try {
      const stored = await work.load(group, id)
      if (stored !== undefined && isHit(objectOf(stored))) ids.push(id)
    } catch (error) {
      if (!(error instanceof IntegrityError) || equals.length > 0) throw error
      damaged(error)
    }
  }
  return ids
}

function isVisible(
  { vitals, objectType }: ManagedObject,
  { owner, member, objectTypes }: LocateRequest,
  status: number,
): boolean {
  if (!objectTypes.has(objectType)) return false
  if (owner !== undefined && vitals.Owner !== owner) return false
  if (member === 'GroupMemberFresh' && !vitals.Fresh) return false
  if (vitals.DestroyDate !== undefined && (status & DestroyedStorage) === 0) return false
  if (vitals.ArchiveDate !== undefined && (status & ArchivalStorage) === 0) return false
  const online = vitals.DestroyDate === undefined && vitals.ArchiveDate === undefined
  return !online || (status & OnLineStorage) !== 0
}

/** Turns conditions into a query; `residual` when it may find objects that do not match. */
function plan(
  request: LocateRequest,
  conditions: readonly Condition[],
  status: number,
): { selection: Selection; residual: boolean } {
  const equals: IndexEntry[] = []
  const ranges: ColumnRange[] = []
  let type: number | undefined
  let usageMask: number | undefined
  let residual = false
  for (const { wanted, date } of conditions) {
    const [{ tag, value }] = wanted as [AttributeInstance]
    const column = dateColumns[tag]
    const entry = indexEntryOf({ tag, value })
    if (date && column !== undefined) ranges.push(dateRange(column, wanted))
    else if (tag === 'ObjectType' && type === undefined)
      type = ObjectType.numberOf(value as 'SymmetricKey')
    else if (tag === 'CryptographicUsageMask') usageMask = (usageMask ?? 0) | (value as number)
    else if (tag === 'CryptographicAlgorithm') {
      const algorithm = BigInt(CryptographicAlgorithm.numberOf(value as 'AES'))
      ranges.push({ column: 'algorithm', from: algorithm, to: algorithm })
    } else if (tag === 'CryptographicLength') {
      ranges.push({ column: 'length', from: BigInt(value as number), to: BigInt(value as number) })
    } else if (entry === undefined) residual = true
    else {
      equals.push(entry)
      residual ||= !decidedByIndex(tag, value)
    }
  }
  if (request.member === 'GroupMemberFresh') ranges.push({ column: 'fresh', from: 1n, to: 1n })
  const { group, owner } = request
  const storage = storageOf(status)
  return {
    selection: { group, owner, type, equals, ranges, usageMask, ...storage },
    residual: residual || storage.residual,
  }
}

/** Whether equal index entries already mean a match: values that are one text, or an application pair. */
function decidedByIndex(tag: string, value: unknown): boolean {
  if (typeof value === 'string') return true
  if (tag === 'ApplicationSpecificInformation' || tag === 'Attribute') return true
  return Object.keys(value as object).length === 1
}

function dateRange(column: RangeColumn, wanted: readonly AttributeInstance[]): ColumnRange {
  const ends = wanted.map(({ value }) => value as bigint).sort((a, b) => (a < b ? -1 : 1))
  if (ends.length === 1 && ends[0] === undefinedDate) return { column, absent: 'only' }
  return { column, from: ends[0]!, to: ends.at(-1)! }
}

/** Which rows may be in the storage asked for; `residual` when others may be among them. */
function storageOf(status: number): {
  destroyed: Inclusion
  archived: Inclusion
  residual: boolean
} {
  const online = (status & OnLineStorage) !== 0
  const archived = (status & ArchivalStorage) !== 0
  if ((status & DestroyedStorage) !== 0) {
    const alone = !online && !archived
    return {
      destroyed: alone ? 'only' : 'include',
      archived: archived ? 'include' : 'exclude',
      residual: archived && !online,
    }
  }
  const both = online ? 'include' : 'only'
  return { destroyed: 'exclude', archived: archived ? both : 'exclude', residual: false }
}

async function scan(
  work: Work,
  request: LocateRequest,
  selection: Selection,
  isHit: (object: ManagedObject) => boolean,
  { maximumScanned, maximumTime }: LocateLimits,
): Promise<string[]> {
  const until = performance.now() + maximumTime
  const ids: string[] = []
  let scanned = 0
  let after: Parameters<Work['scan']>[1]
  try {
    do {
      const left = maximumScanned - scanned
      const limit = Math.max(1, Math.min(rowsPerStep, left))
      const { objects, next } = await work.scan({ ...selection, offset: 0, limit }, after)
      if (left <= 0 && next !== undefined) throw tooMany(`more than ${maximumScanned} objects`)
      if (performance.now() > until) throw tooMany(`objects for more than ${maximumTime} ms`)
      for (const stored of objects) if (isHit(objectOf(stored))) ids.push(stored.id)
      scanned += limit
      after = next
    } while (after !== undefined)
    return ids
  } catch (error) {
    if (!(error instanceof IntegrityError) || selection.equals.length > 0) throw error
    return scanOneByOne(work, request, selection, isHit, maximumScanned)
  }
}

function tooMany(what: string): KmipError {
  return new KmipError(
    'ServerLimitExceeded',
    `${what} would have to be looked at: add a Name or Application Specific Information`,
    { before20: 'GeneralFailure' },
  )
}

/** A scan past an object that fails its check: the others of the group are still found. */
async function scanOneByOne(
  work: Work,
  request: LocateRequest,
  selection: Selection,
  isHit: (object: ManagedObject) => boolean,
  limit: number,
): Promise<string[]> {
  const { ids } = await work.find({ ...selection, offset: 0, limit })
  return confirmed(work, request, selection, ids, isHit)
}
