/**
 * Recommended Curve – KMIP 2.1 §11.45 – one row per curve: what the crypto library calls it, its object
 * identifier and the size of its field. Explicit curve parameters are never accepted.
 */
import type { AttributeValueOf } from '../../kmip/model/attributes.ts'
import { CryptoRefusal } from '../crypto-refusal.ts'
import { named } from '../parameters.ts'

/** Recommended Curve by name; a number where there is no name for it. */
export type RecommendedCurve = NonNullable<
  AttributeValueOf<'CryptographicDomainParameters'>['RecommendedCurve']
>

/** A curve with points (x, y), as ECDSA and ECDH use it. */
export interface Curve {
  readonly recommended: CurveName
  /** In the crypto library. */
  readonly name: string
  readonly oid: string
  /** Size of the field, which is what KMIP takes as Cryptographic Length. */
  readonly bits: number
  readonly field: 'prime' | 'binary'
}

const rows = {
  P_192: { name: 'prime192v1', oid: '1.2.840.10045.3.1.1', bits: 192, field: 'prime' },
  K_163: { name: 'sect163k1', oid: '1.3.132.0.1', bits: 163, field: 'binary' },
  B_163: { name: 'sect163r2', oid: '1.3.132.0.15', bits: 163, field: 'binary' },
  P_224: { name: 'secp224r1', oid: '1.3.132.0.33', bits: 224, field: 'prime' },
  K_233: { name: 'sect233k1', oid: '1.3.132.0.26', bits: 233, field: 'binary' },
  B_233: { name: 'sect233r1', oid: '1.3.132.0.27', bits: 233, field: 'binary' },
  P_256: { name: 'prime256v1', oid: '1.2.840.10045.3.1.7', bits: 256, field: 'prime' },
  K_283: { name: 'sect283k1', oid: '1.3.132.0.16', bits: 283, field: 'binary' },
  B_283: { name: 'sect283r1', oid: '1.3.132.0.17', bits: 283, field: 'binary' },
  P_384: { name: 'secp384r1', oid: '1.3.132.0.34', bits: 384, field: 'prime' },
  K_409: { name: 'sect409k1', oid: '1.3.132.0.36', bits: 409, field: 'binary' },
  B_409: { name: 'sect409r1', oid: '1.3.132.0.37', bits: 409, field: 'binary' },
  P_521: { name: 'secp521r1', oid: '1.3.132.0.35', bits: 521, field: 'prime' },
  K_571: { name: 'sect571k1', oid: '1.3.132.0.38', bits: 571, field: 'binary' },
  B_571: { name: 'sect571r1', oid: '1.3.132.0.39', bits: 571, field: 'binary' },
  SECP112R1: { name: 'secp112r1', oid: '1.3.132.0.6', bits: 112, field: 'prime' },
  SECP112R2: { name: 'secp112r2', oid: '1.3.132.0.7', bits: 112, field: 'prime' },
  SECP128R1: { name: 'secp128r1', oid: '1.3.132.0.28', bits: 128, field: 'prime' },
  SECP128R2: { name: 'secp128r2', oid: '1.3.132.0.29', bits: 128, field: 'prime' },
  SECP160K1: { name: 'secp160k1', oid: '1.3.132.0.9', bits: 160, field: 'prime' },
  SECP160R1: { name: 'secp160r1', oid: '1.3.132.0.8', bits: 160, field: 'prime' },
  SECP160R2: { name: 'secp160r2', oid: '1.3.132.0.30', bits: 160, field: 'prime' },
  SECP192K1: { name: 'secp192k1', oid: '1.3.132.0.31', bits: 192, field: 'prime' },
  SECP224K1: { name: 'secp224k1', oid: '1.3.132.0.32', bits: 224, field: 'prime' },
  SECP256K1: { name: 'secp256k1', oid: '1.3.132.0.10', bits: 256, field: 'prime' },
  SECT113R1: { name: 'sect113r1', oid: '1.3.132.0.4', bits: 113, field: 'binary' },
  SECT113R2: { name: 'sect113r2', oid: '1.3.132.0.5', bits: 113, field: 'binary' },
  SECT131R1: { name: 'sect131r1', oid: '1.3.132.0.22', bits: 131, field: 'binary' },
  SECT131R2: { name: 'sect131r2', oid: '1.3.132.0.23', bits: 131, field: 'binary' },
  SECT163R1: { name: 'sect163r1', oid: '1.3.132.0.2', bits: 163, field: 'binary' },
  SECT193R1: { name: 'sect193r1', oid: '1.3.132.0.24', bits: 193, field: 'binary' },
  SECT193R2: { name: 'sect193r2', oid: '1.3.132.0.25', bits: 193, field: 'binary' },
  SECT239K1: { name: 'sect239k1', oid: '1.3.132.0.3', bits: 239, field: 'binary' },
  ANSIX9P192V2: { name: 'prime192v2', oid: '1.2.840.10045.3.1.2', bits: 192, field: 'prime' },
  ANSIX9P192V3: { name: 'prime192v3', oid: '1.2.840.10045.3.1.3', bits: 192, field: 'prime' },
  ANSIX9P239V1: { name: 'prime239v1', oid: '1.2.840.10045.3.1.4', bits: 239, field: 'prime' },
  ANSIX9P239V2: { name: 'prime239v2', oid: '1.2.840.10045.3.1.5', bits: 239, field: 'prime' },
  ANSIX9P239V3: { name: 'prime239v3', oid: '1.2.840.10045.3.1.6', bits: 239, field: 'prime' },
  ANSIX9C2PNB163V1: { name: 'c2pnb163v1', oid: '1.2.840.10045.3.0.1', bits: 163, field: 'binary' },
  ANSIX9C2PNB163V2: { name: 'c2pnb163v2', oid: '1.2.840.10045.3.0.2', bits: 163, field: 'binary' },
  ANSIX9C2PNB163V3: { name: 'c2pnb163v3', oid: '1.2.840.10045.3.0.3', bits: 163, field: 'binary' },
  ANSIX9C2PNB176V1: { name: 'c2pnb176v1', oid: '1.2.840.10045.3.0.4', bits: 176, field: 'binary' },
  ANSIX9C2TNB191V1: { name: 'c2tnb191v1', oid: '1.2.840.10045.3.0.5', bits: 191, field: 'binary' },
  ANSIX9C2TNB191V2: { name: 'c2tnb191v2', oid: '1.2.840.10045.3.0.6', bits: 191, field: 'binary' },
  ANSIX9C2TNB191V3: { name: 'c2tnb191v3', oid: '1.2.840.10045.3.0.7', bits: 191, field: 'binary' },
  ANSIX9C2PNB208W1: { name: 'c2pnb208w1', oid: '1.2.840.10045.3.0.10', bits: 208, field: 'binary' },
  ANSIX9C2TNB239V1: { name: 'c2tnb239v1', oid: '1.2.840.10045.3.0.11', bits: 239, field: 'binary' },
  ANSIX9C2TNB239V2: { name: 'c2tnb239v2', oid: '1.2.840.10045.3.0.12', bits: 239, field: 'binary' },
  ANSIX9C2TNB239V3: { name: 'c2tnb239v3', oid: '1.2.840.10045.3.0.13', bits: 239, field: 'binary' },
  ANSIX9C2PNB272W1: { name: 'c2pnb272w1', oid: '1.2.840.10045.3.0.16', bits: 272, field: 'binary' },
  ANSIX9C2PNB304W1: { name: 'c2pnb304w1', oid: '1.2.840.10045.3.0.17', bits: 304, field: 'binary' },
  ANSIX9C2TNB359V1: { name: 'c2tnb359v1', oid: '1.2.840.10045.3.0.18', bits: 359, field: 'binary' },
  ANSIX9C2PNB368W1: { name: 'c2pnb368w1', oid: '1.2.840.10045.3.0.19', bits: 368, field: 'binary' },
  ANSIX9C2TNB431R1: { name: 'c2tnb431r1', oid: '1.2.840.10045.3.0.20', bits: 431, field: 'binary' },
  BRAINPOOLP160R1: {
    name: 'brainpoolP160r1',
    oid: '1.3.36.3.3.2.8.1.1.1',
    bits: 160,
    field: 'prime',
  },
  BRAINPOOLP160T1: {
    name: 'brainpoolP160t1',
    oid: '1.3.36.3.3.2.8.1.1.2',
    bits: 160,
    field: 'prime',
  },
  BRAINPOOLP192R1: {
    name: 'brainpoolP192r1',
    oid: '1.3.36.3.3.2.8.1.1.3',
    bits: 192,
    field: 'prime',
  },
  BRAINPOOLP192T1: {
    name: 'brainpoolP192t1',
    oid: '1.3.36.3.3.2.8.1.1.4',
    bits: 192,
    field: 'prime',
  },
  BRAINPOOLP224R1: {
    name: 'brainpoolP224r1',
    oid: '1.3.36.3.3.2.8.1.1.5',
    bits: 224,
    field: 'prime',
  },
  BRAINPOOLP224T1: {
    name: 'brainpoolP224t1',
    oid: '1.3.36.3.3.2.8.1.1.6',
    bits: 224,
    field: 'prime',
  },
  BRAINPOOLP256R1: {
    name: 'brainpoolP256r1',
    oid: '1.3.36.3.3.2.8.1.1.7',
    bits: 256,
    field: 'prime',
  },
  BRAINPOOLP256T1: {
    name: 'brainpoolP256t1',
    oid: '1.3.36.3.3.2.8.1.1.8',
    bits: 256,
    field: 'prime',
  },
  BRAINPOOLP320R1: {
    name: 'brainpoolP320r1',
    oid: '1.3.36.3.3.2.8.1.1.9',
    bits: 320,
    field: 'prime',
  },
  BRAINPOOLP320T1: {
    name: 'brainpoolP320t1',
    oid: '1.3.36.3.3.2.8.1.1.10',
    bits: 320,
    field: 'prime',
  },
  BRAINPOOLP384R1: {
    name: 'brainpoolP384r1',
    oid: '1.3.36.3.3.2.8.1.1.11',
    bits: 384,
    field: 'prime',
  },
  BRAINPOOLP384T1: {
    name: 'brainpoolP384t1',
    oid: '1.3.36.3.3.2.8.1.1.12',
    bits: 384,
    field: 'prime',
  },
  BRAINPOOLP512R1: {
    name: 'brainpoolP512r1',
    oid: '1.3.36.3.3.2.8.1.1.13',
    bits: 512,
    field: 'prime',
  },
  BRAINPOOLP512T1: {
    name: 'brainpoolP512t1',
    oid: '1.3.36.3.3.2.8.1.1.14',
    bits: 512,
    field: 'prime',
  },
} as const satisfies { readonly [Name in RecommendedCurve]?: Omit<Curve, 'recommended'> }

/** The curves with points. CURVE25519 and CURVE448 are not among them: see octet-keys.ts. */
export type CurveName = keyof typeof rows

/** All of them, in the order of KMIP. */
export const curves: readonly Curve[] = Object.entries(rows).map(([recommended, row]) => ({
  recommended: recommended as CurveName,
  ...row,
}))

const byName = new Map(curves.map((curve) => [curve.name, curve]))
const byOid = new Map(curves.map((curve) => [curve.oid, curve]))

/** The row of a Recommended Curve. Throws CryptoRefusal `unsupported`. */
export function curveOf(recommended: RecommendedCurve): Curve {
  if (typeof recommended === 'string' && recommended in rows) {
    const name = recommended as CurveName
    return { recommended: name, ...rows[name] }
  }
  throw new CryptoRefusal(
    'unsupported',
    `Recommended Curve ${named(recommended)} is not supported here`,
  )
}

/** The curve that the crypto library calls so, or undefined. */
export function curveByName(name: string): Curve | undefined {
  return byName.get(name)
}

/** The curve of an object identifier. Throws CryptoRefusal `unsupported`. */
export function curveByOid(oid: string): Curve {
  const curve = byOid.get(oid)
  if (curve !== undefined) return curve
  throw new CryptoRefusal('unsupported', `elliptic curve ${oid} is not supported`)
}
