// The audit chains: what they hold, that every change to them shows, and what does not.
import { expect, test } from 'vitest'
import type { Store } from '../../src/keystore/store.ts'
import {
  actor,
  change,
  create,
  dataDirectory,
  done,
  get,
  idOf,
  newStore,
  opened,
  seeded,
  tamper,
} from './sample.ts'

/** Twelve rows in the server's chain, three in the CLI's. */
async function usedDirectory(): Promise<string> {
  const directory = await dataDirectory()
  const server = await opened(directory)
  for (let at = 1; at <= 5; at++) await create(server, at)
  await Promise.all([get(server, 1), get(server, 2), change(server, 3, 'second')])
  const cli = await opened(directory, { writer: 'cli' })
  for (const at of [1, 2, 1]) await change(cli, at, 'by the cli')
  for (const at of [1, 2, 3]) await get(server, at)
  await server.close()
  await cli.close()
  return directory
}

async function problemsOf(directory: string) {
  const store = await opened(directory)
  const { problems } = await store.auditVerify()
  await store.close()
  return problems
}

test('an untouched store verifies, and the report counts what it saw', async () => {
  const directory = await usedDirectory()
  const report = await (await opened(directory)).auditVerify({ rowsPerStep: 2 })
  expect(report).toMatchObject({ problems: [], more: false, objects: 5, documents: 0 })
  expect(report.chains.map(({ chain }) => chain)).toEqual(['cli', 'serve'])
})

test('each writer has a chain of its own, announced in the first', async () => {
  const store = await opened(await usedDirectory())
  expect(await store.auditChains()).toEqual(['cli', 'serve'])
  const [started] = await store.readAudit({ chain: 'cli', after: 0, limit: 1 })
  const { parent, number } = started!.details as { parent: string; number: number }
  const [announced] = await store.readAudit({ chain: parent, after: number - 1, limit: 1 })
  expect(announced).toMatchObject({ operation: 'Audit Chain Announced', details: { chain: 'cli' } })
})

test('records are read from any number on, or the newest', async () => {
  const store = await opened(await usedDirectory())
  const all = await store.readAudit({ chain: 'serve', after: 0, limit: 1000 })
  expect(all.map(({ number }) => number)).toEqual(all.map((_, at) => at + 1))
  for (let at = 0; at < all.length; at++) {
    expect(await store.readAudit({ chain: 'serve', after: at, limit: 2 })).toEqual(
      all.slice(at, at + 2),
    )
    const before = await store.readAudit({ chain: 'serve', before: at + 1, limit: 3 })
    expect(before).toEqual(all.slice(Math.max(0, at - 3), at))
  }
  expect(await store.readAudit({ chain: 'serve', limit: 4 })).toEqual(all.slice(-4))
})

test.each([
  [
    'a body',
    `UPDATE audit SET body = replace(body, 'alpha', 'gamma') WHERE chain = 'serve' AND first = 3`,
  ],
  ['a number', `UPDATE audit SET last = last + 1 WHERE chain = 'serve' AND first = 3`],
  [
    'a chain name',
    `UPDATE audit SET chain = 'cli', first = 99, last = 99 WHERE chain = 'serve' AND first = 3`,
  ],
  ['a MAC', `UPDATE audit SET mac = zeroblob(32) WHERE chain = 'serve' AND first = 3`],
  ['an epoch', `UPDATE audit SET epoch = 9 WHERE chain = 'serve' AND first = 3`],
])('%s edited in one row is found at that row', async (_, sql) => {
  const directory = await usedDirectory()
  tamper(directory, sql)
  const problems = await problemsOf(directory)
  const kinds = problems.map(({ kind, subject }) => `${kind} ${subject}`)
  expect(kinds.some((kind) => /^audit-(changed|gap) serve\/3$/.test(kind))).toBe(true)
})

test('a row taken out of the middle is a gap that names the missing record', async () => {
  const directory = await usedDirectory()
  tamper(directory, `DELETE FROM audit WHERE chain = 'serve' AND first = 4`)
  expect((await problemsOf(directory))[0]).toMatchObject({ kind: 'audit-gap', subject: 'serve/4' })
})

test('the first rows taken away are a gap', async () => {
  const directory = await usedDirectory()
  tamper(directory, `DELETE FROM audit WHERE chain = 'serve' AND first < 4`)
  const problems = await problemsOf(directory)
  expect(problems).toContainEqual(
    expect.objectContaining({ kind: 'audit-gap', subject: 'serve/1' }),
  )
})

test('two rows that changed places are found at the first of them', async () => {
  const directory = await usedDirectory()
  const swap = `UPDATE audit SET body = (SELECT body FROM audit o WHERE o.chain = 'serve' AND o.first = 7 - audit.first)
    WHERE chain = 'serve' AND first IN (3, 4)`
  tamper(directory, swap)
  expect((await problemsOf(directory))[0]).toMatchObject({
    kind: 'audit-changed',
    subject: 'serve/3',
  })
})

test('a row put in between is found', async () => {
  const directory = await usedDirectory()
  tamper(
    directory,
    `UPDATE audit SET first = first + 100, last = last + 100 WHERE chain = 'serve' AND first > 3`,
  )
  tamper(
    directory,
    `UPDATE audit SET first = first - 99, last = last - 99 WHERE chain = 'serve' AND first > 100`,
  )
  tamper(
    directory,
    `INSERT INTO audit SELECT chain, 4, 4, epoch, mac, body FROM audit WHERE chain = 'serve' AND first = 3`,
  )
  expect((await problemsOf(directory))[0]).toMatchObject({
    kind: 'audit-changed',
    subject: 'serve/4',
  })
})

test('a chain taken away whole is missed because another announced it', async () => {
  const directory = await usedDirectory()
  tamper(directory, `DELETE FROM audit WHERE chain = 'cli'`)
  const problems = await problemsOf(directory)
  expect(problems).toContainEqual(
    expect.objectContaining({ kind: 'chain-missing', subject: 'cli' }),
  )
})

test('a chain begun again after it was taken away shows as announced twice', async () => {
  const directory = await usedDirectory()
  tamper(directory, `DELETE FROM audit WHERE chain = 'cli'`)
  const cli = await opened(directory, { writer: 'cli' })
  await get(cli, 1)
  await cli.close()
  const problems = await problemsOf(directory)
  expect(problems).toContainEqual(
    expect.objectContaining({ kind: 'chain-unannounced', subject: 'cli' }),
  )
})

test('a tail cut off with changes in it shows, because the rows went further', async () => {
  const directory = await usedDirectory()
  tamper(directory, `DELETE FROM audit WHERE chain = 'serve' AND first > 3`)
  const problems = await problemsOf(directory)
  expect(problems).toContainEqual(expect.objectContaining({ kind: 'unaudited', subject: idOf(5) }))
})

test('a tail of mere releases cut off shows only against a checkpoint kept outside', async () => {
  const directory = await usedDirectory()
  const before = await opened(directory)
  const { chains: checkpoints } = await before.auditVerify()
  await before.close()
  const last = checkpoints.find(({ chain }) => chain === 'serve')!
  tamper(directory, `DELETE FROM audit WHERE chain = 'serve' AND last = ?`, last.number)

  const store = await opened(directory)
  expect((await store.auditVerify()).problems).toEqual([])
  const { problems } = await store.auditVerify({ checkpoints })
  expect(problems).toMatchObject([{ kind: 'audit-truncated', subject: `serve/${last.number}` }])
  await get(store, 1)
  const grown = await store.auditVerify({ checkpoints })
  expect(grown.problems).toMatchObject([{ kind: 'audit-changed', subject: `serve/${last.number}` }])
})

test('seeded changes to the audit table never go unnoticed', async () => {
  const directory = await usedDirectory()
  const original = tamper(directory, 'SELECT chain, first, last, epoch, mac, body FROM audit')
  const random = seeded(20_260_101)
  for (let round = 0; round < 40; round++) {
    const rows = original.map((row) => ({ ...row }))
    const at = random(rows.length)
    const row = rows[at]!
    const kind = random(5)
    if (kind === 0) flip(row, 'mac', random)
    else if (kind === 1) flip(row, 'body', random)
    else if (kind === 2) row.last = Number(row.last) + 1 + random(3)
    else if (kind === 3) row.first = Number(row.first) + 1000
    else row.chain = `other${random(3)}`
    replaceAudit(directory, rows)
    expect([round, await problemsOf(directory)]).not.toEqual([round, []])
  }
  replaceAudit(directory, original)
  expect(await problemsOf(directory)).toEqual([])
})

test('verification during changes by two processes reports nothing wrong', async () => {
  const directory = await usedDirectory()
  const server = await opened(directory)
  const cli = await opened(directory, { writer: 'cli' })
  const busy = async (store: Store, at: number) => {
    for (let times = 0; times < 30; times++) await change(store, at, `change ${times}`)
  }
  const verifying = async () => {
    for (let times = 0; times < 5; times++) {
      expect((await server.auditVerify({ rowsPerStep: 2 })).problems).toEqual([])
    }
  }
  await Promise.all([busy(server, 1), busy(cli, 2), create(server, 50), verifying()])
})

test('the history of an object is the same before, while and after it is indexed', async () => {
  const store = await opened(await usedDirectory())
  const before = await store.objectHistory(idOf(1))
  expect(before.complete).toBe(true)
  expect(before.entries.map(({ chain, operation }) => `${chain} ${operation}`).sort()).toEqual([
    'cli Modify Attribute',
    'cli Modify Attribute',
    'serve Create',
    'serve Get',
    'serve Get',
  ])
  await store.catchUpAuditIndex()
  expect(await store.objectHistory(idOf(1))).toEqual(before)
  while (await store.catchUpAuditIndex());
  expect(await store.objectHistory(idOf(1))).toEqual(before)
  await get(store, 1)
  expect((await store.objectHistory(idOf(1))).entries.length).toBe(6)
  expect((await store.objectHistory(idOf(1), 2)).complete).toBe(false)
  expect((await store.objectHistory(idOf(77))).entries).toEqual([])
})

test('a changed audit row is not read as if nothing had happened', async () => {
  const directory = await usedDirectory()
  tamper(
    directory,
    `UPDATE audit SET body = replace(body, 'alpha', 'gamma') WHERE chain = 'serve' AND first = 3`,
  )
  const store = await opened(directory)
  const reading = store.readAudit({ chain: 'serve', after: 0, limit: 100 })
  await expect(reading).rejects.toMatchObject({ code: 'changed', subject: 'serve/3' })
})

test('an act without changes or release may go unrecorded, and leaves no audit row', async () => {
  const store = await newStore()
  const before = await store.readAudit({ chain: 'serve', after: 0, limit: 10 })
  await store.act(async (work) => work.load('default', idOf(1)))
  expect(await store.readAudit({ chain: 'serve', after: 0, limit: 10 })).toEqual(before)
  await store.act(async (work) => work.audit({ ...done('Get'), actor, outcome: 'ItemNotFound' }))
  expect((await store.readAudit({ chain: 'serve', after: 0, limit: 10 })).length).toBe(
    before.length + 1,
  )
})

type Row = Record<string, unknown>

function flip(row: Row, column: 'mac' | 'body', random: (limit: number) => number): void {
  const bytes = Buffer.from(row[column] as string | Uint8Array)
  const at = random(bytes.length)
  bytes[at] = bytes[at]! ^ (1 << random(5))
  row[column] = column === 'mac' ? bytes : bytes.toString('latin1')
}

function replaceAudit(directory: string, rows: readonly Row[]): void {
  tamper(directory, 'DELETE FROM audit')
  for (const { chain, first, last, epoch, mac, body } of rows) {
    tamper(
      directory,
      'INSERT INTO audit (chain, first, last, epoch, mac, body) VALUES (?, ?, ?, ?, ?, ?)',
      chain as string,
      first as number,
      last as number,
      epoch as number,
      mac as Uint8Array,
      body as string,
    )
  }
}
