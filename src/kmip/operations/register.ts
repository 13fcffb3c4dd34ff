/** Register – KMIP 2.1 §6.1.43. An object that the client made. */
import { version as versionNumber, type Version } from 'ttlv-codec'
import { allowed } from '../../access/policy.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { objectFields, type KeyBlock } from '../model/objects.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { newest } from '../model/versions.ts'
import { completeUsage } from './given-attributes.ts'
import { sealedItem, setDigest } from './key-material.ts'
import { bytesOf, lengthToMake } from './key-sizes.ts'
import { checkStorage, keepObject, prepareObject } from './new-object.ts'
import { operation } from './operation.ts'
import { sayable } from './sayable.ts'

/** Object types that may be registered; each says what becomes of its fields. */
const registrable = ['SymmetricKey', 'SecretData', 'OpaqueObject', 'Template'] as const
type Registrable = (typeof registrable)[number]

/** Formats whose material is bytes, or the one transparent form of a symmetric key. */
const takenFormats: readonly unknown[] = ['Raw', 'Opaque', 'TransparentSymmetricKey']

/** First version that registers objects whose value is elsewhere (KMIP 1.2 §3.35). */
const absentValuesSince = versionNumber('1.2')

export const register = operation('Register', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const { ObjectType, Attributes = [] } = request
    if (!registrable.includes(ObjectType as Registrable))
      throw new KmipError('InvalidObjectType', `Register does not take ${ObjectType}`)
    const objectType = ObjectType as Registrable
    const refusal = allowed(context.principal, 'Register', { objectType })
    if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
    checkStorage(request.ProtectionStorageMasks)
    const fields = fieldsOf(request, objectType)
    const contents = objectType === 'Template' ? contentsOf(request) : []
    const { object, made } = await prepareObject(context, 'Register', objectType, [
      ...Attributes,
      ...contents,
    ])
    const material =
      objectType === 'Template'
        ? undefined
        : sealedItem(objectType, described(object, fields, context.version))
    await keepObject(context, object, material)
    return { UniqueIdentifier: object.id, ...(made.length > 0 && { Attributes: made }) }
  },
})

/** The one object field, which must be that of the Object Type. */
function fieldsOf(request: RequestPayload<'Register'>, objectType: Registrable): object {
  const present = [...Object.keys(objectFields), 'Template'].filter((field) => field in request)
  if (present.length !== 1 || present[0] !== objectType) {
    throw new KmipError(
      'InvalidField',
      `Object Type is ${objectType}, but the object given is ${present.join(', ') || 'missing'}`,
    )
  }
  return request[objectType] as object
}

/** A Template's own Name goes with its other attributes, not into what it hands on (KMIP 1.4 §11.4). */
function contentsOf({ Template }: RequestPayload<'Register'>) {
  const contents = Template?.Attribute ?? []
  if (contents.some(({ tag }) => tag === 'Name'))
    throw new KmipError('InvalidField', 'the Template structure holds a Name')
  return contents
}

/** Sets the attributes that follow from the object itself; answers its fields as they are kept. */
function described(object: ManagedObject, fields: object, version: Version): object {
  if ('OpaqueDataValue' in fields) {
    const { OpaqueDataValue, OpaqueDataType } = fields as {
      OpaqueDataValue: Uint8Array
      OpaqueDataType: number
    }
    object.attributes.set('OpaqueDataType', OpaqueDataType)
    setDigest(object, OpaqueDataValue, undefined)
    return fields
  }
  const block = (fields as { KeyBlock: KeyBlock }).KeyBlock
  const bytes = plainBytes(block, version)
  object.vitals.KeyFormatType = block.KeyFormatType
  if (object.objectType === 'SymmetricKey') describeKey(object, block, bytes, version)
  if (bytes === undefined) {
    object.attributes.set('KeyValuePresent', false)
    return fields
  }
  // The digest that must be there is of the default format; a transparent key holds the same bytes.
  const isTransparent = block.KeyFormatType === 'TransparentSymmetricKey'
  setDigest(object, bytes, isTransparent ? 'Raw' : block.KeyFormatType)
  return { ...fields, KeyBlock: withSayableAttributes(block, object) }
}

/** The bytes of the key; undefined when its value is kept elsewhere. */
function plainBytes(block: KeyBlock, version: Version): Uint8Array | undefined {
  const { KeyValue, KeyFormatType, KeyWrappingData, KeyCompressionType } = block
  if (KeyWrappingData !== undefined || KeyValue?.type === 'ByteString')
    throw new KmipError('FeatureNotSupported', 'this server does not take wrapped keys')
  if (KeyCompressionType !== undefined)
    throw new KmipError('KeyCompressionTypeNotSupported', 'these keys have no compressed form')
  if (!takenFormats.includes(KeyFormatType))
    throw new KmipError('KeyFormatTypeNotSupported', `${KeyFormatType} is no format of this object`)
  if (KeyValue === undefined && version >= absentValuesSince) return undefined
  const material = KeyValue?.value.KeyMaterial
  const bytes =
    KeyFormatType === 'TransparentSymmetricKey'
      ? (material as { Key: Uint8Array } | undefined)?.Key
      : material
  if (bytes instanceof Uint8Array && bytes.length > 0) return bytes
  throw new KmipError('InvalidField', 'the Key Block holds no key material')
}

function describeKey(
  object: ManagedObject,
  block: KeyBlock,
  bytes: Uint8Array | undefined,
  version: Version,
): void {
  const { attributes } = object
  const { CryptographicAlgorithm, CryptographicLength } = block
  const algorithm = agreeing(
    'Cryptographic Algorithm',
    CryptographicAlgorithm,
    attributes.first('CryptographicAlgorithm'),
  )
  const length = agreeing(
    'Cryptographic Length',
    CryptographicLength,
    attributes.first('CryptographicLength'),
  )
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
  attributes.set('CryptographicAlgorithm', algorithm)
  attributes.set('CryptographicLength', bits)
  completeUsage(object, version)
}

function agreeing<T>(
  what: string,
  inBlock: T | undefined,
  asAttribute: T | undefined,
): T | undefined {
  if (inBlock !== undefined && asAttribute !== undefined && inBlock !== asAttribute) {
    throw new KmipError(
      'InvalidField',
      `${what} is ${inBlock} in the Key Block, ${asAttribute} as attribute`,
    )
  }
  return inBlock ?? asAttribute
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
