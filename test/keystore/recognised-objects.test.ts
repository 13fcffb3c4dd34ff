// A row that was verified before is recognised only while it is, byte for byte, the row that was verified.
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { HeldObject } from '../../src/keystore/held-object.ts'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { RecognisedObjects } from '../../src/keystore/recognised-objects.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { ObjectRow, SqlDriver, SqlSession } from '../../src/keystore/storage.ts'
import { openStore } from '../../src/keystore/store.ts'
import {
  change,
  clock,
  create,
  dataDirectory,
  done,
  get,
  idOf,
  loaded,
  materialOf,
  opened,
  tamper,
} from './sample.ts'

const idBlob = (at: number) => Buffer.from(idOf(at).replaceAll('-', ''), 'hex')

/** Three keys that were handed out before, the second one changed since it was made. */
async function knownKeys() {
  const directory = await dataDirectory()
  const store = await opened(directory)
  for (const at of [1, 2, 3]) await create(store, at)
  await change(store, 2, 'changed')
  for (const at of [1, 2, 3]) expect(await get(store, at)).toEqual(materialOf(at))
  return { directory, store }
}

test.each([
  ['record', `'the attributeS'`, 'changed'],
  ['object_type', '7', 'changed'],
  ['revision', '2', 'changed'],
  ['epoch', '2', 'unknown-epoch'],
  ['mac', 'zeroblob(32)', 'changed'],
  ['sealed', 'zeroblob(length(sealed))', 'material-changed'],
  ['sealed', `(SELECT sealed FROM objects WHERE n = 3)`, 'material-changed'],
  ['sealed', 'NULL', 'material-missing'],
])('a known key whose %s became %s is refused', async (column, value, code) => {
  const { directory, store } = await knownKeys()
  tamper(directory, `UPDATE objects SET ${column} = ${value} WHERE id = ?`, idBlob(1))
  await expect(get(store, 1)).rejects.toMatchObject({ code })
  expect(await get(store, 2)).toEqual(materialOf(2))
})

test.each([
  'DELETE FROM revisions',
  'UPDATE revisions SET revision = 1',
  'UPDATE revisions SET revision = 3',
  'UPDATE revisions SET mac = zeroblob(32)',
])('a known key is refused after %s', async (sql) => {
  const { directory, store } = await knownKeys()
  tamper(directory, sql)
  await expect(get(store, 2)).rejects.toMatchObject({ code: 'replayed', subject: idOf(2) })
})

test('known keys swapped with one another are refused', async () => {
  const { directory, store } = await knownKeys()
  tamper(directory, 'UPDATE objects SET id = ? WHERE id = ?', idBlob(9), idBlob(1))
  tamper(directory, 'UPDATE objects SET id = ? WHERE id = ?', idBlob(1), idBlob(3))
  await expect(get(store, 1)).rejects.toMatchObject({ code: 'changed' })
})

test('a known key that is gone, or in another group, is not found', async () => {
  const { directory, store } = await knownKeys()
  tamper(directory, 'DELETE FROM objects WHERE id = ?', idBlob(1))
  tamper(directory, `UPDATE objects SET group_name = 'other' WHERE id = ?`, idBlob(3))
  await store.read(async (work) => {
    expect(await work.load('default', idOf(1))).toBeUndefined()
    expect(await work.load('default', idOf(3))).toBeUndefined()
  })
})

test('what another process has changed is seen, and an earlier state refused', async () => {
  const { directory, store } = await knownKeys()
  const cli = await opened(directory, { writer: 'cli' })
  const before = tamper(directory, 'SELECT record, mac FROM objects WHERE id = ?', idBlob(1))[0]!
  await change(cli, 1, 'by the other')
  await store.read(async (work) => {
    const { record, revision } = await loaded(work, 1)
    expect({ record: Buffer.from(record).toString(), revision }).toEqual({
      record: 'by the other',
      revision: 2,
    })
  })
  const back = 'UPDATE objects SET record = ?, mac = ?, revision = 1 WHERE id = ?'
  tamper(directory, back, before.record as Uint8Array, before.mac as Uint8Array, idBlob(1))
  tamper(directory, 'DELETE FROM revisions WHERE object = 1')
  await expect(get(store, 1)).rejects.toMatchObject({ code: 'replayed' })
})

test('a known key is served again, and its material compared with another check value', async () => {
  const { store } = await knownKeys()
  const check = await store.read((work) =>
    Promise.resolve(work.checkValue({ id: idOf(1), group: 'default', type: 2 }, materialOf(1))),
  )
  const wrong = Uint8Array.from(check, (byte, at) => (at === 8 ? byte ^ 1 : byte))
  const release = (value: Uint8Array) =>
    store.act(async (work) => {
      const secret = await work.material(await loaded(work, 1), value)
      work.audit(done('Get', idOf(1)))
      return secret.length
    })
  expect(await release(check)).toBe(32)
  expect(await release(check)).toBe(32)
  await expect(release(wrong)).rejects.toMatchObject({ code: 'material-changed' })
})

describe('the database is asked whether the row still stands', () => {
  /** Key 1, known, over a driver that counts those questions. */
  async function counted() {
    const directory = await dataDirectory()
    const file = join(directory, 'keystore.db')
    const sqlite = await openSqlite({ file })
    let asked = 0
    let isFailing = false
    const counting = (sql: SqlSession): SqlSession => ({
      copies: (relied) => sql.copies(relied),
      othersVersion: () => sql.othersVersion(),
      savepoint: (fn) => sql.savepoint(fn),
      query(text, parameters) {
        if (/^SELECT 1 FROM objects o LEFT JOIN revisions/.test(text)) asked++
        return sql.query(text, parameters)
      },
    })
    const sessions = new WeakMap<SqlSession, SqlSession>()
    const session = (sql: SqlSession) => {
      const known = sessions.get(sql) ?? counting(sql)
      sessions.set(sql, known)
      return known
    }
    const driver: SqlDriver = {
      ...sqlite,
      transaction: (fn) =>
        sqlite.transaction(async (sql) => {
          const result = await fn(session(sql))
          if (isFailing) throw new Error('the commit failed')
          return result
        }),
    }
    const masterKey = openMasterKeyFile(join(directory, 'master.key'))
    const store = await openStore({ driver, masterKey, writer: 'serve', now: () => clock })
    onTestFinished(() => store.close())
    await create(store, 1)
    await get(store, 1)
    const fail = (failing: boolean) => void (isFailing = failing)
    return { directory, store, fail, asked: () => asked }
  }

  test('not while nobody has written to any', async () => {
    const { store, asked } = await counted()
    for (let round = 0; round < 5; round++) expect(await get(store, 1)).toEqual(materialOf(1))
    expect(asked()).toBe(0)
  })

  test('after another process has written anything', async () => {
    const { directory, store, asked } = await counted()
    tamper(directory, `INSERT INTO settings (name, value) VALUES ('of another', '')`)
    expect(await get(store, 1)).toEqual(materialOf(1))
    expect(asked()).toBe(1)
    expect(await get(store, 1)).toEqual(materialOf(1))
    expect(asked()).toBe(1)
  })

  test('after this one has written to an object, and what it has written is seen', async () => {
    const { store, asked } = await counted()
    await create(store, 2)
    expect(await get(store, 1)).toEqual(materialOf(1))
    expect(asked()).toBe(1)
    await change(store, 1, 'another record')
    const record = await store.act(async (work) => {
      work.audit(done('Get Attributes', idOf(1)))
      return Buffer.from((await loaded(work, 1)).record).toString()
    })
    expect(record).toBe('another record')
  })

  test('after a change that others of its group have read is undone', async () => {
    const { store, fail } = await counted()
    const record = () =>
      store.act(async (work) => {
        work.audit(done('Get Attributes', idOf(1)))
        return Buffer.from((await loaded(work, 1)).record).toString()
      })
    const before = await record()
    fail(true)
    const group = await Promise.allSettled([change(store, 1, 'never kept'), record()])
    expect(group.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    fail(false)
    expect(await record()).toBe(before)
  })
})

test('a wiped key leaves nothing behind to be recognised by', async () => {
  const { store } = await knownKeys()
  await store.act(async (work) => {
    await work.wipe(await loaded(work, 1))
    work.audit(done('Wipe', idOf(1)))
  })
  await expect(get(store, 1)).rejects.toMatchObject({ code: 'material-missing' })
})

test('the latest read are remembered, and neither what is long nor what has no material', () => {
  const known = new RecognisedObjects()
  const row = (at: number, sealed: Uint8Array | null): ObjectRow => ({
    ...{ n: at, id: idOf(at), group: 'default', type: 2, revision: 1, epoch: 1 },
    ...{ columns: { owner: 'alpha', initialDate: 1n, lastChangeDate: 1n }, entriesText: '[[],[]]' },
    ...{ entries: undefined, record: new Uint8Array(8), mac: new Uint8Array(32), sealed },
    noted: undefined,
  })
  const remember = (at: number, sealed: Uint8Array | null) => {
    const made = row(at, sealed)
    known.remember(made, new HeldObject(made, made))
  }
  remember(0, null)
  remember(1, new Uint8Array(4097))
  for (let at = 2; at < 4099; at++) remember(at, new Uint8Array(60))
  const isKnown = (at: number) => known.find('default', idOf(at)) !== undefined
  expect([0, 1, 2, 3, 4098].map(isKnown)).toEqual([false, false, false, true, true])
  expect(known.find('other', idOf(3))).toBeUndefined()
  known.forget(idOf(3))
  expect(isKnown(3)).toBe(false)
})
