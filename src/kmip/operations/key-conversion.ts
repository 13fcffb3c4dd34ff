/**
 * The format in which a key leaves – KMIP 2.1 §6.1.19, Key Format Type §11.25, Key Compression Type
 * §11.24: the one it is kept in, or one that the same kind of key can be written in.
 */
import type { Version } from 'ttlv-codec'
import {
  readPrivateKey,
  readPublicKey,
  symmetricKeyBytes,
  writePrivateKey,
  writePublicKey,
  writeSymmetricKey,
} from '../../crypto/key-formats.ts'
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { CryptographicAlgorithm, KeyFormatType } from '../model/enumerations.ts'
import type { KeyBlock } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'
import { version20 } from '../model/versions.ts'
import { refusalOfKey } from './crypto-refusals.ts'
import { sayable, sayableAlgorithm, sayableFormat } from './sayable.ts'

type Format = KeyBlock['KeyFormatType']

/** What a client asks for; what it leaves out is as kept. */
export interface Wanted {
  KeyFormatType?: Format | undefined
  KeyCompressionType?: KeyBlock['KeyCompressionType']
}

/**
 * The format to hand the object out in; undefined for objects without one. Says no before any key is
 * unsealed where that is known.
 */
export function formatFor(
  object: ManagedObject,
  { KeyFormatType: asked, KeyCompressionType }: Wanted,
  version: Version,
): Format | undefined {
  const { id, objectType, vitals } = object
  if (KeyCompressionType !== undefined && objectType !== 'PublicKey')
    throw new KmipError('KeyCompressionTypeNotSupported', `object ${id} has no compressed form`)
  const kept = vitals.KeyFormatType
  const format = asked ?? sayableFormat(kept, version)
  const isPair = objectType === 'PrivateKey' || objectType === 'PublicKey'
  if (format === 'PKCS_12' && objectType === 'Certificate' && version >= version20) return format
  if (format !== kept && !isPair && !(isEitherForm(kept) && isEitherForm(format)))
    throw new KmipError('KeyFormatTypeNotSupported', `object ${id} is not converted to ${format}`)
  if (!hasKeyBlock(objectType) || isSayable(object, format, version)) return format
  throw new KmipError(
    'KeyFormatTypeNotSupported',
    `object ${id} in ${format} format is not part of this protocol version`,
  )
}

/** The fields with the Key Block in that format, and with what this version can say inside it. */
export function inFormat(
  fields: object,
  format: Format | undefined,
  compression: KeyBlock['KeyCompressionType'],
  object: ManagedObject,
  version: Version,
): object {
  const { KeyBlock: block } = fields as { KeyBlock: KeyBlock }
  const { KeyValue, KeyCompressionType } = block
  if (KeyValue?.type !== 'Structure') return fields
  const { KeyMaterial: material, Attributes } = KeyValue.value
  const isKept = format === block.KeyFormatType && compression === undefined
  const value = {
    KeyMaterial: isKept ? material : converted(block, material, format!, compression, object),
    Attributes: Attributes && sayable(Attributes, object.objectType, version),
  }
  const KeyBlock = {
    ...block,
    KeyFormatType: format,
    KeyCompressionType: isKept ? KeyCompressionType : compression,
    KeyValue: { type: 'Structure', value },
    CryptographicAlgorithm: sayableAlgorithm(block.CryptographicAlgorithm, version),
  }
  return { ...fields, KeyBlock }
}

function converted(
  block: KeyBlock,
  material: unknown,
  format: Format,
  compression: KeyBlock['KeyCompressionType'],
  { objectType, attributes, id }: ManagedObject,
): unknown {
  const { KeyFormatType: kept } = block
  const recommendedCurve = attributes.first('CryptographicDomainParameters')?.RecommendedCurve
  const algorithm = attributes.first('CryptographicAlgorithm')
  const hints = { algorithm, recommendedCurve, trusted: true }
  try {
    if (objectType === 'PrivateKey')
      return writePrivateKey(readPrivateKey(kept, material, hints), format)
    if (objectType === 'PublicKey')
      return writePublicKey(readPublicKey(kept, material, hints), format, compression)
    return writeSymmetricKey(symmetricKeyBytes(kept, material)!, format)
  } catch (error) {
    if (error instanceof CryptoRefusal && compression !== undefined && format === kept)
      throw new KmipError('KeyCompressionTypeNotSupported', error.message, { cause: error })
    // A key that was kept without being understood is served as it is, or not at all.
    if (error instanceof CryptoRefusal)
      throw new KmipError('KeyFormatTypeNotSupported', `object ${id} is not converted`, {
        cause: error,
      })
    throw refusalOfKey(error)
  }
}

function hasKeyBlock(objectType: string): boolean {
  return !['Certificate', 'CertificateRequest', 'OpaqueObject'].includes(objectType)
}

/** Raw and Transparent Symmetric Key hold the same bytes in two shapes (§3.4). */
function isEitherForm(format: unknown): boolean {
  return format === 'Raw' || format === 'TransparentSymmetricKey'
}

function isSayable(object: ManagedObject, format: Format | undefined, version: Version): boolean {
  // The column saves decoding the attributes. It is not trusted: where it is wrong the encoder refuses.
  const number = object.stored?.columns.algorithm
  const algorithm = number === undefined ? undefined : CryptographicAlgorithm.nameOf(number)
  return (
    (typeof format !== 'string' || KeyFormatType.has(format, version)) &&
    (algorithm === undefined ||
      algorithm === 'EC' ||
      CryptographicAlgorithm.since(algorithm) <= version)
  )
}
