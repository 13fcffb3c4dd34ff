/**
 * Import – KMIP 2.1 §6.1.25, KMIP 1.4 §4.41. An object of another server with all its attributes, under
 * the identifier it had there. To put it in the place of another takes the right to destroy that one.
 */
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import {
  incomingIdentity,
  incomingObject,
  refuseUnlessDestroyable,
  replaceInPlace,
} from './incoming-object.ts'
import { keepObject } from './new-object.ts'
import { operation, type Context } from './operation.ts'
import { subject, visibleObject } from './subject.ts'

export const importObject = operation('Import', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const identity = incomingIdentity(request, 'Import', context)
    const { id } = identity
    const existing = await replaceable(id, request, context)
    const { object, material } = await incomingObject(request, identity, context)
    try {
      if (existing === undefined) await keepObject(context, object, material)
      else await replaceInPlace(context, existing, object, material)
    } finally {
      material?.fill(0)
    }
    return { UniqueIdentifier: id }
  },
})

/**
 * The object that is to be replaced; undefined when the identifier is free. One that the client may not
 * see is in the way like any other, and no more is said about it.
 */
async function replaceable(
  id: string,
  { ReplaceExisting = false }: RequestPayload<'Import'>,
  context: Context,
): Promise<ManagedObject | undefined> {
  if ((await context.work.loadAnywhere(id)) === undefined) return undefined
  const visible = await visibleObject(context, id)
  if (visible === undefined || !ReplaceExisting)
    throw new KmipError('ObjectAlreadyExists', `there is an object ${id} already`)
  refuseUnlessDestroyable(context, visible)
  return subject(context, id, 'Import')
}
