// The scrubber: everything stored is looked at, in bounded turns, and damage is told once it is met.
import { describe, expect, test } from 'vitest'
import { administrator } from '../../src/access/documents.ts'
import { Scrubber, scrubProgress, scrubText } from '../../src/admin/scrubbing.ts'
import { contentsCheck } from '../../src/keystore/contents-check.ts'
import { setUpRecovery } from '../../src/keystore/recovery-setup.ts'
import { examinedTables } from '../../src/keystore/scrub-rows.ts'
import type { Store } from '../../src/keystore/store.ts'
import { tables, tablesLeftOut } from '../../src/keystore/tables.ts'
import { started, testEngine, type TestEngine } from '../kmip/operations/engine.ts'

const blob = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')

const scrubberOf = (engine: TestEngine, options: { pace?: number; interval?: bigint } = {}) =>
  new Scrubber(engine.store, {
    pace: 1000,
    interval: 3600n,
    log: engine.responder.log,
    ...options,
  })

const progressOf = (store: Store) => store.read((work) => scrubProgress(work))

/** Turns until the walk is at its end; how many it took. */
async function walkOnce(engine: TestEngine, scrubber: Scrubber): Promise<number> {
  const before = (await progressOf(engine.store))?.last?.finished
  for (let turns = 1; ; turns++) {
    await scrubber.turn()
    const last = (await progressOf(engine.store))?.last?.finished
    if (last !== undefined && last !== before) return turns
  }
}

const damageOf = async (engine: TestEngine) =>
  (await engine.audited()).filter(({ operation }) => operation === 'Damage Found')

async function keys(engine: TestEngine, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let at = 0; at < count; at++) ids.push(await engine.key('2.1', `K${at}`))
  return ids
}

/** What somebody may do to a key's row, and what it is found to be. */
const damages: [what: string, sql: string, kind: string][] = [
  ['a changed record', `UPDATE objects SET record = zeroblob(40) WHERE id = ?1`, 'changed'],
  ['a changed seal', `UPDATE objects SET sealed = zeroblob(90) WHERE id = ?1`, 'changed'],
  ['a key taken away', `UPDATE objects SET sealed = NULL WHERE id = ?1`, 'changed'],
  ['a changed column', `UPDATE objects SET owner = 'beta' WHERE id = ?1`, 'derived'],
  ['a date', `UPDATE objects SET destroy_date = 5 WHERE id = ?1`, 'derived'],
  ['unreadable entries', `UPDATE objects SET entries = 'x' WHERE id = ?1`, 'changed'],
  ['other entries', `UPDATE objects SET entries = '[[],[]]' WHERE id = ?1`, 'derived'],
  [
    'index rows taken away',
    `DELETE FROM attribute_index WHERE n = (SELECT n FROM objects WHERE id = ?1) AND attribute = CAST('Name' AS BLOB)`,
    'derived',
  ],
  [
    'unique values taken away',
    `DELETE FROM unique_entries WHERE n = (SELECT n FROM objects WHERE id = ?1)`,
    'derived',
  ],
]

/** The same for the tables beside objects, documents and audit rows: what is told, and of what. */
const otherDamages: [what: string, sql: string, kind: string, subject: RegExp][] = [
  [
    'a transient that was changed',
    `UPDATE transients SET owner = 'beta' WHERE kind = 'ticket'`,
    'changed',
    /^ticket\/T$/,
  ],
  [
    'the seal of a transient',
    `UPDATE transients SET sealed = zeroblob(40) WHERE kind = 'ticket'`,
    'changed',
    /^ticket\/T$/,
  ],
  [
    'the wrap for the master key',
    `UPDATE epoch_wraps SET bytes = zeroblob(32) WHERE provider = 'test'`,
    'changed',
    /^epoch 1\/test$/,
  ],
  [
    'the wrap for the recovery key, which nobody here opens',
    `UPDATE epoch_wraps SET bytes = zeroblob(length(bytes)) WHERE provider LIKE 'recovery:%'`,
    'changed',
    /^epoch 1\/recovery:/,
  ],
  [
    'what is noted of a wrap',
    `UPDATE settings SET value = 'x' WHERE name LIKE 'wrap 1 recovery:%'`,
    'changed',
    /^epoch 1\/recovery:/,
  ],
  ['the count of seals', `UPDATE epochs SET seals = -1`, 'changed', /^epoch 1$/],
  [
    'an epoch that nothing opens',
    `INSERT INTO epochs (epoch, seals) VALUES (7, 0)`,
    'changed',
    /^epoch 7$/,
  ],
  [
    'the identifier of the store',
    `UPDATE settings SET value = 'other' WHERE name = 'store'`,
    'changed',
    /^setting store$/,
  ],
  [
    'the number of the schema',
    `UPDATE settings SET value = '1' WHERE name = 'schema'`,
    'changed',
    /^setting schema$/,
  ],
  [
    'an object that was taken away',
    `WITH gone AS (SELECT n FROM objects WHERE id = ?1) INSERT INTO revisions (object, revision, mac) SELECT n + 70, 2, zeroblob(32) FROM gone`,
    'missing',
    /^object 7\d$/,
  ],
  [
    'a document that was taken away',
    `DELETE FROM documents WHERE kind = 'group'`,
    'missing',
    /^group\/default$/,
  ],
  [
    'an index row of no object',
    `INSERT INTO attribute_index (group_name, attribute, value, n) VALUES ('default', CAST('Name' AS BLOB), CAST('X' AS BLOB), 70)`,
    'derived',
    /^object 70$/,
  ],
  [
    'an index row of another value',
    `INSERT INTO attribute_index (group_name, attribute, value, n) SELECT 'default', CAST('Name' AS BLOB), CAST('X' AS BLOB), n FROM objects WHERE id = ?1`,
    'derived',
    /^[0-9a-f-]{36}$/,
  ],
  [
    'an index row in another group',
    `INSERT INTO attribute_index (group_name, attribute, value, n) SELECT 'vault', attribute, value, n FROM attribute_index LIMIT 1`,
    'derived',
    /^[0-9a-f-]{36}$/,
  ],
  [
    'a claim that its object does not make',
    `INSERT INTO unique_entries (group_name, kind, value, n) SELECT 'default', 'name', CAST('X' AS BLOB), n FROM objects WHERE id = ?1`,
    'derived',
    /^[0-9a-f-]{36}$/,
  ],
  [
    'a claim of no object',
    `INSERT INTO unique_entries (group_name, kind, value, n) VALUES ('default', 'name', CAST('X' AS BLOB), 70)`,
    'derived',
    /^object 70$/,
  ],
  [
    'an index of records that reaches too far',
    `UPDATE audit_indexed SET number = 900`,
    'derived',
    /^test\/\d+$/,
  ],
  [
    'a place of no record',
    `INSERT INTO audit_objects (object, chain, number) VALUES (?1, 'test', 900)`,
    'derived',
    /^test\/900$/,
  ],
]

describe('damage', () => {
  test.each(damages)('%s alarms, is on record, and shows in verification', async (_, sql, kind) => {
    const engine = await testEngine()
    const ids = await keys(engine, 3)
    await engine.tamper(sql, blob(ids[1]!))
    await walkOnce(engine, scrubberOf(engine))
    expect(engine.alarms()).toHaveLength(1)
    const [record, ...others] = await damageOf(engine)
    expect(others).toEqual([])
    expect(record).toMatchObject({ details: { kind, subject: ids[1] } })
    const progress = await progressOf(engine.store)
    expect(progress).toMatchObject({ last: { objects: 3, damaged: 1 } })
    expect(progress!.problems).toMatchObject([{ kind, subject: ids[1] }])
    const report = await engine.store.auditVerify({ contents: contentsCheck })
    expect(report.problems.map(({ subject }) => subject)).toContain(ids[1])
  })

  test('of an object that was taken out whole is found by the record of its making', async () => {
    const engine = await testEngine()
    const ids = await keys(engine, 3)
    for (const table of ['attribute_index', 'unique_entries'])
      await engine.tamper(
        `DELETE FROM ${table} WHERE n = (SELECT n FROM objects WHERE id = ?1)`,
        blob(ids[1]!),
      )
    await engine.tamper(
      `DELETE FROM revisions WHERE object = (SELECT n FROM objects WHERE id = ?1)`,
      blob(ids[1]!),
    )
    await engine.tamper(`DELETE FROM objects WHERE id = ?1`, blob(ids[1]!))
    await walkOnce(engine, scrubberOf(engine, { pace: 2 }))
    expect((await progressOf(engine.store))!.problems).toMatchObject([
      { kind: 'missing', subject: ids[1] },
    ])
    expect(engine.alarms()).toHaveLength(1)
  })

  test('of a document and of the audit record is found too', async () => {
    const engine = await testEngine()
    await keys(engine, 3)
    await engine.policy('destroy=5d')
    await engine.tamper(`UPDATE documents SET body = replace(body, '5d', '9d')`)
    await engine.tamper(`UPDATE audit SET body = replace(body, 'alpha', 'gamma') WHERE first = 3`)
    await engine.tamper(`DELETE FROM audit WHERE first = 4`)
    await walkOnce(engine, scrubberOf(engine, { pace: 2 }))
    expect((await progressOf(engine.store))!.problems).toMatchObject([
      { kind: 'changed', subject: 'group/default' },
      { kind: 'audit-changed', subject: 'test/3' },
      { kind: 'audit-gap', subject: 'test/4' },
    ])
  })

  test('of the index of records by object is found once the index reaches so far', async () => {
    const engine = await testEngine()
    const [id] = await keys(engine, 3)
    await walkOnce(engine, scrubberOf(engine))
    await engine.tamper('DELETE FROM audit_objects')
    expect((await engine.store.auditVerify()).problems).toEqual([])
    while (await engine.store.catchUpAuditIndex());
    await engine.tamper(`DELETE FROM audit_objects WHERE object = ?1`, Buffer.from(id!))
    const { problems } = await engine.store.auditVerify()
    expect(problems.map(({ kind }) => kind)).toEqual(['derived'])
    engine.time.seconds += 3600n
    await scrubberOf(engine).turn()
    expect((await progressOf(engine.store))!.problems).toMatchObject([{ kind: 'derived' }])
  })

  test.each(otherDamages)('%s', async (_, sql, kind, subject) => {
    const engine = await testEngine()
    const [id] = await keys(engine, 2)
    await engine.policy('destroy=5d')
    await engine.store.act((work) =>
      work.putTransient(
        { kind: 'ticket', name: 'T', owner: 'alpha', expires: work.now + 9n, body: {} },
        Buffer.from('secret'),
      ),
    )
    await setUpRecovery(engine.store, {
      threshold: 2,
      holders: [{ number: 1 }, { number: 2 }],
      actor: administrator,
      handOut: () => undefined,
    })
    while (await engine.store.catchUpAuditIndex());
    await walkOnce(engine, scrubberOf(engine))
    expect((await progressOf(engine.store))!.problems).toEqual([])
    expect((await progressOf(engine.store))!.last!.others).toBeGreaterThan(15)

    await engine.tamper(sql, ...(sql.includes('?1') ? [blob(id!)] : []))
    engine.time.seconds += 3600n
    await walkOnce(engine, scrubberOf(engine))
    const { problems } = (await progressOf(engine.store))!
    expect(problems.map((one) => one.kind)).toEqual([kind])
    expect(problems[0]!.subject).toMatch(subject)
    expect(engine.alarms()).toHaveLength(1)
    expect(await damageOf(engine)).toHaveLength(1)
  })

  test('every table is walked, or its rows are examined with those they belong to', () => {
    const elsewhere = ['settings', 'epoch_wraps', 'objects', 'documents', 'audit', 'transients']
    const all = [...tables.map(({ name }) => name), ...Object.keys(tablesLeftOut)]
    const notOurs = new Set(['turns'])
    expect([...Object.keys(examinedTables), ...elsewhere].toSorted()).toEqual(
      all.filter((name) => !notOurs.has(name)).toSorted(),
    )
  })

  test('that is still there in the next walk alarms again and is recorded once', async () => {
    const engine = await testEngine()
    const [id] = await keys(engine, 1)
    await engine.tamper(damages[0]![1], blob(id!))
    const scrubber = scrubberOf(engine)
    await walkOnce(engine, scrubber)
    engine.time.seconds += 3600n
    await scrubber.turn()
    expect(engine.alarms()).toHaveLength(2)
    expect(await damageOf(engine)).toHaveLength(1)
  })
})

test('an untouched keystore is found sound, whatever was done in it', async () => {
  const engine = await testEngine()
  const [one, two, three] = await keys(engine, 4)
  await engine.policy('destroy=now')
  await engine.call('2.1', 'Activate', { UniqueIdentifier: one! })
  await engine.call('2.1', 'Destroy', { UniqueIdentifier: two! })
  const contact = { tag: 'ContactInformation' as const, value: 'the tape room' }
  await engine.call('2.1', 'AddAttribute', { UniqueIdentifier: three!, NewAttribute: contact })
  await engine.call('2.1', 'ReKey', { UniqueIdentifier: three! })
  await engine.policy('duplicates=allow')
  await engine.batch('1.4', [['Create', { ObjectType: 'Template', Attributes: [] } as never]])
  await walkOnce(engine, scrubberOf(engine))
  const progress = await progressOf(engine.store)
  expect(progress!.problems).toEqual([])
  expect(progress!.last).toMatchObject({ objects: 5, damaged: 0, documents: 1 })
  expect(progress!.last!.auditRows).toBeGreaterThan(8)
  const report = await engine.store.auditVerify({ contents: contentsCheck })
  expect(report.problems).toEqual([])
})

test('a turn examines no more than its pace, and a new process goes on where the last has stopped', async () => {
  const engine = await testEngine()
  await keys(engine, 7)
  const scrubber = scrubberOf(engine, { pace: 3 })
  await scrubber.turn()
  await scrubber.turn()
  await scrubber.stop()
  expect(await progressOf(engine.store)).toMatchObject({
    objects: 6,
    position: { part: 'objects', n: 6 },
  })
  await walkOnce(engine, scrubberOf(engine, { pace: 3 }))
  expect((await progressOf(engine.store))!.last).toMatchObject({ objects: 7, damaged: 0 })
})

test('after a walk it rests for its interval', async () => {
  const engine = await testEngine()
  await keys(engine, 2)
  const scrubber = scrubberOf(engine)
  await walkOnce(engine, scrubber)
  engine.time.seconds += 3599n
  await scrubber.turn()
  expect((await progressOf(engine.store))!.last!.finished).toBe(Number(started))
  engine.time.seconds += 1n
  await scrubber.turn()
  expect((await progressOf(engine.store))!.last!.finished).toBe(Number(started) + 3600)
})

test('what was found is told in one line', () => {
  const counts = { objects: 5, documents: 2, auditRows: 9, others: 7, damaged: 0 }
  const rested = { position: { part: 'objects' as const, n: 0 }, ...counts, problems: [] }
  expect(scrubText(undefined, 0n)).toBe('the keystore has not been looked through yet')
  expect(scrubText({ ...rested, started: 5 }, 0n)).toBe(
    'the first scrub is under way: 5 objects, 2 documents, 9 audit rows, 7 other rows, 0 damaged',
  )
  const done = { ...rested, last: { started: 0, finished: 100, ...counts } }
  for (const [seconds, ago] of [
    [150n, '50 s'],
    [700n, '10 min'],
    [90_100n, '25 h'],
    [864_100n, '10 days'],
  ] as const) {
    expect(scrubText(done, seconds)).toBe(
      `last complete scrub ${ago} ago: 5 objects, 2 documents, 9 audit rows, 7 other rows, 0 damaged`,
    )
  }
  expect(scrubText({ ...done, started: 200, damaged: 3 }, 300n)).toMatch(/, 3 damaged since$/)
})
