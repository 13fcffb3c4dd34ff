/**
 * Check – KMIP 2.1 §6.1.7. Says whether the object may be used as asked. A denial fails the item, as
 * the published cases show it, and empties the ID Placeholder.
 */
import { KmipError, type ResultReasonName } from '../model/result.ts'
import { operation } from './operation.ts'
import { subject } from './subject.ts'

export const check = operation('Check', {
  effect: 'read',
  async run(request, context) {
    const object = await subject(context, request.UniqueIdentifier, 'Check')
    if (object.objectType === 'Template') {
      throw new KmipError('IllegalObjectType', 'a Template is not used')
    }
    const { UsageLimitsCount, CryptographicUsageMask, LeaseTime } = request
    const deny = (reason: ResultReasonName, what: string) => {
      context.batch.placeholder = undefined
      return new KmipError(reason, `object ${object.id} is not to be used so: ${what}`, {
        before20: 'PermissionDenied',
      })
    }
    if (object.vitals.DestroyDate !== undefined) throw deny('ObjectDestroyed', 'it is destroyed')
    const mask = object.attributes.first('CryptographicUsageMask') ?? 0
    if (CryptographicUsageMask !== undefined && (CryptographicUsageMask & ~mask) !== 0) {
      throw deny('IncompatibleCryptographicUsageMask', 'Cryptographic Usage Mask')
    }
    const left = object.attributes.first('UsageLimits')?.UsageLimitsCount
    if (UsageLimitsCount !== undefined && left !== undefined && UsageLimitsCount > left) {
      throw deny('UsageLimitExceeded', 'Usage Limits Count')
    }
    if (LeaseTime !== undefined && LeaseTime > object.vitals.LeaseTime) {
      throw deny('PermissionDenied', 'Lease Time')
    }
    return { UniqueIdentifier: object.id }
  },
})
