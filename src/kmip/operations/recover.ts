/** Recover – KMIP 2.1 §6.1.42. An archived object is on-line again; one that is on-line stays as it is. */
import { saveObject } from '../../keystore/keystore.ts'
import { operation } from './operation.ts'
import { subject } from './subject.ts'

export const recover = operation('Recover', {
  effect: 'act',
  identifies: true,
  async run({ UniqueIdentifier }, context) {
    const object = await subject(context, UniqueIdentifier, 'Recover')
    const { id, vitals } = object
    if (vitals.ArchiveDate !== undefined) {
      delete vitals.ArchiveDate
      vitals.LastChangeDate = context.now
      await saveObject(context.work, object)
    }
    context.batch.placeholder = id
    return { UniqueIdentifier: id }
  },
})
