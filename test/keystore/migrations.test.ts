// Databases of every schema that there has been, with keys in them, opened by this keyreel; and migrations that
// are cut off, cannot be done, or come from the future.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { knownSchema, migrate, schemaOf } from '../../src/keystore/migrate.ts'
import { objectOf } from '../../src/keystore/keystore.ts'
import { openPostgres } from '../../src/keystore/postgres-driver.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { SqlDriver } from '../../src/keystore/storage.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import { UniqueConflict, type Query } from '../../src/keystore/work.ts'
import { startPostgres, withoutPostgres, type PostgresServer } from '../fixtures/postgres.ts'
import { oldKey, oldKeys, oldSecrets, writeOldDatabase } from './old-databases.ts'
import { change, clock, createKey, done, idOf, memoryMasterKey, sampleObject } from './sample.ts'
import { temporaryFolder } from './sample.ts'

const schemas = Array.from({ length: knownSchema() }, (_, at) => at + 1)

/** A kind of database: how an empty one is made, and the first schema there has been in it. */
interface Kind {
  readonly name: string
  readonly firstSchema: number
  empty(): Promise<string>
  open(place: string): Promise<SqlDriver>
}

let server: PostgresServer | undefined

const kinds: readonly Kind[] = [
  {
    name: 'SQLite',
    firstSchema: 1,
    empty() {
      const file = join(temporaryFolder(), 'keystore.db')
      closeSync(openSync(file, 'wx', 0o600))
      return Promise.resolve(file)
    },
    open: (file) => openSqlite({ file }),
  },
  // PostgreSQL came with schema 3.
  {
    name: 'PostgreSQL',
    firstSchema: 3,
    empty: () => server!.fresh(),
    open: (url) => openPostgres({ urls: [url] }),
  },
]
const kindsHere = kinds.slice(0, withoutPostgres() ? 1 : 2)
const everySchema = kindsHere.flatMap((kind) =>
  schemas.filter((schema) => schema >= kind.firstSchema).map((schema) => ({ kind, schema })),
)

beforeAll(async () => {
  if (kindsHere.length > 1) server = await startPostgres()
})
afterAll(() => server?.stop())

async function oldDatabase(
  kind: Kind,
  schema: number,
): Promise<{ place: string; driver: SqlDriver }> {
  const place = await kind.empty()
  const driver = await opening(kind, place)
  await writeOldDatabase(driver, schema)
  expect(await schemaOf(driver)).toBe(schema)
  return { place, driver }
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

/** Opens it; closed when the test is over, if a store that was opened over it has not done so. */
async function opening(kind: Kind, place: string): Promise<SqlDriver> {
  const driver = await kind.open(place)
  let closing: Promise<void> | undefined
  const close = () => (closing ??= driver.close())
  onTestFinished(close)
  return { ...driver, close }
}

describe.each(everySchema)('$kind.name of schema $schema', ({ kind, schema }) => {
  const opened = async () => openedOver((await oldDatabase(kind, schema)).driver)

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
    const { driver } = await oldDatabase(kind, schema)
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

describe.each(kindsHere)('$name', (kind) => {
  test('a migration that cannot be done leaves the database as it was, and goes through once its cause is gone', async () => {
    const { driver } = await oldDatabase(kind, kind.firstSchema)
    // What the next migration makes is there already.
    const inTheWay = kind.firstSchema < 3 ? 'unique_entries_3' : 'objects_epoch'
    const makes =
      kind.firstSchema < 3 ? `TABLE ${inTheWay} (n INTEGER)` : `INDEX ${inTheWay} ON objects (n)`
    await driver.transaction((sql) => sql.query(`CREATE ${makes}`))
    await expect(migrate(driver, 'the database')).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(inTheWay) as string,
      hint: expect.stringMatching(/./) as string,
    })
    expect(await schemaOf(driver)).toBe(kind.firstSchema)
    const kept = await driver.snapshot((sql) => sql.query('SELECT count(*) FROM attribute_index'))
    expect(kept).toEqual([[15n]])
    await driver.transaction((sql) => sql.query(`DROP ${makes.split(' ')[0]} ${inTheWay}`))
    const store = await openedOver(driver)
    expect(await found(store, 'Name', oldKey(2).name)).toEqual([idOf(2)])
  })

  test('a schema of a newer keyreel is refused and left as it is', async () => {
    const { driver, place } = await oldDatabase(kind, knownSchema())
    const newer = String(knownSchema() + 1)
    await driver.transaction((sql) =>
      sql.query(`UPDATE settings SET value = ?1 WHERE name = 'schema'`, [newer]),
    )
    await expect(openedOver(driver)).rejects.toMatchObject({
      code: 'newer-schema',
      message: expect.stringContaining(
        `schema ${newer}; this one knows ${knownSchema()}`,
      ) as string,
    })
    const again = await opening(kind, place)
    const left = await again.snapshot((sql) =>
      sql.query(`SELECT value FROM settings WHERE name = 'schema'`),
    )
    expect(left).toEqual([[newer]])
  })

  const statements = kind.firstSchema < 3 ? [1, 7, 13] : [1, 2]
  test.each(statements)(
    'a migration killed after statement %i is done again from its beginning',
    { timeout: 30_000 },
    async (count) => {
      const { place, driver } = await oldDatabase(kind, kind.firstSchema)
      await killedAfter(count, place)
      expect(await schemaOf(driver)).toBe(kind.firstSchema)
      const store = await openedOver(await opening(kind, place))
      const report = await store.auditVerify()
      expect(report).toMatchObject({ problems: [], objects: oldKeys.length })
      expect(await schemaOf(driver)).toBe(knownSchema())
    },
  )
})

/** Kills a process in the middle of a migration. */
async function killedAfter(count: number, place: string): Promise<void> {
  const program = join(import.meta.dirname, 'migrating-process.ts')
  const child = spawn(process.execPath, [program, String(count), place], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  expect(line).toBe('half')
  child.kill('SIGKILL')
  await once(child, 'exit')
}
