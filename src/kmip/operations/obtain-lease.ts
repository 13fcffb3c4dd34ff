/**
 * Obtain Lease – KMIP 2.1 §6.1.35. How long a client may go on using what it keeps of an object. There is
 * no lease for an object that is not to be used any more, nor for one that has no Lease Time.
 */
import { stateOf } from '../../keystore/lifecycle.ts'
import { appliesTo } from '../model/attributes.ts'
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'
import { subject } from './subject.ts'

export const obtainLease = operation('ObtainLease', {
  effect: 'read',
  async run({ UniqueIdentifier }, context) {
    const object = await subject(context, UniqueIdentifier, 'ObtainLease')
    const { id, objectType, vitals } = object
    if (!appliesTo('LeaseTime', objectType, context.version))
      throw new KmipError('PermissionDenied', `there are no leases for ${objectType}`)
    const state = stateOf(vitals, context.now)
    if (state !== 'PreActive' && state !== 'Active')
      throw new KmipError('PermissionDenied', `object ${id} is ${state}: there is no lease for it`)
    const { LeaseTime, LastChangeDate } = vitals
    return { UniqueIdentifier: id, LeaseTime, LastChangeDate }
  },
})
