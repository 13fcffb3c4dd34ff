import { createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  issueCertificate,
  issuerStandIn,
  parseHosts,
  validityFrom,
  type CertificateUse,
  type Issuer,
} from '../../src/crypto/certificates-issue.ts'
import { certificateNames } from '../../src/crypto/certificates.ts'
import { generateKeyPair, type KeyType } from '../../src/crypto/key-pairs.ts'
import { opensslDirectory } from './openssl.ts'

const now = 1_800_000_000n
const authority = await issue('authority', 'p256')

async function issue(
  use: CertificateUse,
  key: KeyType,
  options: { hosts?: string[]; issuer?: Issuer; at?: bigint } = {},
): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair(key)
  const { hosts = [], issuer = { privateKey }, at = now } = options
  const subject = { commonName: `a ${use}`, organization: 'keyreel' }
  const plan = { subject, publicKey, use, hosts, ...validityFrom(at, use) }
  return { certificate: issueCertificate(plan, issuer), privateKey }
}

/** openssl's verdict at the time of issue, with the strict checks of RFC 5280. */
function verify(issuer: Issuer, leaf: Issuer, purpose: string): string {
  const openssl = opensslDirectory()
  openssl.write('ca.pem', issuer.certificate.pem)
  openssl.write('leaf.pem', leaf.certificate.pem)
  const at = ['-attime', String(now)]
  const how = ['-x509_strict', '-CAfile', 'ca.pem', '-purpose', purpose]
  return openssl.run('verify', ...how, ...at, 'leaf.pem').trim()
}

function text({ certificate }: Issuer): string {
  const openssl = opensslDirectory()
  openssl.write('a.pem', certificate.pem)
  return openssl.run('x509', '-in', 'a.pem', '-noout', '-text').replaceAll(/\s+/g, ' ')
}

describe('an authority', () => {
  test('signs certificates and lists, lives thirty years, and signs no further authority', () => {
    const printed = text(authority)
    expect(printed).toContain('Basic Constraints: critical CA:TRUE, pathlen:0')
    expect(printed).toContain('Key Usage: critical Certificate Sign, CRL Sign')
    expect(printed).toContain('Signature Algorithm: ecdsa-with-SHA256')
    expect(authority.certificate.notAfter).toBe(BigInt(Date.UTC(2057, 0, 15, 8)) / 1000n)
  })

  test('passes the strict checks of openssl as its own issuer', () => {
    expect(verify(authority, authority, 'any')).toBe('leaf.pem: OK')
  })

  test.each(['rsa2048', 'p384'] as const)('may also have a %s key', async (key) => {
    const other = await issue('authority', key)
    const leaf = await issue('client', 'p256', { issuer: other })
    expect(verify(other, leaf, 'sslclient')).toBe('leaf.pem: OK')
  })
})

describe('a client certificate', () => {
  test.each(['rsa2048', 'p256'] as const)(
    'with a %s key verifies for clients only',
    async (key) => {
      const client = await issue('client', key, { issuer: authority })
      expect(verify(authority, client, 'sslclient')).toBe('leaf.pem: OK')
      expect(() => verify(authority, client, 'sslserver')).toThrow()
      expect(text(client)).toContain('Extended Key Usage: TLS Web Client Authentication')
    },
  )

  test('names its issuer by key, with the identifier the issuer carries', async () => {
    const printed = text(await issue('client', 'p256', { issuer: authority }))
    const own = /Subject Key Identifier: (\S+)/.exec(text(authority))?.[1]
    expect(/Authority Key Identifier: (\S+)/.exec(printed)?.[1]).toBe(own)
  })

  test('has a serial number of 127 random bits', async () => {
    const [one, other] = [
      await issue('client', 'p256', { issuer: authority }),
      await issue('client', 'p256', { issuer: authority }),
    ]
    expect(one.certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
    expect(one.certificate.serialNumber).not.toBe(other.certificate.serialNumber)
  })

  test('is valid for a library whose clock is a day behind, and for ten years', async () => {
    const { certificate } = await issue('client', 'p256', { issuer: authority })
    expect(certificate.notBefore).toBeLessThan(now - 86_400n)
    expect(certificate.notAfter).toBe(BigInt(Date.UTC(2037, 0, 15, 8)) / 1000n)
  })

  test.each([
    [
      '1949-12-31T23:59:59Z',
      '\x18\x0f19491231235959Z',
      '1950-01-01T00:00:00Z',
      '\x17\x0d500101000000Z',
    ],
    [
      '2049-12-31T23:59:59Z',
      '\x17\x0d491231235959Z',
      '2050-01-01T00:00:00Z',
      '\x18\x0f20500101000000Z',
    ],
  ])('valid from %s has the year in the form that RFC 5280 asks for', (from, first, to, last) => {
    const seconds = (text: string) => BigInt(Date.parse(text)) / 1000n
    const subject = { commonName: 'any' }
    const publicKey = createPublicKey(authority.privateKey)
    const validity = { notBefore: seconds(from), notAfter: seconds(to) }
    const certificate = issueCertificate(
      { subject, publicKey, use: 'client', ...validity },
      authority,
    )
    expect(Buffer.from(certificate.der).includes(Buffer.from(first + last, 'latin1'))).toBe(true)
    expect(certificate).toMatchObject(validity)
  })

  test('never outlives its authority', async () => {
    const late = BigInt(Date.UTC(2050, 0, 1)) / 1000n
    const { certificate } = await issue('client', 'p256', { issuer: authority, at: late })
    expect(certificate.notAfter).toBe(authority.certificate.notAfter)
  })
})

describe('a server certificate', () => {
  test.each(['rsa3072', 'p256'] as const)('with a %s key carries every host', async (key) => {
    const hosts = ['keyreel.example.com', '192.0.2.10', '::1', '2001:db8::10:0:5']
    const server = await issue('server', key, { issuer: authority, hosts })
    expect(verify(authority, server, 'sslserver')).toBe('leaf.pem: OK')
    expect(server.certificate.alternativeNames).toEqual([
      'DNS:keyreel.example.com',
      'IP Address:192.0.2.10',
      'IP Address:0:0:0:0:0:0:0:1',
      'IP Address:2001:DB8:0:0:0:10:0:5',
    ])
  })

  test('is checked by openssl against host and address', async () => {
    const hosts = ['keyreel.example.com', '2001:db8::10']
    const openssl = opensslDirectory()
    openssl.write(
      'a.pem',
      (await issue('server', 'p256', { issuer: authority, hosts })).certificate.pem,
    )
    const check = (...words: string[]) => openssl.run('x509', '-in', 'a.pem', '-noout', ...words)
    expect(check('-checkhost', 'keyreel.example.com')).toContain('does match')
    expect(check('-checkip', '2001:db8::10')).toContain('does match')
    expect(check('-checkhost', 'other.example.com')).toContain('does NOT match')
  })
})

describe('host names', () => {
  test('names and addresses are kept once each, in lower case', () => {
    expect(
      parseHosts(['Keyreel.example.com', '192.0.2.1', 'keyreel.example.COM', '2001:DB8::1']),
    ).toEqual(['keyreel.example.com', '192.0.2.1', '2001:db8::1'])
  })

  test.each([
    '',
    'a b',
    'https://keyreel',
    'keyreel:5696',
    '-a.example',
    '1.2.3.4.',
    `${'a'.repeat(64)}.com`,
  ])('%j is refused', (host) => {
    expect(() => parseHosts([host])).toThrow(expect.objectContaining({ code: 'host-name' }))
  })
})

test('a stand-in carries the name of an unknown issuer and can vouch for nobody', async () => {
  const foreign = await issue('client', 'p256', { issuer: authority })
  const standIn = await issuerStandIn(foreign.certificate)
  expect(certificateNames(standIn.der).subject).toEqual(
    certificateNames(foreign.certificate.der).issuer,
  )
  expect(() =>
    verify({ certificate: standIn, privateKey: authority.privateKey }, foreign, 'sslclient'),
  ).toThrow()
})
