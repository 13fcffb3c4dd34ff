import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import type { CryptoRefusalCode } from '../../src/crypto/crypto-refusal.ts'
import { derivationLimits, derive, type DerivationRequest } from '../../src/crypto/derivation.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const bytes = (length: number, value = 7) => new Uint8Array(length).fill(value)

async function derived(request: Partial<DerivationRequest>): Promise<string> {
  const secret = await derive({ method: 'HASH', length: 16, parameters: {}, ...request })
  return Buffer.from(secret.bytes).toString('hex')
}

const key = hex('00112233445566778899aabbccddeeff')
const fixed = Buffer.from('label\0context')

interface Vector {
  name: string
  request: Partial<DerivationRequest>
  expected: string
}

const vectors: Vector[] = [
  {
    name: 'PBKDF2 with SHA-1 when no hash is named, RFC 6070',
    request: {
      method: 'PBKDF2',
      key: Buffer.from('passwordPASSWORDpassword'),
      salt: Buffer.from('saltSALTsaltSALTsaltSALTsaltSALTsalt'),
      iterations: 4096,
      length: 25,
    },
    expected: '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038',
  },
  {
    name: 'PBKDF2 of Derivation Data instead of a key',
    request: {
      method: 'PBKDF2',
      data: [Buffer.from('password')],
      salt: Buffer.from('salt'),
      iterations: 4096,
      length: 32,
      parameters: { HashingAlgorithm: 'SHA_256' },
    },
    expected: 'c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a',
  },
  {
    name: 'HASH of the derivation data',
    request: { data: [Buffer.from('abc')], parameters: { HashingAlgorithm: 'SHA_256' } },
    expected: 'ba7816bf8f01cfea414140de5dae2223',
  },
  {
    name: 'HMAC by the hash that the key is for, whatever the parameters say',
    request: {
      method: 'HMAC',
      key: Buffer.from('Jefe'),
      algorithm: 'HMAC_SHA256',
      data: [Buffer.from('what do ya want for nothing?')],
      parameters: { HashingAlgorithm: 'SHA_1' },
      length: 32,
    },
    expected: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    name: 'ENCRYPT by AES in CBC, with zeros for an IV when none is given',
    request: {
      method: 'ENCRYPT',
      key: hex('2b7e151628aed2a6abf7158809cf4f3c'),
      algorithm: 'AES',
      data: [hex('6bc0bce12a459991e134741a7f9e1925')],
      parameters: { BlockCipherMode: 'CBC' },
    },
    expected: '7649abac8119b246cee98e9b12e9197d',
  },
  {
    name: 'SP 800-108 counter mode by HMAC, as openssl KBKDF',
    request: {
      method: 'NIST800_108_C',
      key,
      data: [fixed],
      length: 40,
      parameters: { HashingAlgorithm: 'SHA_256' },
    },
    expected: '3216f29b16d9b2b2781afef28c29d248e070dc4f842a163617b3f7c100c811bab8cc097b2dc60acb',
  },
  {
    name: 'SP 800-108 counter mode by CMAC, as openssl KBKDF',
    request: {
      method: 'NIST800_108_C',
      key,
      algorithm: 'AES',
      data: [fixed],
      length: 24,
      parameters: { BlockCipherMode: 'CMAC' },
    },
    expected: 'e14385cb18f7050426766ee8c571225cbdfa691e7dde8326',
  },
  {
    name: 'SP 800-108 feedback mode by HMAC with an IV, as openssl KBKDF',
    request: {
      method: 'NIST800_108_F',
      key,
      iv: Uint8Array.from({ length: 32 }, (_, index) => 0xa0 + index),
      data: [fixed],
      length: 40,
      parameters: { CryptographicAlgorithm: 'HMAC_SHA256' },
    },
    expected: '42834ce49d30f0500c488304b516fb2b403c33999725521d9b9bbcb80cd42b274d0baa0c90fc9015',
  },
  {
    name: 'SP 800-108 feedback mode by CMAC without an IV, as openssl KBKDF',
    request: {
      method: 'NIST800_108_F',
      key,
      algorithm: 'AES',
      data: [fixed],
      length: 24,
      parameters: { BlockCipherMode: 'CMAC' },
    },
    expected: 'e14385cb18f7050426766ee8c571225c071f0d83f4c1e1c8',
  },
  {
    name: 'SP 800-108 double-pipeline mode by HMAC, as computed with Python hmac',
    request: {
      method: 'NIST800_108_DPI',
      key,
      data: [fixed],
      length: 40,
      parameters: { HashingAlgorithm: 'SHA_256' },
    },
    expected: '9ea2429b332d7aec4c2d79224a9fe18e4519eacc290c4bf2cfabb9e5a073d2d58405ce14e9fa1dae',
  },
  {
    name: 'HKDF, RFC 5869 A.1',
    request: {
      method: 'HKDF',
      key: bytes(22, 0x0b),
      salt: hex('000102030405060708090a0b0c'),
      data: [hex('f0f1f2f3f4f5f6f7f8f9')],
      length: 42,
    },
    expected:
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    name: 'AWS Signature Version 4, the example of its documentation',
    request: {
      method: 'AWSSignatureVersion4',
      key: Buffer.from('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'),
      data: ['20150830', 'us-east-1', 'iam'].map((part) => Buffer.from(part)),
      length: 32,
    },
    expected: 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9',
  },
  {
    name: 'X25519, RFC 7748 §6.1',
    request: {
      method: 'AsymmetricKey',
      privateKey: createPrivateKey({
        key: Buffer.from(
          '302e020100300506032b656e042204205dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
          'hex',
        ),
        format: 'der',
        type: 'pkcs8',
      }),
      publicKey: createPublicKey({
        key: Buffer.from(
          '302a300506032b656e0321008520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
          'hex',
        ),
        format: 'der',
        type: 'spki',
      }),
      length: 32,
    },
    expected: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  },
]

test.each(vectors)('$name', async ({ request, expected }) => {
  expect(await derived(request)).toBe(expected)
})

test.each(['secp256k1', 'P-384'])('both sides of %s agree on one secret', async (namedCurve) => {
  const ours = generateKeyPairSync('ec', { namedCurve })
  const theirs = generateKeyPairSync('ec', { namedCurve })
  const agree = (privateKey: typeof ours.privateKey, publicKey: typeof ours.publicKey) =>
    derived({ method: 'AsymmetricKey', privateKey, publicKey, length: 32 })
  const secret = await agree(ours.privateKey, theirs.publicKey)
  expect(await agree(theirs.privateKey, ours.publicKey)).toBe(secret)
})

const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const sha256 = { HashingAlgorithm: 'SHA_256' } as const
const pbkdf2 = { method: 'PBKDF2', key, salt: bytes(8), iterations: 1 } as const
const x25519 = generateKeyPairSync('x25519')
const p256 = curve('P-256')

test.each<[string, Partial<DerivationRequest>, CryptoRefusalCode]>([
  ['an unknown method', { method: 0x8000_0001 }, 'unsupported'],
  ['no length', { key, parameters: sha256, length: 0 }, 'parameters'],
  ['gigabytes', { key, parameters: sha256, length: 2 ** 30 }, 'parameters'],
  ['more than a hash gives', { key, parameters: sha256, length: 33 }, 'failure'],
  ['no hash', { key }, 'parameters'],
  ['a hash that we lack', { key, parameters: { HashingAlgorithm: 'MD4' } }, 'unsupported'],
  ['key and data for HASH', { key, data: [key], parameters: sha256 }, 'parameters'],
  ['PBKDF2 without a salt', { ...pbkdf2, salt: undefined }, 'parameters'],
  ['PBKDF2 of 0 rounds', { ...pbkdf2, iterations: 0 }, 'parameters'],
  ['PBKDF2 of -1 rounds', { ...pbkdf2, iterations: -1 }, 'parameters'],
  ['PBKDF2 of 10^9 rounds', { ...pbkdf2, iterations: 1e9 }, 'parameters'],
  ['many rounds for a long result', { ...pbkdf2, iterations: 1e5, length: 8192 }, 'parameters'],
  ['HMAC without data', { method: 'HMAC', key, parameters: sha256 }, 'parameters'],
  ['HMAC without a hash', { method: 'HMAC', key, data: [key] }, 'parameters'],
  [
    'ENCRYPT with a tag',
    {
      method: 'ENCRYPT',
      key,
      algorithm: 'AES',
      data: [key],
      parameters: { BlockCipherMode: 'GCM' },
    },
    'unsupported',
  ],
  [
    'SP 800-108 over megabytes',
    {
      method: 'NIST800_108_C',
      key,
      data: [bytes(2 ** 20)],
      length: 8192,
      parameters: sha256,
    },
    'parameters',
  ],
  ['HKDF of more than 255 hashes', { method: 'HKDF', key, length: 8161 }, 'parameters'],
  ['AWS with one part', { method: 'AWSSignatureVersion4', key, data: [key] }, 'parameters'],
  ['agreement without keys', { method: 'AsymmetricKey' }, 'parameters'],
  [
    'agreement of two kinds of key',
    { method: 'AsymmetricKey', privateKey: x25519.privateKey, publicKey: p256.publicKey },
    'parameters',
  ],
  [
    'agreement across curves',
    {
      method: 'AsymmetricKey',
      privateKey: curve('P-384').privateKey,
      publicKey: p256.publicKey,
    },
    'failure',
  ],
  [
    'more than an agreement gives',
    {
      method: 'AsymmetricKey',
      privateKey: p256.privateKey,
      publicKey: curve('P-256').publicKey,
      length: 33,
    },
    'failure',
  ],
])('%s is refused', async (_, request, code) => {
  await expect(derived(request)).rejects.toMatchObject({ name: 'CryptoRefusal', code })
})

test('the caller sets the limits', async () => {
  const limits = { ...derivationLimits, iterations: 10, length: 64 }
  const request = { ...pbkdf2, iterations: 10, length: 16, parameters: {} }
  await expect(derive(request, limits)).resolves.toHaveLength(16)
  for (const more of [{ iterations: 11 }, { length: 21 }, { length: 65 }])
    await expect(derive({ ...request, ...more }, limits)).rejects.toMatchObject({
      code: 'parameters',
    })
})
