/**
 * Create Key Pair – KMIP 2.1 §6.1.9 – as far as it is cryptography: which pair is meant by algorithm,
 * length and domain, whether policy allows it, and making it off the main thread.
 */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { CryptoRefusal, orFailure } from './crypto-refusal.ts'
import { defaultFormat, writePrivateKey, writePublicKey } from './key-formats.ts'
import { isCurveAlgorithm, privateHalf, type PrivateHalf } from './key-formats/asymmetric-key.ts'
import { curveOf, type CurveName, type RecommendedCurve } from './key-formats/curves.ts'
import type { KeyFormatType, KeyMaterial } from './key-formats/formats.ts'
import { named, type Algorithm } from './parameters.ts'

/** What a client asks for; what it leaves out is chosen. */
export interface KeyPairRequest {
  /** Cryptographic Algorithm. */
  algorithm: Algorithm
  /** Cryptographic Length in bits. */
  length?: number | undefined
  recommendedCurve?: RecommendedCurve | undefined
  /** Of DSA, in bits; of a curve the same as `length`. */
  qLength?: number | undefined
}

/** The shortest keys that are made, in bits. */
export interface KeyPairPolicy {
  rsa: number
  /** Field of an elliptic curve. */
  curve: number
  /** P of DSA and Diffie-Hellman. */
  field: number
}

/** What a group without a policy of its own has (NIST SP 800-131A; curves for old devices below). */
export const usualPolicy: KeyPairPolicy = { rsa: 2048, curve: 160, field: 2048 }

/** A new pair, written down; the private material is the caller's to clear. */
export interface NewKeyPair {
  key: PrivateHalf
  privateFormat: KeyFormatType
  privateMaterial: KeyMaterial
  publicFormat: KeyFormatType
  publicMaterial: KeyMaterial
}

/**
 * Makes a pair, in the formats asked for or else those of KMIP 2.1 §4.26. A long RSA pair takes
 * seconds of another thread. Throws CryptoRefusal before any work when it would be refused.
 */
export async function createKeyPair(
  request: KeyPairRequest,
  formats: { private?: KeyFormatType | undefined; public?: KeyFormatType | undefined } = {},
  policy: KeyPairPolicy = usualPolicy,
): Promise<NewKeyPair> {
  const key = privateHalf(await generate(plan(request, policy)))
  const privateFormat = formats.private ?? defaultFormat(key, 'private')
  const publicFormat = formats.public ?? defaultFormat(key, 'public')
  const publicMaterial = writePublicKey(key, publicFormat)
  const privateMaterial = writePrivateKey(key, privateFormat)
  return { key, privateFormat, privateMaterial, publicFormat, publicMaterial }
}

/** Type and options of the crypto library's generator. */
type Plan = readonly [type: string, options: Record<string, unknown>]

const longestRsa = 8192
const exponent = 65537

/** FIPS 186-4 §4.2: lengths of P and what Q may have, the usual first. */
const dsaLengths = new Map([
  [1024, [160]],
  [2048, [256, 224]],
  [3072, [256]],
])

/** RFC 3526 and RFC 2409: a Diffie-Hellman pair is made in a group that everyone knows. */
const groups = new Map([
  [1024, 'modp2'],
  [1536, 'modp5'],
  [2048, 'modp14'],
  [3072, 'modp15'],
  [4096, 'modp16'],
  [6144, 'modp17'],
  [8192, 'modp18'],
])

/** The curve of a length when none is named. */
const usualCurves = new Map<number, CurveName>([
  [192, 'P_192'],
  [224, 'P_224'],
  [256, 'P_256'],
  [384, 'P_384'],
  [521, 'P_521'],
])

function plan(request: KeyPairRequest, policy: KeyPairPolicy): Plan {
  const { algorithm, length, recommendedCurve, qLength } = request
  if (isCurveAlgorithm(algorithm)) return curvePlan(withLength(request), policy)
  if (qLength !== undefined && algorithm !== 'DSA')
    throw refused(`${named(algorithm)} keys are not made with a Qlength`)
  if (algorithm === 'Ed25519' || algorithm === 'Ed448') return edwardsPlan(request)
  if (recommendedCurve !== undefined)
    throw refused(`${named(algorithm)} keys have no Recommended Curve`)
  switch (algorithm) {
    case 'RSA': {
      const modulusLength = atLeast(policy.rsa, length ?? Math.max(2048, policy.rsa), 'RSA')
      if (modulusLength > longestRsa || modulusLength % 8 !== 0)
        throw refused(`RSA keys have a multiple of 8 bits up to ${longestRsa}, not ${length}`)
      return ['rsa', { modulusLength, publicExponent: exponent }]
    }
    case 'DSA': {
      const modulusLength = atLeast(policy.field, length ?? 2048, 'DSA')
      const allowed = dsaLengths.get(modulusLength) ?? []
      const divisorLength = qLength ?? allowed[0]
      if (divisorLength === undefined || !allowed.includes(divisorLength))
        throw refused(`no DSA keys of ${modulusLength} bits with this Qlength`)
      return ['dsa', { modulusLength, divisorLength }]
    }
    case 'DH': {
      const group = groups.get(atLeast(policy.field, length ?? 2048, 'DH'))
      if (group === undefined)
        throw refused(`DH keys have ${[...groups.keys()].join(', ')} bits, not ${length}`)
      return ['dh', { group }]
    }
  }
  throw new CryptoRefusal('unsupported', `no key pairs of ${named(algorithm)}`)
}

/** On a curve the length of a key is that of Q (KMIP 2.1 §6.1.9), so that a Qlength says the same. */
function withLength(request: KeyPairRequest): KeyPairRequest {
  const { length, qLength } = request
  if (length !== undefined && qLength !== undefined && length !== qLength)
    throw refused(`a Qlength of ${qLength} bits is not the length of ${length} asked for`)
  return { ...request, length: length ?? qLength }
}

function curvePlan(
  { algorithm, length, recommendedCurve }: KeyPairRequest,
  policy: KeyPairPolicy,
): Plan {
  const octets = { CURVE25519: ['x25519', 256], CURVE448: ['x448', 448] } as const
  if (recommendedCurve === 'CURVE25519' || recommendedCurve === 'CURVE448') {
    const [type, bits] = octets[recommendedCurve]
    if (algorithm === 'ECDSA' || algorithm === 'ECMQV' || (length ?? bits) !== bits)
      throw refused(`${recommendedCurve} has ${bits} bits and is for key agreement`)
    return [type, {}]
  }
  const name = recommendedCurve ?? usualCurves.get(length ?? 256)
  if (name === undefined)
    throw refused(`${length} bits name no curve: a Recommended Curve is needed`)
  const { name: namedCurve, bits } = curveOf(name)
  if (length !== undefined && length !== bits)
    throw refused(`${named(name)} has ${bits} bits, not ${length}`)
  atLeast(policy.curve, bits, 'EC')
  return ['ec', { namedCurve }]
}

/** Ed448 has keys of 456 bits on a curve of 448: either is taken for its length. */
function edwardsPlan({ algorithm, length, recommendedCurve }: KeyPairRequest): Plan {
  const isLong = algorithm === 'Ed448'
  const curve = isLong ? 'CURVE448' : 'CURVE25519'
  const lengths = isLong ? [448, 456] : [256]
  if (!lengths.includes(length ?? lengths[0]!) || (recommendedCurve ?? curve) !== curve)
    throw refused(`${algorithm} keys have ${lengths.join(' or ')} bits and the curve ${curve}`)
  return [isLong ? 'ed448' : 'ed25519', {}]
}

function atLeast(smallest: number, length: number, algorithm: string): number {
  if (length >= smallest) return length
  throw refused(`${algorithm} keys have at least ${smallest} bits here, not ${length}`)
}

function refused(reason: string): CryptoRefusal {
  return new CryptoRefusal('parameters', reason)
}

/** One call for all types: the declared overloads know each type with its options only. */
function generate([type, options]: Plan): Promise<KeyObject> {
  const start = generateKeyPair as unknown as (
    type: string,
    options: Record<string, unknown>,
    done: (error: Error | null, publicKey: KeyObject, privateKey: KeyObject) => void,
  ) => void
  return new Promise((resolve, reject) => {
    orFailure(() =>
      start(type, options, (error, _publicKey, privateKey) => {
        if (error) reject(new CryptoRefusal('failure', 'cryptographic failure', error))
        else resolve(privateKey)
      }),
    )
  })
}
