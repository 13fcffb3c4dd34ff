/**
 * The reserved Object Group `default` – KMIP 1.4 §3.33, §4.9; KMIP 2.1 §6.1.28. Who looks for a fresh or the
 * default member of it and finds none gets a new key, so that it works as a pool that is never empty.
 */
import { allowed } from '../../access/policy.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import type { OperationName } from '../model/payloads/index.ts'
import { newKey, randomNumberGenerator } from './create.ts'
import { auditItem } from './item-audit.ts'
import { keepObject, prepareObject } from './new-object.ts'
import { NeedsAct, type Context } from './operation.ts'

/** The name that the standard reserves. */
const reservedGroup = 'default'

const objectType = 'SymmetricKey'

const making: OperationName = 'Create'

const { Encrypt, Decrypt } = CryptographicUsageMask.bits

/** What the key gets where the search does not say. */
const usual: readonly AttributeInstance[] = [
  { tag: 'CryptographicAlgorithm', value: 'AES' },
  { tag: 'CryptographicLength', value: 256 },
  { tag: 'CryptographicUsageMask', value: Encrypt | Decrypt },
]

/** Attributes that a key can be made with to match a search. */
const makeable: readonly string[] = [...usual.map(({ tag }) => tag), 'ObjectGroup']

/**
 * A new member of the reserved group that matches a search for one; undefined when the search is for
 * something else, or the client may not create keys.
 */
export async function newMember(
  context: Context,
  searched: readonly AttributeInstance[],
): Promise<string | undefined> {
  const given = searched.filter(({ tag }) => tag !== 'ObjectType')
  const groups = given.filter(({ tag }) => tag === 'ObjectGroup')
  const isForKey = searched.every(({ tag, value }) => tag !== 'ObjectType' || value === objectType)
  const isOnce = given.every(({ tag }, at) => given.findIndex((one) => one.tag === tag) === at)
  if (groups[0]?.value !== reservedGroup || !isForKey || !isOnce) return undefined
  if (given.some(({ tag }) => !makeable.includes(tag))) return undefined
  if (allowed(context.principal, making, { objectType }) !== true) return undefined
  if (!context.writable) throw new NeedsAct()
  const rest = usual.filter(({ tag }) => !given.some((one) => one.tag === tag))
  const { object } = await prepareObject(context, making, objectType, [...rest, ...given])
  object.attributes.set('OriginalCreationDate', context.now)
  object.attributes.set('RandomNumberGenerator', randomNumberGenerator)
  await keepObject(context, object, newKey(object, context.version))
  auditItem(context.work, context.principal, {
    operation: making,
    outcome: 'Success',
    isAct: true,
    object: object.id,
    details: { memberOf: reservedGroup },
    alarms: [],
  })
  return object.id
}
