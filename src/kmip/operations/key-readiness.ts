/**
 * When a key may be used – KMIP 2.1 §4.17, §4.40, §4.41, §4.57; KMIP 1.4 §3.22: to protect while it is
 * Active and before its Protect Stop Date, to process what is protected also later.
 */
import { groupPolicy } from '../../access/policy.ts'
import { stateOf } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { KmipError, type ResultReasonName } from '../model/result.ts'
import type { Context } from './operation.ts'

/**
 * Refuses a key whose state and dates do not allow the use, before 2.0 for the reason given. What is out of
 * use still opens what it once protected, where the group allows it.
 */
export async function checkReadiness(
  object: ManagedObject,
  protects: boolean,
  context: Context,
  before20: ResultReasonName = 'PermissionDenied',
): Promise<void> {
  const { now, noted, work } = context
  const { id, vitals, attributes, group } = object
  const refusal = (why: string) =>
    new KmipError('WrongKeyLifecycleState', `object ${id} is not to be used so: ${why}`, {
      before20,
    })
  const state = stateOf(vitals, now)
  const start = attributes.first('ProcessStartDate')
  const stop = attributes.first('ProtectStopDate')
  if (state === 'PreActive' || state === 'Destroyed' || state === 'DestroyedCompromised')
    throw refusal(`it is ${state}`)
  if (protects) {
    if (state !== 'Active') throw refusal(`it is ${state}`)
    if (stop !== undefined && stop <= now) throw refusal('its Protect Stop Date is past')
    return
  }
  if (start !== undefined && start > now) throw refusal('its Process Start Date is not reached')
  if (state === 'Active') return
  if ((await groupPolicy(work, group)).retired === 'refuse')
    throw refusal(`it is ${state}, and the group allows no use of such keys`)
  noted.details = { ...(noted.details as object | undefined), state }
}
