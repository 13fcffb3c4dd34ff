/**
 * What Re-key and Re-key Key Pair share: a new key that takes the place of an old one – KMIP 1.4 §4.4,
 * §4.5; KMIP 2.1 §6.1.46, §6.1.47.
 */
import type { HeldInstance } from '../../keystore/attribute-set.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { tapeNamespace } from '../../keystore/namespaces.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import type { AttributeValueOf } from '../model/attributes.ts'
import type { OperationName } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { rowOf } from './attribute-rows.ts'
import { merged } from './given-attributes.ts'
import { assembled, keepObject, wanted, type Prepared } from './new-object.ts'
import type { MakingContext } from './operation.ts'

/**
 * Attributes that a replacement does not take over: they follow from the new key, or tell of the life
 * of the old one (KMIP 2.1 Tables 304 and 309). Those kept as vitals are taken only when named below.
 */
const ofOldKey: ReadonlySet<string> = new Set([
  'AlwaysSensitive',
  'CompromiseOccurrenceDate',
  'Digest',
  'KeyValueLocation',
  'KeyValuePresent',
  'Link',
  'NeverExtractable',
  'OriginalCreationDate',
  'RandomNumberGenerator',
  'RevocationReason',
  'RotateDate',
  'RotateGeneration',
  'RotateLatest',
])

const takenVitals = ['ActivationDate', 'DeactivationDate', 'Sensitive', 'Extractable'] as const

/** Dates that an Offset shifts. */
const shiftedDates = [
  'ActivationDate',
  'ProcessStartDate',
  'ProtectStopDate',
  'DeactivationDate',
] as const

/** The last moment that a Date-Time can say. */
const endOfTime = 2n ** 63n - 1n
const largestGeneration = 2 ** 31 - 1

/** Refuses an object of which no replacement can be made. */
export function checkReplaceable({ id, vitals, attributes }: ManagedObject): void {
  const links = attributes.values('Link')
  if (links.some(({ LinkType }) => LinkType === 'ReplacementObjectLink'))
    throw new KmipError('PermissionDenied', `object ${id} has a replacement already`)
  if (vitals.DestroyDate !== undefined)
    throw new KmipError('PermissionDenied', `object ${id} is destroyed`)
  if (attributes.first('KeyValuePresent') === false)
    throw new KmipError('KeyValueNotPresent', `the value of object ${id} is not here`)
}

/** Makes the new object, without material: attributes of the old one, changed as the request wants. */
export async function prepareReplacement(
  context: MakingContext,
  operation: OperationName,
  replaced: ManagedObject,
  given: readonly AttributeInstance[],
  offset: number | undefined,
): Promise<Prepared> {
  const explicit = await wanted(context, operation, replaced.objectType, given)
  return replacementOf(context, replaced, explicit, offset)
}

/** The same, of attributes that have been checked. */
export function replacementOf(
  context: MakingContext,
  replaced: ManagedObject,
  explicit: readonly AttributeInstance[],
  offset: number | undefined,
): Prepared {
  const { objectType } = replaced
  const inherited = [...takenOver(replaced), ...datesOf(replaced, explicit, offset, context.now)]
  const prepared = assembled(context, objectType, merged(inherited, explicit))
  const { vitals, attributes } = prepared.object
  vitals.Owner = replaced.vitals.Owner
  attributes.set('OriginalCreationDate', context.now)
  attributes.set('RotateGeneration', generationAfter(replaced))
  attributes.set('RotateLatest', true)
  return prepared
}

/**
 * Keeps the new object and its material, which is wiped, and ties both objects together. Names go over,
 * and what identifies a tape.
 */
export async function keepReplacement(
  context: MakingContext,
  replaced: ManagedObject,
  object: ManagedObject,
  material: Uint8Array,
): Promise<void> {
  object.attributes.add(link('ReplacedObjectLink', replaced))
  const { attributes, vitals } = replaced
  attributes.clear('Name')
  attributes.remove(attributes.of({ tag: 'ApplicationSpecificInformation' }).filter(identifiesTape))
  attributes.add(link('ReplacementObjectLink', object))
  attributes.set('RotateDate', context.now)
  attributes.set('RotateGeneration', attributes.first('RotateGeneration') ?? 0)
  attributes.set('RotateLatest', false)
  vitals.LastChangeDate = context.now
  await keepObject(context, object, material, replaced)
  context.noted.details = { replaced: replaced.id }
}

type LinkTypeName = AttributeValueOf<'Link'>['LinkType']

/** A Link to an object. */
export function link(LinkType: LinkTypeName, { id }: ManagedObject): AttributeInstance {
  return { tag: 'Link', value: { LinkType, LinkedObjectIdentifier: id } }
}

function identifiesTape({ value }: HeldInstance): boolean {
  const { ApplicationNamespace } = value as AttributeValueOf<'ApplicationSpecificInformation'>
  return tapeNamespace(ApplicationNamespace) !== undefined
}

/** The generation that follows: one may come with Import that nothing follows. */
function generationAfter({ id, attributes }: ManagedObject): number {
  const generation = attributes.first('RotateGeneration') ?? 0
  if (generation < largestGeneration) return generation + 1
  throw new KmipError('InvalidField', `the Rotate Generation of object ${id} is the last there is`)
}

/** What the replacement takes over but for the dates that may shift. */
function takenOver({ vitals, attributes }: ManagedObject): AttributeInstance[] {
  const shifts: readonly string[] = shiftedDates
  const flags = takenVitals
    .filter((tag) => !shifts.includes(tag))
    .map((tag): AttributeInstance => ({ tag, value: vitals[tag] }))
  const held = attributes.instances
    .filter(({ tag }) => !ofOldKey.has(tag) && !shifts.includes(tag))
    .map(({ tag, value }): AttributeInstance => ({ tag, value }))
  return [...flags, ...held]
}

/**
 * The dates of the replacement: those of the old key, or with an Offset the same spans from an Activation
 * Date that many seconds away (KMIP 2.1 Table 303).
 */
function datesOf(
  { id, vitals, attributes }: ManagedObject,
  explicit: readonly AttributeInstance[],
  offset: number | undefined,
  now: bigint,
): AttributeInstance[] {
  const { ActivationDate, DeactivationDate } = vitals
  // What Activate and Revoke have put out of order is set right in the new key.
  const old = {
    ActivationDate,
    ProcessStartDate: bounded(attributes.first('ProcessStartDate'), { from: ActivationDate }),
    ProtectStopDate: bounded(attributes.first('ProtectStopDate'), { to: DeactivationDate }),
    DeactivationDate,
  }
  const dated = shiftedDates.filter((tag) => old[tag] !== undefined)
  if (offset === undefined) return dated.map((tag) => ({ tag, value: old[tag] }))
  if (explicit.some(({ tag }) => (shiftedDates as readonly string[]).includes(tag)))
    throw new KmipError('InvalidMessage', 'dates are given, and an Offset that makes them')
  const activation = now + BigInt(offset)
  const rest = dated.filter((tag) => tag !== 'ActivationDate')
  if (old.ActivationDate === undefined && rest.length > 0) {
    throw new KmipError('InvalidField', `object ${id} has no Activation Date to shift from`, {
      before20: 'IllegalOperation',
    })
  }
  const shift = activation - (old.ActivationDate ?? activation)
  return [
    { tag: 'ActivationDate', value: activation },
    ...rest.map((tag): AttributeInstance => ({ tag, value: shifted(tag, old[tag]!, shift) })),
  ]
}

function bounded(
  date: bigint | undefined,
  { from, to }: { from?: bigint | undefined; to?: bigint | undefined },
): bigint | undefined {
  if (date === undefined) return undefined
  if (from !== undefined && date < from) return from
  return to !== undefined && date > to ? to : date
}

function shifted(tag: (typeof shiftedDates)[number], date: bigint, shift: bigint): bigint {
  const value = date + shift
  if (value >= -endOfTime && value <= endOfTime) return value
  throw new KmipError(
    'InvalidField',
    `the Offset takes ${rowOf(tag).text} beyond what a date can say`,
  )
}
