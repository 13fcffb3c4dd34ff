// The cases of tape libraries, of objects and of their life cycle against a keyreel on PostgreSQL.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, withoutPostgres, type PostgresServer } from '../fixtures/postgres.ts'
import { conform } from './conform.ts'
import { startOwn } from './own-server.ts'
import { selectCases } from './selection.ts'
import { judge, type Verdict } from './verdict.ts'

/** Beginnings of families, published ones and ours; those that are there are run. */
const families = ['TL', 'BL', 'SKLC', 'SKFF', 'AKLC', 'KR']

describe.skipIf(withoutPostgres())('with a server', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  test('a keyreel on PostgreSQL conforms as one on a file does', { timeout: 300_000 }, async () => {
    const { cases } = await selectCases({})
    const chosen = cases.filter(({ family }) => families.includes(family.split('-')[0]!))
    await using own = await startOwn(chosen, await server.fresh())
    const verdicts: Verdict[] = []
    for await (const outcome of conform(chosen, own.target)) verdicts.push(judge(outcome))
    expect(verdicts.length).toBeGreaterThan(30)
    expect(verdicts.filter(({ result }) => result === 'fails')).toEqual([])
  })
})
