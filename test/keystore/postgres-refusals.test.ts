// How a database is reached over the network, and what is said when it cannot be used: one error with a hint,
// no password in it, and nothing changed.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openPostgres, type PostgresOptions } from '../../src/keystore/postgres-driver.ts'
import type { SqlDriver } from '../../src/keystore/storage.ts'
import { runKeyreel } from '../fixtures/keyreel.ts'
import { withoutCluster } from '../fixtures/postgres.ts'
import { postgres94, tlsPostgres, type TlsPostgres } from '../fixtures/tls-postgres.ts'
import { temporaryFolder } from './sample.ts'

describe.skipIf(withoutCluster())('a database that wants TLS and a password', () => {
  let server: TlsPostgres

  beforeAll(async () => {
    server = await tlsPostgres()
  }, 60_000)
  afterAll(() => server.cluster.remove())

  const full = () => `sslmode=verify-full&sslrootcert=${server.ca}`

  test.each(['verify-full', 'verify-ca', 'require'])(
    'sslmode=%s means an encrypted connection to the host that the certificate names',
    async (mode) => {
      const parameters = `sslmode=${mode}&sslrootcert=${server.ca}`
      const driver = await opened({ urls: [server.url(parameters)] })
      const rows = await driver.snapshot((sql) =>
        sql.query('SELECT CAST(ssl AS TEXT) FROM pg_stat_ssl WHERE pid = pg_backend_pid()'),
      )
      expect(rows).toEqual([['true']])
      for (const [host, ca] of [
        ['127.0.0.2', server.ca],
        ['localhost', server.otherCa],
      ] as const) {
        const url = server.url(`sslmode=${mode}&sslrootcert=${ca}`, { host })
        expect(await refusal({ urls: [url] })).toMatchObject({
          code: 'database-tls',
          message: expect.stringContaining(`postgres://kms@${host}:`) as string,
          hint: expect.stringContaining('sslrootcert=FILE') as string,
        })
      }
    },
  )

  test.each(['prefer', 'allow', 'no-verify', 'Verify-Full', 'toString'])(
    'sslmode=%s is refused: it would not say whether it is encrypted',
    async (mode) => {
      expect(await refusal({ urls: [server.url(`sslmode=${mode}`)] })).toMatchObject({
        code: 'database-url',
        exitStatus: 2,
        message: expect.stringContaining(mode) as string,
      })
    },
  )

  test('without TLS it refuses, and the hint says how to ask for it', async () => {
    const refused = await refusal({ urls: [server.url('')] })
    expect(refused).toMatchObject({ code: 'database-tls' })
    expect(refused.hint).toContain('sslmode=verify-full')
  })

  test('a server that has no TLS is refused where TLS is asked for', async () => {
    const { port, close } = await postgres94()
    onTestFinished(close)
    const urls = [`postgres://kms@127.0.0.1:${port}/kms?${full()}`]
    expect(await refusal({ urls })).toMatchObject({ code: 'database-tls' })
  })

  test('a wrong password, none, and a database that is not there are told apart', async () => {
    const wrong = server.url(full(), { password: 'Simsalabim' })
    expect(await refusal({ urls: [wrong] })).toMatchObject({ code: 'database-refused' })
    const none = server.url(full()).replace(':Sesam42', '')
    expect(await refusal({ urls: [none] })).toMatchObject({ code: 'database-refused' })
    const nowhere = server.url(full()).replace('/kms?', '/nowhere?')
    expect(await refusal({ urls: [nowhere] })).toMatchObject({ code: 'no-database' })
  })

  test('a file of the CA that is missing, or none, is told', async () => {
    const missing = server.url('sslmode=verify-full&sslrootcert=/nowhere/ca.pem')
    expect(await refusal({ urls: [missing] })).toMatchObject({
      code: 'database-url',
      message: expect.stringContaining('/nowhere/ca.pem') as string,
    })
    const file = join(temporaryFolder(), 'ca.pem')
    writeFileSync(file, 'no certificate\n')
    const garbage = server.url(`sslmode=verify-full&sslrootcert=${file}`)
    expect(await refusal({ urls: [garbage] })).toMatchObject({ code: 'database-tls' })
  })

  test('an encrypted connection that falls silent is given up like any other', async () => {
    const driver = await opened({ urls: [server.url(full())], silence: 200, patience: 300 })
    const add = () => driver.transaction((sql) => sql.query('INSERT INTO things VALUES (1)'))
    await driver.transaction((sql) => sql.query('CREATE TABLE things (n BIGINT)'))
    server.cluster.freeze()
    await expect(add()).rejects.toMatchObject({ code: 'database-unreachable' })
    server.cluster.thaw()
    await add()
    const rows = await driver.snapshot((sql) => sql.query('SELECT count(*) FROM things'))
    expect(rows).toEqual([[1n]])
  })

  test(
    'init with a database that it may not use changes nothing',
    { timeout: 60_000 },
    async () => {
      await server.query('CREATE DATABASE locked')
      const nothing = server.url(full()).replace('/kms?', '/locked?')
      const cases = [
        [nothing, 1, /permission denied.*\nhint: make the user of the URL the owner/],
        [
          server.url(full(), { password: 'Simsalabim' }),
          1,
          /refused the login.*\nhint: check user/,
        ],
        [
          server.url(full(), { host: '127.0.0.2' }),
          1,
          /no encrypted connection.*\nhint: name the CA/,
        ],
        [server.url('sslmode=prefer'), 2, /sslmode=prefer.*\nhint: /],
      ] as const
      for (const [url, status, words] of cases) {
        const data = join(temporaryFolder(), 'data')
        const refused = await runKeyreel(['init', '--data', data, '--database', url])
        expect(refused).toMatchObject({ status, stdout: '' })
        expect(refused.stderr).toMatch(words)
        expect(refused.stderr.match(/^error: /gm)).toHaveLength(1)
        expect(refused.stderr).not.toMatch(/Sesam42|Simsalabim|SECURITY WARNING/)
        expect(existsSync(data)).toBe(false)
      }
      const tables = `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`
      expect(await server.query(tables)).toEqual([['0']])
    },
  )
})

test('a server that is too old is refused by its version, whatever else it does not know', async () => {
  const { port, close } = await postgres94()
  onTestFinished(close)
  const refused = await refusal({ urls: [`postgres://me:Sesam42@127.0.0.1:${port}/db`] })
  expect(refused).toMatchObject({
    code: 'database-too-old',
    message: `postgres://me@127.0.0.1:${port}/db: PostgreSQL 9.4 is too old`,
    hint: expect.stringContaining('PostgreSQL 13 or newer') as string,
  })
})

async function opened(options: PostgresOptions): Promise<SqlDriver> {
  const driver = await openPostgres(options)
  onTestFinished(() => driver.close())
  return driver
}

async function refusal(options: PostgresOptions): Promise<Error & { hint: string; code: string }> {
  try {
    await (await openPostgres({ startPatience: 10, ...options })).close()
  } catch (error) {
    const refused = error as Error & { hint: string; code: string }
    expect(`${refused.message} ${refused.hint}`).not.toMatch(/Sesam42|Simsalabim/)
    return refused
  }
  throw new Error('it was not refused')
}
