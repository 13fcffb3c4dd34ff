/**
 * Keys in every Key Format Type – KMIP 2.1 §3.4–§3.12, §11.25: read into the crypto library and
 * written out again, so that any two formats of one kind of key convert. Whether a conversion may be
 * asked for is the operation's to say. PKCS#12 has its own way in and out: key-formats/pkcs12.ts.
 */
import { X509Certificate } from 'node:crypto'
import { CryptoRefusal } from './crypto-refusal.ts'
import {
  isOfAlgorithm,
  privateInfo,
  publicHalf,
  publicInfo,
  type KeyFacts,
  type PrivateHalf,
  type PublicHalf,
} from './key-formats/asymmetric-key.ts'
import {
  fromRawPoint,
  fromRawScalar,
  fromTransparentPoint,
  fromTransparentScalar,
  rawPoint,
  rawScalar,
  transparentPoint,
  transparentScalar,
  type TransparentPoint,
  type TransparentScalar,
} from './key-formats/curve-material.ts'
import type { RecommendedCurve } from './key-formats/curves.ts'
import { ecPrivateKeyFromSec1, ecPublicInfo, ecSec1 } from './key-formats/ec.ts'
import {
  finiteFieldPrivateKey,
  finiteFieldPrivateNumbers,
  finiteFieldPublicKey,
  finiteFieldPublicNumbers,
  type TransparentPrivateKey,
  type TransparentPublicKey,
} from './key-formats/finite-field.ts'
import type { KeyCompressionType, KeyFormatType, KeyMaterial } from './key-formats/formats.ts'
import { octetKeyType } from './key-formats/octet-keys.ts'
import { readPrivateKeyInfo, readPublicKeyInfo } from './key-formats/private-key-info.ts'
import {
  rsaPrivateFromPkcs1,
  rsaPrivateKey,
  rsaPrivateNumbers,
  rsaPublicFromPkcs1,
  rsaPublicKey,
  rsaPublicNumbers,
  type TransparentRsaPrivateKey,
  type TransparentRsaPublicKey,
} from './key-formats/rsa.ts'
import { named, type Algorithm } from './parameters.ts'

/** What is known of a key besides its material. */
export interface ReadHints {
  /** Cryptographic Algorithm: a key of another one is refused. */
  algorithm?: Algorithm | undefined
  /** Recommended Curve: needed for Raw only. */
  recommendedCurve?: RecommendedCurve | undefined
  /** Of encrypted PKCS#8. */
  password?: Uint8Array | undefined
  /** It was read before and has been kept safe since: no proof that its numbers fit. */
  trusted?: boolean
}

/** Reads a private key; its public half comes with it. Throws CryptoRefusal. */
export function readPrivateKey(
  format: KeyFormatType,
  material: unknown,
  hints: ReadHints = {},
): PrivateHalf {
  return ofAlgorithm(hints, privateFrom(format, material, hints))
}

/** Reads a public key. Throws CryptoRefusal. */
export function readPublicKey(
  format: KeyFormatType,
  material: unknown,
  hints: ReadHints = {},
): PublicHalf {
  return ofAlgorithm(hints, publicFrom(format, material, hints))
}

/** Writes a private key; bytes are the caller's to clear. Throws CryptoRefusal `unsupported`. */
export function writePrivateKey(key: PrivateHalf, format: KeyFormatType): KeyMaterial {
  const { algorithm } = key
  const hasPoint = pointed(key)
  const isOfCurve = hasPoint || octetKeyType(key) !== undefined
  switch (format) {
    case 'PKCS_8':
      return privateInfo(key)
    case 'PKCS_1':
      if (algorithm === 'RSA') return key.privateKey.export({ format: 'der', type: 'pkcs1' })
      break
    case 'ECPrivateKey':
      if (hasPoint) return ecSec1(key)
      break
    case 'Raw':
      if (isOfCurve) return rawScalar(key)
      break
    case 'TransparentRSAPrivateKey':
      if (algorithm === 'RSA') return rsaPrivateNumbers(key)
      break
    case 'TransparentDSAPrivateKey':
    case 'TransparentDHPrivateKey':
      if (format === `Transparent${algorithm}PrivateKey`) return finiteFieldPrivateNumbers(key)
      break
    case 'TransparentECPrivateKey':
    case 'TransparentECDSAPrivateKey':
    case 'TransparentECDHPrivateKey':
    case 'TransparentECMQVPrivateKey':
      if (isOfCurve) return transparentScalar(key)
      break
  }
  throw notAFormat(format, 'private', algorithm)
}

/** Writes a public key, its point in the form asked for. Throws CryptoRefusal `unsupported`. */
export function writePublicKey(
  key: PublicHalf,
  format: KeyFormatType,
  compression?: KeyCompressionType,
): KeyMaterial {
  const { algorithm } = key
  const hasPoint = pointed(key)
  const isOfCurve = hasPoint || octetKeyType(key) !== undefined
  if (compression !== undefined && !hasPoint)
    throw new CryptoRefusal('unsupported', `${algorithm} keys here have no compressed form`)
  switch (format) {
    case 'X_509':
      return hasPoint ? ecPublicInfo(key, compression) : publicInfo(key)
    case 'PKCS_1':
      if (algorithm === 'RSA') return key.publicKey.export({ format: 'der', type: 'pkcs1' })
      break
    case 'Raw':
      if (isOfCurve) return rawPoint(key, compression)
      break
    case 'TransparentRSAPublicKey':
      if (algorithm === 'RSA') return rsaPublicNumbers(key)
      break
    case 'TransparentDSAPublicKey':
    case 'TransparentDHPublicKey':
      if (format === `Transparent${algorithm}PublicKey`) return finiteFieldPublicNumbers(key)
      break
    case 'TransparentECPublicKey':
    case 'TransparentECDSAPublicKey':
    case 'TransparentECDHPublicKey':
    case 'TransparentECMQVPublicKey':
      if (isOfCurve) return transparentPoint(key, compression)
      break
  }
  throw notAFormat(format, 'public', algorithm)
}

/** The key bytes of Raw or Transparent Symmetric Key, not copied; undefined for other formats. */
export function symmetricKeyBytes(
  format: KeyFormatType,
  material: unknown,
): Uint8Array | undefined {
  const bytes =
    format === 'TransparentSymmetricKey'
      ? (material as { Key?: unknown } | undefined)?.Key
      : material
  const isOne = format === 'Raw' || format === 'TransparentSymmetricKey'
  return isOne && bytes instanceof Uint8Array ? bytes : undefined
}

/** Key Material of a symmetric key around the same bytes. Throws CryptoRefusal `unsupported`. */
export function writeSymmetricKey(key: Uint8Array, format: KeyFormatType): KeyMaterial {
  if (format === 'Raw') return key
  if (format === 'TransparentSymmetricKey') return { Key: key }
  throw notAFormat(format, 'symmetric', undefined)
}

/**
 * The format a key of ours has when none was asked for: KMIP 2.1 §4.26, Table 81. What the table
 * leaves out is kept in the forms that every program reads.
 */
export function defaultFormat(key: KeyFacts, half: 'private' | 'public'): KeyFormatType {
  if (key.algorithm === 'RSA') return 'PKCS_1'
  if (octetKeyType(key) !== undefined) return half === 'private' ? 'PKCS_8' : 'X_509'
  const name = key.algorithm as 'DSA' | 'DH' | 'EC'
  return half === 'private' ? `Transparent${name}PrivateKey` : `Transparent${name}PublicKey`
}

function privateFrom(format: KeyFormatType, material: unknown, hints: ReadHints): PrivateHalf {
  const { trusted = false, password } = hints
  switch (format) {
    case 'PKCS_8':
      return readPrivateKeyInfo(bytesOf(material), trusted, password)
    case 'PKCS_1':
      return rsaPrivateKey(rsaPrivateFromPkcs1(bytesOf(material)), trusted)
    case 'ECPrivateKey':
      return ecPrivateKeyFromSec1(bytesOf(material))
    case 'Raw':
      return fromRawScalar(bytesOf(material), hints)
    case 'TransparentRSAPrivateKey':
      return rsaPrivateKey(structureOf<TransparentRsaPrivateKey>(material), trusted)
    case 'TransparentDSAPrivateKey':
      return finiteFieldPrivateKey('DSA', structureOf<TransparentPrivateKey>(material), trusted)
    case 'TransparentDHPrivateKey':
      return finiteFieldPrivateKey('DH', structureOf<TransparentPrivateKey>(material), trusted)
    case 'TransparentECPrivateKey':
    case 'TransparentECDSAPrivateKey':
    case 'TransparentECDHPrivateKey':
    case 'TransparentECMQVPrivateKey':
      return fromTransparentScalar(structureOf<TransparentScalar>(material), hints)
  }
  throw notAFormat(format, 'private', hints.algorithm)
}

function publicFrom(format: KeyFormatType, material: unknown, hints: ReadHints): PublicHalf {
  const { trusted = false } = hints
  switch (format) {
    case 'X_509':
      return fromX509(bytesOf(material), trusted)
    case 'PKCS_1':
      return rsaPublicKey(rsaPublicFromPkcs1(bytesOf(material)))
    case 'Raw':
      return fromRawPoint(bytesOf(material), hints)
    case 'TransparentRSAPublicKey':
      return rsaPublicKey(structureOf<TransparentRsaPublicKey>(material))
    case 'TransparentDSAPublicKey':
      return finiteFieldPublicKey('DSA', structureOf<TransparentPublicKey>(material), trusted)
    case 'TransparentDHPublicKey':
      return finiteFieldPublicKey('DH', structureOf<TransparentPublicKey>(material), trusted)
    case 'TransparentECPublicKey':
    case 'TransparentECDSAPublicKey':
    case 'TransparentECDHPublicKey':
    case 'TransparentECMQVPublicKey':
      return fromTransparentPoint(structureOf<TransparentPoint>(material), hints)
  }
  throw notAFormat(format, 'public', hints.algorithm)
}

/** A SubjectPublicKeyInfo, as the published cases have it; or the key of a whole certificate. */
function fromX509(bytes: Uint8Array, trusted: boolean): PublicHalf {
  try {
    return readPublicKeyInfo(bytes, trusted)
  } catch (refusal) {
    const certificate = certificateFrom(bytes)
    if (certificate === undefined) throw refusal
    return readPublicKeyInfo(publicInfo(publicHalf(certificate.publicKey)), trusted)
  }
}

function certificateFrom(bytes: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes)
  } catch {
    return undefined
  }
}

function ofAlgorithm<Key extends KeyFacts>({ algorithm }: ReadHints, key: Key): Key {
  if (algorithm === undefined || isOfAlgorithm(algorithm, key)) return key
  throw new CryptoRefusal('parameters', `the key is of ${key.algorithm}, not ${named(algorithm)}`)
}

function bytesOf(material: unknown): Uint8Array {
  if (material instanceof Uint8Array) return material
  throw new CryptoRefusal('parameters', 'the Key Material is not a Byte String')
}

/** The fields are those that the schema of the format has read. */
function structureOf<Fields>(material: unknown): Fields {
  if (typeof material === 'object' && material !== null && !(material instanceof Uint8Array))
    return material as Fields
  throw new CryptoRefusal('parameters', 'the Key Material is not a Structure')
}

/** Whether it is an EC key with a point, not one of plain octets. */
function pointed(key: KeyFacts): boolean {
  return key.algorithm === 'EC' && octetKeyType(key) === undefined
}

function notAFormat(
  format: KeyFormatType,
  kind: string,
  algorithm: Algorithm | undefined,
): CryptoRefusal {
  const which = algorithm === undefined ? '' : ` of ${named(algorithm)}`
  return new CryptoRefusal('unsupported', `${named(format)} is no format of a ${kind} key${which}`)
}
