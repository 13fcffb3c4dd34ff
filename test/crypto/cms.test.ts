// CMS as bundles use it, against openssl and against changed bytes.
import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { certificateParts } from '../../src/crypto/certificate-parts.ts'
import { parseCertificate } from '../../src/crypto/certificates.ts'
import { envelop, NotForUs, openEnvelope } from '../../src/crypto/cms.ts'
import type { Opener, Recipient } from '../../src/crypto/cms-recipients.ts'
import { signContent, verifySigned } from '../../src/crypto/cms-signed.ts'
import { hybridDecapsulate, hybridEncapsulate } from '../../src/crypto/hybrid-kem.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyreel-cms-'))
afterAll(() => rmSync(folder, { recursive: true }))

const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
const content = Buffer.from('the keys of a vault, many of them'.repeat(40))
const signingTime = 1_795_348_800n

/** A self-signed certificate made by openssl. */
function made(name: string, key: readonly string[]) {
  openssl('genpkey', ...key, '-out', `${name}.key`)
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    `${name}.key`,
    '-subj',
    `/CN=${name}`,
    '-out',
    `${name}.pem`,
  )
  const certificate = parseCertificate(readFileSync(join(folder, `${name}.pem`)))
  return {
    certificate,
    name: certificateParts(certificate.der),
    privateKey: createPrivateKey(readFileSync(join(folder, `${name}.key`))),
    publicKey: createPublicKey(certificate.pem),
  }
}

const rsa = made('rsa', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'])
const ec = made('ec', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'])
const signer = made('signer', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'])
const ml = generateKeyPairSync('ml-kem-1024')

const recipients: Record<'rsa' | 'ec' | 'hybrid' | 'shared', Recipient> = {
  rsa: { kind: 'rsa', name: rsa.name, publicKey: rsa.publicKey },
  ec: { kind: 'ec', name: ec.name, publicKey: ec.publicKey },
  hybrid: {
    kind: 'hybrid',
    name: ec.name,
    publicKeys: { ec: ec.publicKey, mlKem: ml.publicKey },
  },
  shared: { kind: 'shared', id: Buffer.from('id'), key: new Uint8Array(32).fill(7) },
}
const ecKeys: Opener = {
  name: ec.name,
  rsa: rsa.privateKey,
  ec: ec.privateKey,
  mlKem: ml.privateKey,
}
const openers: Record<keyof typeof recipients, Opener> = {
  rsa: { name: rsa.name, only: rsa.privateKey },
  ec: ecKeys,
  hybrid: ecKeys,
  shared: { id: Buffer.from('id'), key: new Uint8Array(32).fill(7) },
}
const kinds = ['rsa', 'ec', 'hybrid', 'shared'] as const

describe('an envelope', () => {
  test.each(kinds)('opens for a recipient of kind %s', (kind) => {
    expect(openEnvelope(envelop(content, [recipients[kind]]), [openers[kind]])).toEqual(content)
  })

  test('opens for each of several recipients', () => {
    const der = envelop(content, Object.values(recipients))
    for (const kind of kinds) expect(openEnvelope(der, [openers[kind]])).toEqual(content)
  })

  test('for somebody else says so, whatever its kind', () => {
    const other: Opener = { ...ecKeys, name: rsa.name }
    for (const kind of ['ec', 'hybrid', 'shared'] as const)
      expect(() => openEnvelope(envelop(content, [recipients[kind]]), [other])).toThrow(NotForUs)
  })

  test.each(kinds)('of kind %s does not open with another key', (kind) => {
    const wrong = {
      rsa: { name: rsa.name, only: made('rsa2', ['-algorithm', 'RSA']).privateKey },
      ec: { name: ec.name, only: signer.privateKey },
      hybrid: { ...ecKeys, mlKem: generateKeyPairSync('ml-kem-1024').privateKey },
      shared: { id: Buffer.from('id'), key: new Uint8Array(32).fill(8) },
    } as const
    expect(() => openEnvelope(envelop(content, [recipients[kind]]), [wrong[kind]])).toThrow(
      'cryptographic failure',
    )
  })

  test.each(kinds)('of kind %s is refused wherever a byte is changed', (kind) => {
    const der = envelop(Buffer.from('short'), [recipients[kind]])
    for (let at = 0; at < der.length; at++) {
      const changed = Buffer.from(der)
      changed[at]! ^= 1 << (at % 8)
      expect(() => openEnvelope(changed, [openers[kind]]), `byte ${at}`).toThrow()
    }
    for (let end = 0; end < der.length; end += 7)
      expect(() => openEnvelope(der.subarray(0, end), [openers[kind]])).toThrow()
    expect(() => openEnvelope(Buffer.concat([der, Buffer.alloc(1)]), [openers[kind]])).toThrow()
  })
})

describe('a signed message', () => {
  const signed = signContent(envelop(content, [recipients.rsa, recipients.ec]), signer, signingTime)

  test('verifies and names its signer and time', () => {
    const { inner, signer: who, time } = verifySigned(signed)
    expect(who.fingerprint).toBe(signer.certificate.fingerprint)
    expect(time).toBe(signingTime)
    expect(openEnvelope(inner, [openers.rsa])).toEqual(content)
  })

  test.each(['rsa', 'ec'])('is verified and decrypted by openssl with a key of kind %s', (kind) => {
    writeFileSync(join(folder, 'bundle'), signed)
    openssl(...'cms -verify -noverify -inform DER -in bundle -out inner'.split(' '))
    const decrypt = `cms -decrypt -inform DER -in inner -recip ${kind}.pem -inkey ${kind}.key -out plain`
    openssl(...decrypt.split(' '))
    expect(readFileSync(join(folder, 'plain'))).toEqual(content)
  })

  test('by an RSA key verifies too', () => {
    const { signer: who } = verifySigned(signContent(envelop(content, []), rsa, signingTime))
    expect(who.fingerprint).toBe(rsa.certificate.fingerprint)
  })

  test('is dated far in the future as RFC 5652 wants', () => {
    const late = 2_600_000_000n
    expect(verifySigned(signContent(envelop(content, []), signer, late)).time).toBe(late)
  })

  test('is refused wherever a byte outside its certificate is changed', () => {
    const small = signContent(envelop(Buffer.from('x'), [recipients.shared]), signer, signingTime)
    const start = Buffer.from(small).indexOf(signer.certificate.der)
    const end = start + signer.certificate.der.length
    for (let at = 0; at < small.length; at++) {
      if (at >= start && at < end) continue
      const changed = Buffer.from(small)
      changed[at]! ^= 1 << (at % 8)
      expect(() => verifySigned(changed), `byte ${at}`).toThrow()
    }
  })
})

test('both halves of the hybrid secret count', () => {
  const keys = { ec: ec.publicKey, mlKem: ml.publicKey }
  const { secret, ciphertext } = hybridEncapsulate(keys)
  const own = { ec: ec.privateKey, mlKem: ml.privateKey }
  expect(hybridDecapsulate(own, ciphertext).bytes).toEqual(secret.bytes)
  const otherKem = { ...own, mlKem: generateKeyPairSync('ml-kem-1024').privateKey }
  expect(hybridDecapsulate(otherKem, ciphertext).bytes).not.toEqual(secret.bytes)
  const otherEc = { ...own, ec: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey }
  expect(hybridDecapsulate(otherEc, ciphertext).bytes).not.toEqual(secret.bytes)
  expect(() => hybridEncapsulate({ ...keys, ec: rsa.publicKey })).toThrow('P-384 and ML-KEM-1024')
  expect(() => hybridDecapsulate(own, ciphertext.subarray(1))).toThrow('another length')
})
