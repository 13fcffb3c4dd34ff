/**
 * Keys that are plain octets: Ed25519, Ed448, X25519, X448 (RFC 8410). KMIP has Cryptographic
 * Algorithms for the first two and Recommended Curves CURVE25519 and CURVE448 for the others.
 */
import { CryptoRefusal } from '../crypto-refusal.ts'
import { writeDer } from '../asn1.ts'
import {
  bitsOf,
  decoding,
  keyOids,
  members,
  octets,
  octetsOf,
  oid,
  privateKeyInfo,
  publicKeyInfo,
  sequence,
} from './asn1-values.ts'
import {
  privateHalfOf,
  privateInfo,
  publicHalfOf,
  publicInfo,
  type KeyFacts,
  type PrivateHalf,
  type PublicHalf,
} from './asymmetric-key.ts'

/** One row per algorithm: both halves have `size` bytes. */
export const octetKeys = {
  ed25519: { oid: keyOids.ed25519, size: 32, curve: 'CURVE25519' },
  ed448: { oid: keyOids.ed448, size: 57, curve: 'CURVE448' },
  x25519: { oid: keyOids.x25519, size: 32, curve: 'CURVE25519' },
  x448: { oid: keyOids.x448, size: 56, curve: 'CURVE448' },
} as const

export type OctetKeyType = keyof typeof octetKeys

/** Which of them has these facts, or undefined. */
export function octetKeyType(facts: Partial<KeyFacts>): OctetKeyType | undefined {
  if (facts.algorithm === 'Ed25519') return 'ed25519'
  if (facts.algorithm === 'Ed448') return 'ed448'
  if (facts.recommendedCurve === 'CURVE25519') return 'x25519'
  return facts.recommendedCurve === 'CURVE448' ? 'x448' : undefined
}

/** Which of them has this object identifier, or undefined. */
export function octetKeyTypeOfOid(value: string): OctetKeyType | undefined {
  return (Object.keys(octetKeys) as OctetKeyType[]).find((type) => octetKeys[type].oid === value)
}

export function octetPrivateKey(type: OctetKeyType, secret: Uint8Array): PrivateHalf {
  checkLength(type, secret)
  const key = writeDer(octets(secret))
  try {
    return privateHalfOf(privateKeyInfo(sequence(oid(octetKeys[type].oid)), key))
  } finally {
    key.fill(0)
  }
}

export function octetPublicKey(type: OctetKeyType, key: Uint8Array): PublicHalf {
  checkLength(type, key)
  return publicHalfOf(publicKeyInfo(sequence(oid(octetKeys[type].oid)), key))
}

/** The secret octets; the caller clears them. */
export function secretOctets(half: PrivateHalf): Uint8Array {
  const info = privateInfo(half)
  const secret = decoding('private key', info, (root) => octetsInside(octetsOf(members(root)[2])))
  info.fill(0)
  return secret
}

export function publicOctets(half: PublicHalf): Uint8Array {
  return decoding('public key', publicInfo(half), (root) =>
    Uint8Array.from(bitsOf(members(root)[1])),
  )
}

/** CurvePrivateKey (RFC 8410 §7): an OCTET STRING in the OCTET STRING. A copy. */
export function octetsInside(bytes: Uint8Array): Uint8Array {
  return decoding('private key', bytes, (root) => Uint8Array.from(octetsOf(root)))
}

function checkLength(type: OctetKeyType, bytes: Uint8Array): void {
  const { size } = octetKeys[type]
  if (bytes.length !== size)
    throw new CryptoRefusal('parameters', `${type} keys have ${size} bytes, not ${bytes.length}`)
}
