/**
 * Elliptic curve keys with points (SEC 1, RFC 5915): scalar and point, in every wrapping KMIP knows –
 * KMIP 2.1 §3.11, §3.12, Key Compression Type §11.24. The library checks range and curve.
 */
import { createECDH, ECDH } from 'node:crypto'
import { writeDer } from '../asn1.ts'
import { CryptoRefusal } from '../crypto-refusal.ts'
import {
  bits,
  bitsOf,
  decoding,
  insideTag,
  integer,
  integerOf,
  keyOids,
  members,
  octets,
  octetsOf,
  oid,
  oidOf,
  privateKeyInfo,
  publicKeyInfo,
  sequence,
  tagged,
} from './asn1-values.ts'
import {
  privateHalfOf,
  publicHalfOf,
  publicInfo,
  type PrivateHalf,
  type PublicHalf,
} from './asymmetric-key.ts'
import { curveByOid, curveOf, type Curve } from './curves.ts'
import type { KeyCompressionType } from './formats.ts'

const algorithm = (curve: Curve) => sequence(oid(keyOids.ec), oid(curve.oid))

/** What an ECPrivateKey says (RFC 5915 §3); `curve` is what the PrivateKeyInfo around it named. */
export function ecPrivateKeyFromSec1(bytes: Uint8Array, outer?: Curve): PrivateHalf {
  return decoding('EC private key', bytes, (root) => {
    const [version, scalar, ...tags] = members(root)
    if (integerOf(version) !== 1n) throw new Error('version is not 1')
    const [named] = insideTag(tags, 0) ?? []
    const inner = named === undefined ? undefined : curveByOid(oidOf(named))
    const curve = outer ?? inner
    if (curve === undefined)
      throw new CryptoRefusal('parameters', 'the EC private key does not name its curve')
    if (inner !== undefined && inner.oid !== curve.oid)
      throw new CryptoRefusal('parameters', 'the EC private key names two curves')
    const half = ecPrivateKey(curve, octetsOf(scalar))
    const [point] = insideTag(tags, 1) ?? []
    if (point !== undefined && !isPointOf(half, curve, bitsOf(point)))
      throw new CryptoRefusal('parameters', 'the EC private key holds the point of another key')
    return half
  })
}

/** The key of a secret scalar, most significant byte first; its public point is computed. */
export function ecPrivateKey(curve: Curve, scalar: Uint8Array): PrivateHalf {
  const exchange = createECDH(curve.name)
  try {
    exchange.setPrivateKey(scalar)
  } catch (error) {
    throw new CryptoRefusal('parameters', `no private key of curve ${curve.recommended}`, error)
  }
  const filled = exchange.getPrivateKey()
  const point = exchange.getPublicKey()
  const key = writeDer(sequence(integer(1n), octets(filled), tagged(1, bits(point))))
  filled.fill(0)
  try {
    return privateHalfOf(privateKeyInfo(algorithm(curve), key))
  } finally {
    key.fill(0)
  }
}

/** The key of a point in any of its forms. Throws CryptoRefusal when it is not on the curve. */
export function ecPublicKey(curve: Curve, point: Uint8Array): PublicHalf {
  return publicHalfOf(publicKeyInfo(algorithm(curve), uncompressed(curve, point)))
}

/** ECPrivateKey in DER, naming its curve; the caller clears it. */
export function ecSec1({ privateKey }: PrivateHalf): Uint8Array {
  return privateKey.export({ format: 'der', type: 'sec1' })
}

/** The secret scalar; the caller clears it. */
export function ecScalar(half: PrivateHalf): Uint8Array {
  const bytes = ecSec1(half)
  const scalar = decoding('EC private key', bytes, (root) =>
    Uint8Array.from(octetsOf(members(root)[1])),
  )
  bytes.fill(0)
  return scalar
}

/** The point, not compressed unless a Key Compression Type says so. */
export function ecPoint(half: PublicHalf, compression?: KeyCompressionType): Uint8Array {
  const curve = curveOf(half.recommendedCurve!)
  const point = decoding('EC public key', publicInfo(half), (root) => bitsOf(members(root)[1]))
  return inForm(curve, point, compressedForm(curve, compression))
}

/** SubjectPublicKeyInfo with the point in the form asked for. */
export function ecPublicInfo(half: PublicHalf, compression?: KeyCompressionType): Uint8Array {
  const curve = curveOf(half.recommendedCurve!)
  return publicKeyInfo(algorithm(curve), ecPoint(half, compression))
}

/** Which of SEC 1's forms a Key Compression Type is; the two compressed ones are one, by field. */
function compressedForm(curve: Curve, compression: KeyCompressionType | undefined): Form {
  const compressed =
    curve.field === 'prime'
      ? 'ECPublicKeyTypeX9_62CompressedPrime'
      : 'ECPublicKeyTypeX9_62CompressedChar2'
  if (compression === undefined || compression === 'ECPublicKeyTypeUncompressed')
    return 'uncompressed'
  if (compression === compressed) return 'compressed'
  if (compression === 'ECPublicKeyTypeX9_62Hybrid') return 'hybrid'
  throw new CryptoRefusal(
    'unsupported',
    `points of ${curve.recommended} have no form ${compression}`,
  )
}

type Form = 'uncompressed' | 'compressed' | 'hybrid'

/** SEC 1 §2.3.4: the first byte says the form, the field the length. The point at infinity is none. */
function uncompressed(curve: Curve, point: Uint8Array): Uint8Array {
  const coordinate = Math.ceil(curve.bits / 8)
  const isCompressed = point[0] === 2 || point[0] === 3
  if (point.length !== 1 + coordinate * (isCompressed ? 1 : 2))
    throw new CryptoRefusal(
      'parameters',
      `${point.length} bytes are no point of curve ${curve.recommended}`,
    )
  return inForm(curve, point, 'uncompressed')
}

function inForm(curve: Curve, point: Uint8Array, form: Form): Uint8Array {
  try {
    return ECDH.convertKey(point, curve.name, undefined, undefined, form) as Uint8Array
  } catch (error) {
    throw new CryptoRefusal('parameters', `the point is not on curve ${curve.recommended}`, error)
  }
}

function isPointOf(half: PublicHalf, curve: Curve, point: Uint8Array): boolean {
  return Buffer.compare(ecPoint(half), uncompressed(curve, point)) === 0
}
