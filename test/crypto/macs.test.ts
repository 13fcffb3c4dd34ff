import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { CryptoRefusal } from '../../src/crypto/crypto-refusal.ts'
import { hash, openHash } from '../../src/crypto/hashes.ts'
import { macOf, openMac, verifyMac, type MacRequest } from '../../src/crypto/macs.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function codeOf(act: () => unknown) {
  try {
    act()
  } catch (error) {
    return (error as CryptoRefusal).code
  }
  return undefined
}

const message = hex(
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
    '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
)

describe('CMAC', () => {
  const aes: MacRequest = {
    key: hex('2b7e151628aed2a6abf7158809cf4f3c'),
    algorithm: 'AES',
    parameters: { BlockCipherMode: 'CMAC' },
  }
  /** NIST SP 800-38B, examples for TDEA with three keys. */
  const tripleDes: MacRequest = {
    key: hex('8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5'),
    algorithm: 'DES3',
    parameters: {},
  }

  test.each([
    [aes, 0, 'bb1d6929e95937287fa37d129b756746'],
    [aes, 16, '070a16b46b4d4144f79bdd9dd04a287c'],
    [aes, 40, 'dfa66747de9ae63030ca32611497c827'],
    [aes, 64, '51f0bebf7e3b9d92fc49741779363cfe'],
    [tripleDes, 0, 'b7a688e122ffaf95'],
    [tripleDes, 8, '8e8f293136283797'],
    [tripleDes, 20, '743ddbe0ce2dc2ed'],
    [tripleDes, 32, '33e6b1092400eae5'],
  ])('is that of RFC 4493 and SP 800-38B (%#)', (request, length, expected) => {
    const data = message.subarray(0, length)
    expect(text(macOf({ ...request, data }))).toBe(expected)
    for (const size of [1, 8, 17]) {
      const stream = openMac(request)
      for (let at = 0; at < length; at += size)
        stream.update(data.subarray(at, Math.min(length, at + size)))
      expect(text(stream.final())).toBe(expected)
    }
  })

  test('is what a block cipher key without a mode makes', () => {
    expect(text(macOf({ ...aes, parameters: {}, data: message }))).toMatch(/^51f0bebf/u)
  })
})

describe('HMAC', () => {
  /** RFC 4231 test case 2. */
  const request: MacRequest = {
    key: Buffer.from('Jefe'),
    algorithm: 'AES',
    parameters: { CryptographicAlgorithm: 'HMAC_SHA256' },
  }
  const data = Buffer.from('what do ya want for nothing?')
  const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'

  test('is by the algorithm of the parameters, whatever the key was made for', () => {
    expect(text(macOf({ ...request, data }))).toBe(expected)
    const ofKey = { key: request.key, algorithm: 'HMAC_SHA256', parameters: {} } as const
    expect(text(macOf({ ...ofKey, data }))).toBe(expected)
  })

  test.each([
    ['HMAC_MD5', 'md5'],
    ['HMAC_SHA1', 'sha1'],
    ['HMAC_SHA512', 'sha512'],
    ['HMAC_SHA3_256', 'sha3-256'],
  ] as const)('%s is by %s', (algorithm, digest) => {
    const key = request.key
    const mac = macOf({ key, algorithm, parameters: {}, data })
    expect(text(mac)).toBe(createHmac(digest, key).update(data).digest('hex'))
  })

  test('verifies whole MACs only, in parts too', () => {
    const mac = hex(expected)
    expect(verifyMac({ ...request, data, mac })).toBe(true)
    const changed = mac.map((byte, index) => (index === 31 ? byte ^ 1 : byte))
    for (const wrong of [changed, mac.subarray(0, 16), new Uint8Array(0)])
      expect(verifyMac({ ...request, data, mac: wrong })).toBe(false)
    const stream = openMac(request)
    stream.update(data.subarray(0, 7))
    stream.update(data.subarray(7))
    expect(stream.verify(mac)).toBe(true)
  })
})

test.each<[Partial<MacRequest>, string]>([
  [{ algorithm: undefined }, 'parameters'],
  [{ algorithm: 'HMAC_SHA256', key: new Uint8Array(0) }, 'parameters'],
  [{ key: new Uint8Array(15) }, 'parameters'],
  [{ parameters: { BlockCipherMode: 'CBC_MAC' } }, 'unsupported'],
  [{ parameters: { HashingAlgorithm: 'SHA_256' } }, 'unsupported'],
  [{ algorithm: 'RSA' }, 'unsupported'],
  [{ algorithm: 0x8000_0001 }, 'unsupported'],
])('a MAC by %j is refused: %s', (request, code) => {
  const whole = { key: new Uint8Array(16), algorithm: 'AES', parameters: {}, ...request } as const
  expect(codeOf(() => openMac(whole))).toBe(code)
})

describe('hashes', () => {
  test.each([
    ['MD5', '900150983cd24fb0d6963f7d28e17f72'],
    ['SHA_1', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['SHA_224', '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7'],
    ['SHA_256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'SHA_384',
      'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
    ],
    [
      'SHA_512',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
    ['SHA_512_224', '4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa'],
    ['SHA_512_256', '53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23'],
    ['SHA3_256', '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532'],
    ['RIPEMD_160', '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc'],
  ] as const)('%s of "abc", at once and in parts', (algorithm, expected) => {
    expect(text(hash(algorithm, Buffer.from('abc')))).toBe(expected)
    const stream = openHash(algorithm)
    for (const part of ['a', '', 'bc']) stream.update(Buffer.from(part))
    expect(text(stream.final())).toBe(expected)
  })

  test.each(['MD2', 'MD4', 'Tiger', 'Whirlpool', 0x8000_0001] as const)('%s is refused', (name) => {
    expect(codeOf(() => hash(name, new Uint8Array(0)))).toBe('unsupported')
    expect(codeOf(() => openHash(name))).toBe('unsupported')
  })
})
