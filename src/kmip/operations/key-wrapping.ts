/**
 * Key Blocks wrapped and unwrapped – KMIP 2.1 §3.1 to §3.3, §7.18; KMIP 1.4 §2.1.3 to §2.1.6. The Key
 * Value is wrapped in TTLV unless No Encoding is asked for: then the Key Material is wrapped alone.
 */
import { decode, DecodeError, encode, type Version } from 'ttlv-codec'
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import type { KeyFormatType } from '../../crypto/key-formats/formats.ts'
import { readPrivateKey, readPublicKey } from '../../crypto/key-formats.ts'
import { unwrap, wrap, type WrappingKey, type WrappingKeys } from '../../crypto/key-wrapping.ts'
import { materialOf } from '../../keystore/keystore.ts'
import { instancesOf } from '../../keystore/object-attributes.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import {
  referenceFromText,
  shown,
  type AttributeInstance,
  type AttributeReference,
} from '../model/attribute-forms.ts'
import { attributeByText } from '../model/attributes.ts'
import {
  keyValueSchema,
  type KeyBlock,
  type KeyValue,
  type KeyWrappingData,
} from '../model/objects.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { tagNumber } from '../model/tags.ts'
import { version20, versionOf } from '../model/versions.ts'
import { checkKnown } from './attribute-rows.ts'
import { unsealedFields, type SealedType } from './key-material.ts'
import type { Context } from './operation.ts'
import { sayable } from './sayable.ts'
import { keysToUnwrap, keysToWrap, type ChosenKey, type ChosenKeys } from './wrapping-keys.ts'

/** What Get and Export are asked for. */
export type Specification = NonNullable<RequestPayload<'Get'>['KeyWrappingSpecification']>

/** A Key Block whose value is wrapped. */
export type WrappedBlock = KeyBlock & { KeyWrappingData: KeyWrappingData }

/** Whether the block is kept as somebody else has wrapped it. */
export function isWrapped(block: KeyBlock): block is WrappedBlock {
  return block.KeyWrappingData !== undefined
}

/**
 * Whether the wrapped bytes stand as Key Material in a Key Value structure. The text has a wrapped Key
 * Value as bytes; the published cases TC-WRAP register it so, and get it back in the same form.
 */
function isInStructure({ KeyValue }: KeyBlock): boolean {
  return KeyValue?.type === 'Structure'
}

/** The block in the clear, wrapped by the keys that the specification names. `kept`: as it is stored. */
export async function wrappedBlock(
  context: Context,
  object: ManagedObject,
  { block, kept }: { block: KeyBlock; kept: KeyBlock },
  specification: Specification,
): Promise<KeyBlock> {
  const chosen = await keysToWrap(context, specification)
  const keys = await inUse(context, chosen, 0)
  const plain = plainBytes(context, object, block, specification)
  noteKeys(context, chosen)
  try {
    const { keyValue, wrappingData } = refusing(() => wrap(chosen.wrapping, keys, plain))
    const inStructure = isWrapped(kept) && isInStructure(kept) && isUnencoded(specification)
    const { attributes } = object
    return {
      ...block,
      KeyValue: inStructure
        ? { type: 'Structure', value: { KeyMaterial: keyValue, Attributes: undefined } }
        : { type: 'ByteString', value: keyValue },
      CryptographicAlgorithm:
        block.CryptographicAlgorithm ?? attributes.first('CryptographicAlgorithm'),
      CryptographicLength: block.CryptographicLength ?? attributes.first('CryptographicLength'),
      KeyWrappingData: wrappingData,
    } as KeyBlock
  } finally {
    plain.fill(0)
  }
}

/** The block in the clear. Its bytes are wiped after the answer. */
export async function unwrappedBlock(
  context: Context,
  block: WrappedBlock,
  depth = 0,
): Promise<KeyBlock> {
  const { KeyWrappingData, KeyValue, ...rest } = block
  const keys = await inUse(context, await keysToUnwrap(context, KeyWrappingData), depth)
  const bytes = KeyValue?.type === 'Structure' ? KeyValue.value.KeyMaterial : KeyValue?.value
  if (!(bytes instanceof Uint8Array))
    throw new KmipError('InvalidField', 'the wrapped Key Block holds no bytes')
  const secret = refusing(() => unwrap(KeyWrappingData, keys, bytes))
  context.secrets.push(secret)
  const value = isUnencoded(KeyWrappingData)
    ? { KeyMaterial: secret.bytes, Attributes: undefined }
    : decodedValue(secret.bytes, block.KeyFormatType)
  return { ...rest, KeyValue: { type: 'Structure', value } }
}

/** The audit names the keys that may open what leaves. */
function noteKeys({ noted }: Context, { encryption, integrity }: ChosenKeys): void {
  const used = [encryption, integrity].filter((chosen) => chosen !== undefined)
  const wrappedBy = used.map(({ object }) => object.id)
  noted.details = { ...(noted.details as object | undefined), wrappedBy }
}

/** The keys chosen, with their material. */
async function inUse(
  context: Context,
  { encryption, integrity }: ChosenKeys,
  depth: number,
): Promise<WrappingKeys> {
  const one = async (chosen: ChosenKey | undefined) =>
    chosen && {
      key: await keyOf(context, chosen.object, depth),
      parameters: chosen.parameters,
    }
  return { encryption: await one(encryption), integrity: await one(integrity) }
}

/** How many wrapping keys may be wrapped in one another. */
const deepest = 4

/** The key of a Symmetric, Public or Private Key object. Its bytes are wiped after the answer. */
async function keyOf(
  context: Context,
  object: ManagedObject,
  depth: number,
): Promise<WrappingKey['key']> {
  const { id, objectType, attributes } = object
  const secret = await materialOf(context.work, object)
  if (secret === undefined) throw absent(id)
  context.secrets.push(secret)
  const fields = unsealedFields(objectType as SealedType, secret.bytes)
  const { KeyBlock: kept } = fields as { KeyBlock: KeyBlock }
  if (isWrapped(kept) && depth >= deepest)
    throw new KmipError('FeatureNotSupported', `wrapping key ${id} is wrapped too often itself`)
  const block = isWrapped(kept) ? await unwrappedBlock(context, kept, depth + 1) : kept
  if (block.KeyValue?.type !== 'Structure') throw absent(id)
  const algorithm = attributes.first('CryptographicAlgorithm')
  const { KeyMaterial: material } = block.KeyValue.value
  const format = block.KeyFormatType as KeyFormatType
  if (objectType === 'PublicKey')
    return refusing(() => readPublicKey(format, material, { algorithm }))
  if (objectType === 'PrivateKey')
    return refusing(() => readPrivateKey(format, material, { algorithm, trusted: true }))
  const bytes = material instanceof Uint8Array ? material : (material as { Key: Uint8Array }).Key
  return { algorithm, bytes }
}

function absent(id: string): KmipError {
  return new KmipError('KeyValueNotPresent', `the value of key ${id} is not here`, {
    before20: 'IllegalOperation',
  })
}

/** Runs cryptography; what it refuses becomes a refusal of the operation. */
function refusing<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof CryptoRefusal) throw refusalOf(error)
    throw error
  }
}

function refusalOf({ code, message, cause }: CryptoRefusal): KmipError {
  switch (code) {
    case 'failure':
      return new KmipError('CryptographicFailure', message, { cause })
    case 'unsupported':
      return new KmipError('UnsupportedCryptographicParameters', message, {
        before20: 'FeatureNotSupported',
      })
    default:
      return new KmipError('BadCryptographicParameters', message, { before20: 'InvalidField' })
  }
}

function isUnencoded({ EncodingOption }: Pick<KeyWrappingData, 'EncodingOption'>): boolean {
  if (EncodingOption === undefined || EncodingOption === 'TTLVEncoding') return false
  if (EncodingOption === 'NoEncoding') return true
  throw new KmipError('EncodingOptionError', `Encoding Option ${EncodingOption} is not done`)
}

/** The bytes to be wrapped, in an array of their own. */
function plainBytes(
  context: Context,
  object: ManagedObject,
  { KeyValue, KeyFormatType }: KeyBlock,
  specification: Specification,
): Uint8Array {
  if (KeyValue?.type !== 'Structure') throw absent(object.id)
  const { KeyMaterial, Attributes = [] } = KeyValue.value
  const more = namedAttributes(context, object, specification.AttributeName)
  if (isUnencoded(specification)) {
    if (more.length > 0 || specification.AttributeName.length > 0 || Attributes.length > 0)
      throw new KmipError('EncodingOptionError', 'No Encoding leaves no room for attributes')
    if (KeyMaterial instanceof Uint8Array) return Uint8Array.from(KeyMaterial)
    throw new KmipError('EncodingOptionError', `${KeyFormatType} cannot go without encoding`)
  }
  const together = [...Attributes, ...more]
  return encode(
    keyValueSchema(KeyFormatType),
    tagNumber('KeyValue'),
    { KeyMaterial, Attributes: together.length === 0 ? undefined : together } as KeyValue,
    { version: context.version },
  )
}

/** The attributes to be wrapped along with the key. */
function namedAttributes(
  { version, now }: Context,
  object: ManagedObject,
  names: readonly string[],
): AttributeInstance[] {
  const found = names.map((name) => {
    const reference = referenceOf(name, version)
    checkKnown(reference, version)
    return instancesOf(object, reference, now)
  })
  return sayable(found.flat(), object.objectType, version).map(shown)
}

/** 2.x still names attributes by text here (KMIP 2.1 §7.18), in the words of 1.x. */
function referenceOf(name: string, version: Version): AttributeReference {
  const tag = version < version20 ? undefined : attributeByText(name)
  return tag === undefined ? referenceFromText(name, version) : { tag }
}

/** Versions whose forms of a Key Value differ: attributes one by one, and all in one structure. */
const forms = [versionOf(1, 4), versionOf(2, 1)]

/** What was wrapped in TTLV, by a peer of any version. */
function decodedValue(bytes: Uint8Array, format: KeyBlock['KeyFormatType']): KeyValue {
  let cause: unknown
  for (const version of forms) {
    try {
      return decode(keyValueSchema(format), tagNumber('KeyValue'), bytes, { version })
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      cause = error
    }
  }
  throw new KmipError('CryptographicFailure', 'what was wrapped is no Key Value', { cause })
}
