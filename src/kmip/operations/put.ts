/**
 * Put – KMIP 2.1 §6.2.3, KMIP 1.4 §5.2, received: another server pushes an object to this one. It is
 * taken as Import takes one. What is here already, the same, is left alone, so that a server that got
 * no answer may say it again. To replace an object takes the right to destroy it.
 */
import { equalBytes } from '../../crypto/primitives/mac.ts'
import { loadObject, materialOf } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import {
  daysKept,
  destroyedVitals,
  incomingIdentity,
  incomingObject,
  refuseUnlessDestroyable,
  replaceInPlace,
} from './incoming-object.ts'
import { keepObject } from './new-object.ts'
import { operation, type Context } from './operation.ts'
import { identifierOf, subject, visibleObject } from './subject.ts'

export const put = operation('Put', {
  effect: 'act',
  identifies: true,
  async run({ Attributes = [], ...request }, context) {
    const brought = { ...request, Attributes }
    const identity = incomingIdentity(brought, 'Put', context)
    const { id } = identity
    const replaced = await replacedObject(request, id, context)
    context.noted.object = id
    const isInPlace = replaced?.id === id
    const isTaken = !isInPlace && (await context.work.loadAnywhere(id)) !== undefined
    const existing = isTaken ? await visibleObject(context, id) : undefined
    if (isTaken && (existing === undefined || replaced !== undefined)) throw taken(id)
    const { object, material } = await incomingObject(brought, identity, context)
    try {
      if (existing !== undefined) await leaveAlone(context, existing, material)
      else if (replaced === undefined) await keepObject(context, object, material)
      else if (isInPlace) await replaceInPlace(context, replaced, object, material)
      else await replaceOther(context, replaced, object, material)
    } finally {
      material?.fill(0)
    }
    return {}
  },
})

const taken = (id: string) =>
  new KmipError('ObjectAlreadyExists', `there is another object ${id} already`)

/**
 * The object whose place is taken. Where there is none, or its key was destroyed before, Replace means
 * New (§6.2.3).
 */
async function replacedObject(
  { PutFunction, ReplacedUniqueIdentifier }: Omit<RequestPayload<'Put'>, 'Attributes'>,
  id: string,
  context: Context,
): Promise<ManagedObject | undefined> {
  if (PutFunction === 'New') return undefined
  if (PutFunction !== 'Replace')
    throw new KmipError('InvalidField', `Put Function ${PutFunction} is not known`)
  if (ReplacedUniqueIdentifier === undefined)
    throw new KmipError('InvalidField', 'Replace names no Replaced Unique Identifier')
  const name = identifierOf(ReplacedUniqueIdentifier, context)
  const { work, principal } = context
  if ((await loadObject(work, principal.group, name)) === undefined) return undefined
  const object = await subject(context, name, 'Put')
  refuseUnlessDestroyable(context, object)
  return object.id !== id && object.vitals.DestroyDate !== undefined ? undefined : object
}

/** Takes an object that is here already for granted; refuses one that is another. */
async function leaveAlone(
  context: Context,
  existing: ManagedObject,
  material: Uint8Array | undefined,
): Promise<void> {
  const { id } = await subject(context, existing.id, 'Put')
  const secret = await materialOf(context.work, existing)
  if (secret !== undefined) context.secrets.push(secret)
  if (material === undefined || secret === undefined || !equalBytes(material, secret.bytes))
    throw taken(id)
  context.noted.details = { unchanged: true }
  context.batch.placeholder = id
}

/** Keeps the object, and destroys the one it replaces, in whatever state that is. */
async function replaceOther(
  context: Context,
  replaced: ManagedObject,
  object: ManagedObject,
  material: Uint8Array | undefined,
): Promise<void> {
  const { work, principal, now, noted } = context
  const days = await daysKept(context, replaced)
  Object.assign(replaced.vitals, destroyedVitals(replaced, now, days))
  await keepObject(context, object, material, replaced)
  if (days === 0 && replaced.stored?.hasMaterial === true) await work.wipe(replaced.stored)
  const { id, objectType, group } = replaced
  noted.details = { replaced: objectType, ...(days > 0 && { keptAs: id }) }
  // Who asks what became of that object finds it under its own identifier.
  work.audit({
    actor: { name: principal.owner, kind: principal.kind },
    operation: 'Destroy',
    outcome: 'Success',
    group,
    object: id,
    details: { replacedBy: object.id },
  })
}
