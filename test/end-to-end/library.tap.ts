// The library's controller against a started keyreel: failover, patience, shared messages, what
// becomes of keys in its memory, diagnostics, and a small fleet.
import { createServer } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/kmip/client/client.ts'
import { dialectNamed } from '../../simulator/dialects.ts'
import type { StartTimer } from '../../simulator/drive-control.ts'
import { runFleet } from '../../simulator/fleet.ts'
import { readKit } from '../../simulator/kit.ts'
import { keyBytes } from '../../simulator/library-keys.ts'
import { ServerList, type ServerAddress } from '../../simulator/library-servers.ts'
import { diagnosePaths } from '../../simulator/path-diagnostics.ts'
import { readBack, write } from '../../simulator/recording.ts'
import { endsWith, recording } from '../../simulator/scenarios/scenario.ts'
import { Stage, type StageOptions } from '../../simulator/stage.ts'
import { startKeyreel } from '../fixtures/keyreel.ts'

const keyreel = await startKeyreel()
const scratch = await mkdtemp(join(tmpdir(), 'keyreel-library-'))
t.teardown(async () => {
  await keyreel.stop()
  await rm(scratch, { recursive: true, force: true })
})
const kit = await readKit((await keyreel.enrol('alpha')).directory)
const server = { host: keyreel.host, port: keyreel.port }

let stages = 0

/** A stage that is closed with the test. */
function stageFor(
  t: { teardown(close: () => Promise<void>): unknown },
  wish: Partial<StageOptions> = {},
) {
  stages += 1
  const stage = new Stage({
    servers: [server],
    kits: [kit],
    dialect: dialectNamed('P-strict14'),
    scratch: join(scratch, String(stages)),
    ...wish,
  })
  t.teardown(() => stage.close())
  return stage
}

/** A port of 127.0.0.1 at which nothing listens. */
async function deadAddress(): Promise<ServerAddress> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const listener = createServer()
  listener.listen(0, '127.0.0.1', () => resolve((listener.address() as { port: number }).port))
  const port = await promise
  await new Promise((closed) => listener.close(closed))
  return { host: '127.0.0.1', port }
}

await t.test('a failover list', async (t) => {
  await t.test('has one to ten servers', async (t) => {
    const dialect = dialectNamed('P-strict14')
    const list = (length: number) => () =>
      new ServerList({ servers: Array<ServerAddress>(length).fill(server), kit, dialect })
    t.throws(list(0), { code: 'server-list' })
    t.throws(list(11), { code: 'server-list' })
    t.doesNotThrow(list(10))
  })

  await t.test('is tried in its order and stays where it was answered', async (t) => {
    const dead = [await deadAddress(), await deadAddress()]
    const stage = stageFor(t)
    const library = stage.library({ servers: [...dead, server, dead[0]!] })
    const cartridge = await stage.cartridge('KR0001L8')
    await library.insert(cartridge)
    await write(await library.mount(cartridge, 0), recording(1))
    await library.dismount(0)
    const moves = library.journal.events('failover')
    t.strictSame(
      moves.map(({ to }) => to),
      [dead[1], server],
      'one move per dead server',
    )
    t.equal(library.servers.current, server)
    await readBack(await library.mount(cartridge, 1), [recording(1)])
    t.equal(library.journal.events('failover').length, 2, 'and no move afterwards')
  })

  await t.test('goes on to the next server when the one in use dies', async (t) => {
    const stage = stageFor(t)
    const [first, second] = [await stage.relay(), await stage.relay()]
    const library = stage.library({ servers: [first.address, second.address] })
    const cartridge = await stage.cartridge('KR0001L8')
    await library.insert(cartridge)
    await write(await library.mount(cartridge, 0), recording(1))
    await library.dismount(0)
    first.set('refuse')
    await readBack(await library.mount(cartridge, 1), [recording(1)])
    await library.dismount(1)
    t.equal(library.servers.current.port, second.address.port)
    first.set('up')
    await readBack(await library.mount(cartridge, 0), [recording(1)])
    t.equal(library.servers.current.port, second.address.port, 'it does not go back by itself')
  })

  await t.test(
    'that is dead altogether ends the write with 74/6F, a silent one with 74/6E',
    async (t) => {
      const stage = stageFor(t)
      const cartridge = await stage.cartridge('KR0001L8')
      const relay = await stage.relay()
      relay.set('silent')
      const impatient = { ...dialectNamed('P-strict14'), patience: 50 }
      for (const [servers, code] of [
        [[await deadAddress(), await deadAddress()], '7/74/6F'],
        [[relay.address], '7/74/6E'],
        [[relay.address, await deadAddress()], '7/74/6F'],
      ] as const) {
        const library = stage.library({ servers, dialect: impatient })
        await library.insert(cartridge)
        const drive = await library.mount(cartridge, 0)
        await t.resolves(endsWith(code, drive.write(new Uint8Array(10))), code)
        t.same((await drive.read()).kind, 'end-of-data', 'nothing was written')
        await library.dismount(0)
        await library.eject(cartridge)
        t.equal(library.journal.events('no-server').length, 1)
      }
    },
  )

  await t.test('with a stranger in it is not trusted', async (t) => {
    const stage = stageFor(t)
    const library = stage.library({ servers: [{ ...server, servername: 'somebody.else' }] })
    const cartridge = await stage.cartridge('KR0001L8')
    await library.insert(cartridge)
    const drive = await library.mount(cartridge, 0)
    await t.resolves(endsWith('7/74/6F', drive.write(new Uint8Array(10))))
    t.match(library.journal.events('no-server')[0]?.why.message, /does not carry this host name/)
  })
})

await t.test('sixteen waiting drives share one message of 32 items', async (t) => {
  const stage = stageFor(t, {
    dialect: { ...dialectNamed('P-many'), name: 'thirty-two', drives: 17, correlates: true },
  })
  const library = stage.library()
  const tapes = await Promise.all(
    library.drives.map(async (_, n) => {
      const cartridge = await stage.cartridge(`KR${String(n).padStart(4, '0')}L8`)
      library.robot.stock(cartridge)
      return { cartridge, written: recording(n) }
    }),
  )
  for (const [n, { cartridge }] of tapes.entries()) await library.mount(cartridge, n)
  await Promise.all(tapes.map(({ written }, n) => write(library.drive(n), written)))
  for (const [n, { written }] of tapes.entries()) await readBack(library.drive(n), [written])

  const made = library.journal.events('key-made')
  t.equal(new Set(made.map(({ id }) => id)).size, 17, 'seventeen keys')
  const messages = keyreel.log().match(/"clientCorrelation":"thirty-two \d+"/gu)
  t.strictSame(
    messages,
    ['"clientCorrelation":"thirty-two 1"', '"clientCorrelation":"thirty-two 2"'],
    'the first drive went alone, the other sixteen together',
  )
})

await t.test('a missing key among shared requests leaves the others alone', async (t) => {
  const stage = stageFor(t, { dialect: dialectNamed('P-many') })
  const library = stage.library()
  const tapes = await Promise.all(
    [0, 1, 2].map(async (n) => {
      const cartridge = await stage.cartridge(`KR000${n}L8`)
      await library.insert(cartridge)
      await write(await library.mount(cartridge, n), recording(n))
      await library.dismount(n)
      return cartridge
    }),
  )
  const client = await stage.client()
  const made = library.journal.events('key-made')
  const lost = made.find(({ barcode }) => barcode === 'KR0001L8')
  await client.call('Destroy', { UniqueIdentifier: lost!.id })
  for (const [n, cartridge] of tapes.entries()) await library.mount(cartridge, n)
  await Promise.all([
    readBack(library.drive(0), [recording(0)]),
    endsWith('7/74/01', library.drive(1).read()),
    readBack(library.drive(2), [recording(2)]),
  ])
  t.equal(library.journal.events('key-not-found').length, 1)
})

await t.test('a heartbeat asks when its time has come, and notes a silence', async (t) => {
  const armed: { milliseconds: number; fire: () => void }[] = []
  const startTimer: StartTimer = (milliseconds, fire) => {
    armed.push({ milliseconds, fire })
    return () => undefined
  }
  const stage = stageFor(t, { dialect: dialectNamed('P-heartbeat') })
  const relay = await stage.relay()
  const beats = Promise.withResolvers<void>()
  const misses = Promise.withResolvers<void>()
  const library = stage.library({
    servers: [relay.address],
    onEvent({ kind }) {
      if (kind === 'heartbeat-answered') beats.resolve()
      if (kind === 'heartbeat-missed') misses.resolve()
    },
  })
  library.startHeart(startTimer)
  t.equal(armed[0]?.milliseconds, 60_000)
  armed[0]?.fire()
  await beats.promise
  relay.set('refuse')
  armed[1]?.fire()
  await misses.promise
  t.equal(armed.length, 3, 'the next beat is armed')
})

await t.test('a partition without encryption writes in clear, and asks nobody', async (t) => {
  const stage = stageFor(t)
  const library = stage.library({
    partitions: [
      { name: 'vault', method: 'library', drives: [8] },
      { name: 'open', method: 'none', drives: [8] },
    ],
  })
  const [secret, plain] = [await stage.cartridge('KR0001L8'), await stage.cartridge('KR0002L8')]
  await library.insert(secret, plain)
  await write(await library.mount(secret, 0), recording(1))
  await write(await library.mount(plain, 1), recording(2))
  t.equal(library.journal.events().length, 1)
  const found = await library
    .drive(1)
    .rewind()
    .then(() => library.drive(1).read())
  t.match(found, { kind: 'block', encrypted: false })
  await library.dismount(0)
  await library.dismount(1)
  await t.resolves(endsWith('7/74/01', (await library.mount(secret, 1)).read()))
  await library.dismount(1)
  library.setMethod('open', 'library')
  await readBack(await library.mount(secret, 1), [recording(1)])
})

await t.test('the controller wipes a key once the drive has it', async (t) => {
  const stage = stageFor(t)
  const library = stage.library()
  const cartridge = await stage.cartridge('KR0001L8')
  await library.insert(cartridge)
  const drive = await library.mount(cartridge, 0)

  const wiped: string[] = []
  const restore = [Uint8Array.prototype, Buffer.prototype].map((prototype) => {
    const fill = Reflect.get(prototype, 'fill') as Uint8Array['fill']
    prototype.fill = function (this: Uint8Array, ...values: Parameters<typeof fill>) {
      if (values[0] === 0 && values.length === 1) wiped.push(this.toHex())
      return fill.apply(this, values)
    } as typeof prototype.fill
    return () => void Reflect.set(prototype, 'fill', fill)
  })
  try {
    await write(drive, recording(1))
  } finally {
    for (const each of restore) each()
  }

  const client = await stage.client()
  const { id } = library.journal.events('key-made')[0]!
  const key = keyBytes(await client.call('Get', { UniqueIdentifier: id }))!.toHex()
  t.ok(wiped.includes(key), 'its own copy')
  t.ok(
    wiped.some((bytes) => bytes.length > key.length && bytes.includes(key)),
    "the drive's page",
  )
})

await t.test('path diagnostics', async (t) => {
  const results = (findings: Awaited<ReturnType<typeof diagnosePaths>>) =>
    findings.map(({ test, result }) => `${test} ${result}`)

  await t.test('find nothing wrong with a server that serves, in any personality', async (t) => {
    for (const name of ['P-strict10', 'P-single', 'P-name', 'P-strict21', 'P-sloppy']) {
      const findings = await diagnosePaths(stageFor(t, { dialect: dialectNamed(name) }))
      t.strictSame(results(findings), ['drive ok', 'ping ok', 'config ok', 'path ok'], name)
    }
  })

  await t.test('use one and the same key each time', async (t) => {
    const client = await connect({ ...server, ca: kit.ca, cert: kit.certificate, key: kit.key })
    t.teardown(() => client.close())
    const { UniqueIdentifier } = await client.call('Locate', {
      Attributes: [
        {
          tag: 'ApplicationSpecificInformation',
          value: {
            ApplicationNamespace: 'LIBRARY-LTO',
            ApplicationData: Buffer.from('KEYREEL DIAG').toString('hex').toUpperCase(),
          },
        },
      ],
    })
    t.equal(UniqueIdentifier.length, 1)
  })

  await t.test(
    'test every server of the list, and say what to do about the dead one',
    async (t) => {
      const stage = stageFor(t, { servers: [await deadAddress(), server] })
      const findings = await diagnosePaths(stage)
      t.strictSame(results(findings), [
        ...['drive ok', 'ping failed', 'config skipped', 'path skipped'],
        ...['ping ok', 'config ok', 'path ok'],
      ])
      t.match(findings[1], { found: /nothing listens there/, remedy: /keyreel serve/ })
    },
  )

  await t.test('warn of a certificate that ends soon', async (t) => {
    const inTwoYears = Date.now() + 715 * 86_400_000
    const findings = await diagnosePaths(stageFor(t), { now: inTwoYears })
    t.match(findings[1], { test: 'ping', result: 'warning', remedy: /server certificate renew/ })
  })

  await t.test('tell a revoked library by what the server does', async (t) => {
    const revoked = await readKit((await keyreel.enrol('revoked')).directory)
    const { status } = await keyreel.cli('library', 'revoke', 'revoked', '--yes')
    t.equal(status, 0)
    const findings = await diagnosePaths(stageFor(t, { kits: [revoked] }))
    const failed = findings.filter(({ result }) => result === 'failed')
    t.ok(failed.length > 0)
    for (const { remedy } of failed) t.match(remedy, /certificate/)
  })
})

await t.test('a small fleet has a key for every cartridge', async (t) => {
  const report = await runFleet(stageFor(t), { libraries: 3, cartridges: 6 })
  t.match(report, { keysMade: 18, keyRequests: 36, problems: [] })
  await t.rejects(runFleet(stageFor(t), { libraries: 65, cartridges: 1 }), {
    code: 'library-layout',
  })
})
