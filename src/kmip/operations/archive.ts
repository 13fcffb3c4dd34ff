/**
 * Archive – KMIP 2.1 §6.1.4. The object stays where it is, but until Recover every other operation on
 * it is refused and Locate shows it in archival storage only.
 */
import { saveObject } from '../../keystore/keystore.ts'
import { operation } from './operation.ts'
import { subject } from './subject.ts'

export const archive = operation('Archive', {
  effect: 'act',
  async run({ UniqueIdentifier }, context) {
    const object = await subject(context, UniqueIdentifier, 'Archive')
    object.vitals.ArchiveDate = context.now
    object.vitals.LastChangeDate = context.now
    await saveObject(context.work, object)
    return { UniqueIdentifier: object.id }
  },
})
