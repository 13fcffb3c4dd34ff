import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeCertificates } from '../../certs/make-certs.ts'
import {
  certificateNames,
  fingerprintOf,
  parseCertificate,
  parseCertificateChain,
  parseFingerprint,
  servesClients,
  withColons,
} from '../../src/crypto/certificates.ts'
import { privateKeyPem } from '../../src/crypto/key-pairs.ts'
import { opensslDirectory } from './openssl.ts'

const now = 1_800_000_000n
const pki = await makeCertificates(now)
const { certificate } = pki.alpha

const refused = (input: string | Uint8Array) => {
  try {
    parseCertificate(input, 'alpha.pem')
  } catch (error) {
    return error
  }
  return undefined
}

describe('reading a certificate', () => {
  test('PEM and DER of one certificate say the same', () => {
    expect(parseCertificate(certificate.pem)).toEqual(parseCertificate(certificate.der))
    expect(parseCertificate(Buffer.from(certificate.pem))).toEqual(certificate)
  })

  test('text around the PEM block is passed over', () => {
    const openssl = opensslDirectory()
    openssl.write('alpha.pem', certificate.pem)
    const withText = openssl.run('x509', '-in', 'alpha.pem', '-text')
    expect(parseCertificate(`\ufeff${withText}`).fingerprint).toBe(certificate.fingerprint)
  })

  test('a chain is read in its order, and its first certificate is the one meant', () => {
    const chain = parseCertificateChain(certificate.pem + pki.ca.certificate.pem)
    expect(chain.map(({ subject }) => subject)).toEqual([
      'O=keyreel development, CN=alpha',
      'O=keyreel development, CN=ca',
    ])
    expect(parseCertificate(certificate.pem + pki.ca.certificate.pem)).toEqual(certificate)
  })

  test('the facts are those that openssl reads', () => {
    const openssl = opensslDirectory()
    openssl.write('alpha.pem', certificate.pem)
    const printed = openssl.run('x509', '-in', 'alpha.pem', '-noout', '-serial', '-enddate')
    expect(printed).toContain(`serial=${certificate.serialNumber}`)
    expect(printed).toContain(`notAfter=Jan 15 08:00:00 2037 GMT`)
    expect(certificate.notAfter).toBe(BigInt(Date.UTC(2037, 0, 15, 8)) / 1000n)
    expect(certificate.key).toEqual({ name: 'RSA-2048', strong: true })
    expect(certificate.isAuthority).toBe(false)
    expect(pki.ca.certificate.isAuthority).toBe(true)
  })

  test('control characters in a subject do not reach the log line', () => {
    const openssl = opensslDirectory()
    openssl.run(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', 'key.pem', '-out', 'odd.pem', '-subj', '/CN=a\nb\u001b[2J'],
    )
    const { subject } = parseCertificate(openssl.run('x509', '-in', 'odd.pem'))
    expect(subject).toMatch(/^[\x20-\x7e]+$/)
  })

  test('the issuer of a certificate is the subject of its authority, byte for byte', () => {
    expect(certificateNames(certificate.der).issuer).toEqual(
      certificateNames(pki.ca.certificate.der).subject,
    )
  })

  test('names longer than any authority has are not copied', () => {
    const openssl = opensslDirectory()
    const units = (count: number) => `/OU=${'x'.repeat(60)}`.repeat(count)
    const certificateOf = (subject: string) => {
      openssl.run(
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
        ...['-keyout', 'key.pem', '-out', 'long.pem', '-subj', subject],
      )
      return parseCertificate(openssl.run('x509', '-in', 'long.pem')).der
    }
    expect(certificateNames(certificateOf(units(200))).subject.length).toBeGreaterThan(12_000)
    const tooLong = certificateOf(units(300))
    expect(() => certificateNames(tooLong)).toThrow(
      expect.objectContaining({ code: 'not-a-certificate' }),
    )
  })

  test.each([
    ['nothing', ''],
    ['random text', 'hello'],
    ['bytes that begin like DER', Buffer.from('3003020101', 'hex')],
    ['an empty PEM block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
    ['PEM of other bytes', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['a private key', privateKeyPem(pki.alpha.privateKey)],
    ['a file larger than any chain', 'x'.repeat(300_000)],
    ['more certificates than a chain has', certificate.pem.repeat(17)],
  ])('%s is not a certificate', (_, input) => {
    expect(refused(input)).toMatchObject({ code: 'not-a-certificate', hint: expect.any(String) })
  })

  test('a private key given instead is named as such', () => {
    expect(refused(privateKeyPem(pki.alpha.privateKey))).toMatchObject({
      message: 'alpha.pem is not a certificate: it is a private key',
    })
  })

  test('truncated and changed DER is refused or read, never anything else', () => {
    for (let length = 1; length < certificate.der.length; length += 7)
      expect(refused(certificate.der.subarray(0, length))).toMatchObject({
        code: 'not-a-certificate',
      })
    const byte = fc.integer({ min: 0, max: certificate.der.length - 1 })
    fc.assert(
      fc.property(byte, fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Uint8Array.from(certificate.der)
        changed[at] = (changed[at] ?? 0) ^ flip
        const error = refused(changed)
        if (error !== undefined) expect(error).toMatchObject({ code: 'not-a-certificate' })
      }),
      { seed: 5696, numRuns: 500 },
    )
  })
})

describe('fingerprints', () => {
  test('the fingerprint is the one openssl and the runtime print', () => {
    const { fingerprint256 } = new X509Certificate(certificate.pem)
    expect(withColons(certificate.fingerprint)).toBe(fingerprint256)
    expect(fingerprintOf(certificate.der)).toBe(certificate.fingerprint)
  })

  test('what people type is read back, and nothing shorter or longer', () => {
    const { fingerprint } = certificate
    expect(parseFingerprint(withColons(fingerprint))).toBe(fingerprint)
    expect(parseFingerprint(` ${fingerprint.toUpperCase()}\n`)).toBe(fingerprint)
    expect(parseFingerprint(fingerprint.slice(1))).toBeUndefined()
    expect(parseFingerprint(`${fingerprint}0`)).toBeUndefined()
    expect(parseFingerprint(fingerprint.replace(/^./, 'g'))).toBeUndefined()
  })
})

test('a certificate serves clients when its use says so or is left open', () => {
  expect(servesClients(pki.alpha.certificate)).toBe(true)
  expect(servesClients(pki['wrong-usage'].certificate)).toBe(false)
  expect(servesClients(pki.ca.certificate)).toBe(true)
})
