/**
 * The one place where a client's objects are loaded. Whoever asks says what for: there is no default.
 * What is not of the principal's group answers exactly like what does not exist. An object of another
 * user behind the same certificates is there, and denied to a user who may use its own objects only.
 */
import { allowed } from '../../access/policy.ts'
import { loadObject, saveVitals } from '../../keystore/keystore.ts'
import { unrecordedState } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { after, type Soon } from '../../keystore/soon.ts'
import type { OperationName } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import type { ObjectName } from '../model/unique-identifier.ts'
import { NeedsAct, type Context, type MakingContext } from './operation.ts'
import { printable } from './printable.ts'
import { objectTypesIn } from './sayable.ts'

/** Loads the object named, or the ID Placeholder's, for use by `operation`. */
export function subject(
  context: Context,
  name: ObjectName | undefined,
  operation: OperationName,
): Soon<ManagedObject> {
  const id = identifierOf(name, context)
  context.noted.object = printable(id)
  return after(groupObject(context, id), (object) => {
    if (object === undefined) {
      const reason = saysItem.has(operation) ? 'ItemNotFound' : 'ObjectNotFound'
      throw new KmipError(reason, `no object ${printable(id)}`)
    }
    const { objectType, vitals } = object
    const refusal = allowed(context.principal, operation, { objectType, owner: vitals.Owner })
    if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
    if (vitals.ArchiveDate !== undefined && operation !== 'Recover')
      throw new KmipError('ObjectArchived', `object ${id} is archived: Recover it first`)
    if (unrecordedState(vitals, context.now) === undefined) return object
    return recordState(object, context).then(() => object)
  })
}

/** Operations whose Error Handling tables have kept the older word for an object that is not there. */
const saysItem: ReadonlySet<string> = new Set(['AdjustAttribute', 'Certify', 'CreateSplitKey'])

/** The object, if the principal may use it without being asked what for and its version has such objects. */
export async function visibleObject(
  context: MakingContext,
  id: string,
): Promise<ManagedObject | undefined> {
  const object = await groupObject(context, id)
  const { ownOnly, owner } = context.principal
  return ownOnly && object?.vitals.Owner !== owner ? undefined : object
}

/** The object, if it is of the principal's group and its version has such objects. */
function groupObject(
  { work, principal, version }: MakingContext,
  id: string,
): Soon<ManagedObject | undefined> {
  return after(loadObject(work, principal.group, id), (object) =>
    object === undefined || !objectTypesIn(version).has(object.objectType) ? undefined : object,
  )
}

/** A state that the passing of time brought about is recorded before anybody is shown it. */
export async function recordState(
  object: ManagedObject,
  context: Pick<Context, 'work' | 'now' | 'writable' | 'noted'>,
): Promise<void> {
  const { work, now, writable, noted } = context
  const state = unrecordedState(object.vitals, now)
  if (state === undefined || object.objectType === 'Template') return
  if (!writable) throw new NeedsAct()
  const before = work.written
  object.vitals.ShownState = state
  await saveVitals(work, object)
  ;(noted.reached ??= []).push({ object, writes: work.written - before })
  work.audit({
    actor: { name: 'clock', kind: 'server' },
    operation: 'StateReached',
    object: object.id,
    group: object.group,
    outcome: 'Success',
    details: { state },
  })
}

/**
 * The identifier that a name in a request stands for (KMIP 2.1 §4.58). A kind of operation stands for
 * what its most recent item in the batch answered, a position for an identifier in the answers so far.
 */
export function identifierOf(name: ObjectName | undefined, { batch }: MakingContext): string {
  if (typeof name === 'string') return name
  if (name === undefined || ('placeholder' in name && name.placeholder === 'IDPlaceholder')) {
    if (batch.placeholder !== undefined) return batch.placeholder
    throw new KmipError(
      'ObjectNotFound',
      'no Unique Identifier given and the ID Placeholder is empty',
    )
  }
  if ('position' in name) {
    return answered([batch.identifiers.at(name.position)?.id], `position ${name.position}`)
  }
  const { placeholder } = name
  if (typeof placeholder === 'number')
    throw new KmipError('UnknownEnumeration', `unknown Unique Identifier ${placeholder}`)
  // The name of an operation that makes a pair means both halves.
  const meant = [placeholder, `${placeholder}PrivateKey`, `${placeholder}PublicKey`]
  const last = batch.identifiers.findLast(({ operation }) => meant.includes(operation))
  const latest = batch.identifiers.filter(
    ({ item, operation }) => item === last?.item && meant.includes(operation),
  )
  return answered(
    latest.map(({ id }) => id),
    placeholder,
  )
}

function answered(ids: readonly (string | undefined)[], what: string): string {
  const [id] = ids
  if (id === undefined) {
    throw new KmipError('ObjectNotFound', `this batch has no identifier from ${what}`)
  }
  if (ids.length > 1) {
    throw new KmipError(
      'FeatureNotSupported',
      `${what} answered ${ids.length} identifiers: name one of them`,
    )
  }
  return id
}
