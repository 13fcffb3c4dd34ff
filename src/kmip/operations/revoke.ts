/** Revoke – KMIP 2.1 §6.1.44. A compromise makes the object Compromised, any other reason Deactivated. */
import { saveObject } from '../../keystore/keystore.ts'
import { stateOf, transition } from '../../keystore/lifecycle.ts'
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'
import { withdrawnByPeer } from './peer-withdrawals.ts'
import { subject } from './subject.ts'

export const revoke = operation('Revoke', {
  effect: 'act',
  async run({ UniqueIdentifier, RevocationReason, CompromiseOccurrenceDate }, context) {
    const code = RevocationReason.RevocationReasonCode
    if (typeof code === 'number') {
      throw new KmipError('InvalidField', `Revocation Reason Code ${code} is not known`)
    }
    const compromise = code === 'KeyCompromise' || code === 'CACompromise'
    if (CompromiseOccurrenceDate !== undefined && !compromise) {
      throw new KmipError('InvalidField', 'Compromise Occurrence Date goes with a compromise only')
    }
    const object = await subject(context, UniqueIdentifier, 'Revoke')
    if (object.objectType === 'Template') {
      throw new KmipError('InvalidObjectType', 'a Template has no state', {
        before20: 'IllegalOperation',
      })
    }
    if (await withdrawnByPeer(object, RevocationReason, context))
      return { UniqueIdentifier: object.id }
    const { vitals, attributes } = object
    const state = stateOf(vitals, context.now)
    if (transition(state, compromise ? 'compromise' : 'deactivate') === undefined) {
      throw new KmipError(
        'WrongKeyLifecycleState',
        `object ${object.id} is ${state}: ${code} leads nowhere`,
      )
    }
    if (compromise) {
      vitals.CompromiseDate = context.now
      attributes.set('CompromiseOccurrenceDate', CompromiseOccurrenceDate ?? vitals.InitialDate)
    } else {
      vitals.DeactivationDate = context.now
      // KMIP 2.1 §4.41: it is not later than the Deactivation Date.
      const stop = attributes.first('ProtectStopDate')
      if (stop !== undefined && stop > context.now) attributes.set('ProtectStopDate', context.now)
      vitals.ShownState = 'Deactivated'
    }
    attributes.set('RevocationReason', RevocationReason)
    vitals.LastChangeDate = context.now
    context.noted.details = { reason: code }
    await saveObject(context.work, object)
    return { UniqueIdentifier: object.id }
  },
})
