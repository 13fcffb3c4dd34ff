/**
 * Destroy – KMIP 2.1 §6.1.15. Final on the wire at once; metadata stays. The group's destroy policy
 * says when the sealed material is wiped: until then an administrator can recover the key.
 */
import { groupPolicy } from '../../access/policy.ts'
import { refuseHeld } from '../../keystore/holds.ts'
import { saveObject } from '../../keystore/keystore.ts'
import { stateOf, transition } from '../../keystore/lifecycle.ts'
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'
import { refuseDestroyByPeer } from './peer-withdrawals.ts'
import { subject } from './subject.ts'

export const destroy = operation('Destroy', {
  effect: 'act',
  async run({ UniqueIdentifier }, context) {
    const object = await subject(context, UniqueIdentifier, 'Destroy')
    refuseDestroyByPeer(object, context)
    const { vitals } = object
    if (vitals.DestroyDate !== undefined) {
      throw new KmipError('ObjectDestroyed', `object ${object.id} is destroyed already`, {
        before20: 'PermissionDenied',
      })
    }
    const state = stateOf(vitals, context.now)
    // A Template has dates to hand on, but no state of its own.
    if (object.objectType !== 'Template' && transition(state, 'destroy') === undefined) {
      throw new KmipError(
        'WrongKeyLifecycleState',
        `object ${object.id} is ${state}: Revoke it first`,
      )
    }
    const policy = await groupPolicy(context.work, object.group)
    if (policy.destroyAfterDays === undefined) {
      throw new KmipError('PermissionDenied', `group ${object.group} refuses Destroy by its policy`)
    }
    await refuseHeld(context.work, object)
    vitals.DestroyDate = context.now
    vitals.LastChangeDate = context.now
    vitals.WipeAfter = context.now + BigInt(policy.destroyAfterDays) * 86_400n
    await saveObject(context.work, object)
    if (policy.destroyAfterDays === 0 && object.stored?.hasMaterial === true) {
      await context.work.wipe(object.stored)
    }
    return { UniqueIdentifier: object.id }
  },
})
