// Sealing anew under a new epoch: nothing changes but the seal, and it can be cut off anywhere.
import { expect, test } from 'vitest'
import { objectOf, replaceObject, saveVitals } from '../../src/keystore/keystore.ts'
import { reseal } from '../../src/keystore/resealing.ts'
import type { Store } from '../../src/keystore/store.ts'
import { actor, createKey, dataDirectory, done, get, idOf, loaded } from './sample.ts'
import { materialOf, newStore, opened, tamper } from './sample.ts'

const toTheEnd = { actor, goesOn: () => true }
const underEpochs = async (store: Store) =>
  (await store.epochs()).map(({ epoch, objects, documents }) => ({ epoch, objects, documents }))

/** Changes the record of key number `at`. */
function lease(store: Store, at: number, time: number): Promise<void> {
  return store.act(async (work) => {
    const object = objectOf(await loaded(work, at))
    object.vitals.LeaseTime = time
    await saveVitals(work, object)
    work.audit(done('Modify Attribute', idOf(at)))
  })
}

async function filled(objects: number): Promise<Store> {
  const store = await newStore()
  for (let at = 1; at <= objects; at++) await createKey(store, at)
  await store.act(async (work) => {
    await work.putDocument('library', 'alpha', { made: 'before' }, materialOf(77))
    await work.putDocument('library', 'plain', { made: 'before' })
    await work.putDocument('library', 'gone', {})
    await work.deleteDocument('library', 'gone')
    work.audit(done('library add'))
  })
  return store
}

test('every object and document gets under the newest epoch, and nothing else about it changes', async () => {
  const store = await filled(250)
  await lease(store, 7, 70)
  await store.beginEpoch(actor)
  const { count, damaged, next } = await reseal(store, toTheEnd)
  expect({ count, damaged, next }).toEqual({ count: 252, damaged: [], next: undefined })
  expect(await underEpochs(store)).toEqual([
    { epoch: 1, objects: 0, documents: 0 },
    { epoch: 2, objects: 250, documents: 2 },
  ])
  for (const at of [1, 7, 250]) expect(await get(store, at)).toEqual(materialOf(at))
  const [seventh, secret, plain] = await store.read(async (work) => [
    await loaded(work, 7),
    await work.documentSecret('library', 'alpha'),
    await work.document('library', 'plain'),
  ])
  expect(objectOf(seventh).vitals.LeaseTime).toBe(70)
  expect(seventh.revision).toBe(3)
  expect(Uint8Array.from(secret.bytes)).toEqual(materialOf(77))
  expect(plain?.body).toEqual({ made: 'before' })
  expect((await store.auditVerify()).problems).toEqual([])
})

test('a run that was cut off goes on where it stood, also in another process', async () => {
  const store = await filled(250)
  await store.beginEpoch(actor)
  const first = await reseal(store, { actor, goesOn: () => false })
  expect(first.count).toBe(100)
  const second = await reseal(store, { actor, after: first.next, goesOn: () => false })
  expect(second.count).toBe(100)
  const rest = await reseal(store, toTheEnd)
  expect([rest.count, rest.next]).toEqual([52, undefined])
  expect((await reseal(store, toTheEnd)).count).toBe(0)
})

test('a destroyed key that was wiped gets under the newest epoch too', async () => {
  const store = await filled(1)
  await store.act(async (work) => {
    await work.wipe(await loaded(work, 1))
    work.audit(done('Wipe', idOf(1)))
  })
  await store.beginEpoch(actor)
  await reseal(store, toTheEnd)
  expect((await store.read((work) => loaded(work, 1))).hasMaterial).toBe(false)
  expect((await store.auditVerify()).problems).toEqual([])
})

test('an object that was changed outside is left as it is and named; all others are done', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  for (let at = 1; at <= 3; at++) await createKey(store, at)
  tamper(directory, `UPDATE objects SET sealed = zeroblob(60) WHERE n = 2`)
  await store.beginEpoch(actor)
  const { count, damaged } = await reseal(store, toTheEnd)
  expect(count).toBe(2)
  expect(damaged).toMatchObject([{ code: 'material-changed', subject: idOf(2) }])
  expect((await underEpochs(store)).map(({ objects }) => objects)).toEqual([1, 2])
  const [problem] = (await store.auditVerify()).problems
  expect(problem).toMatchObject({ kind: 'changed', subject: idOf(2) })
})

test('an earlier seal of the object put back is not sealed anew as if it were the newest', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await createKey(store, 1)
  const [before] = tamper(directory, 'SELECT sealed FROM objects')
  await store.act(async (work) => {
    const object = objectOf(await loaded(work, 1))
    await replaceObject(work, object, object, materialOf(2))
    work.audit(done('Import', idOf(1)))
  })
  tamper(directory, 'UPDATE objects SET sealed = ?', before!.sealed as Uint8Array)
  await store.beginEpoch(actor)
  const { count, damaged } = await reseal(store, toTheEnd)
  expect([count, damaged[0]?.code]).toEqual([0, 'material-changed'])
})

test('a key that is served, changed and sealed anew at once stays right', async () => {
  const directory = await dataDirectory()
  const server = await opened(directory)
  for (let at = 1; at <= 20; at++) await createKey(server, at)
  const cli = await opened(directory, { writer: 'cli' })
  await cli.beginEpoch(actor)
  const [run] = await Promise.all([
    reseal(cli, toTheEnd),
    ...Array.from({ length: 20 }, async (_, at) => {
      await lease(server, at + 1, at)
      expect(await get(server, at + 1)).toEqual(materialOf(at + 1))
    }),
  ])
  expect(run.count + (await reseal(cli, toTheEnd)).count).toBe(20)
  for (let at = 1; at <= 20; at++) expect(await get(server, at)).toEqual(materialOf(at))
  expect((await server.auditVerify()).problems).toEqual([])
})

test('the seals of before are gone from the database file', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await createKey(store, 1)
  const [before] = tamper(directory, 'SELECT sealed FROM objects')
  await store.beginEpoch(actor)
  await reseal(store, toTheEnd)
  await store.close()
  const { readFileSync } = await import('node:fs')
  const file = readFileSync(`${directory}/keystore.db`)
  expect(file.includes(before!.sealed as Uint8Array)).toBe(false)
})
