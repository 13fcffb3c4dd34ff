import * as asn1js from 'asn1js'
import { describe, expect, test } from 'vitest'
import { makeCertificates } from '../../certs/make-certs.ts'
import { readDer, writeDer } from '../../src/crypto/asn1.ts'
import { issueCertificate, validityFrom } from '../../src/crypto/certificates-issue.ts'
import { parseCertificateRequest } from '../../src/crypto/certificates-request.ts'
import { certificateNames } from '../../src/crypto/certificates.ts'
import { opensslDirectory } from './openssl.ts'

const now = 1_800_000_000n
const pki = await makeCertificates(now)

const keys = {
  rsa2048: ['rsa:2048'],
  rsa1024: ['rsa:1024'],
  p256: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p521: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  secp256k1: ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
  ed25519: ['ed25519'],
} as const

/** A request as a library would write it, by openssl. */
function request(key: keyof typeof keys, ...options: string[]): string {
  const openssl = opensslDirectory()
  const subject = options.includes('-subj') ? [] : ['-subj', '/O=Example/OU=SN 00042/CN=robot']
  openssl.run(
    ...['req', '-new', '-newkey', ...keys[key], '-nodes', '-keyout', 'key.pem'],
    ...['-out', 'request.pem', ...subject, ...options],
  )
  return openssl.run('req', '-in', 'request.pem')
}

function refused(input: string | Uint8Array) {
  try {
    parseCertificateRequest(input, 'alpha.csr')
  } catch (error) {
    return error
  }
  return undefined
}

describe('a request', () => {
  test.each([
    ['rsa2048', 'RSA-2048'],
    ['p256', 'P-256'],
    ['p521', 'P-521'],
    ['ed25519', 'Ed25519'],
  ] as const)('for a %s key is accepted', (key, name) => {
    expect(parseCertificateRequest(request(key)).key).toEqual({ name, strong: true })
  })

  test('gives the certificate its subject and key, and nothing else it asks for', () => {
    const asked = request('p256', '-addext', 'basicConstraints=critical,CA:TRUE')
    const { subject, publicKey } = parseCertificateRequest(asked)
    const certificate = issueCertificate(
      {
        subject: subject ?? new Uint8Array(),
        publicKey,
        use: 'client',
        ...validityFrom(now, 'client'),
      },
      pki.ca,
    )
    expect(certificate.subject).toBe('O=Example, OU=SN 00042, CN=robot')
    expect(certificate.isAuthority).toBe(false)
  })

  test('as DER, and with the old PEM label, is the same', () => {
    const pem = request('p256')
    const bytes = Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64')
    const { subject } = parseCertificateRequest(pem)
    expect(parseCertificateRequest(bytes).subject).toEqual(subject)
    const old = pem.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST')
    expect(parseCertificateRequest(old).subject).toEqual(subject)
  })

  test('has its subject copied byte for byte, with values in sets and strings of any kind', () => {
    const name = ['-subj', '/O=Exämple+OU=SN 00042/DC=example/CN=robot', '-utf8']
    const parsed = parseCertificateRequest(request('p256', ...name, '-multivalue-rdn'))
    const subject = parsed.subject ?? new Uint8Array()
    const plan = { subject, publicKey: parsed.publicKey, use: 'client' } as const
    const { der } = issueCertificate({ ...plan, ...validityFrom(now, 'client') }, pki.ca)
    expect(certificateNames(der).subject).toEqual(subject)
    expect(Buffer.from(subject).includes(Buffer.from('Exämple'))).toBe(true)
  })

  test('in BER that is not DER is refused, though its signature fits', () => {
    const bytes = Buffer.from(request('p256').replaceAll(/-----.*-----|\n/g, ''), 'base64')
    const content = bytes.subarray(bytes[1] === 0x82 ? 4 : 3)
    const indefinite = Buffer.concat([Buffer.from('3080', 'hex'), content, Buffer.alloc(2)])
    expect(refused(indefinite)).toMatchObject({ code: 'not-a-request' })
  })

  test('without a subject leaves it to us', () => {
    expect(parseCertificateRequest(request('p256', '-subj', '/')).subject).toBeUndefined()
  })

  test.each(['rsa1024', 'secp256k1'] as const)('for a %s key is refused as weak', (key) => {
    expect(refused(request(key))).toMatchObject({ code: 'weak-key' })
  })

  test.each(['-sha1', '-md5'])('signed with %s is refused', (digest) => {
    expect(refused(request('rsa2048', digest))).toMatchObject({ code: 'request-signature' })
  })

  test('whose signature does not fit is refused', () => {
    const bytes = Buffer.from(request('p256').replaceAll(/-----.*-----|\n/g, ''), 'base64')
    const name = bytes.indexOf('robot')
    bytes.write('r0bot', name)
    expect(refused(bytes)).toMatchObject({ code: 'request-signature' })
  })

  test('signed by another key of another kind is refused', () => {
    const forged = mixed(request('rsa2048'), request('p256'))
    expect(refused(forged)).toMatchObject({ code: 'request-signature' })
  })

  test.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['other DER', sequence(new asn1js.Integer({ value: 1 }))],
    [
      'DER of the right outline',
      sequence(
        new asn1js.Sequence(),
        new asn1js.Sequence(),
        new asn1js.BitString({ valueHex: new Uint8Array(8) }),
      ),
    ],
    ['a file too large', `-----BEGIN CERTIFICATE REQUEST-----${'A'.repeat(70_000)}`],
  ])('is not made of %s', (_, input) => {
    expect(refused(input)).toMatchObject({ code: 'not-a-request' })
  })

  test('is not a certificate, and the hint says which option takes one', () => {
    expect(refused(pki.alpha.certificate.pem)).toMatchObject({
      code: 'not-a-request',
      hint: 'pass a certificate with --certificate instead',
    })
  })

  test('cut short anywhere is refused', () => {
    const bytes = Buffer.from(request('p256').replaceAll(/-----.*-----|\n/g, ''), 'base64')
    for (let length = 1; length < bytes.length; length++)
      expect(refused(bytes.subarray(0, length))).toMatchObject({ code: 'not-a-request' })
  })

  test('with a subject longer than any library has is refused', () => {
    const units = Array.from({ length: 20 }, (_, i) => `/OU=${String(i).repeat(30).slice(0, 60)}`)
    expect(refused(request('p256', '-subj', units.join('')))).toMatchObject({
      code: 'not-a-request',
    })
  })
})

/** The content of one request with the algorithm and signature of another. */
function mixed(one: string, other: string): Uint8Array {
  const parts = (pem: string) => {
    const read = readDer(Buffer.from(pem.replaceAll(/-----.*-----|\n/g, ''), 'base64'))
    return read instanceof asn1js.Sequence ? read.valueBlock.value : []
  }
  return sequence(...parts(one).slice(0, 1), ...parts(other).slice(1))
}

function sequence(...value: asn1js.BaseBlock[]): Uint8Array {
  return writeDer(new asn1js.Sequence({ value }))
}
