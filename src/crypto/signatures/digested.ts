/**
 * ECDSA and DSA (FIPS 186-4) of a digest that the client has made. The crypto library signs messages
 * only. With secret d, digest z, and h the digest of any message of ours, its signature (r, s) under
 * the secret d·h/z makes (r, s·z/h) the signature of z under d: the nonce never leaves the library.
 */
import { sign } from 'node:crypto'
import { Sequence } from 'asn1js'
import { readDer, writeDer } from '../asn1.ts'
import { CryptoRefusal, orFailure } from '../crypto-refusal.ts'
import { hash } from '../hashes.ts'
import {
  bigEndian,
  bitLength,
  fromBigEndian,
  integer,
  integerOf,
  members,
  sequence,
} from '../key-formats/asn1-values.ts'
import type { PrivateHalf, PublicHalf } from '../key-formats/asymmetric-key.ts'
import { curveOf } from '../key-formats/curves.ts'
import { ecPoint, ecPrivateKey, ecScalar } from '../key-formats/ec.ts'
import {
  finiteFieldPrivateKey,
  finiteFieldPrivateNumbers,
  finiteFieldPublicNumbers,
} from '../key-formats/finite-field.ts'
import { inverse, power } from '../key-formats/modular.ts'
import { randomBytes } from '../primitives/random.ts'
import { curveParameters, sumOfMultiples } from './points.ts'

/** Signs a digest of any length by ECDSA; DER. */
export function signDigestEcdsa(key: PrivateHalf, digest: Uint8Array): Uint8Array {
  const curve = curveOf(key.recommendedCurve!)
  const { order } = curveParameters(curve)
  const scalar = ecScalar(key)
  const secret = fromBigEndian(scalar)
  scalar.fill(0)
  return signed(order, digest, secret, (changed) => {
    const bytes = bigEndian(changed, Math.ceil(bitLength(order) / 8))
    try {
      return ecPrivateKey(curve, bytes)
    } finally {
      bytes.fill(0)
    }
  })
}

/** Signs a digest of any length by DSA; DER. */
export function signDigestDsa(key: PrivateHalf, digest: Uint8Array): Uint8Array {
  const { X, ...domain } = finiteFieldPrivateNumbers(key)
  return signed(domain.Q!, digest, X, (changed) =>
    finiteFieldPrivateKey('DSA', { ...domain, X: changed }, true),
  )
}

/** Whether it is the ECDSA signature of that digest. Throws CryptoRefusal `unsupported`. */
export function verifyDigestEcdsa(
  key: PublicHalf,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const parameters = curveParameters(curveOf(key.recommendedCurve!))
  const { order } = parameters
  return verified(order, digest, signature, (u1, u2) => {
    const x = sumOfMultiples(parameters, u1, u2, ecPoint(key))
    return x === undefined ? undefined : x % order
  })
}

/** Whether it is the DSA signature of that digest. */
export function verifyDigestDsa(
  key: PublicHalf,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { P, Q, G, Y } = finiteFieldPublicNumbers(key)
  return verified(Q!, digest, signature, (u1, u2) => ((power(G, u1, P) * power(Y, u2, P)) % P) % Q!)
}

function signed(
  order: bigint,
  digest: Uint8Array,
  secret: bigint,
  keyOf: (changed: bigint) => PrivateHalf,
): Uint8Array {
  const z = leftmost(digest, order) % order
  const message = randomBytes(32)
  const h = leftmost(hash('SHA_256', message), order) % order
  if (z === 0n || h === 0n) throw new CryptoRefusal('parameters', 'a digest of zero is not signed')
  // A random multiple of the order, so that the time of the division says nothing about the secret.
  const blinded = secret + fromBigEndian(randomBytes(16)) * order
  const changed = (blinded * ((h * inverse(z, order)) % order)) % order
  const made = orFailure(() => sign('sha256', message, keyOf(changed).privateKey))
  const [r, s] = numbersOf(made)!
  return writeDer(sequence(integer(r), integer((((s * z) % order) * inverse(h, order)) % order)))
}

function verified(
  order: bigint,
  digest: Uint8Array,
  signature: Uint8Array,
  point: (u1: bigint, u2: bigint) => bigint | undefined,
): boolean {
  const [r, s] = numbersOf(signature) ?? [0n, 0n]
  if (r < 1n || r >= order || s < 1n || s >= order) return false
  const w = inverse(s, order)
  return point((leftmost(digest, order) * w) % order, (r * w) % order) === r
}

/** FIPS 186-4 §6.4: the leftmost bits of a digest, as many as the order has. */
function leftmost(digest: Uint8Array, order: bigint): bigint {
  const surplus = digest.length * 8 - bitLength(order)
  return surplus > 0 ? fromBigEndian(digest) >> BigInt(surplus) : fromBigEndian(digest)
}

/** Both numbers of a signature in DER; undefined when it is none. */
function numbersOf(signature: Uint8Array): [bigint, bigint] | undefined {
  try {
    const root = readDer(signature)
    if (!(root instanceof Sequence)) return undefined
    const [r, s, ...others] = members(root).map(integerOf)
    return r === undefined || s === undefined || others.length > 0 ? undefined : [r, s]
  } catch {
    return undefined
  }
}
