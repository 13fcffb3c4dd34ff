// A second disk: a group wants every key on two copies, the machine is lost after tapes were written that no backup
// has, and they are read again out of an older backup with the journal, and out of the journal alone.
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { dialectNamed } from '../../simulator/dialects.ts'
import { readKit } from '../../simulator/kit.ts'
import { readBack, write } from '../../simulator/recording.ts'
import { recording } from '../../simulator/scenarios/scenario.ts'
import { Stage } from '../../simulator/stage.ts'
import type { Cartridge } from '../../simulator/cartridge.ts'
import type { Library } from '../../simulator/library.ts'
import { connect } from '../../src/kmip/client/client.ts'
import { tapeKey } from '../fixtures/responder.ts'
import { runKeyreel, startKeyreel, type Keyreel } from '../fixtures/keyreel.ts'

const scratch = await mkdtemp(join(tmpdir(), 'keyreel-journal-'))
t.teardown(() => rm(scratch, { recursive: true, force: true }))
const place = (name: string): string => join(scratch, name)
const shares = (...numbers: number[]): string[] =>
  numbers.flatMap((number) => ['--share', join(place('shares'), `share-${number}.txt`)])

/** A command that must succeed. */
async function run(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runKeyreel(args)
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}${stdout}`)
  return stdout
}

async function journalOf(server: Keyreel): Promise<{ state: string; bytes: number } | null> {
  const { stdout } = await server.cli('status', '--json')
  return (JSON.parse(stdout) as { journal: { state: string; bytes: number } | null }).journal
}

/** Waits until the server says that its journal holds everything. */
async function untilCurrent(server: Keyreel): Promise<void> {
  while ((await journalOf(server))?.state !== 'current');
}

/** Destroys a key; answers its identifier. */
async function untilDestroyed(server: Keyreel): Promise<string> {
  const { stdout } = await server.cli('key', 'list', '--json')
  const [key] = (JSON.parse(stdout) as { keys?: { id: string }[] }).keys ?? []
  await server.cli('key', 'destroy', key!.id, '--yes')
  return key!.id
}

async function record(library: Library, cartridge: Cartridge, at: number): Promise<void> {
  await library.insert(cartridge)
  await write(await library.mount(cartridge, 0), recording(at))
  await library.dismount(0)
}

await t.test('tapes written since the last backup are read again', async (t) => {
  const names = ['--host', 'localhost', '--host', '127.0.0.1']
  await run('init', '--data', place('lost'), ...names)
  const setUp = ['recovery', 'setup', '--threshold', '2', '--shares', '3']
  await run(...setUp, '--out', place('shares'), '--data', place('lost'))

  const first = await startKeyreel({
    data: place('lost'),
    args: ['--journal', place('second')],
  })
  const kit = await readKit((await first.enrol('alpha')).directory)
  const stage = new Stage({
    servers: [{ host: first.host, port: first.port }],
    kits: [kit],
    dialect: dialectNamed('P-strict14'),
    scratch: place('stage'),
  })
  t.teardown(() => stage.close())
  await untilCurrent(first)
  const set = await first.cli('group', 'set', 'default', 'ready=2')
  t.equal(set.status, 0, 'two copies are there', set)
  const before = stage.library()
  const names8 = ['KR0001L8', 'KR0002L8', 'KR0003L8']
  const cartridges = await Promise.all(names8.map((name) => stage.cartridge(name)))
  await record(before, cartridges[0]!, 1)
  const made = await first.cli('backup', 'create', '--out', place('backup'), '--json')
  t.equal(made.status, 0, 'a backup of the first tape only', made)
  const { identity } = JSON.parse(made.stdout) as { identity: string }
  await record(before, cartridges[1]!, 2)
  await record(before, cartridges[2]!, 3)
  t.match((await first.cli('doctor', 'ready')).stdout, /on the disk of the keystore/)
  await first.kill()
  await rm(place('lost'), { recursive: true })
  await cp(place('second'), place('other'), { recursive: true })

  const ways = {
    'out of the older backup with the journal': [
      ...['backup', 'restore', place('backup'), '--journal', place('second')],
      ...[...shares(1, 3), '--identity', identity],
    ],
    'out of the journal alone': ['journal', 'restore', place('other'), ...shares(2, 3)],
  }
  for (const [name, words] of Object.entries(ways)) {
    const data = place(name.replaceAll(' ', '-'))
    await run(...words, '--data', data)
    const fresh = ['--journal', `${data}.journal`]
    const server = await startKeyreel({ data, args: fresh })
    const library = stage.library({ servers: [{ host: server.host, port: server.port }] })
    for (const [at, cartridge] of cartridges.entries()) {
      await library.insert(cartridge)
      await readBack(await library.mount(cartridge, 1), [recording(at + 1)])
      await library.dismount(1)
    }
    const verified = await server.cli('audit', 'verify')
    t.match(verified.stdout, /^all is well: 3 objects/, name, verified)
    t.match((await server.cli('group', 'show', 'default')).stdout, /ready +2/, 'the rule came back')
    const id = await untilDestroyed(server)
    const shown = await server.cli('key', 'show', id)
    t.match(shown.stdout, /the journal in \S+\.journal, copies of it/, 'where it may still be')
    await server.stop()
  }
})

await t.test('without the second disk new keys are refused and kept ones handed out', async (t) => {
  const server = await startKeyreel({ args: ['--journal', place('third')] })
  t.teardown(() => server.stop())
  const kit = await readKit((await server.enrol('beta')).directory)
  const stage = new Stage({
    servers: [{ host: server.host, port: server.port }],
    kits: [kit],
    dialect: dialectNamed('P-strict14'),
    scratch: place('stage-beta'),
  })
  t.teardown(() => stage.close())
  await untilCurrent(server)
  t.equal((await server.cli('group', 'set', 'default', 'ready=2')).status, 0)
  const library = stage.library()
  const cartridge = await stage.cartridge('KR0011L8')
  await record(library, cartridge, 1)

  const { host, port } = server
  const identity = { ca: kit.ca, cert: kit.certificate, key: kit.key }
  const client = await connect({ host, port, ...identity, reconnect: { attempts: 1 } })
  t.teardown(() => client.close())
  const create = (data: string) =>
    client.call('Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey(data) })

  await rename(place('third'), place('elsewhere'))
  await t.rejects(create('away'), /it has to be on 2 copies .* the journal is away/)
  t.match(server.log(), /the journal is away/)
  while ((await journalOf(server))?.state !== 'away');
  t.equal((await server.cli('doctor', 'ready')).status, 1)
  const reading = stage.library()
  await reading.insert(cartridge)
  await readBack(await reading.mount(cartridge, 1), [recording(1)])
  await reading.dismount(1)
  const more = await server.cli('group', 'set', 'default', 'ready=3')
  t.equal(more.status, 13, 'no group is told to want what is not there')

  await rename(place('elsewhere'), place('third'))
  await untilCurrent(server)
  const { UniqueIdentifier } = await create('away')
  t.match((await server.cli('key', 'show', UniqueIdentifier)).stdout, /PreActive/)
  t.match((await server.cli('journal', 'verify', place('third'))).stdout, /lacks nothing of it/)
})
