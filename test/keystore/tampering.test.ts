// Somebody writes to the database: changed, swapped and replayed rows are refused, no wrong key is served.
import { expect, test } from 'vitest'
import { IntegrityError } from '../../src/keystore/work.ts'
import {
  actor,
  change,
  create,
  dataDirectory,
  done,
  get,
  idOf,
  loaded,
  materialOf,
  opened,
  sampleObject,
  tamper,
} from './sample.ts'

const idBlob = (at: number) => Buffer.from(idOf(at).replaceAll('-', ''), 'hex')

async function threeObjects() {
  const directory = await dataDirectory()
  const store = await opened(directory)
  for (const at of [1, 2, 3]) await create(store, at)
  return { directory, store }
}

test('an edited record is refused', async () => {
  const { directory, store } = await threeObjects()
  tamper(directory, 'UPDATE objects SET record = ? WHERE id = ?', Buffer.from('other'), idBlob(1))
  await expect(get(store, 1)).rejects.toMatchObject({ code: 'changed', subject: idOf(1) })
  expect(await get(store, 2)).toEqual(materialOf(2))
})

test.each([
  ['record', `'the attributes'`],
  ['group_name', `'other'`],
  ['object_type', '7'],
  ['revision', '2'],
  ['epoch', '2'],
  ['mac', `x'00'`],
  ['mac', `zeroblob(32)`],
  ['id', idBlobSql(9)],
])('an object whose %s became %s is refused', async (column, value) => {
  const { directory, store } = await threeObjects()
  tamper(directory, `UPDATE objects SET ${column} = ${value} WHERE id = ?`, idBlob(1))
  const id = column === 'id' ? idOf(9) : idOf(1)
  await expect(store.read((work) => work.loadAnywhere(id))).rejects.toBeInstanceOf(IntegrityError)
})

test('an object whose index entries were changed is served, and refuses every change', async () => {
  const { directory, store } = await threeObjects()
  tamper(directory, `UPDATE objects SET entries = 'no longer JSON' WHERE id = ?`, idBlob(1))
  expect(await get(store, 1)).toEqual(materialOf(1))
  const change = store.act(async (work) => {
    const stored = await work.loadAnywhere(idOf(1))
    await work.update(stored!, { record: Buffer.from('changed') })
  })
  await expect(change).rejects.toBeInstanceOf(IntegrityError)
})

test('changed columns of an object mislead a search at most, never what is loaded', async () => {
  const { directory, store } = await threeObjects()
  tamper(directory, `UPDATE objects SET owner = 'beta', initial_date = 5 WHERE id = ?`, idBlob(1))
  expect(await get(store, 1)).toEqual(materialOf(1))
})

test('sealed keys swapped between rows open for neither', async () => {
  const { directory, store } = await threeObjects()
  const [one, two] = tamper(directory, 'SELECT sealed FROM objects ORDER BY n LIMIT 2')
  const put = 'UPDATE objects SET sealed = ? WHERE id = ?'
  tamper(directory, put, two!.sealed as Uint8Array, idBlob(1))
  tamper(directory, put, one!.sealed as Uint8Array, idBlob(2))
  await expect(get(store, 1)).rejects.toMatchObject({ code: 'material-changed' })
  await expect(get(store, 2)).rejects.toMatchObject({ code: 'material-changed' })
  expect(await get(store, 3)).toEqual(materialOf(3))
})

test('whole rows swapped between identifiers are refused', async () => {
  const { directory, store } = await threeObjects()
  tamper(directory, 'UPDATE objects SET id = ? WHERE id = ?', idBlob(9), idBlob(1))
  tamper(directory, 'UPDATE objects SET id = ? WHERE id = ?', idBlob(1), idBlob(2))
  tamper(directory, 'UPDATE objects SET id = ? WHERE id = ?', idBlob(2), idBlob(9))
  for (const at of [1, 2]) await expect(get(store, at)).rejects.toMatchObject({ code: 'changed' })
})

test('a key taken away is missed, not served as none', async () => {
  const { directory, store } = await threeObjects()
  tamper(directory, 'UPDATE objects SET sealed = NULL WHERE id = ?', idBlob(1))
  await expect(get(store, 1)).rejects.toMatchObject({ code: 'material-missing' })
})

test('an earlier row put back is refused by the revisions table', async () => {
  const { directory, store } = await threeObjects()
  const old = keepRow(directory, 1)
  await change(store, 1, 'revoked')
  await store.close()
  putBack(directory, 1, old)
  const again = await opened(directory)
  await expect(get(again, 1)).rejects.toMatchObject({ code: 'replayed' })
})

test('an earlier row and revision put back together are refused by the server that saw the newer', async () => {
  const { directory, store } = await threeObjects()
  await change(store, 1, 'second')
  const old = keepRow(directory, 1)
  const [noted] = tamper(directory, 'SELECT revision, mac FROM revisions')
  await change(store, 1, 'revoked')
  putBack(directory, 1, old)
  const { revision, mac } = noted as { revision: number; mac: Uint8Array }
  tamper(directory, 'UPDATE revisions SET revision = ?, mac = ?', revision, mac)
  await expect(get(store, 1)).rejects.toMatchObject({ code: 'replayed' })
  await expect(store.read((work) => loaded(work, 1))).rejects.toMatchObject({ code: 'replayed' })
  await store.close()

  const again = await opened(directory)
  expect((await again.auditVerify()).problems).toMatchObject([
    { kind: 'replayed', subject: idOf(1) },
  ])
})

test('a restart after a complete rollback of one object is caught by verification alone', async () => {
  const { directory, store } = await threeObjects()
  const old = keepRow(directory, 1)
  await change(store, 1, 'revoked')
  await store.close()
  putBack(directory, 1, old)
  tamper(directory, 'DELETE FROM revisions')
  const again = await opened(directory)
  expect(await get(again, 1)).toEqual(materialOf(1))
  const { problems } = await again.auditVerify()
  expect(problems).toMatchObject([{ kind: 'replayed', subject: idOf(1) }])
})

test('an act may record the refusal of a changed object and answer with it', async () => {
  const { directory, store } = await threeObjects()
  tamper(directory, 'UPDATE objects SET record = ? WHERE id = ?', Buffer.from('other'), idBlob(1))
  const answer = await store.act(async (work) => {
    try {
      await work.load('default', idOf(1))
      return 'served'
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error
      work.audit({ ...done('Get', idOf(1)), outcome: 'GeneralFailure', details: error.code })
      return 'refused'
    }
  })
  expect(answer).toBe('refused')
  const [last] = await store.readAudit({ chain: 'serve', limit: 1 })
  expect(last).toMatchObject({ actor, outcome: 'GeneralFailure', details: 'changed' })
})

test('an edited document is refused, and so is one whose secret came from another', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await store.act(async (work) => {
    await work.putDocument('client', 'alpha', { revoked: true }, Buffer.from('one'))
    await work.putDocument('client', 'beta', { revoked: false }, Buffer.from('two'))
    work.audit(done('Set Client'))
  })
  tamper(directory, `UPDATE documents SET body = '{"revoked":false}' WHERE name = 'alpha'`)
  const read = (name: string) => store.read((work) => work.document('client', name))
  await expect(read('alpha')).rejects.toMatchObject({ code: 'changed', subject: 'client/alpha' })
  expect((await read('beta'))?.body).toEqual({ revoked: false })

  tamper(
    directory,
    `UPDATE documents SET sealed = (SELECT sealed FROM documents WHERE name = 'alpha') WHERE name = 'beta'`,
  )
  await expect(read('beta')).rejects.toMatchObject({ code: 'changed' })
})

test('an earlier document put back is refused by the server that saw the newer and by verification', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  const put = (revoked: boolean) =>
    store.act((work) => {
      work.audit(done('Set Client'))
      return work.putDocument('client', 'alpha', { revoked })
    })
  await put(false)
  const [old] = tamper(directory, 'SELECT revision, mac, body FROM documents')
  await put(true)
  const { revision, mac, body } = old as { revision: number; mac: Uint8Array; body: string }
  tamper(directory, 'UPDATE documents SET revision = ?, mac = ?, body = ?', revision, mac, body)
  const read = () => store.read((work) => work.document('client', 'alpha'))
  await expect(read()).rejects.toMatchObject({ code: 'replayed' })
  const { problems } = await store.auditVerify()
  expect(problems).toMatchObject([{ kind: 'replayed', subject: 'client/alpha' }])
})

test.each([
  ['sealed', "'text'", 'material-changed'],
  ['record', '7', 'changed'],
  ['mac', "'text'", 'changed'],
])(
  'a value of another type in %s (%s) is refused as any other change',
  async (column, value, code) => {
    const directory = await dataDirectory()
    const store = await opened(directory)
    await create(store, 1)
    tamper(directory, `UPDATE objects SET ${column} = ${value}`)
    await expect(get(store, 1)).rejects.toMatchObject({ code })
    expect((await store.auditVerify()).problems).not.toEqual([])
  },
)

test('an identifier that is no bytes does not stop verification', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await create(store, 1)
  tamper(directory, 'UPDATE objects SET id = 7')
  expect((await store.auditVerify()).problems).not.toEqual([])
})

test.each(['kind', 'name'])(
  'verification ends, and says so, when the %s of a document is no text',
  async (column) => {
    const directory = await dataDirectory()
    const store = await opened(directory)
    await store.act((work) => {
      work.audit(done('Set Client'))
      return work.putDocument('client', 'alpha', {})
    })
    tamper(directory, `UPDATE documents SET ${column} = X'00'`)
    expect((await store.auditVerify()).problems).not.toEqual([])
  },
)

test('the noted revision of a document changed is found by verification, before anybody reads it', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await store.act((work) => {
    work.audit(done('Set Client'))
    return work.putDocument('client', 'alpha', {})
  })
  tamper(directory, 'UPDATE document_revisions SET mac = zeroblob(32)')
  const { problems } = await store.auditVerify()
  expect(problems).toMatchObject([{ kind: 'replayed', subject: 'client/alpha' }])
})

test('a document put back or taken away while no server runs is refused when it is next read', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  const put = (name: string, revoked: boolean) =>
    store.act((work) => {
      work.audit(done('Set Client'))
      return work.putDocument('client', name, { revoked })
    })
  await put('alpha', false)
  await put('beta', true)
  const [old] = tamper(directory, `SELECT revision, mac, body FROM documents WHERE name = 'alpha'`)
  await put('alpha', true)
  await store.close()
  const { revision, mac, body } = old as { revision: number; mac: Uint8Array; body: string }
  const back = `UPDATE documents SET revision = ?, mac = ?, body = ? WHERE name = 'alpha'`
  tamper(directory, back, revision, mac, body)
  tamper(directory, `DELETE FROM documents WHERE name = 'beta'`)
  const next = await opened(directory)
  const read = (name: string) => next.read((work) => work.document('client', name))
  await expect(read('alpha')).rejects.toMatchObject({ code: 'replayed', subject: 'client/alpha' })
  await expect(read('beta')).rejects.toMatchObject({ code: 'replayed', subject: 'client/beta' })
  expect(await read('gamma')).toBeUndefined()
  const list = next.read((work) => work.documents('client'))
  await expect(list).rejects.toMatchObject({ code: 'replayed' })
})

test('a row made by hand, and a row taken away, are found by verification', async () => {
  const { directory, store } = await threeObjects()
  tamper(directory, 'DELETE FROM objects WHERE id = ?', idBlob(2))
  const { problems } = await store.auditVerify()
  expect(problems).toMatchObject([{ kind: 'missing', subject: idOf(2) }])
})

test('a search led astray by a forged index entry still loads only what the record says', async () => {
  const { directory, store } = await threeObjects()
  await store.act(async (work) => {
    const index = [{ attribute: 'Name', value: 'KR0009L8' }]
    await work.insert(sampleObject({ id: idOf(9), index }), materialOf(9))
    work.audit(done('Create', idOf(9)))
  })
  tamper(directory, `UPDATE attribute_index SET n = 1`)
  const query = { group: 'default', ranges: [], offset: 0, limit: 9 }
  const equals = [{ attribute: 'Name', value: 'KR0009L8' }]
  const found = await store.read((work) =>
    work.find({ ...query, equals, destroyed: 'exclude', archived: 'exclude' }),
  )
  expect(found.ids).toEqual([idOf(1)])
  const object = await store.read((work) => loaded(work, 1))
  expect(object.index).toEqual([])
})

function idBlobSql(at: number): string {
  return `x'${idOf(at).replaceAll('-', '')}'`
}

interface Row {
  revision: number
  epoch: number
  mac: Uint8Array
  record: Uint8Array
}

function keepRow(directory: string, at: number): Row {
  const sql = 'SELECT revision, epoch, mac, record FROM objects WHERE id = ?'
  return tamper(directory, sql, idBlob(at))[0] as unknown as Row
}

function putBack(directory: string, at: number, { revision, epoch, mac, record }: Row): void {
  const sql = 'UPDATE objects SET revision = ?, epoch = ?, mac = ?, record = ? WHERE id = ?'
  tamper(directory, sql, revision, epoch, mac, record, idBlob(at))
}
