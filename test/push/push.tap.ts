// A server from scratch that sends its clients Notify and Put: set up by the command line alone, across a stop
// of the server, past a listener that is not there, and on a connection that a client has turned round.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { decode, Frames, version } from 'ttlv-codec'
import { encodeRequest } from '../../src/kmip/client/batch.ts'
import { connect } from '../../src/kmip/client/client.ts'
import { ResponseMessage } from '../../src/kmip/model/messages.ts'
import { tagNumber } from '../../src/kmip/model/tags.ts'
import { startKeyreel, type Keyreel, type Kit } from '../fixtures/keyreel.ts'
import { listening, readPushed, successTo, type Listening, type Received } from './listening.ts'

t.setTimeout(180_000)

const scratch = await mkdtemp(join(tmpdir(), 'keyreel-push-'))
const ends: (() => Promise<unknown>)[] = [() => rm(scratch, { recursive: true, force: true })]
t.teardown(async () => {
  for (const end of ends.toReversed()) await end()
})

const first = await startKeyreel()
ends.push(() => first.stop())
const kits = {
  alpha: await first.enrol('alpha', 'general'),
  beta: await first.enrol('beta', 'general'),
  gamma: await first.enrol('gamma', 'general'),
}

const pems = ({ ca, certificate, key }: Kit) => ({
  ca: readFileSync(ca, 'utf8'),
  cert: readFileSync(certificate, 'utf8'),
  key: readFileSync(key, 'utf8'),
})

/** A key that library gamma makes. */
async function makeKey(server: Keyreel): Promise<string> {
  const { host, port } = server
  const client = await connect({ host, port, ...pems(kits.gamma) })
  const { UniqueIdentifier } = await client.call('Create', {
    ObjectType: 'SymmetricKey',
    Attributes: [
      { tag: 'CryptographicAlgorithm', value: 'AES' },
      { tag: 'CryptographicLength', value: 256 },
      { tag: 'CryptographicUsageMask', value: 12 },
    ],
  })
  await client.close()
  return UniqueIdentifier
}

async function command(server: Keyreel, status: number, ...args: string[]) {
  const done = await server.cli(...args)
  if (done.status !== status) throw new Error(`${args.join(' ')}: ${done.stderr}${done.stdout}`)
  return done
}

/** Waits until it is so, for as long as a test may take. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited += 50) {
    if (waited > 20_000) throw new Error(`waited in vain for ${what}`)
    await delay(50)
  }
}

const taken = ({ received }: Pick<Listening, 'received'>, id: string) =>
  received.some(({ payload }) => payload.UniqueIdentifier === id)

/** Makes keys until one arrives: a running server learns within a second what a command has changed. */
async function keyThatArrives(server: Keyreel, at: Pick<Listening, 'received'>): Promise<string> {
  for (let tries = 0; tries < 20; tries++) {
    const key = await makeKey(server)
    for (let waited = 0; waited < 2_000; waited += 50) {
      if (taken(at, key)) return key
      await delay(50)
    }
  }
  throw new Error('no key has arrived')
}

await t.test(
  'a listener gets the keys that were made, those made while it was away too',
  async (t) => {
    const listener = await listening(pems(kits.alpha), (stop) => ends.push(stop))
    const address = `127.0.0.1:${listener.port}`
    const set = ['library', 'listener', 'set', 'alpha', '--to', address, '--send', 'both']
    await command(first, 0, ...set)
    await keyThatArrives(first, listener)
    const { operation, version: spoken } = listener.received[0]!
    t.equal(operation, 'Put')
    t.equal(spoken, version('2.1'))
    listener.answering = 'close'
    const later = await makeKey(first)
    await until('a try', () => taken(listener, later))
    const { stdout } = await command(first, 0, 'library', 'listener', 'list', '--json')
    t.match(JSON.parse(stdout), [{ library: 'alpha', to: address, waiting: 1, oldest: /^20/ }])
    t.match(first.log(), /could not be delivered/)
    await first.kill()
    listener.received.length = 0
    listener.answering = 'success'
    const again = await startKeyreel({ data: first.data })
    ends.push(() => again.stop())
    await until('the key of before', () => taken(listener, later))
    const cli = await command(again, 0, 'key', 'destroy', later, '--yes')
    t.equal(cli.status, 0)
    await until('a Notify', () => listener.received.some(({ operation }) => operation === 'Notify'))
    await command(again, 0, 'library', 'listener', 'remove', 'alpha')
    t.equal(await again.stop(), 0)
  },
)

await t.test('a hanging listener does not hold up the end of the server', async (t) => {
  const server = await startKeyreel({ data: first.data })
  ends.push(() => server.stop())
  const listener = await listening(pems(kits.alpha), (stop) => ends.push(stop))
  listener.answering = 'hang'
  const to = `127.0.0.1:${listener.port}`
  await command(server, 0, 'library', 'listener', 'set', 'alpha', '--to', to, '--send', 'put')
  await keyThatArrives(server, listener)
  const began = performance.now()
  t.equal(await server.stop(), 0)
  t.ok(performance.now() - began < 5_000)
})

await t.test(
  'a connection that a client has turned round carries what is sent to it',
  async (t) => {
    const server = await startKeyreel({ data: first.data })
    ends.push(() => server.stop())
    await command(server, 0, 'library', 'listener', 'remove', 'alpha')
    const refused = await turned(server, kits.beta)
    t.match(refused.answer, { ResultStatus: 'OperationFailed', ResultReason: 'PermissionDenied' })
    refused.end()
    await command(server, 0, 'library', 'listener', 'set', 'beta', '--send', 'both')
    const { answer, received, end } = await turned(server, kits.beta)
    t.match(answer, { ResultStatus: 'Success', ResponsePayload: { EndpointRole: 'Client' } })
    const key = await keyThatArrives(server, { received })
    t.match(received.at(-1), { operation: 'Put', payload: { UniqueIdentifier: key } })
    await command(server, 0, 'library', 'revoke', 'beta', '--yes')
    await until('the end of the connection', () => end.closed())
    t.equal(await server.stop(), 0)
  },
)

/** Asks for the role of the server on a new connection; answers what comes on it from then on. */
async function turned(server: Keyreel, kit: Kit) {
  const { host, port } = server
  const socket = connectTls({ host, port, ...pems(kit) })
  const frames = new Frames({ maxBytes: 1024 * 1024 })
  const received: Received[] = []
  let closed = false
  socket.on('close', () => (closed = true))
  socket.on('error', () => socket.destroy())
  const { promise, resolve } = Promise.withResolvers<unknown>()
  let isTurned = false
  socket.on('data', (chunk: Buffer) => {
    frames.push(chunk)
    for (let bytes = frames.next(); bytes !== undefined; bytes = frames.next()) {
      if (isTurned) {
        const message = readPushed(Uint8Array.from(bytes))
        received.push(message)
        socket.write(successTo(message))
        continue
      }
      isTurned = true
      const tag = tagNumber('ResponseMessage')
      resolve(decode(ResponseMessage, tag, bytes, { version: version('2.1') }).BatchItem[0])
    }
  })
  const ask = { operation: 'SetEndpointRole', payload: { EndpointRole: 'Client' } } as const
  socket.write(encodeRequest([ask], version('2.1')))
  const end = Object.assign(() => socket.destroy(), { closed: () => closed })
  return { answer: await promise, received, end }
}
