// Who gets in: certificates, TLS versions and ciphers, resumption, and who is kept out unanswered.
import { spawn } from 'node:child_process'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { Listener, type ListenerOptions } from '../../../src/kmip/server/listener.ts'
import {
  answer,
  connectTcp,
  connectTls,
  fingerprint,
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

/** Connects and asks: whether there is an answer, whatever the way in which there is none. */
async function ask(
  at: TestListener,
  ...how: Parameters<typeof connectTls> extends [unknown, unknown, ...infer Rest] ? Rest : never
): Promise<'answered' | 'unanswered'> {
  const client = await connectTls(at, pki, ...how).catch(() => undefined)
  client?.socket.write(request('hello'))
  const received = await client?.received(16)
  client?.socket.destroy()
  if (received === undefined || received.length === 0) return 'unanswered'
  expect(received).toEqual(answer('hello'))
  return 'answered'
}

describe('an enrolled client', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('is served over %s', async (version) => {
    const at = await start()
    const client = await connectTls(at, pki, pki.alpha, {
      minVersion: version,
      maxVersion: version,
    })
    client.socket.write(request('hello'))
    expect(await client.received(16)).toEqual(answer('hello'))
    expect(client.socket.getProtocol()).toBe(version)
    client.socket.destroy()
  })

  test('is known to respond by its principal, certificate and TLS session', async () => {
    const at = await start()
    const seen: unknown[] = []
    at.ports.respond = async (message, session) => {
      seen.push(session.principal.name, session.certificate.fingerprint256, session.remoteAddress)
      seen.push(session.tls)
      return { bytes: message }
    }
    const client = await connectTls(at, pki)
    client.socket.write(request('hello'))
    await client.received(16)
    const cipher = 'TLS_AES_256_GCM_SHA384'
    expect(seen).toEqual([
      'alpha',
      fingerprint(pki.alpha),
      '127.0.0.1',
      { protocol: 'TLSv1.3', cipher, resumed: false },
    ])
    client.socket.destroy()
  })

  test('agrees on the hybrid group X25519MLKEM768 when it can', async () => {
    const client = await connectTls(await start(), pki)
    expect(client.socket.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519MLKEM768' })
    client.socket.destroy()
  })

  test.each([
    ['ECDHE-RSA', 'ECDHE-RSA-AES256-GCM-SHA384', 'server-rsa'],
    ['ECDHE-ECDSA', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'server-ec'],
  ])('that offers only %s is served with the certificate for it', async (_, ciphers, name) => {
    const client = await connectTls(await start(), pki, pki.alpha, {
      ciphers,
      maxVersion: 'TLSv1.2',
    })
    expect(client.socket.getPeerX509Certificate()?.subject).toContain(name)
    client.socket.destroy()
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'resumes its session over %s, and is identified again',
    async (version) => {
      const at = await start()
      const versions = { minVersion: version, maxVersion: version }
      const first = await connectTls(at, pki, pki.alpha, versions)
      first.socket.write(request('hello'))
      await first.received(16)
      const again = { ...versions, session: first.session! }
      const second = await connectTls(at, pki, pki.alpha, again)
      expect(second.socket.isSessionReused()).toBe(true)
      second.socket.write(request('hello'))
      expect(await second.received(16)).toEqual(answer('hello'))
      expect(at.listener.statistics()).toMatchObject({ identified: 2, resumed: 1 })

      at.enrolled.set(fingerprint(pki.alpha), 'revoked')
      expect(await ask(at, pki.alpha, again)).toBe('unanswered')
      expect(at.listener.statistics().refused).toEqual({ revoked: 1 })
      first.socket.destroy()
      second.socket.destroy()
    },
  )
})

describe('refused, unanswered and logged with what was shown:', () => {
  test('a client without a certificate', async () => {
    const at = await start()
    expect(await ask(at, { cert: '', key: '' }, { cert: undefined, key: undefined })).toBe(
      'unanswered',
    )
    expect(at.log).toMatchObject([
      { level: 'warn', fields: { reason: 'no-certificate', remoteAddress: '127.0.0.1' } },
    ])
  })

  test.each([
    [
      'a certificate of another CA',
      'foreign',
      'not-enrolled',
      'O=Test, CN=foreign',
      'CN=Foreign CA',
    ],
    ['a self-signed certificate', 'selfSigned', 'not-enrolled', 'CN=alpha', 'CN=alpha'],
    ['an expired certificate', 'expired', 'expired', 'O=Test, CN=expired', 'CN=Test CA'],
    [
      "the server's own certificate",
      'serverEc',
      'not-enrolled',
      'O=Test, CN=server-ec',
      'CN=Test CA',
    ],
  ] as const)('%s', async (_, who, reason, subject, issuer) => {
    const at = await start()
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
      expect(await ask(at, pki[who], { maxVersion })).toBe('unanswered')
    const digits = fingerprint(pki[who]).replaceAll(':', '').toLowerCase()
    const shown = { reason, subject, issuer, fingerprint: digits }
    expect(at.log).toMatchObject([{ level: 'warn', fields: shown }])
    expect(at.listener.statistics().refused).toEqual({ [reason]: 2 })
  })

  test('a client whose certificate cannot be looked up', async () => {
    const at = await start()
    at.ports.identify = async () => {
      throw new Error('database is away')
    }
    expect(await ask(at)).toBe('unanswered')
    expect(at.log.map((line) => line.level)).toEqual(['error', 'warn'])
    expect(at.listener.statistics().refused).toEqual({ 'identity-unavailable': 1 })
  })

  test('a client that speaks no TLS', async () => {
    const at = await start()
    for (const bytes of [request('hello'), 'GET / HTTP/1.1\r\n\r\n', Buffer.alloc(600)]) {
      const client = await connectTcp(at)
      client.socket.write(bytes)
      await client.ended
      expect(await client.received(0)).not.toContain(answer('hello'))
    }
    await vi.waitFor(() => expect(at.log).toHaveLength(2))
    expect(at.log[0]?.message).toBe('connection refused: the client does not speak TLS')
    expect(at.log[1]?.message).toBe('connection refused: the client speaks HTTP without TLS')
  })

  test('TLS 1.1, with an alert that says so', async () => {
    const at = await start()
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const
    const refused = connectTls(at, pki, pki.alpha, old)
    await expect(refused).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
    await vi.waitFor(() =>
      expect(at.listener.statistics().refused).toEqual({ ERR_SSL_UNSUPPORTED_PROTOCOL: 1 }),
    )
  })

  test('RSA key exchange, unless the listener is set up for old libraries', async () => {
    const rsa = { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' } as const
    const at = await start()
    await expect(connectTls(at, pki, pki.alpha, rsa)).rejects.toMatchObject({
      code: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
    })
    await vi.waitFor(() =>
      expect(at.listener.statistics().refused).toEqual({ ERR_SSL_NO_SHARED_CIPHER: 1 }),
    )
    await at.listener.close()
    expect(await ask(await start({ ciphers: 'old' }), pki.alpha, rsa)).toBe('answered')
  })

  test('CBC ciphers', async () => {
    const cbc = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-SHA384' } as const
    await expect(connectTls(await start(), pki, pki.alpha, cbc)).rejects.toThrow(
      /handshake failure/,
    )
  })
})

test('a stranger who comes again and again is counted, not logged each time', async () => {
  const at = await start()
  for (let i = 0; i < 5; i++) await ask(at, pki.foreign)
  expect(at.log).toHaveLength(1)
  at.clock.advance(60_000)
  expect(at.log[1]).toMatchObject({ fields: { reason: 'not-enrolled', times: 4 } })
  expect(at.listener.statistics().refused).toEqual({ 'not-enrolled': 5 })
})

test('other clients are served while bad ones misbehave', async () => {
  const at = await start({ limits: { handshakes: 4 } })
  const bad = await Promise.all(Array.from({ length: 20 }, () => connectTcp(at)))
  for (const client of bad.slice(0, 3)) client.socket.write('garbage that is no TLS at all')
  const good = ask(at)
  await vi.waitFor(() => expect(at.listener.statistics().open.handshakes).toBe(4))
  const spin = setInterval(() => at.clock.advance(3_000), 1)
  expect(await good).toBe('answered')
  clearInterval(spin)
  for (const client of bad) client.socket.destroy()
})

test('random bytes, in TLS and without, harm nobody', async () => {
  const at = await start()
  let state = 20261122
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  const noise = () => Buffer.from(Array.from({ length: 1 + random() * 300 }, () => random() * 256))
  for (let round = 0; round < 40; round++) {
    const client = round % 2 === 0 ? await connectTcp(at) : await connectTls(at, pki)
    client.socket.write(noise())
    client.socket.end(noise())
    await client.ended
  }
  expect(await ask(at)).toBe('answered')
  expect(at.log.filter((line) => line.level === 'error')).toEqual([])
})

test('a client cannot start a second handshake', async () => {
  const at = await start()
  const client = await connectTls(at, pki, pki.alpha, { maxVersion: 'TLSv1.2' })
  client.socket.renegotiate({}, () => undefined)
  await client.ended
  await vi.waitFor(() => expect(at.listener.statistics().open.sessions).toBe(0))
})

describe('reload', () => {
  test('shows the new certificate to new connections while old ones live on', async () => {
    const at = await start()
    const before = await connectTls(at, pki)
    const { key, cert } = pki.serverExpired
    at.ports.secureContext = () => ({ key: [key], cert: [cert], ca: [pki.ca] })
    at.listener.reload()
    const after = await connectTls(at, pki, pki.alpha, { rejectUnauthorized: false })
    expect(after.socket.getPeerX509Certificate()?.subject).toContain('server-expired')
    before.socket.write(request('hello'))
    expect(await before.received(16)).toEqual(answer('hello'))
    before.socket.destroy()
    after.socket.destroy()
  })

  test('with certificates that do not fit throws, and the old ones stay in use', async () => {
    const at = await start()
    at.ports.secureContext = () => ({ key: [pki.alpha.key], cert: [pki.beta.cert], ca: [] })
    expect(() => at.listener.reload()).toThrow(/key values mismatch/)
    expect(await ask(at)).toBe('answered')
  })

  test('happens by itself once a day, so that the keys of session tickets change', async () => {
    const at = await start()
    const first = await connectTls(at, pki)
    first.socket.write(request('hello'))
    await first.received(16)
    first.socket.destroy()
    at.clock.advance(24 * 3_600_000)
    const second = await connectTls(at, pki, pki.alpha, { session: first.session! })
    expect(second.socket.isSessionReused()).toBe(false)
    second.socket.destroy()
  })
})

test('a port in use is an error that says so', async () => {
  const at = await start()
  const rival = new Listener({ ...at.ports, log: console })
  await expect(rival.listen({ host: '127.0.0.1', port: at.port })).rejects.toMatchObject({
    name: 'UserError',
    code: 'listen',
    message: `cannot listen on 127.0.0.1:${at.port}: the port is in use`,
  })
})

test('issuers of enrolled certificates are named to the client', async () => {
  const at = await start()
  const openssl = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${at.port}`, '-tls1_2'])
  let output = ''
  openssl.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await new Promise((resolve) => openssl.once('close', resolve))
  expect(output).toContain('Acceptable client certificate CA names\nCN = Test CA')
})
