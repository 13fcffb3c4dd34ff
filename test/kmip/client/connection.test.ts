// One connection of the client: which servers it takes, answers in order, and how it fails.
import { createPrivateKey } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Connection } from '../../../src/kmip/client/connection.ts'
import { openConnection, type ConnectionOptions } from '../../../src/kmip/client/open-connection.ts'
import {
  answer,
  answerTo,
  fingerprint,
  request,
  startListener,
  stopListener,
  type TestListener,
} from '../../fixtures/listener.ts'
import { makePki, type TestIdentity, type TestPki } from '../../fixtures/openssl-certificates.ts'

let pki: TestPki
let server: TestListener | undefined
let connection: Connection | undefined
beforeAll(() => {
  pki = makePki()
})
afterEach(async () => {
  if (server !== undefined) await stopListener(server)
  await connection?.close()
  server = connection = undefined
})

const start = async () => (server = await startListener(pki))
const open = async (at: { port: number }, options: Partial<ConnectionOptions> = {}) =>
  (connection = await openConnection({
    host: '127.0.0.1',
    port: at.port,
    ca: pki.ca,
    ...pki.alpha,
    ...options,
  } as ConnectionOptions))

/** Makes the listener show another certificate. */
function show(at: TestListener, { key, cert }: TestIdentity) {
  at.ports.secureContext = () => ({ key: [key], cert: [cert], ca: [pki.ca] })
  at.listener.reload()
}

describe('answers', () => {
  test('come in the order of their requests, also when those are sent ahead', async () => {
    const { send } = await open(await start()).then((to) => ({ send: to.send.bind(to) }))
    const bodies = Array.from({ length: 50 }, (_, index) => `request ${index}`)
    expect(await Promise.all(bodies.map((body) => send(request(body))))).toEqual(bodies.map(answer))
  })

  test('may be larger than a TLS record and come in pieces', async () => {
    const at = await start()
    const large = request(Buffer.alloc(200_000, 7))
    const to = await open(at)
    expect(answer(Buffer.alloc(200_000, 7)).equals(await to.send(large))).toBe(true)
  })

  test('longer than allowed break the connection', async () => {
    const to = await open(await start(), { maxAnswerBytes: 64 })
    await expect(to.send(request(Buffer.alloc(100)))).rejects.toMatchObject({ code: 'no-kmip' })
  })

  test.each([
    ['that are no KMIP', () => Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
    ['to requests nobody sent', (own: Buffer) => Buffer.concat([own, own])],
  ])('%s break the connection', async (_, wrong) => {
    const at = await start()
    at.ports.respond = async (message) => ({ bytes: wrong(answerTo(message)) })
    const to = await open(at)
    await to.send(request('hello')).catch(() => undefined)
    await vi.waitFor(() => expect(to.isOpen).toBe(false))
    await expect(to.send(request('hello'))).rejects.toMatchObject({ code: 'no-kmip' })
  })

  test('that do not come in time break the connection', async () => {
    const at = await start()
    at.ports.respond = () => new Promise(() => undefined)
    const to = await open(at, { timeouts: { answer: 20 } })
    await expect(to.send(request('hello'))).rejects.toMatchObject({
      code: 'timeout',
      mayHaveRun: true,
    })
    expect(to.isOpen).toBe(false)
  })

  test('under way still come when the connection is closed', async () => {
    const at = await start()
    const { promise, resolve } = Promise.withResolvers<void>()
    at.ports.respond = async (message) => {
      await promise
      return { bytes: answerTo(message) }
    }
    const to = await open(at)
    const coming = to.send(request('hello'))
    const closed = to.close()
    await expect(to.send(request('later'))).rejects.toMatchObject({ code: 'closed' })
    resolve()
    expect(await coming).toEqual(answer('hello'))
    await closed
  })
})

describe('a server', () => {
  test('is known by address or by name', async () => {
    const at = await start()
    for (const host of ['127.0.0.1', 'localhost']) {
      const to = await open(at, { host })
      expect(await to.send(request('hello'))).toEqual(answer('hello'))
      expect(to.tls).toMatchObject({ protocol: 'TLSv1.3', group: 'X25519MLKEM768', resumed: false })
      await to.close()
    }
  })

  test.each([
    ['of another CA', 'serverForeign', 'its CA is not the one that was given', 'CN=Foreign CA'],
    ['that has expired', 'serverExpired', 'it has expired', 'CN=Test CA'],
  ] as const)('with a certificate %s is refused in words', async (_, identity, why, issuer) => {
    const at = await start()
    show(at, pki[identity])
    const refused = open(at)
    await expect(refused).rejects.toMatchObject({ code: 'server-certificate', mayHaveRun: false })
    await expect(refused).rejects.toThrow(`certificate of 127.0.0.1:${at.port} refused: ${why}`)
    await expect(refused).rejects.toThrow(`issuer ${issuer}`)
    await expect(refused).rejects.toThrow(fingerprint(pki[identity]))
  })

  test('with a certificate for another name is refused with the names it has', async () => {
    const refused = open(await start(), { servername: 'other.example' })
    await expect(refused).rejects.toThrow('it does not carry this host name or address')
    await expect(refused).rejects.toThrow('names DNS:localhost, IP Address:127.0.0.1')
  })

  test('may be anyone only when that is asked for', async () => {
    const at = await start()
    show(at, pki.serverForeign)
    const to = await open(at, { acceptAnyServer: true })
    expect(to.tls.serverFingerprint).toBe(fingerprint(pki.serverForeign))
  })

  test('that refuses the certificate is said to have refused it', async () => {
    const at = await start()
    at.enrolled.set(fingerprint(pki.alpha), 'revoked')
    const sent = open(at).then((to) => to.send(request('hello')))
    await expect(sent).rejects.toMatchObject({ code: 'lost' })
    await expect(sent).rejects.toThrow(/closed the connection without an answer.*certificate/)
  })

  test('that is not there is unreachable', async () => {
    const at = await start()
    await stopListener(at)
    await expect(open(at)).rejects.toMatchObject({ code: 'unreachable', mayHaveRun: false })
  })

  test('without TLS fails the handshake, a silent one the time', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const at = other.address() as AddressInfo
    await expect(open(at, { timeouts: { connect: 20 } })).rejects.toMatchObject({ code: 'timeout' })
    other.on('connection', (socket) => socket.end('220 this is no TLS\r\n'))
    await expect(open(at)).rejects.toMatchObject({
      code: 'handshake',
      message: expect.stringContaining('the server does not speak TLS'),
    })
    other.close()
  })

  test('that goes away in the middle of an answer is said to have done so', async () => {
    const at = await start()
    at.ports.respond = async (message) => {
      at.enrolled.delete(fingerprint(pki.alpha))
      // The rest never comes: the client is no longer one, and its connections end.
      setImmediate(() => void at.listener.recheck())
      return { bytes: answerTo(message).subarray(0, 12) }
    }
    const sent = (await open(at)).send(request('hello'))
    await expect(sent).rejects.toMatchObject({ code: 'lost', mayHaveRun: true })
    await expect(sent).rejects.toThrow(
      `127.0.0.1:${at.port} closed the connection in the middle of an answer`,
    )
  })

  test('that goes away fails the requests under way, which may have been executed', async () => {
    const at = await start()
    at.ports.respond = () => new Promise(() => undefined)
    const to = await open(at)
    const sent = [to.send(request('one')), to.send(request('two'))]
    await vi.waitFor(() => expect(at.listener.statistics().clients[0]?.requests).toBe(1))
    at.enrolled.delete(fingerprint(pki.alpha))
    await at.listener.recheck()
    for (const answered of sent)
      await expect(answered).rejects.toMatchObject({ code: 'lost', mayHaveRun: true })
    await expect(to.send(request('three'))).rejects.toMatchObject({ mayHaveRun: false })
  })
})

describe('what cannot be used is named:', () => {
  const junk = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  test.each([
    ['ca', () => ({ ca: 'junk' }), 'there is no certificate in PEM in it'],
    ['ca', () => ({ ca: [pki.ca, junk] }), 'wrong tag'],
    ['cert', () => ({ cert: 'junk' }), 'there is no certificate in PEM in it'],
    ['key', () => ({ key: 'junk' }), 'there is no private key in PEM in it'],
    ['key', () => ({ key: pki.beta.key }), 'it is not the key of the certificate in cert'],
    ['pfx', () => ({ pfx: Buffer.from('junk') }), 'it is no PKCS#12'],
    ['ciphers', () => ({ ciphers: 'none' }), 'no cipher match'],
    ['minVersion', () => ({ minVersion: 'TLSv9' }), '"TLSv9" is not a valid'],
    ['port', () => ({ port: 99_999 }), '99999 is none from 1 to 65535'],
    ['host', () => ({ host: '' }), 'it is no name or address'],
  ] as const)('%s', async (name, options, why) => {
    const refused = open({ port: 1 }, options() as Partial<ConnectionOptions>)
    await expect(refused).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'options',
      mayHaveRun: false,
    })
    await expect(refused).rejects.toThrow(`option ${name} cannot be used: ${why}`)
  })

  test('a key that wants another passphrase', async () => {
    const key = createPrivateKey(pki.alpha.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'secret',
    })
    await expect(open({ port: 1 }, { key, passphrase: 'other' })).rejects.toThrow(
      'option key cannot be used: there is no private key in PEM in it, or not one that this passphrase opens',
    )
  })
})

test('a PKCS#12 file serves as well as PEM', async () => {
  const { execFileSync } = await import('node:child_process')
  const pfx = execFileSync('openssl', ['pkcs12', '-export', '-passout', 'pass:secret'], {
    input: pki.alpha.key + pki.alpha.cert,
  })
  const to = await openConnection({
    host: '127.0.0.1',
    port: (await start()).port,
    ca: pki.ca,
    pfx,
    passphrase: 'secret',
  })
  expect(await to.send(request('hello'))).toEqual(answer('hello'))
  await to.close()
})
