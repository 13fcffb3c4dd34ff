/**
 * Public and private keys as they come in – KMIP 2.1 §2.5, §2.6, §3.4–§3.12. A key that the crypto
 * library knows is read, so that what is said of it is true; others are kept as the bytes they are.
 */
import type { Version } from 'ttlv-codec'
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import {
  defaultFormat,
  readPrivateKey,
  readPublicKey,
  writePrivateKey,
  writePublicKey,
} from '../../crypto/key-formats.ts'
import {
  isOfLength,
  type PrivateHalf,
  type PublicHalf,
} from '../../crypto/key-formats/asymmetric-key.ts'
import { isEncryptedPrivateKeyInfo } from '../../crypto/key-formats/private-key-info.ts'
import type { Algorithm } from '../../crypto/parameters.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { CryptographicAlgorithm } from '../model/enumerations.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import type { KeyBlock } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'
import { refusalOfKey } from './crypto-refusals.ts'
import { demandInOlder } from './given-attributes.ts'
import { claimed, setDigests, type Material } from './object-facts.ts'

const curveFamilies = ['EC', 'ECDSA', 'ECDH', 'ECMQV']

/** The formats of each half; Opaque is kept as it is (KMIP 2.1 §3.1). */
const formats: Record<'PrivateKey' | 'PublicKey', readonly unknown[]> = {
  PrivateKey: ['Raw', 'Opaque', 'PKCS_1', 'PKCS_8', 'ECPrivateKey', ...transparent('PrivateKey')],
  PublicKey: ['Raw', 'Opaque', 'PKCS_1', 'X_509', ...transparent('PublicKey')],
}

function transparent(half: string): string[] {
  return ['RSA', 'DSA', 'DH', ...curveFamilies].map((family) => `Transparent${family}${half}`)
}

/** Sets what follows from the key; `material` is undefined when it is kept elsewhere. */
export function describeHalf(
  object: ManagedObject,
  block: KeyBlock,
  material: unknown,
  version: Version,
): void {
  const half = object.objectType as keyof typeof formats
  const { KeyFormatType: format, KeyCompressionType } = block
  if (!formats[half].includes(format))
    throw new KmipError('KeyFormatTypeNotSupported', `${format} is no format of a ${half}`)
  const algorithm = claimed(object, block, 'CryptographicAlgorithm')
  const length = claimed(object, block, 'CryptographicLength')
  const key = material === undefined ? undefined : keyOf(object, block, material)
  if (KeyCompressionType !== undefined && (half === 'PrivateKey' || key?.algorithm !== 'EC'))
    throw new KmipError('KeyCompressionTypeNotSupported', 'only points have a compressed form')
  if (key === undefined && (algorithm === undefined || length === undefined))
    throw new KmipError('InvalidField', 'Cryptographic Algorithm and Length are needed')
  if (key !== undefined && length !== undefined && !isOfLength(length, key))
    throw new KmipError('InvalidField', `the key has ${key.length} bits, not ${length}`)
  demandInOlder(object, 'CryptographicUsageMask', version)
  const said = {
    algorithm: algorithm ?? algorithmIn(key!, version),
    length: length ?? key!.length,
  }
  noteHalf(object, said, material === undefined ? undefined : { format, value: material }, key)
}

/**
 * Sets what follows from a key of a pair: what it is called, its digests, and its use where nobody has
 * said it. `key` is undefined for one that is not understood.
 */
export function noteHalf(
  object: ManagedObject,
  said: { algorithm: Algorithm; length: number },
  material: Material | undefined,
  key: PrivateHalf | PublicHalf | undefined,
): void {
  object.attributes.set('CryptographicAlgorithm', said.algorithm)
  object.attributes.set('CryptographicLength', said.length)
  completeHalfUsage(object)
  if (material === undefined) return
  const usual = inDefaultFormat(object, material, key)
  setDigests(object, [material, ...usual])
  for (const { value } of usual) if (value instanceof Uint8Array) value.fill(0)
}

/** The mask of a half that says nothing about its use: all that its algorithm does. */
export function completeHalfUsage({ objectType, attributes }: ManagedObject): void {
  if (attributes.first('CryptographicUsageMask') !== undefined) return
  const { Sign, Verify, Encrypt, Decrypt, KeyAgreement } = CryptographicUsageMask.bits
  const [signs, crypts] = objectType === 'PrivateKey' ? [Sign, Decrypt] : [Verify, Encrypt]
  const algorithm = String(attributes.first('CryptographicAlgorithm'))
  const usual = algorithm === 'RSA' ? signs | crypts : signs
  const isAgreed = ['DH', 'ECDH', 'ECMQV'].includes(algorithm)
  attributes.set('CryptographicUsageMask', isAgreed ? KeyAgreement : usual)
}

/** The key itself, or undefined for one that this server keeps without understanding it. */
function keyOf(
  object: ManagedObject,
  block: KeyBlock,
  material: unknown,
): PrivateHalf | PublicHalf | undefined {
  const { KeyFormatType: format } = block
  if (format === 'Opaque') return undefined
  const isSealed = format === 'PKCS_8' && isEncryptedPrivateKeyInfo(material as Uint8Array)
  if (isSealed) return undefined
  const domain = object.attributes.first('CryptographicDomainParameters')
  const hints = {
    algorithm: claimed(object, block, 'CryptographicAlgorithm'),
    recommendedCurve: domain?.RecommendedCurve,
  }
  try {
    return object.objectType === 'PrivateKey'
      ? readPrivateKey(format, material, hints)
      : readPublicKey(format, material, hints)
  } catch (error) {
    if (error instanceof CryptoRefusal && error.code === 'unsupported') return undefined
    throw refusalOfKey(error)
  }
}

/** EC is called by its oldest use where the version has no word for it. */
function algorithmIn({ algorithm }: PublicHalf, version: Version) {
  return CryptographicAlgorithm.since(algorithm) > version && algorithm === 'EC'
    ? 'ECDSA'
    : algorithm
}

/** The material in the default format of its kind, where that is another. */
function inDefaultFormat(
  { objectType }: ManagedObject,
  given: Material,
  key: PrivateHalf | PublicHalf | undefined,
): Material[] {
  if (key === undefined) return []
  const isPrivate = objectType === 'PrivateKey'
  const format = defaultFormat(key, isPrivate ? 'private' : 'public')
  if (format === given.format) return []
  const value = isPrivate
    ? writePrivateKey(key as PrivateHalf, format)
    : writePublicKey(key, format)
  return [{ format, value }]
}
