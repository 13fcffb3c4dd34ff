/** Get Usage Allocation – KMIP 2.1 §6.1.23. Units of the Usage Limits, for the client to use up by itself. */
import { saveObject } from '../../keystore/keystore.ts'
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'
import { subject } from './subject.ts'
import { allocate, appliesProtection, isProtecting } from './usage-allocation.ts'

export const getUsageAllocation = operation('GetUsageAllocation', {
  effect: 'act',
  async run({ UniqueIdentifier, UsageLimitsCount }, context) {
    if (UsageLimitsCount < 1n)
      throw new KmipError('InvalidField', 'Usage Limits Count is the number of units needed')
    const object = await subject(context, UniqueIdentifier, 'GetUsageAllocation')
    if (object.attributes.first('UsageLimits') === undefined) {
      throw new KmipError('AttributeNotFound', `object ${object.id} has no Usage Limits`, {
        before20: 'IllegalOperation',
      })
    }
    if (!appliesProtection(object)) {
      throw new KmipError('InvalidObjectType', `object ${object.id} does not apply protection`, {
        before20: 'IllegalOperation',
      })
    }
    if (!isProtecting(object, context.now))
      throw new KmipError('PermissionDenied', `object ${object.id} is not to apply protection now`)
    allocate(object, UsageLimitsCount)
    object.vitals.LastChangeDate = context.now
    context.noted.details = { units: String(UsageLimitsCount) }
    await saveObject(context.work, object)
    return { UniqueIdentifier: object.id }
  },
})
