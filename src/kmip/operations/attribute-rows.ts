/** Attributes named and given by clients, held against the rows of the model and the version spoken. */
import {
  decodeItem,
  encode,
  EncodeError,
  measure,
  type Item,
  type Schema,
  type TypedValue,
  type Version,
} from 'ttlv-codec'
import { printable } from './printable.ts'
import {
  referenceOf,
  unknownVendor,
  type AttributeInstance,
  type AttributeReference,
  type VendorAttributeValue,
} from '../model/attribute-forms.ts'
import type { AttributeRow } from '../model/attribute-rules.ts'
import {
  attributes,
  filterSchema,
  inVersion,
  vendorAttribute,
  type AttributeName,
} from '../model/attributes.ts'
import { KmipError, type ResultReasonName } from '../model/result.ts'
import { tagName, tagNumber } from '../model/tags.ts'
import { version20 } from '../model/versions.ts'
import { textVocabulary } from '../model/text-vocabulary.ts'

/** Vendor of the attributes that the server alone sets (KMIP 2.1 §4.60). */
export const serverVendor = 'y'

/** The row of an attribute, vendor attributes included. */
export function rowOf(tag: AttributeName | 'Attribute'): AttributeRow<unknown> {
  return (tag === 'Attribute' ? vendorAttribute : attributes[tag]) as AttributeRow<unknown>
}

/** The name of an attribute, fit for a message. */
export function nameOf({ tag, vendor, name }: AttributeReference): string {
  if (tag !== 'Attribute') return rowOf(tag).text
  const shown = printable(name ?? '')
  return vendor === unknownVendor ? shown : `${printable(vendor ?? '')}-${shown}`
}

/** Refuses attributes that the version of the request does not have. */
export function checkKnown(
  reference: AttributeReference,
  version: Version,
  before20: ResultReasonName = 'InvalidField',
): void {
  const known =
    reference.tag === 'Attribute'
      ? reference.vendor !== unknownVendor && reference.name !== ''
      : inVersion(reference.tag, version)
  if (known) return
  throw new KmipError('InvalidAttribute', `unknown attribute ${nameOf(reference)}`, { before20 })
}

/**
 * Refuses a value with an enumeration value that the version does not have (KMIP 1.4 §9.1.3.2).
 * Extensions (8XXXXXXX) are whoever's made them, and pass. Masks pass with all their bits.
 */
export function checkValue(instance: AttributeInstance, version: Version, partial = false): void {
  const { tag, value } = instance
  if (tag === 'Attribute' && !partial) checkVendorValue(value as VendorAttributeValue, version)
  if (tag === 'Attribute' || tag === 'Template' || tag === 'CryptographicUsageMask') return
  const schema = (partial ? filterSchema(tag) : rowOf(tag).schema) as Schema<unknown>
  if (schema.itemType !== 'Enumeration' && schema.itemType !== 'Structure') return
  const unknown = () =>
    new KmipError(
      'UnknownEnumeration',
      `${nameOf(referenceOf(instance))} has an enumeration value that this protocol version does not have`,
    )
  try {
    if (!holdsNumber(value)) measure(schema, tagNumber(tag), value, { version })
    else if (!isNamed(decodeItem(encode(schema, tagNumber(tag), value, { version }))))
      throw unknown()
  } catch (error) {
    if (error instanceof EncodeError && error.code === 'newer-than-version') throw unknown()
    throw error
  }
}

/** KMIP 1.4 §3.39: a structure without structures in it. KMIP 2.1 §4.60: letters of vendors' names. */
function checkVendorValue(given: VendorAttributeValue, version: Version): void {
  const { VendorIdentification: vendor, AttributeName, AttributeValue } = given
  const name = nameOf({ tag: 'Attribute', vendor, name: AttributeName })
  if (version >= version20) {
    if (/^[A-Za-z0-9_.]+$/u.test(vendor)) return
    throw new KmipError(
      'InvalidAttribute',
      `${name} has a Vendor Identification of other characters`,
    )
  }
  if (isOfNewerType(AttributeValue)) {
    const what = `${name} has a value of a type that this protocol version does not have`
    throw new KmipError('InvalidField', what)
  }
  if (AttributeValue.type !== 'Structure') return
  if (AttributeValue.value.some(({ type }) => type === 'Structure'))
    throw new KmipError('InvalidAttributeValue', `${name} is a structure that holds structures`)
}

/** Whether a 1.x version has no such item: Date-Time Extended came with 2.0. */
export function isOfNewerType({ type, value }: TypedValue): boolean {
  return type === 'DateTimeExtended' || (type === 'Structure' && value.some(isOfNewerType))
}

/** Enumeration values without a name are numbers in memory: most values have none. */
function holdsNumber(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'number'
  return !(value instanceof Uint8Array) && Object.values(value).some(holdsNumber)
}

const firstExtension = 0x8000_0000

function isNamed({ tag, type, value }: Item): boolean {
  if (type === 'Structure') return value.every(isNamed)
  if (type !== 'Enumeration' || value >= firstExtension) return true
  return textVocabulary.enumerations[tagName(tag)]?.nameOf(value) !== undefined
}
