/**
 * Export – KMIP 2.1 §6.1.18, KMIP 1.4 §4.40. An object with all its attributes, as Import takes them. Of
 * a destroyed object the attributes leave, and what else there is to say without its key.
 */
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { attributesOf } from '../../keystore/object-attributes.ts'
import { shown } from '../model/attribute-forms.ts'
import type { ResponsePayload } from '../model/payloads/index.ts'
import { checkExportTo, recordTaken } from './from-peer.ts'
import { operation } from './operation.ts'
import { released } from './release.ts'
import { sayable } from './sayable.ts'
import { subject } from './subject.ts'

export const exportObject = operation('Export', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    await checkExportTo(request, context)
    const object = await subject(context, request.UniqueIdentifier, 'Export')
    const { id, objectType, vitals } = object
    const { now, version } = context
    const found =
      vitals.DestroyDate === undefined
        ? await released(object, 'Export', request, context)
        : remainsOf(object)
    if (vitals.DestroyDate === undefined) await recordTaken(object, request, context)
    context.batch.placeholder = id
    return {
      ObjectType: objectType,
      UniqueIdentifier: id,
      Attributes: sayable(attributesOf(object, now), objectType, version).map(shown),
      ...(found && { [objectType]: found }),
    } as unknown as ResponsePayload<'Export'>
  },
  // The object itself, and so the key, is not sent after all.
  undone: ({ ObjectType, UniqueIdentifier, Attributes }) => ({
    ObjectType,
    UniqueIdentifier,
    Attributes,
  }),
})

/** The Key Block of a destroyed key without its Key Value; undefined where there is no such thing. */
function remainsOf({ objectType, vitals, attributes }: ManagedObject): object | undefined {
  const isKey =
    objectType === 'SymmetricKey' || objectType === 'PublicKey' || objectType === 'PrivateKey'
  if (!isKey || vitals.KeyFormatType === undefined) return undefined
  return {
    KeyBlock: {
      KeyFormatType: vitals.KeyFormatType,
      CryptographicAlgorithm: attributes.first('CryptographicAlgorithm'),
      CryptographicLength: attributes.first('CryptographicLength'),
    },
  }
}
