// What follows from records is made again from them, whatever became of it, and only that.
import { expect, test } from 'vitest'
import { rebuildAll, rebuiltText } from '../../src/admin/rebuilding.ts'
import { scrubProgress, Scrubber } from '../../src/admin/scrubbing.ts'
import { verified } from '../../src/exchange/backup-verify.ts'
import { tables } from '../../src/keystore/tables.ts'
import { tapeKey, testEngine, type TestEngine } from '../kmip/operations/engine.ts'

const blob = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')
const ofOne = `(SELECT n FROM objects WHERE id = ?1)`

async function filled(): Promise<{ engine: TestEngine; ids: string[] }> {
  const engine = await testEngine()
  const ids: string[] = []
  for (let at = 0; at < 4; at++) ids.push(await engine.key('2.1', `K${at}`))
  await engine.call('2.1', 'Destroy', { UniqueIdentifier: ids[3]! })
  while (await engine.store.catchUpAuditIndex());
  return { engine, ids }
}

/** Every row of the tables that follow from others, and of the objects. */
async function dump({ store }: TestEngine): Promise<unknown> {
  const names = ['objects', 'revisions', 'attribute_index', 'unique_entries']
  const all = [...names, 'audit_objects', 'audit_indexed'].map((name) =>
    tables.find((table) => table.name === name)!,
  )
  return store.copy(async ({ tableRows }) => {
    const found: unknown[] = []
    for (const table of all) found.push([table.name, await tableRows(table, undefined, 1000)])
    return found
  })
}

const damages: [
  what: string,
  sql: string,
  done: Partial<Awaited<ReturnType<typeof rebuildAll>>>,
][] = [
  ['a column', `UPDATE objects SET owner = 'beta' WHERE id = ?1`, { objects: 1 }],
  ['a date', `UPDATE objects SET destroy_date = 5 WHERE id = ?1`, { objects: 1 }],
  ['unreadable entries', `UPDATE objects SET entries = 'x' WHERE id = ?1`, { objects: 1 }],
  [
    'entries of something else',
    `UPDATE objects SET entries = '[[],[["name","X"]]]' WHERE id = ?1`,
    { objects: 1 },
  ],
  ['index rows taken away', `DELETE FROM attribute_index WHERE n = ${ofOne}`, { objects: 1 }],
  ['all index rows', `DELETE FROM attribute_index`, { objects: 4 }],
  ['claims taken away', `DELETE FROM unique_entries WHERE n = ${ofOne}`, { objects: 1 }],
  ['all claims, and what the objects say of them', `DELETE FROM unique_entries`, { objects: 3 }],
  [
    'a claim that another was given',
    `UPDATE unique_entries SET n = (SELECT max(n) FROM objects) WHERE n = ${ofOne}`,
    { objects: 1 },
  ],
  [
    'a claim of no object',
    `INSERT INTO unique_entries (group_name, kind, value, n) VALUES ('default', 'name', CAST('X' AS BLOB), 70)`,
    { objects: 0, removed: 1 },
  ],
  [
    'index rows of no object',
    `INSERT INTO attribute_index (group_name, attribute, value, n) SELECT group_name, attribute, value, n + 70 FROM attribute_index WHERE n = ${ofOne}`,
    { objects: 0 },
  ],
  ['the index of records', `DELETE FROM audit_objects`, { objects: 0, removed: 0 }],
  [
    'how far that reaches',
    `UPDATE audit_indexed SET number = 900`,
    { objects: 0, removed: 0, auditRows: 1 },
  ],
]

test.each(damages)(
  '%s is made anew, and the second time there is nothing to do',
  async (_, sql, done) => {
    const { engine, ids } = await filled()
    const before = await dump(engine)
    await engine.tamper(sql, ...(sql.includes('?1') ? [blob(ids[0]!)] : []))
    expect(await dump(engine)).not.toEqual(before)
    expect((await verified(engine.store)).problems).not.toEqual([])

    const rebuilt = await rebuildAll(engine.store)
    expect(rebuilt).toMatchObject(done)
    expect(rebuilt.objects + rebuilt.removed + rebuilt.auditRows).toBeGreaterThan(0)
    expect((await verified(engine.store)).problems).toEqual([])
    const attributes = [
      {
        tag: 'Name' as const,
        value: { NameValue: 'name of K0', NameType: 'UninterpretedTextString' as const },
      },
    ]
    const { UniqueIdentifier } = await engine.call('2.1', 'Locate', { Attributes: attributes })
    expect(UniqueIdentifier).toEqual([ids[0]])
    const records = await engine.store.readAudit({ chain: 'test', limit: 5 })
    expect(records.map(({ operation }) => operation)).toContain('Index Rebuilt')

    while (await engine.store.catchUpAuditIndex());
    const after = await dump(engine)
    expect(await rebuildAll(engine.store)).toEqual({
      objects: 0,
      removed: 0,
      auditRows: 0,
      damaged: 0,
    })
    expect(await dump(engine)).toEqual(after)
  },
)

test('a keystore in which all is right stays byte for byte as it is, and nothing is recorded', async () => {
  const { engine } = await filled()
  await engine.policy('duplicates=allow')
  // A second key of the same tape, which claims nothing because the first does.
  await engine.call('2.1', 'Create', {
    ObjectType: 'SymmetricKey',
    Attributes: tapeKey('K0', 'another name'),
  })
  while (await engine.store.catchUpAuditIndex());
  const before = await dump(engine)
  const heads = await engine.store.auditHeads()
  expect(rebuiltText(await rebuildAll(engine.store))).toMatch(/^nothing to repair/)
  expect(await dump(engine)).toEqual(before)
  expect(await engine.store.auditHeads()).toEqual(heads)
})

test('records that were changed are left alone, with everything that is said of them', async () => {
  const { engine, ids } = await filled()
  await engine.tamper(
    `UPDATE objects SET record = zeroblob(40), owner = 'beta' WHERE id = ?1`,
    blob(ids[1]!),
  )
  const before = await dump(engine)
  const rebuilt = await rebuildAll(engine.store)
  expect(rebuilt).toEqual({ objects: 0, removed: 0, auditRows: 0, damaged: 1 })
  expect(rebuiltText(rebuilt)).toMatch(/; 1 objects are damaged themselves and were left alone$/)
  expect(await dump(engine)).toEqual(before)
  expect((await verified(engine.store)).problems).toMatchObject([
    { kind: 'changed', subject: ids[1] },
  ])
})

test('an object that was put back to an earlier state is not believed', async () => {
  const { engine, ids } = await filled()
  const [old] = await engine.tamper(
    'SELECT record, mac, revision FROM objects WHERE id = ?1',
    blob(ids[0]!),
  )
  await engine.call('2.1', 'Activate', { UniqueIdentifier: ids[0]! })
  await engine.tamper(
    'UPDATE objects SET record = ?2, mac = ?3, revision = ?4 WHERE id = ?1',
    blob(ids[0]!),
    ...old!,
  )
  const before = await dump(engine)
  expect(await rebuildAll(engine.store)).toMatchObject({ objects: 0, damaged: 1 })
  expect(await dump(engine)).toEqual(before)
})

test('what the scrubber has told is taken back once it is repaired', async () => {
  const { engine, ids } = await filled()
  await engine.tamper(`UPDATE objects SET owner = 'beta' WHERE id = ?1`, blob(ids[0]!))
  await engine.tamper(`UPDATE objects SET sealed = zeroblob(90) WHERE id = ?1`, blob(ids[1]!))
  const { log } = engine.responder
  const scrubber = new Scrubber(engine.store, { pace: 1000, interval: 3600n, log })
  const told = async () => (await engine.store.read((work) => scrubProgress(work)))!.problems
  await scrubber.turn()
  expect((await told()).map(({ kind }) => kind)).toEqual(['derived', 'changed'])
  await rebuildAll(engine.store)
  expect((await told()).map(({ kind }) => kind)).toEqual(['changed'])
})
