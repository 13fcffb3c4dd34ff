/**
 * Shamir's sharing over GF(2^8) and GF(2^16) – KMIP 2.1 §13.1. GF(2^8) has the polynomial 0x11d
 * ("285" in KMIP 2.x, and what the published cases of 1.4 compute with). GF(2^16) is GF(2^8)[y] over
 * y^2 + y + m, and the point of part i is the byte i, an element of the subfield: times such a
 * point is times i in each byte. With at most 255 parts both methods are therefore one computation,
 * byte by byte, and m never matters.
 */
import { cryptographicFailure } from './crypto-refusal.ts'

/** One part: its Key Part Identifier (its point) and its bytes. */
export interface Point {
  readonly identifier: number
  readonly bytes: Uint8Array
}

/**
 * The parts 1 to `parts` of `secret`. `coefficients` are random bytes, `secret.length` for each degree
 * from 1 to the threshold − 1; the caller clears them.
 */
export function sharePolynomial(
  secret: Uint8Array,
  coefficients: Uint8Array,
  parts: number,
): Point[] {
  const { length } = secret
  return Array.from({ length: parts }, (_, index) => {
    const identifier = index + 1
    const bytes = new Uint8Array(length)
    for (let offset = coefficients.length - length; offset >= 0; offset -= length) {
      for (let at = 0; at < length; at++)
        bytes[at] = times(bytes[at]! ^ coefficients[offset + at]!, identifier)
    }
    for (let at = 0; at < length; at++) bytes[at]! ^= secret[at]!
    return { identifier, bytes }
  })
}

/** The value at point `x` (0: the secret) of the polynomial through all of `points`. */
export function interpolate(points: readonly Point[], x: number): Uint8Array {
  const out = new Uint8Array(points[0]!.bytes.length)
  for (const { identifier, bytes } of points) {
    let above = 1
    let below = 1
    for (const other of points) {
      if (other.identifier === identifier) continue
      above = times(above, other.identifier ^ x)
      below = times(below, other.identifier ^ identifier)
    }
    if (below === 0) throw cryptographicFailure()
    const factor = times(above, inverse(below))
    for (let at = 0; at < out.length; at++) out[at]! ^= times(bytes[at]!, factor)
  }
  return out
}

/** Product in GF(2^8). `value` may be secret: no branch or index depends on it; `point` is public. */
function times(value: number, point: number): number {
  let product = 0
  let power = value
  for (let rest = point; rest !== 0; rest >>= 1) {
    product ^= power & -(rest & 1)
    power = (power << 1) ^ (0x11d & -(power >> 7))
  }
  return product
}

/** value^254. */
function inverse(value: number): number {
  let result = 1
  for (let step = 0; step < 7; step++) {
    value = times(value, value)
    result = times(result, value)
  }
  return result
}
