/**
 * What may be said about an object in a version – KMIP 2.1 §9.16: never an attribute, an enumeration
 * value or a bit that the peer's version does not have.
 */
import {
  encode,
  EncodeError,
  version as versionNumber,
  type Schema,
  type Version,
} from 'ttlv-codec'
import type { ObjectTypeName } from '../../keystore/managed-object.ts'
import {
  attributeText,
  referenceOf,
  type AttributeInstance,
  type VendorAttributeValue,
} from '../model/attribute-forms.ts'
import {
  appliesTo,
  attributeNames,
  inVersion,
  type AttributeName,
  type AttributeValueOf,
} from '../model/attributes.ts'
import { KeyFormatType, ObjectType } from '../model/enumerations.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import type { KeyBlock } from '../model/objects.ts'
import { tagNumber } from '../model/tags.ts'
import { version20, versions } from '../model/versions.ts'
import { isOfNewerType, rowOf } from './attribute-rows.ts'

/** The attributes that can be said of such an object, as they can be said. */
export function sayable<T extends AttributeInstance>(
  instances: readonly T[],
  objectType: ObjectTypeName,
  version: Version,
): T[] {
  const spoken = version < version20 ? instances.filter(isSaidInOlder) : instances
  return spoken
    .map((instance) => said(instance, objectType, version))
    .filter((instance) => instance !== undefined)
}

function said<T extends AttributeInstance>(
  instance: T,
  objectType: ObjectTypeName,
  version: Version,
): T | undefined {
  const { tag, value } = instance
  if (tag === 'Template') return undefined
  if (tag === 'Attribute') {
    if (version >= version20) return instance
    const isNamed = attributeText(referenceOf(instance)) !== undefined
    const { AttributeValue } = value as VendorAttributeValue
    return isNamed && !isOfNewerType(AttributeValue) ? instance : undefined
  }
  if (!namesOf(objectType, version).has(tag)) return undefined
  if (tag === 'CryptographicUsageMask')
    return { ...instance, value: sayableMask(value as number, version) }
  const named = renamed(tag, value, version)
  if (!isEncodable(tag, named, version)) return undefined
  return named === value ? instance : { ...instance, value: named }
}

/**
 * 1.x wants the SHA-256 of the format an object came in, which is the first; that of the default format
 * beside it came with 2.0. Whatever other digests an imported object brought are told.
 */
function isSaidInOlder<T extends AttributeInstance>(
  { tag, value }: T,
  _: number,
  all: readonly T[],
): boolean {
  if (tag !== 'Digest') return true
  const first = all.find((one) => one.tag === tag)!.value as AttributeValueOf<'Digest'>
  const { HashingAlgorithm, KeyFormatType: format } = value as AttributeValueOf<'Digest'>
  return HashingAlgorithm !== 'SHA_256' || format === first.KeyFormatType
}

/** The value with formats and algorithms under the names that the version has for them. */
function renamed(tag: AttributeName, value: unknown, version: Version): unknown {
  if (tag === 'CryptographicAlgorithm') return sayableAlgorithm(value, version)
  if (tag === 'KeyFormatType') return sayableFormat(value as Format, version)
  const { KeyFormatType: format } = tag === 'Digest' ? (value as { KeyFormatType?: Format }) : {}
  const name = sayableFormat(format, version)
  return name === format ? value : { ...(value as object), KeyFormatType: name }
}

type Format = KeyBlock['KeyFormatType']

/** First version that calls elliptic curve keys EC. */
const curvesSince = versionNumber('1.2')

/** EC is called by its oldest use where the version has no word for it. */
export function sayableAlgorithm<T>(algorithm: T, version: Version): T | 'ECDSA' {
  return algorithm === 'EC' && version < curvesSince ? 'ECDSA' : algorithm
}

const namesByKind = new Map<string, ReadonlySet<AttributeName>>()

/** The attributes that objects of that type have in that version. */
function namesOf(objectType: ObjectTypeName, version: Version): ReadonlySet<AttributeName> {
  const kind = `${objectType} ${version}`
  const known = namesByKind.get(kind)
  if (known !== undefined) return known
  const names = new Set(
    attributeNames.filter((tag) => inVersion(tag, version) && appliesTo(tag, objectType, version)),
  )
  namesByKind.set(kind, names)
  return names
}

/** Bits of the Cryptographic Usage Mask that only other versions have, by version. */
const foreignBits = new Map(
  versions.map(({ number }) => {
    const { bits } = CryptographicUsageMask
    const ours = CryptographicUsageMask.names(number).reduce((all, name) => all | bits[name], 0)
    return [number, Object.values(bits).reduce((all, bit) => all | bit, 0) & ~ours]
  }),
)

/** A Cryptographic Usage Mask without the bits that only other versions have. */
function sayableMask(mask: number, version: Version): number {
  return mask & ~(foreignBits.get(version) ?? 0)
}

/**
 * A Key Format Type by the name that a version has for it: until 1.2 the transparent curve keys had a
 * name by each use, since 1.3 they have one for all.
 */
export function sayableFormat(kept: Format | undefined, version: Version): Format | undefined {
  if (typeof kept !== 'string' || KeyFormatType.has(kept, version)) return kept
  const half = /^TransparentEC(?:DSA|DH|MQV)?(P.*)$/.exec(kept)?.[1]
  if (half === undefined) return kept
  const forms = [`TransparentEC${half}`, `TransparentECDSA${half}`] as Format[]
  return forms.find((form) => KeyFormatType.has(form as string, version)) ?? kept
}

/** A value may use enumeration values that other versions do not have. */
function isEncodable(tag: AttributeName, value: unknown, version: Version): boolean {
  const schema = rowOf(tag).schema as Schema<unknown>
  const isOpen = schema.itemType === 'Enumeration' || schema.itemType === 'Structure'
  if (!isOpen) return true
  try {
    encode(schema, tagNumber(tag), value, { version })
    return true
  } catch (error) {
    if (error instanceof EncodeError && error.code === 'newer-than-version') return false
    throw error
  }
}

const typesByVersion = new Map<Version, ReadonlySet<string>>(
  versions.map(({ number }) => [number, new Set(ObjectType.names(number))]),
)

/** Object types of a version. Objects of other types are not there for its peers. */
export function objectTypesIn(version: Version): ReadonlySet<string> {
  return typesByVersion.get(version) ?? new Set()
}
