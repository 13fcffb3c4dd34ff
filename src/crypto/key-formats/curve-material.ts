/**
 * Curve keys as numbers and octets: Transparent EC – KMIP 2.1 §3.11, §3.12 – and Raw, whose curve comes
 * from elsewhere. Here alone the keys with points and the keys of plain octets are told apart.
 */
import { CryptoRefusal } from '../crypto-refusal.ts'
import { named, type Algorithm } from '../parameters.ts'
import { bigEndian, fromBigEndian } from './asn1-values.ts'
import { isCurveAlgorithm, type PrivateHalf, type PublicHalf } from './asymmetric-key.ts'
import { curveOf, type Curve, type RecommendedCurve } from './curves.ts'
import { ecPoint, ecPrivateKey, ecPublicKey, ecScalar } from './ec.ts'
import type { KeyCompressionType } from './formats.ts'
import {
  octetKeys,
  octetKeyType,
  octetPrivateKey,
  octetPublicKey,
  publicOctets,
  secretOctets,
  type OctetKeyType,
} from './octet-keys.ts'

/** What names the curve of a key whose material does not. */
export interface CurveHints {
  algorithm?: Algorithm | undefined
  recommendedCurve?: RecommendedCurve | undefined
}

/** The Key Material of Transparent EC Private Key. */
export interface TransparentScalar {
  RecommendedCurve: RecommendedCurve
  D: bigint
}

/** The Key Material of Transparent EC Public Key. */
export interface TransparentPoint {
  RecommendedCurve: RecommendedCurve
  QString: Uint8Array
}

/** The private key of a scalar, or of octets where the curve has such keys. */
export function fromTransparentScalar(
  { RecommendedCurve: recommendedCurve, D }: TransparentScalar,
  { algorithm }: CurveHints,
): PrivateHalf {
  const type = octetTypeOf({ algorithm, recommendedCurve })
  const size =
    type === undefined ? Math.ceil((curveOf(recommendedCurve).bits + 1) / 8) : octetKeys[type].size
  if (D < 1n || D >= 1n << BigInt(size * 8))
    throw new CryptoRefusal('parameters', 'D is no private key of its curve')
  const scalar = bigEndian(D, size)
  try {
    return type === undefined
      ? ecPrivateKey(curveOf(recommendedCurve), scalar)
      : octetPrivateKey(type, scalar)
  } finally {
    scalar.fill(0)
  }
}

/** CURVE25519 and CURVE448 have octets, not numbers: D is those octets, most significant first. */
export function transparentScalar(key: PrivateHalf): TransparentScalar {
  const scalar = rawScalar(key)
  const D = fromBigEndian(scalar)
  scalar.fill(0)
  return { RecommendedCurve: curveNameOf(key), D }
}

export function fromTransparentPoint(
  { RecommendedCurve: recommendedCurve, QString }: TransparentPoint,
  { algorithm }: CurveHints,
): PublicHalf {
  return fromRawPoint(QString, { algorithm, recommendedCurve })
}

export function transparentPoint(
  key: PublicHalf,
  compression?: KeyCompressionType,
): TransparentPoint {
  return { RecommendedCurve: curveNameOf(key), QString: rawPoint(key, compression) }
}

/** The private key of raw bytes on the curve that the hints name. */
export function fromRawScalar(bytes: Uint8Array, hints: CurveHints): PrivateHalf {
  const type = octetTypeOf(hints)
  return type === undefined ? ecPrivateKey(hintedCurve(hints), bytes) : octetPrivateKey(type, bytes)
}

/** The bytes of a private key of a curve; the caller clears them. */
export function rawScalar(key: PrivateHalf): Uint8Array {
  return octetKeyType(key) === undefined ? ecScalar(key) : secretOctets(key)
}

/** The public key of raw bytes on the curve that the hints name. */
export function fromRawPoint(bytes: Uint8Array, hints: CurveHints): PublicHalf {
  const type = octetTypeOf(hints)
  return type === undefined ? ecPublicKey(hintedCurve(hints), bytes) : octetPublicKey(type, bytes)
}

/** The bytes of a public key of a curve: octets, or a point in the form asked for. */
export function rawPoint(key: PublicHalf, compression?: KeyCompressionType): Uint8Array {
  return octetKeyType(key) === undefined ? ecPoint(key, compression) : publicOctets(key)
}

/** Ed25519 and Ed448 are algorithms on curves that alone stand for X25519 and X448. */
function octetTypeOf({ algorithm, recommendedCurve }: CurveHints): OctetKeyType | undefined {
  if (algorithm !== 'Ed25519' && algorithm !== 'Ed448')
    return recommendedCurve === undefined ? undefined : octetKeyType({ recommendedCurve })
  const type = octetKeyType({ algorithm })!
  if (recommendedCurve === undefined || recommendedCurve === octetKeys[type].curve) return type
  throw new CryptoRefusal('parameters', `${algorithm} keys are not of that curve`)
}

function curveNameOf(key: PublicHalf): RecommendedCurve {
  const type = octetKeyType(key)
  return type === undefined ? key.recommendedCurve! : octetKeys[type].curve
}

function hintedCurve({ algorithm = 'EC', recommendedCurve }: CurveHints): Curve {
  if (!isCurveAlgorithm(algorithm))
    throw new CryptoRefusal('unsupported', `Raw is no format of a key of ${named(algorithm)}`)
  if (recommendedCurve !== undefined) return curveOf(recommendedCurve)
  throw new CryptoRefusal('parameters', 'an EC key as bytes needs its Recommended Curve')
}
