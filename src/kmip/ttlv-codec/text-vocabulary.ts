// Names for the text forms (KMIP Profiles, XML and JSON encodings) and how single values are spelled
// in them: names of enumerations, masks as lists of names, dates in ISO 8601, bytes in hexadecimal.

import type { EnumerationSchema, MaskSchema } from './enumerations.ts'
import { numberHex } from './items.ts'
import type { Item } from './items.ts'

/** What the text forms need to know of a protocol's tables. */
export interface TextVocabulary {
  /** The name of a tag, or hexadecimal (`0x540001`) when it has none. */
  tagName(number: number): string
  tagNumber(name: string): number | undefined
  /** Enumerations by the name of the tag they are found under. */
  readonly enumerations: Readonly<Record<string, EnumerationSchema>>
  /** Masks by the name of the tag they are found under. */
  readonly masks: Readonly<Record<string, MaskSchema>>
  /** The tag of a KMIP 1.x attribute: `'Cryptographic Algorithm'` -> `'CryptographicAlgorithm'`. */
  attributeTag(attributeName: string): string | undefined
  /** Tags whose bytes and texts pretty printing does not show, nor those of items inside. */
  readonly secretTags: ReadonlySet<string>
}

/**
 * The tag whose enumeration or mask applies to an item: its own, except that the Attribute Value of
 * a 1.x Attribute goes by the Attribute Name beside it.
 */
export function meaningOf(
  tagName: string,
  siblings: readonly Item[],
  vocabulary: TextVocabulary,
): string {
  if (tagName !== 'AttributeValue') return tagName
  const named = (name: string) =>
    siblings.find((sibling) => sibling.tag === vocabulary.tagNumber(name))
  const attributeName = named('AttributeName')
  if (attributeName?.type !== 'TextString' || named('VendorIdentification')) return tagName
  return vocabulary.attributeTag(attributeName.value) ?? tagName
}

/** The name of an enumeration's number under a tag; hexadecimal when it has none. */
export function enumerationText(
  number: number,
  meaning: string,
  { enumerations }: TextVocabulary,
): string {
  return entry(enumerations, meaning)?.nameOf(number) ?? numberHex(number)
}

/** The number of an enumeration's name, or of eight hexadecimal digits; undefined for neither. */
export function enumerationNumber(
  text: string,
  meaning: string,
  { enumerations }: TextVocabulary,
): number | undefined {
  return hexNumber(text) ?? entry(enumerations, meaning)?.numberOf(text)
}

/** The names of a mask's bits, or undefined when the tag has no mask or a bit has no name. */
export function maskNames(
  value: number,
  meaning: string,
  { masks }: TextVocabulary,
): string[] | undefined {
  const mask = entry(masks, meaning)
  if (mask === undefined || value === 0) return undefined
  const names: string[] = []
  for (let bits = value; bits !== 0; bits &= bits - 1) {
    const name = mask.nameOf(bits & -bits)
    if (name === undefined) return undefined
    names.push(name)
  }
  return names
}

/** The bits of one name, hexadecimal or decimal number of a mask; undefined when it is neither. */
export function maskBits(
  text: string,
  meaning: string,
  { masks }: TextVocabulary,
): number | undefined {
  return integerOf(text) ?? entry(masks, meaning)?.numberOf(text)
}

/** The signed 32-bit number of a decimal or hexadecimal spelling; undefined when it is neither. */
export function integerOf(text: string): number | undefined {
  const hex = hexNumber(text)
  if (hex !== undefined) return hex | 0
  return /^-?\d{1,10}$/.test(text) ? Number(text) : undefined
}

function hexNumber(text: string): number | undefined {
  return /^0x[0-9a-f]{1,8}$/i.test(text) ? Number(text) : undefined
}

/** The row of a table that has none of its own beyond its keys, whatever the key. */
function entry<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

const earliest = -62_167_219_200n
const latest = 253_402_300_799n

/** ISO 8601 in UTC; undefined for a date outside the years 0000 to 9999. */
export function dateText(seconds: bigint): string | undefined {
  if (seconds < earliest || seconds > latest) return undefined
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}+00:00`
}

/** ISO 8601 in UTC with six decimals; undefined for a date outside the years 0000 to 9999. */
export function extendedDateText(microseconds: bigint): string | undefined {
  const fraction = BigInt.asUintN(64, ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n)
  const date = dateText((microseconds - fraction) / 1_000_000n)
  return date?.replace('+', `.${String(fraction).padStart(6, '0')}+`)
}

const isoDate = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))$/

/** Seconds since 1970 of ISO 8601 with a zone, fraction dropped; undefined when it is not that. */
export function dateOf(text: string): bigint | undefined {
  const microseconds = extendedDateOf(text)
  if (microseconds === undefined) return undefined
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n
  return (microseconds - fraction) / 1_000_000n
}

/** Microseconds since 1970 of ISO 8601 with a zone; undefined when it is not that. */
export function extendedDateOf(text: string): bigint | undefined {
  const match = isoDate.exec(text)
  if (match === null) return undefined
  const [, local = '', fraction = '', sign, hours = '0', minutes = '0'] = match
  const milliseconds = Date.parse(`${local}Z`)
  if (Number.isNaN(milliseconds) || Number(hours) > 23 || Number(minutes) > 59) return undefined
  // A day that a month does not have would come back as another.
  if (new Date(milliseconds).toISOString().slice(0, 19) !== local) return undefined
  const zone = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  const whole = BigInt(milliseconds) * 1000n - BigInt(zone) * 60_000_000n
  return whole + BigInt(fraction.padEnd(6, '0').slice(0, 6))
}
