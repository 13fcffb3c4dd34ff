// What somebody changed in PostgreSQL is refused, found and located, as in a file: the same checks over other SQL.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { contentsCheck } from '../../src/keystore/contents-check.ts'
import { createStore } from '../../src/keystore/create-store.ts'
import { loadObject, saveVitals } from '../../src/keystore/keystore.ts'
import { openPostgres } from '../../src/keystore/postgres-driver.ts'
import { scrubStart, type ScrubPosition } from '../../src/keystore/scrub.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import type { Problem } from '../../src/keystore/audit-chain-walk.ts'
import { startPostgres, withoutPostgres, type PostgresServer } from '../fixtures/postgres.ts'
import { clock, createKey, done, get, idOf, materialOf, memoryMasterKey } from './sample.ts'

let server: PostgresServer

const row = (at: number) => `id = '\\x${idOf(at).replaceAll('-', '')}'`

/** What is done, whose key is refused by it (if any), and what verification says first. */
const damages: [what: string, sql: string, refused: number | undefined, found: RegExp][] = [
  [
    'a record that was edited',
    `UPDATE objects SET record = record || '\\x00' WHERE ${row(2)}`,
    2,
    /^changed 0+-0+-4000-8000-0+2$/,
  ],
  [
    'a seal of another key',
    `UPDATE objects SET sealed = (SELECT sealed FROM objects WHERE ${row(1)}) WHERE ${row(2)}`,
    2,
    /^changed 0+-0+-4000-8000-0+2$/,
  ],
  [
    'a bit of a seal',
    `UPDATE objects SET sealed = set_bit(sealed, 77, 1 - get_bit(sealed, 77)) WHERE ${row(3)}`,
    3,
    /^changed 0+-0+-4000-8000-0+3$/,
  ],
  [
    'a key that was taken away',
    `DELETE FROM objects WHERE ${row(3)}`,
    3,
    /^(missing|unaudited|audit) /,
  ],
  [
    'a record of the audit chain that was edited',
    `UPDATE audit SET body = replace(body, 'alpha', 'gamma') WHERE chain = 'serve' AND first = 3`,
    undefined,
    /^audit-changed serve\/3$/,
  ],
  [
    'a record taken out of the chain',
    `DELETE FROM audit WHERE chain = 'serve' AND first = 4`,
    undefined,
    /^audit-gap serve\/4$/,
  ],
  [
    'two records that changed places',
    `UPDATE audit SET body = (SELECT body FROM audit o WHERE o.chain = 'serve' AND o.first = 7 - audit.first)
       WHERE chain = 'serve' AND first IN (3, 4)`,
    undefined,
    /^audit-changed serve\/3$/,
  ],
]

describe.skipIf(withoutPostgres())('with a server', () => {
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  test('what nobody changed is found sound', async () => {
    const { url } = await threeKeys()
    const store = await opened(url)
    const { problems, objects } = await store.auditVerify({ contents: contentsCheck })
    expect({ problems, objects }).toEqual({ problems: [], objects: 3 })
    expect(await scrubbed(store)).toEqual([])
  })

  test.each(damages)('%s is found and located', async (_, sql, refused, found) => {
    const { url, schema } = await threeKeys()
    await server.query(sql.replace(/(UPDATE|FROM) (objects|audit)/g, `$1 ${schema}.$2`))
    const store = await opened(url)
    for (const at of [1, 2, 3]) {
      const getting = get(store, at)
      if (at === refused) await expect(getting).rejects.toThrow()
      else expect(await getting).toEqual(materialOf(at))
    }
    const { problems } = await store.auditVerify({ contents: contentsCheck })
    expect(told(problems)[0]).toMatch(found)
    expect((await scrubbed(store)).length).toBeGreaterThan(0)
  })

  test('a key is not handed out while its record cannot be written', async () => {
    const { url, schema } = await threeKeys()
    const store = await opened(url)
    await server.query(
      `ALTER TABLE ${schema}.audit ADD CONSTRAINT no_more CHECK (first < 1) NOT VALID`,
    )
    await expect(get(store, 1)).rejects.toThrow(/no_more/)
    await expect(createKey(store, 9)).rejects.toThrow(/no_more/)
    await server.query(`ALTER TABLE ${schema}.audit DROP CONSTRAINT no_more`)
    expect(await get(store, 1)).toEqual(materialOf(1))
    expect(await store.read((work) => work.identifiers('', 9))).toHaveLength(3)
    expect((await store.auditVerify()).problems).toEqual([])
  })
})

/** A schema with three keys and seven records in one chain. */
async function threeKeys(): Promise<{ url: string; schema: string }> {
  const url = await server.fresh()
  const schema = /search_path%3D(\w+)/.exec(url)![1]!
  const driver = await openPostgres({ urls: [url] })
  await createStore({ driver, masterKey: memoryMasterKey(), now: () => clock })
  await driver.close()
  const store = await opened(url)
  for (const at of [1, 2, 3]) await createKey(store, at)
  for (const at of [1, 2, 3])
    await store.act(async (work) => {
      const object = (await loadObject(work, 'default', idOf(at)))!
      object.vitals.Fresh = false
      await saveVitals(work, object)
      work.audit(done('Get', idOf(at)))
    })
  await store.close()
  return { url, schema }
}

async function opened(url: string): Promise<Store> {
  const driver = await openPostgres({ urls: [url] })
  const masterKey = memoryMasterKey()
  const store = await openStore({ driver, masterKey, writer: 'serve', now: () => clock })
  onTestFinished(() => store.close())
  return store
}

async function scrubbed(store: Store): Promise<string[]> {
  const found: string[] = []
  let next: ScrubPosition | undefined = scrubStart
  while (next !== undefined) {
    const step = await store.scrub(next, 2, contentsCheck)
    found.push(...told(step.problems))
    next = step.next
  }
  return found
}

const told = (problems: readonly Problem[]) =>
  problems.map(({ kind, subject }) => `${kind} ${subject}`)
