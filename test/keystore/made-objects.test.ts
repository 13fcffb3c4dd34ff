// What an act makes is written once, as it was left; within the act it is there from the beginning.
import { expect, test } from 'vitest'
import { actor, change, clock, create, done, get, idOf, loaded, materialOf } from './sample.ts'
import { newStore, sampleObject } from './sample.ts'
import { UniqueConflict, type Query, type Work } from '../../src/keystore/work.ts'

const name = [{ kind: 'name', value: 'KR0001L8' }]
const index = [{ attribute: 'Name', value: 'KR0001L8' }]
const byName: Query = {
  group: 'default',
  equals: index,
  ranges: [],
  destroyed: 'include',
  archived: 'include',
  offset: 0,
  limit: 10,
}
const columns = { owner: 'alpha', initialDate: clock, lastChangeDate: clock }

test('an object made and changed in one act is at its first revision, and recorded once', async () => {
  const store = await newStore()
  await store.act(async (work) => {
    const made = await work.insert(sampleObject({ unique: name }), materialOf(1))
    work.audit(done('Create', idOf(1)))
    const changed = await work.update(made, {
      record: Buffer.from('changed'),
      columns: { ...columns, fresh: false },
      index,
      unique: [],
    })
    work.audit(done('Get', idOf(1)))
    expect(changed).toMatchObject({ revision: 1, hasMaterial: true })
  })
  const object = await store.read((work) => loaded(work, 1))
  expect(object).toMatchObject({ revision: 1, index, unique: [], columns: { fresh: false } })
  expect(Buffer.from(object.record).toString()).toBe('changed')
  expect(await get(store, 1)).toEqual(materialOf(1))
  const { entries } = await store.objectHistory(idOf(1))
  const changes = entries.flatMap((entry) => entry.changes)
  expect(changes).toMatchObject([{ object: idOf(1), revision: 1 }])
  expect((await change(store, 1, 'later')).revision).toBe(2)
  expect((await store.auditVerify()).problems).toEqual([])
})

test('a search finds what the same act has made, and changes after it are changes', async () => {
  const store = await newStore()
  await store.act(async (work) => {
    const made = await work.insert(sampleObject({ index }), materialOf(1))
    work.audit(done('Create', idOf(1)))
    expect((await work.find(byName)).ids).toEqual([idOf(1)])
    expect((await work.scan({ ...byName, equals: [] })).objects).toMatchObject([{ id: idOf(1) }])
    expect(await work.identifiers('0000', 10)).toEqual([idOf(1)])
    const changed = await work.update(made, { record: Buffer.from('changed') })
    expect(changed.revision).toBe(2)
  })
  expect((await store.read((work) => loaded(work, 1))).revision).toBe(2)
  expect((await store.auditVerify()).problems).toEqual([])
})

test('what the act has made holds its unique values until it gives them up', async () => {
  const store = await newStore()
  await store.act(async (work) => {
    const made = await work.insert(sampleObject({ unique: name }), materialOf(1))
    work.audit(done('Create', idOf(1)))
    expect(await work.holder('default', 'name', 'KR0001L8')).toBe(idOf(1))
    expect(await work.holder('other', 'name', 'KR0001L8')).toBeUndefined()
    await work.update(made, { unique: [] })
    expect(await work.holder('default', 'name', 'KR0001L8')).toBeUndefined()
    await work.insert(sampleObject({ id: idOf(2), unique: name }), materialOf(2))
  })
  expect(await store.read((work) => work.holder('default', 'name', 'KR0001L8'))).toBe(idOf(2))
})

test('two objects of one unique value cannot both be made in one act', async () => {
  const store = await newStore()
  const both = store.act(async (work) => {
    await work.insert(sampleObject({ unique: name }), materialOf(1))
    await work.insert(sampleObject({ id: idOf(2), unique: name }), materialOf(2))
    work.audit(done('Create', idOf(1)))
  })
  await expect(both).rejects.toBeInstanceOf(UniqueConflict)
  const twice = store.act(async (work) => {
    await work.insert(sampleObject(), materialOf(1))
    await work.insert(sampleObject(), materialOf(2))
    work.audit(done('Create', idOf(1)))
  })
  await expect(twice).rejects.toThrow()
  await store.read(async (work) => {
    expect(await work.load('default', idOf(1))).toBeUndefined()
    expect(await work.load('default', idOf(2))).toBeUndefined()
  })
})

test('a made object as it stood before a change cannot be changed any more', async () => {
  const store = await newStore()
  const late = (change: (work: Work) => Promise<unknown>) =>
    store.act(async (work) => {
      work.audit({ actor, operation: 'Create', outcome: 'Success' })
      await change(work)
    })
  const stale = late(async (work) => {
    const made = await work.insert(sampleObject(), materialOf(1))
    await work.update(made, { record: Buffer.from('newer') })
    const change = async () => work.update(made, { record: Buffer.from('late') })
    await change().catch(() => undefined)
  })
  await expect(stale).rejects.toMatchObject({ code: 'revision-conflict' })
  expect(await store.read((work) => work.load('default', idOf(1)))).toBeUndefined()
})

test('a made object is wiped and replaced in the same act', async () => {
  const store = await newStore()
  await create(store, 1)
  await store.act(async (work) => {
    const wiped = await work.insert(sampleObject({ id: idOf(2) }), materialOf(2))
    await work.wipe(wiped)
    const replaced = await work.insert(sampleObject({ id: idOf(3) }), materialOf(3))
    await work.replace(replaced, sampleObject({ id: idOf(3), type: 7 }), materialOf(4))
    work.audit(done('Import', idOf(3)))
  })
  await store.read(async (work) => {
    expect(await loaded(work, 2)).toMatchObject({ hasMaterial: false, revision: 1 })
    expect(await loaded(work, 3)).toMatchObject({ type: 7, revision: 2 })
  })
  expect(await get(store, 3)).toEqual(materialOf(4))
})

test('nothing that was made is kept of an act that throws', async () => {
  const store = await newStore()
  const failing = store.act(async (work) => {
    await work.insert(sampleObject({ unique: name }), materialOf(1))
    work.audit(done('Create', idOf(1)))
    throw new Error('a bug')
  })
  const beside = create(store, 2)
  await expect(failing).rejects.toThrow('a bug')
  await beside
  await store.read(async (work) => {
    expect(await work.load('default', idOf(1))).toBeUndefined()
    expect(await loaded(work, 2)).toMatchObject({ revision: 1 })
  })
})
