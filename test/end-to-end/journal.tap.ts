// A second disk: a group wants every key on two copies, the machine is lost after tapes were written that no backup
// has, and they are read again out of an older backup with the journal, and out of the journal alone.
import { appendFile, cp, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
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

await t.test(
  'keys of another site are on both disks before an import or a pull says so',
  async (t) => {
    const path = place('imports')
    const site = await startKeyreel({ init: ['--host', 'a.example.org'] })
    t.teardown(() => site.stop())
    const kit = await readKit((await site.enrol('alpha')).directory)
    const { host, port } = site
    const client = await connect({ host, port, ca: kit.ca, cert: kit.certificate, key: kit.key })
    const key = { ObjectType: 'SymmetricKey', Attributes: tapeKey('KR0021L8') } as const
    const { UniqueIdentifier: id } = await client.call('Create', key)

    let here = await startKeyreel({ data: place('here'), args: ['--journal', path] })
    t.teardown(() => here.stop())
    await here.enrol('beta')
    await untilCurrent(here)
    t.equal((await here.cli('group', 'set', 'default', 'ready=2')).status, 0)
    for (const [from, to] of [
      [site, here],
      [here, site],
    ] as const) {
      const file = `${to.data}.peer.pem`
      await from.cli('exchange', 'certificate', 'export', '--out', file)
      await to.cli('exchange', 'certificate', 'import', file, '--peer', 'other', '--yes')
    }
    const bundle = place('keys.keyreel')
    const out = await site.cli('exchange', 'export', '--peer', 'other', '--all', '--out', bundle)
    t.equal(out.status, 0, 'exported', out)

    await rename(path, `${path}.away`)
    const refused = await here.cli('exchange', 'import', bundle)
    t.equal(refused.status, 13)
    t.match(
      refused.stderr,
      /^error: group default wants every new key on 2 copies, and there is 1: /m,
    )
    t.match(refused.stderr, /the journal is away \(its folder is not there\)\nhint: /)
    await rename(`${path}.away`, path)
    await untilCurrent(here)

    const imported = await here.cli('exchange', 'import', bundle, '--json')
    t.equal(imported.status, 0, 'beside the server', imported)
    t.match(JSON.parse(imported.stdout), { counts: { new: 1, refused: 0 } })

    const later = { ...key, Attributes: tapeKey('KR0022L8') }
    const { UniqueIdentifier: pulledId } = await client.call('Create', later)
    await client.close()
    const peerKit = place('peer-kit')
    t.equal((await site.cli('peer', 'accept', 'other', '--out', peerKit)).status, 0)
    const url = ['--url', `kmips://${host}:${port}`, '--kit', peerKit]
    t.equal((await here.cli('peer', 'add', 'other', ...url)).status, 0)
    const pulled = await here.cli('peer', 'pull', 'other', '--all', '--json')
    t.equal(pulled.status, 0, 'fetched live', pulled)
    t.match(JSON.parse(pulled.stdout), { counts: { new: 1, here: 1 } })
    await here.kill()
    // Without a server, and told where the journal is by now.
    await rename(path, `${path}.moved`)
    const again = ['exchange', 'import', bundle, '--json', '--data', place('here')]
    t.equal((await runKeyreel(again)).status, 13)
    const named = await runKeyreel([...again, '--journal', `${path}.moved`])
    t.match(JSON.parse(named.stdout), { counts: { here: 1 } }, 'with its name', named)
    await cp(`${path}.moved`, place('imports-kept'), { recursive: true })
    await cp(join(place('here'), 'master.key'), place('here.key'))

    const data = place('here-restored')
    const old = ['--old-master-key', place('here.key')]
    await run('journal', 'restore', place('imports-kept'), ...old, '--data', data)
    here = await startKeyreel({ data })
    for (const key of [id, pulledId]) {
      const shown = await here.cli('key', 'show', key, '--json')
      t.match(shown.stdout, key, 'the key of the other site is there')
    }
    t.match((await here.cli('audit', 'verify')).stdout, /^all is well: 2 objects,/)
  },
)

await t.test('two journals make three copies, and a group may want them', async (t) => {
  const [one, two] = [place('three-one'), place('three-two')]
  const server = await startKeyreel({ args: ['--journal', one, '--journal', two] })
  t.teardown(() => server.stop())
  const states = async (): Promise<string> => {
    const { stdout } = await server.cli('status', '--json')
    const { journals } = JSON.parse(stdout) as { journals: { state: string }[] }
    return journals.map(({ state }) => state).join(' ')
  }
  const kit = await readKit((await server.enrol('gamma')).directory)
  while ((await states()) !== 'current current');
  t.equal((await server.cli('group', 'set', 'default', 'ready=4')).status, 13)
  t.equal((await server.cli('group', 'set', 'default', 'ready=3')).status, 0)
  const { host, port } = server
  const identity = { ca: kit.ca, cert: kit.certificate, key: kit.key }
  const client = await connect({ host, port, ...identity, reconnect: { attempts: 1 } })
  t.teardown(() => client.close())
  const create = (data: string) =>
    client.call('Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey(data) })
  await create('three copies')
  await rename(two, `${two}.away`)
  await t.rejects(create('two copies'), /it has to be on 3 copies .* there are 2: of 2 journals 1 /)
  t.equal((await server.cli('group', 'set', 'default', 'ready=2')).status, 0)
  await create('two copies')
  while ((await states()) !== 'current away');
  const doctor = await server.cli('doctor', 'ready')
  t.match(doctor.stdout, /three-two is away/, 'told, and no failure', doctor)
  await rename(`${two}.away`, two)
  while ((await states()) !== 'current current');
  for (const path of [one, two])
    t.match((await server.cli('journal', 'verify', path)).stdout, /lacks nothing of it/)
})

await t.test('a journal is made smaller by a verified backup, while the server runs', async (t) => {
  const path = place('pruned')
  const data = place('prune')
  await run('init', '--host', '127.0.0.1', '--data', data)
  const setUp = ['recovery', 'setup', '--threshold', '2', '--shares', '2']
  await run(...setUp, '--out', place('prune-shares'), '--data', data)
  const key = (at: number) =>
    ({ ObjectType: 'SymmetricKey', Attributes: tapeKey(`P${at}`) }) as const
  const made: string[] = []
  let server: Keyreel | undefined
  t.teardown(() => server?.stop())
  for (const at of [1, 2, 3]) {
    server = await startKeyreel({ data, args: ['--journal', path] })
    if (at === 1)
      await server
        .enrol('delta')
        .then(({ directory }) => cp(directory, place('kit-d'), { recursive: true }))
    await untilCurrent(server)
    if (at === 2) await run('backup', 'create', '--out', place('prune.backup'), '--data', data)
    const { ca, certificate: cert, key: secret } = await readKit(place('kit-d'))
    const client = await connect({ host: server.host, port: server.port, ca, cert, key: secret })
    made.push((await client.call('Create', key(at))).UniqueIdentifier)
    await client.close()
    if (at === 3) break
    await server.kill()
    // A death in the middle of a frame: the next start begins a file.
    await appendFile(join(path, `0000000${at}.journal`), 'KRJF')
  }
  const words = ['journal', 'prune', path, '--backup', place('prune.backup'), '--json']
  const looked = await server!.cli(...words, '--dry-run')
  t.match(
    JSON.parse(looked.stdout),
    { files: ['00000001.journal'], dryRun: true },
    'looked',
    looked,
  )
  t.equal((await server!.cli(...words)).status, 2, 'nobody there to confirm')
  const pruned = await server!.cli(...words, '--yes')
  t.match(JSON.parse(pruned.stdout), { files: ['00000001.journal'], kept: 2 }, 'pruned', pruned)
  t.strictSame((await readdir(path)).sort(), ['00000002.journal', '00000003.journal'])
  await server!.kill()
  await cp(path, place('pruned-kept'), { recursive: true })
  const alone = ['journal', 'restore', path, '--old-master-key', join(data, 'master.key')]
  const refused = await runKeyreel([...alone, '--data', place('alone')])
  t.match(refused.stderr, /^error: .*the first files of this journal were removed.*\nhint: /)

  const restored = place('prune-restored')
  const shares = [1, 2].flatMap((n) => ['--share', join(place('prune-shares'), `share-${n}.txt`)])
  const words2 = ['backup', 'restore', place('prune.backup'), '--journal', place('pruned-kept')]
  await run(...words2, ...shares, '--yes', '--data', restored)
  for (const id of made)
    t.match(await run('key', 'show', id, '--data', restored), /PreActive/, 'every key is back')
})
