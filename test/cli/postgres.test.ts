// The keystore in PostgreSQL, driven by the command line: init, further nodes, serve, and what each
// says when something is wrong.
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import pg from 'pg'
import { dialectNamed } from '../../simulator/dialects.ts'
import { readKit } from '../../simulator/kit.ts'
import { readBack, write } from '../../simulator/recording.ts'
import { Stage } from '../../simulator/stage.ts'
import { recording } from '../../simulator/scenarios/scenario.ts'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { announceNode } from '../../src/keystore/nodes.ts'
import { openStore } from '../../src/keystore/store.ts'
import { runKeyreel, startKeyreel, type Keyreel } from '../fixtures/keyreel.ts'
import { startPostgres, withoutPostgres, type PostgresServer } from '../fixtures/postgres.ts'

let server: PostgresServer

describe.skipIf(withoutPostgres())('with a server', () => {
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  test('a tape is written and read by a key that is in PostgreSQL, also after a restart', async () => {
    const folder = temporaryFolder()
    const data = join(folder, 'data')
    const url = await server.fresh()
    const made = await runKeyreel([
      'init',
      '--data',
      data,
      '--database',
      url,
      '--host',
      '127.0.0.1',
    ])
    expect(made).toMatchObject({ status: 0 })
    expect(existsSync(join(data, 'keystore.db'))).toBe(false)
    expect(statSync(join(data, 'keyreel.toml')).mode & 0o077).toBe(0)

    const first = await started({ data })
    const kit = await readKit((await first.enrol('alpha')).directory)
    const library = libraryAt(first, kit, folder)
    const cartridge = await library.stage.cartridge('KR0001L8')
    await library.insert(cartridge)
    await write(await library.mount(cartridge, 0), recording(1))
    await library.dismount(0)
    expect(await first.stop()).toBe(0)

    const second = await started({ data })
    const other = libraryAt(second, kit, join(folder, 'again'))
    await other.insert(cartridge)
    await readBack(await other.mount(cartridge, 0), [recording(1)])
    const verified = await second.cli('audit', 'verify', '--json')
    expect(verified.status).toBe(0)
    const { objects } = JSON.parse(verified.stdout) as { objects: number }
    expect(objects).toBe(1)
  })

  test('a further node opens the same keystore with the same master key', async () => {
    const folder = temporaryFolder()
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    const url = await server.fresh()
    const init = (data: string, ...args: string[]) =>
      runKeyreel(['init', '--data', data, '--database', url, ...args])
    const first = await init(one, '--node', 'kms-a', '--host', 'kms-a.example.org')
    expect(first).toMatchObject({ status: 0 })

    const refused = await init(two, '--node', 'kms-b')
    expect(refused).toMatchObject({ status: 11 })
    expect(refused.stderr).toContain('--master-key-file FILE')
    expect(existsSync(two)).toBe(false)

    const foreign = join(folder, 'foreign.key')
    await runKeyreel(['init', '--data', join(folder, 'other'), '--master-key-file', foreign])
    const wrong = await init(two, '--node', 'kms-b', '--master-key-file', foreign)
    expect(wrong).toMatchObject({ status: 11 })
    expect(existsSync(two)).toBe(false)

    const key = join(folder, 'copied.key')
    copyFileSync(join(one, 'master.key'), key)
    const host = ['--host', 'kms-b.example.org']
    const joined = await init(two, '--node', 'kms-b', '--master-key-file', key, ...host, '--json')
    expect(joined).toMatchObject({ status: 0 })
    expect(JSON.parse(joined.stdout)).toMatchObject({ joined: true })
    const { hosts } = JSON.parse(joined.stdout) as { hosts: string[] }
    expect(hosts).toEqual(expect.arrayContaining(['kms-a.example.org', 'kms-b.example.org']))

    const added = await runKeyreel(['group', 'list', '--data', two])
    expect(added.status).toBe(0)
    const chains = await runKeyreel(['audit', 'list', '--data', one, '--json'])
    expect(chains.stdout).toContain('serve@kms-b')
  })

  test('status shows the nodes, their clocks, and when each library was last at each of them', async () => {
    const folder = temporaryFolder()
    const data = join(folder, 'one')
    const url = await server.fresh()
    const init = ['init', '--data', data, '--database', url, '--node', 'kms-a']
    expect(await runKeyreel(init)).toMatchObject({ status: 0 })
    const add = ['library', 'add', 'alpha', '--data', data, '--out', join(folder, 'kit')]
    expect(await runKeyreel(add)).toMatchObject({ status: 0 })
    const masterKey = openMasterKeyFile(join(data, 'master.key'))
    const store = await openStore({ directory: data, database: [url], masterKey, writer: 'test' })
    const now = Date.now()
    const day = 86_400_000
    const report = (node: string, seen: number, clockAhead: number) => ({
      ...{ node, home: `${node}:/data`, version: '9.8.7', kmip: `${node}:5696`, clockAhead },
      ...{ started: now - 30 * day, heard: now, stopped: false },
      contacts: [{ client: 'alpha', connections: 1, lastContact: seen }],
    })
    await store.act((work) => announceNode(work, report('kms-a', now, 2_600)))
    await store.act((work) => announceNode(work, report('kms-b', now - 9 * day - 1000, 0)))
    await store.close()

    const { status, stdout } = await runKeyreel(['status', '--data', data])
    expect(status).toBe(0)
    const date = (time: number) => new Date(time).toISOString().slice(0, 10)
    const lines = stdout.split('\n')
    const line = (start: RegExp) => lines.find((text) => start.test(text))
    expect(line(/^kms-a /)).toMatch(/running +9\.8\.7 +kms-a:5696 +1 .*2\.6 s ahead$/)
    expect(line(/^kms-b /)).toMatch(/running +9\.8\.7 +kms-b:5696 +1 .*even$/)
    expect(line(/^LIBRARY/)).toMatch(/AT kms-a +AT kms-b$/)
    expect(line(/^alpha /)).toMatch(
      new RegExp(`default +${date(now)} \\S+ +${date(now - 9 * day - 1000)} \\S+$`),
    )
    expect(lines).toContain('warning: alpha has not spoken to node kms-b for 9 days')
    expect(stdout).toContain('the clock of node kms-a is 2.6 s ahead')
  })

  test('an init that fails leaves neither directory nor tables', async () => {
    const folder = temporaryFolder()
    const url = await server.fresh()
    const data = join(folder, 'data')
    const bad = ['--database', url, '--host', 'not a host name']
    expect((await runKeyreel(['init', '--data', data, ...bad])).status).not.toBe(0)
    expect(existsSync(data)).toBe(false)
    const again = await runKeyreel(['init', '--data', data, '--database', url])
    expect(again).toMatchObject({ status: 0 })
  })

  test('what is wrong with the database is one error with a hint, without the password', async () => {
    const folder = temporaryFolder()
    const url = await server.fresh()
    const data = join(folder, 'data')
    await runKeyreel(['init', '--data', data, '--database', url])
    const gone = await runKeyreel([
      'status',
      '--data',
      data,
      '--database',
      'postgres://me:Sesam42@127.0.0.1:1/x',
    ])
    expect(gone.status).toBe(1)
    expect(gone.stderr).toMatch(
      /^error: postgres:\/\/me@127\.0\.0\.1:1\/x: nothing listens there\nhint: /,
    )
    const empty = await runKeyreel(['status', '--data', data, '--database', await server.fresh()])
    expect(empty.status).toBe(10)
    expect(empty.stderr).toMatch(
      /^error: there is no keystore in postgres:\/\/\S+\nhint: check which database/,
    )
    const elsewhere = await server.fresh()
    await runKeyreel(['init', '--data', join(folder, 'elsewhere'), '--database', elsewhere])
    const key = ['--master-key-file', join(folder, 'elsewhere/master.key')]
    const other = await runKeyreel(['status', '--data', data, '--database', elsewhere, ...key])
    expect(other.stderr).toMatch(/error: .* holds keystore .*, but .* belongs to /)
    const nonsense = await runKeyreel([
      'status',
      '--data',
      data,
      '--database',
      'mysql://me:Sesam42@a/b',
    ])
    expect(nonsense.status).toBe(2)
    for (const { stderr } of [gone, empty, other, nonsense]) expect(stderr).not.toContain('Sesam42')
  })

  test('a database of another program is refused by init and left as it was', async () => {
    const data = join(temporaryFolder(), 'data')
    const url = await server.database()
    await queryAt(url, 'CREATE TABLE settings (id INTEGER, colour TEXT)')
    const refused = await runKeyreel(['init', '--data', data, '--database', url])
    expect(refused).toMatchObject({ status: 1, stdout: '' })
    expect(refused.stderr).toMatch(
      /^error: .* the schema holds tables that are not keyreel's .*\nhint: give keyreel a database/,
    )
    expect(existsSync(data)).toBe(false)
    const tables = `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`
    expect(await queryAt(url, tables)).toEqual([['settings']])
  })

  test('tables that are not whole are one error with a hint, and nothing is made up for them', async () => {
    const data = join(temporaryFolder(), 'data')
    const url = await server.database()
    expect(await runKeyreel(['init', '--data', data, '--database', url])).toMatchObject({
      status: 0,
    })
    const tables = `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`
    for (const damage of [
      'ALTER TABLE objects RENAME TO objects_away',
      'ALTER TABLE documents RENAME COLUMN body TO text',
    ]) {
      await queryAt(url, damage)
      const before = await queryAt(url, tables)
      const refused = await runKeyreel(['status', '--data', data])
      expect(refused).toMatchObject({ status: 1, stdout: '' })
      expect(refused.stderr).toMatch(/^error: .* the keystore's tables are not .*\nhint: .*restore/)
      expect(refused.stderr.match(/^error: /gm)).toHaveLength(1)
      expect(await queryAt(url, tables)).toEqual(before)
      await queryAt(url, 'ALTER TABLE IF EXISTS objects_away RENAME TO objects')
    }
  })

  test('a group is told to want two copies only where a standby is waited for', async () => {
    const data = join(temporaryFolder(), 'data')
    const url = await server.fresh()
    await runKeyreel(['init', '--data', data, '--database', url])
    const refused = await runKeyreel(['group', 'set', 'default', 'ready=2', '--data', data])
    expect(refused).toMatchObject({ status: 13, stdout: '' })
    expect(refused.stderr).toMatch(
      /^error: ready=2 wants every new key on 2 copies, and there is 1: the database has no standby\nhint: .*synchronous_standby_names/,
    )
    const shown = await runKeyreel(['group', 'show', 'default', '--data', data])
    expect(shown.stdout).toMatch(/^ready +1$/m)
  })

  test('a directory that holds a keystore is not opened beside a database', async () => {
    const folder = temporaryFolder()
    const data = join(folder, 'data')
    await runKeyreel(['init', '--data', data])
    const both = await runKeyreel(['status', '--data', data, '--database', await server.fresh()])
    expect(both.status).toBe(1)
    expect(both.stderr).toContain('keyreel database move --to URL')
  })

  test('a second server on one data directory is refused, as with a file', async () => {
    const data = join(temporaryFolder(), 'data')
    await runKeyreel(['init', '--data', data, '--database', await server.fresh()])
    await started({ data })
    const second = await runKeyreel(['serve', '--data', data, '--listen', '127.0.0.1:0'])
    expect(second.status).toBe(1)
    expect(second.stderr).toContain('is served by another process')
  })

  test('a node does not serve under the name of one that runs', async () => {
    const folder = temporaryFolder()
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    const url = await server.fresh()
    const init = ['init', '--database', url, '--node', 'kms-a', '--data']
    expect(await runKeyreel([...init, one])).toMatchObject({ status: 0 })
    const first = await started({ data: one })
    const key = ['--master-key-file', join(one, 'master.key')]
    expect(await runKeyreel([...init, two, ...key])).toMatchObject({ status: 0 })
    const serve = ['serve', '--data', two, '--listen', '127.0.0.1:0']
    const refused = await runKeyreel(serve)
    expect(refused).toMatchObject({ status: 1, stdout: '' })
    expect(refused.stderr).toMatch(
      /^error: another node with the name kms-a runs on this database/m,
    )
    expect(refused.stderr).toMatch(/^hint: .*--node NAME/m)
    await first.stop()
    const second = await started({ data: two })
    expect(await second.stop()).toBe(0)
  })

  test('the database may come from the environment and from the file of settings', async () => {
    const folder = temporaryFolder()
    const data = join(folder, 'data')
    const url = await server.fresh()
    const env = { ...process.env, KEYREEL_DATABASE: `${url} postgres://nobody@127.0.0.1:1/x` }
    expect((await runKeyreel(['init', '--data', data], { env })).status).toBe(0)
    const settings = readFileSync(join(data, 'keyreel.toml'), 'utf8')
    expect(settings).toContain('postgres://nobody@127.0.0.1:1/x')
    expect((await runKeyreel(['status', '--data', data])).status).toBe(0)
  })
})

async function queryAt(url: string, sql: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows
  } finally {
    await client.end()
  }
}

async function started(options: Parameters<typeof startKeyreel>[0]): Promise<Keyreel> {
  const keyreel = await startKeyreel(options)
  onTestFinished(async () => void (await keyreel.stop()))
  return keyreel
}

function libraryAt(keyreel: Keyreel, kit: Awaited<ReturnType<typeof readKit>>, scratch: string) {
  const servers = [{ host: keyreel.host, port: keyreel.port }]
  const stage = new Stage({ servers, kits: [kit], dialect: dialectNamed('P-strict14'), scratch })
  onTestFinished(() => stage.close())
  return Object.assign(stage.library(), { stage })
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyreel-postgres-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
