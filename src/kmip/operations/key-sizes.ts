/** Symmetric algorithms that keyreel makes and keeps keys for: one row each. */
import type { Infer } from 'ttlv-codec'
import type { CryptographicAlgorithm } from '../model/enumerations.ts'
import { KmipError } from '../model/result.ts'

type AlgorithmName = Extract<Infer<typeof CryptographicAlgorithm>, string>

interface KeySizes {
  /** Lengths in bits that are made; a range in steps of 8 where two numbers stand in `range`. */
  bits?: readonly number[]
  range?: readonly [number, number]
  /** Length taken when the client names none. */
  usual: number
  /** Bytes of material where they are not bits / 8 (3DES counts without parity). */
  bytes?: Readonly<Record<number, number>>
}

const mac = { range: [64, 4096], usual: 256 } as const

const keySizes: Partial<Record<AlgorithmName, KeySizes>> = {
  AES: { bits: [128, 192, 256], usual: 256 },
  DES3: {
    bits: [112, 128, 168, 192],
    usual: 192,
    bytes: { 112: 16, 128: 16, 168: 24, 192: 24 },
  },
  Camellia: { bits: [128, 192, 256], usual: 256 },
  Blowfish: { range: [32, 448], usual: 256 },
  CAST5: { range: [40, 128], usual: 128 },
  Twofish: { bits: [128, 192, 256], usual: 256 },
  SEED: { bits: [128], usual: 128 },
  IDEA: { bits: [128], usual: 128 },
  SKIPJACK: { bits: [80], usual: 80 },
  RC4: { range: [40, 2048], usual: 128 },
  ChaCha20: { bits: [256], usual: 256 },
  Poly1305: { bits: [256], usual: 256 },
  ChaCha20Poly1305: { bits: [256], usual: 256 },
  /** Up to a MiB, as much as it is to encrypt. */
  OneTimePad: { range: [8, 8_388_608], usual: 8192 },
  HMAC_SHA1: mac,
  HMAC_SHA224: mac,
  HMAC_SHA256: mac,
  HMAC_SHA384: mac,
  HMAC_SHA512: mac,
  HMAC_MD5: mac,
}

/** The row of a symmetric algorithm. @throws KmipError when it is none */
function sizesOf(algorithm: AlgorithmName | number): KeySizes {
  const sizes = typeof algorithm === 'string' ? keySizes[algorithm] : undefined
  if (sizes === undefined) {
    throw new KmipError(
      'InvalidAttributeValue',
      `Cryptographic Algorithm ${algorithm} makes no symmetric key`,
    )
  }
  return sizes
}

/** The length to make a key in: the one asked for, or the algorithm's usual one. */
export function lengthToMake(algorithm: AlgorithmName | number, asked: number | undefined): number {
  const { bits, range, usual } = sizesOf(algorithm)
  if (asked === undefined) return usual
  const fits =
    bits?.includes(asked) ?? (asked % 8 === 0 && range![0] <= asked && asked <= range![1])
  if (!fits) {
    throw new KmipError(
      'InvalidAttributeValue',
      `${algorithm} keys have ${bits?.join(', ') ?? `${range![0]} to ${range![1]}`} bits, not ${asked}`,
    )
  }
  return asked
}

/** Bytes of material of a key of that length in bits. */
export function bytesOf(algorithm: AlgorithmName | number, bits: number): number {
  return sizesOf(algorithm).bytes?.[bits] ?? bits / 8
}
