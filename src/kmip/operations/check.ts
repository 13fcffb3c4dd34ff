/**
 * Check – KMIP 2.1 §6.1.7. Says whether the object may be used as asked. A denial fails the item, as
 * the published cases show it, and empties the ID Placeholder. A Pre-Active object passes: Check goes
 * between Create and Get.
 */
import { stateOf } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError, type ResultReasonName } from '../model/result.ts'
import { operation } from './operation.ts'
import { subject } from './subject.ts'
import { protectingUses } from './usage-allocation.ts'

export const check = operation('Check', {
  effect: 'read',
  async run(request, context) {
    const object = await subject(context, request.UniqueIdentifier, 'Check')
    if (object.objectType === 'Template') {
      throw new KmipError('IllegalObjectType', 'a Template is not used')
    }
    const denial = denialOf(object, request, context.now)
    if (denial === undefined) return { UniqueIdentifier: object.id }
    context.batch.placeholder = undefined
    const [reason, what] = denial
    throw new KmipError(reason, `object ${object.id} is not to be used so: ${what}`, {
      before20: 'PermissionDenied',
    })
  },
})

function denialOf(
  { vitals, attributes }: ManagedObject,
  { UsageLimitsCount, CryptographicUsageMask, LeaseTime }: RequestPayload<'Check'>,
  now: bigint,
): [reason: ResultReasonName, what: string] | undefined {
  if (vitals.DestroyDate !== undefined) return ['ObjectDestroyed', 'it is destroyed']
  const state = stateOf(vitals, now)
  const isInUse = state === 'PreActive' || state === 'Active'
  if (CryptographicUsageMask !== undefined) {
    const mask = attributes.first('CryptographicUsageMask') ?? 0
    if ((CryptographicUsageMask & ~mask) !== 0)
      return ['IncompatibleCryptographicUsageMask', 'Cryptographic Usage Mask']
    const stop = attributes.first('ProtectStopDate')
    const mayProtect = isInUse && (stop === undefined || now < stop)
    if (!mayProtect && (CryptographicUsageMask & protectingUses) !== 0)
      return ['PermissionDenied', `it is ${state} and protects nothing any more`]
  }
  const left = attributes.first('UsageLimits')?.UsageLimitsCount
  if (UsageLimitsCount !== undefined && left !== undefined && UsageLimitsCount > left)
    return ['UsageLimitExceeded', 'Usage Limits Count']
  if (LeaseTime !== undefined && (!isInUse || LeaseTime > vitals.LeaseTime))
    return ['PermissionDenied', 'Lease Time']
  return undefined
}
