// The unit of work: what acts and snapshots see, keep and refuse.
import { expect, test } from 'vitest'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import {
  actor,
  change,
  clock,
  create,
  dataDirectory,
  done,
  get,
  idOf,
  loaded,
  materialOf,
  newStore,
  opened,
  sampleObject,
} from './sample.ts'
import { RefusalCounter } from '../../src/keystore/refusals.ts'
import { UniqueConflict, type Work } from '../../src/keystore/work.ts'

test('an object and its key come back as they went in', async () => {
  const store = await newStore()
  const columns = { owner: 'alpha', initialDate: clock, lastChangeDate: clock, fresh: false }
  const index = [{ attribute: 'Name', value: 'KR0001L8' }]
  const unique = [{ kind: 'name', value: 'KR0001L8' }]
  await store.act(async (work) => {
    await work.insert(sampleObject({ columns, index, unique }), materialOf(1))
    work.audit(done('Create', idOf(1)))
  })
  const object = await store.read((work) => work.load('default', idOf(1)))
  expect(object).toMatchObject({ ...{ id: idOf(1), group: 'default', type: 2, revision: 1 } })
  expect(object).toMatchObject({ columns, index, unique, hasMaterial: true })
  expect(Buffer.from(object!.record).toString()).toBe('the attributes')
  expect(await get(store, 1)).toEqual(materialOf(1))
})

test('an object of another group, an unknown and a malformed identifier look the same', async () => {
  const store = await newStore()
  await create(store, 1)
  await store.read(async (work) => {
    expect(await work.load('other', idOf(1))).toBeUndefined()
    expect(await work.load('default', idOf(2))).toBeUndefined()
    expect(await work.load('default', 'not-an-identifier')).toBeUndefined()
    expect((await work.loadAnywhere(idOf(1)))?.id).toBe(idOf(1))
  })
})

test('an act sees what it wrote itself', async () => {
  const store = await newStore()
  const seen = await store.act(async (work) => {
    const inserted = await work.insert(sampleObject(), materialOf(1))
    const changed = await work.update(inserted, { record: Buffer.from('changed') })
    work.audit(done('Create', idOf(1)))
    const secret = await work.material(changed)
    secret.wipe()
    return work.load('default', idOf(1))
  })
  expect(seen?.revision).toBe(1)
  expect(Buffer.from(seen!.record).toString()).toBe('changed')
})

test('a change keeps the key, and its revision goes on', async () => {
  const store = await newStore()
  await create(store, 1)
  expect((await change(store, 1, 'second')).revision).toBe(2)
  expect((await change(store, 1, 'third')).revision).toBe(3)
  expect(await get(store, 1)).toEqual(materialOf(1))
})

test('an object loaded in an earlier act cannot overwrite a later change', async () => {
  const store = await newStore()
  const stale = await create(store, 1)
  await change(store, 1, 'newer')
  const late = store.act(async (work) => {
    work.audit(done('Modify Attribute', idOf(1)))
    return work.update(stale, { record: Buffer.from('late') })
  })
  await expect(late).rejects.toMatchObject({ code: 'revision-conflict' })
  const object = await store.read((work) => loaded(work, 1))
  expect(Buffer.from(object.record).toString()).toBe('newer')
})

test('identifier, group and type of an object never change', async () => {
  const store = await newStore()
  const object = await create(store, 1)
  for (const other of [{ group: 'other' }, { type: 7 }, { id: idOf(2) }]) {
    const moving = store.act((work) => work.update({ ...object, ...other }, {}))
    await expect(moving).rejects.toThrow('never change')
  }
})

test('a replacement takes the identifier over, with a type and a key of its own', async () => {
  const store = await newStore()
  const unique = [{ kind: 'name', value: 'KR0001L8' }]
  await store.act((work) => {
    work.audit(done('Create', idOf(1)))
    return work.insert(sampleObject({ unique }), materialOf(1))
  })
  await store.act(async (work) => {
    const record = Buffer.from('another')
    await work.replace(await loaded(work, 1), sampleObject({ type: 7, record }), materialOf(2))
    work.audit(done('Import', idOf(1)))
    expect(await work.holder('default', 'name', 'KR0001L8')).toBeUndefined()
  })
  const object = await store.read((work) => loaded(work, 1))
  expect(object).toMatchObject({ id: idOf(1), type: 7, revision: 2, hasMaterial: true })
  expect(await get(store, 1)).toEqual(materialOf(2))
  expect((await change(store, 1, 'third')).revision).toBe(3)
  await store.act(async (work) => {
    await work.replace(await loaded(work, 1), sampleObject())
    work.audit(done('Import', idOf(1)))
  })
  expect((await store.read((work) => loaded(work, 1))).hasMaterial).toBe(false)
  await expect(
    store.act(async (work) => work.replace(await loaded(work, 1), sampleObject({ id: idOf(2) }))),
  ).rejects.toThrow('keeps identifier')
})

test('a second holder of a unique value is refused, and holder names the first', async () => {
  const store = await newStore()
  const unique = [{ kind: 'asi', value: 'LIBRARY-LTO KR0001' }]
  const insert = (at: number) =>
    store.act(async (work) => {
      await work.insert(sampleObject({ id: idOf(at), unique }))
      work.audit(done('Create', idOf(at)))
    })
  await insert(1)
  await expect(insert(2)).rejects.toBeInstanceOf(UniqueConflict)
  await store.read(async (work) => {
    expect(await work.holder('default', 'asi', unique[0]!.value)).toBe(idOf(1))
    expect(await work.holder('other', 'asi', unique[0]!.value)).toBeUndefined()
    expect(await work.load('default', idOf(2))).toBeUndefined()
  })
})

test('an act that changes or releases something without a record of it is undone', async () => {
  const store = await newStore()
  await create(store, 1)
  const silent: ((work: Work) => Promise<unknown>)[] = [
    async (work) => work.insert(sampleObject({ id: idOf(2) })),
    async (work) => work.material(await loaded(work, 1)),
    async (work) => work.wipe(await loaded(work, 1)),
    (work) => work.putDocument('group', 'g', {}),
  ]
  for (const act of silent) await expect(store.act(act)).rejects.toThrow('without an audit record')
  await store.read(async (work) => {
    expect(await work.load('default', idOf(2))).toBeUndefined()
    expect((await loaded(work, 1)).hasMaterial).toBe(true)
    expect(await work.document('group', 'g')).toBeUndefined()
  })
})

test('a snapshot changes, records and releases nothing', async () => {
  const store = await newStore()
  await create(store, 1)
  const forbidden: ((work: Work) => Promise<unknown>)[] = [
    async (work) => work.insert(sampleObject({ id: idOf(2) })),
    async (work) => work.update(await loaded(work, 1), {}),
    async (work) => work.wipe(await loaded(work, 1)),
    async (work) => work.material(await loaded(work, 1)),
    (work) => work.putDocument('group', 'g', {}),
    async (work) => work.audit({ actor, operation: 'Get', outcome: 'Success' }),
  ]
  for (const read of forbidden) await expect(store.read(read)).rejects.toThrow(/act/)
})

test('a snapshot stays as it was while acts go on', async () => {
  const store = await newStore()
  await create(store, 1)
  const [before, after] = await store.read(async (work) => {
    const first = await work.documentsChange()
    await store.act(async (other) => {
      await other.putDocument('group', 'g', {})
      other.audit(done('Set Group'))
    })
    return [first, await work.documentsChange()]
  })
  expect(after).toBe(before)
  expect(await store.read((work) => work.documentsChange())).toBeGreaterThan(before)
})

test('a read that began before a change is not mistaken for a replay', async () => {
  const store = await newStore()
  await create(store, 1)
  await change(store, 1, 'second')
  let runs = 0
  const record = await store.read(async (work) => {
    // The snapshot is taken; the change comes after it.
    if (runs++ === 0) await change(store, 1, 'third')
    return Buffer.from((await loaded(work, 1)).record).toString()
  })
  expect([record, runs]).toEqual(['third', 2])
})

test('documents have revisions, go on after deletion and keep their secret until it is taken away', async () => {
  const store = await newStore()
  const put = (body: number, secret?: Uint8Array | null) =>
    store.act((work) => {
      work.audit(done('Set Client'))
      return work.putDocument('client', 'alpha', { body }, secret)
    })
  expect(await put(1, Buffer.from('password'))).toMatchObject({ revision: 1, hasSecret: true })
  expect(await put(2)).toMatchObject({ revision: 2, hasSecret: true })
  const secret = await store.read((work) => work.documentSecret('client', 'alpha'))
  expect(Buffer.from(secret.bytes).toString()).toBe('password')
  expect(await put(3, null)).toMatchObject({ revision: 3, hasSecret: false })
  const gone = store.read((work) => work.documentSecret('client', 'alpha'))
  await expect(gone).rejects.toMatchObject({ code: 'material-missing' })

  const remove = () =>
    store.act((work) => {
      work.audit(done('Remove Client'))
      return work.deleteDocument('client', 'alpha')
    })
  expect(await remove()).toBe(true)
  expect(await remove()).toBe(false)
  expect(await store.read((work) => work.document('client', 'alpha'))).toBeUndefined()
  expect(await store.read((work) => work.documents('client'))).toEqual([])
  expect(await put(4)).toMatchObject({ revision: 5 })
})

test('documents of a kind come by name', async () => {
  const store = await newStore()
  await store.act(async (work) => {
    for (const name of ['beta', 'alpha']) await work.putDocument('client', name, { name })
    await work.putDocument('group', 'default', {})
    work.audit(done('Set Client'))
  })
  const documents = await store.read((work) => work.documents('client'))
  expect(documents.map(({ name }) => name)).toEqual(['alpha', 'beta'])
})

test('an identifier is found by its beginning, with or without dashes', async () => {
  const store = await newStore()
  for (const at of [1, 2]) await create(store, at)
  await store.read(async (work) => {
    expect(await work.identifiers('00000000-0000-4', 10)).toEqual([idOf(1), idOf(2)])
    expect(await work.identifiers(idOf(2).replaceAll('-', ''), 10)).toEqual([idOf(2)])
    expect(await work.identifiers('0000', 1)).toEqual([idOf(1)])
    expect(await work.identifiers('f', 10)).toEqual([])
    expect(await work.identifiers('zz', 10)).toEqual([])
  })
})

test('a scan over many steps yields every object once, verified', async () => {
  const store = await newStore()
  for (let at = 1; at <= 7; at++) await create(store, at)
  const seen: string[] = []
  const query = { group: 'default', equals: [], ranges: [], offset: 0, limit: 3 }
  for await (const objects of store.scan({ ...query, destroyed: 'include', archived: 'include' })) {
    seen.push(...objects.map(({ id }) => id))
  }
  expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1].map(idOf))
})

test('a new epoch begins before the old one has too many seals, and both stay readable', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory, { sealsPerEpoch: 64 })
  for (let at = 1; at <= 60; at++) await create(store, at)
  await store.close()
  expect(epochsOf(directory).length).toBeGreaterThan(1)
  const again = await opened(directory)
  for (const at of [1, 60]) expect(await get(again, at)).toEqual(materialOf(at))
  expect((await again.auditVerify()).problems).toEqual([])
})

test('an epoch begun by another process is opened when a row of it is met', async () => {
  const directory = await dataDirectory()
  const server = await opened(directory)
  const cli = await opened(directory, { writer: 'cli' })
  await cli.beginEpoch(actor)
  await create(cli, 1)
  await cli.act(async (work) => {
    await work.putDocument('group', 'g', { made: 'by the cli' })
    work.audit(done('Set Group'))
  })
  expect(await get(server, 1)).toEqual(materialOf(1))
  expect(await server.read((work) => work.document('group', 'g'))).toBeDefined()
  const third = await opened(directory, { writer: 'cli' })
  expect((await third.auditVerify()).problems).toEqual([])
  expect((await server.auditVerify()).problems).toEqual([])
})

test('repeated refusals leave one record a minute, with the number of those before it', () => {
  const counter = new RefusalCounter()
  expect(counter.note('alpha', 'denied', 100n)).toEqual({ record: true, repeated: 0 })
  expect(counter.note('alpha', 'denied', 159n)).toEqual({ record: false, repeated: 1 })
  expect(counter.note('alpha', 'unknown', 159n)).toEqual({ record: true, repeated: 0 })
  expect(counter.note('beta', 'denied', 159n)).toEqual({ record: true, repeated: 0 })
  expect(counter.note('alpha', 'denied', 160n)).toEqual({ record: true, repeated: 1 })
  expect(counter.note('alpha', 'denied', 161n)).toEqual({ record: false, repeated: 1 })
})

function epochsOf(directory: string): unknown[] {
  const database = new DatabaseSync(join(directory, 'keystore.db'))
  try {
    return database.prepare('SELECT epoch FROM epochs').all()
  } finally {
    database.close()
  }
}
