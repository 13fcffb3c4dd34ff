/** Signatures against the published cases, openssl and the crypto library's own verifier. */
import {
  constants,
  createHash,
  generateKeyPairSync,
  sign as signByLibrary,
  verify as verifyByLibrary,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { privateHalf, type PrivateHalf } from '../../src/crypto/key-formats/asymmetric-key.ts'
import { readPublicKey, writePrivateKey } from '../../src/crypto/key-formats.ts'
import type { CryptographicParameters } from '../../src/crypto/parameters.ts'
import { openSigning, openVerification, sign, verify } from '../../src/crypto/signatures.ts'
import { opensslDirectory } from './openssl.ts'
import { publishedTest, publishedValues } from './published-values.ts'

const refusal = (code: string) => expect.objectContaining({ name: 'CryptoRefusal', code })
const data = Buffer.from('01020304050607080910111213141516', 'hex')

const rsaPair = generateKeyPairSync('rsa', { modulusLength: 1024 })
const rsa = privateHalf(rsaPair.privateKey)
const oddPair = generateKeyPairSync('rsa', { modulusLength: 1025 })
const odd = privateHalf(oddPair.privateKey)
const ec = (namedCurve: string) => privateHalf(generateKeyPairSync('ec', { namedCurve }).privateKey)
const p256 = ec('P-256')
const dsaPair = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
const dsa = privateHalf(dsaPair.privateKey)
const ed25519 = privateHalf(generateKeyPairSync('ed25519').privateKey)
const ed448 = privateHalf(generateKeyPairSync('ed448').privateKey)

describe('published signatures', () => {
  /** TC-ECDSA-SIGN-1 on secp256k1, and its last byte changed. */
  const publicKey = readPublicKey(
    'X_509',
    Buffer.from(
      '3056301006072a8648ce3d020106052b8104000a03420004dab5d3c253113db414abfc1c0ebf5a02559e656aa1c8b' +
        '0aa8d870aa0324cda4899925ea1e6dbc259a6c7825cf46592ac7594cc40bd604b728d88b636f317d366',
      'hex',
    ),
  )
  const signature =
    '30440220078ac91570286b4b35f2bf1da113c6e25e8c45dfc7a7dc7db07f7ff34ffc08d702200135d58e21d091e6' +
    '0b81a0e63db3d914af9fe56de9b3cf747cd8ecc74a75ee71'
  const parameters = { HashingAlgorithm: 'SHA_256', CryptographicAlgorithm: 'ECDSA' } as const

  test('ECDSA: the good one is valid, the changed one invalid, as data and as digest', () => {
    const bytes = Buffer.from(signature, 'hex')
    const changed = Buffer.from(signature.replace(/71$/, 'ff'), 'hex')
    const digestedData = createHash('sha256').update(data).digest()
    for (const input of [{ data }, { digestedData }]) {
      expect(verify(publicKey, parameters, input, bytes)).toBe('Valid')
      expect(verify(publicKey, parameters, input, changed)).toBe('Invalid')
    }
  })

  test('a signature asked to be verified as RSA under an EC key is invalid, not refused', () => {
    const others = { PaddingMethod: 'PSS', CryptographicAlgorithm: 'RSA' } as const
    expect(verify(publicKey, others, { data }, Buffer.from(signature, 'hex'))).toBe('Invalid')
  })

  publishedTest('RSASSA-PSS with the salt length and mask left open', () => {
    const [key] = publishedValues('CS-AC-M-2-14', 'KeyMaterial')
    const [good, , bad] = publishedValues('CS-AC-M-2-14', 'SignatureData')
    const pss = { PaddingMethod: 'PSS', HashingAlgorithm: 'SHA_256' } as const
    const half = readPublicKey('PKCS_1', key)
    expect(verify(half, pss, { data }, good!)).toBe('Valid')
    expect(verify(half, { ...pss, SaltLength: 222 }, { data }, good!)).toBe('Valid')
    expect(verify(half, { ...pss, SaltLength: 32 }, { data }, good!)).toBe('Invalid')
    expect(verify(half, pss, { data: data.subarray(1) }, good!)).toBe('Invalid')
    expect(verify(half, pss, { data }, bad!)).toBe('Invalid')
    const other = { PaddingMethod: 'PSS', HashingAlgorithm: 'SHA_1' } as const
    expect(verify(half, other, { data }, good!)).toBe('Invalid')
  })
})

const methods: [string, PrivateHalf, CryptographicParameters][] = [
  ...(
    ['MD5', 'SHA_1', 'SHA_224', 'SHA_256', 'SHA_384', 'SHA_512', 'SHA3_256', 'RIPEMD_160'] as const
  ).map((HashingAlgorithm): [string, PrivateHalf, CryptographicParameters] => [
    `RSA PKCS#1 v1.5 with ${HashingAlgorithm}`,
    rsa,
    { HashingAlgorithm, CryptographicAlgorithm: 'RSA' },
  ]),
  ['RSA PSS', rsa, { DigitalSignatureAlgorithm: 'RSASSA_PSS', HashingAlgorithm: 'SHA_256' }],
  ['RSA PSS, no salt', rsa, { PaddingMethod: 'PSS', HashingAlgorithm: 'SHA_256', SaltLength: 0 }],
  [
    'RSA PSS with a mask of another hash',
    rsa,
    { PaddingMethod: 'PSS', HashingAlgorithm: 'SHA_256', MaskGeneratorHashingAlgorithm: 'SHA_1' },
  ],
  ['RSA PSS of 1025 bits', odd, { PaddingMethod: 'PSS', HashingAlgorithm: 'SHA_384' }],
  ['ECDSA on P-256', p256, { DigitalSignatureAlgorithm: 'ECDSAWithSHA256' }],
  ['ECDSA on P-521', ec('P-521'), { DigitalSignatureAlgorithm: 'ECDSAWithSHA512' }],
  ['ECDSA on secp160k1', ec('secp160k1'), { HashingAlgorithm: 'SHA_256' }],
  ['ECDSA on brainpoolP384t1', ec('brainpoolP384t1'), { HashingAlgorithm: 'SHA_384' }],
  ['DSA', dsa, { DigitalSignatureAlgorithm: 'DSAWithSHA_1' }],
  ['DSA with a longer hash', dsa, { DigitalSignatureAlgorithm: 'DSAWithSHA256' }],
]

describe.each(methods)('%s', (_, key, parameters) => {
  const names: Record<string, string> = { RIPEMD_160: 'ripemd160', SHA3_256: 'sha3-256' }
  const algorithm =
    parameters.HashingAlgorithm ??
    String(parameters.DigitalSignatureAlgorithm).replace(/^.*SHA_?/, 'SHA_')
  const name = names[algorithm as string] ?? String(algorithm).replace('_', '')
  const digestedData = createHash(name).update(data).digest()

  test('signs data and digest alike: each verifies as the other, and nothing else does', () => {
    for (const signature of [
      sign(key, parameters, { data }),
      sign(key, parameters, { digestedData }),
    ]) {
      expect(verify(key, parameters, { data }, signature)).toBe('Valid')
      expect(verify(key, parameters, { digestedData }, signature)).toBe('Valid')
      const other = Buffer.from(digestedData)
      other[0]! ^= 1
      expect(verify(key, parameters, { digestedData: other }, signature)).toBe('Invalid')
      expect(verify(key, parameters, { data: other }, signature)).toBe('Invalid')
    }
  })

  test('is signed and verified in parts', () => {
    const signing = openSigning(key, parameters)
    for (const byte of data) signing.update(Buffer.of(byte))
    const signature = signing.final()
    const verification = openVerification(key, parameters)
    verification.update(data.subarray(0, 7))
    verification.update(data.subarray(7))
    expect(verification.final(signature)).toBe('Valid')
  })

  test('never throws for a bad signature', () => {
    const good = sign(key, parameters, { data })
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bad = Uint8Array.from(good)
        bad[at]! ^= change
        expect(verify(key, parameters, { data }, bad)).toBe('Invalid')
        expect(verify(key, parameters, { digestedData }, bad.subarray(0, at))).toBe('Invalid')
      }),
      { numRuns: 12, seed: 3 },
    )
  })
})

describe('the crypto library', () => {
  test('verifies our RSA signatures and makes ones that we verify', () => {
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 }
    const ours: [CryptographicParameters, object][] = [
      [{ PaddingMethod: 'PSS', HashingAlgorithm: 'SHA_256', SaltLength: 20 }, pss],
      [{ HashingAlgorithm: 'SHA_256' }, {}],
    ]
    for (const [key, pair] of [
      [rsa, rsaPair],
      [odd, oddPair],
    ] as const)
      for (const [parameters, options] of ours) {
        const signature = sign(key, parameters, { data })
        const theirs = { key: pair.publicKey, ...options }
        expect(verifyByLibrary('sha256', data, theirs, signature)).toBe(true)
        const made = signByLibrary('sha256', data, { key: pair.privateKey, ...options })
        expect(verify(key, parameters, { data }, made)).toBe('Valid')
      }
  })

  test('verifies a digest signed by ECDSA and DSA as the signature of its data', () => {
    for (let run = 0; run < 20; run++) {
      const message = Buffer.of(run)
      const digestedData = createHash('sha256').update(message).digest()
      for (const key of [p256, dsa, ec('P-521'), ec('sect283k1')]) {
        const signature = sign(key, { HashingAlgorithm: 'SHA_256' }, { digestedData })
        expect(verifyByLibrary('sha256', message, key.publicKey, signature)).toBe(true)
      }
    }
  })
})

test('openssl verifies what was signed of digested data without a hash', () => {
  const openssl = opensslDirectory()
  openssl.write('digest', data)
  for (const key of [rsa, p256, dsa]) {
    const signature = sign(key, {}, { digestedData: data })
    expect(verify(key, {}, { digestedData: data }, signature)).toBe('Valid')
    openssl.write('key.der', writePrivateKey(key, 'PKCS_8') as Uint8Array)
    openssl.write('signature', signature)
    const options = ['-inkey', 'key.der', '-keyform', 'DER', '-in', 'digest']
    const shown = openssl.run('pkeyutl', '-verify', ...options, '-sigfile', 'signature')
    expect(shown).toContain('Verified Successfully')
    openssl.run('pkeyutl', '-sign', ...options, '-out', 'theirs')
    const theirs = readFileSync(openssl.path('theirs'))
    expect(verify(key, {}, { digestedData: data }, theirs)).toBe('Valid')
  }
})

test('Ed25519 and Ed448 sign data, in parts too, and no digest', () => {
  for (const key of [ed25519, ed448]) {
    const signature = sign(key, {}, { data })
    expect(verifyByLibrary(null, data, key.publicKey, signature)).toBe(true)
    const stream = openVerification(key, {})
    stream.update(data.subarray(0, 3))
    stream.update(data.subarray(3))
    expect(stream.final(signature)).toBe('Valid')
    expect(verify(key, {}, { data: data.subarray(1) }, signature)).toBe('Invalid')
    expect(verify(key, {}, { data }, signature.subarray(1))).toBe('Invalid')
    expect(() => sign(key, {}, { digestedData: data })).toThrow(refusal('unsupported'))
  }
  expect(() => sign(ed448, { HashingAlgorithm: 'SHA_512' }, { data })).toThrow(
    refusal('parameters'),
  )
})

describe('refused are', () => {
  const refused: [string, PrivateHalf, CryptographicParameters, string][] = [
    ['a missing hash', rsa, {}, 'parameters'],
    ['MD2', rsa, { DigitalSignatureAlgorithm: 'MD2WithRSAEncryption' }, 'unsupported'],
    ['a padding of another kind', rsa, { PaddingMethod: 'OAEP' }, 'unsupported'],
    [
      'an algorithm of another key',
      rsa,
      { DigitalSignatureAlgorithm: 'ECDSAWithSHA256' },
      'parameters',
    ],
    [
      'two hashes',
      rsa,
      { DigitalSignatureAlgorithm: 'SHA_256WithRSAEncryption', HashingAlgorithm: 'SHA_512' },
      'parameters',
    ],
    [
      'a salt that does not fit',
      rsa,
      { PaddingMethod: 'PSS', HashingAlgorithm: 'SHA_256', SaltLength: 95 },
      'parameters',
    ],
    [
      'a negative salt',
      rsa,
      { PaddingMethod: 'PSS', HashingAlgorithm: 'SHA_256', SaltLength: -1 },
      'parameters',
    ],
    [
      'an agreement key',
      privateHalf(generateKeyPairSync('x25519').privateKey),
      { HashingAlgorithm: 'SHA_256' },
      'parameters',
    ],
    ['ECDH', p256, { CryptographicAlgorithm: 'ECDH', HashingAlgorithm: 'SHA_256' }, 'parameters'],
  ]
  test.each(refused)('%s', (_, key, parameters, code) => {
    expect(() => sign(key, parameters, { data })).toThrow(refusal(code))
  })

  test('digests of another length than their hash, of nothing and of zeros', () => {
    const parameters = { HashingAlgorithm: 'SHA_256' } as const
    expect(() => sign(p256, parameters, { digestedData: data })).toThrow(refusal('parameters'))
    expect(() => sign(p256, {}, { digestedData: Buffer.alloc(0) })).toThrow(refusal('parameters'))
    expect(() => sign(p256, {}, { digestedData: Buffer.alloc(32) })).toThrow(refusal('parameters'))
    expect(() => sign(rsa, { PaddingMethod: 'PSS' }, { digestedData: data })).toThrow(
      refusal('parameters'),
    )
    expect(() => sign(rsa, {}, { digestedData: Buffer.alloc(120) })).toThrow(refusal('parameters'))
  })
})
