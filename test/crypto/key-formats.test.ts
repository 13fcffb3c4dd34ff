/** Keys in every Key Format Type: published bytes, openssl, all conversions, and hostile material. */
import { generateKeyPairSync, getDiffieHellman } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isEncryptedPrivateKeyInfo } from '../../src/crypto/key-formats/private-key-info.ts'
import {
  domainParameters,
  isOfAlgorithm,
  isOfLength,
  isPair,
  privateHalf,
  publicHalf,
  type PrivateHalf,
} from '../../src/crypto/key-formats/asymmetric-key.ts'
import { curves } from '../../src/crypto/key-formats/curves.ts'
import type { KeyFormatType } from '../../src/crypto/key-formats/formats.ts'
import type { TransparentRsaPrivateKey } from '../../src/crypto/key-formats/rsa.ts'
import {
  defaultFormat,
  readPrivateKey,
  readPublicKey,
  symmetricKeyBytes,
  writePrivateKey,
  writePublicKey,
  writeSymmetricKey,
} from '../../src/crypto/key-formats.ts'
import { opensslDirectory } from './openssl.ts'
import { publishedTest, publishedValues } from './published-values.ts'

const hex = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString('hex')
const refusal = (code: string) => expect.objectContaining({ name: 'CryptoRefusal', code })

/** TC-ECC-1: the same key on secp256k1, private and public. */
const publishedSec1 =
  '30740201010420db4d128c30ca309e62c4019758c00ba244dd64d9bf52a31078866b8a00c19c68a00706052b8104' +
  '000aa14403420004dab5d3c253113db414abfc1c0ebf5a02559e656aa1c8b0aa8d870aa0324cda4899925ea1e6dbc' +
  '259a6c7825cf46592ac7594cc40bd604b728d88b636f317d366'
const publishedSpki =
  '3056301006072a8648ce3d020106052b8104000a03420004dab5d3c253113db414abfc1c0ebf5a02559e656aa1c8b' +
  '0aa8d870aa0324cda4899925ea1e6dbc259a6c7825cf46592ac7594cc40bd604b728d88b636f317d366'

const rsaPair = generateKeyPairSync('rsa', { modulusLength: 1024 })
const rsa = privateHalf(rsaPair.privateKey)
const p256 = privateHalf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const ec384 = privateHalf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)
const dsa = privateHalf(
  generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey,
)
const dh = readPrivateKey('TransparentDHPrivateKey', {
  P: BigInt(`0x${getDiffieHellman('modp14').getPrime('hex')}`),
  G: 2n,
  X: 2n ** 200n + 12345n,
})
const samples: [string, PrivateHalf][] = [
  ['RSA', rsa],
  ['DSA', dsa],
  ['DH', dh],
  ['EC on P-256', p256],
  ['EC on K-283', privateHalf(generateKeyPairSync('ec', { namedCurve: 'sect283k1' }).privateKey)],
  ['Ed25519', privateHalf(generateKeyPairSync('ed25519').privateKey)],
  ['Ed448', privateHalf(generateKeyPairSync('ed448').privateKey)],
  ['X25519', privateHalf(generateKeyPairSync('x25519').privateKey)],
  ['X448', privateHalf(generateKeyPairSync('x448').privateKey)],
]

const privateFormats: KeyFormatType[] = [
  'Raw',
  'PKCS_1',
  'PKCS_8',
  'ECPrivateKey',
  'TransparentRSAPrivateKey',
  'TransparentDSAPrivateKey',
  'TransparentDHPrivateKey',
  'TransparentECPrivateKey',
  'TransparentECDSAPrivateKey',
]
const publicFormats: KeyFormatType[] = [
  'Raw',
  'PKCS_1',
  'X_509',
  'TransparentRSAPublicKey',
  'TransparentDSAPublicKey',
  'TransparentDHPublicKey',
  'TransparentECPublicKey',
  'TransparentECMQVPublicKey',
]

function written<T>(write: () => T): T | undefined {
  try {
    return write()
  } catch (error) {
    expect(error).toEqual(refusal('unsupported'))
    return undefined
  }
}

describe('published keys', () => {
  test('the EC private key names secp256k1, holds its public key and comes out byte for byte', () => {
    const key = readPrivateKey('ECPrivateKey', Buffer.from(publishedSec1, 'hex'))
    expect(key).toMatchObject({ algorithm: 'EC', length: 256, recommendedCurve: 'SECP256K1' })
    expect(hex(writePrivateKey(key, 'ECPrivateKey'))).toBe(publishedSec1)
    const publicKey = readPublicKey('X_509', Buffer.from(publishedSpki, 'hex'))
    expect(isPair(key, publicKey)).toBe(true)
    expect(hex(writePublicKey(key, 'X_509'))).toBe(publishedSpki)
  })

  publishedTest('RSA keys come out byte for byte', () => {
    const [publicBytes] = publishedValues('CS-AC-M-3-14', 'KeyMaterial').filter(
      ({ length }) => length < 400,
    )
    const [privateBytes] = publishedValues('CS-AC-M-3-14', 'KeyMaterial').filter(
      ({ length }) => length > 400,
    )
    const key = readPrivateKey('PKCS_1', privateBytes, { algorithm: 'RSA' })
    expect(key.length).toBe(2048)
    expect(hex(writePrivateKey(key, 'PKCS_1'))).toBe(hex(privateBytes))
    expect(hex(writePublicKey(key, 'PKCS_1'))).toBe(hex(publicBytes))
    const encrypting = publishedValues('CS-AC-M-OAEP-1-14', 'KeyMaterial')[0]!
    expect(hex(writePublicKey(readPublicKey('X_509', encrypting), 'X_509'))).toBe(hex(encrypting))
  })

  publishedTest('an encrypted PKCS#8 key asks for its password', () => {
    const [encrypted] = publishedValues('TC-ECC-2-14', 'KeyMaterial')
    expect(isEncryptedPrivateKeyInfo(encrypted!)).toBe(true)
    expect(() => readPrivateKey('PKCS_8', encrypted)).toThrow(refusal('parameters'))
    const [password, right] = [Buffer.from('wrong'), Buffer.from('secret')]
    expect(() => readPrivateKey('PKCS_8', encrypted, { password })).toThrow(refusal('failure'))
    const key = readPrivateKey('PKCS_8', encrypted, { password: right })
    expect(hex(writePrivateKey(key, 'ECPrivateKey'))).toBe(publishedSec1)
  })
})

describe.each(samples)('a key of %s', (_, key) => {
  const hints = { algorithm: key.algorithm, recommendedCurve: key.recommendedCurve }

  test('is the same key through every format it has', () => {
    const ways = privateFormats.filter((format) => {
      const material = written(() => writePrivateKey(key, format))
      if (material === undefined) return false
      const back = readPrivateKey(format, material, hints)
      expect(back.privateKey.equals(key.privateKey), format as string).toBe(true)
      expect({ ...back, ...key }).toEqual(key)
      return true
    })
    expect(ways).toContain('PKCS_8')
    expect(ways).toContain(defaultFormat(key, 'private'))
  })

  test('has the same public key through every format it has', () => {
    const ways = publicFormats.filter((format) => {
      const material = written(() => writePublicKey(key, format))
      if (material === undefined) return false
      expect(isPair(key, readPublicKey(format, material, hints)), format as string).toBe(true)
      return true
    })
    expect(ways).toContain('X_509')
    expect(ways).toContain(defaultFormat(key, 'public'))
  })

  test('is read from what openssl writes, and openssl reads ours', () => {
    const openssl = opensslDirectory()
    openssl.write('key.der', writePrivateKey(key, 'PKCS_8') as Uint8Array)
    openssl.run('pkey', '-in', 'key.der', '-inform', 'DER', '-out', 'key.pem')
    openssl.run('pkey', '-in', 'key.pem', '-pubout', '-outform', 'DER', '-out', 'public.der')
    expect(isPair(key, readPublicKey('X_509', readFileSync(openssl.path('public.der'))))).toBe(true)
    const ways = ['aes-256-cbc', 'aes-128-cbc', 'des-ede3-cbc']
    for (const cipher of ways) {
      const options = [
        '-topk8',
        '-v2',
        cipher,
        '-v2prf',
        'hmacWithSHA512',
        '-passout',
        'pass:secret',
      ]
      openssl.run('pkcs8', '-in', 'key.pem', ...options, '-outform', 'DER', '-out', 'e.der')
      const encrypted = readFileSync(openssl.path('e.der'))
      const password = Buffer.from('secret')
      const back = readPrivateKey('PKCS_8', encrypted, { password })
      expect(back.privateKey.equals(key.privateKey), cipher).toBe(true)
    }
  })
})

describe('attributes from the material', () => {
  test('every Recommended Curve of KMIP has keys, of its length', () => {
    for (const { recommended, name, bits } of curves) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: name })
      const key = readPrivateKey('PKCS_8', privateKey.export({ format: 'der', type: 'pkcs8' }))
      expect(key).toMatchObject({ algorithm: 'EC', length: bits, recommendedCurve: recommended })
      expect(isPair(key, readPublicKey('X_509', writePublicKey(key, 'X_509')))).toBe(true)
    }
  })

  test('domain parameters are a curve or the length of Q, and RSA has none', () => {
    expect(domainParameters(p256)).toEqual({ RecommendedCurve: 'P_256' })
    expect(domainParameters(dsa)).toEqual({ Qlength: 160 })
    expect(domainParameters(rsa)).toBeUndefined()
    expect(isOfAlgorithm('ECDSA', p256)).toBe(true)
    expect(isOfAlgorithm('ECDSA', rsa)).toBe(false)
    expect(isOfLength(256, p256)).toBe(true)
    expect(isOfLength(255, p256)).toBe(false)
  })

  test('symmetric keys are the same bytes in two forms', () => {
    const key = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
    const transparent = writeSymmetricKey(key, 'TransparentSymmetricKey')
    expect(symmetricKeyBytes('TransparentSymmetricKey', transparent)).toBe(key)
    expect(writeSymmetricKey(key, 'Raw')).toBe(key)
    expect(symmetricKeyBytes('Opaque', key)).toBeUndefined()
  })
})

describe('points', () => {
  const compressed = 'ECPublicKeyTypeX9_62CompressedPrime'

  test('are compressed, hybrid or neither as asked, in SubjectPublicKeyInfo and Q String', () => {
    for (const [form, first, length] of [
      [compressed, /^0[23]/, 33],
      ['ECPublicKeyTypeX9_62Hybrid', /^0[67]/, 65],
      ['ECPublicKeyTypeUncompressed', /^04/, 65],
    ] as const) {
      const { QString } = writePublicKey(p256, 'TransparentECPublicKey', form) as {
        QString: Uint8Array
      }
      expect(QString).toHaveLength(length)
      expect(hex(QString)).toMatch(first)
      const info = writePublicKey(p256, 'X_509', form) as Uint8Array
      expect(hex(info).endsWith(hex(QString))).toBe(true)
      expect(isPair(p256, readPublicKey('X_509', info))).toBe(true)
    }
  })

  test('have no compressed form of the other kind of field, and RSA has none at all', () => {
    const other = 'ECPublicKeyTypeX9_62CompressedChar2'
    expect(() => writePublicKey(p256, 'X_509', other)).toThrow(refusal('unsupported'))
    expect(() => writePublicKey(rsa, 'X_509', compressed)).toThrow(refusal('unsupported'))
  })

  test('off the curve, at infinity or of another length are refused', () => {
    const point = Buffer.from(writePublicKey(p256, 'Raw') as Uint8Array)
    const moved = Buffer.from(point)
    moved[64]! ^= 1
    for (const QString of [moved, Buffer.of(0), Buffer.alloc(0), point.subarray(0, 64)]) {
      const material = { RecommendedCurve: 'P_256', QString }
      expect(() => readPublicKey('TransparentECPublicKey', material)).toThrow(refusal('parameters'))
    }
  })
})

describe('transparent RSA keys', () => {
  const all = writePrivateKey(rsa, 'TransparentRSAPrivateKey') as TransparentRsaPrivateKey
  const { Modulus, PublicExponent, PrivateExponent, P, Q, PrimeExponentP, PrimeExponentQ } = all
  const read = (material: TransparentRsaPrivateKey) =>
    readPrivateKey('TransparentRSAPrivateKey', material)

  test.each([
    ['the Private Exponent', { Modulus, PublicExponent, PrivateExponent }],
    ['the Private Exponent alone', { Modulus, PrivateExponent }],
    ['the primes', { Modulus, PublicExponent, P, Q }],
    ['the prime exponents', { Modulus, PublicExponent, PrimeExponentP, PrimeExponentQ }],
  ])('are whole by %s', (_, material) => {
    expect(isPair(read(material), rsa)).toBe(true)
  })

  test('whose numbers do not fit are refused, each of them', () => {
    for (const name of Object.keys(all) as (keyof TransparentRsaPrivateKey)[]) {
      const material = { ...all, [name]: all[name]! + 2n }
      expect(() => read(material), name).toThrow(refusal('parameters'))
      expect(() => read({ ...all, [name]: -all[name]! }), name).toThrow(refusal('parameters'))
    }
  })

  test('with a number of a megabyte are refused before anything is calculated with it', () => {
    const huge = (1n << 4_000_001n) + 1n
    for (const name of ['PrivateExponent', 'P', 'Q', 'PrimeExponentP', 'PrimeExponentQ'])
      expect(() => read({ Modulus, PublicExponent, [name]: huge })).toThrow(refusal('parameters'))
  })

  test('of composite factors are refused though the numbers fit each other', () => {
    const factor = (1n << 300n) + 1n
    const other = (1n << 299n) + 3n
    const material = { Modulus: factor * other, PublicExponent: 5n, P: factor, Q: other }
    expect(() => read(material)).toThrow(refusal('parameters'))
  })
})

describe('hostile material', () => {
  test('an EC key with the point of another key or two curves is refused', () => {
    const other = privateHalf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    const mine = hex(writePrivateKey(p256, 'ECPrivateKey'))
    const mixed = mine.slice(0, -128) + hex(writePrivateKey(other, 'ECPrivateKey')).slice(-128)
    expect(() => readPrivateKey('ECPrivateKey', Buffer.from(mixed, 'hex'))).toThrow(
      refusal('parameters'),
    )
    const info = hex(writePrivateKey(p256, 'PKCS_8')).replace(
      '2a8648ce3d030107',
      '2a8648ce3d030106',
    )
    expect(() => readPrivateKey('PKCS_8', Buffer.from(info, 'hex'))).toThrow()
  })

  test('an EC scalar of zero or above the order is refused', () => {
    for (const D of [0n, -1n, (1n << 256n) - 1n, 1n << 264n]) {
      const material = { RecommendedCurve: 'P_256', D }
      expect(() => readPrivateKey('TransparentECPrivateKey', material)).toThrow(
        refusal('parameters'),
      )
    }
  })

  test('explicit curve parameters are refused', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      paramEncoding: 'explicit',
    })
    const info = publicKey.export({ format: 'der', type: 'spki' })
    expect(() => readPublicKey('X_509', info)).toThrow(refusal('parameters'))
    const secret = privateKey.export({ format: 'der', type: 'pkcs8' })
    expect(() => readPrivateKey('PKCS_8', secret)).toThrow(refusal('parameters'))
  })

  test('a DSA domain whose numbers do not fit is refused', () => {
    const all = writePrivateKey(dsa, 'TransparentDSAPrivateKey') as Record<string, bigint>
    for (const change of [
      { P: all['P']! + 2n },
      { Q: all['Q']! + 2n },
      { G: 1n },
      { G: 2n },
      { X: 0n },
    ])
      expect(() => readPrivateKey('TransparentDSAPrivateKey', { ...all, ...change })).toThrow(
        refusal('parameters'),
      )
    const publicAll = writePublicKey(dsa, 'TransparentDSAPublicKey') as Record<string, bigint>
    expect(() =>
      readPublicKey('TransparentDSAPublicKey', { ...publicAll, Y: publicAll['Y']! + 1n }),
    ).toThrow(refusal('parameters'))
  })

  test('sizes out of bounds, and the key of another algorithm, are refused', () => {
    const huge = { Modulus: (1n << 9000n) + 1n, PublicExponent: 3n }
    expect(() => readPublicKey('TransparentRSAPublicKey', huge)).toThrow(refusal('parameters'))
    const material = writePrivateKey(p256, 'PKCS_8')
    expect(() => readPrivateKey('PKCS_8', material, { algorithm: 'RSA' })).toThrow(
      refusal('parameters'),
    )
    expect(() => readPrivateKey('PKCS_10', material)).toThrow(refusal('unsupported'))
    expect(() => readPrivateKey('PKCS_8', { X: 1n })).toThrow(refusal('parameters'))
    expect(() => readPrivateKey('TransparentECPrivateKey', material)).toThrow(refusal('parameters'))
  })

  test('changed bytes are refused or are another valid key, and nothing else is thrown', () => {
    const seeds = (['PKCS_8', 'ECPrivateKey'] as const).map(
      (format) => [format, writePrivateKey(p256, format) as Uint8Array] as const,
    )
    seeds.push(['PKCS_8', writePrivateKey(rsa, 'PKCS_8') as Uint8Array] as const)
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.nat(),
        fc.nat(255),
        fc.nat(),
        (seed, at, byte, cut) => {
          const bytes = Uint8Array.from(seed[1])
          bytes[at % bytes.length] = byte
          const input = cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes
          try {
            readPrivateKey(seed[0], input)
          } catch (error) {
            expect(error).toMatchObject({ name: 'CryptoRefusal' })
          }
        },
      ),
      { numRuns: 300, seed: 7 },
    )
  })

  test('keys of two types are no pair, and comparing them spoils no key read later', () => {
    expect(isPair(rsa, p256)).toBe(false)
    expect(isPair(p256, ec384)).toBe(false)
    expect(readPrivateKey('PKCS_8', writePrivateKey(rsa, 'PKCS_8')).length).toBe(1024)
  })

  test('a public half is described by the library alone', () => {
    const { publicKey } = generateKeyPairSync('rsa-pss', { modulusLength: 1024 })
    expect(() => publicHalf(publicKey)).toThrow(refusal('unsupported'))
  })
})
