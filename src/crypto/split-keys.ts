/**
 * Create Split Key and Join Split Key – KMIP 2.1 §6.1.10, §6.1.27 and §13.1: a secret into parts, any
 * `threshold` of which give it back and fewer say nothing about it.
 */
import type { SplitKeyMethod } from '../kmip/model/enumerations.ts'
import { CryptoRefusal, cryptographicFailure } from './crypto-refusal.ts'
import { named } from './parameters.ts'
import { interpolate, sharePolynomial, type Point } from './polynomial-sharing.ts'
import {
  longestPrime,
  partLength,
  polynomialThrough,
  primeFor,
  secretBytes,
  sharePrimeField,
  toBytes,
} from './prime-field-sharing.ts'
import { equalBytes } from './primitives/mac.ts'
import { randomBytes } from './primitives/random.ts'
import { Secret } from './secret.ts'

type Method = Parameters<(typeof SplitKeyMethod)['since']>[0]

export interface SplitKeyScheme {
  method: Method | number
  /** Split Key Parts: 2 to 255. */
  parts: number
  /** Split Key Threshold: 2 to `parts`; for XOR equal to it. */
  threshold: number
  /** Prime Field Size, for the prime field only; a new prime when absent in a split. */
  primeFieldSize?: bigint | undefined
}

/** The material of one Split Key. */
export interface SplitKeyPart {
  /** Key Part Identifier, from 1. */
  readonly identifier: number
  readonly material: Secret
}

export interface SplitSecret {
  parts: SplitKeyPart[]
  /** The prime used, for the Split Key objects. */
  primeFieldSize?: bigint
}

/** Most parts × threshold × bytes of a part (XOR: parts × bytes): a quarter of a second. */
export const splitWorkLimit = 2 ** 22

/**
 * Splits `secret`, which stays the caller's; the caller wipes the parts. Throws CryptoRefusal.
 * `random` is for tests.
 */
export async function splitKey(
  secret: Uint8Array,
  scheme: SplitKeyScheme,
  random: (length: number) => Uint8Array = randomBytes,
): Promise<SplitSecret> {
  const method = checkedMethod(scheme)
  const { parts, threshold } = scheme
  const isPrimeField = method === 'PolynomialSharingPrimeField'
  const length = isPrimeField ? partLength(secret.length, scheme.primeFieldSize) : secret.length
  if (secret.length === 0) throw new CryptoRefusal('parameters', 'there is nothing to split')
  checkWork(parts, method === 'XOR' ? 1 : threshold, length)
  if (isPrimeField) {
    const prime = await primeFor(secret.length, scheme.primeFieldSize)
    const points = sharePrimeField(secret, prime, scheme, random)
    return { parts: points.map(toPart), primeFieldSize: prime }
  }
  if (method === 'XOR') return { parts: shareXor(secret, parts, random).map(toPart) }
  const coefficients = random((threshold - 1) * secret.length)
  const points = sharePolynomial(secret, coefficients, parts)
  coefficients.fill(0)
  return { parts: points.map(toPart) }
}

/**
 * Joins parts, which stay the caller's; the caller wipes the result. Fewer than the threshold, a part
 * given twice, or parts above the threshold that contradict the others are a CryptoRefusal `failure`.
 * `length` in bytes is needed for a prime that is much larger than the secret was.
 */
export function joinSplitKey(
  given: readonly SplitKeyPart[],
  scheme: SplitKeyScheme & { length?: number | undefined },
): Secret {
  const method = checkedMethod(scheme)
  const { parts, threshold, primeFieldSize: prime } = scheme
  const points = given.map(({ identifier, material }) => ({ identifier, bytes: material.bytes }))
  const length = points[0]?.bytes.length ?? 0
  const identifiers = new Set(points.map(({ identifier }) => identifier))
  const areParts = points.every(
    ({ identifier, bytes }) =>
      Number.isInteger(identifier) &&
      identifier >= 1 &&
      identifier <= parts &&
      bytes.length === length,
  )
  if (!areParts || length === 0 || identifiers.size !== points.length || points.length < threshold)
    throw cryptographicFailure()
  checkWork(points.length, method === 'XOR' ? 1 : threshold, length)
  const enough = points.slice(0, threshold)
  const further = points.slice(threshold)
  if (method === 'XOR') return new Secret(joinXor(enough))
  if (method === 'PolynomialSharingPrimeField') {
    if (prime === undefined || prime < 3n || prime >= 1n << BigInt(longestPrime))
      throw new CryptoRefusal('parameters', 'Prime Field Size is missing or out of bounds')
    const valueAt = polynomialThrough(enough, prime)
    for (const { identifier, bytes } of further)
      confirm(toBytes(valueAt(identifier), length), bytes)
    const secret = valueAt(0)
    return new Secret(toBytes(secret, scheme.length ?? secretBytes(prime)))
  }
  for (const { identifier, bytes } of further) confirm(interpolate(enough, identifier), bytes)
  return new Secret(interpolate(enough, 0))
}

function checkedMethod({ method, parts, threshold, primeFieldSize }: SplitKeyScheme): Method {
  if (typeof method !== 'string')
    throw new CryptoRefusal('unsupported', `Split Key Method ${named(method)} is not supported`)
  if (!Number.isInteger(parts) || parts < 2 || parts > 255)
    throw new CryptoRefusal('parameters', `Split Key Parts must be 2 to 255, not ${parts}`)
  if (!Number.isInteger(threshold) || threshold < 2 || threshold > parts)
    throw new CryptoRefusal(
      'parameters',
      `Split Key Threshold must be 2 to ${parts}, not ${threshold}`,
    )
  if (method === 'XOR' && threshold !== parts)
    throw new CryptoRefusal('parameters', 'XOR needs all parts: the threshold is their number')
  if (primeFieldSize !== undefined && method !== 'PolynomialSharingPrimeField')
    throw new CryptoRefusal('parameters', 'Prime Field Size is for the prime field only')
  return method
}

function checkWork(parts: number, threshold: number, length: number): void {
  if (parts * threshold * length > splitWorkLimit)
    throw new CryptoRefusal('parameters', `${length} bytes are too many for so many parts`)
}

function shareXor(
  secret: Uint8Array,
  parts: number,
  random: (length: number) => Uint8Array,
): Point[] {
  const last = Uint8Array.from(secret)
  const points = Array.from({ length: parts - 1 }, (_, index) => {
    const bytes = random(secret.length)
    for (let at = 0; at < last.length; at++) last[at]! ^= bytes[at]!
    return { identifier: index + 1, bytes }
  })
  return [...points, { identifier: parts, bytes: last }]
}

function joinXor(points: readonly Point[]): Uint8Array {
  const secret = new Uint8Array(points[0]!.bytes.length)
  for (const { bytes } of points)
    for (let at = 0; at < secret.length; at++) secret[at]! ^= bytes[at]!
  return secret
}

function confirm(expected: Uint8Array, found: Uint8Array): void {
  const isSame = equalBytes(expected, found)
  expected.fill(0)
  if (!isSame) throw cryptographicFailure()
}

function toPart({ identifier, bytes }: Point): SplitKeyPart {
  return { identifier, material: new Secret(bytes) }
}
