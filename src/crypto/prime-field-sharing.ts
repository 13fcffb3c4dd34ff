/**
 * Shamir's sharing over a prime field – KMIP 2.1 §13.1: the secret is a big-endian integer below
 * Prime Field Size, and so is each part, in as many bytes as the prime has. Big integers of JavaScript
 * cannot be cleared and do not compute in constant time.
 */
import { checkPrime, generatePrime } from 'node:crypto'
import { promisify } from 'node:util'
import { CryptoRefusal, cryptographicFailure } from './crypto-refusal.ts'
import type { Point } from './polynomial-sharing.ts'

/** The largest prime in bits. */
export const longestPrime = 2304

const longestSecret = 256

/**
 * Bytes of each part of a secret of `secretLength` bytes under the prime of the request, or the one
 * that would be made. Throws CryptoRefusal for a secret or prime that is out of bounds.
 */
export function partLength(secretLength: number, given: bigint | undefined): number {
  if (secretLength > longestSecret)
    throw new CryptoRefusal(
      'parameters',
      `secret of ${secretLength} bytes, prime fields here share ${longestSecret}`,
    )
  if (given === undefined) return secretLength + 1
  if (given <= 1n << BigInt(secretLength * 8))
    throw new CryptoRefusal('parameters', 'Prime Field Size is too small for the secret')
  if (given >= 1n << BigInt(longestPrime))
    throw new CryptoRefusal('parameters', `Prime Field Size has more than ${longestPrime} bits`)
  return byteLength(given)
}

/** The prime of the request, now tested, or a new one of one bit more than the secret. */
export async function primeFor(secretLength: number, given: bigint | undefined): Promise<bigint> {
  if (given === undefined) return newPrime(secretLength * 8 + 1)
  if (await promisify(isPrime)(given)) return given
  throw new CryptoRefusal('parameters', 'Prime Field Size is no prime')
}

/** The parts 1 to `parts`. `random` gives bytes for the coefficients. */
export function sharePrimeField(
  secret: Uint8Array,
  prime: bigint,
  { parts, threshold }: { parts: number; threshold: number },
  random: (length: number) => Uint8Array,
): Point[] {
  const width = byteLength(prime)
  const coefficients = [toInteger(secret)]
  while (coefficients.length < threshold) {
    // 128 bits more than the prime: the remainder is as good as uniform.
    const bytes = random(width + 16)
    coefficients.push(toInteger(bytes) % prime)
    bytes.fill(0)
  }
  return Array.from({ length: parts }, (_, index) => {
    const point = BigInt(index + 1)
    const value = coefficients.reduceRight((sum, next) => (sum * point + next) % prime, 0n)
    return { identifier: index + 1, bytes: toBytes(value, width) }
  })
}

/**
 * The polynomial through all of `points`, to be asked for its value at other points (0: the secret).
 * Throws CryptoRefusal `failure` when a part is no element of the field, or the field is none.
 */
export function polynomialThrough(points: readonly Point[], prime: bigint): (x: number) => bigint {
  const width = byteLength(prime)
  const weighted = points.map(({ identifier, bytes }) => {
    const value = toInteger(bytes)
    if (bytes.length !== width || value >= prime) throw cryptographicFailure()
    const others = points.filter((other) => other.identifier !== identifier)
    const distance = others.reduce(
      (product, other) => (product * BigInt(identifier - other.identifier)) % prime,
      1n,
    )
    return { identifier, weight: (value * inverse(distance, prime)) % prime }
  })
  return (x) => {
    let product = 1n
    let sum = 0n
    for (const { identifier, weight } of weighted) {
      const distance = BigInt(x - identifier)
      product = (product * distance) % prime
      sum = (sum + weight * inverse(distance, prime)) % prime
    }
    return (((product * sum) % prime) + prime) % prime
  }
}

/** Bytes of a secret that certainly fits below the prime. */
export function secretBytes(prime: bigint): number {
  return Math.floor((bitLength(prime) - 1) / 8)
}

/** Big-endian, `length` bytes. Throws CryptoRefusal `failure` when the value is larger. */
export function toBytes(value: bigint, length: number): Uint8Array {
  const digits = value.toString(16)
  if (digits.length > length * 2) throw cryptographicFailure()
  return Uint8Array.from(Buffer.from(digits.padStart(length * 2, '0'), 'hex'))
}

export function toInteger(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  return BigInt(`0x0${hex}`)
}

/** By the extended Euclidean algorithm; the points it is asked for are public. */
function inverse(value: bigint, prime: bigint): bigint {
  let [a, b] = [((value % prime) + prime) % prime, prime]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  if (a !== 1n) throw cryptographicFailure()
  return x
}

const bitLength = (value: bigint) => value.toString(2).length
const byteLength = (value: bigint) => Math.ceil(bitLength(value) / 8)

function newPrime(bits: number): Promise<bigint> {
  return new Promise((resolve, reject) => {
    generatePrime(bits, { bigint: true }, (error, prime) => {
      if (error) reject(cryptographicFailure(error))
      else resolve(prime)
    })
  })
}

function isPrime(value: bigint, done: (error: Error | null, result: boolean) => void): void {
  checkPrime(value, done)
}
