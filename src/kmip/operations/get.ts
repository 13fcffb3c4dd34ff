/**
 * Get – KMIP 2.1 §6.1.19. Hands out one object, in the format it is kept in or one it converts to.
 * Getting is no cryptographic use: Pre-Active and Deactivated keys are served, so that old tapes read.
 */
import { saveVitals } from '../../keystore/keystore.ts'
import type { ResponsePayload } from '../model/payloads/index.ts'
import { operation } from './operation.ts'
import { released } from './release.ts'
import { subject } from './subject.ts'

export const get = operation('Get', {
  effect: 'act',
  async run(request, context) {
    const object = await subject(context, request.UniqueIdentifier, 'Get')
    const { id, objectType, vitals } = object
    const found = await released(object, 'Get', request, context)
    if (vitals.Fresh && objectType !== 'Template') {
      vitals.Fresh = false
      await saveVitals(context.work, object)
    }
    return {
      ObjectType: objectType,
      UniqueIdentifier: id,
      [objectType]: found,
    } as unknown as ResponsePayload<'Get'>
  },
  // The object itself, and so the key, is not sent after all.
  undone: ({ ObjectType, UniqueIdentifier }) => ({ ObjectType, UniqueIdentifier }),
})
