/** Certificates as attributes, and certificates issued from requests; openssl has the second opinion. */
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCertificateFacts } from '../../src/crypto/certificate-attributes.ts'
import { issueCertificate, readCertificateRequest } from '../../src/crypto/certify.ts'
import { nameOfParts, nameText, partsOfName } from '../../src/crypto/distinguished-names.ts'
import { isPair, privateHalf } from '../../src/crypto/key-formats/asymmetric-key.ts'
import { readPrivateKey } from '../../src/crypto/key-formats.ts'
import { opensslDirectory } from './openssl.ts'
import { hasPublishedCases, publishedTest, publishedValues } from './published-values.ts'

const refusal = (code: string) => expect.objectContaining({ name: 'CryptoRefusal', code })
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const now = 1_700_000_000n
const key = privateHalf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

/** A self-signed authority of openssl's with its key, and a request of `subject`. */
function site(subject: string, ...options: string[]) {
  const openssl = opensslDirectory()
  const authority = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=site', '-days', '9000']
  authority.push('-addext', 'keyUsage=critical,keyCertSign,cRLSign')
  openssl.run('req', ...authority, '-keyout', 'ca.key', '-outform', 'DER', '-out', 'ca.der')
  openssl.run('pkey', '-in', 'ca.key', '-outform', 'DER', '-out', 'ca.key.der')
  openssl.run('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'own.key')
  const made = ['-new', '-key', 'own.key', '-subj', subject, '-outform', 'DER', '-out', 'request']
  openssl.run('req', ...made, ...options)
  const read = (name: string) => readFileSync(openssl.path(name))
  const material = read('ca.key.der')
  const issuer = { certificate: read('ca.der'), key: readPrivateKey('PKCS_1', material) }
  return { openssl, issuer, request: read('request') }
}

if (hasPublishedCases)
  describe('published certificates', () => {
    publishedTest('TC-CERTATTR-1 has the published attributes', () => {
      const [der] = publishedValues('TC-CERTATTR-1-14', 'CertificateValue')
      const { attributes } = readCertificateFacts(der!)
      const [issuer, subject] = ['CN=Inter,O=Kmip Test,C=AU', 'CN=EE,O=Kmip Test,C=AU']
      expect(attributes).toMatchObject({
        CertificateLength: [557],
        CertificateIdentifier: [{ Issuer: issuer, SerialNumber: '3132333435363738' }],
        CertificateIssuer: [{ CertificateIssuerDistinguishedName: issuer }],
        CertificateSubject: [{ CertificateSubjectDistinguishedName: subject }],
        CertificateIssuerCN: ['Inter'],
        CertificateSubjectC: ['AU'],
        CertificateSubjectO: ['Kmip Test'],
        CryptographicAlgorithm: ['RSA'],
        CryptographicLength: [1024],
        DigitalSignatureAlgorithm: ['SHA_256WithRSAEncryption'],
      })
      const name = publishedValues('TC-CERTATTR-1-14', 'IssuerDistinguishedName')[0]!
      const [identifier] = attributes.X_509CertificateIdentifier!
      expect(hex(identifier!.IssuerDistinguishedName)).toBe(hex(name))
      expect(hex(identifier!.CertificateSerialNumber)).toBe('02083132333435363738')
      const [published] = publishedValues('TC-CERTATTR-1-14', 'SubjectDistinguishedName')
      const [shown] = attributes.X_509CertificateSubject!
      expect(hex(shown!.SubjectDistinguishedName)).toBe(hex(published!))
    })

    publishedTest('the others are read too', () => {
      const [ec] = publishedValues('TC-ECC-3-14', 'CertificateValue')
      expect(readCertificateFacts(ec!).attributes).toMatchObject({
        CryptographicAlgorithm: ['EC'],
        CryptographicDomainParameters: [{ RecommendedCurve: 'SECP256K1' }],
        DigitalSignatureAlgorithm: ['ECDSAWithSHA256'],
        CertificateSubjectOU: ['OASIS'],
      })
      for (const der of publishedValues('TC-PKCS12-1-14', 'CertificateValue'))
        expect(readCertificateFacts(der).attributes.CertificateLength).toEqual([der.length])
    })
  })

describe('names', () => {
  test('are written as text as openssl does, special characters escaped', () => {
    const parts = { CN: [' a+b="c", #d; <e>\\f '], O: ['Ärzte'], C: ['DE'], Email: ['a@b.example'] }
    const der = nameOfParts({ ...parts, DC: ['example'] })
    expect(partsOfName(der)).toEqual({ ...parts, DC: ['example'] })
    const { openssl, issuer } = site('/CN=any')
    const plan = { subject: der, publicKey: key, notBefore: now, notAfter: now + 1000n }
    openssl.write('issued.der', issueCertificate(plan, issuer))
    const shown = openssl
      .run(
        'x509',
        '-inform',
        'DER',
        '-in',
        'issued.der',
        '-noout',
        '-subject',
        '-nameopt',
        'RFC2253,-esc_msb,utf8',
      )
      .trim()
    expect(shown).toBe(`subject=${nameText(der)}`)
  })

  test('have no parts that they may not have', () => {
    expect(() => nameOfParts({ C: ['Germany'] })).toThrow(refusal('parameters'))
    expect(() => nameOfParts({ CN: [''] })).toThrow(refusal('parameters'))
    expect(() => nameOfParts({ Email: ['ä@b'] })).toThrow(refusal('parameters'))
  })
})

describe('a certificate request', () => {
  const names = [
    '-addext',
    'subjectAltName=DNS:tape.example,IP:192.0.2.7,IP:2001:db8::7,email:a@b.c',
  ]

  test('becomes a certificate that openssl trusts, with names and without the powers asked for', () => {
    const powers = [
      '-addext',
      'keyUsage=digitalSignature,keyCertSign',
      '-addext',
      'basicConstraints=CA:TRUE',
    ]
    const { openssl, issuer, request } = site('/C=DE/CN=tape library', ...names, ...powers)
    const asked = readCertificateRequest(request)
    const plan = { ...asked, notBefore: now, notAfter: now + 100_000_000n }
    const issued = issueCertificate(plan, issuer)
    openssl.write('issued.der', issued)
    openssl.run('x509', '-inform', 'DER', '-in', 'ca.der', '-out', 'ca.pem')
    openssl.run('x509', '-inform', 'DER', '-in', 'issued.der', '-out', 'issued.pem')
    openssl.run('verify', '-x509_strict', '-CAfile', 'ca.pem', '-no_check_time', 'issued.pem')
    const text = openssl.run('x509', '-in', 'issued.pem', '-noout', '-text')
    expect(text).toContain('CA:FALSE')
    expect(text).toContain('Digital Signature')
    expect(text).not.toContain('Certificate Sign')

    const { attributes, publicKey, notBefore, notAfter } = readCertificateFacts(issued)
    expect(isPair(publicKey!, asked.publicKey)).toBe(true)
    expect([notBefore, notAfter]).toEqual([now, now + 100_000_000n])
    expect(attributes.CertificateSubject).toEqual([
      {
        CertificateSubjectDistinguishedName: 'CN=tape library,C=DE',
        CertificateSubjectAlternativeName: ['tape.example', '192.0.2.7', '2001:db8::7', 'a@b.c'],
      },
    ])
    const [subject] = attributes.X_509CertificateSubject!
    expect(subject!.SubjectAlternativeName.map(hex)[0]).toBe('820c746170652e6578616d706c65')
  })

  test('is read from PEM, and without a subject the certificate names it critically', () => {
    const { openssl, issuer, request } = site('/', ...names)
    openssl.run('req', '-inform', 'DER', '-in', 'request', '-out', 'request.pem')
    const asked = readCertificateRequest(readFileSync(openssl.path('request.pem')))
    expect(asked.subject).toEqual(readCertificateRequest(request).subject)
    const issued = issueCertificate({ ...asked, notBefore: now, notAfter: now + 10n }, issuer)
    const [subject] = readCertificateFacts(issued).attributes.X_509CertificateSubject!
    expect(subject!.SubjectDistinguishedName).toHaveLength(0)
    openssl.write('issued.der', issued)
    const text = openssl.run('x509', '-inform', 'DER', '-in', 'issued.der', '-noout', '-text')
    expect(text).toContain('Subject Alternative Name: critical')
  })

  test('never outlives its authority, and the authority needs its own key', () => {
    const { issuer, request } = site('/CN=any')
    const asked = readCertificateRequest(request)
    const end = readCertificateFacts(issuer.certificate).notAfter
    const plan = { ...asked, notBefore: now, notAfter: end + 1000n }
    expect(readCertificateFacts(issueCertificate(plan, issuer)).notAfter).toBe(end)
    expect(() => issueCertificate(plan, { ...issuer, key })).toThrow(refusal('parameters'))
    expect(() => issueCertificate({ ...plan, notBefore: end + 1n }, issuer)).toThrow(
      refusal('parameters'),
    )
  })

  test('begins at any time that a certificate can say', () => {
    const { issuer, request, openssl } = site('/CN=any')
    const asked = readCertificateRequest(request)
    const from = (year: number) => BigInt(Date.UTC(year, 5, 1) / 1000)
    for (const year of [1900, 1949, 1950, 2000]) {
      const issued = issueCertificate({ ...asked, notBefore: from(year), notAfter: now }, issuer)
      openssl.write('issued.der', issued)
      const text = openssl.run(
        'x509',
        '-inform',
        'DER',
        '-in',
        'issued.der',
        '-noout',
        '-startdate',
      )
      expect(text).toContain(`Jun  1 00:00:00 ${year} GMT`)
    }
    for (const notBefore of [-62_167_219_201n, -(2n ** 62n)])
      expect(() => issueCertificate({ ...asked, notBefore, notAfter: now }, issuer)).toThrow(
        refusal('parameters'),
      )
  })

  test('with a changed byte or a weak signature is refused', () => {
    const { request } = site('/CN=any')
    fc.assert(
      fc.property(fc.nat(request.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Uint8Array.from(request)
        bytes[at]! ^= change
        expect(() => readCertificateRequest(bytes)).toThrow(
          expect.objectContaining({ name: 'CryptoRefusal' }),
        )
      }),
      { numRuns: 100, seed: 2 },
    )
    const old = site('/CN=any', '-sha1').request
    expect(readCertificateRequest(old).publicKey.algorithm).toBe('EC')
    // ecdsa-with-SHA256 under the name of an algorithm that nobody knows.
    const text = site('/CN=any').request.toString('hex')
    const weak = Buffer.from(text.replaceAll('2a8648ce3d040302', '2a8648ce3d04037f'), 'hex')
    expect(() => readCertificateRequest(weak)).toThrow(refusal('unsupported'))
  })
})

test('a certificate with changed bytes is read or refused, and nothing else is thrown', () => {
  const { issuer } = site('/CN=any')
  fc.assert(
    fc.property(fc.nat(issuer.certificate.length - 1), fc.nat(255), (at, byte) => {
      const bytes = Uint8Array.from(issuer.certificate)
      bytes[at] = byte
      try {
        readCertificateFacts(bytes)
      } catch (error) {
        expect(error).toEqual(refusal('parameters'))
      }
    }),
    { numRuns: 300, seed: 9 },
  )
})
