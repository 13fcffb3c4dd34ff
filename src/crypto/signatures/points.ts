/**
 * u·G + v·Q on a curve over a prime field (SEC 1 §2.2.1), for verifying only: all of it is public, and
 * its time depends on it. The parameters are the crypto library's own.
 */
import { generateKeyPairSync } from 'node:crypto'
import { CryptoRefusal } from '../crypto-refusal.ts'
import {
  decoding,
  fromBigEndian,
  integerOf,
  members,
  octetsOf,
} from '../key-formats/asn1-values.ts'
import type { Curve } from '../key-formats/curves.ts'
import { inverse } from '../key-formats/modular.ts'

/** y² = x³ + a·x + b modulo `prime`; undefined over a binary field. */
export interface CurveParameters {
  order: bigint
  prime: bigint | undefined
  a: bigint
  generator: Point
}

/** x/z² and y/z³; at infinity z is 0. */
interface Point {
  x: bigint
  y: bigint
  z: bigint
}

const known = new Map<string, CurveParameters>()

/** The numbers of a curve, read once from a key that names them all (SEC 1 §C.2). */
export function curveParameters({ name, field }: Curve): CurveParameters {
  const before = known.get(name)
  if (before !== undefined) return before
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: name, paramEncoding: 'explicit' })
  const info = publicKey.export({ format: 'der', type: 'spki' })
  const parameters = decoding('curve', info, (root): CurveParameters => {
    const [, explicit] = members(members(root)[0])
    const [, fieldId, curve, base, order] = members(explicit)
    const prime = field === 'prime' ? integerOf(members(fieldId)[1]) : undefined
    const a = fromBigEndian(octetsOf(members(curve)[0]))
    return { order: integerOf(order), prime, a, generator: affine(octetsOf(base)) }
  })
  known.set(name, parameters)
  return parameters
}

/** x of u·G + v·Q; undefined at infinity. Throws CryptoRefusal `unsupported` for binary fields. */
export function sumOfMultiples(
  { prime, a, generator }: CurveParameters,
  u: bigint,
  v: bigint,
  uncompressed: Uint8Array,
): bigint | undefined {
  if (prime === undefined)
    throw new CryptoRefusal('unsupported', 'no digested data on curves over binary fields')
  const other = affine(uncompressed)
  const field: Field = { prime, a }
  const both = sum(field, generator, other)
  let result: Point = infinity
  const length = Math.max(u.toString(2).length, v.toString(2).length)
  for (let bit = BigInt(length - 1); bit >= 0n; bit--) {
    result = double(field, result)
    const [ofU, ofV] = [(u >> bit) & 1n, (v >> bit) & 1n]
    if (ofU & ofV) result = sum(field, result, both)
    else if (ofU) result = sum(field, result, generator)
    else if (ofV) result = sum(field, result, other)
  }
  if (result.z === 0n) return undefined
  const inverted = inverse(result.z, prime)
  return (((result.x * inverted) % prime) * inverted) % prime
}

interface Field {
  prime: bigint
  a: bigint
}

const infinity: Point = { x: 1n, y: 1n, z: 0n }

function affine(point: Uint8Array): Point {
  const coordinate = (point.length - 1) / 2
  const x = fromBigEndian(point.subarray(1, 1 + coordinate))
  return { x, y: fromBigEndian(point.subarray(1 + coordinate)), z: 1n }
}

function double({ prime, a }: Field, { x, y, z }: Point): Point {
  if (z === 0n || y === 0n) return infinity
  const yy = (y * y) % prime
  const s = (4n * x * yy) % prime
  const m = (3n * x * x + a * z ** 4n) % prime
  const newX = positive(m * m - 2n * s, prime)
  return {
    x: newX,
    y: positive(m * (s - newX) - 8n * yy * yy, prime),
    z: (2n * y * z) % prime,
  }
}

function sum(field: Field, one: Point, two: Point): Point {
  if (one.z === 0n) return two
  if (two.z === 0n) return one
  const { prime } = field
  const [zz1, zz2] = [one.z ** 2n % prime, two.z ** 2n % prime]
  const [u1, u2] = [(one.x * zz2) % prime, (two.x * zz1) % prime]
  const s1 = (one.y * zz2 * two.z) % prime
  const s2 = (two.y * zz1 * one.z) % prime
  if (u1 === u2) return s1 === s2 ? double(field, one) : infinity
  const h = positive(u2 - u1, prime)
  const r = positive(s2 - s1, prime)
  const hh = (h * h) % prime
  const hhh = (h * hh) % prime
  const v = (u1 * hh) % prime
  const x = positive(r * r - hhh - 2n * v, prime)
  return { x, y: positive(r * (v - x) - s1 * hhh, prime), z: (one.z * two.z * h) % prime }
}

function positive(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus
  return rest < 0n ? rest + modulus : rest
}
