// What every database below the keystore must do: run by each driver's own test file.
import { describe, expect, onTestFinished, test } from 'vitest'
import { createStore } from '../../src/keystore/create-store.ts'
import { migrate } from '../../src/keystore/migrate.ts'
import { sqlStorage } from '../../src/keystore/sql-storage.ts'
import type { SqlDriver, Storage, StorageWriter } from '../../src/keystore/storage.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import { UniqueConflict, type Query, type Things } from '../../src/keystore/work.ts'
import { actor, idOf, memoryMasterKey, sampleObject } from '../keystore/sample.ts'
import { numbered, plain, queryFor, writtenObject } from './rows.ts'

/** Opens one more connection to the database of this test, empty when the test begins. */
export type OpenConnection = () => Promise<SqlDriver>

/** The contract of SqlDriver and Storage. `fresh` makes an empty database for each test. */
export function storageContract(name: string, fresh: () => Promise<OpenConnection>): void {
  const connection = async (open: OpenConnection): Promise<SqlDriver> => {
    const driver = await open()
    onTestFinished(() => driver.close())
    return driver
  }
  const emptyDatabase = async (): Promise<SqlDriver> => {
    const driver = await connection(await fresh())
    await driver.transaction((sql) => sql.query('CREATE TABLE things (n BIGINT, b TEXT)'))
    return driver
  }
  const storage = async (): Promise<Storage> => {
    const driver = await connection(await fresh())
    await migrate(driver, 'the database')
    return sqlStorage(driver)
  }
  const rowsOf = (driver: SqlDriver) =>
    driver.snapshot((sql) => sql.query('SELECT n FROM things ORDER BY n'))

  describe(`${name} as a driver`, () => {
    test('a transaction that throws leaves nothing', async () => {
      const driver = await emptyDatabase()
      const failing = driver.transaction(async (sql) => {
        await sql.query('INSERT INTO things (n) VALUES (?1)', [1])
        throw new Error('changed my mind')
      })
      await expect(failing).rejects.toThrow('changed my mind')
      expect(await rowsOf(driver)).toEqual([])
    })

    test('a savepoint that throws is undone alone', async () => {
      const driver = await emptyDatabase()
      await driver.transaction(async (sql) => {
        await sql.query('INSERT INTO things (n) VALUES (1)')
        const part = sql.savepoint(async () => {
          await sql.query('INSERT INTO things (n) VALUES (2)')
          throw new Error('not this one')
        })
        await expect(part).rejects.toThrow('not this one')
        await sql.query('INSERT INTO things (n) VALUES (3)')
      })
      expect(await rowsOf(driver)).toEqual([[1n], [3n]])
    })

    test('a snapshot can write nothing', async () => {
      const driver = await emptyDatabase()
      const writing = driver.snapshot((sql) => sql.query('INSERT INTO things (n) VALUES (1)'))
      await expect(writing).rejects.toThrow()
      expect(await rowsOf(driver)).toEqual([])
    })

    test('a placeholder may be used twice and integers of 64 bits come back whole', async () => {
      const driver = await emptyDatabase()
      const rows = await driver.transaction(async (sql) => {
        const largest = 2n ** 63n - 1n
        await sql.query('INSERT INTO things (n) VALUES (?1)', [largest])
        return sql.query('SELECT n, b FROM things WHERE n >= ?1 AND n <= ?1', [largest])
      })
      expect(rows).toEqual([[2n ** 63n - 1n, null]])
    })

    test('what others have written is noticed once, and what is our own is not', async () => {
      const open = await fresh()
      const [first, second] = [await connection(open), await connection(open)]
      await first.transaction((sql) => sql.query('CREATE TABLE things (n BIGINT)'))
      const write = (driver: SqlDriver) =>
        driver.transaction((sql) => sql.query('INSERT INTO things (n) VALUES (1)'))
      expect(await first.othersWrote()).toBe(false)
      await write(first)
      expect(await first.othersWrote()).toBe(false)
      await write(second)
      await write(first)
      expect([await first.othersWrote(), await first.othersWrote()]).toEqual([true, false])
    })

    test('whenever the log is moved, what is committed is there for others', async () => {
      const open = await fresh()
      const [first, second] = [await connection(open), await connection(open)]
      await first.transaction((sql) => sql.query('CREATE TABLE things (n BIGINT)'))
      const count = (driver: SqlDriver) =>
        driver.snapshot(async (sql) =>
          Number((await sql.query('SELECT count(*) FROM things'))[0]![0]),
        )
      for (const when of ['seldom', 'seldom', 'early', 'usual'] as const) {
        await first.moveLog(when)
        const before = await count(second)
        await first.transaction((sql) => sql.query('INSERT INTO things (n) VALUES (1)'))
        expect(await count(second)).toBe(before + 1)
      }
    })

    test('transactions of two connections run one after the other', async () => {
      const open = await fresh()
      const first = await connection(open)
      const second = await connection(open)
      await first.transaction((sql) => sql.query('CREATE TABLE things (n BIGINT)'))
      await first.transaction((sql) => sql.query('INSERT INTO things (n) VALUES (0)'))
      const increment = (driver: SqlDriver) =>
        driver.transaction(async (sql) => {
          const [row] = await sql.query('SELECT n FROM things')
          await sql.query('UPDATE things SET n = ?1', [(row![0] as bigint) + 1n])
        })
      await Promise.all(Array.from({ length: 40 }, (_, at) => increment(at % 2 ? first : second)))
      expect(await rowsOf(first)).toEqual([[40n]])
    })
  })

  describe(`${name} as storage`, () => {
    test('an object comes back as it was written', async () => {
      const rows = await storage()
      const object = writtenObject({ record: Uint8Array.of(0, 255, 1) })
      const sealed = Uint8Array.of(7, 7)
      const n = await rows.write((writer) => writer.insertObject(object, sealed))
      const row = await rows.read((reader) => reader.object('default', object.id))
      expect(plain({ ...row, columns: row?.columns, entries: row?.entries })).toEqual(
        plain({ ...object, n, sealed, noted: undefined }),
      )
      expect(await rows.read((reader) => reader.object('other', object.id))).toBeUndefined()
      expect(await rows.read((reader) => reader.object(undefined, object.id))).toBeDefined()
    })

    test('an identifier may be any text, and only a UUID is found by its beginning', async () => {
      const rows = await storage()
      const ids = [idOf(1), '1', '', 'key of a site', 'ÄÖÜ'.repeat(80), 'A0'.repeat(8)]
      await rows.write(async (writer) => {
        for (const id of ids) await writer.insertObject(writtenObject({ id }), null)
      })
      for (const id of ids) {
        const row = await rows.read((reader) => reader.object('default', id))
        expect(row?.id).toBe(id)
      }
      const low = '00000000-0000-0000-0000-000000000000'
      const high = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
      const found = await rows.read((reader) => reader.identifiers(low, high, 10))
      expect(found).toEqual([idOf(1)])
    })

    test('sealed bytes are put in the place of those before', async () => {
      const rows = await storage()
      const n = await rows.write((writer) => writer.insertObject(writtenObject(), Uint8Array.of(1)))
      await rows.write((writer) =>
        writer.putSealed({ n, id: idOf(1), revision: 1 }, Uint8Array.of(2)),
      )
      const row = await rows.read((reader) => reader.object('default', writtenObject().id))
      expect(plain(row?.sealed)).toEqual(plain(Uint8Array.of(2)))
    })

    test('an update succeeds only on the revision before it and notes its own', async () => {
      const rows = await storage()
      const object = writtenObject()
      const changed = { ...object, revision: 2, mac: new Uint8Array(32).fill(9) }
      await rows.write(async (writer) => {
        const n = await writer.insertObject(object, null)
        expect(await writer.updateObject(n, changed, object.entries)).toBe(true)
        expect(await writer.updateObject(n, changed, object.entries)).toBe(false)
      })
      const row = await rows.read((reader) => reader.object('default', object.id))
      expect(plain(row?.noted)).toEqual(plain({ revision: 2, mac: changed.mac }))
    })

    test('an update that hands the very entries of before on writes all but them', async () => {
      const rows = await storage()
      const entries = { index: [{ attribute: 'Name', value: 'k1' }], unique: [] }
      const object = writtenObject({ entries })
      const columns = { ...object.columns, lastChangeDate: 7n, fresh: false, algorithm: 3 }
      const changed = { ...object, columns, revision: 2, record: Uint8Array.of(5) }
      await rows.write(async (writer) => {
        const n = await writer.insertObject(object, null)
        expect(await writer.updateObject(n, changed, entries)).toBe(true)
      })
      const row = await rows.read((reader) => reader.object('default', object.id))
      expect(plain({ ...row, columns: row?.columns, entries: row?.entries })).toMatchObject(
        plain({ columns, entries, revision: 2, record: Uint8Array.of(5) }) as object,
      )
      const query = queryFor({ equals: entries.index })
      expect((await rows.read((reader) => reader.find(query))).ids).toEqual([object.id])
    })

    test('a unique value belongs to one object of a group until that object gives it up', async () => {
      const rows = await storage()
      const unique = [{ kind: 'name', value: 'KR0001L8' }]
      const holder = writtenObject({ entries: { index: [], unique } })
      const n = await rows.write((writer) => writer.insertObject(holder, null))
      const rival = writtenObject({ id: idOf(2), entries: { index: [], unique } })
      const refused = rows.write((writer) => writer.insertObject(rival, null))
      await expect(refused).rejects.toMatchObject({ code: 'unique-conflict', holder: holder.id })
      await expect(refused).rejects.toBeInstanceOf(UniqueConflict)

      const elsewhere = writtenObject({
        id: idOf(3),
        group: 'other',
        entries: { index: [], unique },
      })
      await rows.write((writer) => writer.insertObject(elsewhere, null))
      const without = { ...holder, revision: 2, entries: { index: [], unique: [] } }
      await rows.write((writer) => writer.updateObject(n, without, holder.entries))
      await rows.write((writer) => writer.insertObject(rival, null))
      const now = await rows.read((reader) => reader.holder('default', 'name', 'KR0001L8'))
      expect(now).toBe(rival.id)
    })

    test('a changed index finds the new value and no longer the old one', async () => {
      const rows = await storage()
      const index = [{ attribute: 'Name', value: 'old' }]
      const object = writtenObject({ entries: { index, unique: [] } })
      const changed = { index: [{ attribute: 'Name', value: 'new' }], unique: [] }
      await rows.write(async (writer) => {
        const n = await writer.insertObject(object, null)
        await writer.updateObject(n, { ...object, revision: 2, entries: changed }, object.entries)
      })
      const found = (value: string) =>
        rows.read((reader) => reader.find(queryFor({ equals: [{ attribute: 'Name', value }] })))
      expect((await found('old')).ids).toEqual([])
      expect((await found('new')).ids).toEqual([object.id])
    })

    test('one question tells whether any of many things is there', async () => {
      const rows = await storage()
      const unique = [{ kind: 'asi', value: 'library-lto\u0000KR0001L8' }]
      const index = [{ attribute: 'cartridge', value: 'KR0001L8' }]
      const object = writtenObject({ entries: { index, unique } })
      await rows.write((writer) => writer.insertObject(object, null))
      const others = Array.from({ length: 70 }, (_, at) => String(at))
      const asked = (group: string, things: Partial<Things>) =>
        rows.read((reader) => reader.holdsAny(group, { ids: [], unique: [], index: [], ...things }))
      const ids = others.map((other) => idOf(Number(other) + 100))
      const claims = others.map((value) => ({ kind: 'asi', value }))
      const entries = others.map((value) => ({ attribute: 'cartridge', value }))
      const strangers = { ids, unique: claims, index: entries }
      expect(await asked('default', strangers)).toBe(false)
      expect(await asked('vault', { ids: [...ids, object.id] })).toBe(true)
      expect(await asked('default', { unique: [...claims, ...unique] })).toBe(true)
      expect(await asked('default', { index: [...index, ...entries] })).toBe(true)
      expect(await asked('vault', { unique, index })).toBe(false)
      expect(await asked('default', { unique: [{ kind: 'name', value: unique[0]!.value }] })).toBe(
        false,
      )
    })

    test('the identifiers that no object has are told among many', async () => {
      const rows = await storage()
      const kept = [idOf(7), 'any text', idOf(140)]
      await rows.write(async (writer) => {
        for (const id of kept) await writer.insertObject(writtenObject({ id }), null)
      })
      const strangers = Array.from({ length: 80 }, (_, at) => idOf(200 + at))
      const lacking = (ids: string[]) => rows.read((reader) => reader.lackingObjects(ids))
      expect(await lacking([])).toEqual([])
      expect(await lacking(kept)).toEqual([])
      expect(await lacking([...kept, ...strangers, 'other text'])).toEqual([
        ...strangers,
        'other text',
      ])
    })

    test('what is searched for and claimed may hold U+0000 and be long', async () => {
      const rows = await storage()
      const index = [
        { attribute: `ACME\u0000${'a'.repeat(5000)}`, value: 'Integer 7' },
        { attribute: 'Name', value: '\u0000' },
      ]
      const unique = [{ kind: 'asi', value: 'library-lto\u0000KR0001L8' }]
      const object = writtenObject({ entries: { index, unique } })
      const n = await rows.write((writer) => writer.insertObject(object, null))
      const found = (equals: Query['equals']) =>
        rows.read((reader) => reader.find(queryFor({ equals })))
      expect((await found(index)).ids).toEqual([object.id])
      expect((await found([{ attribute: 'Name', value: '' }])).ids).toEqual([])
      const holder = await rows.read((reader) => reader.holder('default', 'asi', unique[0]!.value))
      expect(holder).toBe(object.id)

      const changed = { ...object, revision: 2, entries: { index: [], unique: [] } }
      await rows.write((writer) => writer.updateObject(n, changed, object.entries))
      expect((await found(index)).ids).toEqual([])
    })

    test('the index of audit records takes any identifier', async () => {
      const rows = await storage()
      const object = `\u0000${'ä'.repeat(5000)}`
      await rows.write((writer) => writer.indexAudit('serve', 3, [{ object, number: 3 }]))
      expect(await rows.read((reader) => reader.auditPlaces(object, 'serve', 9))).toEqual([3])
      expect(await rows.read((reader) => reader.auditPlaces('other', 'serve', 9))).toEqual([])
    })

    test('what schema 2 had written is found by this one', async () => {
      const driver = await connection(await fresh())
      await migrate(driver, 'the database', 2)
      const object = writtenObject()
      const long = 'é'.repeat(400)
      await driver.transaction(async (sql) => {
        await sql.query(
          `INSERT INTO objects (n, id, group_name, object_type, revision, epoch, owner, initial_date,
           last_change_date, entries, mac, record) VALUES (7, ?1, 'default', 2, 1, 1, 'alpha', 1, 1,
           '[[],[]]', ?2, ?2)`,
          [Buffer.from(object.id.replaceAll('-', ''), 'hex'), object.mac],
        )
        const indexed = `INSERT INTO attribute_index (group_name, attribute, value, n)
          VALUES ('default', ?1, ?2, 7)`
        await sql.query(indexed, ['Name', 'Bänder'])
        await sql.query(indexed, [long, 'Integer 7'])
        await sql.query(`INSERT INTO unique_entries VALUES ('default', 'name', 'Bänder', 7)`)
        await sql.query(`INSERT INTO audit_objects VALUES (?1, 'serve', 4)`, [object.id])
      })
      await migrate(driver, 'the database')
      await sqlStorage(driver).read(async (reader) => {
        for (const equal of [
          { attribute: 'Name', value: 'Bänder' },
          { attribute: long, value: 'Integer 7' },
        ]) {
          expect((await reader.find(queryFor({ equals: [equal] }))).ids).toEqual([object.id])
        }
        expect(await reader.holder('default', 'name', 'Bänder')).toBe(object.id)
        expect(await reader.auditPlaces(object.id, 'serve', 9)).toEqual([4])
      })
    })

    test('a find joins its conditions by and', async () => {
      const rows = await filled()
      const find = async (query: Partial<Query>) =>
        (await rows.read((reader) => reader.find(queryFor(query)))).ids
      const equal = (attribute: string, value: string) => ({ attribute, value })
      expect(await find({ equals: [equal('Name', 'k4')] })).toEqual([idOf(4)])
      expect(await find({ equals: [equal('Name', 'k4'), equal('Pool', 'p1')] })).toEqual([])
      const pool = { equals: [equal('Pool', 'p0'), equal('Kind', 'all')] }
      expect(await find(pool)).toEqual([8, 6, 4, 2].map(idOf))
      expect(await find({ ...pool, usageMask: 6 })).toEqual([idOf(6)])
      expect(await find({ type: 7 })).toEqual([idOf(9)])
      expect(await find({ owner: 'beta' })).toEqual([idOf(3)])
      expect(await find({ destroyed: 'only' })).toEqual([idOf(1)])
      expect(await find({ archived: 'only' })).toEqual([idOf(5)])
      expect(await find({ equals: [equal('Pool', 'p1')], archived: 'include' })).toContain(idOf(5))
    })

    test('what is kept for a while is replaced, counted by owner, and deleted when its time is over', async () => {
      const rows = await storage()
      const row = (name: string, owner: string, expires: bigint, sealed: Uint8Array | null) => ({
        kind: 'ticket',
        name,
        owner,
        expires,
        epoch: 1,
        body: '{}',
        sealed,
        mac: Uint8Array.of(1),
      })
      await rows.write(async (writer) => {
        await writer.putTransient(row('b', 'alpha', 20n, new Uint8Array(3)))
        await writer.putTransient(row('a', 'alpha', 10n, null))
        await writer.putTransient(row('c', 'beta', 30n, new Uint8Array(5)))
        await writer.putTransient(row('b', 'alpha', 40n, new Uint8Array(4)))
      })
      const names = (owner?: string) =>
        rows.read(async (reader) =>
          (await reader.transients('ticket', owner, 9)).map(({ name }) => name),
        )
      expect(await names('alpha')).toEqual(['b', 'a'])
      expect(await names()).toEqual(['b', 'a', 'c'])
      expect(await rows.read((reader) => reader.transientsHeld('ticket', 'alpha'))).toEqual({
        count: 2,
        bytes: 4,
      })
      const kept = await rows.read((reader) => reader.transient('ticket', 'b'))
      expect(plain(kept)).toEqual(plain(row('b', 'alpha', 40n, new Uint8Array(4))))
      expect(await rows.write((writer) => writer.deleteTransientsUntil(30n, 1))).toBe(1)
      expect(await rows.write((writer) => writer.deleteTransientsUntil(30n, 9))).toBe(1)
      expect(await rows.write((writer) => writer.deleteTransient('ticket', 'b'))).toBe(true)
      expect(await rows.write((writer) => writer.deleteTransient('ticket', 'b'))).toBe(false)
      expect(await names()).toEqual([])
    })

    test('a range matches inclusively, and an absent value only where that is asked for', async () => {
      const rows = await filled()
      const find = async (range: Query['ranges'][number]) =>
        (await rows.read((reader) => reader.find(queryFor({ ranges: [range] })))).ids
      const column = 'activationDate'
      expect(await find({ column, from: 60n, to: 70n })).toEqual([idOf(7), idOf(6)])
      expect(await find({ column, from: 80n })).toEqual([idOf(9), idOf(8)])
      expect(await find({ column, from: 80n, absent: 'also' })).toEqual([9, 8, 2].map(idOf))
      expect(await find({ column, absent: 'only' })).toEqual([idOf(2)])
      expect(await find({ column: 'fresh', from: 1n, to: 1n })).toEqual([idOf(6)])
    })

    test('pages are stable, newest first, with the total of all pages', async () => {
      const rows = await filled()
      const page = (offset: number) =>
        rows.read((reader) => reader.find(queryFor({ offset, limit: 3 })))
      expect(await page(0)).toMatchObject({
        ids: [9, 8, 7].map(idOf),
        total: 7,
        totalIsFloor: false,
      })
      expect(await page(3)).toMatchObject({
        ids: [6, 4, 3].map(idOf),
        total: 7,
        totalIsFloor: false,
      })
      expect(await page(6)).toMatchObject({ ids: [idOf(2)], total: 7, totalIsFloor: false })
      expect(await page(9)).toMatchObject({ ids: [], total: 7, totalIsFloor: false })
    })

    test('objects of the same second are ordered by the order they came in', async () => {
      const rows = await storage()
      await rows.write(async (writer) => {
        for (const at of [1, 2, 3]) await writer.insertObject(writtenObject({ id: idOf(at) }), null)
      })
      const { ids } = await rows.read((reader) => reader.find(queryFor({})))
      expect(ids).toEqual([3, 2, 1].map(idOf))
    })

    test('a scan sees every match once, however short its steps', async () => {
      const rows = await filled()
      for (const limit of [1, 2, 3, 100]) {
        const seen: string[] = []
        let after: { initialDate: bigint; n: number } | undefined
        do {
          const position = after
          const query = queryFor({ limit })
          const step = await rows.read((reader) => reader.scan(query, position))
          seen.push(...step.rows.map(({ id }) => id))
          after = step.next
        } while (after)
        expect(seen).toEqual([9, 8, 7, 6, 4, 3, 2].map(idOf))
      }
    })

    test('identifiers are found by prefix in their order', async () => {
      const rows = await filled()
      const found = await rows.read((reader) => reader.identifiers(idOf(3), idOf(5), 10))
      expect(found).toEqual([3, 4, 5].map(idOf))
    })

    test('forgotten sealed bytes are gone, and what is due for it is listed once', async () => {
      const rows = await storage()
      const object = writtenObject({ columns: { ...writtenObject().columns, wipeAfter: 50n } })
      await rows.write((writer) => writer.insertObject(object, Uint8Array.of(1)))
      const due = (now: bigint) => rows.read((reader) => reader.wipeable(now, 10))
      expect(await due(49n)).toEqual([])
      expect(await due(50n)).toEqual([{ group: 'default', id: object.id }])
      await rows.write((writer) => writer.forgetSealed({ ...object, n: 1 }))
      expect(await due(50n)).toEqual([])
      const row = await rows.read((reader) => reader.object('default', object.id))
      expect(row?.sealed).toBeNull()
    })

    test('long sealed bytes are loaded only when asked for', async () => {
      const rows = await storage()
      const sealed = new Uint8Array(100_000).fill(3)
      const n = await rows.write((writer) => writer.insertObject(writtenObject(), sealed))
      const row = await rows.read((reader) => reader.object('default', writtenObject().id))
      expect(row?.sealed).toBeUndefined()
      expect((await rows.read((reader) => reader.sealed(n)))?.length).toBe(100_000)
    })

    test('a document is replaced only at the revision before, and every change counts', async () => {
      const rows = await storage()
      const mac = new Uint8Array(32)
      const first = {
        kind: 'group',
        name: 'g',
        revision: 1,
        epoch: 1,
        body: '{}',
        sealed: null,
        mac,
      }
      await rows.write(async (writer) => {
        expect(await writer.putDocument(first)).toBe(true)
        expect(await writer.putDocument(first)).toBe(false)
        expect(await writer.documentsChange()).toBe(1)
        expect(await writer.putDocument({ ...first, revision: 3 })).toBe(false)
        expect(await writer.putDocument({ ...first, revision: 2, body: null })).toBe(true)
        expect(await writer.documentsChange()).toBe(2)
      })
      expect(await rows.read((reader) => reader.documents('group'))).toMatchObject([
        { name: 'g', body: null, noted: { revision: 2 } },
      ])
      expect(await rows.read((reader) => reader.documentsGone('group'))).toEqual([])
      const kept = await rows.read((reader) => reader.documentsAfter('', '', 10))
      expect(kept.map(({ revision, body }) => ({ revision, body }))).toEqual([
        { revision: 2, body: null },
      ])
    })

    test('the changes of documents are told without those of some kinds', async () => {
      const rows = await storage()
      const put = (writer: StorageWriter, kind: string) =>
        writer.putDocument({
          ...{ kind, name: 'n', revision: 1, epoch: 1, body: '{}', sealed: null },
          mac: new Uint8Array(32),
        })
      const changes = await rows.write(async (writer) => {
        await put(writer, 'group')
        await put(writer, 'note')
        const without = [[], ['note', 'letter'], ['group', 'letter'], ['group', 'note']]
        return Promise.all(without.map((kinds) => writer.documentsChange(kinds)))
      })
      expect(changes).toEqual([2, 1, 2, 0])
    })

    test('audit rows of a chain are read from any record on, in both directions', async () => {
      const rows = await storage()
      const row = (chain: string, first: number, last: number) => ({
        ...{ chain, first, last, epoch: 1, body: '[]', mac: new Uint8Array(32) },
      })
      await rows.write(async (writer) => {
        for (const [first, last] of [
          [1, 3],
          [4, 4],
          [5, 9],
        ] as const) {
          await writer.appendAudit(row('serve', first, last))
        }
        await writer.appendAudit(row('cli', 1, 1))
      })
      const firsts = (found: readonly { first: number }[]) => found.map(({ first }) => first)
      await rows.read(async (reader) => {
        expect(await reader.chains()).toEqual(['cli', 'serve'])
        expect((await reader.auditHead('serve'))?.last).toBe(9)
        expect(await reader.auditHead('absent')).toBeUndefined()
        expect(firsts(await reader.auditAfter('serve', 0, 9))).toEqual([1, 4, 5])
        expect(firsts(await reader.auditAfter('serve', 2, 9))).toEqual([1, 4, 5])
        expect(firsts(await reader.auditAfter('serve', 3, 1))).toEqual([4])
        expect(firsts(await reader.auditAfter('serve', 9, 9))).toEqual([])
        expect(firsts(await reader.auditBefore('serve', 5, 9))).toEqual([4, 1])
      })
    })

    test('two writers on one object lose no change', async () => {
      const open = await fresh()
      const [alpha, beta] = await twoStores(open)
      const object = sampleObject({ record: Buffer.from('{}') })
      await alpha.act(async (work) => {
        await work.insert(object)
        work.audit({ actor, operation: 'Create', object: object.id, outcome: 'Success' })
      })
      const count = (store: Store, attribute: string) =>
        store.act(async (work) => {
          const stored = (await work.load('default', object.id))!
          const record = JSON.parse(Buffer.from(stored.record).toString()) as Record<string, number>
          record[attribute] = (record[attribute] ?? 0) + 1
          await work.update(stored, { record: Buffer.from(JSON.stringify(record)) })
          work.audit({ actor, operation: 'Modify', object: object.id, outcome: 'Success' })
        })
      await Promise.all(
        Array.from({ length: 25 }, () => [count(alpha, 'alpha'), count(beta, 'beta')]).flat(),
      )
      const stored = await beta.read((work) => work.load('default', object.id))
      expect(stored?.revision).toBe(51)
      expect(JSON.parse(Buffer.from(stored!.record).toString())).toEqual({ alpha: 25, beta: 25 })
      expect((await beta.auditVerify()).problems).toEqual([])
    })

    async function filled(): Promise<Storage> {
      const rows = await storage()
      await rows.write(async (writer) => {
        for (let at = 1; at <= 9; at++) await writer.insertObject(numbered(at), null)
        const elsewhere = { id: idOf(10), group: 'other' }
        await writer.insertObject({ ...numbered(4), ...elsewhere }, null)
      })
      return rows
    }
  })

  async function twoStores(open: OpenConnection): Promise<[Store, Store]> {
    const masterKey = memoryMasterKey()
    const now = () => 1_800_000_000n
    const first = await open()
    await createStore({ driver: first, masterKey, now })
    const alpha = await openStore({ driver: first, masterKey, writer: 'alpha', now })
    onTestFinished(() => alpha.close())
    const beta = await openStore({ driver: await open(), masterKey, writer: 'beta', now })
    onTestFinished(() => beta.close())
    return [alpha, beta]
  }
}
