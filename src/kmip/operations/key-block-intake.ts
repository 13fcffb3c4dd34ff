/**
 * Objects with a Key Block as they come in – KMIP 2.1 §2.3–§2.9, §3.1: what the block says, held
 * against the attributes given. Keys of pairs are read in asymmetric-intake.ts.
 */
import { version as versionNumber, type Version } from 'ttlv-codec'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { KeyFormatType } from '../model/enumerations.ts'
import type { KeyBlock } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'
import { newest } from '../model/versions.ts'
import { describeHalf } from './asymmetric-intake.ts'
import { completeUsage } from './given-attributes.ts'
import { bytesOf, lengthToMake } from './key-sizes.ts'
import { isWrapped } from './key-wrapping.ts'
import { claimed, setDigest } from './object-facts.ts'
import { sayable } from './sayable.ts'
import { describeWrapped } from './wrapped-intake.ts'

/** First version that registers objects whose value is elsewhere (KMIP 1.2 §3.35). */
const absentValuesSince = versionNumber('1.2')

/** Formats whose material is bytes, or the one transparent form of a symmetric key. */
const formatsOfBytes: readonly unknown[] = ['Raw', 'Opaque', 'TransparentSymmetricKey']

/** Sets what follows from the Key Block; answers the fields as they are sealed. */
export function describeKeyBlock(
  object: ManagedObject,
  fields: { KeyBlock: KeyBlock },
  version: Version,
): object {
  const { KeyBlock: block } = fields
  const { objectType, vitals, attributes } = object
  const { KeyFormatType: format } = block
  if (typeof format === 'number' || !KeyFormatType.has(format, version))
    throw new KmipError('KeyFormatTypeNotSupported', `Key Format Type ${format}`)
  if ((vitals.KeyFormatType ?? format) !== format)
    throw new KmipError('InvalidField', `the Key Format Type is ${format}`)
  vitals.KeyFormatType = format
  if (isWrapped(block)) {
    if (objectType === 'SplitKey') checkSplit(fields as SplitFields)
    describeWrapped(object, block, version)
    return { ...fields, KeyBlock: withSayableAttributes(block, object) }
  }
  if (block.KeyValue?.type === 'ByteString')
    throw new KmipError('InvalidField', 'a Key Value in bytes needs Key Wrapping Data')
  const isAbsent = block.KeyValue === undefined && version >= absentValuesSince
  if (isAbsent) attributes.set('KeyValuePresent', false)
  const material = isAbsent ? undefined : materialOf(block)
  if (objectType === 'PrivateKey' || objectType === 'PublicKey') {
    describeHalf(object, block, material, version)
  } else {
    const bytes = plainBytes(block, material)
    if (objectType === 'SymmetricKey') describeSymmetric(object, block, bytes, version)
    if (objectType === 'SplitKey') describeSplit(object, fields as SplitFields)
    if (objectType === 'PGPKey') describePgp(object, block)
    // The digest that must be there is of the default format; a transparent key holds the same bytes.
    const isTransparent = block.KeyFormatType === 'TransparentSymmetricKey'
    if (bytes !== undefined) setDigest(object, bytes, isTransparent ? 'Raw' : block.KeyFormatType)
  }
  return isAbsent ? fields : { ...fields, KeyBlock: withSayableAttributes(block, object) }
}

/** Key Material in the clear, not empty. */
function materialOf({ KeyValue }: KeyBlock): unknown {
  const material = KeyValue?.type === 'Structure' ? KeyValue.value.KeyMaterial : undefined
  const isEmpty = material instanceof Uint8Array && material.length === 0
  if (material !== undefined && !isEmpty) return material
  throw new KmipError('InvalidField', 'the Key Block holds no key material')
}

/** The bytes of a key that is nothing but bytes; undefined when its value is kept elsewhere. */
function plainBytes(block: KeyBlock, material: unknown): Uint8Array | undefined {
  const { KeyFormatType: format, KeyCompressionType } = block
  if (KeyCompressionType !== undefined)
    throw new KmipError('KeyCompressionTypeNotSupported', 'these keys have no compressed form')
  if (!formatsOfBytes.includes(format))
    throw new KmipError('KeyFormatTypeNotSupported', `${format} is no format of this object`)
  if (material === undefined) return undefined
  const bytes =
    format === 'TransparentSymmetricKey' ? (material as { Key: Uint8Array }).Key : material
  if (bytes instanceof Uint8Array && bytes.length > 0) return bytes
  throw new KmipError('InvalidField', 'the Key Block holds no key material')
}

function describeSymmetric(
  object: ManagedObject,
  block: KeyBlock,
  bytes: Uint8Array | undefined,
  version: Version,
): void {
  const algorithm = claimed(object, block, 'CryptographicAlgorithm')
  const length = claimed(object, block, 'CryptographicLength')
  if (algorithm === undefined)
    throw new KmipError('InvalidField', 'the Cryptographic Algorithm is missing')
  const bits = lengthToMake(algorithm, length ?? (bytes && bytes.length * 8))
  const bytesNeeded = bytesOf(algorithm, bits)
  if (bytes !== undefined && bytesNeeded !== bytes.length) {
    throw new KmipError(
      'InvalidField',
      `${algorithm} with ${bits} bits has ${bytesNeeded} bytes, not ${bytes.length}`,
    )
  }
  object.attributes.set('CryptographicAlgorithm', algorithm)
  object.attributes.set('CryptographicLength', bits)
  completeUsage(object, version)
}

interface SplitFields {
  SplitKeyParts: number
  KeyPartIdentifier: number
  SplitKeyThreshold: number
  SplitKeyMethod: string | number
  PrimeFieldSize?: bigint
  KeyBlock: KeyBlock
}

/**
 * KMIP 2.1 §2.8. Algorithm and length are those of the whole key; a part may be longer. A published case
 * registers parts that say neither, nor a usage (TC-SJ-3-14): whoever joins them has to say it.
 */
function describeSplit(object: ManagedObject, fields: SplitFields): void {
  checkSplit(fields)
  for (const tag of ['CryptographicAlgorithm', 'CryptographicLength'] as const) {
    const value = claimed(object, fields.KeyBlock, tag)
    if (value !== undefined) object.attributes.set(tag, value)
  }
}

function checkSplit(fields: SplitFields): void {
  const { SplitKeyParts, KeyPartIdentifier, SplitKeyThreshold, SplitKeyMethod } = fields
  const isSound =
    1 <= SplitKeyThreshold &&
    SplitKeyThreshold <= SplitKeyParts &&
    1 <= KeyPartIdentifier &&
    KeyPartIdentifier <= SplitKeyParts
  if (!isSound)
    throw new KmipError('InvalidField', 'parts, threshold and Key Part Identifier do not fit')
  if (SplitKeyMethod === 'PolynomialSharingPrimeField' && fields.PrimeFieldSize === undefined)
    throw new KmipError('InvalidField', 'a part over a prime field needs the Prime Field Size')
}

/** A PGP key is kept as data: algorithm and length are what the client says (KMIP 2.1 §2.4). */
function describePgp(object: ManagedObject, block: KeyBlock): void {
  if (block.KeyFormatType === 'TransparentSymmetricKey')
    throw new KmipError('KeyFormatTypeNotSupported', 'a PGP key is Raw or Opaque')
  noteClaims(object, block)
}

function noteClaims(object: ManagedObject, block: KeyBlock): void {
  const algorithm = claimed(object, block, 'CryptographicAlgorithm')
  const length = claimed(object, block, 'CryptographicLength')
  if (algorithm === undefined || length === undefined)
    throw new KmipError('InvalidField', 'Cryptographic Algorithm and Length are needed')
  object.attributes.set('CryptographicAlgorithm', algorithm)
  object.attributes.set('CryptographicLength', length)
}

/** The block without such attributes inside its Key Value as the newest version cannot say. */
function withSayableAttributes(block: KeyBlock, { objectType }: ManagedObject): KeyBlock {
  const { KeyValue } = block
  if (KeyValue?.type !== 'Structure') return block
  const { KeyMaterial, Attributes = [] } = KeyValue.value
  const kept = sayable(Attributes, objectType, newest.number)
  const value = { KeyMaterial, Attributes: kept.length === 0 ? undefined : kept }
  return { ...block, KeyValue: { type: 'Structure', value } }
}
