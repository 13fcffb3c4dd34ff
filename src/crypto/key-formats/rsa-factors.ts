/**
 * The primes of an RSA key from its exponents, for transparent keys that come without them. Only
 * divisions and square roots, in loops of bounded length.
 */
import { bitLength } from './asn1-values.ts'

/** Multiples of the Carmichael function that are tried: gcd(p-1, q-1) of any usual key is below. */
const largestShare = 64n

/**
 * P and Q from modulus and both exponents. e·d-1 is a multiple k of lcm(p-1, q-1), with k below e
 * times the gcd of the two; once φ(n) is known, p and q are the roots of a quadratic equation.
 */
export function factorsOf(n: bigint, e: bigint, d: bigint): [bigint, bigint] | undefined {
  for (let share = 1n; share <= largestShare; share++) {
    const multiple = (e * d - 1n) * share
    const k = multiple / n + 1n
    if (multiple % k !== 0n) continue
    const sum = n - multiple / k + 1n
    const root = squareRoot(sum * sum - 4n * n)
    if (root === undefined) continue
    const p = (sum + root) / 2n
    if (p > 1n && p < n && n % p === 0n) return [p, n / p]
  }
  return undefined
}

/** Most multiples that are tried for a key whose public exponent is larger. */
const mostSteps = 2n ** 17n

/** P and Q from one prime exponent: e·dP-1 is a multiple of p-1, less than e times it. */
export function primeByExponent(n: bigint, e: bigint, dp: bigint): [bigint, bigint] | undefined {
  const multiple = e * dp - 1n
  for (let k = 1n; k < e && k <= mostSteps; k++) {
    if (multiple % k !== 0n) continue
    const p = multiple / k + 1n
    if (p > 1n && p < n && n % p === 0n) return [p, n / p]
  }
  return undefined
}

function squareRoot(square: bigint): bigint | undefined {
  if (square < 0n) return undefined
  if (square < 2n) return square
  let root = 1n << BigInt(Math.ceil(bitLength(square) / 2))
  for (;;) {
    const next = (root + square / root) >> 1n
    if (next >= root) break
    root = next
  }
  return root * root === square ? root : undefined
}
