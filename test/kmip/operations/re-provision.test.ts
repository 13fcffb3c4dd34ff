// Re-Provision – KMIP 2.1 §6.1.48: a client gives itself another certificate, where its group lets it.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import { createServerIdentity, serverIdentity } from '../../../src/access/authority.ts'
import { enrolLibrary } from '../../../src/access/enrolment.ts'
import { identify, type Principal } from '../../../src/access/identity.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { opensslDirectory } from '../../crypto/openssl.ts'
import { testEngine, type TestEngine } from './engine.ts'

type Asked = Partial<RequestPayload<'ReProvision'>>

interface Alpha {
  readonly engine: TestEngine
  /** The client alpha as its certificate identifies it. */
  readonly alpha: Principal
  who(der: Uint8Array): Promise<Awaited<ReturnType<typeof identify>>>
}

/** A group whose clients may do that, and the client alpha. */
async function enrolled(reprovision = 'beside'): Promise<Alpha> {
  const engine = await testEngine()
  const { store } = engine
  await createServerIdentity(store, ['localhost'])
  if (reprovision !== '') await engine.policy(`reprovision=${reprovision}`)
  const { certificate } = await enrolLibrary(store, {
    name: 'alpha',
    profile: 'general',
    source: { generate: 'p256' },
  })
  const who = (der: Uint8Array) => store.read((work) => identify(work, der, work.now))
  const found = await who(certificate.der)
  if (!found.ok) throw new Error(found.reason)
  return { engine, alpha: found.principal, who }
}

function request(subject = '/CN=somebody else', ...key: string[]): Uint8Array {
  const openssl = opensslDirectory()
  const kind = key.length === 0 ? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : key
  openssl.run(
    ...['req', '-new', '-newkey', ...kind, '-nodes', '-keyout', 'key.pem'],
    ...['-subj', subject, '-outform', 'DER', '-out', 'request.der'],
  )
  return readFileSync(openssl.path('request.der'))
}

const signed = (CertificateRequestValue: Uint8Array, type: 'PKCS_10' | 'CRMF' = 'PKCS_10') =>
  ({ CertificateRequest: { CertificateRequestType: type, CertificateRequestValue } }) as Asked
const given = (CertificateValue: Uint8Array) =>
  ({ Certificate: { CertificateType: 'X_509', CertificateValue } }) as Asked

/** A certificate of the client's own, by nobody we know. */
function selfSigned(days = '30'): Uint8Array {
  const openssl = opensslDirectory()
  openssl.run(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-keyout', 'key.pem', '-subj', '/CN=own', '-days', days, '-outform', 'DER'],
    ...['-out', 'own.der'],
  )
  return readFileSync(openssl.path('own.der'))
}

const late: VersionText[] = ['2.0', '2.1']

describe.each(late)('KMIP %s', (as) => {
  test('signs a request under the client’s own name, and the certificate lets it in', async () => {
    const { engine, alpha, who } = await enrolled()
    const asked = signed(request())
    const { UniqueIdentifier } = await engine.call(as, 'ReProvision', asked, alpha)
    const got = await engine.call(as, 'Get', { UniqueIdentifier: UniqueIdentifier! }, alpha)
    const der = got.Certificate!.CertificateValue
    const certificate = new X509Certificate(der)
    expect(certificate.subject).toBe('CN=alpha')
    const { authority } = await engine.store.read((work) => serverIdentity(work))
    expect(certificate.verify(new X509Certificate(authority.pem).publicKey)).toBe(true)
    expect(await who(der)).toMatchObject({ ok: true, principal: { name: 'alpha' } })
    expect((await engine.audited()).find((one) => one.operation === 'ReProvision')).toMatchObject({
      object: UniqueIdentifier,
      actor: { name: 'alpha' },
      details: { beside: alpha.fingerprint },
    })
  })

  test('makes the one that was shown invalid, where the group says so, and answers the batch', async () => {
    const { engine, alpha, who } = await enrolled('replace')
    const [made, got] = await engine.batch(
      as,
      [
        ['ReProvision', signed(request())],
        ['Get', {}],
      ],
      {},
      alpha,
    )
    expect(made).toMatchObject({ ResultStatus: 'Success' })
    const { Certificate } = got!.ResponsePayload as {
      Certificate: { CertificateValue: Uint8Array }
    }
    expect(await who(Certificate.CertificateValue)).toMatchObject({ ok: true })
    const shown = await engine.store.read((work) => work.document('certificate', alpha.fingerprint))
    const { pem } = shown!.body as { pem: string }
    expect(await who(new X509Certificate(pem).raw)).toMatchObject({
      ok: false,
      reason: 'certificate-revoked',
    })
    const again = signed(request())
    expect(await engine.refused(as, 'ReProvision', again, alpha)).toBe('PermissionDenied')
  })

  test('takes a certificate of the client’s own, whoever issued it', async () => {
    const { engine, alpha, who } = await enrolled()
    const now = BigInt(Math.floor(Date.now() / 1000))
    engine.time.seconds = now
    const der = selfSigned()
    await engine.call(as, 'ReProvision', given(der), alpha)
    expect(await who(der)).toMatchObject({ ok: true, principal: { name: 'alpha' } })
    expect(await engine.refused(as, 'ReProvision', given(der), alpha)).toBe('InvalidField')
  })

  test('is undone whole', async () => {
    const { engine, alpha, who } = await enrolled('replace')
    const asks: Parameters<TestEngine['batch']>[1] = [
      ['ReProvision', signed(request())],
      ['Get', { UniqueIdentifier: 'none' }],
    ]
    await engine.batch(as, asks, { BatchErrorContinuationOption: 'Undo' }, alpha)
    const certificates = await engine.store.read((work) => work.documents('certificate'))
    expect(certificates).toHaveLength(1)
    const { pem } = certificates[0]!.body as { pem: string }
    expect(await who(new X509Certificate(pem).raw)).toMatchObject({ ok: true })
  })

  test('is refused where the group has not allowed it, which is how a group begins', async () => {
    const { engine, alpha } = await enrolled('')
    const asked = signed(request())
    expect(await engine.refused(as, 'ReProvision', asked, alpha)).toBe('PermissionDenied')
    const tape = { ...alpha, profile: 'tape-library' as const }
    await engine.policy('reprovision=replace')
    expect(await engine.refused(as, 'ReProvision', asked, tape)).toBe('PermissionDenied')
  })

  test('is refused to users, holders of tickets, and certificates that do not count', async () => {
    const { engine, alpha } = await enrolled()
    const asked = signed(request())
    const denied: Principal[] = [
      { ...alpha, owner: 'alpha/ann' },
      { ...alpha, rights: ['ReProvision'] },
      { ...alpha, fingerprint: 'ab'.repeat(32) },
    ]
    for (const who of denied)
      expect(await engine.refused(as, 'ReProvision', asked, who)).toBe('PermissionDenied')
  })

  test('is refused to a certificate that was revoked as an object', async () => {
    const { engine, alpha, who } = await enrolled()
    const first = await engine.call(as, 'ReProvision', signed(request()), alpha)
    const UniqueIdentifier = first.UniqueIdentifier!
    const { Certificate } = await engine.call(as, 'Get', { UniqueIdentifier }, alpha)
    const found = await who(Certificate!.CertificateValue)
    if (!found.ok) throw new Error(found.reason)
    const RevocationReason = { RevocationReasonCode: 'KeyCompromise' } as const
    await engine.call(as, 'Revoke', { UniqueIdentifier, RevocationReason }, alpha)
    const next = signed(request())
    expect(await engine.refused(as, 'ReProvision', next, found.principal)).toBe('PermissionDenied')
  })

  test('refuses what is no certificate for a client', async () => {
    const { engine, alpha } = await enrolled()
    const { authority, certificates } = await engine.store.read((work) => serverIdentity(work))
    const both = { ...signed(request()), ...given(authority.der) }
    const refused = async (asked: Asked) => engine.refused(as, 'ReProvision', asked, alpha)
    expect(await refused({})).toBe('FeatureNotSupported')
    expect(await refused(both)).toBe('InvalidField')
    expect(await refused(signed(request(), 'CRMF'))).toBe('FeatureNotSupported')
    expect(await refused(signed(Uint8Array.of(1, 2, 3)))).toBe('InvalidField')
    expect(await refused(signed(request('/CN=weak', 'rsa:1024')))).toBe('InvalidField')
    expect(await refused(given(Uint8Array.of(1, 2, 3)))).toBe('InvalidField')
    expect(await refused(given(authority.der))).toBe('InvalidField')
    expect(await refused(given(certificates[0]!.der))).toBe('InvalidField')
    const pgp = { Certificate: { CertificateType: 'PGP', CertificateValue: Uint8Array.of(1) } }
    expect(await refused(pgp as Asked)).toBe('FeatureNotSupported')
    expect(await engine.store.read((work) => work.documents('certificate'))).toHaveLength(1)
  })

  test('makes no more than a few', async () => {
    const { engine, alpha } = await enrolled()
    for (let made = 0; made < 7; made++)
      await engine.call(as, 'ReProvision', signed(request()), alpha)
    expect(await engine.refused(as, 'ReProvision', signed(request()), alpha)).toBe('InvalidField')
  })
})
