/**
 * Re-key – KMIP 1.4 §4.4, KMIP 2.1 §6.1.46. A new symmetric key in the place of an old one, which stays
 * what it is but for its Names.
 */
import { KmipError } from '../model/result.ts'
import { newKey, randomNumberGenerator } from './create.ts'
import { checkStorage } from './new-object.ts'
import { operation } from './operation.ts'
import { checkReplaceable, keepReplacement, prepareReplacement } from './replacement.ts'
import { subject } from './subject.ts'

export const reKey = operation('ReKey', {
  effect: 'act',
  identifies: true,
  async run({ UniqueIdentifier, Offset, Attributes = [], ProtectionStorageMasks }, context) {
    checkStorage(ProtectionStorageMasks)
    const replaced = await subject(context, UniqueIdentifier, 'ReKey')
    if (replaced.objectType !== 'SymmetricKey') {
      throw new KmipError('InvalidObjectType', 'Re-key replaces symmetric keys', {
        before20: 'PermissionDenied',
      })
    }
    checkReplaceable(replaced)
    const prepared = await prepareReplacement(context, 'ReKey', replaced, Attributes, Offset)
    const { object, made } = prepared
    object.attributes.set('RandomNumberGenerator', randomNumberGenerator)
    await keepReplacement(context, replaced, object, newKey(object, context.version))
    return { UniqueIdentifier: object.id, ...(made.length > 0 && { Attributes: made }) }
  },
})
