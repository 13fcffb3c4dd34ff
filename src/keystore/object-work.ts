// The objects' part of an act's Work: verified loads, sealed inserts, revisioned updates.
import type { Secret } from '../crypto/secret.ts'
import { vitalStep, writeStep } from './acts.ts'
import { HeldObject } from './held-object.ts'
import { MadeObjects } from './made-objects.ts'
import type { Copies } from './ready.ts'
import { verifyNoted } from './replay.ts'
import type { ObjectIdentity } from './sealing.ts'
import { after, inTurn, type Soon } from './soon.ts'
import type { Entries, ObjectRow, StorageReader } from './storage.ts'
import { refuseOlder, verifying, writerOf, type WorkGround } from './work-ground.ts'
import {
  IntegrityError,
  RevisionConflict,
  type EarlierPage,
  type Found,
  type NewObject,
  type ObjectChanges,
  type Query,
  type ResealPlace,
  type ScanPage,
  type ScanPosition,
  type StoredObject,
  type Things,
} from './work.ts'

/** The objects' part of a Work. */
export class ObjectWork {
  protected readonly ground: WorkGround
  /** Rows verified in this act, until the act writes them. */
  readonly #verified = new Map<string, HeldObject>()
  readonly #made = new MadeObjects()

  constructor(ground: WorkGround) {
    this.ground = ground
  }

  get hasRoom(): boolean {
    return this.ground.hasRoom
  }

  copies(relied?: number): Promise<Copies> {
    return this.ground.rows.copies(relied)
  }

  load(group: string | undefined, id: string): Soon<StoredObject | undefined> {
    const known = this.#verified.get(id)
    if (known) return group === undefined || known.group === group ? known : undefined
    const { rows, recognised } = this.ground
    const before = recognised.find(group, id)
    if (before === undefined) return this.#read(group, id)
    return after(rows.isUnchanged(before.row), (isUnchanged) =>
      isUnchanged ? this.#met(before.object) : this.#read(group, id),
    )
  }

  #read(group: string | undefined, id: string): Soon<StoredObject | undefined> {
    const { rows, recognised } = this.ground
    return after(rows.object(group, id), (row) => {
      if (row === undefined) return undefined
      const object = this.#accept(row)
      recognised.remember(row, object)
      return object
    })
  }

  loadAnywhere(id: string): Soon<StoredObject | undefined> {
    return this.load(undefined, id)
  }

  async identifiers(prefix: string, limit: number): Promise<readonly string[]> {
    await this.settle()
    return identifiers(this.ground.rows, prefix, limit)
  }

  holder(group: string, kind: string, value: string): Soon<string | undefined> {
    return this.#made.holder(group, kind, value) ?? this.ground.rows.holder(group, kind, value)
  }

  async holdsAny(group: string, things: Things): Promise<boolean> {
    await this.settle()
    return this.ground.rows.holdsAny(group, things)
  }

  find(query: Query): Soon<Found> {
    const { rows } = this.ground
    return after(
      after(this.settle(), () => rows.find(query)),
      ({ rows: along, ...found }) => {
        for (const row of along) if (!this.#verified.has(row.id)) this.#accept(row)
        return found
      },
    )
  }

  async wipeable(now: bigint, limit: number): Promise<readonly { group: string; id: string }[]> {
    await this.settle()
    return this.ground.rows.wipeable(now, limit)
  }

  async scan(query: Query, after?: ScanPosition): Promise<ScanPage> {
    await this.settle()
    const { rows, next } = await this.ground.rows.scan(query, after)
    const objects = rows.map((row) => this.#verified.get(row.id) ?? this.#accept(row))
    return next ? { objects, next } : { objects }
  }

  insert(object: NewObject, material?: Uint8Array): Soon<StoredObject> {
    const { ground } = this
    const { sealing, trace } = ground
    const writer = writerOf(ground)
    const { id, group, type, record, columns, index, unique } = object
    if (this.#made.has(id)) return after(this.settle(), () => this.insert(object, material))
    return after(material && ground.chargeSeal(writer), () => {
      const identity = { id, group, type, epoch: sealing.current, revision: 1, record }
      const sealed = material ? sealing.sealObject(identity, material) : null
      trace.writes++
      const derived = { columns, entries: { index, unique } }
      return this.#told(this.#left(new HeldObject({ ...identity, n: undefined, sealed }, derived)))
    })
  }

  update(object: StoredObject, changes: ObjectChanges): Soon<StoredObject> {
    const { ground } = this
    const writer = writerOf(ground)
    const before = heldOf(object)
    const { id, group, type, epoch, revision, sealed } = before
    const { record = before.record, columns = before.columns } = changes
    const entries = changedEntries(before, changes)
    if (this.#made.isNewest(before)) {
      ground.trace.writes++
      const fields = { id, group, type, epoch, revision, record, sealed, n: undefined }
      return this.#told(this.#left(new HeldObject(fields, { columns, entries })), before)
    }
    const n = this.#placeOf(before)
    const identity = { id, group, type, epoch, revision: revision + 1, record }
    const mac = ground.sealing.objectMac(identity)
    const row = { ...identity, mac, columns, entries }
    const written = writeStep(ground.trace, () =>
      after(writer.updateObject(n, row, before.entries), (isWritten) => {
        if (!isWritten) throw new RevisionConflict(id, revision)
      }),
    )
    return after(written, () =>
      this.#told(this.#changed(new HeldObject({ ...row, n, sealed }, row), mac), before),
    )
  }

  async replace(
    before: StoredObject,
    object: NewObject,
    material?: Uint8Array,
  ): Promise<StoredObject> {
    const { ground } = this
    const { sealing, trace } = ground
    const writer = writerOf(ground)
    await this.settle()
    const held = heldOf(before)
    const { revision, entries } = held
    const n = this.#placeOf(held)
    if (object.id !== before.id || object.group !== before.group)
      throw new Error(`${object.id}: a replacement keeps identifier and group`)
    const { id, group, type, record, columns, index, unique } = object
    const identity = { id, group, type, epoch: sealing.current, revision: revision + 1, record }
    const mac = sealing.objectMac(identity)
    if (material) await ground.chargeSeal(writer)
    const sealed = material ? sealing.sealObject(identity, material) : null
    const row = { ...identity, mac, columns, entries: { index, unique } }
    trace.wiped = true
    ground.recognised.forget(id)
    await writeStep(trace, async () => {
      if (!(await writer.updateObject(n, row, entries))) throw new RevisionConflict(id, revision)
      const place = { n, id, revision: revision + 1 }
      await (sealed ? writer.putSealed(place, sealed) : writer.forgetSealed(place))
    })
    return this.#told(this.#changed(new HeldObject({ ...row, n, sealed }, row), mac), before, true)
  }

  checkValue(object: Pick<NewObject, 'id' | 'group' | 'type'>, material: Uint8Array): Uint8Array {
    return this.ground.sealing.checkValue(object, material)
  }

  async reseal(object: StoredObject, check?: Uint8Array): Promise<boolean> {
    const { ground } = this
    const { sealing, trace } = ground
    const writer = writerOf(ground)
    const before = heldOf(object)
    const { id, group, type, record, columns } = before
    if (before.epoch === sealing.current) return false
    const n = this.#placeOf(before)
    const identity = {
      id,
      group,
      type,
      epoch: sealing.current,
      revision: before.revision + 1,
      record,
    }
    const sealed = await this.#sealedAnew(before, identity, check)
    const mac = sealing.objectMac(identity)
    const row = { ...identity, mac, columns, entries: before.entries }
    trace.wiped ||= sealed !== null
    await writeStep(trace, async () => {
      if (!(await writer.updateObject(n, row, before.entries)))
        throw new RevisionConflict(id, before.revision)
      if (sealed) await writer.putSealed({ n, id, revision: identity.revision }, sealed)
    })
    this.#changed(new HeldObject({ ...row, n, sealed }, row), mac)
    return true
  }

  async underEarlierEpochs(after: ResealPlace, limit: number): Promise<EarlierPage> {
    const { rows, sealing } = this.ground
    const { current } = sealing
    const objects = after.kind === '' ? await rows.objectsBefore(current, after, limit) : []
    const left = limit - objects.length
    const documents = left > 0 ? await rows.documentsBefore(current, after, left) : []
    const found = { objects, documents }
    if (documents.length === left) {
      const { epoch, n } = objects.at(-1) ?? after
      return { ...found, next: { epoch, n, ...(documents.at(-1) ?? { kind: '', name: '' }) } }
    }
    return found
  }

  material(object: StoredObject, check?: Uint8Array): Soon<Secret> {
    const { ground } = this
    if (!ground.writer) throw new Error('key material is released in audited acts only')
    const held = heldOf(object)
    const { id } = held
    const rowsSealed = held.sealed === undefined ? ground.rows.sealed(held.n) : held.sealed
    return after(rowsSealed, (sealed) => {
      if (!sealed)
        throw new IntegrityError('material-missing', id, 'its sealed key material is not there')
      const secret = ground.sealing.unsealObject(held, sealed)
      try {
        if (check) verifying(ground, () => ground.sealing.verifyCheck(held, check, secret.bytes))
      } catch (error) {
        secret.wipe()
        throw error
      }
      ground.trace.released.push(secret)
      return secret
    })
  }

  async wipe(object: StoredObject): Promise<void> {
    const { ground } = this
    const writer = writerOf(ground)
    await this.settle()
    const { id } = object
    const n = this.#placeOf(heldOf(object))
    ground.trace.wiped = true
    ground.recognised.forget(id)
    const newest = this.#verified.get(id) ?? heldOf(object)
    const { revision } = newest
    await writeStep(ground.trace, () => writer.forgetSealed({ n, id, revision }))
    this.#verified.set(id, newest.wiped())
  }

  /** The sealed bytes of `before` opened and sealed for `identity`; null where there are none. */
  async #sealedAnew(
    before: HeldObject,
    identity: ObjectIdentity,
    check: Uint8Array | undefined,
  ): Promise<Uint8Array | null> {
    const { ground } = this
    const sealed = before.sealed === undefined ? await ground.rows.sealed(before.n) : before.sealed
    if (!sealed) return null
    const secret = ground.sealing.unsealObject(before, sealed)
    try {
      if (check) verifying(ground, () => ground.sealing.verifyCheck(before, check, secret.bytes))
      await ground.chargeSeal(writerOf(ground))
      return ground.sealing.sealObject(identity, secret.bytes)
    } finally {
      secret.wipe()
    }
  }

  get isSettled(): boolean {
    return this.#made.isEmpty
  }

  /** Writes the objects that were made and not written yet; an act is not over before. */
  settle(): Soon<void> {
    if (this.#made.isEmpty) return undefined
    const { ground } = this
    const writer = writerOf(ground)
    return inTurn(this.#made.take(), (object) => {
      const { id, group, type, epoch, revision, record, sealed = null, columns, entries } = object
      const mac = ground.sealing.objectMac(object)
      const row = { id, group, type, epoch, revision, record, mac, columns, entries }
      const inserted = vitalStep(ground.trace, () => writer.insertObject(row, sealed))
      return after(inserted, (n) => {
        object.writtenAt(n)
        this.#changed(object, mac)
      })
    })
  }

  /** A new object as the act leaves it for now. */
  #left(object: HeldObject): HeldObject {
    this.#made.put(object)
    this.#verified.set(object.id, object)
    return object
  }

  /** Where the object's row is. Throws RevisionConflict for a new object that has been changed since. */
  #placeOf(object: HeldObject): number {
    if (object.isWritten) return object.n
    const { trace } = this.ground
    trace.failure ??= new RevisionConflict(object.id, object.revision)
    throw trace.failure
  }

  #accept(row: ObjectRow): HeldObject {
    const { ground } = this
    verifying(ground, () => ground.sealing.verifyObject(row))
    verifyNoted(row)
    return this.#met(new HeldObject(row, row))
  }

  /** A verified object enters the act. */
  #met(object: HeldObject): HeldObject {
    const { id, revision } = object
    refuseOlder(this.ground, id, revision)
    this.ground.trace.seen.push({ subject: id, revision })
    this.#verified.set(id, object)
    return object
  }

  /** What the act's observer is told: not of rows that were only sealed anew. */
  #told(after: HeldObject, before?: StoredObject, replaced = false): HeldObject {
    this.ground.trace.objects.push({ before, after, replaced })
    return after
  }

  #changed(object: HeldObject, mac: Uint8Array): HeldObject {
    const { trace } = this.ground
    const { id, revision } = object
    trace.changes.push({ object: id, revision, mac: base64url(mac) })
    trace.seen.push({ subject: id, revision })
    this.#verified.set(id, object)
    return object
  }
}

/** The bytes as the audit shows them. */
export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')
}

/** The very entries of before where there are no others. */
function changedEntries(before: HeldObject, { index, unique }: ObjectChanges): Entries {
  if (index === undefined && unique === undefined) return before.entries
  return { index: index ?? before.index, unique: unique ?? before.unique }
}

function heldOf(object: StoredObject): HeldObject {
  if (object instanceof HeldObject) return object
  throw new Error(`${object.id}: identifier, group and type of an object never change`)
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
