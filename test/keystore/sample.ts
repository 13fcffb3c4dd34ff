// Objects, keys and data directories for the keystore's tests.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import { AttributeSet } from '../../src/keystore/attribute-set.ts'
import { insertObject } from '../../src/keystore/keystore.ts'
import { ManagedObject, type Vitals } from '../../src/keystore/managed-object.ts'
import { createMasterKeyFile, openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { initialiseStore } from '../../src/keystore/initialise.ts'
import type { MasterKey } from '../../src/keystore/master-key.ts'
import { openStore, type OpenOptions, type Store } from '../../src/keystore/store.ts'
import type { AuditRecord, NewObject, StoredObject, Work } from '../../src/keystore/work.ts'

/** The library that acts in these tests. */
export const actor = { name: 'alpha', kind: 'client' }

/** The clock of these tests, seconds. */
export const clock = 1_800_000_000n

/** A recognisable UUID for a small number. */
export function idOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

/** A symmetric key object as the layer above would store it. */
export function sampleObject(object: Partial<NewObject> = {}): NewObject {
  return {
    id: idOf(1),
    group: 'default',
    type: 2,
    record: Buffer.from('the attributes'),
    columns: { owner: 'alpha', initialDate: clock, lastChangeDate: clock },
    index: [],
    unique: [],
    ...object,
  }
}

/** Key bytes of object number `at`. */
export function materialOf(at: number): Uint8Array {
  return new Uint8Array(32).fill(at)
}

/** The record of an act on an object. */
export function done(operation: string, object?: string): AuditRecord {
  return { actor, operation, object, group: 'default', outcome: 'Success' }
}

/** Adds object number `at` with its key and the record of it. */
export function create(store: Store, at: number): Promise<StoredObject> {
  return store.act(async (work) => {
    work.audit(done('Create', idOf(at)))
    return work.insert(sampleObject({ id: idOf(at) }), materialOf(at))
  })
}

/** Adds key number `at` as the layer above would: its record can be read, and has a check value. */
export function createKey(store: Store, at: number, more: Partial<Vitals> = {}): Promise<void> {
  return store.act(async (work) => {
    const vitals = {
      Owner: 'alpha',
      Fresh: true,
      Sensitive: false,
      Extractable: true,
      InitialDate: clock,
      LastChangeDate: clock,
      LeaseTime: 0,
      ...more,
    }
    const identity = { id: idOf(at), group: 'default', objectType: 'SymmetricKey' } as const
    await insertObject(
      work,
      new ManagedObject(identity, vitals, new AttributeSet()),
      materialOf(at),
    )
    work.audit(done('Create', idOf(at)))
  })
}

/** Gives object number `at` another record. */
export function change(store: Store, at: number, record: string): Promise<StoredObject> {
  return store.act(async (work) => {
    work.audit(done('Modify Attribute', idOf(at)))
    return work.update(await loaded(work, at), { record: Buffer.from(record) })
  })
}

/** A copy of the key of object number `at`, got through an audited act. */
export function get(store: Store, at: number): Promise<Uint8Array> {
  return store.act(async (work) => {
    const secret = await work.material(await loaded(work, at))
    work.audit(done('Get', idOf(at)))
    const copy = Uint8Array.from(secret.bytes)
    secret.wipe()
    return copy
  })
}

/** Object number `at`, which is there. */
export async function loaded(work: Work, at: number): Promise<StoredObject> {
  const object = await work.load('default', idOf(at))
  if (!object) throw new Error(`object ${at} is not there`)
  return object
}

/** A master key that wraps by copying: for tests that are about something else. */
export function memoryMasterKey(id = 'memory'): MasterKey {
  return {
    id,
    wrap: (key) => Promise.resolve(Uint8Array.from(key)),
    unwrap: (bytes) => Promise.resolve(Uint8Array.from(bytes)),
    close: () => undefined,
  }
}

/** A folder of this test alone, removed with all that is in it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyreel-keystore-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** An initialised data directory with its master key in `master.key`. */
export async function dataDirectory(): Promise<string> {
  const directory = join(temporaryFolder(), 'data')
  await initialiseStore({
    directory,
    masterKey: (building) => createMasterKeyFile(join(building, 'master.key')),
    now: () => clock,
  })
  return directory
}

/** Opens the store of a data directory; closed when the test is over, if not before. */
export async function opened(
  directory: string,
  options: Partial<OpenOptions> = {},
): Promise<Store> {
  const masterKey = options.masterKey ?? openMasterKeyFile(join(directory, 'master.key'))
  const now = () => clock
  const store = await openStore({ directory, writer: 'serve', now, ...options, masterKey })
  let closing: Promise<void> | undefined
  const close = () => (closing ??= store.close())
  onTestFinished(close)
  return { ...store, close }
}

/** A store on a directory of its own. */
export async function newStore(options: Partial<OpenOptions> = {}): Promise<Store> {
  return opened(await dataDirectory(), options)
}

/** Runs a statement on the database behind keyreel's back, as a tamperer would. */
export function tamper(
  directory: string,
  sql: string,
  ...parameters: (string | number | Uint8Array | null)[]
): Record<string, unknown>[] {
  const database = new DatabaseSync(join(directory, 'keystore.db'), { timeout: 5000 })
  try {
    return database.prepare(sql).all(...parameters) as Record<string, unknown>[]
  } finally {
    database.close()
  }
}

/** A small generator of pseudo-random numbers below `limit`, the same for the same seed. */
export function seeded(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** What makes a destroyed key of one, due to be wiped. */
export const destroyed: Partial<Vitals> = { DestroyDate: clock, WipeAfter: clock }
