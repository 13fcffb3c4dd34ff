/** Attributes that a client gives to an object it makes – KMIP 2.1 §4, §6.1.8; KMIP 1.4 §3, §11.2. */
import { version, type Version } from 'ttlv-codec'
import type { ManagedObject, ObjectTypeName } from '../../keystore/managed-object.ts'
import { covers } from '../../keystore/matching.ts'
import { referenceOf, sameReference, type AttributeInstance } from '../model/attribute-forms.ts'
import { appliesTo } from '../model/attributes.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import type { OperationName } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { checkKnown, checkValue, nameOf, rowOf, serverVendor } from './attribute-rows.ts'
import type { MakingContext } from './operation.ts'

/** Checks attributes as the request names them. */
export function checkGiven(
  instances: readonly AttributeInstance[],
  objectType: ObjectTypeName,
  operation: OperationName,
  { version: peer }: MakingContext,
): void {
  const readOnly = operation === 'Register' ? 'AttributeReadOnly' : 'ReadOnlyAttribute'
  // KMIP 2.1 §6.1.25: who sets an attribute initially means nothing to Import.
  const takesAll = operation === 'Import'
  for (const instance of instances) {
    const reference = referenceOf(instance)
    checkKnown(reference, peer)
    checkValue(instance, peer)
    const { givenByClient } = rowOf(reference.tag)
    const isServers =
      reference.vendor === serverVendor ||
      givenByClient === 'never' ||
      (givenByClient === 'on-register' && operation !== 'Register')
    if (isServers && !takesAll)
      throw new KmipError(readOnly, `the server sets ${nameOf(reference)}`)
    if (reference.tag !== 'Attribute' && !appliesTo(reference.tag, objectType, peer))
      throw new KmipError('InvalidAttribute', `${objectType} has no ${nameOf(reference)}`)
  }
}

/** Refuses several instances of what has one, and more than are kept. */
export function checkNumbers(
  instances: readonly AttributeInstance[],
  { facts }: MakingContext,
): void {
  if (instances.length > facts.maximumAttributes)
    throw new KmipError('ServerLimitExceeded', `more than ${facts.maximumAttributes} attributes`)
  for (const instance of instances) {
    const reference = referenceOf(instance)
    const alike = instances.filter((other) => sameReference(referenceOf(other), reference)).length
    if (alike > facts.maximumInstances) {
      const what = `more than ${facts.maximumInstances} of ${nameOf(reference)}`
      throw new KmipError('ServerLimitExceeded', what)
    }
    if (alike > 1 && !rowOf(reference.tag).multiple) {
      throw new KmipError('AttributeSingleValued', `${nameOf(reference)} is given more than once`, {
        before20: 'InvalidField',
      })
    }
  }
}

/**
 * First versions that complete what older ones demand of the client (KMIP 1.4 §4.1, §4.3). A usage mask
 * is left out by a published case of 1.4 (TC-CS-CORVAL-1-14).
 */
const completedSince = {
  CryptographicAlgorithm: version('2.0'),
  CryptographicUsageMask: version('1.4'),
} as const

/** Refuses a key without an attribute that the version demands of the client. */
export function demandInOlder(
  { attributes }: ManagedObject,
  tag: keyof typeof completedSince,
  peer: Version,
): void {
  if (peer >= completedSince[tag] || attributes.first(tag) !== undefined) return
  throw new KmipError('InvalidField', `the attribute ${rowOf(tag).text} is missing`)
}

/** Gives a key that says nothing about its use the usual one. */
export function completeUsage(object: ManagedObject, peer: Version): void {
  demandInOlder(object, 'CryptographicUsageMask', peer)
  if (object.attributes.first('CryptographicUsageMask') !== undefined) return
  const { Encrypt, Decrypt } = CryptographicUsageMask.bits
  object.attributes.set('CryptographicUsageMask', Encrypt | Decrypt)
}

/**
 * The first is not later than the second (KMIP 2.1 §4.18, §4.40, §4.41). Activate and Revoke set Activation and
 * Deactivation Date to now, which may come after the one and before the other.
 */
const orderedDates = [
  ['ActivationDate', 'DeactivationDate', 'always'],
  ['ActivationDate', 'ProcessStartDate', 'until activated'],
  ['ProtectStopDate', 'DeactivationDate', 'until revoked'],
] as const

/**
 * Refuses dates in an order that makes no sense: all of a new object; of one that has lived elsewhere what always
 * holds; else what concerns the attribute that the client has changed.
 */
export function checkDates(
  { vitals, attributes }: ManagedObject,
  { changed, lived = false }: { changed?: string; lived?: boolean } = {},
): void {
  const { ActivationDate, DeactivationDate } = vitals
  const dates = {
    ActivationDate,
    DeactivationDate,
    ProcessStartDate: attributes.first('ProcessStartDate'),
    ProtectStopDate: attributes.first('ProtectStopDate'),
  }
  for (const [earlier, later, holds] of orderedDates) {
    const [from, to] = [dates[earlier], dates[later]]
    if (changed !== undefined && changed !== earlier && changed !== later) continue
    if (lived && holds !== 'always') continue
    if (from !== undefined && to !== undefined && from > to) {
      const what = `${rowOf(later).text} lies before ${rowOf(earlier).text}`
      throw new KmipError('InvalidAttributeValue', what)
    }
  }
}

/**
 * Both lists as one: explicit values take the place of inherited single ones, and stand beside several
 * (KMIP 1.4 §4.2).
 */
export function merged(
  inherited: readonly AttributeInstance[],
  explicit: readonly AttributeInstance[],
): AttributeInstance[] {
  const alike = (one: AttributeInstance, other: AttributeInstance) =>
    sameReference(referenceOf(one), referenceOf(other))
  const kept = inherited.filter(
    (one) => rowOf(referenceOf(one).tag).multiple || !explicit.some((other) => alike(one, other)),
  )
  const added = explicit.filter(
    (one) => !kept.some((other) => alike(one, other) && isEqual(one.value, other.value)),
  )
  return [...kept, ...added]
}

function isEqual(one: unknown, other: unknown): boolean {
  return covers(one, other) && covers(other, one)
}
