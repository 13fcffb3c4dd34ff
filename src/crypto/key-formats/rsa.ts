/**
 * RSA keys (RFC 8017): the numbers behind PKCS#1, PKCS#8 and the transparent forms – KMIP 2.1 §3.7,
 * §3.8. Numbers are BigInts, which cannot be cleared; they live as briefly as may be.
 */
import { Sequence } from 'asn1js'
import { constants, privateDecrypt, publicEncrypt } from 'node:crypto'
import { writeDer } from '../asn1.ts'
import { CryptoRefusal } from '../crypto-refusal.ts'
import { randomBytes } from '../primitives/random.ts'
import {
  bigEndian,
  bitLength,
  decoding,
  fromBigEndian,
  integer,
  integerOf,
  keyOids,
  members,
  nothing,
  oid,
  privateKeyInfo,
  publicKeyInfo,
  sequence,
} from './asn1-values.ts'
import { privateHalfOf, publicHalfOf, type PrivateHalf, type PublicHalf } from './asymmetric-key.ts'
import { inverse } from './modular.ts'
import { factorsOf, primeByExponent } from './rsa-factors.ts'

/** The Key Material of Transparent RSA Public Key. */
export interface TransparentRsaPublicKey {
  Modulus: bigint
  PublicExponent: bigint
}

/** The Key Material of Transparent RSA Private Key. */
export interface TransparentRsaPrivateKey {
  Modulus: bigint
  PrivateExponent?: bigint | undefined
  PublicExponent?: bigint | undefined
  P?: bigint | undefined
  Q?: bigint | undefined
  PrimeExponentP?: bigint | undefined
  PrimeExponentQ?: bigint | undefined
  CRTCoefficient?: bigint | undefined
}

/** Bits of modulus that are read: below, the library refuses; above, one signature takes too long. */
const smallest = 512
const largest = 8192

/** Bits that the primes may differ from half the modulus. */
const primeTolerance = 16

const algorithm = () => sequence(oid(keyOids.rsa), nothing())

/** RSAPrivateKey of two primes (RFC 8017 appendix A.1.2). */
export function rsaPrivateFromPkcs1(bytes: Uint8Array): TransparentRsaPrivateKey {
  return decoding('PKCS#1 private key', bytes, (root) => {
    const [version, ...fields] = members(root)
    const isMultiPrime = integerOf(version) === 1n && fields.at(8) instanceof Sequence
    if (isMultiPrime && fields.length === 9)
      throw new CryptoRefusal('unsupported', 'RSA keys of more than two primes are not supported')
    if (integerOf(version) !== 0n) throw new Error('a version that is not known')
    const [n, e, d, p, q, dp, dq, qi, ...others] = fields.map(integerOf)
    if (n === undefined || qi === undefined || others.length > 0) throw new Error('not 9 numbers')
    return {
      Modulus: n,
      PublicExponent: e,
      PrivateExponent: d,
      P: p,
      Q: q,
      PrimeExponentP: dp,
      PrimeExponentQ: dq,
      CRTCoefficient: qi,
    }
  })
}

/** RSAPublicKey (RFC 8017 appendix A.1.1). */
export function rsaPublicFromPkcs1(bytes: Uint8Array): TransparentRsaPublicKey {
  return decoding('PKCS#1 public key', bytes, (root) => {
    const [Modulus, PublicExponent, ...others] = members(root).map(integerOf)
    if (Modulus === undefined || PublicExponent === undefined || others.length > 0)
      throw new Error('not 2 numbers')
    return { Modulus, PublicExponent }
  })
}

export function rsaPublicKey({
  Modulus: n,
  PublicExponent: e,
}: TransparentRsaPublicKey): PublicHalf {
  checkPublic(n, e)
  const key = writeDer(sequence(integer(n), integer(e)))
  return publicHalfOf(publicKeyInfo(algorithm(), key))
}

/**
 * The key of whatever numbers were given, missing ones worked out; one without Public Exponent has
 * 65537. Unless it is `trusted`, every number given must fit the others and one use must succeed.
 */
export function rsaPrivateKey(given: TransparentRsaPrivateKey, trusted: boolean): PrivateHalf {
  const { n, e, d, p, q } = completed(given)
  const numbers = [n, e, d, p, q, d % (p - 1n), d % (q - 1n), inverse(q, p)]
  if (!trusted) {
    const { P, Q, PrimeExponentP, PrimeExponentQ, CRTCoefficient } = given
    const claimed = [P, Q, PrimeExponentP, PrimeExponentQ, CRTCoefficient]
    if (claimed.some((number, index) => number !== undefined && number !== numbers[3 + index]))
      throw inconsistent()
  }
  const key = writeDer(sequence(integer(0n), ...numbers.map(integer)))
  try {
    const half = privateHalfOf(privateKeyInfo(algorithm(), key))
    if (!trusted) proveByUse(half, n)
    return half
  } finally {
    key.fill(0)
  }
}

/** All numbers of a key. */
export function rsaPrivateNumbers({ privateKey }: PrivateHalf): TransparentRsaPrivateKey {
  const bytes = privateKey.export({ format: 'der', type: 'pkcs1' })
  try {
    return rsaPrivateFromPkcs1(bytes)
  } finally {
    bytes.fill(0)
  }
}

export function rsaPublicNumbers({ publicKey }: PublicHalf): TransparentRsaPublicKey {
  return rsaPublicFromPkcs1(publicKey.export({ format: 'der', type: 'pkcs1' }))
}

/** KMIP 2.1 §3.7: the Private Exponent, both primes or both prime exponents are there. */
function completed(given: TransparentRsaPrivateKey) {
  const { Modulus: n, PublicExponent: e = 65537n, PrivateExponent } = given
  checkPublic(n, e)
  // A number above the modulus never fits, and one of a megabyte would be slow to find out about.
  if (Object.values(given).some((number?: bigint) => number !== undefined && number > n))
    throw inconsistent()
  const [p, q] = primesOf(given, n, e)
  if (p <= 1n || q <= 1n) throw inconsistent()
  const [smaller, larger] = [bitLength(p), bitLength(q)].toSorted((a, b) => a - b)
  const isBalanced = larger! - smaller! <= 2 * primeTolerance
  if (p === q || p * q !== n || p % 2n === 0n || q % 2n === 0n || !isBalanced) throw inconsistent()
  const d = PrivateExponent ?? inverse(e, (p - 1n) * (q - 1n))
  if (d <= 1n || d >= n) throw inconsistent()
  if ((e * d) % (p - 1n) !== 1n || (e * d) % (q - 1n) !== 1n) throw inconsistent()
  return { n, e, d, p, q }
}

/** Whatever names a prime decides which of the two is P. */
function primesOf(given: TransparentRsaPrivateKey, n: bigint, e: bigint): [bigint, bigint] {
  const { P, Q, PrivateExponent: d, PrimeExponentP: dp } = given
  if (P !== undefined && P > 1n) return [P, Q ?? n / P]
  if (e >= 2n ** 32n)
    throw new CryptoRefusal('unsupported', 'an RSA key with so large an exponent needs P and Q')
  const found =
    dp === undefined || dp <= 1n
      ? d !== undefined && d > 1n && d < n && factorsOf(n, e, d)
      : primeByExponent(n, e, dp)
  if (found) return found
  throw new CryptoRefusal('parameters', 'no primes follow from the numbers of the RSA key')
}

function checkPublic(n: bigint, e: bigint): void {
  const size = n > 0n ? bitLength(n) : 0
  if (size < smallest || size > largest)
    throw new CryptoRefusal(
      'parameters',
      `RSA keys have ${smallest} to ${largest} bits, not ${size}`,
    )
  if (n % 2n === 0n || e < 3n || e % 2n === 0n || e >= 2n ** 64n)
    throw new CryptoRefusal('parameters', 'the RSA modulus or exponent is not one')
}

/** A prime that is none is found out here: what was encrypted does not come back. */
function proveByUse({ publicKey, privateKey }: PrivateHalf, n: bigint): void {
  const padding = constants.RSA_NO_PADDING
  const size = Math.ceil(bitLength(n) / 8)
  const plain = bigEndian(fromBigEndian(randomBytes(size)) % n, size)
  const encrypted = publicEncrypt({ key: publicKey, padding }, plain)
  const decrypted = privateDecrypt({ key: privateKey, padding }, encrypted)
  if (Buffer.compare(plain, decrypted) !== 0) throw inconsistent()
}

function inconsistent(): CryptoRefusal {
  return new CryptoRefusal('parameters', 'the numbers of the RSA key do not fit each other')
}
