/** Create – KMIP 2.1 §6.1.8. A symmetric key, or secret data, of our making. */
import type { Version } from 'ttlv-codec'
import { randomBytes } from '../../crypto/primitives/random.ts'
import { allowed } from '../../access/policy.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { after } from '../../keystore/soon.ts'
import { KmipError } from '../model/result.ts'
import { version20, versionOf } from '../model/versions.ts'
import { rowOf } from './attribute-rows.ts'
import { completeUsage, demandInOlder } from './given-attributes.ts'
import { sealedItem } from './key-material.ts'
import { bytesOf, lengthToMake } from './key-sizes.ts'
import { checkStorage, keepObject, prepareObject } from './new-object.ts'
import { setDigest } from './object-facts.ts'
import { operation } from './operation.ts'

/** The generator behind node:crypto: OpenSSL's CTR_DRBG with AES-256 (NIST SP 800-90A). */
export const randomNumberGenerator = {
  RNGAlgorithm: 'DRBG',
  CryptographicAlgorithm: 'AES',
  CryptographicLength: 256,
  DRBGAlgorithm: 'CTR',
} as const

/** 2.0 names secret data beside keys; the published cases create it in 1.4 already (TC-CREATE-SD-1-14). */
const secretDataSince = versionOf(1, 4)

const longestSecretBits = 32_768

export const create = operation('Create', {
  effect: 'act',
  identifies: true,
  run({ ObjectType, Attributes = [], ProtectionStorageMasks }, context) {
    const { version, now, principal } = context
    const isSecret = ObjectType === 'SecretData' && version >= secretDataSince
    if (ObjectType !== 'SymmetricKey' && !isSecret)
      throw new KmipError('InvalidObjectType', `Create does not make ${ObjectType}`)
    const refusal = allowed(principal, 'Create', { objectType: ObjectType })
    if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
    checkStorage(ProtectionStorageMasks)
    return after(prepareObject(context, 'Create', ObjectType, Attributes), ({ object, made }) => {
      if (!isSecret) demandDescribed(object, version)
      object.attributes.set('OriginalCreationDate', now)
      object.attributes.set('RandomNumberGenerator', randomNumberGenerator)
      const material = isSecret ? newSecret(object) : newKey(object, version)
      return after(keepObject(context, object, material), () => ({
        ObjectType,
        UniqueIdentifier: object.id,
        ...(made.length > 0 && { Attributes: made }),
      }))
    })
  },
})

/** Refuses, since 2.0, a key that neither the client nor a default describes. */
function demandDescribed({ attributes }: ManagedObject, version: Version): void {
  if (version < version20) return
  for (const tag of ['CryptographicAlgorithm', 'CryptographicUsageMask'] as const) {
    if (attributes.first(tag) !== undefined) continue
    const what = `the attribute ${rowOf(tag).text} is missing, and has no default`
    throw new KmipError('InvalidField', what)
  }
}

/** Makes the key that the attributes describe; what they leave out is completed. */
export function newKey(object: ManagedObject, version: Version): Uint8Array {
  const { attributes } = object
  demandInOlder(object, 'CryptographicAlgorithm', version)
  completeUsage(object, version)
  const algorithm = attributes.first('CryptographicAlgorithm') ?? 'AES'
  const bits = lengthToMake(algorithm, attributes.first('CryptographicLength'))
  attributes.set('CryptographicAlgorithm', algorithm)
  attributes.set('CryptographicLength', bits)
  const described = { CryptographicAlgorithm: algorithm, CryptographicLength: bits }
  return newItem(object, bytesOf(algorithm, bits), (KeyBlock) => ({
    KeyBlock: { ...KeyBlock, ...described },
  }))
}

function newSecret(object: ManagedObject): Uint8Array {
  const bits = object.attributes.first('CryptographicLength') ?? 256
  if (bits % 8 !== 0 || bits < 8 || bits > longestSecretBits) {
    throw new KmipError(
      'InvalidAttributeValue',
      `secret data has 8 to ${longestSecretBits} bits in whole bytes, not ${bits}`,
    )
  }
  object.attributes.set('CryptographicLength', bits)
  return newItem(object, bits / 8, (KeyBlock) => ({
    SecretDataType: 'Password',
    KeyBlock,
  }))
}

/** Formats that are made when asked for, the usual one first (KMIP 2.1 §4.26). */
const madeFormats = {
  SymmetricKey: ['Raw', 'TransparentSymmetricKey'],
  SecretData: ['Opaque', 'Raw'],
} as const

/** Random bytes as the item that is sealed; notes format and digest. The caller wipes it. */
function newItem(
  object: ManagedObject,
  length: number,
  fieldsOf: (block: object) => object,
): Uint8Array {
  const objectType = object.objectType as keyof typeof madeFormats
  const { vitals } = object
  const format = vitals.KeyFormatType ?? madeFormats[objectType][0]
  vitals.KeyFormatType = format
  if (!(madeFormats[objectType] as readonly unknown[]).includes(format))
    throw new KmipError('InvalidAttributeValue', `${objectType} is not made as ${format}`)
  const bytes = randomBytes(length)
  const isTransparent = format === 'TransparentSymmetricKey'
  setDigest(object, bytes, isTransparent ? 'Raw' : format)
  const KeyMaterial = isTransparent ? { Key: bytes } : bytes
  const KeyValue = { type: 'Structure', value: { KeyMaterial, Attributes: undefined } }
  const item = sealedItem(objectType, fieldsOf({ KeyFormatType: format, KeyValue }))
  bytes.fill(0)
  return item
}
