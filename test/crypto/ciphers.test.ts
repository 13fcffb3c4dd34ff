import { describe, expect, test } from 'vitest'
import { decrypt, encrypt, openCipher, type CipherRequest } from '../../src/crypto/ciphers.ts'
import type { CryptoRefusal, CryptoRefusalCode } from '../../src/crypto/crypto-refusal.ts'
import type { CryptographicParameters } from '../../src/crypto/parameters.ts'
import { vectors, type CipherVector } from './cipher-vectors.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (length: number, value = 7) => new Uint8Array(length).fill(value)

function codeOf(act: () => unknown): CryptoRefusalCode | undefined {
  try {
    act()
  } catch (error) {
    return (error as CryptoRefusal).code
  }
  return undefined
}

const requestOf = (vector: CipherVector): CipherRequest => ({
  key: hex(vector.key),
  algorithm: vector.algorithm ?? 'AES',
  parameters: vector.parameters,
  iv: vector.iv === undefined ? undefined : hex(vector.iv),
  additionalData: vector.aad === undefined ? undefined : hex(vector.aad),
})

describe.each(vectors)('$name', (vector) => {
  const request = requestOf(vector)
  const tag = vector.tag === undefined ? undefined : hex(vector.tag)

  test('encrypts and decrypts at once', () => {
    const encrypted = encrypt({ ...request, data: hex(vector.plain) })
    expect(text(encrypted.data)).toBe(vector.cipher)
    expect(encrypted.tag && text(encrypted.tag)).toBe(vector.tag)
    expect(encrypted.iv).toBeUndefined()
    expect(text(decrypt({ ...request, tag, data: hex(vector.cipher) }))).toBe(vector.plain)
  })

  test('comes to the same in parts of any size', () => {
    for (const size of [1, 5, 16, 33]) {
      for (const direction of ['encrypt', 'decrypt'] as const) {
        const isEncryption = direction === 'encrypt'
        const [from, to] = [vector.plain, vector.cipher]
        const source = hex(isEncryption ? from : to)
        const stream = openCipher(direction, isEncryption ? request : { ...request, tag })
        const parts: Uint8Array[] = []
        for (let at = 0; at < source.length; at += size)
          parts.push(stream.update(source.subarray(at, at + size)))
        const end = stream.final()
        expect(text(Buffer.concat([...parts, end.data]))).toBe(isEncryption ? to : from)
        if (isEncryption) expect(end.tag && text(end.tag)).toBe(vector.tag)
      }
    }
  })
})

describe('padding', () => {
  const cbc = (PaddingMethod: CryptographicParameters['PaddingMethod']) => ({
    key: bytes(16),
    algorithm: 'AES' as const,
    parameters: { BlockCipherMode: 'CBC', PaddingMethod } as CryptographicParameters,
    iv: bytes(16),
  })
  const none = cbc('None')

  test.each(['PKCS5', 'ANSIX9_23', 'ISO10126', 'Zeros'] as const)(
    '%s comes off again, for every length',
    (method) => {
      for (let length = 0; length <= 33; length++) {
        const data = bytes(length, 9)
        const encrypted = encrypt({ ...cbc(method), data }).data
        expect(encrypted.length % 16).toBe(0)
        expect(text(decrypt({ ...cbc(method), data: encrypted }))).toBe(text(data))
        if (length % 16 === 0) continue
        const padded = decrypt({ ...none, data: encrypted })
        expect(padded.at(-1)).toBe(method === 'Zeros' ? 0 : padded.length - length)
      }
    },
  )

  test.each([
    ['PKCS5', '0'.repeat(30) + '00'],
    ['PKCS5', '0'.repeat(30) + '11'],
    ['PKCS5', '0'.repeat(28) + '0102'],
    ['ANSIX9_23', '0'.repeat(28) + '0102'],
    ['ISO10126', '0'.repeat(30) + '11'],
  ] as const)('%s refuses a last block of %s as a failure', (method, block) => {
    const data = encrypt({ ...none, data: hex(block) }).data
    expect(codeOf(() => decrypt({ ...cbc(method), data }))).toBe('failure')
  })

  test('without padding data must fill its blocks, and ciphertext always', () => {
    expect(codeOf(() => encrypt({ ...none, data: bytes(17) }))).toBe('parameters')
    expect(codeOf(() => decrypt({ ...none, data: bytes(17) }))).toBe('failure')
    expect(codeOf(() => decrypt({ ...cbc('PKCS5'), data: bytes(0) }))).toBe('failure')
  })

  test.each(['SSL3', 'X9_31', 'OAEP', 'PSS', 0x8000_0001] as const)('%s is refused', (method) => {
    expect(codeOf(() => encrypt({ ...cbc(method), data: bytes(16) }))).toBe('unsupported')
  })

  test('is refused outside ECB and CBC', () => {
    const parameters = { BlockCipherMode: 'CTR', PaddingMethod: 'PKCS5' } as const
    expect(codeOf(() => encrypt({ ...none, parameters, data: bytes(16) }))).toBe('parameters')
  })
})

describe('IV/Counter/Nonce', () => {
  const aes = (parameters: CryptographicParameters): CipherRequest => ({
    key: bytes(16),
    algorithm: 'AES',
    parameters,
  })

  test.each([
    ['CBC', 16],
    ['CFB', 16],
    ['CTR', 16],
    ['GCM', 12],
    ['CCM', 12],
  ] as const)(
    'a random one for %s has %i bytes, and comes back to decrypt with',
    (mode, length) => {
      const request = aes({ BlockCipherMode: mode, RandomIV: true })
      const first = encrypt({ ...request, data: bytes(32) })
      const second = encrypt({ ...request, data: bytes(32) })
      expect(first.iv).toHaveLength(length)
      expect(first.iv).not.toEqual(second.iv)
      const { data, iv, tag } = first
      expect(decrypt({ ...request, data, iv, tag })).toEqual(Buffer.from(bytes(32)))
    },
  )

  test('one that is given is used even where a random one was asked for', () => {
    const request = aes({ BlockCipherMode: 'CBC', RandomIV: true })
    expect(encrypt({ ...request, iv: bytes(16), data: bytes(16) }).iv).toBeUndefined()
  })

  test('is missing when none is given or asked for, and always to decrypt', () => {
    const data = bytes(16)
    expect(codeOf(() => encrypt({ ...aes({ BlockCipherMode: 'CBC' }), data }))).toBe('missing-iv')
    const request = aes({ BlockCipherMode: 'CBC', RandomIV: true })
    expect(codeOf(() => decrypt({ ...request, data }))).toBe('missing-iv')
    expect(codeOf(() => decrypt({ ...request, data, iv: bytes(0) }))).toBe('missing-iv')
  })

  test.each<[CryptographicParameters, number]>([
    [{ BlockCipherMode: 'CBC' }, 15],
    [{ BlockCipherMode: 'CBC', IVLength: 64 }, 16],
    [{ BlockCipherMode: 'CTR' }, 17],
    [{ BlockCipherMode: 'CTR', CounterLength: 64 }, 12],
    [{ BlockCipherMode: 'CTR', InitialCounterValue: 1 }, 16],
    [{ BlockCipherMode: 'CTR', InitialCounterValue: 256 }, 15],
    [{ BlockCipherMode: 'CTR', InitialCounterValue: -1 }, 12],
    [{ BlockCipherMode: 'GCM' }, 7],
    [{ BlockCipherMode: 'CCM' }, 14],
    [{ BlockCipherMode: 'ECB' }, 16],
    [{ BlockCipherMode: 'NISTKeyWrap' }, 8],
  ])('%j refuses one of %i bytes', (parameters, length) => {
    const request = { ...aes(parameters), iv: bytes(length), data: bytes(16) }
    expect(codeOf(() => encrypt(request))).toBe('parameters')
  })

  test.each<CryptographicParameters>([
    { BlockCipherMode: 'GCM', RandomIV: true, IVLength: 64 },
    { BlockCipherMode: 'CTR', RandomIV: true, IVLength: 2 ** 31 - 1 },
    { BlockCipherMode: 'CBC', RandomIV: true, IVLength: -128 },
  ])('%j is refused: too short to be random, or not of the mode', (parameters) => {
    expect(codeOf(() => encrypt({ ...aes(parameters), data: bytes(16) }))).toBe('parameters')
  })

  test('CCM with the longest nonce takes 65,535 bytes', () => {
    const request = { ...aes({ BlockCipherMode: 'CCM' }), iv: bytes(13) }
    expect(encrypt({ ...request, data: bytes(65_535) }).data).toHaveLength(65_535)
    expect(codeOf(() => encrypt({ ...request, data: bytes(65_536) }))).toBe('parameters')
  })

  test('a counter never runs into the nonce', () => {
    const request = { ...aes({ BlockCipherMode: 'CTR', InitialCounterValue: 254 }), iv: bytes(15) }
    expect(encrypt({ ...request, data: bytes(32) }).data).toHaveLength(32)
    expect(codeOf(() => encrypt({ ...request, data: bytes(33) }))).toBe('parameters')
  })
})

describe('authenticated data', () => {
  const gcm = (TagLength?: number): CipherRequest => ({
    key: bytes(32),
    algorithm: 'AES',
    parameters: { BlockCipherMode: 'GCM', ...(TagLength !== undefined && { TagLength }) },
    iv: bytes(12),
    additionalData: bytes(5),
  })

  test('that was changed anywhere gives nothing, whole or in parts', () => {
    const { data, tag } = encrypt({ ...gcm(), data: bytes(40) })
    const changed = (source: Uint8Array) => source.map((byte, at) => (at === 3 ? byte ^ 1 : byte))
    for (const wrong of [
      { data: changed(data), tag: tag! },
      { data, tag: changed(tag!) },
      { data, tag: tag!, additionalData: changed(bytes(5)) },
      { data, tag: tag!, iv: changed(bytes(12)) },
      { data, tag: tag!, key: bytes(32, 8) },
    ]) {
      expect(codeOf(() => decrypt({ ...gcm(), ...wrong }))).toBe('failure')
      const stream = openCipher('decrypt', { ...gcm(), ...wrong })
      expect(stream.update(wrong.data)).toHaveLength(0)
      expect(codeOf(() => stream.final())).toBe('failure')
    }
  })

  test.each(['GCM', 'CCM'] as const)('says no more than that it failed, in %s', (mode) => {
    const request = { ...gcm(), parameters: { BlockCipherMode: mode } as CryptographicParameters }
    expect(() => decrypt({ ...request, data: bytes(9), tag: bytes(16) })).toThrow(
      /^cryptographic failure$/,
    )
  })

  test.each([0, 1, 5, 17, 32])('has no tag of %i bytes', (length) => {
    expect(codeOf(() => encrypt({ ...gcm(length), data: bytes(1) }))).toBe('tag-length')
  })

  test('is decrypted with its tag, of the length that was asked for', () => {
    const { data, tag } = encrypt({ ...gcm(), data: bytes(3) })
    expect(codeOf(() => decrypt({ ...gcm(), data }))).toBe('parameters')
    const short = tag!.subarray(0, 12)
    expect(codeOf(() => decrypt({ ...gcm(), data, tag: short }))).toBe('tag-length')
    expect(decrypt({ ...gcm(12), data, tag: short })).toEqual(Buffer.from(bytes(3)))
  })

  test('is not promised by modes that authenticate nothing', () => {
    const request = { key: bytes(16), algorithm: 'AES', iv: bytes(16), data: bytes(16) } as const
    const parameters = { BlockCipherMode: 'CBC' } as const
    const act = () => encrypt({ ...request, parameters, additionalData: bytes(1) })
    expect(codeOf(act)).toBe('parameters')
    expect(codeOf(() => decrypt({ ...request, parameters, tag: bytes(16) }))).toBe('parameters')
  })
})

describe('refusals', () => {
  const ask = (request: Partial<CipherRequest>) =>
    codeOf(() =>
      encrypt({ key: bytes(16), algorithm: 'AES', parameters: {}, ...request, data: bytes(16) }),
    )

  test.each<[Partial<CipherRequest>, CryptoRefusalCode]>([
    [{}, 'parameters'],
    [{ algorithm: undefined, parameters: { BlockCipherMode: 'ECB' } }, 'parameters'],
    [{ key: bytes(15), parameters: { BlockCipherMode: 'ECB' } }, 'parameters'],
    [{ key: bytes(8), algorithm: 'DES3', parameters: { BlockCipherMode: 'ECB' } }, 'parameters'],
    [{ key: bytes(32), parameters: { BlockCipherMode: 'XTS' }, iv: bytes(16) }, 'parameters'],
    [{ key: bytes(48), parameters: { BlockCipherMode: 'XTS' }, iv: bytes(16) }, 'parameters'],
    [{ parameters: { BlockCipherMode: 'PCBC' } }, 'unsupported'],
    [{ parameters: { BlockCipherMode: 0x8000_0001 } }, 'unsupported'],
    [{ key: bytes(24), algorithm: 'DES3', parameters: { BlockCipherMode: 'GCM' } }, 'unsupported'],
    [{ key: bytes(8), algorithm: 'DES', parameters: { BlockCipherMode: 'ECB' } }, 'unsupported'],
    [{ algorithm: 'RC4' }, 'unsupported'],
    [{ parameters: { BlockCipherMode: 'ECB', CryptographicAlgorithm: 'DES3' } }, 'parameters'],
    [{ algorithm: 'RSA', parameters: { PaddingMethod: 'OAEP' } }, 'parameters'],
  ])('%j is %s', (request, code) => {
    expect(ask(request)).toBe(code)
  })

  test('a wrap that does not open is a failure', () => {
    for (const mode of ['NISTKeyWrap', 'AESKeyWrapPadding'] as const) {
      const request = { key: bytes(16), algorithm: 'AES', parameters: { BlockCipherMode: mode } }
      for (const length of [0, 8, 17, 24, 32])
        expect(codeOf(() => decrypt({ ...(request as CipherRequest), data: bytes(length) }))).toBe(
          'failure',
        )
    }
    expect(ask({ parameters: { BlockCipherMode: 'NISTKeyWrap' } })).toBeUndefined()
  })

  test('a stream that ended, or refused, does not go on', () => {
    const request = { key: bytes(16), algorithm: 'AES', parameters: { BlockCipherMode: 'ECB' } }
    const stream = openCipher('encrypt', request as CipherRequest)
    stream.update(bytes(3))
    expect(codeOf(() => stream.final())).toBe('parameters')
    expect(() => stream.update(bytes(13))).toThrow('ended')
    stream.close()
  })

  test('a mode that gives nothing before its end holds one mebibyte and no more', () => {
    const parameters = { BlockCipherMode: 'CCM' } as const
    const request: CipherRequest = { key: bytes(16), algorithm: 'AES', parameters, iv: bytes(7) }
    const stream = openCipher('encrypt', request)
    stream.update(bytes(2 ** 20))
    expect(codeOf(() => stream.update(bytes(1)))).toBe('parameters')
  })
})
