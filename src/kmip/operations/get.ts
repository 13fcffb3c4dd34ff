/**
 * Get – KMIP 2.1 §6.1.19. Hands out one object, in the format it is kept in or one it converts to.
 * Getting is no cryptographic use: Pre-Active and Deactivated keys are served, so that old tapes read.
 */
import { saveVitals } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { after, type Soon } from '../../keystore/soon.ts'
import type { ResponsePayload } from '../model/payloads/index.ts'
import { operation, type Context } from './operation.ts'
import { released } from './release.ts'
import { subject } from './subject.ts'

export const get = operation('Get', {
  effect: 'act',
  run(request, context) {
    return after(subject(context, request.UniqueIdentifier, 'Get'), (object) => {
      const { id, objectType } = object
      return after(released(object, 'Get', request, context), (found) =>
        after(noteUse(object, context), () => {
          const answer = { ObjectType: objectType, UniqueIdentifier: id, [objectType]: found }
          return answer as unknown as ResponsePayload<'Get'>
        }),
      )
    })
  },
  // The object itself, and so the key, is not sent after all.
  undone: ({ ObjectType, UniqueIdentifier }) => ({ ObjectType, UniqueIdentifier }),
})

/** What was handed out is fresh no longer (KMIP 2.1 §4.23). */
function noteUse(object: ManagedObject, { work }: Context): Soon<void> {
  const { objectType, vitals } = object
  if (!vitals.Fresh || objectType === 'Template') return undefined
  vitals.Fresh = false
  return saveVitals(work, object)
}
