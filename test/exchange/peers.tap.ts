// Two key servers from scratch, driven by their command lines alone: each brings keys to the other over
// KMIP, and what the peer may not do is refused.
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { connect, type Client } from '../../src/kmip/client/client.ts'
import { startKeyreel, type Keyreel, type Kit } from '../fixtures/keyreel.ts'
import { person } from './people.ts'

const scratch = await mkdtemp(join(tmpdir(), 'keyreel-peers-'))
const [a, b] = await Promise.all([startKeyreel(), startKeyreel()])
t.teardown(async () => {
  await Promise.all([a.stop(), b.stop()])
  await rm(scratch, { recursive: true })
})
const file = (name: string) => join(scratch, name)

/** A command that must end with this status; its JSON. */
async function json(site: Keyreel, status: number, ...args: string[]): Promise<Answer> {
  const done = await site.cli(...args, '--json')
  if (done.status !== status)
    throw new Error(`${args.join(' ')} ended with ${done.status}: ${done.stderr}${done.stdout}`)
  return JSON.parse(done.stdout) as Answer
}

interface Answer {
  readonly certificate: { readonly fingerprint: string }
  readonly counts: Readonly<Record<string, number>>
  readonly reports: readonly { readonly id: string; readonly verdict: string }[]
  readonly exports: readonly object[]
  readonly tapes: readonly object[]
  readonly withdrawal: object
}

function client(site: Keyreel, { ca, certificate, key }: Kit): Promise<Client> {
  const { host, port } = site
  const [cert, caPem, keyPem] = [certificate, ca, key].map((path) => readFileSync(path))
  return connect({ host, port, ca: caPem!, cert: cert!, key: keyPem! })
}

/** Trust in one direction, as administrators set it up: certificate over, fingerprint compared. */
async function trust(from: Keyreel, name: string, to: Keyreel): Promise<void> {
  const pem = file(`${name}.pem`)
  const { certificate } = await json(from, 0, 'exchange', 'certificate', 'export', '--out', pem)
  await json(
    ...([to, 0, 'exchange', 'certificate', 'import', pem, '--peer', name] as const),
    ...['--fingerprint', certificate.fingerprint],
  )
}
await trust(a, 'A', b)
await trust(b, 'B', a)

const libraryA = await client(a, await a.enrol('alpha'))
const libraryB = await client(b, await b.enrol('beta'))
t.teardown(() => Promise.all([libraryA.close(), libraryB.close()]))

/** A tape key with its cartridge, as a library makes it. */
async function tapeKey(library: Client, kad: string, barcode: string) {
  const [created, got] = await library.batch([
    {
      operation: 'Create',
      payload: {
        ObjectType: 'SymmetricKey',
        Attributes: [
          { tag: 'CryptographicAlgorithm', value: 'AES' },
          { tag: 'CryptographicLength', value: 256 },
          { tag: 'CryptographicUsageMask', value: 0x0c },
          {
            tag: 'ApplicationSpecificInformation',
            value: { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: kad },
          },
          {
            tag: 'AlternativeName',
            value: {
              AlternativeNameValue: barcode,
              AlternativeNameType: 'UninterpretedTextString',
            },
          },
        ],
      },
    },
    { operation: 'Get', payload: {} },
  ])
  if (created.status !== 'Success' || got.status !== 'Success') throw new Error('no key was made')
  return { id: created.payload.UniqueIdentifier, bytes: materialOf(got.payload) }
}

function materialOf(payload: unknown): string {
  const { SymmetricKey } = payload as {
    SymmetricKey: { KeyBlock: { KeyValue: { value: { KeyMaterial: Uint8Array } } } }
  }
  return Buffer.from(SymmetricKey.KeyBlock.KeyValue.value.KeyMaterial).toString('hex')
}

/** What a library finds by the data on the tape. */
async function found(library: Client, kad: string): Promise<string | undefined> {
  const value = { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: kad }
  const [located, got] = await library.batch([
    {
      operation: 'Locate',
      payload: { Attributes: [{ tag: 'ApplicationSpecificInformation', value }] },
    },
    { operation: 'Get', payload: {} },
  ])
  if (located.status !== 'Success') throw located.status === 'Failed' ? located.error : new Error()
  return got.status === 'Success' ? materialOf(got.payload) : undefined
}

/** Dates of keys have seconds: returns in the next one. */
async function nextSecond(): Promise<void> {
  const second = () => Math.floor(Date.now() / 1000)
  for (const now = second(); second() === now;) await delay(20)
}

const one = await tapeKey(libraryA, 'kad-a-1', 'KR0001L8')
const two = await tapeKey(libraryA, 'kad-a-2', 'KR0002L8')
const three = await tapeKey(libraryB, 'kad-b-1', 'KR0003L8')

await t.test('without a link, and without being let in, a push says what to do', async (t) => {
  const unlinked = await a.cli('peer', 'push', 'B', '--all')
  t.equal(unlinked.status, 1)
  t.match(unlinked.stderr, /hint: .*keyreel peer add B/)
  const foreign = await a.cli('peer', 'push', 'nobody', '--all')
  t.equal(foreign.status, 1)
  const address = await a.cli('peer', 'add', 'B', '--url', 'http://b', '--kit', scratch)
  t.equal(address.status, 2)
  const kit = file('kit-of-our-own')
  t.equal((await a.cli('peer', 'accept', 'B', '--out', kit)).status, 0)
  const own = await a.cli('peer', 'add', 'B', '--url', 'kmips://127.0.0.1:1', '--kit', kit)
  t.equal(own.status, 1)
  t.match(own.stderr, /error: this kit was made by this server itself/)
})

const kit: Kit = {
  directory: file('kit-for-a'),
  ca: file('kit-for-a/ca.pem'),
  certificate: file('kit-for-a/certificate.pem'),
  key: file('kit-for-a/key.pem'),
}

await t.test('a peer is let in with a kit, which the other site takes', async (t) => {
  await json(b, 0, 'peer', 'accept', 'A', '--out', kit.directory)
  const url = `kmips://${b.host}:${b.port}`
  await json(a, 0, 'peer', 'add', 'B', '--url', url, '--kit', kit.directory)
  const listed = await a.cli('peer', 'list')
  t.match(listed.stdout, `B     ${b.host}:${b.port}`)
})

await t.test('a push brings keys that the other library reads its tapes with', async (t) => {
  t.equal(await found(libraryB, 'kad-a-1'), undefined)
  const report = await json(a, 0, 'peer', 'push', 'B', '--barcode', 'KR0001L8')
  t.match(report.counts, { new: 1, here: 0, conflict: 0, refused: 0 })
  t.equal(await found(libraryB, 'kad-a-1'), one.bytes)
  t.equal(await found(libraryB, 'kad-a-2'), undefined)
  const text = JSON.stringify(await json(b, 0, 'key', 'show', one.id))
  t.notMatch(text, /"Encrypt"/, 'a key that was brought is for reading')
  t.match(text, /ExchangePeer/)
})

await t.test('a second push changes nothing and says so', async (t) => {
  const report = await json(a, 0, 'peer', 'push', 'B', '--all')
  t.match(report.counts, { new: 1, here: 1, conflict: 0, refused: 0 })
  t.equal(await found(libraryB, 'kad-a-2'), two.bytes)
  const again = await json(a, 0, 'peer', 'push', 'B', '--all')
  t.match(again.counts, { new: 0, here: 2 })
})

await t.test('a key in the way is a conflict, and the other keys go on', async (t) => {
  await tapeKey(libraryA, 'kad-b-1', 'KR0009L8')
  const report = await json(a, 3, 'peer', 'push', 'B', '--all')
  t.match(report.counts, { new: 0, here: 2, conflict: 1 })
  t.equal(await found(libraryB, 'kad-b-1'), three.bytes)
})

await t.test('a pull reports what is in the way here', async (t) => {
  const report = await json(a, 3, 'peer', 'pull', 'B', '--barcode', 'KR0003L8')
  t.match(report.counts, { new: 0, conflict: 1 }, 'its tape identifier is taken here')
})

await t.test('a pull into a group of its own', async (t) => {
  const kitOf = await a.enrol('gamma', 'tape-library', '--group', 'foreign')
  const gamma = await client(a, kitOf)
  const report = await json(
    a,
    0,
    'peer',
    'pull',
    'B',
    '--barcode',
    'KR0003L8',
    '--group',
    'foreign',
  )
  t.match(report.counts, { new: 1 })
  t.equal(await found(gamma, 'kad-b-1'), three.bytes)
  await gamma.close()
})

await t.test('a pull of current keys takes the newest of each cartridge', async (t) => {
  const older = await tapeKey(libraryB, 'kad-b-2', 'KR0005L8')
  await nextSecond()
  const newer = await tapeKey(libraryB, 'kad-b-3', 'KR0005L8')
  const pull = ['peer', 'pull', 'B', '--current', '--group', 'foreign'] as const
  const { reports } = await json(a, 3, ...pull)
  const ids = reports.map(({ id }) => id)
  t.ok(ids.includes(newer.id))
  t.notOk(ids.includes(older.id))
  t.equal(ids.filter((id) => id === three.id).length, 1)
})

await t.test('both sites list which copy went where, and that it has arrived', async (t) => {
  const pushed = await json(a, 0, 'key', 'show', one.id)
  t.match(pushed.exports, [{ peer: 'B', way: 'push', state: 'received', by: 'administrator' }])
  const pulled = await json(b, 0, 'key', 'show', three.id)
  t.match(pulled.exports, [{ peer: 'A', way: 'pull', state: 'received', by: 'A' }, {}])
  const shown = await b.cli('cartridge', 'show', 'KR0003L8')
  t.match(shown.stdout, /exports +A/)
  const log = await a.cli('exchange', 'log')
  t.match(log.stdout, /export +B +default .* receipt/)
})

await t.test('a peer says whether it holds the key of a tape', async (t) => {
  const ask = ['peer', 'ask', 'B', '--kad', 'kad-b-1', '--kad', 'kad-nowhere'] as const
  const { tapes } = await json(a, 0, ...ask)
  t.match(tapes, [
    { data: 'kad-b-1', answer: 'held', keys: [three.id] },
    { data: 'kad-nowhere', answer: 'not held', keys: [] },
  ])
  t.equal((await a.cli('peer', 'ask', 'B')).status, 2)
})

await t.test('keys are withdrawn live: the other library gets them no more', async (t) => {
  const withdraw = ['peer', 'withdraw', 'B', '--barcode', 'KR0002L8'] as const
  t.match(await json(a, 0, ...withdraw, '--dry-run'), { keys: [{ id: two.id }] })
  t.equal(await found(libraryB, 'kad-a-2'), two.bytes)
  t.equal((await a.cli(...withdraw)).status, 2, 'wants the number typed back')
  await json(b, 0, 'group', 'set', 'default', 'withdraw=refuse')
  const refused = await json(a, 3, ...withdraw, '--yes')
  t.match(refused.reports, [{ verdict: 'refused', reason: /signed notices only/ }])
  await json(b, 0, 'group', 'set', 'default', 'withdraw=apply')
  t.match((await json(a, 0, ...withdraw, '--yes')).withdrawal, { withdrawn: 1, refused: 0 })
  t.equal(await found(libraryB, 'kad-a-2'), undefined)
  t.match((await json(a, 0, 'key', 'show', two.id)).exports, [
    { state: 'withdrawn' },
    { state: 'withdrawn' },
    { state: 'withdrawn' },
  ])
  const again = await json(a, 3, 'peer', 'push', 'B', '--barcode', 'KR0002L8')
  t.match(again.reports, [{ verdict: 'refused', reason: /withdrawn/ }])
  await json(b, 0, 'key', 'recover', two.id, '--yes')
  t.equal(await found(libraryB, 'kad-a-2'), two.bytes)
})

await t.test('the peer gets no key in the clear, makes none and destroys none', async (t) => {
  const peer = await client(b, kit)
  const refusals = [
    peer.call('Get', { UniqueIdentifier: three.id }),
    peer.call('Export', { UniqueIdentifier: three.id }),
    peer.call('Destroy', { UniqueIdentifier: three.id }),
    peer.call('Create', { ObjectType: 'SymmetricKey', Attributes: [] }),
  ]
  for (const { status, reason } of (await Promise.allSettled(refusals)) as PromiseRejectedResult[])
    t.match([status, reason], ['rejected', { reason: 'PermissionDenied' }])
  await peer.close()
})

await t.test(
  'where a second person has to approve, a push waits and a peer takes nothing',
  async (t) => {
    const { certificate, key } = person('Carol', BigInt(Math.floor(Date.now() / 1000)))
    writeFileSync(file('carol.pem'), certificate)
    writeFileSync(file('carol.key'), key)
    await json(a, 0, 'operator', 'add', 'carol', '--certificate', file('carol.pem'))
    await json(a, 0, 'group', 'set', 'default', 'approval=required')
    const push = ['peer', 'push', 'B', '--barcode', 'KR0001L8']
    const waits = await a.cli(...push)
    t.equal(waits.status, 13)
    const [, id = ''] = /exchange approve (\S+) --key/.exec(waits.stderr) ?? []
    await json(a, 0, 'exchange', 'approve', id, '--key', file('carol.key'))
    t.match((await json(a, 0, ...push)).counts, { new: 0, here: 1 })
    t.equal((await a.cli(...push)).status, 13, 'once')
    await json(b, 0, 'group', 'set', 'default', 'approval=required')
    const pulled = await a.cli('peer', 'pull', 'B', '--all', '--group', 'foreign', '--json')
    t.equal(pulled.status, 3)
    t.match(pulled.stdout, /a second person has approved/)
    for (const site of [a, b]) await json(site, 0, 'group', 'set', 'default', 'approval=none')
  },
)

await t.test("a group's policy keeps its keys at home, in both directions", async (t) => {
  await json(b, 0, 'group', 'set', 'default', 'export=refuse')
  const pulled = await a.cli('peer', 'pull', 'B', '--all', '--group', 'foreign', '--json')
  t.equal(pulled.status, 3)
  t.match(JSON.parse(pulled.stdout), { counts: { new: 0 } })
  await json(a, 0, 'group', 'set', 'default', 'export=refuse')
  const pushed = await a.cli('peer', 'push', 'B', '--all')
  t.equal(pushed.status, 13)
})

await t.test('a peer that does not answer is said so, and nothing hangs', async (t) => {
  await json(a, 0, 'group', 'set', 'default', 'export=allow')
  await b.kill()
  const pushed = await a.cli('peer', 'push', 'B', '--all')
  t.equal(pushed.status, 1)
  t.match(pushed.stderr, /error: peer B: .*\nhint: /)
})
