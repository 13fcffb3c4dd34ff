/** A key of a key pair once it is read: held by the crypto library, with what KMIP says about it. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { CryptoRefusal } from '../crypto-refusal.ts'
import type { Algorithm } from '../parameters.ts'
import { bitLength, decoding, integerOf, members } from './asn1-values.ts'
import { curveByName, type RecommendedCurve } from './curves.ts'

/** What KMIP says of a key, derived from its material. */
export interface KeyFacts {
  /** EC for every curve but those of Ed25519 and Ed448; {@link isOfAlgorithm} knows its other names. */
  algorithm: 'RSA' | 'DSA' | 'DH' | 'EC' | 'Ed25519' | 'Ed448'
  /** Cryptographic Length in bits: modulus, P, or field of the curve. */
  length: number
  /** Of an EC key. */
  recommendedCurve?: RecommendedCurve
  /** Bits of Q, of a DSA key. */
  qLength?: number
}

/** A public key. */
export interface PublicHalf extends KeyFacts {
  publicKey: KeyObject
}

/** A private key with the public key that belongs to it. */
export interface PrivateHalf extends PublicHalf {
  privateKey: KeyObject
}

/** Whether a Cryptographic Algorithm names a key of these facts: ECDSA, ECDH and ECMQV are EC too. */
export function isOfAlgorithm(claimed: Algorithm, { algorithm }: KeyFacts): boolean {
  return claimed === algorithm || (algorithm === 'EC' && isCurveAlgorithm(claimed))
}

/** Whether a Cryptographic Length is that of such a key; X25519 and Ed448 are also called by their curve. */
export function isOfLength(claimed: number, { algorithm, length, recommendedCurve }: KeyFacts) {
  if (claimed === length) return true
  return algorithm === 'Ed448'
    ? claimed === 448
    : recommendedCurve === 'CURVE25519' && claimed === 255
}

/** EC and what it was called before KMIP 1.2. */
export function isCurveAlgorithm(algorithm: Algorithm): boolean {
  return ['EC', 'ECDSA', 'ECDH', 'ECMQV'].includes(algorithm as string)
}

/** Cryptographic Domain Parameters – KMIP 2.1 §4.14 – of a key; undefined when it has none. */
export function domainParameters({ qLength, recommendedCurve }: KeyFacts) {
  if (recommendedCurve !== undefined) return { RecommendedCurve: recommendedCurve }
  return qLength === undefined ? undefined : { Qlength: qLength }
}

/**
 * Whether the two belong to each other. Not by KeyObject.equals: comparing keys of two types it leaves
 * an error behind in the library, which the next key that is read is then refused with.
 */
export function isPair(one: PublicHalf, other: PublicHalf): boolean {
  return isSamePublicKey(one.publicKey, other.publicKey)
}

/** As {@link isPair}, of keys of any algorithm. */
export function isSamePublicKey(one: KeyObject, other: KeyObject): boolean {
  const [first, second] = [one, other].map((key) => key.export({ format: 'der', type: 'spki' }))
  return Buffer.compare(first!, second!) === 0
}

/** A public key from the library, described. Throws CryptoRefusal `unsupported`. */
export function publicHalf(publicKey: KeyObject): PublicHalf {
  return { ...factsOf(publicKey), publicKey }
}

/** A private key from the library, described. Throws CryptoRefusal `unsupported`. */
export function privateHalf(privateKey: KeyObject): PrivateHalf {
  return { ...publicHalf(createPublicKey(privateKey)), privateKey }
}

/** The key of a PrivateKeyInfo that we have built. The bytes are cleared. */
export function privateHalfOf(info: Uint8Array<ArrayBuffer>): PrivateHalf {
  try {
    return privateHalf(
      createPrivateKey({ key: Buffer.from(info.buffer), format: 'der', type: 'pkcs8' }),
    )
  } catch (error) {
    throw refused('private', error)
  } finally {
    info.fill(0)
  }
}

/** The key of a SubjectPublicKeyInfo that we have built. */
export function publicHalfOf(info: Uint8Array<ArrayBuffer>): PublicHalf {
  try {
    return publicHalf(
      createPublicKey({ key: Buffer.from(info.buffer), format: 'der', type: 'spki' }),
    )
  } catch (error) {
    throw refused('public', error)
  }
}

function refused(half: string, error: unknown): CryptoRefusal {
  return error instanceof CryptoRefusal
    ? error
    : new CryptoRefusal('parameters', `not a ${half} key of its algorithm`, error)
}

/** DER of the whole PrivateKeyInfo, in the clear: the caller clears it. */
export function privateInfo({ privateKey }: PrivateHalf): Uint8Array {
  return privateKey.export({ format: 'der', type: 'pkcs8' })
}

/** DER of the whole SubjectPublicKeyInfo. */
export function publicInfo({ publicKey }: PublicHalf): Uint8Array {
  return publicKey.export({ format: 'der', type: 'spki' })
}

function factsOf(key: KeyObject): KeyFacts {
  const details = key.asymmetricKeyDetails ?? {}
  const { modulusLength = 0, divisorLength = 0, namedCurve = '' } = details
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { algorithm: 'RSA', length: modulusLength }
    case 'dsa':
      return { algorithm: 'DSA', length: modulusLength, qLength: divisorLength }
    case 'dh':
      return { algorithm: 'DH', length: primeLength(key) }
    case 'ec': {
      const curve = curveByName(namedCurve)
      if (curve === undefined) break
      return { algorithm: 'EC', length: curve.bits, recommendedCurve: curve.recommended }
    }
    case 'ed25519':
      return { algorithm: 'Ed25519', length: 256 }
    case 'ed448':
      return { algorithm: 'Ed448', length: 456 }
    case 'x25519':
      return { algorithm: 'EC', length: 256, recommendedCurve: 'CURVE25519' }
    case 'x448':
      return { algorithm: 'EC', length: 448, recommendedCurve: 'CURVE448' }
  }
  throw new CryptoRefusal('unsupported', 'a key of an algorithm that is not supported')
}

function primeLength(key: KeyObject): number {
  const info = key.export({ format: 'der', type: 'spki' })
  return decoding('Diffie-Hellman key', info, (root) => {
    const [algorithm] = members(root)
    const [, parameters] = members(algorithm)
    return bitLength(integerOf(members(parameters)[0]))
  })
}
