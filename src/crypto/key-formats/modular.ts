/** Arithmetic modulo a number, in BigInts: nothing here takes the same time for every input. */

/** base^exponent mod modulus; of public numbers only, its time depends on them. */
export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus
    if (bit === '1') result = (result * base) % modulus
  }
  return result
}

/** x with a·x = 1 (mod m), or 0 when there is none. */
export function inverse(a: bigint, m: bigint): bigint {
  let [r, next] = [m, ((a % m) + m) % m]
  let [x, nextX] = [0n, 1n]
  while (next !== 0n) {
    const quotient = r / next
    ;[r, next] = [next, r - quotient * next]
    ;[x, nextX] = [nextX, x - quotient * nextX]
  }
  if (r !== 1n) return 0n
  return ((x % m) + m) % m
}
