/** New key pairs of every algorithm, their formats and what policy refuses. */
import { describe, expect, test } from 'vitest'
import { curves } from '../../src/crypto/key-formats/curves.ts'
import { readPrivateKey, readPublicKey } from '../../src/crypto/key-formats.ts'
import { createKeyPair, usualPolicy, type KeyPairRequest } from '../../src/crypto/key-generation.ts'

const refusal = (code: string) => expect.objectContaining({ name: 'CryptoRefusal', code })

test.each<[KeyPairRequest, object, string, string]>([
  [{ algorithm: 'RSA', length: 2048 }, { algorithm: 'RSA', length: 2048 }, 'PKCS_1', 'PKCS_1'],
  [
    { algorithm: 'ECDSA', length: 384 },
    { algorithm: 'EC', length: 384, recommendedCurve: 'P_384' },
    'TransparentECPrivateKey',
    'TransparentECPublicKey',
  ],
  [
    { algorithm: 'EC', recommendedCurve: 'SECP256K1' },
    { recommendedCurve: 'SECP256K1' },
    'TransparentECPrivateKey',
    'TransparentECPublicKey',
  ],
  [
    { algorithm: 'DH', length: 2048 },
    { algorithm: 'DH', length: 2048 },
    'TransparentDHPrivateKey',
    'TransparentDHPublicKey',
  ],
  [{ algorithm: 'Ed25519' }, { algorithm: 'Ed25519', length: 256 }, 'PKCS_8', 'X_509'],
  [{ algorithm: 'Ed448', length: 448 }, { algorithm: 'Ed448', length: 456 }, 'PKCS_8', 'X_509'],
  [
    { algorithm: 'ECDH', recommendedCurve: 'CURVE25519' },
    { algorithm: 'EC', length: 256, recommendedCurve: 'CURVE25519' },
    'PKCS_8',
    'X_509',
  ],
])('a pair for %o reads back from its default formats', async (request, facts, first, second) => {
  const pair = await createKeyPair(request)
  expect(pair.key).toMatchObject(facts)
  expect([pair.privateFormat, pair.publicFormat]).toEqual([first, second])
  const { algorithm } = request
  const back = readPrivateKey(pair.privateFormat, pair.privateMaterial, { algorithm })
  const publicBack = readPublicKey(pair.publicFormat, pair.publicMaterial, { algorithm })
  expect(back.privateKey.equals(pair.key.privateKey)).toBe(true)
  expect(publicBack.publicKey.equals(pair.key.publicKey)).toBe(true)
})

test('every curve of KMIP has pairs, in the formats asked for', async () => {
  const policy = { ...usualPolicy, curve: 0 }
  for (const { recommended, bits } of curves) {
    const request = { algorithm: 'EC', recommendedCurve: recommended, length: bits } as const
    const pair = await createKeyPair(request, { private: 'ECPrivateKey', public: 'X_509' }, policy)
    expect(pair.key.recommendedCurve).toBe(recommended)
    expect(pair.privateMaterial).toBeInstanceOf(Uint8Array)
  }
})

test('short DSA, DH and RSA pairs are made where policy says so', async () => {
  const policy = { rsa: 1024, curve: 0, field: 1024 }
  const dsa = await createKeyPair({ algorithm: 'DSA', length: 1024 }, {}, policy)
  expect(dsa.key).toMatchObject({ algorithm: 'DSA', length: 1024, qLength: 160 })
  const dh = await createKeyPair({ algorithm: 'DH', length: 1024 }, {}, policy)
  expect(dh.key).toMatchObject({ algorithm: 'DH', length: 1024 })
  const rsa = await createKeyPair({ algorithm: 'RSA', length: 1024 }, { private: 'PKCS_8' }, policy)
  expect(rsa).toMatchObject({ key: { length: 1024 }, privateFormat: 'PKCS_8' })
})

describe('refused without work are', () => {
  test.each<[string, KeyPairRequest, string]>([
    ['short RSA keys', { algorithm: 'RSA', length: 1024 }, 'parameters'],
    ['endless RSA keys', { algorithm: 'RSA', length: 2 ** 30 }, 'parameters'],
    ['RSA keys of a broken byte', { algorithm: 'RSA', length: 2049 }, 'parameters'],
    ['RSA keys on a curve', { algorithm: 'RSA', recommendedCurve: 'P_256' }, 'parameters'],
    ['short curves', { algorithm: 'EC', recommendedCurve: 'SECP112R1' }, 'parameters'],
    ['two lengths', { algorithm: 'EC', recommendedCurve: 'P_256', length: 384 }, 'parameters'],
    ['a length without a curve', { algorithm: 'EC', length: 300 }, 'parameters'],
    ['a curve we do not know', { algorithm: 'EC', recommendedCurve: 0x80000001 }, 'unsupported'],
    [
      'ECDSA on Montgomery curves',
      { algorithm: 'ECDSA', recommendedCurve: 'CURVE448' },
      'parameters',
    ],
    ['DSA of an odd Q', { algorithm: 'DSA', length: 2048, qLength: 200 }, 'parameters'],
    ['Q of others', { algorithm: 'RSA', qLength: 256 }, 'parameters'],
    ['DH of an unknown group', { algorithm: 'DH', length: 2560 }, 'parameters'],
    ['what makes no pairs', { algorithm: 'AES', length: 256 }, 'unsupported'],
  ])('%s', async (_, request, code) => {
    await expect(createKeyPair(request)).rejects.toThrow(refusal(code))
  })
})
