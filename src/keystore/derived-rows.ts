/**
 * What the database is told about an object beside its record: columns, index entries and unique
 * values. All of it follows from the record, can be made again, and is never trusted when a key is served.
 */
import { toHex, sha256 } from '../crypto/primitives/hash.ts'
import { type AttributeInstance, type VendorAttributeValue } from '../kmip/model/attribute-forms.ts'
import { attributes as attributeTable, type AttributeName } from '../kmip/model/attributes.ts'
import { CryptographicAlgorithm } from '../kmip/model/enumerations.ts'
import { cartridgeEntries } from './cartridge-labels.ts'
import type { ManagedObject, Vitals } from './managed-object.ts'
import { comparableNamespace, tapeNamespace } from './namespaces.ts'
import type { IndexEntry, ObjectColumns, UniqueEntry } from './work.ts'

/** Longest value that is indexed as it is; a longer one is indexed by its SHA-256. */
const longestIndexed = 256

/** Columns of an object. What is absent in the object is undefined. */
export function columnsOf({ vitals, attributes }: ManagedObject): ObjectColumns {
  const algorithm = attributes.first('CryptographicAlgorithm')
  return {
    ...vitalColumns(vitals),
    algorithm: algorithm === undefined ? undefined : CryptographicAlgorithm.numberOf(algorithm),
    length: attributes.first('CryptographicLength'),
    usageMask: attributes.first('CryptographicUsageMask'),
  }
}

/** The columns that follow from the vitals alone. */
export function vitalColumns(vitals: Vitals) {
  return {
    owner: vitals.Owner,
    initialDate: vitals.InitialDate,
    lastChangeDate: vitals.LastChangeDate,
    fresh: vitals.Fresh,
    activationDate: vitals.ActivationDate,
    deactivationDate: vitals.DeactivationDate,
    destroyDate: vitals.DestroyDate,
    compromiseDate: vitals.CompromiseDate,
    archiveDate: vitals.ArchiveDate,
    wipeAfter: vitals.WipeAfter,
  }
}

/**
 * The index entry by which an attribute value is found, or undefined for values that are not indexed.
 * Also applied to what a client looks for: equal entries are a necessary condition of a match.
 */
export function indexEntryOf({ tag, value }: AttributeInstance): IndexEntry | undefined {
  const found = indexedValue(tag, value)
  if (found === undefined) return undefined
  const [attribute, text] = found
  return { attribute, value: bounded(text) }
}

/** The index entry of application information, by its unique value. */
export function applicationEntry({ value }: UniqueEntry): IndexEntry {
  return { attribute: 'ApplicationSpecificInformation', value }
}

/** The index entry of objects that rotate by themselves (KMIP 2.1 §4.48). */
export const rotating: IndexEntry = { attribute: 'RotateAutomatic', value: 'true' }

/** A text as it stands in index and unique values. */
function bounded(text: string): string {
  return text.length <= longestIndexed ? text : `sha256:${toHex(sha256(text))}`
}

function indexedValue(tag: string, value: unknown): [string, string] | undefined {
  switch (tag) {
    case 'Name':
      return textField(tag, (value as { NameValue?: string }).NameValue)
    case 'AlternativeName':
      return textField(tag, (value as { AlternativeNameValue?: string }).AlternativeNameValue)
    case 'ApplicationSpecificInformation':
      return textField(tag, applicationPair(value as ApplicationSpecificInformation))
    case 'RotateName':
      return textField(tag, (value as { RotateNameValue?: string }).RotateNameValue)
    case 'Link':
      return textField(tag, (value as { LinkedObjectIdentifier?: unknown }).LinkedObjectIdentifier)
    case 'RotateAutomatic':
      return value === true ? [tag, 'true'] : undefined
    case 'Attribute':
      return vendorValue(value as Partial<VendorAttributeValue>)
    default:
      return attributeTable[tag as AttributeName].lookup === true
        ? textField(tag, value)
        : undefined
  }
}

function textField(tag: string, text: unknown): [string, string] | undefined {
  return typeof text === 'string' ? [tag, text] : undefined
}

/** A vendor attribute's value with its type; structures are not indexed. */
function vendorValue(attribute: Partial<VendorAttributeValue>): [string, string] | undefined {
  const { VendorIdentification: vendor, AttributeName: name, AttributeValue: held } = attribute
  if (held === undefined || held.type === 'Structure') return undefined
  const text = held.type === 'ByteString' ? toHex(held.value) : String(held.value)
  return [`${vendor}\u0000${name}`, `${held.type} ${text}`]
}

/** An Application Specific Information value; Locate may leave either field out. */
export interface ApplicationSpecificInformation {
  ApplicationNamespace?: string
  ApplicationData?: string
}

/** Namespace (comparable form) and data as one text; undefined unless both are there. */
function applicationPair(value: ApplicationSpecificInformation): string | undefined {
  const { ApplicationNamespace: namespace, ApplicationData: data } = value
  return namespace === undefined || data === undefined
    ? undefined
    : `${comparableNamespace(namespace)}\u0000${data}`
}

/** Index entries of an object. */
export function indexOf(object: ManagedObject): IndexEntry[] {
  const entries = object.attributes.instances
    .map(indexEntryOf)
    .filter((entry): entry is IndexEntry => entry !== undefined)
  entries.push(...cartridgeEntries(object))
  return distinct(
    entries,
    (one, other) => one.value === other.value && one.attribute === other.attribute,
  )
}

/**
 * Values by which an object claims to be the only one of its group while it is not Destroyed: its
 * Names (KMIP 2.1 §4.32) and a tape key's application information.
 */
export function uniqueOf({ vitals, objectType, attributes }: ManagedObject): UniqueEntry[] {
  if (vitals.DestroyDate !== undefined) return []
  const claims = attributes
    .values('Name')
    .map(({ NameValue }): UniqueEntry => uniqueName(NameValue))
  if (objectType === 'SymmetricKey') {
    for (const information of attributes.values('ApplicationSpecificInformation')) {
      const pair = applicationPair(information)
      if (pair !== undefined && tapeNamespace(information.ApplicationNamespace) !== undefined)
        claims.push({ kind: 'asi', value: bounded(pair) })
    }
  }
  return distinct(claims, (one, other) => one.value === other.value && one.kind === other.kind)
}

/** The unique value of a Name. */
export function uniqueName(text: string): UniqueEntry {
  return { kind: 'name', value: bounded(text) }
}

/** Each entry once. */
function distinct<T extends { value: string }>(
  entries: readonly T[],
  isSame: (one: T, other: T) => boolean,
): T[] {
  const byValue = new Map<string, T[]>()
  return entries.filter((entry) => {
    const alike = byValue.get(entry.value)
    if (alike === undefined) byValue.set(entry.value, [entry])
    else if (alike.some((other) => isSame(other, entry))) return false
    else alike.push(entry)
    return true
  })
}
