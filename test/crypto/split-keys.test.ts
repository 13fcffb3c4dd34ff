import { describe, expect, test } from 'vitest'
import type { CryptoRefusal } from '../../src/crypto/crypto-refusal.ts'
import { Secret } from '../../src/crypto/secret.ts'
import {
  joinSplitKey,
  splitKey,
  type SplitKeyPart,
  type SplitKeyScheme,
} from '../../src/crypto/split-keys.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const secret = hex('0102030405060708090a0b0c0d0e0f10')

const part = (identifier: number, material: string): SplitKeyPart => ({
  identifier,
  material: new Secret(hex(material)),
})

function codeOf(act: () => unknown) {
  try {
    act()
  } catch (error) {
    return (error as CryptoRefusal).code
  }
  return undefined
}

describe('GF(2^8)', () => {
  const scheme: SplitKeyScheme = { method: 'PolynomialSharingGF2_8', parts: 4, threshold: 2 }
  const parts = [
    part(1, '66c46a7754f94de420c7b1a7fff5ec56'),
    part(2, 'cf93d1e2a7e593cd5b8d6247f4e5d49c'),
    part(3, 'a855b891f61ad9217240d8ec061e37da'),
    part(4, '803dbad55cdd329fad19d99ae2c5a415'),
  ]

  test('joins the parts of the published cases TC-SJ-2 and TC-SJ-3, any two and all', () => {
    for (const first of parts)
      for (const second of parts)
        if (first !== second)
          expect(text(joinSplitKey([first, second], scheme).bytes)).toBe(text(secret))
    expect(text(joinSplitKey(parts, scheme).bytes)).toBe(text(secret))
  })

  test('makes those parts from the same polynomial', async () => {
    const slope = parts[0]!.material.bytes.map((byte, at) => byte ^ secret[at]!)
    const made = await splitKey(secret, scheme, () => slope)
    expect(made.parts.map(({ material }) => text(material.bytes))).toEqual(
      parts.map(({ material }) => text(material.bytes)),
    )
  })

  test('does not join too few parts, one given twice, or one that was changed', () => {
    const changed = part(3, 'a955b891f61ad9217240d8ec061e37da')
    const shorter = part(2, 'cf93')
    for (const wrong of [
      [],
      [parts[0]!],
      [parts[0]!, parts[0]!],
      [parts[0]!, shorter],
      [parts[0]!, part(5, '803dbad55cdd329fad19d99ae2c5a415')],
      [parts[0]!, part(0, '803dbad55cdd329fad19d99ae2c5a415')],
      [parts[0]!, parts[1]!, changed],
    ])
      expect(codeOf(() => joinSplitKey(wrong, scheme))).toBe('failure')
  })
})

test('XOR joins the parts of the published case TC-SJ-4, and only all of them', () => {
  const scheme: SplitKeyScheme = { method: 'XOR', parts: 4, threshold: 4 }
  const parts = [
    part(1, 'd4b92c299199298e30dee13b967e6dda'),
    part(2, '35ea4f615686230c7b11538693674e89'),
    part(3, '3478ddd2e1f89f2005011d26d9fff37c'),
    part(4, 'd429bd9e23e192aa47c4a497d1e8df3f'),
  ]
  expect(text(joinSplitKey(parts, scheme).bytes)).toBe(text(secret))
  expect(codeOf(() => joinSplitKey(parts.slice(1), scheme))).toBe('failure')
})

/** GF(2^16) exactly as §13.1 writes it (with y^2 = y + m): elements are u·256 + v. */
function product(a: number, b: number): number {
  const small = (x: number, y: number) => {
    let sum = 0
    for (let bit = 7; bit >= 0; bit--) {
      sum = (sum << 1) ^ (sum & 0x80 ? 0x11d : 0)
      if ((y >> bit) & 1) sum ^= x
    }
    return sum
  }
  const [r, s, u, v] = [a >> 8, a & 255, b >> 8, b & 255]
  const upper = small(r ^ s, u ^ v) ^ small(s, v)
  return (upper << 8) | (small(small(r, u), 0x3a) ^ small(s, v))
}

test('GF(2^16) shares in pieces of 16 bits over the field of the specification', async () => {
  const scheme: SplitKeyScheme = { method: 'PolynomialSharingGF2_16', parts: 5, threshold: 3 }
  const random = Uint8Array.from({ length: 32 }, (_, index) => (index * 89 + 17) % 256)
  const { parts } = await splitKey(secret, scheme, () => Uint8Array.from(random))
  for (const { identifier, material } of parts) {
    for (let at = 0; at < 16; at += 2) {
      const piece = (source: Uint8Array, from: number) => (source[from]! << 8) | source[from + 1]!
      const linear = product(identifier, piece(random, at))
      const square = product(product(identifier, identifier), piece(random, at + 16))
      expect(piece(material.bytes, at)).toBe(piece(secret, at) ^ linear ^ square)
    }
  }
  expect(text(joinSplitKey(parts.slice(2), scheme).bytes)).toBe(text(secret))
})

describe.each<[SplitKeyScheme['method'], number, number]>([
  ['XOR', 2, 2],
  ['XOR', 255, 255],
  ['PolynomialSharingGF2_8', 255, 2],
  ['PolynomialSharingGF2_8', 255, 255],
  ['PolynomialSharingGF2_16', 7, 4],
  ['PolynomialSharingPrimeField', 5, 3],
  ['PolynomialSharingPrimeField', 20, 20],
])('%s into %i parts of which %i are enough', (method, parts, threshold) => {
  const scheme = { method, parts, threshold }

  test.each([1, 7, 32])('gives a secret of %i bytes back', async (length) => {
    for (const source of [new Uint8Array(length), new Uint8Array(length).fill(255)]) {
      const split = await splitKey(source, scheme)
      expect(split.parts.map(({ identifier }) => identifier)).toEqual(
        Array.from({ length: parts }, (_, index) => index + 1),
      )
      const joining = { ...scheme, primeFieldSize: split.primeFieldSize }
      const last = split.parts.slice(-threshold)
      expect(text(joinSplitKey(last, joining).bytes)).toBe(text(source))
      expect(text(joinSplitKey(split.parts, joining).bytes)).toBe(text(source))
      expect(codeOf(() => joinSplitKey(last.slice(1), joining))).toBe('failure')
    }
  })
})

describe('a prime field', () => {
  const scheme: SplitKeyScheme = {
    method: 'PolynomialSharingPrimeField',
    parts: 3,
    threshold: 2,
    primeFieldSize: 257n,
  }

  test('has parts that are integers below the prime', async () => {
    const { parts, primeFieldSize } = await splitKey(hex('c8'), scheme, (length) => {
      const bytes = new Uint8Array(length)
      bytes[length - 1] = 100
      return bytes
    })
    expect(primeFieldSize).toBe(257n)
    // 200 + 100 i mod 257
    expect(parts.map(({ material }) => text(material.bytes))).toEqual(['002b', '008f', '00f3'])
    expect(text(joinSplitKey(parts.slice(1), scheme).bytes)).toBe('c8')
    const beyond = [part(1, '0101'), parts[1]!]
    expect(codeOf(() => joinSplitKey(beyond, scheme))).toBe('failure')
  })

  test('may be far larger than the secret, whose length then tells the join', async () => {
    const large = { ...scheme, primeFieldSize: 2n ** 521n - 1n }
    const { parts } = await splitKey(secret, large)
    expect(text(joinSplitKey(parts, { ...large, length: 16 }).bytes)).toBe(text(secret))
    expect(codeOf(() => joinSplitKey(parts, { ...large, length: 15 }))).toBe('failure')
  })

  test.each([
    ['too small', 251n],
    ['no prime', 2n ** 128n + 1n],
    ['negative', -257n],
    ['too large', 2n ** 4423n - 1n],
  ])('is refused when %s', async (_, primeFieldSize) => {
    await expect(splitKey(hex('c8'), { ...scheme, primeFieldSize })).rejects.toMatchObject({
      code: 'parameters',
    })
  })

  test('does not join under a number that is no prime or missing', () => {
    const parts = [part(1, '0001'), part(3, '0002')]
    expect(codeOf(() => joinSplitKey(parts, { ...scheme, primeFieldSize: 256n }))).toBe('failure')
    for (const primeFieldSize of [undefined, 0n, -5n])
      expect(codeOf(() => joinSplitKey(parts, { ...scheme, primeFieldSize }))).toBe('parameters')
  })
})

test.each<[string, SplitKeyScheme, number]>([
  ['one part', { method: 'PolynomialSharingGF2_8', parts: 1, threshold: 1 }, 16],
  ['256 parts', { method: 'PolynomialSharingGF2_8', parts: 256, threshold: 2 }, 16],
  ['threshold 1', { method: 'PolynomialSharingGF2_8', parts: 3, threshold: 1 }, 16],
  ['threshold above parts', { method: 'PolynomialSharingGF2_8', parts: 3, threshold: 4 }, 16],
  ['a fraction', { method: 'PolynomialSharingGF2_8', parts: 3, threshold: 2.5 }, 16],
  ['XOR of some parts', { method: 'XOR', parts: 3, threshold: 2 }, 16],
  ['XOR with a prime', { method: 'XOR', parts: 3, threshold: 3, primeFieldSize: 257n }, 16],
  ['nothing', { method: 'XOR', parts: 2, threshold: 2 }, 0],
  ['too much work', { method: 'PolynomialSharingGF2_8', parts: 255, threshold: 255 }, 100],
  [
    'too much work by the prime',
    {
      method: 'PolynomialSharingPrimeField',
      parts: 255,
      threshold: 255,
      primeFieldSize: 2n ** 521n - 1n,
    },
    1,
  ],
  ['a long secret', { method: 'PolynomialSharingPrimeField', parts: 2, threshold: 2 }, 257],
])('%s is refused at once', async (_, scheme, length) => {
  await expect(splitKey(new Uint8Array(length), scheme)).rejects.toMatchObject({
    code: 'parameters',
  })
})

test('an unknown method is not supported', async () => {
  const scheme = { method: 0x8000_0001, parts: 2, threshold: 2 }
  await expect(splitKey(secret, scheme)).rejects.toMatchObject({ code: 'unsupported' })
})
