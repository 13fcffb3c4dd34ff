// Reconnecting: what is sent again, what never is, and when it gives up.
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Link, type Reconnect } from '../../../src/kmip/client/link.ts'
import {
  answer,
  answerTo,
  request,
  startListener,
  stopListener,
  type TestListener,
} from '../../fixtures/listener.ts'
import { makePki, type TestPki } from '../../fixtures/openssl-certificates.ts'

let pki: TestPki
let server: TestListener | undefined
let link: Link | undefined
beforeAll(() => {
  pki = makePki()
})
afterEach(async () => {
  if (server !== undefined) await stopListener(server)
  await link?.close()
  server = link = undefined
})

const start = async () => (server = await startListener(pki))
const linkTo = ({ port }: TestListener, reconnect: Reconnect = { firstDelay: 1 }) =>
  (link = new Link({ host: '127.0.0.1', port, ca: pki.ca, ...pki.alpha, reconnect }))

/** The listener closes the connection instead of the first answer. */
function loseFirstAnswer(at: TestListener) {
  const respond = vi.fn(async (message: Uint8Array) =>
    respond.mock.calls.length === 1
      ? { bytes: new Uint8Array(), close: true }
      : { bytes: answerTo(message) },
  )
  at.ports.respond = respond
  return respond
}

test('a connection that the server has ended is made again, with a resumed TLS session', async () => {
  const at = await start()
  at.ports.respond = async (message) => ({ bytes: answerTo(message), close: true })
  const to = linkTo(at)
  expect(await to.send(request('one'))).toEqual(answer('one'))
  const first = await to.open()
  await vi.waitFor(() => expect(first.isOpen).toBe(false))
  expect(await to.send(request('two'))).toEqual(answer('two'))
  expect(at.listener.statistics()).toMatchObject({ identified: 2, resumed: 1 })
})

test('a request whose answer was lost is not sent again', async () => {
  const at = await start()
  const respond = loseFirstAnswer(at)
  const to = linkTo(at)
  await expect(to.send(request('create'))).rejects.toMatchObject({ code: 'lost', mayHaveRun: true })
  expect(respond).toHaveBeenCalledOnce()
  expect(await to.send(request('next'))).toEqual(answer('next'))
})

test('a request that is said to be safe is sent again, once', async () => {
  const at = await start()
  const respond = loseFirstAnswer(at)
  expect(await linkTo(at).send(request('read'), { safe: true })).toEqual(answer('read'))
  expect(respond).toHaveBeenCalledTimes(2)
  at.ports.respond = async () => ({ bytes: new Uint8Array(), close: true })
  await expect(linkTo(at).send(request('read'), { safe: true })).rejects.toMatchObject({
    code: 'lost',
  })
})

test('requests that need a connection at the same time share one', async () => {
  const at = await start()
  const to = linkTo(at)
  await Promise.all([to.send(request('one')), to.send(request('two')), to.send(request('three'))])
  expect(at.listener.statistics().accepted).toBe(1)
})

test('a server that is not there is tried a bounded number of times', async () => {
  const at = await start()
  await stopListener(at)
  const to = linkTo(at, { attempts: 3, firstDelay: 1, longestDelay: 2 })
  await expect(to.send(request('hello'))).rejects.toMatchObject({
    code: 'unreachable',
    mayHaveRun: false,
  })
})

test('a server that comes back meanwhile is found', async () => {
  const at = await start()
  await stopListener(at)
  const to = linkTo(at, { attempts: 1_000, firstDelay: 1, longestDelay: 5 })
  const sent = to.send(request('hello'))
  const { Listener } = await import('../../../src/kmip/server/listener.ts')
  const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }
  const again = new Listener({ ...at.ports, log })
  await again.listen({ host: '127.0.0.1', port: at.port })
  expect(await sent).toEqual(answer('hello'))
  await to.close()
  await again.close()
})

test('a server that is refused is not tried again', async () => {
  const at = await start()
  const { key, cert } = pki.serverForeign
  at.ports.secureContext = () => ({ key: [key], cert: [cert], ca: [] })
  at.listener.reload()
  await expect(linkTo(at).open()).rejects.toMatchObject({ code: 'server-certificate' })
  expect(at.listener.statistics().accepted).toBe(1)
})

test('closing ends the attempts', async () => {
  const at = await start()
  await stopListener(at)
  const to = linkTo(at, { attempts: 100, firstDelay: 60_000, longestDelay: 60_000 })
  const sent = to.send(request('hello'))
  const failed = expect(sent).rejects.toMatchObject({ code: 'closed' })
  await to.close()
  await failed
  await expect(to.send(request('hello'))).rejects.toMatchObject({ code: 'closed' })
})
