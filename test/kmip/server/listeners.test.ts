// Two ports of one server: opened together or not at all, counted apart, reloaded and drained together.
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Listeners, type PortOptions } from '../../../src/kmip/server/listeners.ts'
import type { Answer } from '../../../src/kmip/server/ports.ts'
import {
  answer,
  connectTls,
  fingerprint,
  request,
  testParts,
  type TestClient,
  type TestParts,
  type TestPrincipal,
} from '../../fixtures/listener.ts'
import { makePki, type TestPki } from '../../fixtures/openssl-certificates.ts'

type Server = Listeners<TestPrincipal, 'kmip' | 'https'>

let pki: TestPki
let parts: TestParts
let server: Server | undefined
beforeAll(() => {
  pki = makePki()
})
afterEach(async () => {
  const closed = server?.close()
  parts.clock.advance(60_000)
  await closed
  server = undefined
})

const any = { host: '127.0.0.1', port: 0 }

async function start(
  kmip: Partial<PortOptions> = {},
  https: Partial<PortOptions> = {},
): Promise<Server> {
  parts = testParts(pki)
  server = await Listeners.listen<TestPrincipal, 'kmip' | 'https'>(parts.given, {
    kmip: { ...any, ...kmip },
    https: { ...any, https: { path: '/kmip' }, ...https },
  })
  return server
}

const portOf = (at: Server, name: 'kmip' | 'https') => ({
  port: Number(at.address(name)?.split(':').at(-1)),
})

const post = (body: string): Buffer =>
  Buffer.concat([
    Buffer.from('POST /kmip HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n'),
    Buffer.from(`Content-Length: ${request(body).length}\r\n\r\n`),
    request(body),
  ])

async function answeredOverHttps(client: TestClient, body: string): Promise<void> {
  await vi.waitFor(async () => {
    const bytes = await client.received(1)
    expect(bytes.indexOf(answer(body))).toBeGreaterThan(0)
  })
}

test('both ports speak for the same server and the same clients', async () => {
  const at = await start()
  const binary = await connectTls(portOf(at, 'kmip'), pki)
  const web = await connectTls(portOf(at, 'https'), pki)
  binary.socket.write(request('one'))
  web.socket.write(post('two'))
  expect(await binary.received(16)).toEqual(answer('one'))
  await answeredOverHttps(web, 'two')
  expect(at.clients()).toMatchObject([{ client: 'alpha', connections: 2, requests: 2 }])
  parts.enrolled.set(fingerprint(pki.alpha), 'revoked')
  await at.recheck()
  await Promise.all([binary.ended, web.ended])
  expect(at.clients()).toMatchObject([{ client: 'alpha', connections: 0 }])
})

test.each([
  ['kmip', 'https'],
  ['https', 'kmip'],
] as const)('a flood of connections on %s leaves %s open', async (flooded, other) => {
  const limits = { limits: { connections: 2, connectionsPerClient: 2, handshakes: 1 } }
  const at = await start(limits, limits)
  const held = [
    await connectTls(portOf(at, flooded), pki),
    await connectTls(portOf(at, flooded), pki),
  ]
  await expect(connectTls(portOf(at, flooded), pki)).rejects.toThrow()
  const free = await connectTls(portOf(at, other), pki)
  free.socket.write(other === 'kmip' ? request('x') : post('x'))
  if (other === 'kmip') expect(await free.received(16)).toEqual(answer('x'))
  else await answeredOverHttps(free, 'x')
  for (const client of [...held, free]) client.socket.destroy()
})

test('requests that hang on one port keep nobody waiting on the other', async () => {
  const at = await start()
  const { respond } = parts.ports
  const slow = Promise.withResolvers<Answer>()
  let hanging = 0
  parts.ports.respond = (message, session) => {
    if (!Buffer.from(message).includes('slow')) return respond(message, session)
    hanging++
    return slow.promise
  }
  const binary = await connectTls(portOf(at, 'kmip'), pki)
  const web = await connectTls(portOf(at, 'https'), pki)
  web.socket.write(post('slow'))
  await vi.waitFor(() => expect(hanging).toBe(1))
  binary.socket.write(request('fast'))
  expect(await binary.received(16)).toEqual(answer('fast'))
  slow.resolve({ bytes: answer('late') })
  await answeredOverHttps(web, 'late')
  binary.socket.destroy()
  web.socket.destroy()
})

test('closing drains both: what is under way on either is answered', async () => {
  const at = await start()
  const asked: ((answer: Answer) => void)[] = []
  parts.ports.respond = () => new Promise((resolve) => asked.push(resolve))
  const binary = await connectTls(portOf(at, 'kmip'), pki)
  const web = await connectTls(portOf(at, 'https'), pki)
  binary.socket.write(request('one'))
  web.socket.write(post('two'))
  await vi.waitFor(() => expect(asked).toHaveLength(2))
  const closed = at.close()
  for (const resolve of asked) resolve({ bytes: answer('last') })
  expect(await binary.received(16)).toEqual(answer('last'))
  await answeredOverHttps(web, 'last')
  expect(await Promise.all([binary.ended, web.ended])).toEqual(['end', 'end'])
  await closed
})

test('a port that is taken is named with its flag, and no port stays open', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  await expect(start({}, { port })).rejects.toMatchObject({
    code: 'listen',
    hint: expect.stringContaining('--https'),
  })
  await expect(start({ port })).rejects.toMatchObject({ hint: expect.stringContaining('--listen') })
  expect(parts.clock.running).toBe(0)
  taken.close()
})
