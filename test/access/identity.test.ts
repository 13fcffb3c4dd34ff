import { describe, expect, test } from 'vitest'
import { makeCertificates } from '../../certs/make-certs.ts'
import { serverIdentity } from '../../src/access/authority.ts'
import type { Allowance } from '../../src/access/documents.ts'
import { enrolLibrary, revokeCertificate, revokeLibrary } from '../../src/access/enrolment.ts'
import { identify } from '../../src/access/identity.ts'
import { putBody } from '../../src/access/documents.ts'
import { day, initialisedStore, now, type TestStore } from './test-store.ts'

const pki = await makeCertificates(now)
type Name = keyof typeof pki

const enrol = (store: TestStore, name: Name, allow: Allowance[] = []) =>
  enrolLibrary(store, { name, allow, source: { certificate: pki[name].certificate.pem } })

/** Enrols without the checks of enrolment: the client as it may have become since. */
async function forceEnrol(store: TestStore, name: Name, allow: Allowance[] = []): Promise<void> {
  const { fingerprint, pem } = pki[name].certificate
  const created = Number(now)
  await store.act(async (work) => {
    const client = { kind: 'library', group: 'default', profile: 'tape-library', allow, created }
    await putBody(work, 'client', name, client as Parameters<typeof putBody<'client'>>[3])
    const enrolled = { client: name, pem, origin: 'given', enrolled: created } as const
    await putBody(work, 'certificate', fingerprint, enrolled)
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'test', outcome: 'Success' })
  })
}

const identified = (store: TestStore, name: Name) =>
  store.read((work) => identify(work, pki[name].certificate.der, work.now))

describe('an enrolled client', () => {
  test('is the principal its documents say', async () => {
    const store = await initialisedStore()
    await enrolLibrary(store, {
      name: 'alpha',
      group: 'site-a',
      profile: 'general',
      kind: 'service',
      source: { certificate: pki.alpha.certificate.der },
    })
    expect(await identified(store, 'alpha')).toEqual({
      ok: true,
      principal: {
        name: 'alpha',
        kind: 'service',
        group: 'site-a',
        profile: 'general',
        fingerprint: pki.alpha.certificate.fingerprint,
        owner: 'alpha',
        ownOnly: false,
        credentialRequired: false,
      },
    })
  })

  test.each(['beta', 'peer', 'self-signed', 'foreign'] as const)(
    'may have any issuer: %s is enrolled by its fingerprint',
    async (name) => {
      const store = await initialisedStore()
      await enrol(store, name)
      expect(await identified(store, name)).toMatchObject({ ok: true, principal: { name } })
    },
  )

  test('is identified on the first and the last second of its validity, and not outside', async () => {
    const store = await initialisedStore()
    await enrol(store, 'alpha')
    const { notBefore, notAfter } = pki.alpha.certificate
    for (const [at, ok] of [
      [notBefore - 1n, false],
      [notBefore, true],
      [notAfter, true],
      [notAfter + 1n, false],
    ] as const) {
      store.time.seconds = at
      expect(await identified(store, 'alpha')).toMatchObject({ ok })
    }
  })
})

describe('nobody is identified', () => {
  test.each(['alpha', 'foreign', 'self-signed', 'ca', 'server'] as const)(
    'by a certificate that is not enrolled: %s',
    async (name) => {
      const store = await initialisedStore()
      await enrol(store, 'beta')
      expect(await identified(store, name)).toMatchObject({ ok: false, reason: 'not-enrolled' })
    },
  )

  test('by a certificate that our own authority signed but nobody enrolled', async () => {
    const store = await initialisedStore()
    const { certificates } = await store.read(serverIdentity)
    for (const { der } of certificates)
      expect(await store.read((work) => identify(work, der, now))).toMatchObject({
        ok: false,
        reason: 'not-enrolled',
      })
  })

  test('once the client is revoked', async () => {
    const store = await initialisedStore()
    await enrol(store, 'revoked')
    await revokeLibrary(store, 'revoked')
    expect(await identified(store, 'revoked')).toMatchObject({
      ok: false,
      reason: 'client-revoked',
      detail: { why: 'revoked was revoked 2027-01-15', client: 'revoked' },
    })
  })

  test('once the certificate is revoked', async () => {
    const store = await initialisedStore()
    await enrol(store, 'beta')
    await revokeCertificate(store, 'beta', pki.beta.certificate.fingerprint)
    expect(await identified(store, 'beta')).toMatchObject({
      ok: false,
      reason: 'certificate-revoked',
    })
  })

  test.each([
    ['expired', 'expired'],
    ['not-yet-valid', 'not-yet-valid'],
    ['weak', 'weak-key'],
    ['wrong-usage', 'wrong-usage'],
  ] as const)('by an enrolled certificate that is unfit: %s', async (name, reason) => {
    const store = await initialisedStore()
    await forceEnrol(store, name)
    expect(await identified(store, name)).toMatchObject({ ok: false, reason })
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['other bytes', Buffer.from('not a certificate')],
    ['half a certificate', pki.alpha.certificate.der.subarray(0, 200)],
  ])('by %s', async (_, shown) => {
    const store = await initialisedStore()
    expect(await store.read((work) => identify(work, shown, now))).toMatchObject({
      ok: false,
      reason: 'not-a-certificate',
    })
  })

  test('and the log is told who it was that came', async () => {
    const store = await initialisedStore()
    await enrol(store, 'beta')
    store.time.seconds = now + 4000n * day
    expect(await identified(store, 'beta')).toEqual({
      ok: false,
      reason: 'expired',
      detail: {
        why: 'it expired 2037-01-15',
        client: 'beta',
        subject: 'O=keyreel development, CN=beta',
        issuer: 'O=keyreel development, CN=ca',
        fingerprint: pki.beta.certificate.fingerprint,
      },
    })
  })
})

test.each([
  ['weak', 'weak-key'],
  ['wrong-usage', 'any-usage'],
] as const)('an allowance lets the %s client in, and only the fitting one', async (name, allow) => {
  const store = await initialisedStore()
  await enrol(store, name, [allow])
  expect(await identified(store, name)).toMatchObject({ ok: true })
  const other = await initialisedStore()
  await forceEnrol(other, name, [allow === 'weak-key' ? 'any-usage' : 'weak-key'])
  expect(await identified(other, name)).toMatchObject({ ok: false })
})
