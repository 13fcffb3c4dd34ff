// Open connections: how many a client may have, what is counted, and what a recheck does to them.
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ListenerOptions } from '../../../src/kmip/server/listener.ts'
import type { Identification } from '../../../src/kmip/server/ports.ts'
import {
  answer,
  answerTo,
  connectIdentified,
  connectTls,
  fingerprint,
  request,
  startListener,
  stopListener,
  type TestListener,
  type TestPrincipal,
} from '../../fixtures/listener.ts'
import { makePki, type TestPki } from '../../fixtures/openssl-certificates.ts'

let pki: TestPki
let server: TestListener | undefined
beforeAll(() => {
  pki = makePki()
})
afterEach(async () => {
  if (server !== undefined) await stopListener(server)
  server = undefined
})

const start = async (options: ListenerOptions = {}) => (server = await startListener(pki, options))

describe('a recheck', () => {
  test('ends the connections of a withdrawn client and no others', async () => {
    const at = await start()
    const alpha = [await connectIdentified(at, pki), await connectIdentified(at, pki)]
    const beta = await connectIdentified(at, pki, pki.beta)
    at.enrolled.set(fingerprint(pki.alpha), 'revoked')
    expect(await at.listener.recheck()).toBe(2)
    for (const client of alpha) await client.ended
    expect(at.log).toMatchObject([
      { fields: { client: 'alpha', reason: 'revoked', subject: 'O=Test, CN=alpha' } },
      { fields: { client: 'alpha', reason: 'revoked' } },
    ])
    beta.socket.write(request('hello'))
    expect(await beta.received(16)).toEqual(answer('hello'))
    beta.socket.destroy()
  })

  test('lets no answer leave that was under way for a withdrawn client', async () => {
    const at = await start()
    const { promise, resolve } = Promise.withResolvers<void>()
    const wipe = vi.fn()
    const respond = vi.fn(async (message: Uint8Array) => {
      await promise
      return { bytes: answerTo(message), wipe }
    })
    at.ports.respond = respond
    const client = await connectIdentified(at, pki)
    client.socket.write(request('hello'))
    await vi.waitFor(() => expect(respond).toHaveBeenCalledOnce())
    at.enrolled.delete(fingerprint(pki.alpha))
    await at.listener.recheck()
    resolve()
    await client.ended
    expect(await client.received(16)).toHaveLength(0)
    await vi.waitFor(() => expect(wipe).toHaveBeenCalledOnce())
  })

  test('asks once per certificate, and takes over a changed principal', async () => {
    const at = await start()
    const clients = [await connectIdentified(at, pki), await connectIdentified(at, pki)]
    const identify = vi.fn(async () => ({ ok: true, principal: { name: 'renamed' } }) as const)
    at.ports.identify = identify
    expect(await at.listener.recheck()).toBe(0)
    expect(identify).toHaveBeenCalledOnce()
    let name = ''
    at.ports.respond = async (message, session) => {
      name = session.principal.name
      return { bytes: answerTo(message) }
    }
    clients[0]?.socket.write(request('hello'))
    await clients[0]?.received(16)
    expect(name).toBe('renamed')
    expect(at.listener.statistics().clients).toMatchObject([
      { client: 'alpha', connections: 0 },
      { client: 'renamed', connections: 2, requests: 1 },
    ])
    for (const client of clients) client.socket.destroy()
  })

  test('reaches a client that is being identified meanwhile', async () => {
    const at = await start()
    const answers: ((found: Identification<TestPrincipal>) => void)[] = []
    at.ports.identify = () => new Promise((resolve) => answers.push(resolve))
    const client = await connectTls(at, pki)
    await vi.waitFor(() => expect(answers).toHaveLength(1))
    await at.listener.recheck()
    answers[0]?.({ ok: true, principal: { name: 'alpha' } })
    await vi.waitFor(() => expect(answers).toHaveLength(2))
    answers[1]?.({ ok: false, reason: 'revoked' })
    await client.ended
    expect(at.listener.statistics()).toMatchObject({ identified: 0, refused: { revoked: 1 } })
  })

  test('that cannot find out about one client still ends others, and fails', async () => {
    const at = await start()
    const alpha = await connectIdentified(at, pki)
    const beta = await connectIdentified(at, pki, pki.beta)
    const { identify } = at.ports
    at.ports.identify = async (peer, now) => {
      if (peer.fingerprint256 === fingerprint(pki.alpha)) throw new Error('database is away')
      return identify(peer, now)
    }
    at.enrolled.set(fingerprint(pki.beta), 'revoked')
    await expect(at.listener.recheck()).rejects.toThrow('cannot identify 1 clients again')
    await beta.ended
    alpha.socket.write(request('hello'))
    expect(await alpha.received(16)).toEqual(answer('hello'))
    alpha.socket.destroy()
    at.ports.identify = identify
    expect(await at.listener.recheck()).toBe(0)
  })
})

describe('limits', () => {
  test('of connections per client hold for that client alone', async () => {
    const at = await start({ limits: { connectionsPerClient: 2 } })
    const clients = [await connectIdentified(at, pki), await connectIdentified(at, pki)]
    await vi.waitFor(() => expect(at.listener.statistics().open.sessions).toBe(2))
    const third = await connectIdentified(at, pki)
    await third.ended
    expect(at.log).toMatchObject([{ fields: { reason: 'too-many-of-client', client: 'alpha' } }])
    const beta = await connectIdentified(at, pki, pki.beta)
    beta.socket.write(request('hello'))
    expect(await beta.received(16)).toEqual(answer('hello'))
    clients[0]?.socket.destroy()
    await vi.waitFor(() => expect(at.listener.statistics().open.sessions).toBe(2))
    const fourth = await connectIdentified(at, pki)
    fourth.socket.write(request('hello'))
    expect(await fourth.received(16)).toEqual(answer('hello'))
    for (const client of [...clients, beta, fourth]) client.socket.destroy()
  })

  test('of connections in all hold for everyone', async () => {
    const at = await start({ limits: { connections: 2 } })
    const clients = [await connectIdentified(at, pki), await connectIdentified(at, pki, pki.beta)]
    await expect(connectTls(at, pki)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(at.listener.statistics().refused).toEqual({ 'too-many-connections': 1 })
    for (const client of clients) client.socket.destroy()
  })
})

test('connections, requests and the last contact of each client are counted', async () => {
  const at = await start()
  const from = at.clock.date()
  const alpha = await connectIdentified(at, pki)
  const beta = await connectIdentified(at, pki, pki.beta)
  alpha.socket.write(Buffer.concat([request('one'), request('two')]))
  await alpha.received(32)
  at.clock.advance(5_000)
  beta.socket.write(request('one'))
  await beta.received(16)
  expect(at.listener.statistics()).toEqual({
    open: { sessions: 2, handshakes: 0, waiting: 0 },
    accepted: 2,
    identified: 2,
    resumed: 0,
    refused: {},
    clients: [
      { client: 'alpha', connections: 1, requests: 2, lastContact: from },
      { client: 'beta', connections: 1, requests: 1, lastContact: from + 5_000 },
    ],
  })
  alpha.socket.destroy()
  beta.socket.destroy()
  await vi.waitFor(() => expect(at.listener.statistics().open.sessions).toBe(0))
  expect(at.listener.statistics().clients).toMatchObject([{ connections: 0 }, { connections: 0 }])
})
