// Databases of every schema that there has been, with keys in them, opened by this keyreel.
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { knownSchema, migrate, schemaOf } from '../../src/keystore/migrate.ts'
import { objectOf } from '../../src/keystore/keystore.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { SqlDriver } from '../../src/keystore/storage.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import { UniqueConflict, type Query } from '../../src/keystore/work.ts'
import { oldKey, oldKeys, oldSecrets, writeOldDatabase } from './old-databases.ts'
import { change, clock, createKey, done, idOf, memoryMasterKey, sampleObject } from './sample.ts'
import { temporaryFolder } from './sample.ts'

const schemas = Array.from({ length: knownSchema() }, (_, at) => at + 1)

async function oldDatabase(schema: number): Promise<{ file: string; driver: SqlDriver }> {
  const file = join(temporaryFolder(), 'keystore.db')
  closeSync(openSync(file, 'wx', 0o600))
  const driver = await openSqlite({ file })
  await writeOldDatabase(driver, schema)
  expect(await schemaOf(driver)).toBe(schema)
  return { file, driver }
}

async function openedOver(driver: SqlDriver): Promise<Store> {
  const masterKey = memoryMasterKey()
  const store = await openStore({ driver, masterKey, writer: 'serve', now: () => clock })
  onTestFinished(() => store.close())
  return store
}

function found(store: Store, attribute: string, value: string): Promise<readonly string[]> {
  const query: Query = {
    ...{ group: 'default', equals: [{ attribute, value }], ranges: [], offset: 0, limit: 10 },
    ...{ destroyed: 'exclude', archived: 'exclude' },
  }
  return store.read(async (work) => (await work.find(query)).ids)
}

describe.each(schemas)('a database of schema %i', (schema) => {
  const opened = async () => openedOver((await oldDatabase(schema)).driver)

  test('gives every key, byte for byte, with what is known of it', async () => {
    const store = await opened()
    for (const at of oldKeys) {
      const key = oldKey(at)
      const { item, object } = await store.act(async (work) => {
        work.audit(done('Get', key.id))
        const stored = (await work.load('default', key.id))!
        const secret = await work.material(stored)
        return { item: Buffer.from(secret.bytes), object: objectOf(stored) }
      })
      expect(item.includes(key.material)).toBe(true)
      expect(object.stored?.revision).toBe(key.revision)
      expect(object.vitals).toMatchObject({ Owner: 'alpha', ActivationDate: 1_700_000_000n })
      expect(object.attributes.first('Name')?.NameValue).toBe(key.name)
    }
  })

  test('finds its keys by Name, tape identifier and cartridge, and lets nobody claim them anew', async () => {
    const store = await opened()
    for (const at of oldKeys) {
      const { id, name, tape, barcode } = oldKey(at)
      expect(await found(store, 'Name', name)).toEqual([id])
      expect(await found(store, 'ApplicationSpecificInformation', tape)).toEqual([id])
      expect(await found(store, 'cartridge', barcode)).toEqual([id])
      expect(await store.read((work) => work.holder('default', 'asi', tape))).toBe(id)
      const unique = [{ kind: 'asi', value: tape }]
      const claiming = store.act(async (work) => {
        work.audit(done('Create', idOf(90)))
        return work.insert(sampleObject({ id: idOf(90), unique }))
      })
      await expect(claiming).rejects.toBeInstanceOf(UniqueConflict)
    }
  })

  test('keeps its documents, and what is kept for a while, with their secrets', async () => {
    const store = await opened()
    const { body, secret } = await store.read(async (work) => ({
      body: (await work.document('authority', 'old'))?.body,
      secret: Buffer.from((await work.documentSecret('authority', 'old')).bytes),
    }))
    expect(body).toEqual({ pem: 'none', created: 1_700_000_000 })
    expect(secret).toEqual(oldSecrets.document)
    if (schema < 2) return
    const kept = await store.read((work) => work.transientSecret('ticket', 'old'))
    expect(Buffer.from(kept.bytes)).toEqual(oldSecrets.transient)
  })

  test('verifies from its first audit record on, tells the history of a key, and goes on', async () => {
    const { driver } = await oldDatabase(schema)
    const store = await openedOver(driver)
    expect(await schemaOf(driver)).toBe(knownSchema())
    await createKey(store, 50)
    await change(store, 50, Buffer.from((await bytesOf(store, 1)).record).toString('latin1'))
    while (await store.catchUpAuditIndex());
    const { entries } = await store.objectHistory(idOf(1))
    expect(entries.map(({ operation }) => operation)).toEqual(['Create'])
    const report = await store.auditVerify()
    expect(report.problems).toEqual([])
    expect(report.objects).toBe(oldKeys.length + 1)
  })
})

async function bytesOf(store: Store, at: number): Promise<{ record: Uint8Array }> {
  return store.read(async (work) => (await work.load('default', idOf(at)))!)
}

test('a migration that fails leaves the database as it was, and goes through once its cause is gone', async () => {
  const { driver } = await oldDatabase(2)
  await driver.transaction((sql) => sql.query('CREATE TABLE unique_entries_3 (n INTEGER)'))
  await expect(migrate(driver, 'the database')).rejects.toThrow()
  expect(await schemaOf(driver)).toBe(2)
  const kept = await driver.snapshot((sql) => sql.query('SELECT count(*) FROM attribute_index'))
  expect(kept).toEqual([[15n]])
  await driver.transaction((sql) => sql.query('DROP TABLE unique_entries_3'))
  const store = await openedOver(driver)
  expect(await found(store, 'Name', oldKey(2).name)).toEqual([idOf(2)])
})
