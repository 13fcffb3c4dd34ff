/** Does an object match what Locate asks for? – KMIP 2.1 §6.1.28, decided on the verified record alone. */
import { dateTime } from 'ttlv-codec'
import { referenceOf, type AttributeInstance } from '../kmip/model/attribute-forms.ts'
import { attributes as attributeTable, type AttributeName } from '../kmip/model/attributes.ts'
import { KmipError } from '../kmip/model/result.ts'
import type { ApplicationSpecificInformation } from './derived-rows.ts'
import type { ManagedObject } from './managed-object.ts'
import { comparableNamespace } from './namespaces.ts'
import { instancesOf } from './object-attributes.ts'

/** The date that stands for "not set" in a search: the largest Date-Time. */
export const undefinedDate = 2n ** 63n - 1n

/** One condition: an attribute and the one or two (dates: a range) values that it must match. */
export interface Condition {
  /** Values of single conditions; for a date two values are the ends of a range. */
  readonly wanted: readonly AttributeInstance[]
  readonly date: boolean
}

/** True for attributes whose value is a Date-Time. */
export function isDate(tag: string): boolean {
  return (
    tag !== 'Attribute' && (attributeTable[tag as AttributeName].schema as unknown) === dateTime
  )
}

/**
 * Groups what a request lists: dates of one attribute become one condition, all others stand alone.
 * @throws KmipError when a date is given more than twice
 */
export function conditionsOf(wanted: readonly AttributeInstance[]): Condition[] {
  const conditions: Condition[] = []
  const dates = new Map<string, AttributeInstance[]>()
  for (const instance of wanted) {
    if (!isDate(instance.tag)) {
      conditions.push({ wanted: [instance], date: false })
      continue
    }
    const ends = dates.get(instance.tag) ?? []
    ends.push(instance)
    if (ends.length > 2) {
      throw new KmipError('InvalidMessage', `${instance.tag} is given more than twice`)
    }
    dates.set(instance.tag, ends)
  }
  for (const ends of dates.values()) conditions.push({ wanted: ends, date: true })
  return conditions
}

/** True when the object matches every condition. */
export function matches(
  object: ManagedObject,
  conditions: readonly Condition[],
  now: bigint,
): boolean {
  return conditions.every((condition) => matchesOne(object, condition, now))
}

function matchesOne(object: ManagedObject, { wanted, date }: Condition, now: bigint): boolean {
  const [first] = wanted as [AttributeInstance]
  const held = instancesOf(object, referenceOf(first), now)
  if (date) return matchesDate(held[0]?.value as bigint | undefined, wanted)
  return held.some(({ value }) => matchesValue(first.tag, value, first.value))
}

function matchesDate(held: bigint | undefined, wanted: readonly AttributeInstance[]): boolean {
  const ends = wanted.map(({ value }) => value as bigint)
  if (ends.length === 1 && ends[0] === undefinedDate) return held === undefined
  if (held === undefined) return false
  const [from, to] = [ends[0]!, ends.at(-1)!].sort((a, b) => (a < b ? -1 : 1)) as [bigint, bigint]
  return from <= held && held <= to
}

function matchesValue(tag: string, held: unknown, wanted: unknown): boolean {
  if (tag === 'CryptographicUsageMask') {
    return ((held as number) & (wanted as number)) === (wanted as number)
  }
  if (tag === 'UsageLimits') return reaches(held as UsageLimits, wanted as UsageLimits)
  if (tag === 'ApplicationSpecificInformation') {
    const { ApplicationNamespace: namespace, ...rest } = wanted as ApplicationSpecificInformation
    const { ApplicationNamespace: heldNamespace, ...heldRest } =
      held as Required<ApplicationSpecificInformation>
    return (
      (namespace === undefined ||
        comparableNamespace(namespace) === comparableNamespace(heldNamespace)) &&
      covers(heldRest, rest)
    )
  }
  if (tag === 'X_509CertificateIdentifier') {
    const { CertificateSerialNumber: number, ...rest } = wanted as CertificateIdentifier
    const { CertificateSerialNumber: heldNumber, ...heldRest } =
      held as Required<CertificateIdentifier>
    return (number === undefined || isSameSerial(heldNumber, number)) && covers(heldRest, rest)
  }
  return covers(held, wanted)
}

interface CertificateIdentifier {
  IssuerDistinguishedName?: Uint8Array
  CertificateSerialNumber?: Uint8Array
}

/** KMIP 2.1 §4.61 does not say whether a serial number has its DER header: with and without are the same. */
function isSameSerial(held: Uint8Array, wanted: Uint8Array): boolean {
  const asInteger = (number: Uint8Array) => Uint8Array.of(0x02, number.length, ...number)
  return covers(held, wanted) || covers(asInteger(held), wanted) || covers(held, asInteger(wanted))
}

interface UsageLimits {
  UsageLimitsTotal?: bigint
  UsageLimitsCount?: bigint
  UsageLimitsUnit?: unknown
}

/** Count and total must be at least what is asked for; the unit must be the same. */
function reaches(held: UsageLimits, wanted: UsageLimits): boolean {
  const atLeast = (have: bigint | undefined, want: bigint | undefined) =>
    want === undefined || (have !== undefined && have >= want)
  return (
    atLeast(held.UsageLimitsTotal, wanted.UsageLimitsTotal) &&
    atLeast(held.UsageLimitsCount, wanted.UsageLimitsCount) &&
    (wanted.UsageLimitsUnit === undefined || held.UsageLimitsUnit === wanted.UsageLimitsUnit)
  )
}

/** True when every field of `wanted` is in `held`: structures may be partial, all else is equal. */
export function covers(held: unknown, wanted: unknown): boolean {
  if (wanted instanceof Uint8Array) {
    return (
      held instanceof Uint8Array &&
      held.length === wanted.length &&
      wanted.every((byte, position) => byte === held[position])
    )
  }
  if (Array.isArray(wanted)) {
    return Array.isArray(held) && wanted.every((item) => held.some((other) => covers(other, item)))
  }
  if (typeof wanted === 'object' && wanted !== null) {
    return (
      typeof held === 'object' &&
      held !== null &&
      Object.entries(wanted).every(([key, value]) =>
        covers((held as Record<string, unknown>)[key], value),
      )
    )
  }
  return held === wanted
}
