import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { makeCertificates } from '../../certs/make-certs.ts'
import { serverIdentity } from '../../src/access/authority.ts'
import { enrolledClientOf, enrolledClients } from '../../src/access/clients.ts'
import {
  enrolLibrary,
  parseName,
  renewLibrary,
  revokeCertificate,
  revokeLibrary,
} from '../../src/access/enrolment.ts'
import { identify } from '../../src/access/identity.ts'
import { privateKeyPem } from '../../src/crypto/key-pairs.ts'
import { opensslDirectory } from '../crypto/openssl.ts'
import { day, initialisedStore, now, testStore, type TestStore } from './test-store.ts'

const pki = await makeCertificates(now)
const generate = { generate: 'p256' } as const
const given = (name: keyof typeof pki) => ({ certificate: pki[name].certificate.pem })

const isIdentified = async (store: TestStore, der: Uint8Array) =>
  (await store.read((work) => identify(work, der, work.now))).ok

function request(subject: string): string {
  const openssl = opensslDirectory()
  openssl.run(
    ...['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'k.pem', '-out', 'r.pem'],
    ...['-subj', subject],
  )
  return openssl.run('req', '-in', 'r.pem')
}

describe('a library is enrolled', () => {
  test('with a key and certificate made here, and is a client at once', async () => {
    const store = await initialisedStore()
    const enrolled = await enrolLibrary(store, { name: 'alpha', source: generate })
    expect(enrolled).toMatchObject({ name: 'alpha', group: 'default', profile: 'tape-library' })
    expect(enrolled.certificate.subject).toBe('CN=alpha')
    expect(enrolled.privateKey?.type).toBe('private')
    expect(await isIdentified(store, enrolled.certificate.der)).toBe(true)
  })

  test.each([
    ['rsa2048', 'RSA-2048'],
    ['p256', 'P-256'],
  ] as const)('with a %s key when that is asked for', async (type, name) => {
    const store = await initialisedStore()
    const { certificate } = await enrolLibrary(store, { name: 'alpha', source: { generate: type } })
    expect(certificate.key.name).toBe(name)
  })

  test('and openssl verifies its certificate for TLS clients', async () => {
    const store = await initialisedStore()
    const { certificate, authority } = await enrolLibrary(store, {
      name: 'alpha',
      source: { generate: 'rsa2048' },
    })
    const openssl = opensslDirectory()
    openssl.write('ca.pem', authority.pem)
    openssl.write('certificate.pem', certificate.pem)
    expect(
      openssl.run(
        ...['verify', '-x509_strict', '-CAfile', 'ca.pem', '-purpose', 'sslclient'],
        ...['-attime', String(now), 'certificate.pem'],
      ),
    ).toContain('OK')
  })

  test('by a request, with the subject of the request and no key of ours', async () => {
    const store = await initialisedStore()
    const enrolled = await enrolLibrary(store, {
      name: 'alpha',
      source: { request: request('/O=Example/CN=ML3 78F1234'), file: 'alpha.csr' },
    })
    expect(enrolled.certificate.subject).toBe('O=Example, CN=ML3 78F1234')
    expect(enrolled).not.toHaveProperty('privateKey')
    expect(await isIdentified(store, enrolled.certificate.der)).toBe(true)
  })

  test('by a request without a subject, which then is its name', async () => {
    const store = await initialisedStore()
    const source = { request: request('/') }
    const { certificate } = await enrolLibrary(store, { name: 'alpha', source })
    expect(certificate.subject).toBe('CN=alpha')
  })

  test('by a certificate of its own, from whatever authority', async () => {
    const store = await initialisedStore()
    const { certificate } = await enrolLibrary(store, { name: 'alpha', source: given('foreign') })
    expect(certificate.fingerprint).toBe(pki.foreign.certificate.fingerprint)
    expect(await isIdentified(store, certificate.der)).toBe(true)
  })

  test('in a group that is made with its first library', async () => {
    const store = await initialisedStore()
    await enrolLibrary(store, { name: 'alpha', group: 'site-b', source: generate })
    await enrolLibrary(store, { name: 'beta', group: 'site-b', source: generate })
    const clients = await store.read(enrolledClients)
    expect(clients.map(({ name, group }) => [name, group])).toEqual([
      ['alpha', 'site-b'],
      ['beta', 'site-b'],
    ])
  })

  test('and the audit chain says who, what and by which certificate', async () => {
    const store = await initialisedStore()
    const actor = { name: 'ines', kind: 'operator' }
    const { certificate } = await enrolLibrary(store, { name: 'alpha', source: generate, actor })
    const record = (await store.audited()).at(-1)
    expect(record).toMatchObject({
      actor,
      operation: 'library add',
      outcome: 'Success',
      group: 'default',
      details: { library: 'alpha', fingerprint: certificate.fingerprint },
    })
  })

  test('and its private key is kept nowhere', async () => {
    const store = await initialisedStore()
    await enrolLibrary(store, { name: 'alpha', source: generate })
    expect(await store.stored()).not.toContain('PRIVATE')
  })
})

describe('enrolment is refused', () => {
  test.each([
    ['', 'name'],
    ['.hidden', 'name'],
    ['../alpha', 'name'],
    ['a b', 'name'],
    ['a/b', 'name'],
    ['ä', 'name'],
    ['a\n', 'name'],
    ['a'.repeat(64), 'name'],
  ])('for the name %j', async (name, code) => {
    const store = await initialisedStore()
    await expect(enrolLibrary(store, { name, source: generate })).rejects.toMatchObject({ code })
    await expect(
      enrolLibrary(store, { name: 'alpha', group: name, source: generate }),
    ).rejects.toMatchObject({ code })
  })

  test('for a name that is taken, also by a revoked library', async () => {
    const store = await initialisedStore()
    await enrolLibrary(store, { name: 'alpha', source: generate })
    const again = () => enrolLibrary(store, { name: 'alpha', source: generate })
    await expect(again()).rejects.toMatchObject({ code: 'library-exists' })
    await revokeLibrary(store, 'alpha')
    await expect(again()).rejects.toMatchObject({ code: 'library-exists' })
  })

  test('for a certificate that another library has, and names that one', async () => {
    const store = await initialisedStore()
    await enrolLibrary(store, { name: 'alpha', source: given('alpha') })
    await expect(
      enrolLibrary(store, { name: 'beta', source: given('alpha') }),
    ).rejects.toMatchObject({
      code: 'certificate-enrolled',
      message: 'this certificate is enrolled already, for library alpha',
    })
    expect((await store.read(enrolledClients)).map(({ name }) => name)).toEqual(['alpha'])
  })

  test('to one of two that come at the same time with one name', async () => {
    const store = await initialisedStore()
    const both = await Promise.allSettled([
      enrolLibrary(store, { name: 'alpha', source: generate }),
      enrolLibrary(store, { name: 'alpha', source: generate }),
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const { certificates } = await store.read((work) => enrolledClientOf(work, 'alpha'))
    expect(certificates).toHaveLength(1)
  })

  test.each([
    ['expired', 'it expired 2027-01-14'],
    ['not-yet-valid', 'it is valid from 2027-02-14 on'],
    ['weak', 'its key is RSA-1024'],
    ['wrong-usage', 'its extended key usage leaves out TLS clients'],
  ] as const)('for the %s certificate, with the reason', async (name, why) => {
    const store = await initialisedStore()
    const enrolling = enrolLibrary(store, { name: 'alpha', source: given(name) })
    await expect(enrolling).rejects.toMatchObject({ code: 'certificate-unfit' })
    await expect(enrolling).rejects.toThrow(why)
    expect(await store.read(enrolledClients)).toEqual([])
  })

  test('for the certificate of our own authority', async () => {
    const store = await initialisedStore()
    const { authority } = await store.read(serverIdentity)
    await expect(
      enrolLibrary(store, { name: 'alpha', source: { certificate: authority.pem } }),
    ).rejects.toMatchObject({ code: 'certificate-unfit' })
  })

  test('for a private key given by mistake, and the key is not repeated', async () => {
    const store = await initialisedStore()
    const pem = privateKeyPem(pki.alpha.privateKey)
    const enrolling = enrolLibrary(store, {
      name: 'alpha',
      source: { certificate: pem, file: 'alpha.pem' },
    })
    await expect(enrolling).rejects.toMatchObject({
      code: 'not-a-certificate',
      message: 'alpha.pem is not a certificate: it is a private key',
    })
  })

  test('before there is an authority', async () => {
    const store = await testStore()
    await expect(enrolLibrary(store, { name: 'alpha', source: generate })).rejects.toMatchObject({
      code: 'not-initialised',
      exitStatus: 10,
    })
  })
})

describe('renewal', () => {
  test('gives a second certificate and leaves the first one good', async () => {
    const store = await initialisedStore()
    const first = await enrolLibrary(store, { name: 'alpha', source: generate })
    store.time.seconds += day
    const second = await renewLibrary(store, { name: 'alpha', source: generate })
    expect(await isIdentified(store, first.certificate.der)).toBe(true)
    expect(await isIdentified(store, second.certificate.der)).toBe(true)
    const { certificates } = await store.read((work) => enrolledClientOf(work, 'alpha'))
    expect(certificates.map(({ certificate }) => certificate.fingerprint)).toEqual([
      second.certificate.fingerprint,
      first.certificate.fingerprint,
    ])
  })

  test('lets the old certificate be revoked alone', async () => {
    const store = await initialisedStore()
    const first = await enrolLibrary(store, { name: 'alpha', source: generate })
    const second = await renewLibrary(store, { name: 'alpha', source: generate })
    await revokeCertificate(store, 'alpha', first.certificate.fingerprint)
    expect(await isIdentified(store, first.certificate.der)).toBe(false)
    expect(await isIdentified(store, second.certificate.der)).toBe(true)
  })

  test('keeps group and profile', async () => {
    const store = await initialisedStore()
    await enrolLibrary(store, {
      ...{ name: 'alpha', group: 'site-a', profile: 'general' },
      source: generate,
    })
    const renewed = await renewLibrary(store, { name: 'alpha', source: given('alpha') })
    expect(renewed).toMatchObject({ group: 'site-a', profile: 'general' })
  })

  test('is not for libraries that are revoked or not there', async () => {
    const store = await initialisedStore()
    await expect(renewLibrary(store, { name: 'alpha', source: generate })).rejects.toMatchObject({
      code: 'no-such-library',
    })
    await enrolLibrary(store, { name: 'alpha', source: generate })
    await revokeLibrary(store, 'alpha')
    await expect(renewLibrary(store, { name: 'alpha', source: generate })).rejects.toMatchObject({
      code: 'library-revoked',
    })
  })
})

describe('revocation', () => {
  test('refuses every certificate of the library and is audited once', async () => {
    const store = await initialisedStore()
    const first = await enrolLibrary(store, { name: 'alpha', source: generate })
    const second = await renewLibrary(store, { name: 'alpha', source: generate })
    expect(await revokeLibrary(store, 'alpha')).toEqual({ revoked: now })
    store.time.seconds += day
    expect(await revokeLibrary(store, 'alpha')).toEqual({ revoked: now })
    for (const { certificate } of [first, second])
      expect(await isIdentified(store, certificate.der)).toBe(false)
    const records = await store.audited()
    expect(records.filter(({ operation }) => operation === 'library revoke')).toHaveLength(1)
  })

  test('leaves other libraries alone', async () => {
    const store = await initialisedStore()
    await enrolLibrary(store, { name: 'alpha', source: generate })
    const beta = await enrolLibrary(store, { name: 'beta', source: generate })
    await revokeLibrary(store, 'alpha')
    expect(await isIdentified(store, beta.certificate.der)).toBe(true)
  })

  test('of an unknown library or another’s certificate is refused', async () => {
    const store = await initialisedStore()
    const { certificate } = await enrolLibrary(store, { name: 'alpha', source: generate })
    await enrolLibrary(store, { name: 'beta', source: generate })
    await expect(revokeLibrary(store, 'gamma')).rejects.toMatchObject({ code: 'no-such-library' })
    await expect(revokeCertificate(store, 'beta', certificate.fingerprint)).rejects.toMatchObject({
      code: 'no-such-certificate',
    })
  })
})

test('names are letters, digits, dots, dashes and underscores, up to 63', () => {
  for (const name of ['a', 'Alpha-1', '0.x_y', 'a'.repeat(63)])
    expect(parseName(name, 'library')).toBe(name)
})

test('openssl is there: these tests mean nothing without it', () => {
  expect(execFileSync('openssl', ['version'], { encoding: 'utf8' })).toContain('OpenSSL 3')
})
