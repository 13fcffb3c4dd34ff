/**
 * DSA (FIPS 186-4) and Diffie-Hellman (PKCS#3) keys: numbers modulo a prime – KMIP 2.1 §3.5, §3.6,
 * §3.9, §3.10. What a stranger chose as domain is checked before the library calculates with it.
 */
import { checkPrimeSync, sign, verify } from 'node:crypto'
import { writeDer } from '../asn1.ts'
import { CryptoRefusal, orFailure } from '../crypto-refusal.ts'
import { randomBytes } from '../primitives/random.ts'
import {
  bitLength,
  decoding,
  integer,
  integerOf,
  keyOids,
  members,
  octetsOf,
  bitsOf,
  oid,
  privateKeyInfo,
  publicKeyInfo,
  sequence,
} from './asn1-values.ts'
import { power } from './modular.ts'
import {
  privateHalfOf,
  privateInfo,
  publicHalfOf,
  publicInfo,
  type PrivateHalf,
  type PublicHalf,
} from './asymmetric-key.ts'

/** The domain of Transparent DSA and DH keys; DSA needs Q. */
export interface Domain {
  P: bigint
  Q?: bigint | undefined
  G: bigint
  /** P = J·Q + 1. */
  J?: bigint | undefined
}

export type TransparentPrivateKey = Domain & { X: bigint }
export type TransparentPublicKey = Domain & { Y: bigint }
export type FiniteFieldAlgorithm = 'DSA' | 'DH'

/** Bits of P that are read. */
const rules = {
  DSA: { oid: keyOids.dsa, smallest: 512, largest: 4096 },
  DH: { oid: keyOids.dh, smallest: 512, largest: 8192 },
} as const

/** A Q of up to so many bits is checked; the test of a large number would take seconds. */
const largestSubgroup = 512

const domainOf = (name: FiniteFieldAlgorithm, { P, Q, G }: Domain) =>
  name === 'DSA' ? sequence(integer(P), integer(Q!), integer(G)) : sequence(integer(P), integer(G))

const algorithm = (name: FiniteFieldAlgorithm, domain: Domain) =>
  sequence(oid(rules[name].oid), domainOf(name, domain))

export function finiteFieldPrivateKey(
  name: FiniteFieldAlgorithm,
  given: TransparentPrivateKey,
  trusted: boolean,
): PrivateHalf {
  checkDomain(name, given, trusted)
  const { X, Q, P } = given
  if (X < 1n || X >= (Q ?? P - 1n)) throw inconsistent(name)
  const key = writeDer(integer(X))
  try {
    const half = privateHalfOf(privateKeyInfo(algorithm(name, given), key))
    if (!trusted && name === 'DSA') proveByUse(half)
    return half
  } finally {
    key.fill(0)
  }
}

export function finiteFieldPublicKey(
  name: FiniteFieldAlgorithm,
  given: TransparentPublicKey,
  trusted: boolean,
): PublicHalf {
  checkDomain(name, given, trusted)
  const { Y, P, Q } = given
  if (Y <= 1n || Y >= P - 1n) throw inconsistent(name)
  if (!trusted && name === 'DSA' && power(Y, Q!, P) !== 1n) throw inconsistent(name)
  return publicHalfOf(publicKeyInfo(algorithm(name, given), writeDer(integer(Y))))
}

/** Domain and secret out of a PrivateKeyInfo of ours. */
export function finiteFieldPrivateNumbers(half: PrivateHalf): TransparentPrivateKey {
  const info = privateInfo(half)
  try {
    return decoding(`${half.algorithm} private key`, info, (root) => {
      const [, identifier, key] = members(root)
      const X = decoding('private number', octetsOf(key), integerOf)
      return { ...domainFrom(half.algorithm as FiniteFieldAlgorithm, members(identifier)[1]), X }
    })
  } finally {
    info.fill(0)
  }
}

/** Domain and public number out of a SubjectPublicKeyInfo of ours. */
export function finiteFieldPublicNumbers(half: PublicHalf): TransparentPublicKey {
  return decoding(`${half.algorithm} public key`, publicInfo(half), (root) => {
    const [identifier, key] = members(root)
    const Y = decoding('public number', bitsOf(key), integerOf)
    return { ...domainFrom(half.algorithm as FiniteFieldAlgorithm, members(identifier)[1]), Y }
  })
}

/** The parameters of an AlgorithmIdentifier: Dss-Parms (RFC 3279) or DHParameter (PKCS#3). */
export function domainFrom(
  name: FiniteFieldAlgorithm,
  parameters: Parameters<typeof members>[0],
): Domain {
  const [P, second, third] = members(parameters).slice(0, 3).map(integerOf)
  if (P === undefined || second === undefined) throw new Error('not a domain')
  if (name === 'DH') return { P, G: second }
  if (third === undefined) throw new Error('not a DSA domain')
  return { P, Q: second, G: third }
}

/**
 * Sizes, and that G generates a subgroup of prime order Q. Whether P is prime is not tested, which
 * takes seconds: who sends a composite harms only the key of his own.
 */
function checkDomain(name: FiniteFieldAlgorithm, { P, Q, G, J }: Domain, trusted: boolean): void {
  const { smallest, largest } = rules[name]
  const size = P > 0n ? bitLength(P) : 0
  if (size < smallest || size > largest)
    throw new CryptoRefusal('parameters', `${name} keys have ${smallest} to ${largest} bits`)
  if (P % 2n === 0n || G <= 1n || G >= P - 1n) throw inconsistent(name)
  if (Q === undefined) {
    if (name === 'DSA' || J !== undefined) throw inconsistent(name)
    return
  }
  const qSize = Q > 0n ? bitLength(Q) : 0
  if (qSize < 160 || qSize >= size || (P - 1n) % Q !== 0n) throw inconsistent(name)
  if (name === 'DSA' && qSize > largestSubgroup) throw inconsistent(name)
  if (J !== undefined && J * Q + 1n !== P) throw inconsistent(name)
  if (trusted || qSize > largestSubgroup) return
  if (!checkPrimeSync(Q) || power(G, Q, P) !== 1n) throw inconsistent(name)
}

function proveByUse({ privateKey, publicKey }: PrivateHalf): void {
  const data = randomBytes(32)
  if (
    !verify(
      'sha256',
      data,
      publicKey,
      orFailure(() => sign('sha256', data, privateKey)),
    )
  )
    throw inconsistent('DSA')
}

function inconsistent(name: FiniteFieldAlgorithm): CryptoRefusal {
  return new CryptoRefusal('parameters', `the numbers of the ${name} key do not fit each other`)
}
