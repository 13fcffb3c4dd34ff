/**
 * Re-key – KMIP 1.4 §4.4, KMIP 2.1 §6.1.46. A new symmetric key in the place of an old one, which stays
 * what it is but for its Names.
 */
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import { KmipError } from '../model/result.ts'
import { newKey, randomNumberGenerator } from './create.ts'
import { checkStorage, type Prepared } from './new-object.ts'
import { operation, type MakingContext } from './operation.ts'
import { checkReplaceable, keepReplacement, prepareReplacement } from './replacement.ts'
import { subject } from './subject.ts'

/** Makes and keeps the new key. */
export async function replaceKey(
  context: MakingContext,
  replaced: ManagedObject,
  given: readonly AttributeInstance[],
  offset: number | undefined,
): Promise<Prepared> {
  checkReplaceable(replaced)
  const prepared = await prepareReplacement(context, 'ReKey', replaced, given, offset)
  const { object } = prepared
  object.attributes.set('RandomNumberGenerator', randomNumberGenerator)
  await keepReplacement(context, replaced, object, newKey(object, context.version))
  return prepared
}

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
    const { object, made } = await replaceKey(context, replaced, Attributes, Offset)
    return { UniqueIdentifier: object.id, ...(made.length > 0 && { Attributes: made }) }
  },
})
