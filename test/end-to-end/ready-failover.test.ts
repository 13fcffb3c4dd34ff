// A group wants every new key on two copies and its server can reach one: the refusal sends the library to
// the next server of its list, which has them. The same for a keystore in a file and for one in PostgreSQL.
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { dialectNamed } from '../../simulator/dialects.ts'
import { readKit, type Kit } from '../../simulator/kit.ts'
import type { Library } from '../../simulator/library.ts'
import { readBack, write } from '../../simulator/recording.ts'
import { recording } from '../../simulator/scenarios/scenario.ts'
import { Stage } from '../../simulator/stage.ts'
import { runKeyreel, startKeyreel, type Keyreel } from '../fixtures/keyreel.ts'
import { makeCluster, waitForStandbys, withoutCluster, type Cluster } from '../fixtures/postgres.ts'

let scratch: string
let other: Keyreel

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'keyreel-failover-'))
  other = await startKeyreel({ args: ['--journal', join(scratch, 'other')] })
  await untilCopies(other)
})

afterAll(async () => {
  await other.stop()
  await rm(scratch, { recursive: true, force: true })
})

test('a server whose journal is away sends its libraries to the next', async () => {
  const place = join(scratch, 'journal')
  const server = await startKeyreel({ args: ['--journal', place] })
  onTestFinished(async () => void (await server.stop()))
  await untilCopies(server)
  const site = await libraryOf('alpha', server)

  expect(await writtenAt(site, 'KR0001L8')).toBe(server.port)
  await rename(place, `${place}.away`)
  expect(await writtenAt(site, 'KR0002L8')).toBe(other.port)
  expect(refusals(site)).toEqual([
    expect.stringMatching(/on 2 copies .*: the journal is away/) as string,
  ])
  // It stays where it is answered: one try a key.
  expect(await writtenAt(site, 'KR0003L8')).toBe(other.port)
  expect(site.library.journal.events('key-made').map(({ tries }) => tries)).toEqual([1, 2, 1])
  expect(site.library.journal.events('key-refused')).toEqual([])
  // Nothing is left of the key that was refused.
  const { stdout } = await server.cli('key', 'list', '--json')
  expect((JSON.parse(stdout) as { keys: unknown[] }).keys).toHaveLength(1)
})

describe.skipIf(withoutCluster())('on PostgreSQL', () => {
  let primary: Cluster
  let standby: Cluster
  let server: Keyreel

  beforeAll(async () => {
    primary = await makeCluster()
    await primary.start()
    standby = await primary.standby('second')
    await standby.start()
    await waitForStandbys(primary, 'second')
    const data = join(scratch, 'node')
    const names = ['--host', 'localhost', '--host', '127.0.0.1']
    const made = await runKeyreel(['init', '--data', data, '--database', primary.url, ...names])
    expect(made).toMatchObject({ status: 0 })
    server = await startKeyreel({ data })
    await untilCopies(server)
  }, 120_000)

  afterAll(async () => {
    await server.stop()
    await Promise.all([primary, standby].map((cluster) => cluster.remove()))
  })

  test('so does one whose standby is not waited for', async () => {
    const site = await libraryOf('beta', server)
    expect(await writtenAt(site, 'KR0011L8')).toBe(server.port)
    await waitForStandbys(primary, '')
    expect(await writtenAt(site, 'KR0012L8')).toBe(other.port)
    expect(refusals(site)).toEqual([
      expect.stringMatching(
        /on 2 copies .*: the standby of the database is asynchronous/,
      ) as string,
    ])
    await waitForStandbys(primary, 'second')
  })

  test('and one whose standby is away', async () => {
    const site = await libraryOf('gamma', server)
    await untilCopies(server)
    await standby.crash()
    expect(await writtenAt(site, 'KR0021L8')).toBe(other.port)
    expect(site.library.journal.events('key-made').map(({ tries }) => tries)).toEqual([2])
    expect(refusals(site)).toEqual([
      expect.stringMatching(/the (synchronous )?standby of the database is away/) as string,
    ])
    await standby.start()
    await untilCopies(server)
    const back = await libraryOf('delta', server)
    expect(await writtenAt(back, 'KR0022L8')).toBe(server.port)
  }, 60_000)
})

/** Waits until the server can promise two copies to its default group. */
async function untilCopies(server: Keyreel): Promise<void> {
  while ((await server.cli('group', 'set', 'default', 'ready=2')).status !== 0);
}

/** A library that asks this server first and then the other; it has the same certificate at both. */
async function libraryOf(name: string, server: Keyreel): Promise<Site> {
  const here = await server.enrol(name)
  const there = join(scratch, name)
  const add = ['library', 'add', name, '--certificate', here.certificate, '--out', there]
  expect(await other.cli(...add)).toMatchObject({ status: 0 })
  const ca = (await readFile(here.ca, 'utf8')) + (await readFile(join(there, 'ca.pem'), 'utf8'))
  await writeFile(here.ca, ca)
  const kit: Kit = await readKit(here.directory)
  const stage = new Stage({
    servers: [server, other].map(({ host, port }) => ({ host, port })),
    kits: [kit],
    dialect: dialectNamed('P-strict14'),
    scratch: join(scratch, `stage-${name}`),
  })
  onTestFinished(() => stage.close())
  return { library: stage.library(), stage }
}

interface Site {
  readonly library: Library
  readonly stage: Stage
}

/** Writes a new tape and reads it back in another drive; answers the port of the server that made its key. */
async function writtenAt({ library, stage }: Site, barcode: string): Promise<number> {
  const cartridge = await stage.cartridge(barcode)
  await library.insert(cartridge)
  await write(await library.mount(cartridge, 0), recording(1))
  await library.dismount(0)
  await readBack(await library.mount(cartridge, 1), [recording(1)])
  await library.dismount(1)
  return library.journal.events('key-made').at(-1)!.server.port
}

/** Why the library went on to another server, each time. */
const refusals = ({ library }: Site): string[] =>
  library.journal.events('failover').map(({ why }) => why.message)
