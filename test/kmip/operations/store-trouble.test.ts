// The key store in trouble, as a library sees it: General Failure in every version, with words that name the
// condition, and nothing of paths, hosts, SQL or secrets.
import { describe, expect, onTestFinished, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import { exitStatus, UserError } from '../../../src/errors.ts'
import { explained as ofPostgres } from '../../../src/keystore/postgres-errors.ts'
import { openPostgres } from '../../../src/keystore/postgres-driver.ts'
import { explained as ofSqlite, openSqlite } from '../../../src/keystore/sqlite-driver.ts'
import { respond } from '../../../src/kmip/server/respond.ts'
import { cutProxy } from '../../fixtures/cut-proxy.ts'
import { startPostgres, withoutPostgres } from '../../fixtures/postgres.ts'
import {
  answerOf,
  everyVersion,
  principal,
  requestBytes,
  tapeKey,
  testEngine,
  type Ask,
} from './engine.ts'

const file = '/var/lib/keyreel/keystore.db'
const url = 'postgres://kms@db.example.org/keys'
const sql = 'INSERT INTO objects'

/** What SQLite throws, with a result code, and what is made of it. */
const sqlite = (errcode: number) => ofSqlite(Object.assign(new Error(sql), { errcode }), file)
/** The same of PostgreSQL, with a SQLSTATE. */
const postgres = (code: string) => ofPostgres(Object.assign(new Error(sql), { code }), url)
const own = (code: string, status?: number) =>
  new UserError(code, `${url}: ${sql}`, file, status === undefined ? {} : { exitStatus: status })

const conditions: [condition: string, error: unknown, words: string][] = [
  ['a full disk', sqlite(13), 'the disk of the server is full: nothing is recorded'],
  [
    'a full disk of the database',
    postgres('53100'),
    'the disk of the server is full: nothing is recorded',
  ],
  ['a read-only database', sqlite(8), 'the key store is read-only: nothing is recorded'],
  ['a disk that fails', sqlite(10), 'the disk of the key store fails'],
  ['a disk of the database that fails', postgres('58030'), 'the disk of the key store fails'],
  ['a damaged page', sqlite(11), 'the database of the key store is damaged'],
  ['a damaged database', postgres('XX001'), 'the database of the key store is damaged'],
  ['another file in its place', sqlite(26), 'the database of the key store is damaged'],
  ['a table that is missing', postgres('42P01'), 'the database of the key store is damaged'],
  ['another writer', sqlite(5), 'the key store is busy with others: try again'],
  ['a lock', postgres('55P03'), 'the key store is busy with others: try again'],
  ['a database that is gone', postgres('57P01'), 'the database of the key store is away'],
  [
    'a login that is refused',
    postgres('28P01'),
    'the database of the key store refuses the server',
  ],
  ['rights taken away', postgres('42501'), 'the database of the key store refuses the server'],
  [
    'a database that is behind',
    own('database-behind'),
    'the database of the key store is not the newest: nothing is served',
  ],
  [
    'a standby that is away',
    own('standby-away'),
    'the standby of the database is away: nothing is recorded',
  ],
  [
    'a wait for the standby that was called off',
    own('commit-not-replicated'),
    'the standby of the database was not waited for: what was recorded is on one machine only',
  ],
  [
    'a commit in doubt',
    own('commit-in-doubt'),
    'the database of the key store broke off: whether this was recorded is not known',
  ],
  [
    'an audit record that cannot be written',
    own('audit-unwritable'),
    'the audit record cannot be written: nothing is done without it',
  ],
  [
    'a token that was pulled out',
    own('token-missing', exitStatus.sealed),
    'the key store is sealed: its master key is away',
  ],
  [
    'a new master key that is not at hand',
    own('master-key-retired', exitStatus.sealed),
    'the master key of the key store was changed, and the server lacks the new one',
  ],
  [
    'a PIN that was changed',
    own('wrong-pin', exitStatus.wrongPassphrase),
    'the key store is sealed: its master key is away',
  ],
]

const get: Ask = ['Get', { UniqueIdentifier: '00000000-0000-4000-8000-000000000001' }]
const locate: Ask = ['Locate', { Attributes: [] }]

/** The items answered while the store fails like that, and all that went over the wire. */
async function answered(as: VersionText, error: unknown, asks: readonly Ask[]) {
  const { responder, lines } = await testEngine()
  const fails = () => Promise.reject(error as Error)
  const failing = { ...responder, store: { act: fails, read: fails } }
  const { bytes } = await respond(failing, requestBytes(as, asks), principal())
  return {
    items: answerOf(bytes, as).BatchItem,
    wire: Buffer.from(bytes).toString('latin1'),
    lines,
  }
}

describe.each(conditions)('%s', (_, error, words) => {
  test.each(everyVersion)('is named to a library, and nothing else is (%s)', async (as) => {
    for (const asks of [[get], [locate], [get, locate]]) {
      const { items, wire, lines } = await answered(as, error, asks)
      expect(items[0]).toMatchObject({
        ResultStatus: 'OperationFailed',
        ResultReason: 'GeneralFailure',
        ResultMessage: words,
      })
      expect(wire).not.toMatch(/\/var|keystore\.db|example|postgres|INSERT|objects/)
      // Who looks into the log finds all of it.
      const logged = lines.find(({ fields }) => fields.err === error)
      expect(logged).toMatchObject({
        level: 'error',
        fields: { correlation: expect.any(String) as string },
      })
    }
  })
})

test.each(everyVersion)(
  'an error that nobody foresaw is a reference to the log (%s)',
  async (as) => {
    const { items, wire } = await answered(as, new TypeError(`${sql} ${file}`), [get])
    expect(items[0]!.ResultReason).toBe('GeneralFailure')
    expect(items[0]!.ResultMessage).toMatch(
      /^internal error, see the server's log under [0-9a-f-]{36}$/,
    )
    expect(wire).not.toMatch(/\/var|INSERT/)
  },
)

const create = (data: string): Ask => [
  'Create',
  { ObjectType: 'SymmetricKey', Attributes: tapeKey(data) },
]

test.each(everyVersion)(
  'a database set to read-only hands out nothing without a record (%s)',
  async (as) => {
    const database = await openSqlite({ file: ':memory:' })
    const engine = await testEngine({ database })
    // In memory both connections are one, and a snapshot may set what a transaction could not.
    const readOnly = (word: string) =>
      database.snapshot((session) => session.query(`PRAGMA query_only = ${word}`))
    const UniqueIdentifier = await engine.key(as, 'A')
    await readOnly('ON')
    for (const ask of [create('B'), ['Get', { UniqueIdentifier }] as Ask]) {
      const [item] = await engine.batch(as, [ask])
      expect(item).toMatchObject({
        ResultReason: 'GeneralFailure',
        ResultMessage: 'the key store is read-only: nothing is recorded',
      })
      expect(item!.ResponsePayload).toBeUndefined()
    }
    await engine.call(as, 'GetAttributes', { UniqueIdentifier })
    await readOnly('OFF')
    await engine.call(as, 'Get', { UniqueIdentifier })
  },
)

test.each(everyVersion)(
  'where no audit record can be written, nothing is done or handed out (%s)',
  async (as) => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A')
    await engine.tamper(
      `CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'not here'); END`,
    )
    for (const ask of [create('B'), ['Get', { UniqueIdentifier }] as Ask]) {
      const [item] = await engine.batch(as, [ask])
      expect(item).toMatchObject({
        ResultReason: 'GeneralFailure',
        ResultMessage: 'the audit record cannot be written: nothing is done without it',
      })
      expect(item!.ResponsePayload).toBeUndefined()
    }
    expect(
      engine.lines.filter(({ fields }) => `${String(fields.err)}`.includes('not here')),
    ).not.toEqual([])
    await engine.tamper('DROP TRIGGER full')
    await engine.call(as, 'Get', { UniqueIdentifier })
    expect(await engine.store.read((work) => work.identifiers('', 9))).toHaveLength(1)
  },
)

describe.skipIf(withoutPostgres())('with a PostgreSQL', () => {
  test('a library is told that the database is away, and served once it is back', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const proxy = await cutProxy(await server.fresh())
    onTestFinished(() => proxy.close())
    const database = await openPostgres({ urls: [proxy.url], patience: 300 })
    const engine = await testEngine({ database })
    const UniqueIdentifier = await engine.key('1.4', 'A')
    proxy.refuse(true)
    for (const as of ['1.4', '2.1'] as const) {
      const [item] = await engine.batch(as, [['Get', { UniqueIdentifier }]])
      expect(item).toMatchObject({
        ResultReason: 'GeneralFailure',
        ResultMessage: 'the database of the key store is away',
      })
    }
    proxy.refuse(false)
    await engine.call('2.1', 'Get', { UniqueIdentifier })
  })
})
