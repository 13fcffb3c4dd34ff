/** Activate – KMIP 2.1 §6.1.1. Pre-Active becomes Active, with Activation Date now. */
import { saveObject } from '../../keystore/keystore.ts'
import { stateOf, transition } from '../../keystore/lifecycle.ts'
import { appliesTo } from '../model/attributes.ts'
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'
import { subject } from './subject.ts'

export const activate = operation('Activate', {
  effect: 'act',
  async run({ UniqueIdentifier }, context) {
    const object = await subject(context, UniqueIdentifier, 'Activate')
    if (!appliesTo('State', object.objectType, context.version)) {
      throw new KmipError('InvalidObjectType', `${object.objectType} has no state`, {
        before20: 'IllegalOperation',
      })
    }
    const state = stateOf(object.vitals, context.now)
    if (transition(state, 'activate') === undefined) {
      throw new KmipError(
        'WrongKeyLifecycleState',
        `object ${object.id} is ${state}, not PreActive`,
      )
    }
    const { DeactivationDate } = object.vitals
    if (DeactivationDate !== undefined && DeactivationDate <= context.now) {
      throw new KmipError(
        'WrongKeyLifecycleState',
        `the Deactivation Date of object ${object.id} is past`,
      )
    }
    object.vitals.ActivationDate = context.now
    object.vitals.LastChangeDate = context.now
    object.vitals.ShownState = 'Active'
    await saveObject(context.work, object)
    return { UniqueIdentifier: object.id }
  },
})
