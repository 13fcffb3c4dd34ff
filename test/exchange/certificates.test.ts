// Encryption Certificates: ours as others read them, those of others as they are judged.
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { UserError } from '../../src/errors.ts'
import { issueCertificate } from '../../src/crypto/certificates-issue.ts'
import { parseCertificate } from '../../src/crypto/certificates.ts'
import { encryptionCertificate, furtherKeys } from '../../src/crypto/encryption-certificates.ts'
import {
  ensureExchange,
  openExchangeKeys,
  renewEncryptionCertificate,
} from '../../src/exchange/identity.ts'
import { readOffered, type Offered } from '../../src/exchange/peer-certificates.ts'
import { alarmRefusedPeer, judgeOffered, peerNamed, trustPeer } from '../../src/exchange/peers.ts'
import { spoken } from '../../src/exchange/words.ts'
import { testStore } from '../access/test-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyreel-exchange-'))
afterAll(() => rmSync(folder, { recursive: true }))
const now = BigInt(Math.floor(Date.now() / 1000))

const openssl = (...words: string[]) =>
  execFileSync('openssl', words, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })

/** A self-signed certificate by openssl, as PEM. */
function made(key: string, ...more: string[]): Buffer {
  openssl(...`genpkey ${key} -out key.pem`.split(' '))
  openssl(...'req -x509 -new -key key.pem -subj /CN=elsewhere -out cert.pem'.split(' '), ...more)
  return readFileSync(join(folder, 'cert.pem'))
}

const rsa = (bits: number) => `-algorithm RSA -pkeyopt rsa_keygen_bits:${bits}`
const curve = (name: string) => `-algorithm EC -pkeyopt ec_paramgen_curve:${name}`

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as UserError).code
  }
  return 'taken'
}

describe('our Encryption Certificate', () => {
  test('is made once, names its identity by a SHA-256 and carries three keys', async () => {
    const store = await testStore()
    const [first, second] = [await ensureExchange(store), await ensureExchange(store)]
    expect(second.current.fingerprint).toBe(first.current.fingerprint)
    const { recipient, rsa: rsaKey, issuerPin } = encryptionCertificate(first.current)
    expect(recipient.kind).toBe('hybrid')
    expect(rsaKey?.asymmetricKeyDetails?.modulusLength).toBe(3072)
    expect(issuerPin).toBe(first.pin)
    expect(await store.stored()).not.toContain('PRIVATE')
    const [record] = await store.audited()
    expect(record?.operation).toBe('exchange identity create')
  })

  test('verifies under its identity with openssl, which shows its extensions', async () => {
    const { current, identity } = await ensureExchange(await testStore())
    writeFileSync(join(folder, 'own.pem'), current.pem)
    writeFileSync(join(folder, 'identity.pem'), identity.pem)
    // The test's clock is ahead of the machine's.
    const at = String(Number(current.notBefore) + 1)
    const verified = openssl('verify', '-attime', at, '-CAfile', 'identity.pem', 'own.pem')
    expect(verified).toContain('own.pem: OK')
    const shown = openssl('x509', '-in', 'own.pem', '-noout', '-text')
    for (const oid of Object.values(furtherKeys)) expect(shown).toContain(oid)
    expect(shown).toContain('Key Agreement')
  })

  test('is renewed under the same identity, and the old private keys stay', async () => {
    const store = await testStore()
    const before = await ensureExchange(store)
    const after = await renewEncryptionCertificate(store)
    expect(after.pin).toBe(before.pin)
    expect(after.current.fingerprint).not.toBe(before.current.fingerprint)
    const opened = await store.read(openExchangeKeys)
    expect(opened.map(({ certificate }) => certificate.fingerprint)).toEqual([
      after.current.fingerprint,
      before.current.fingerprint,
    ])
  })
})

describe('a certificate of another site', () => {
  test.each([
    ['RSA-3072 by openssl', () => made(rsa(3072))],
    ['P-384 by openssl', () => made(curve('P-384'))],
    ['P-256 by openssl', () => made(curve('P-256'))],
  ])('is taken for exports: %s', (_, make) => {
    const offered = readOffered(make(), 'file', now)
    expect(offered.identity).toBeUndefined()
    expect(['rsa', 'ec']).toContain(offered.encryption.recipient.kind)
  })

  test('is taken as DER as well', () => {
    const { der } = parseCertificate(made(curve('P-384')))
    expect(readOffered(der, 'file', now).certificate.der).toEqual(der)
  })

  test('issued by a CA is taken for exports only, the CA being nobody', () => {
    made(curve('P-256'))
    openssl(...'x509 -in cert.pem -out ca.pem'.split(' '))
    openssl(...'pkey -in key.pem -out ca.key'.split(' '))
    openssl(...`genpkey ${rsa(2048)} -out leaf.key`.split(' '))
    openssl(...'req -new -key leaf.key -subj /CN=leaf -out leaf.csr'.split(' '))
    openssl(
      ...'x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem'.split(' '),
    )
    const chain = Buffer.concat(
      ['leaf.pem', 'ca.pem'].map((name) => readFileSync(join(folder, name))),
    )
    expect(readOffered(chain, 'file', now).identity).toBeUndefined()
    const mixed = Buffer.concat([readFileSync(join(folder, 'leaf.pem')), made(curve('P-384'))])
    expect(codeOf(() => readOffered(mixed, 'file', now))).toBe('certificate-forged')
  })

  test.each([
    ['RSA of 1024 bits', 'weak-key', () => made(rsa(1024))],
    ['Ed25519, which encrypts nothing', 'weak-key', () => made('-algorithm ED25519')],
    ['secp256k1', 'weak-key', () => made(curve('secp256k1'))],
    [
      'a key usage for signing',
      'wrong-usage',
      () => made(rsa(2048), '-addext', 'keyUsage=digitalSignature'),
    ],
    [
      'a key usage for RSA on a curve',
      'wrong-usage',
      () => made(curve('P-384'), '-addext', 'keyUsage=keyEncipherment'),
    ],
    [
      'an extended key usage for TLS servers',
      'wrong-usage',
      () => made(rsa(2048), '-addext', 'extendedKeyUsage=serverAuth'),
    ],
    ['no certificate at all', 'not-a-certificate', () => Buffer.from('hello')],
    ['an empty file', 'not-a-certificate', () => Buffer.alloc(0)],
    [
      'a private key',
      'not-a-certificate',
      () => {
        made(curve('P-384'))
        return readFileSync(join(folder, 'key.pem'))
      },
    ],
    ['a file of many megabytes', 'not-a-certificate', () => Buffer.alloc(8_000_000, 0x30)],
  ])('is refused with %s', (_, code, make) => {
    expect(codeOf(() => readOffered(make(), 'file', now))).toBe(code)
  })

  test('is refused before and after its time', () => {
    const pem = made(curve('P-384'), '-days', '2')
    expect(codeOf(() => readOffered(pem, 'file', now + 3n * 86_400n))).toBe('certificate-expired')
    const early = codeOf(() => readOffered(pem, 'file', now - 3n * 86_400n))
    expect(early).toBe('certificate-not-yet-valid')
  })

  test('with a changed signature is refused', () => {
    const { der } = parseCertificate(made(curve('P-384')))
    der[der.length - 1]! ^= 1
    expect(codeOf(() => readOffered(der, 'file', now))).toBe('certificate-forged')
  })

  test('that names another identity than the one beside it is refused', async () => {
    const { current, identity } = await ensureExchange(await testStore())
    const at = current.notBefore + 1n
    const other = await ensureExchange(await testStore())
    const swapped = Buffer.from(current.pem + other.identity.pem)
    expect(codeOf(() => readOffered(swapped, 'file', at))).toBe('certificate-forged')
    expect(readOffered(Buffer.from(current.pem + identity.pem), 'file', at).pin).toHaveLength(64)
  })

  test('whose further keys are of another kind is refused', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
    for (const value of [weak.export({ type: 'spki', format: 'der' }), Buffer.from('junk')])
      for (const oid of Object.values(furtherKeys)) {
        const plan = {
          subject: { commonName: 'odd' },
          publicKey,
          use: 'encryption',
          further: [{ oid, value }],
          notBefore: now,
          notAfter: now + 1000n,
        } as const
        const { der } = issueCertificate(plan, { privateKey })
        expect(codeOf(() => readOffered(der, 'file', now))).toBe('weak-key')
      }
  })
})

describe('a peer', () => {
  test('renews under the identity that was trusted, and by no other', async () => {
    const [here, there, elsewhere] = [await testStore(), await testStore(), await testStore()]
    const offer = async (store: typeof here, renew = false) => {
      const { current, identity } = await (renew
        ? renewEncryptionCertificate(store)
        : ensureExchange(store))
      return readOffered(Buffer.from(current.pem + identity.pem), 'file', there.time.seconds)
    }
    const first = await offer(there)
    expect(await here.read((work) => judgeOffered(work, 'B', first))).toBe('new')
    await trustPeer(here, 'B', first, { confirmed: 'fingerprint', replace: false })
    expect(await here.read((work) => judgeOffered(work, 'B', first))).toBe('known')
    const second = await offer(there, true)
    expect(await here.read((work) => judgeOffered(work, 'B', second))).toBe('renewal')
    await trustPeer(here, 'B', second, { confirmed: 'same-identity', replace: false })
    const peer = await here.read((work) => peerNamed(work, 'B'))
    expect(peer.current.fingerprint).toBe(second.certificate.fingerprint)
    expect(peer.earlier.map(({ fingerprint }) => fingerprint)).toEqual([
      first.certificate.fingerprint,
    ])
    const other = await offer(elsewhere)
    expect(await here.read((work) => judgeOffered(work, 'B', other))).toBe('changed')
    const taken = trustPeer(here, 'B', other, { confirmed: 'by-hand', replace: false })
    await expect(taken).rejects.toMatchObject({ code: 'peer-changed' })
    await trustPeer(here, 'B', other, { confirmed: 'fingerprint', replace: true })
    const replaced = await here.read((work) => peerNamed(work, 'B'))
    expect(replaced.identity?.pin).toBe(other.pin)
  })

  test('is not brought back to a certificate it has given up, but by a person who means it', async () => {
    const [here, there] = [await testStore(), await testStore()]
    const offer = async (renew: boolean) => {
      const { current, identity } = await (renew
        ? renewEncryptionCertificate(there)
        : ensureExchange(there))
      return readOffered(Buffer.from(current.pem + identity.pem), 'file', there.time.seconds)
    }
    const verdictOn = (offered: Offered) => here.read((work) => judgeOffered(work, 'B', offered))
    const first = await offer(false)
    there.time.seconds += 5n
    const second = await offer(true)
    await trustPeer(here, 'B', second, { confirmed: 'fingerprint', replace: false })
    expect(await verdictOn(first)).toBe('older')
    const taken = trustPeer(here, 'B', first, { confirmed: 'same-identity', replace: false })
    await expect(taken).rejects.toMatchObject({ code: 'peer-certificate-older' })
    const error = await alarmRefusedPeer(here, 'B', 'older', first)
    expect(error.code).toBe('peer-certificate-older')
    const alarms = (await here.audited()).filter(({ operation }) => operation === 'Alarm')
    expect(alarms.map(({ details }) => details)).toMatchObject([
      { peer: 'B', fingerprint: first.certificate.fingerprint, alarms: [expect.any(String)] },
    ])
    await trustPeer(here, 'B', first, { confirmed: 'fingerprint', replace: true })
    const { current } = await here.read((work) => peerNamed(work, 'B'))
    expect(current.fingerprint).toBe(first.certificate.fingerprint)
    expect(await verdictOn(second), 'a person has gone back').toBe('older')
    expect(await verdictOn(await offer(true)), 'made later than both').toBe('renewal')
  })

  test('that renews twice in a second is still not brought back', async () => {
    const [here, there] = [await testStore(), await testStore()]
    const offers: Offered[] = []
    for (const make of [ensureExchange, renewEncryptionCertificate]) {
      const { current, identity } = await make(there)
      offers.push(readOffered(Buffer.from(current.pem + identity.pem), 'file', there.time.seconds))
    }
    const [first, second] = offers as [Offered, Offered]
    await trustPeer(here, 'B', first, { confirmed: 'fingerprint', replace: false })
    await trustPeer(here, 'B', second, { confirmed: 'same-identity', replace: false })
    expect(await here.read((work) => judgeOffered(work, 'B', first))).toBe('older')
  })

  test('that came without its identity gets it later: the certificate compared names it', async () => {
    const [here, there] = [await testStore(), await testStore()]
    const { current, identity, pin } = await ensureExchange(there)
    const at = there.time.seconds
    const alone = readOffered(Buffer.from(current.pem), 'file', at)
    await trustPeer(here, 'B', alone, { confirmed: 'fingerprint', replace: false })
    expect((await here.read((work) => peerNamed(work, 'B'))).identity).toBeUndefined()
    const both = readOffered(Buffer.from(current.pem + identity.pem), 'file', at)
    expect(await here.read((work) => judgeOffered(work, 'B', both))).toBe('renewal')
    await trustPeer(here, 'B', both, { confirmed: 'same-identity', replace: false })
    expect((await here.read((work) => peerNamed(work, 'B'))).identity?.pin).toBe(pin)
  })
})

test('a fingerprint is spoken in words of five letters, each for two bytes', () => {
  // Wilkerson, "A Proposal for Proquints": 127.0.0.1 is lusab-babad.
  expect(spoken('7f000001')).toEqual(['lusab babad'])
  expect(spoken('00'.repeat(32))).toEqual(Array(4).fill('babab babab babab babab'))
})
