// Objects and documents of a journal that is replayed, one after the other: each is believed under its own MAC,
// its key with its check value, and put where the keystore has none or an earlier one. What it is found by is
// derived from the record anew.
import { equalBytes } from '../crypto/primitives/mac.ts'
import { ObjectType } from '../kmip/model/enumerations.ts'
import { columnsOf, indexOf, uniqueOf } from './derived-rows.ts'
import { text, type JournalEntry, type JournalObject } from './journal-format.ts'
import { ManagedObject, type ObjectTypeName } from './managed-object.ts'
import { EpochNotOpen, type Sealing } from './sealing.ts'
import type { StorageWriter, WrittenDocument, WrittenObject } from './storage.ts'
import { IntegrityError, type AuditChange, type UniqueEntry } from './work.ts'

/** How an object would stand if what was only looked at had been put. */
export type Standings = Map<string, Standing>

interface Standing {
  readonly revision: number
  readonly epoch: number
  readonly mac: Uint8Array
  readonly hasSealed: boolean
}

/** Something in the journal that could not be put back. */
export interface ReplayProblem {
  /** Unique identifier, or `kind/name` of a document. */
  readonly subject: string
  readonly message: string
}

/** What was put back. */
export interface PutBack {
  readonly count: { objects: number; changes: number; documents: number; wiped: number }
  readonly changes: AuditChange[]
  readonly doubled: string[]
  readonly problems: ReplayProblem[]
  /** Changes of objects whose sealed key has not come yet. */
  readonly waiting: { entry: JournalEntry; problem: ReplayProblem }[]
}

/** Puts back what is missing among these entries; with `apply` false it is only looked. */
export async function putBack(
  rows: StorageWriter,
  sealing: Sealing,
  entries: readonly JournalEntry[],
  apply: boolean,
  looked: Standings,
): Promise<PutBack> {
  const done: PutBack = {
    count: { objects: 0, changes: 0, documents: 0, wiped: 0 },
    changes: [],
    doubled: [],
    problems: [],
    waiting: [],
  }
  const place = { rows, sealing, apply, looked, done }
  for (const entry of entries) {
    const subject = subjectOf(entry)
    try {
      if (entry.kind === 'object') await putObject(place, entry.row)
      if (entry.kind === 'wipe') await wipe(place, entry)
      if (entry.kind === 'document') await putDocument(place, entry.row)
    } catch (error) {
      if (error instanceof EpochNotOpen) sealing.giveUpOn(error.epoch)
      else if (!(error instanceof IntegrityError)) throw error
      const message =
        error instanceof EpochNotOpen
          ? `it is under epoch ${error.epoch}, which this master key does not open`
          : error.message
      const problem = { subject, message }
      if (error instanceof IntegrityError && error.code === 'material-missing')
        done.waiting.push({ entry, problem })
      else done.problems.push(problem)
    }
  }
  return done
}

interface Place {
  readonly rows: StorageWriter
  readonly sealing: Sealing
  readonly apply: boolean
  readonly looked: Standings
  readonly done: PutBack
}

async function putObject(place: Place, row: JournalObject): Promise<void> {
  const { rows, apply, looked, done } = place
  const { id, group, revision, epoch, mac, sealed } = row
  const before = await rows.object(undefined, id)
  const standing = (apply ? undefined : looked.get(id)) ?? (before && standingOf(before))
  if (standing !== undefined && standing.revision >= revision) {
    if (standing.revision === revision && !equalBytes(standing.mac, mac))
      throw new IntegrityError('replayed', id, `the keystore has another revision ${revision}`)
    return
  }
  if (before !== undefined && before.group !== group)
    throw new IntegrityError('changed', id, 'the keystore has it in another group')
  const isAlone = sealed === undefined && (standing === undefined || standing.epoch !== epoch)
  if (isAlone)
    throw new IntegrityError('material-missing', id, 'its sealed key is not in the journal')
  const object = verifiedObject(place, row)
  const hasSealed = sealed === undefined ? standing!.hasSealed : sealed !== null
  looked.set(id, { revision, epoch, mac, hasSealed })
  done.count[standing === undefined ? 'objects' : 'changes']++
  done.changes.push({ object: id, revision, mac: base64url(mac) })
  const claims = uniqueOf(object)
  const unique = await unclaimed(rows, row, claims)
  if (unique.length < claims.length) done.doubled.push(id)
  if (!apply) return
  const written: WrittenObject = {
    ...row,
    columns: columnsOf(object),
    entries: { index: indexOf(object), unique },
  }
  if (before === undefined) {
    await rows.insertObject(written, sealed ?? null)
    return
  }
  const previous = before.entries ?? { index: [], unique: [] }
  const isPut = await rows.updateObject(before.n, written, previous, before.revision)
  if (!isPut) throw new Error(`${id} was changed by another transaction`)
  if (sealed === undefined) return
  const at = { n: before.n, id, revision }
  await (sealed === null ? rows.forgetSealed(at) : rows.putSealed(at, sealed))
}

/** The object, once MAC and check value have been found right. */
function verifiedObject({ sealing }: Place, row: JournalObject): ManagedObject {
  const { id, group, type, record, sealed } = row
  sealing.verifyObject({
    ...row,
    n: 0,
    sealed: null,
    noted: undefined,
    entries: undefined,
    entriesText: '',
    columns: { owner: '', initialDate: 0n, lastChangeDate: 0n },
  })
  const objectType = ObjectType.nameOf(type) as ObjectTypeName
  const object = ManagedObject.decodeRecord({ id, group, objectType }, record)
  if (sealed === undefined || sealed === null) return object
  const material = sealing.unsealObject(row, sealed)
  try {
    const { CheckValue } = object.vitals
    if (CheckValue !== undefined) sealing.verifyCheck(row, CheckValue, material.bytes)
  } finally {
    material.wipe()
  }
  return object
}

async function unclaimed(
  rows: StorageWriter,
  { id, group }: JournalObject,
  claims: readonly UniqueEntry[],
): Promise<UniqueEntry[]> {
  const free: UniqueEntry[] = []
  for (const claim of claims) {
    const holder = await rows.holder(group, claim.kind, claim.value)
    if (holder === undefined || holder === id) free.push(claim)
  }
  return free
}

async function wipe(
  { rows, apply, looked, done }: Place,
  { id, revision }: Extract<JournalEntry, { kind: 'wipe' }>,
): Promise<void> {
  const before = await rows.object(undefined, id)
  const standing = (apply ? undefined : looked.get(id)) ?? (before && standingOf(before))
  if (standing === undefined || standing.revision !== revision || !standing.hasSealed) return
  looked.set(id, { ...standing, hasSealed: false })
  done.count.wiped++
  done.changes.push({ object: id, revision, mac: base64url(standing.mac) })
  if (apply) await rows.forgetSealed({ n: before!.n, id, revision })
}

async function putDocument(place: Place, row: WrittenDocument): Promise<void> {
  const { rows, sealing, apply, looked, done } = place
  const { kind, name, revision, epoch, mac, sealed } = row
  const subject = `${kind}/${name}`
  const before = await rows.document(kind, name)
  const standing = (apply ? undefined : looked.get(subject)) ?? before
  if (standing !== undefined && standing.revision >= revision) {
    if (standing.revision === revision && !equalBytes(standing.mac, mac))
      throw new IntegrityError('replayed', subject, `the keystore has another revision ${revision}`)
    return
  }
  sealing.verifyDocument({ ...row, noted: undefined })
  if (sealed) sealing.unsealDocument({ ...row, noted: undefined }, sealed).wipe()
  looked.set(subject, { revision, epoch, mac, hasSealed: sealed !== null })
  done.count.documents++
  done.changes.push({ object: subject, document: true, revision, mac: base64url(mac) })
  if (apply && !(await rows.putDocument(row, before?.revision ?? 0)))
    throw new Error(`document ${subject} was changed by another transaction`)
}

function standingOf({
  revision,
  epoch,
  mac,
  sealed,
}: {
  revision: number
  epoch: number
  mac: Uint8Array
  sealed: Uint8Array | null | undefined
}): Standing {
  return { revision, epoch, mac, hasSealed: sealed !== null }
}

function subjectOf(entry: JournalEntry): string {
  if (entry.kind === 'wipe') return entry.id
  if (entry.kind === 'document') return `${entry.row.kind}/${entry.row.name}`
  return entry.kind === 'object' ? entry.row.id : entry.kind
}

function base64url(bytes: Uint8Array): string {
  return text(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
