// Clients on their way in: silence, bursts, and the bound on unfinished handshakes.
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { ListenerOptions } from '../../../src/kmip/server/listener.ts'
import {
  answer,
  connectTcp,
  connectTls,
  request,
  startListener,
  stopListener,
  type TestListener,
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

test('a silent client is closed when the handshake time is over', async () => {
  const at = await start()
  const client = await connectTcp(at)
  await vi.waitFor(() => expect(at.listener.statistics().open.handshakes).toBe(1))
  at.clock.advance(9_000)
  expect(at.listener.statistics().open.handshakes).toBe(1)
  at.clock.advance(1_000)
  await client.ended
  await vi.waitFor(() => expect(at.log).toMatchObject([{ fields: { reason: 'handshake-time' } }]))
})

test("the runtime's own handshake timeout really closes the socket", async () => {
  const at = await start({ limits: { handshakeTime: 50 } })
  const client = await connectTcp(at)
  await client.ended
  await vi.waitFor(() =>
    expect(at.log).toMatchObject([{ fields: { reason: 'ERR_TLS_HANDSHAKE_TIMEOUT' } }]),
  )
})

test('a client whose identification hangs is closed when the handshake time is over', async () => {
  const at = await start()
  at.ports.identify = () => new Promise(() => undefined)
  const client = await connectTls(at, pki)
  at.clock.advance(10_000)
  await client.ended
  expect(at.listener.statistics().open).toEqual({ sessions: 0, handshakes: 0, waiting: 0 })
})

test('a client that leaves during the handshake is logged', async () => {
  const at = await start()
  const client = await connectTcp(at)
  await vi.waitFor(() => expect(at.listener.statistics().open.handshakes).toBe(1))
  client.socket.destroy()
  await vi.waitFor(() => expect(at.log).toMatchObject([{ fields: { reason: 'closed-early' } }]))
})

test('connections beyond the bound wait in line and are all served', async () => {
  const at = await start({ limits: { handshakes: 4 } })
  const clients = await Promise.all(
    Array.from({ length: 150 }, async (_, index) => {
      const client = await connectTls(at, pki)
      const expected = answer(`client ${index}`)
      client.socket.write(request(`client ${index}`))
      expect(await client.received(expected.length)).toEqual(expected)
      expect(at.listener.statistics().open.handshakes).toBeLessThanOrEqual(4)
      return client
    }),
  )
  expect(at.listener.statistics()).toMatchObject({ identified: 150, refused: {} })
  for (const client of clients) client.socket.destroy()
})

test('those who have said nothing for a while make room, those in a handshake do not', async () => {
  const at = await start({ limits: { handshakes: 2 } })
  const slow = await connectTcp(at)
  slow.socket.write(Buffer.from('1603010200', 'hex'))
  const silent = await connectTcp(at)
  await vi.waitFor(() => expect(at.listener.statistics().open.handshakes).toBe(2))
  const client = connectTls(at, pki)
  await vi.waitFor(() => expect(at.listener.statistics().open.waiting).toBe(1))
  at.clock.advance(2_000)
  expect(at.listener.statistics().open.waiting).toBe(1)
  at.clock.advance(1_000)
  await silent.ended
  ;(await client).socket.destroy()
  await vi.waitFor(() => expect(at.listener.statistics().refused).toEqual({ silent: 1 }))
  slow.socket.destroy()
})

test('closing ends those on their way in', async () => {
  const at = await start({ limits: { handshakes: 1 } })
  const clients = [await connectTcp(at), await connectTcp(at)]
  await vi.waitFor(() => expect(at.listener.statistics().open).toMatchObject({ waiting: 1 }))
  await at.listener.close()
  for (const client of clients) await client.ended
  expect(at.log).toEqual([])
})
