// Makes what follows from records anew where it does not: columns, index entries, claims, and the index of audit
// records. Only records whose MAC and revision are right are believed; damage of those is not touched, and what is
// right stays as it is, so that doing it twice changes nothing the second time.
import { isDeepStrictEqual } from 'node:util'
import { placesIn, verifyRow } from './audit-reading.ts'
import { appendAudit } from './audit.ts'
import { decodedRow, presentColumns } from './contents-check.ts'
import { columnsOf, indexOf, uniqueOf } from './derived-rows.ts'
import { wrongWith } from './examine.ts'
import type { ManagedObject } from './managed-object.ts'
import { verifyNoted } from './replay.ts'
import { EpochNotOpen, type Sealing } from './sealing.ts'
import { nameBytes, valueBytes } from './sql-storage-columns.ts'
import type { ObjectRow, SqlRow, SqlValue, Storage, StorageWriter } from './storage.ts'
import { keyOf, tables } from './tables.ts'
import type { AuditActor, UniqueEntry } from './work.ts'

/** What a rebuild stands on. */
export interface RebuildGround {
  readonly storage: Storage
  readonly sealing: Sealing
  readonly chain: string
  readonly now: () => bigint
  /** Opens an epoch made since the start. */
  readonly learnEpoch: (missing: EpochNotOpen) => Promise<void>
}

/** Where a rebuild stands; it begins without one. */
export type RebuildPosition =
  | { readonly part: 'rows'; readonly table: DerivedTable; readonly after?: readonly SqlValue[] }
  | { readonly part: 'objects'; readonly n: number }
  | { readonly part: 'audit'; readonly chain: string; readonly number: number }

/** What a step has done; without `next` there is nothing left to look at. */
export interface RebuildStep {
  /** Objects whose columns, entries or rows were made anew. */
  readonly objects: number
  /** Rows taken away that no object has. */
  readonly removed: number
  /** Rows of the audit record whose records were indexed again. */
  readonly auditRows: number
  /** Objects left alone, because their own record is damaged. */
  readonly damaged: number
  readonly next: RebuildPosition | undefined
}

type DerivedTable = 'unique_entries' | 'attribute_index'

const nothing = { objects: 0, removed: 0, auditRows: 0, damaged: 0 } as const
const rowsAtOnce = 100

/** One step, in one short transaction, with a record when anything was changed. */
export async function rebuildStep(
  ground: RebuildGround,
  from: RebuildPosition = { part: 'rows', table: 'unique_entries' },
  actor: AuditActor,
): Promise<RebuildStep> {
  const { storage, sealing, chain, now, learnEpoch } = ground
  for (;;) {
    try {
      return await storage.write(async (rows) => {
        const step = await stepOf(rows, sealing, from)
        const { objects, removed, auditRows } = step
        if (objects + removed + auditRows > 0) {
          const details = { objects, removed, auditRows }
          const record = { actor, operation: 'Index Rebuilt', outcome: 'Success', details }
          await appendAudit(rows, sealing, chain, now(), [{ records: [record], changes: [] }])
        }
        return step
      })
    } catch (error) {
      if (!(error instanceof EpochNotOpen)) throw error
      await learnEpoch(error)
    }
  }
}

function stepOf(
  rows: StorageWriter,
  sealing: Sealing,
  from: RebuildPosition,
): Promise<RebuildStep> {
  if (from.part === 'rows') return removeForeignRows(rows, sealing, from.table, from.after)
  if (from.part === 'objects') return rebuildObjects(rows, sealing, from.n)
  return rebuildAuditIndex(rows, sealing, from)
}

/** Takes away what no record has: first of all, so that no such row stands in the way of a claim. */
async function removeForeignRows(
  rows: StorageWriter,
  sealing: Sealing,
  name: DerivedTable,
  after: readonly SqlValue[] | undefined,
): Promise<RebuildStep> {
  const table = tables.find((shape) => shape.name === name)!
  const page = await rows.tableRows(table, after, rowsAtOnce)
  let removed = 0
  for (const row of page) {
    if (await isOwn(rows, sealing, name, row)) continue
    await rows.removeDerivedRow(name, row)
    removed++
  }
  const last = page.at(-1)
  if (last !== undefined)
    return { ...nothing, removed, next: { part: 'rows', table: name, after: keyOf(table, last) } }
  const next: RebuildPosition =
    name === 'unique_entries'
      ? { part: 'rows', table: 'attribute_index' }
      : { part: 'objects', n: 0 }
  return { ...nothing, next }
}

async function isOwn(
  rows: StorageWriter,
  sealing: Sealing,
  name: DerivedTable,
  [group, what, value, n]: SqlRow,
): Promise<boolean> {
  const [row] = await rows.objectsAfter(Number(n) - 1, 1)
  if (row?.n !== Number(n) || row.group !== group) return false
  const object = soundObject(sealing, row)
  // Of an object that is damaged nobody knows what it has.
  if (object === undefined) return true
  return name === 'attribute_index'
    ? indexOf(object).some(
        (entry) =>
          isSame(nameBytes(entry.attribute), what) && isSame(valueBytes(entry.value), value),
      )
    : uniqueOf(object).some(
        (entry) => entry.kind === what && isSame(valueBytes(entry.value), value),
      )
}

async function rebuildObjects(
  rows: StorageWriter,
  sealing: Sealing,
  n: number,
): Promise<RebuildStep> {
  const page = await rows.objectsAfter(n, rowsAtOnce)
  let objects = 0
  let damaged = 0
  for (const row of page) {
    const object = soundObject(sealing, row)
    if (object === undefined) damaged++
    else if (await rebuild(rows, row, object)) objects++
  }
  const last = page.at(-1)
  const next: RebuildPosition = last
    ? { part: 'objects', n: last.n }
    : { part: 'audit', chain: '', number: 0 }
  return { ...nothing, objects, damaged, next }
}

/** Whether anything had to be written. */
async function rebuild(
  rows: StorageWriter,
  row: ObjectRow,
  object: ManagedObject,
): Promise<boolean> {
  const columns = columnsOf(object)
  const entries = { index: indexOf(object), unique: await claimsOf(rows, row, object) }
  const isRight =
    isDeepStrictEqual(presentColumns(row.columns), presentColumns(columns)) &&
    isDeepStrictEqual(row.entries, entries) &&
    (await rows.holdsEntries(row.group, row.n, entries))
  if (isRight) return false
  await rows.rewriteDerived(row.n, row.group, columns, entries)
  return true
}

/**
 * What the object claims as its own: what it holds, and what it says that it holds if nobody else does. Where what it
 * says cannot be believed, all that is free.
 */
async function claimsOf(
  rows: StorageWriter,
  { id, group, entries }: ObjectRow,
  object: ManagedObject,
): Promise<UniqueEntry[]> {
  const claims = uniqueOf(object)
  const said = entries?.unique
  const isBelieved = said?.every((one) => claims.some((other) => isSameClaim(one, other))) === true
  const held: UniqueEntry[] = []
  for (const claim of claims) {
    const holder = await rows.holder(group, claim.kind, claim.value)
    const isSaid = !isBelieved || said!.some((one) => isSameClaim(one, claim))
    if (holder === id || (holder === undefined && isSaid)) held.push(claim)
  }
  return held
}

async function rebuildAuditIndex(
  rows: StorageWriter,
  sealing: Sealing,
  { chain, number }: { readonly chain: string; readonly number: number },
): Promise<RebuildStep> {
  const [first] = chain === '' ? [] : await rows.auditAfter(chain, number, 1)
  const indexed = chain === '' ? 0 : await rows.auditIndexed(chain)
  if (first === undefined || first.last > indexed) {
    let auditRows = 0
    const end = chain === '' ? undefined : await rows.auditHead(chain)
    if (end !== undefined && indexed > end.last) {
      await rows.indexAudit(chain, end.last, [])
      auditRows++
    }
    const following = (await rows.chains()).find((name) => name > chain)
    const next: RebuildPosition | undefined =
      following === undefined ? undefined : { part: 'audit', chain: following, number: 0 }
    return { ...nothing, auditRows, next }
  }
  let auditRows = 0
  let last = number
  for (const row of await rows.auditAfter(chain, number, rowsAtOnce)) {
    if (row.last > indexed) break
    last = row.last
    const [previous] = await rows.auditBefore(chain, row.first, 1)
    // What was changed is for verification to tell: nothing is made of it.
    if (wrongWith(() => verifyRow(sealing, row, previous)) !== undefined) continue
    const places = placesIn(row)
    if (await rows.holdsAuditPlaces(chain, places)) continue
    await rows.indexAudit(chain, indexed, places)
    auditRows++
  }
  return { ...nothing, auditRows, next: { part: 'audit', chain, number: last } }
}

/** The object of a row that keyreel wrote, in its newest state; undefined for any other. */
function soundObject(sealing: Sealing, row: ObjectRow): ManagedObject | undefined {
  const wrong = wrongWith(() => {
    sealing.verifyObject(row)
    verifyNoted(row)
  })
  return wrong === undefined ? decodedRow(row) : undefined
}

function isSameClaim(one: UniqueEntry, other: UniqueEntry): boolean {
  return one.kind === other.kind && one.value === other.value
}

function isSame(one: Uint8Array, other: SqlValue | undefined): boolean {
  return other instanceof Uint8Array && Buffer.compare(one, other) === 0
}
