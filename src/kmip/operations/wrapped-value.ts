/**
 * What is wrapped of a Key Block – KMIP 2.1 §3.2, §3.3, §7.18: the Key Value in TTLV, attributes
 * included, or under No Encoding the Key Material alone.
 */
import { decode, DecodeError, encode, type Version } from 'ttlv-codec'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { instancesOf } from '../../keystore/object-attributes.ts'
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
import type { Context } from './operation.ts'
import { sayable } from './sayable.ts'

/** What Get and Export are asked for. */
export type Specification = NonNullable<RequestPayload<'Get'>['KeyWrappingSpecification']>

/** Whether the Key Material is wrapped alone. */
export function isUnencoded({ EncodingOption }: Pick<KeyWrappingData, 'EncodingOption'>): boolean {
  if (EncodingOption === undefined || EncodingOption === 'TTLVEncoding') return false
  if (EncodingOption === 'NoEncoding') return true
  throw new KmipError('EncodingOptionError', `Encoding Option ${EncodingOption} is not done`)
}

/** The bytes to be wrapped, in an array of their own: the caller wipes it. */
export function plainBytes(
  context: Context,
  object: ManagedObject,
  { KeyValue, KeyFormatType }: KeyBlock,
  specification: Specification,
): Uint8Array {
  if (KeyValue?.type !== 'Structure') throw absentValue(object.id)
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
export function decodedValue(bytes: Uint8Array, format: KeyBlock['KeyFormatType']): KeyValue {
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

/** The refusal to use, or to wrap, a key of which only the attributes are kept. */
export function absentValue(id: string): KmipError {
  return new KmipError('KeyValueNotPresent', `the value of key ${id} is not here`, {
    before20: 'IllegalOperation',
  })
}
