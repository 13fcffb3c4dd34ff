// Peers that hang, close, answer rubbish, or whose line is cut: one clear error, nothing half done, and the same
// command goes on where it stopped.
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { makeCertificates, writeCertificates } from '../../certs/make-certs.ts'
import { askPeer } from '../../src/exchange/ask-peer.ts'
import { exchangeLog } from '../../src/exchange/exchange-log.ts'
import { addPeerLink } from '../../src/exchange/peer-links.ts'
import { explaining } from '../../src/exchange/peer-session.ts'
import { pushKeys } from '../../src/exchange/push-keys.ts'
import { ConnectionError } from '../../src/kmip/client/client.ts'
import { makeTapeKey } from '../cli/tape-keys.ts'
import { runKeyreel, scriptTime } from '../cli/script.ts'
import { startKeyreel } from '../fixtures/keyreel.ts'
import { scratch, twoSites, type Site } from './site.ts'

/** The port of a server that listens for the length of the test. */
async function listening(server: Server): Promise<number> {
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** Certificates of a server and of a client, and the client's kit. */
async function certificates() {
  const folder = scratch()
  await writeCertificates(await makeCertificates(BigInt(Math.floor(Date.now() / 1000))), folder)
  const pem = (name: string) => readFileSync(join(folder, name))
  const kit = join(folder, 'kit')
  mkdirSync(kit)
  const files = { 'ca.pem': 'ca.pem', 'certificate.pem': 'alpha.pem', 'key.pem': 'alpha.key.pem' }
  for (const [to, from] of Object.entries(files)) writeFileSync(join(kit, to), pem(from))
  return { kit, server: { ca: pem('ca.pem'), cert: pem('server.pem'), key: pem('server.key.pem') } }
}

/** Site A, which reaches its peer B at a port. */
async function siteWithPeerAt(port: number, kit: string): Promise<Site> {
  const { a } = await twoSites()
  await addPeerLink(a.store, { peer: 'B', url: `kmips://127.0.0.1:${port}`, kit })
  return a
}

const push = ({ store }: Site) =>
  pushKeys(store, { peer: 'B', group: 'default', selection: { scope: 'all' }, classical: true })

test.each([
  ['says nothing', () => undefined],
  ['answers with rubbish', (answer: (bytes: Uint8Array) => void) => answer(Buffer.alloc(64, 0xa5))],
])(
  'a peer that %s instead of TLS is an error, and no key was touched',
  async (_, respond) => {
    const { kit } = await certificates()
    const port = await listening(
      createServer((socket) => {
        socket.on('error', () => undefined)
        socket.once('data', () => respond((bytes) => socket.write(bytes)))
        onTestFinished(() => void socket.destroy())
      }),
    )
    const a = await siteWithPeerAt(port, kit)
    await a.key()
    await expect(push(a)).rejects.toMatchObject({ code: expect.stringMatching(/^peer-/) as string })
    expect(await a.store.read(exchangeLog)).toEqual([])
  },
  60_000,
)

test.each([
  ['closes', (end: () => void) => end()],
  [
    'answers with rubbish',
    (_: () => void, answer: (bytes: Uint8Array) => void) => answer(Buffer.alloc(64, 0xa5)),
  ],
  [
    'announces an answer of 2 GiB',
    (_: () => void, answer: (bytes: Uint8Array) => void) =>
      answer(Buffer.from('42007b017fffffff', 'hex')),
  ],
])(
  'a peer that %s after TLS is an error, and no key was touched',
  async (_, respond) => {
    const { kit, server } = await certificates()
    const port = await listening(
      createTlsServer({ ...server, requestCert: true }, (socket) => {
        socket.on('error', () => undefined)
        socket.on('data', () =>
          respond(
            () => socket.destroy(),
            (bytes) => socket.write(bytes),
          ),
        )
      }),
    )
    const a = await siteWithPeerAt(port, kit)
    await a.key()
    await expect(push(a)).rejects.toMatchObject({
      code: expect.stringMatching(/^peer-/) as string,
      hint: expect.stringMatching(/run it again|there:/) as string,
    })
    const asking = { peer: 'B', classical: true, tapes: [{ namespace: 'LIBRARY-LTO', data: 'x' }] }
    await expect(askPeer(a.store, asking)).rejects.toMatchObject({
      code: expect.stringMatching(/^peer-/) as string,
    })
    expect(await a.store.read(exchangeLog)).toEqual([])
  },
  60_000,
)

test('a push whose line is cut is run again: it goes on, and doubles nothing', async () => {
  const folder = scratch()
  const file = (name: string) => join(folder, name)
  await runKeyreel(['init', '--host', '127.0.0.1', '--data', file('b')])
  await using b = await startKeyreel({ data: file('b') })
  const run = async (status: number, ...line: string[]) => {
    const done = await runKeyreel([...line, '--data', file('a')])
    expect(done.status, done.stderr).toBe(status)
    return done
  }
  const there = async (...line: string[]) => {
    const { status, stderr } = await b.cli(...line)
    expect(status, stderr).toBe(0)
  }
  await run(0, 'init', '--host', 'a.example.org')
  await run(0, 'exchange', 'certificate', 'export', '--out', file('a.pem'))
  await there('exchange', 'certificate', 'import', file('a.pem'), '--peer', 'A', '--yes')
  await there('exchange', 'certificate', 'export', '--out', file('b.pem'))
  await there('peer', 'accept', 'A', '--out', file('kit'))
  await run(0, 'exchange', 'certificate', 'import', file('b.pem'), '--peer', 'B', '--yes')
  const digits = '123456789abcdef'
  for (const digit of digits) {
    const tape = { digit, barcode: `KR000${digit.toUpperCase()}L8`, library: 'alpha' }
    await makeTapeKey(file('a'), tape, scriptTime)
  }
  // The keys are in one message of some 15 kB: it arrives there, its answer does not arrive here.
  const port = await listening(
    createServer((near) => {
      const far = connect(b.port, b.host)
      let sent = 0
      for (const socket of [near, far]) socket.on('error', () => undefined)
      far.on('data', (bytes) => near.write(bytes))
      near.on('data', (bytes) => {
        sent += bytes.length
        far.write(bytes)
        if (sent > 12_000) near.destroy()
      })
      near.on('close', () => far.end())
    }),
  )
  const reach = (at: number) =>
    run(0, 'peer', 'add', 'B', '--url', `kmips://127.0.0.1:${at}`, '--kit', file('kit'))
  await reach(port)
  const cut = await run(1, 'peer', 'push', 'B', '--all')
  expect(cut.stderr).toMatch(/^error: peer B: .*\nhint: .*run it again/m)
  await reach(b.port)
  const counts = async () => {
    const { stdout } = await run(0, 'peer', 'push', 'B', '--all', '--json')
    return (JSON.parse(stdout) as { counts: Record<string, number> }).counts
  }
  const second = await counts()
  expect(second['new']! + second['here']!).toBe(digits.length)
  expect(await counts()).toEqual({ new: 0, here: digits.length, conflict: 0, refused: 0 })
}, 240_000)

test.each([
  ['server-certificate', 'keyreel peer add B --url kmips://HOST:PORT --kit DIR'],
  ['no-kmip', 'what was done is kept'],
  ['lost', 'what was done is kept'],
] as const)('a connection that ends with %s says what to do', async (code, hint) => {
  const call = () => Promise.reject(new ConnectionError(code, 'certificate refused'))
  await expect(explaining('B', call)).rejects.toMatchObject({
    code: `peer-${code}`,
    hint: expect.stringContaining(hint) as string,
  })
})
