/** Managed objects in the store: making, loading and changing them within one act's unit of work. */
import { Secret } from '../crypto/secret.ts'
import { ObjectType } from '../kmip/model/enumerations.ts'
import { KmipError } from '../kmip/model/result.ts'
import { applicationEntry, columnsOf, indexOf, uniqueOf, vitalColumns } from './derived-rows.ts'
import { refuseHeld } from './holds.ts'
import { ManagedObject, readRecord, type ObjectTypeName } from './managed-object.ts'
import { after, inTurn, type Soon } from './soon.ts'
import { demandReady } from './ready.ts'
import { withdrawnText } from './withdrawal.ts'
import {
  IntegrityError,
  type NewObject,
  type StoredObject,
  type UniqueEntry,
  type Work,
} from './work.ts'

/** The object that a verified row holds. */
export function objectOf(stored: StoredObject): ManagedObject {
  const objectType = ObjectType.nameOf(stored.type) as ObjectTypeName
  const identity = { id: stored.id, group: stored.group, objectType }
  const object = ManagedObject.ofRecord(identity, stored.decoded(readRecord))
  object.stored = stored
  return object
}

/** The group's object with this identifier, verified; undefined when there is none. */
export function loadObject(work: Work, group: string, id: string): Soon<ManagedObject | undefined> {
  return after(work.load(group, id), (stored) => stored && objectOf(stored))
}

/** A value that another object holds already. */
export interface Conflict extends UniqueEntry {
  /** Identifier of the object that holds it. */
  holder: string
}

/**
 * The first value that the object may not get, because another object of its group holds it. What the
 * object has already as it stands in the store is not asked about, nor what objects hold that it replaces.
 */
export async function conflictOf(
  work: Work,
  object: ManagedObject,
  replaced: readonly ManagedObject[] = [],
): Promise<Conflict | undefined> {
  const { stored } = object
  const before = stored === undefined ? [] : uniqueOf(objectOf(stored))
  const held = await heldByOthers(work, object, without(uniqueOf(object), before))
  const byOthers = held.filter(({ holder }) => !replaced.some(({ id }) => id === holder))
  return refusedOf(work, object, byOthers)
}

/**
 * Keeps a new object and seals its material, unless it conflicts with another: then nothing is kept.
 * The caller wipes `material`.
 */
export function insertObject(
  work: Work,
  object: ManagedObject,
  material: Uint8Array | undefined,
): Soon<Conflict | undefined> {
  refuseWithoutRoom(work)
  const claims = uniqueOf(object)
  const asked = after(demandReady(work, object.group), () => heldByOthers(work, object, claims))
  return after(asked, (held) =>
    after(refusedOf(work, object, held), (refused) => {
      if (refused !== undefined) return refused
      const row = newRowOf(work, object, without(claims, held), material)
      return after(work.insert(row, material), (kept) => void (object.stored = kept))
    }),
  )
}

/**
 * Keeps a new object in the place of another, changed one, whose unique values it may take over; unless
 * it conflicts with a third: then nothing is kept. The caller wipes `material`.
 */
export async function insertReplacement(
  work: Work,
  replaced: ManagedObject,
  object: ManagedObject,
  material: Uint8Array | undefined,
): Promise<Conflict | undefined> {
  refuseWithoutRoom(work)
  await demandReady(work, object.group)
  const claims = uniqueOf(object)
  const before = await heldByOthers(work, object, claims)
  const byThird = before.filter(({ holder }) => holder !== replaced.id)
  const refused = await refusedOf(work, object, byThird)
  if (refused !== undefined) return refused
  await saveObject(work, replaced)
  const held = await heldByOthers(work, object, claims)
  object.stored = await work.insert(
    newRowOf(work, object, without(claims, held), material),
    material,
  )
  return undefined
}

/**
 * Keeps a new object in the place of a loaded one of the same identifier, as `insertObject` does.
 * The caller wipes `material`.
 */
export async function replaceObject(
  work: Work,
  before: ManagedObject,
  object: ManagedObject,
  material: Uint8Array | undefined,
): Promise<Conflict | undefined> {
  const { stored } = before
  if (stored === undefined) throw new TypeError(`object ${before.id} was never kept`)
  refuseWithoutRoom(work)
  await demandReady(work, object.group)
  await refuseHeld(work, before)
  const claims = uniqueOf(object)
  const held = await heldByOthers(work, object, claims)
  const refused = await refusedOf(work, object, held)
  if (refused !== undefined) return refused
  const heirs = await heirsOf(work, object, without(stored.unique, claims))
  const row = newRowOf(work, object, without(claims, held), material)
  object.stored = await work.replace(stored, row, material)
  for (const heir of heirs) await saveObject(work, heir)
  return undefined
}

/**
 * Keeps the changes of a loaded object. Last Change Date is the caller's to set, and to ask
 * `conflictOf` where names or application information changed: a value that another object holds is
 * kept, but not claimed.
 */
export async function saveObject(work: Work, object: ManagedObject): Promise<void> {
  const { stored } = object
  if (stored === undefined) throw new TypeError(`object ${object.id} was never kept`)
  const claims = uniqueOf(object)
  const held = await heldByOthers(work, object, without(claims, stored.unique))
  const heirs = await heirsOf(work, object, without(stored.unique, claims))
  object.stored = await work.update(stored, rowOf(object, without(claims, held)))
  for (const heir of heirs) await saveObject(work, heir)
}

/**
 * Keeps changed vitals of a loaded object, as `saveObject` does, for less: for changes of which neither
 * attributes nor the Destroy Date are part.
 */
export function saveVitals(work: Work, object: ManagedObject): Soon<void> {
  const { stored } = object
  if (stored === undefined) throw new TypeError(`object ${object.id} was never kept`)
  const columns = { ...stored.columns, ...vitalColumns(object.vitals) }
  const updated = work.update(stored, { record: object.encodeRecord(), columns })
  return after(updated, (kept) => void (object.stored = kept))
}

/**
 * The object's material, unsealed and compared with its check value: the TTLV item of the whole object.
 * The caller wipes it. Throws IntegrityError, also when the material was taken away, and KmipError for a key
 * that was withdrawn, whatever it is wanted for.
 */
export function materialOf(work: Work, object: ManagedObject): Soon<Secret | undefined> {
  const { id, stored, vitals } = object
  const { CheckValue, DestroyDate } = vitals
  const withdrawn = withdrawnText(object)
  if (withdrawn !== undefined) throw new KmipError('PermissionDenied', `object ${id} ${withdrawn}`)
  if (stored?.hasMaterial === true) return work.material(stored, CheckValue)
  if (CheckValue === undefined || DestroyDate !== undefined) return undefined
  throw new IntegrityError('material-missing', id, 'its sealed key material was taken away')
}

/** Most bytes of a record: an object with more attributes than that is nobody's tape key. */
const longestRecord = 1024 * 1024

/** Refuses what would use up the room that the records of Gets need. Asked before anything is written. */
function refuseWithoutRoom({ hasRoom }: Work): void {
  if (hasRoom) return
  const what = 'the disk of the server is full: nothing new is kept'
  throw new KmipError('ServerLimitExceeded', what, { before20: 'GeneralFailure' })
}

/** The row of an object that is new, with the check value of its material in the record. */
function newRowOf(
  work: Work,
  object: ManagedObject,
  unique: UniqueEntry[],
  material: Uint8Array | undefined,
): NewObject {
  const { id, group, vitals } = object
  const type = ObjectType.numberOf(object.objectType)
  if (vitals.CheckValue !== undefined) delete vitals.CheckValue
  if (material) vitals.CheckValue = work.checkValue({ id, group, type }, material)
  return rowOf(object, unique)
}

function rowOf(object: ManagedObject, unique: UniqueEntry[]): NewObject {
  const record = object.encodeRecord()
  if (record.length > longestRecord)
    throw new KmipError('ServerLimitExceeded', `the attributes exceed ${longestRecord} bytes`)
  return {
    id: object.id,
    group: object.group,
    type: ObjectType.numberOf(object.objectType),
    record,
    columns: columnsOf(object),
    index: indexOf(object),
    unique,
  }
}

function without(entries: readonly UniqueEntry[], others: readonly UniqueEntry[]): UniqueEntry[] {
  return entries.filter(
    ({ kind, value }) => !others.some((other) => other.kind === kind && other.value === value),
  )
}

function heldByOthers(
  work: Work,
  { id, group }: ManagedObject,
  claims: readonly UniqueEntry[],
): Soon<Conflict[]> {
  const held: Conflict[] = []
  const asked = inTurn(claims, (entry) =>
    after(work.holder(group, entry.kind, entry.value), (holder) => {
      if (holder !== undefined && holder !== id) held.push({ ...entry, holder })
    }),
  )
  return after(asked, () => held)
}

/** The first conflict that counts: a group may allow doubled application information. */
function refusedOf(
  work: Work,
  { group }: ManagedObject,
  held: readonly Conflict[],
): Soon<Conflict | undefined> {
  const [first] = held
  if (first === undefined) return undefined
  return after(work.document('group', group), (found) => {
    const policy = found?.body as { duplicates?: string } | null | undefined
    return policy?.duplicates === 'allow' ? held.find(({ kind }) => kind !== 'asi') : first
  })
}

/**
 * Where a group allowed duplicates, another living key may have the application information that this
 * one gives up: it claims it next, so that it stays known when the group refuses duplicates again.
 */
async function heirsOf(
  work: Work,
  { id, group }: ManagedObject,
  released: readonly UniqueEntry[],
): Promise<ManagedObject[]> {
  const heirs = new Map<string, ManagedObject>()
  for (const entry of released) {
    if (entry.kind !== 'asi') continue
    const { ids } = await work.find({
      group,
      type: ObjectType.numberOf('SymmetricKey'),
      equals: [applicationEntry(entry)],
      ranges: [],
      destroyed: 'exclude',
      archived: 'include',
      offset: 0,
      limit: 2,
    })
    const heir = ids.find((other) => other !== id)
    const object = heir === undefined ? undefined : await loadObject(work, group, heir)
    if (object !== undefined) heirs.set(object.id, object)
  }
  return [...heirs.values()]
}
