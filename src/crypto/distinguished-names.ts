/**
 * Distinguished names (X.501) in the forms KMIP has them: DER, one line of text as RFC 4514 writes it,
 * and the parts that attributes such as Certificate Subject CN hold – KMIP 1.4 §3.13–§3.15, 2.1 §4.61.
 */
import { IA5String, PrintableString, Set, Utf8String, type AsnType } from 'asn1js'
import { readDer, writeDer } from './asn1.ts'
import { CryptoRefusal } from './crypto-refusal.ts'
import { members, oid, oidOf, sequence } from './key-formats/asn1-values.ts'

/** A part of a name that KMIP has an attribute for, by the end of that attribute's name. */
export const nameParts = {
  CN: { oid: '2.5.4.3', text: 'CN' },
  O: { oid: '2.5.4.10', text: 'O' },
  OU: { oid: '2.5.4.11', text: 'OU' },
  Email: { oid: '1.2.840.113549.1.9.1', text: 'emailAddress' },
  C: { oid: '2.5.4.6', text: 'C' },
  ST: { oid: '2.5.4.8', text: 'ST' },
  L: { oid: '2.5.4.7', text: 'L' },
  UID: { oid: '0.9.2342.19200300.100.1.1', text: 'UID' },
  SerialNumber: { oid: '2.5.4.5', text: 'serialNumber' },
  Title: { oid: '2.5.4.12', text: 'title' },
  DC: { oid: '0.9.2342.19200300.100.1.25', text: 'DC' },
  DNQualifier: { oid: '2.5.4.46', text: 'dnQualifier' },
} as const

export type NamePart = keyof typeof nameParts

/** One attribute of a name, in the order of the name. */
export interface NameAttribute {
  oid: string
  /** As text; undefined for values that are none. */
  value: string | undefined
  /** DER of the value. */
  der: Uint8Array
}

/** The attributes of a Name in DER, by relative distinguished name. Throws an `Error` for others. */
export function readName(der: Uint8Array): NameAttribute[][] {
  return members(readDer(der)).map((relative) => {
    if (!(relative instanceof Set)) throw new Error('a SET was expected')
    return relative.valueBlock.value.map((attribute) => {
      const [type, value] = members(attribute)
      return { oid: oidOf(type), value: textOf(value), der: writeDer(value!) }
    })
  })
}

/** One line, last part first, as RFC 4514 has it: `CN=EE,O=Kmip Test,C=AU`. */
export function nameText(der: Uint8Array): string {
  const relative = readName(der).toReversed()
  return relative.map((attributes) => attributes.map(attributeText).join('+')).join(',')
}

/** The values of the parts that KMIP has attributes for, in the order of the name. */
export function partsOfName(der: Uint8Array): Partial<Record<NamePart, string[]>> {
  const found: Partial<Record<NamePart, string[]>> = {}
  for (const { oid: type, value } of readName(der).flat()) {
    const part = partOf(type)
    if (part !== undefined && value !== undefined) (found[part] ??= []).push(value)
  }
  return found
}

/** A Name in DER from its parts: country first, common name last. Throws CryptoRefusal `parameters`. */
export function nameOfParts(parts: Partial<Record<NamePart, readonly string[]>>): Uint8Array {
  const order: NamePart[] = ['DC', 'C', 'ST', 'L', 'O', 'OU', 'Title', 'SerialNumber']
  const all: NamePart[] = [...order, 'DNQualifier', 'UID', 'Email', 'CN']
  const relative = all.flatMap((part) =>
    (parts[part] ?? []).map((value) => relativeName(part, value)),
  )
  return writeDer(sequence(...relative))
}

/** RFC 5280 upper bounds are 64 for most parts; anything much longer is no name. */
const longestValue = 256

function relativeName(part: NamePart, value: string): Set {
  if (value.length === 0 || value.length > longestValue)
    throw new CryptoRefusal(
      'parameters',
      `the ${part} of a name has 1 to ${longestValue} characters`,
    )
  if (part === 'C' && !/^[A-Za-z]{2}$/.test(value))
    throw new CryptoRefusal('parameters', 'the country of a name has two letters')
  return new Set({ value: [sequence(oid(nameParts[part].oid), valueOf(part, value))] })
}

/** RFC 5280 appendix A: some parts are printable or ASCII, all others are UTF-8 in new names. */
function valueOf(part: NamePart, value: string): AsnType {
  const isPrintable = ['C', 'SerialNumber', 'DNQualifier'].includes(part)
  const isAscii = part === 'DC' || part === 'Email'
  const allowed = isPrintable ? /^[A-Za-z0-9 '()+,./:=?-]*$/ : /^[\x20-\x7e]*$/
  if ((isPrintable || isAscii) && !allowed.test(value))
    throw new CryptoRefusal('parameters', `the ${part} of a name has characters it may not have`)
  if (isPrintable) return new PrintableString({ value })
  return isAscii ? new IA5String({ value }) : new Utf8String({ value })
}

function attributeText({ oid: type, value, der }: NameAttribute): string {
  const part = partOf(type)
  if (part === undefined || value === undefined)
    return `${type}=#${Buffer.from(der).toString('hex')}`
  return `${nameParts[part].text}=${escaped(value)}`
}

/** RFC 4514 §2.4. */
function escaped(value: string): string {
  return value
    .replace(/["+,;<>\\]/g, '\\$&')
    .replace(/\0/g, '\\00')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ')
}

function partOf(type: string): NamePart | undefined {
  return (Object.keys(nameParts) as NamePart[]).find((part) => nameParts[part].oid === type)
}

/** The kinds of string that names have been written in. */
const stringTags = new globalThis.Set([12, 18, 19, 20, 22, 26, 28, 30])

function textOf(value: AsnType | undefined): string | undefined {
  if (value === undefined || !stringTags.has(value.idBlock.tagNumber)) return undefined
  const { getValue } = value as unknown as { getValue?(): unknown }
  const text: unknown = getValue?.call(value)
  return typeof text === 'string' ? text : undefined
}
