/** Key wrapping: published and RFC vectors, every method and mode both ways, openssl, and refusals. */
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { privateHalf } from '../../src/crypto/key-formats/asymmetric-key.ts'
import { writePrivateKey } from '../../src/crypto/key-formats.ts'
import {
  unwrap,
  wrap,
  type WrappingKey,
  type WrappingKeys,
  type WrappingRequest,
} from '../../src/crypto/key-wrapping.ts'
import type { CryptographicParameters } from '../../src/crypto/parameters.ts'
import { opensslDirectory } from './openssl.ts'

const refusal = (code: string) => expect.objectContaining({ name: 'CryptoRefusal', code })
const bytes = (digits: string) => Buffer.from(digits, 'hex')
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')

const symmetric = (
  digits: string,
  parameters: CryptographicParameters,
  algorithm = 'AES' as const,
) => ({
  key: { algorithm, bytes: bytes(digits) },
  parameters,
})
const kek = '000102030405060708090a0b0c0d0e0f1011121314151617'
const encrypting: WrappingRequest = {
  WrappingMethod: 'Encrypt',
  EncryptionKeyInformation: { UniqueIdentifier: 'kek' },
  EncodingOption: 'NoEncoding',
}
const rsa = privateHalf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
const p256 = privateHalf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

describe('vectors', () => {
  test('TC-WRAP-3: AES key wrap without encoding', () => {
    const encryption = symmetric(kek.slice(0, 32), { BlockCipherMode: 'NISTKeyWrap' })
    const { keyValue, wrappingData } = wrap(
      encrypting,
      { encryption },
      bytes('00112233445566778899aabbccddeeff'),
    )
    expect(hex(keyValue)).toBe('1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5')
    expect(wrappingData).toEqual(encrypting)
    const secret = unwrap(wrappingData, { encryption }, keyValue)
    expect(hex(secret.bytes)).toBe('00112233445566778899aabbccddeeff')
  })

  test('RFC 3394 §4.4: 192 bits of key under 192 bits', () => {
    const encryption = symmetric(kek, { BlockCipherMode: 'NISTKeyWrap' })
    const plain = bytes('00112233445566778899aabbccddeeff0001020304050607')
    expect(hex(wrap(encrypting, { encryption }, plain).keyValue)).toBe(
      '031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2',
    )
  })

  test('RFC 5649 §6: padded key wrap of 20 and of 7 bytes', () => {
    const encryption = symmetric('5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8', {
      BlockCipherMode: 'AESKeyWrapPadding',
    })
    const wrapped = (plain: string) => hex(wrap(encrypting, { encryption }, bytes(plain)).keyValue)
    expect(wrapped('c37b7e6492584340bed12207808941155068f738')).toBe(
      '138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a',
    )
    expect(wrapped('466f7250617369')).toBe('afbeb0f07dfbf5419200f2ccb50bb24f')
  })
})

const encryptions: [string, WrappingKey][] = [
  ['AES key wrap', symmetric(kek, { BlockCipherMode: 'NISTKeyWrap' })],
  ['AES key wrap with padding', symmetric(kek, { BlockCipherMode: 'AESKeyWrapPadding' })],
  ['AES-CBC', symmetric(kek, { BlockCipherMode: 'CBC', PaddingMethod: 'PKCS5' })],
  ['AES-CTR', symmetric(kek, { BlockCipherMode: 'CTR' })],
  ['AES-GCM', symmetric(kek, { BlockCipherMode: 'GCM' })],
  ['AES-GCM with a short tag', symmetric(kek, { BlockCipherMode: 'GCM', TagLength: 12 })],
  ['AES-CCM', symmetric(kek, { BlockCipherMode: 'CCM', IVLength: 104 })],
  ['RSA-OAEP', { key: rsa, parameters: { PaddingMethod: 'OAEP', HashingAlgorithm: 'SHA_256' } }],
  [
    'RSA-OAEP with SHA-512',
    { key: rsa, parameters: { PaddingMethod: 'OAEP', HashingAlgorithm: 'SHA_512' } },
  ],
]
const integrities: [string, WrappingKey][] = [
  ['HMAC', symmetric(kek, { CryptographicAlgorithm: 'HMAC_SHA256' })],
  ['CMAC', symmetric(kek, { BlockCipherMode: 'CMAC' })],
  ['RSA', { key: rsa, parameters: { PaddingMethod: 'PSS', HashingAlgorithm: 'SHA_256' } }],
  ['ECDSA', { key: p256, parameters: { DigitalSignatureAlgorithm: 'ECDSAWithSHA256' } }],
]

describe.each(encryptions)('%s', (_, encryption) => {
  test('gives back what was wrapped, and nothing once a byte is changed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 7 }), fc.nat(), (words, at) => {
        const plain = Buffer.concat([...words].map((word) => Buffer.alloc(8, word)))
        const { keyValue, wrappingData } = wrap(encrypting, { encryption }, plain)
        expect(hex(unwrap(wrappingData, { encryption }, keyValue).bytes)).toBe(hex(plain))
        const changed = Buffer.from(keyValue)
        changed[at % changed.length]! ^= 1
        const opened = attempt(() => unwrap(wrappingData, { encryption }, changed).bytes)
        expect(opened && hex(opened)).not.toBe(hex(plain))
      }),
      { numRuns: 8, seed: 5 },
    )
  })

  test.each(integrities)('with %s in either order', (_, integrity) => {
    const plain = bytes(kek)
    const keys: WrappingKeys = { encryption, integrity }
    for (const WrappingMethod of ['EncryptThenMACSign', 'MACSignThenEncrypt'] as const) {
      const MACSignatureKeyInformation = { UniqueIdentifier: 'mac' }
      const request = { ...encrypting, WrappingMethod, MACSignatureKeyInformation }
      const { keyValue, wrappingData } = wrap(request, keys, plain)
      expect(wrappingData).toMatchObject(request)
      expect(hex(unwrap(wrappingData, keys, keyValue).bytes)).toBe(kek)
      const MACSignature = Buffer.from(wrappingData.MACSignature!)
      MACSignature[5]! ^= 1
      expect(() => unwrap({ ...wrappingData, MACSignature }, keys, keyValue)).toThrow(
        refusal('failure'),
      )
    }
  })
})

function attempt<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    expect(error).toEqual(refusal('failure'))
    return undefined
  }
}

test.each(integrities)('%s alone authenticates the bytes as they are', (_, integrity) => {
  const request = { ...encrypting, WrappingMethod: 'MACSign' } as const
  const { keyValue, wrappingData } = wrap(request, { integrity }, bytes(kek))
  expect(hex(keyValue)).toBe(kek)
  expect(hex(unwrap(wrappingData, { integrity }, keyValue).bytes)).toBe(kek)
  expect(() => unwrap(wrappingData, { integrity }, bytes('00'))).toThrow(refusal('failure'))
})

describe('openssl', () => {
  test('opens our OAEP, and we its, with one hash for data and mask or two', () => {
    const openssl = opensslDirectory()
    openssl.write('key.der', writePrivateKey(rsa, 'PKCS_8') as Uint8Array)
    openssl.write('plain', bytes(kek))
    const both: [CryptographicParameters, string][] = [
      [{ PaddingMethod: 'OAEP', HashingAlgorithm: 'SHA_256' }, 'sha256'],
      [
        {
          PaddingMethod: 'OAEP',
          HashingAlgorithm: 'SHA_256',
          MaskGeneratorHashingAlgorithm: 'SHA_1',
        },
        'sha1',
      ],
    ]
    for (const [parameters, mask] of both) {
      const encryption = { key: rsa, parameters }
      const padding = ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha256', `rsa_mgf1_md:${mask}`]
      const options = padding.flatMap((option) => ['-pkeyopt', option])
      const key = ['-inkey', 'key.der', '-keyform', 'DER']
      openssl.write('ours', wrap(encrypting, { encryption }, bytes(kek)).keyValue)
      openssl.run('pkeyutl', '-decrypt', ...key, ...options, '-in', 'ours', '-out', 'opened')
      expect(readFileSync(openssl.path('opened'))).toEqual(bytes(kek))
      openssl.run('pkeyutl', '-encrypt', ...key, ...options, '-in', 'plain', '-out', 'theirs')
      const theirs = readFileSync(openssl.path('theirs'))
      expect(hex(unwrap(encrypting, { encryption }, theirs).bytes)).toBe(kek)
    }
  })
})

test('a mask hash that is left open is that of the data, or SHA-1 as the specification says', () => {
  const open = { PaddingMethod: 'OAEP', HashingAlgorithm: 'SHA_256' } as const
  for (const MaskGeneratorHashingAlgorithm of ['SHA_256', 'SHA_1'] as const) {
    const parameters = { ...open, MaskGeneratorHashingAlgorithm }
    const { keyValue } = wrap(encrypting, { encryption: { key: rsa, parameters } }, bytes(kek))
    const back = unwrap(encrypting, { encryption: { key: rsa, parameters: open } }, keyValue)
    expect(hex(back.bytes)).toBe(kek)
  }
})

test('PKCS#1 v1.5 wraps only where it is allowed as legacy', () => {
  const encryption = { key: rsa, parameters: { PaddingMethod: 'PKCS1V1_5' } } as const
  expect(() => wrap(encrypting, { encryption }, bytes(kek))).toThrow(refusal('unsupported'))
  const options = { legacyPadding: true }
  const { keyValue } = wrap(encrypting, { encryption }, bytes(kek), options)
  expect(hex(unwrap(encrypting, { encryption }, keyValue, options).bytes)).toBe(kek)
})

describe('refused are', () => {
  const encryption = symmetric(kek, { BlockCipherMode: 'NISTKeyWrap' })
  const integrity = symmetric(kek, { CryptographicAlgorithm: 'HMAC_SHA256' })
  const oaep = { PaddingMethod: 'OAEP', HashingAlgorithm: 'SHA_256' } as const
  const { publicKey, algorithm, length } = rsa
  test.each<[string, WrappingRequest, WrappingKeys, string]>([
    ['TR-31', { WrappingMethod: 'TR_31' }, { encryption }, 'unsupported'],
    ['a method of a vendor', { WrappingMethod: 0x80000001 }, { encryption }, 'unsupported'],
    ['a missing key', encrypting, {}, 'parameters'],
    ['a key too many', encrypting, { encryption, integrity }, 'parameters'],
    ['ECB', encrypting, { encryption: symmetric(kek, { BlockCipherMode: 'ECB' }) }, 'unsupported'],
    ['no mode', encrypting, { encryption: symmetric(kek, {}) }, 'parameters'],
    ['no padding', encrypting, { encryption: { key: rsa, parameters: {} } }, 'parameters'],
    ['an EC key', encrypting, { encryption: { key: p256, parameters: oaep } }, 'unsupported'],
    [
      'a short KEK',
      encrypting,
      { encryption: symmetric('00', encryption.parameters) },
      'parameters',
    ],
    [
      'signing by a public key',
      { WrappingMethod: 'MACSign' },
      { integrity: { key: { publicKey, algorithm, length }, parameters: oaep } },
      'parameters',
    ],
  ])('%s', (_, request, keys, code) => {
    expect(() => wrap(request, keys, bytes(kek))).toThrow(refusal(code))
  })

  test('lengths that key wrap does not take, and more than RSA holds', () => {
    expect(() => wrap(encrypting, { encryption }, bytes('00'))).toThrow(refusal('parameters'))
    const long = Buffer.alloc(500)
    const withRsa = { encryption: { key: rsa, parameters: oaep } }
    expect(() => wrap(encrypting, withRsa, long)).toThrow(refusal('parameters'))
  })

  test('a wrapped value that has lost its MAC, its IV or its length', () => {
    const keys = { integrity }
    const data = { WrappingMethod: 'MACSign' } as const
    expect(() => unwrap(data, keys, bytes(kek))).toThrow(refusal('parameters'))
    const gcm = { encryption: symmetric(kek, { BlockCipherMode: 'GCM' }) }
    expect(() => unwrap(encrypting, gcm, bytes(kek))).toThrow(refusal('missing-iv'))
    expect(() => unwrap(encrypting, gcm, bytes('00'))).toThrow(refusal('failure'))
    expect(() => unwrap(encrypting, { encryption }, bytes('00'))).toThrow(refusal('failure'))
  })
})
