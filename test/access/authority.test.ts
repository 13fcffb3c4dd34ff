import { execFile } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeCertificates } from '../../certs/make-certs.ts'
import {
  clientAuthorities,
  createServerIdentity,
  renewalTime,
  renewServerCertificates,
  renewServerCertificatesWhenDue,
  serverCertificates,
  serverIdentity,
} from '../../src/access/authority.ts'
import { enrolLibrary, revokeLibrary } from '../../src/access/enrolment.ts'
import { parseCertificate } from '../../src/crypto/certificates.ts'
import { privateKeyPem } from '../../src/crypto/key-pairs.ts'
import { opensslDirectory } from '../crypto/openssl.ts'
import { day, initialisedStore, now, testStore, type TestStore } from './test-store.ts'

/** Certificates of today: TLS looks at the machine's clock. */
const today = BigInt(Math.floor(Date.now() / 1000))
const pki = await makeCertificates(now)

describe('a new server identity', () => {
  test('has an RSA and a P-256 certificate for the hosts and the machine itself', async () => {
    const store = await testStore()
    const made = await createServerIdentity(store, ['Keyreel.example.com', '192.0.2.10'])
    expect(made.certificates.map(({ key }) => key.name).toSorted()).toEqual(['P-256', 'RSA-3072'])
    for (const { alternativeNames } of made.certificates)
      expect(alternativeNames).toEqual([
        'DNS:keyreel.example.com',
        'IP Address:192.0.2.10',
        'DNS:localhost',
        'IP Address:127.0.0.1',
        'IP Address:0:0:0:0:0:0:0:1',
      ])
    const kept = await store.read(serverIdentity)
    expect(kept.authority.fingerprint).toBe(made.authority.fingerprint)
    expect(kept.hosts).toEqual(made.hosts)
  })

  test('keeps its private keys sealed and says in the audit chain what it made', async () => {
    const store = await testStore()
    const { authority } = await createServerIdentity(store, ['keyreel.example.com'])
    expect(await store.stored()).not.toContain('PRIVATE KEY')
    expect((await store.audited()).at(-1)).toMatchObject({
      operation: 'server certificate create',
      details: { authority: authority.fingerprint },
    })
  })

  test('is made once', async () => {
    const store = await initialisedStore()
    await expect(createServerIdentity(store, ['b.example.com'])).rejects.toMatchObject({
      code: 'already-initialised',
    })
  })

  test('is not made for what is no host name', async () => {
    const store = await testStore()
    await expect(createServerIdentity(store, ['key reel'])).rejects.toMatchObject({
      code: 'host-name',
    })
    await expect(store.read(serverIdentity)).rejects.toMatchObject({ code: 'not-initialised' })
  })

  test('passes the strict checks of openssl', async () => {
    const store = await initialisedStore()
    const { authority, certificates } = await store.read(serverIdentity)
    const openssl = opensslDirectory()
    openssl.write('ca.pem', authority.pem)
    for (const { pem } of certificates) {
      openssl.write('server.pem', pem)
      const how = ['-x509_strict', '-CAfile', 'ca.pem', '-purpose', 'sslserver']
      const host = ['-verify_hostname', 'keyreel.example.com', '-attime', String(now)]
      expect(openssl.run('verify', ...how, ...host, 'server.pem')).toContain('OK')
    }
  })
})

describe('renewal of the server certificates', () => {
  test('keeps authority and hosts and changes keys', async () => {
    const store = await initialisedStore()
    const before = await store.read(serverIdentity)
    store.time.seconds += 10n * day
    const after = await renewServerCertificates(store)
    expect(after.authority.fingerprint).toBe(before.authority.fingerprint)
    expect(after.hosts).toEqual(before.hosts)
    const old = before.certificates.map(({ fingerprint }) => fingerprint)
    for (const { fingerprint } of after.certificates) expect(old).not.toContain(fingerprint)
    expect(await store.read(serverIdentity)).toMatchObject({ hosts: before.hosts })
  })

  test('takes new hosts in the place of the old ones', async () => {
    const store = await initialisedStore()
    const { hosts, certificates } = await renewServerCertificates(store, ['new.example.com'])
    expect(hosts).toEqual(['new.example.com', 'localhost', '127.0.0.1', '::1'])
    expect(certificates[0]?.alternativeNames).not.toContain('DNS:keyreel.example.com')
  })

  test('comes by itself at two thirds of their life and not before', async () => {
    const store = await initialisedStore()
    const { certificates } = await store.read(serverIdentity)
    const [due = 0n] = certificates.map(renewalTime)
    store.time.seconds = due - 1n
    expect(await renewServerCertificatesWhenDue(store)).toBeUndefined()
    store.time.seconds = due
    const renewed = await renewServerCertificatesWhenDue(store)
    expect(renewed?.certificates[0]?.notAfter).toBeGreaterThan(certificates[0]?.notAfter ?? 0n)
    expect(await renewServerCertificatesWhenDue(store)).toBeUndefined()
    expect((await store.audited()).at(-1)).toMatchObject({
      actor: { name: 'server', kind: 'server' },
      operation: 'server certificate renew',
    })
  })
})

describe('a clock that was wrong for a while', () => {
  const years = 10n * 365n * day

  test('ahead: what was issued meanwhile is replaced once it is right again', async () => {
    const store = await initialisedStore()
    const right = store.time.seconds
    store.time.seconds = right + years
    expect(await renewServerCertificatesWhenDue(store)).toBeDefined()
    store.time.seconds = right
    const renewed = await renewServerCertificatesWhenDue(store)
    for (const { notBefore } of renewed!.certificates) expect(notBefore).toBeLessThan(right)
    expect(await renewServerCertificatesWhenDue(store)).toBeUndefined()
  })

  test('behind: certificates that libraries accept stay', async () => {
    const store = await initialisedStore()
    store.time.seconds -= years
    expect(await renewServerCertificatesWhenDue(store)).toBeUndefined()
  })
})

describe('the authorities a handshake names', () => {
  const namesOf = async (store: TestStore) =>
    (await store.read(clientAuthorities)).map((pem) => parseCertificate(pem).subject)
  const enrol = (store: TestStore, name: string, pem: string) =>
    enrolLibrary(store, { name, source: { certificate: pem } })

  test('are ours and those of enrolled certificates, each once', async () => {
    const store = await initialisedStore()
    await enrolLibrary(store, { name: 'own', source: { generate: 'p256' } })
    await enrol(store, 'a', pki.alpha.certificate.pem)
    await enrol(store, 'b', pki.beta.certificate.pem)
    await enrol(store, 'c', pki['self-signed'].certificate.pem)
    expect((await namesOf(store)).toSorted()).toEqual([
      'O=keyreel development, CN=ca',
      'O=keyreel development, CN=self-signed',
      'O=keyreel, CN=keyreel CA keyreel.example.com',
    ])
  })

  test('are the certificates from the file when it holds a chain', async () => {
    const store = await initialisedStore()
    await enrol(store, 'a', pki.foreign.certificate.pem + pki['foreign-ca'].certificate.pem)
    expect(await store.read(clientAuthorities)).toContain(pki['foreign-ca'].certificate.pem)
  })

  test('are no longer those of revoked libraries', async () => {
    const store = await initialisedStore()
    await enrol(store, 'a', pki.foreign.certificate.pem)
    expect(await namesOf(store)).toHaveLength(2)
    await revokeLibrary(store, 'a')
    expect(await namesOf(store)).toHaveLength(1)
  })
})

describe('over TLS', () => {
  async function listening(store: TestStore) {
    const server = createServer({
      ...(await serverCertificates(store)),
      requestCert: true,
      rejectUnauthorized: false,
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    return { server, port: (server.address() as AddressInfo).port }
  }

  async function todaysStore(): Promise<TestStore> {
    const store = await testStore()
    store.time.seconds = today
    await createServerIdentity(store, [])
    return store
  }

  test.each([
    ['ECDHE-RSA-AES128-GCM-SHA256', 'RSA-3072'],
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'P-256'],
  ])('a client that knows %s only is shown the %s certificate', async (ciphers, key) => {
    const store = await todaysStore()
    const { port } = await listening(store)
    const { authority } = await store.read(serverIdentity)
    const socket = connect({
      ...{ host: '127.0.0.1', port, ca: authority.pem, ciphers },
      ...{ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
    })
    await once(socket, 'secureConnect')
    expect(socket.authorized).toBe(true)
    const shown = socket.getPeerX509Certificate()?.raw ?? new Uint8Array()
    expect(parseCertificate(shown).key.name).toBe(key)
    socket.destroy()
  })

  test('a library of a foreign authority is asked for its certificate and shows it', async () => {
    const store = await todaysStore()
    const { foreign } = await makeCertificates(today)
    await enrolLibrary(store, { name: 'a', source: { certificate: foreign.certificate.pem } })
    const { server, port } = await listening(store)
    const arrived = once(server, 'secureConnection') as Promise<[TLSSocket]>
    const socket = connect({
      ...{ host: '127.0.0.1', port, ca: (await store.read(serverIdentity)).authority.pem },
      ...{ cert: foreign.certificate.pem, key: privateKeyPem(foreign.privateKey) },
    })
    await once(socket, 'secureConnect')
    const [peer] = await arrived
    expect(peer.getPeerX509Certificate()?.raw).toEqual(foreign.certificate.der)
    socket.destroy()
    const named = await acceptableAuthorities(port)
    expect(named).toContain('O = keyreel development, CN = foreign-ca')
    expect(named).toContain('O = keyreel, CN = keyreel CA localhost')
  })
})

/** What `openssl s_client` prints of the list in the server's certificate request. */
async function acceptableAuthorities(port: number): Promise<string> {
  const words = ['s_client', '-connect', `127.0.0.1:${port}`]
  return new Promise((resolve) => {
    const child = execFile('openssl', words, { encoding: 'utf8' }, (_, stdout) => resolve(stdout))
    child.stdin?.end()
  })
}
