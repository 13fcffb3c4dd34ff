// The objects' part of an act's Work: verified loads, sealed inserts, revisioned updates.
import { writeStep, type ActTrace } from './acts.ts'
import { replayed, verifyNoted, type HighestRevisions } from './replay.ts'
import { EpochNotOpen, type Sealing } from './sealing.ts'
import type { Entries, ObjectRow, StorageReader, StorageWriter } from './storage.ts'
import { IntegrityError, RevisionConflict, type StoredObject, type Work } from './work.ts'

/** What every part of a Work stands on. */
export interface WorkGround {
  readonly rows: StorageReader
  /** Absent in a read snapshot. */
  readonly writer: StorageWriter | undefined
  readonly sealing: Sealing
  readonly highest: HighestRevisions
  readonly trace: ActTrace
  /** Whether a newer snapshot may still show what this one lacks. */
  readonly mayLag: boolean
  /** Makes sure that the current epoch may seal once more. */
  readonly chargeSeal: () => Promise<void>
}

/** A read snapshot may lag behind a commit: what looks replayed is looked at once more in a new one. */
export class SnapshotBehind extends Error {
  readonly subject: string

  constructor(subject: string) {
    super(`${subject} is newer than this snapshot`)
    this.name = 'SnapshotBehind'
    this.subject = subject
  }
}

type ObjectWork = Pick<
  Work,
  | 'load'
  | 'loadAnywhere'
  | 'identifiers'
  | 'insert'
  | 'update'
  | 'replace'
  | 'material'
  | 'wipe'
  | 'holder'
  | 'find'
  | 'scan'
  | 'wipeable'
>

/** What a loaded object carries along unseen; a changed copy (`{ ...object }`) keeps it. */
const kept = Symbol('kept')

interface Kept {
  readonly group: string
  readonly id: string
  readonly type: number
  readonly epoch: number
  readonly entries: Entries
  readonly sealed: Uint8Array | null | undefined
}

type LoadedObject = StoredObject & { readonly [kept]: Kept }

/** The objects' part of a Work. */
export function objectWork(ground: WorkGround): ObjectWork {
  const { rows, sealing, trace } = ground
  // Rows verified in this act, until the act writes them.
  const verified = new Map<string, LoadedObject>()

  const accept = (row: ObjectRow): LoadedObject => {
    verifying(ground, () => sealing.verifyObject(row))
    verifyNoted(row)
    refuseOlder(ground, row.id, row.revision)
    trace.seen.set(row.id, row.revision)
    const object = loaded(row)
    verified.set(row.id, object)
    return object
  }

  const load = async (group: string | undefined, id: string): Promise<LoadedObject | undefined> => {
    const known = verified.get(id)
    if (known) return group === undefined || known.group === group ? known : undefined
    const row = await rows.object(group, id)
    return row && accept(row)
  }

  const keptOf = async (object: StoredObject): Promise<Kept> => {
    const carried =
      (object as Partial<LoadedObject>)[kept] ?? (await load(object.group, object.id))?.[kept]
    if (
      carried?.id === object.id &&
      carried.group === object.group &&
      carried.type === object.type
    ) {
      return carried
    }
    throw new Error(`${object.id}: identifier, group and type of an object never change`)
  }

  return {
    load,
    loadAnywhere: (id) => load(undefined, id),
    identifiers: (prefix, limit) => identifiers(rows, prefix, limit),
    holder: (group, kind, value) => rows.holder(group, kind, value),
    async find(query) {
      const { rows: along, ...found } = await rows.find(query)
      for (const row of along) if (!verified.has(row.id)) accept(row)
      return found
    },
    wipeable: (now, limit) => rows.wipeable(now, limit),

    async scan(query, after) {
      const { rows: found, next } = await rows.scan(query, after)
      const objects = found.map((row) => verified.get(row.id) ?? accept(row))
      return next ? { objects, next } : { objects }
    },

    async insert(object, material) {
      const writer = writerOf(ground)
      const identity = { ...object, epoch: sealing.current, revision: 1 }
      const mac = sealing.objectMac(identity)
      if (material) await ground.chargeSeal()
      const sealed = material ? sealing.sealObject(identity, material) : null
      const entries = { index: object.index, unique: object.unique }
      const row = { ...identity, mac, entries }
      const n = await writeStep(trace, () => writer.insertObject(row, sealed))
      return changed({ ...object, n, revision: 1, hasMaterial: sealed !== null }, mac, {
        group: object.group,
        id: object.id,
        type: object.type,
        epoch: identity.epoch,
        entries,
        sealed,
      })
    },

    async update(object) {
      const writer = writerOf(ground)
      const before = await keptOf(object)
      const revision = object.revision + 1
      const mac = sealing.objectMac({ ...before, revision, record: object.record })
      const entries = { index: object.index, unique: object.unique }
      const { columns, record } = object
      const row = { ...before, revision, columns, record, mac, entries }
      await writeStep(trace, async () => {
        if (await writer.updateObject(object.n, row, before.entries)) return
        throw new RevisionConflict(object.id, object.revision)
      })
      return changed({ ...object, revision }, mac, { ...before, entries })
    },

    async replace(stored, object, material) {
      const writer = writerOf(ground)
      const before = await keptOf(stored)
      if (object.id !== before.id || object.group !== before.group)
        throw new Error(`${object.id}: a replacement keeps identifier and group`)
      const revision = stored.revision + 1
      const identity = { ...object, epoch: sealing.current, revision }
      const mac = sealing.objectMac(identity)
      if (material) await ground.chargeSeal()
      const sealed = material ? sealing.sealObject(identity, material) : null
      const entries = { index: object.index, unique: object.unique }
      trace.wiped = true
      await writeStep(trace, async () => {
        const row = { ...identity, mac, entries }
        if (!(await writer.updateObject(stored.n, row, before.entries)))
          throw new RevisionConflict(object.id, stored.revision)
        await (sealed ? writer.putSealed(stored.n, sealed) : writer.forgetSealed(stored.n))
      })
      const { id, group, type } = object
      const replaced = { ...object, n: stored.n, revision, hasMaterial: sealed !== null }
      return changed(replaced, mac, { id, group, type, epoch: identity.epoch, entries, sealed })
    },

    async material(object) {
      if (!ground.writer) throw new Error('key material is released in audited acts only')
      const { id, type, group, epoch, sealed: along } = await keptOf(object)
      const sealed = along === undefined ? await rows.sealed(object.n) : along
      if (!sealed) {
        throw new IntegrityError('material-missing', id, 'its sealed key material is not there')
      }
      const secret = sealing.unsealObject({ id, type, group, epoch }, sealed)
      trace.released.push(secret)
      return secret
    },

    async wipe(object) {
      const writer = writerOf(ground)
      const before = await keptOf(object)
      trace.wiped = true
      await writeStep(trace, () => writer.forgetSealed(object.n))
      const current = verified.get(object.id)
      const row = { ...(current ?? object), hasMaterial: false }
      verified.set(object.id, { ...row, [kept]: { ...(current?.[kept] ?? before), sealed: null } })
    },
  }

  function changed(object: StoredObject, mac: Uint8Array, carried: Kept): LoadedObject {
    const { id, revision } = object
    trace.changes.set(id, { object: id, revision, mac: Buffer.from(mac).toString('base64url') })
    trace.seen.set(id, revision)
    const written = { ...object, [kept]: carried }
    verified.set(id, written)
    return written
  }
}

/** The writing rows, or a throw in a read snapshot. */
export function writerOf({ writer }: WorkGround): StorageWriter {
  if (!writer) throw new Error('a read snapshot changes nothing: use act')
  return writer
}

/** Throws when this process has already served or written a newer revision. */
export function refuseOlder(ground: WorkGround, subject: string, revision: number): void {
  if (!ground.highest.isOlder(subject, revision)) return
  if (!ground.mayLag) {
    throw replayed(subject, `revision ${revision} is older than one already served`)
  }
  ground.trace.failure = new SnapshotBehind(subject)
  throw ground.trace.failure
}

/** Verifies; an epoch not open yet makes the whole act start again. */
export function verifying({ trace }: WorkGround, verify: () => void): void {
  try {
    verify()
  } catch (error) {
    if (error instanceof EpochNotOpen) trace.failure = error
    throw error
  }
}

/** A verified row as an object; entries and columns are read when something asks for them. */
function loaded(row: ObjectRow): LoadedObject {
  const { n, id, group, type, revision, epoch, record, sealed } = row
  let read: Entries | undefined
  const entries = (): Entries => {
    read ??= row.entries
    if (read) return read
    throw new IntegrityError('changed', id, 'its index entries were changed outside keyreel')
  }
  return {
    n,
    id,
    group,
    type,
    revision,
    record,
    get columns() {
      return row.columns
    },
    get index() {
      return entries().index
    },
    get unique() {
      return entries().unique
    },
    hasMaterial: sealed !== null,
    [kept]: {
      group,
      id,
      type,
      epoch,
      get entries() {
        return entries()
      },
      sealed,
    },
  }
}

async function identifiers(
  rows: StorageReader,
  prefix: string,
  limit: number,
): Promise<readonly string[]> {
  const digits = prefix.replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{0,32}$/.test(digits)) return []
  return rows.identifiers(dashed(digits.padEnd(32, '0')), dashed(digits.padEnd(32, 'f')), limit)
}

function dashed(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
