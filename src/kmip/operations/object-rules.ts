/**
 * What clients of a group ask of its new objects: constraints and defaults, set by Set Constraints and Set
 * Defaults – KMIP 2.1 §6.1.52, §6.1.53, §7.6, §7.22. They are for clients of the profile general alone: no
 * library is ever refused a key, or given another, because of what an application has set.
 */
import { decode, encode, type Infer, type Schema } from 'ttlv-codec'
import { bodyOf, putBody, type Body } from '../../access/documents.ts'
import { groupPolicy } from '../../access/policy.ts'
import { referenceOf, type AttributeInstance } from '../model/attribute-forms.ts'
import { appliesTo } from '../model/attributes.ts'
import type { ObjectTypeName } from '../../keystore/managed-object.ts'
import type { Soon } from '../../keystore/soon.ts'
import { DefaultsInformation } from '../model/payloads/server.ts'
import { Constraints } from '../model/payloads/service.ts'
import { KmipError } from '../model/result.ts'
import { tagNumber } from '../model/tags.ts'
import { newest } from '../model/versions.ts'
import { checkKnown, checkValue, nameOf, rowOf, serverVendor } from './attribute-rows.ts'
import type { MakingContext } from './operation.ts'
import { objectTypesIn } from './sayable.ts'

/** Most entries of a list, and bytes of all of them. */
const mostEntries = 100
const longestList = 65_536

const schemas = {
  constraints: { tag: tagNumber('Constraints'), schema: Constraints },
  'object-defaults': { tag: tagNumber('DefaultsInformation'), schema: DefaultsInformation },
} as const

type Kind = keyof typeof schemas
type ListOf<K extends Kind> = Infer<(typeof schemas)[K]['schema']>

/** The list that counts for the client, or undefined when none was set or none counts. */
export function ruleList<K extends Kind>(
  kind: K,
  context: Pick<MakingContext, 'work' | 'principal'>,
): Soon<ListOf<K> | undefined> {
  return context.principal.profile === 'general' ? ruleListOf(kind, context) : undefined
}

async function ruleListOf<K extends Kind>(
  kind: K,
  { work, principal }: Pick<MakingContext, 'work' | 'principal'>,
): Promise<ListOf<K> | undefined> {
  const body = await bodyOf(work, kind, principal.group)
  if (body === undefined) return undefined
  const { rules } = await groupPolicy(work, principal.group)
  if (rules === 'off') return undefined
  const { tag, schema } = schemas[kind]
  const bytes = Buffer.from(body.ttlv, 'base64')
  return decode(schema as unknown as Schema<ListOf<K>>, tag, bytes, { version: newest.number })
}

/** Refuses a client that may not set anything for its group. */
export async function checkMaySet({ work, principal }: MakingContext): Promise<void> {
  const { profile, ownOnly, group, owner } = principal
  if (profile !== 'general' || ownOnly)
    throw new KmipError('PermissionDenied', `${owner} may not say what the objects of a group are`)
  const { rules } = await groupPolicy(work, group)
  if (rules !== 'clients')
    throw new KmipError('PermissionDenied', `group ${group} takes no constraints and no defaults`)
}

/** Keeps a list for the group, in the place of the one before. */
export async function keepRuleList<K extends Kind>(
  kind: K,
  list: ListOf<K>,
  entries: readonly { Attributes?: readonly AttributeInstance[] }[],
  { work, principal, noted, now }: MakingContext,
): Promise<void> {
  const { group, owner } = principal
  const { tag, schema } = schemas[kind]
  const bytes = encode(schema as unknown as Schema<ListOf<K>>, tag, list, {
    version: newest.number,
  })
  if (entries.length > mostEntries || bytes.length > longestList)
    throw new KmipError(
      'ServerLimitExceeded',
      `at most ${mostEntries} entries and ${longestList} bytes are kept`,
    )
  const ttlv = Buffer.from(bytes).toString('base64')
  const body: Body<Kind> = { ttlv, count: entries.length, by: owner, set: Number(now) }
  await putBody<Kind>(work, kind, group, body)
  const attributes = entries
    .flatMap(({ Attributes = [] }) => Attributes)
    .map((instance) => nameOf(referenceOf(instance)))
  noted.details = { entries: entries.length, attributes: [...new Set(attributes)] }
}

/** Refuses an Object Type that the version does not have, and Template. */
export function checkTypes(
  types: readonly (string | number)[],
  { version }: MakingContext,
): asserts types is readonly ObjectTypeName[] {
  const wrong = types.find((type) => !objectTypesIn(version).has(String(type)))
  if (wrong !== undefined)
    throw new KmipError('InvalidObjectType', `there are no objects of type ${wrong}`)
}

/** Refuses an attribute that the version does not have, or that is not for clients to speak of. */
export function checkRuleAttribute(instance: AttributeInstance, context: MakingContext): void {
  const reference = referenceOf(instance)
  try {
    checkKnown(reference, context.version)
    checkValue(instance, context.version)
  } catch (error) {
    // The tables of §6.1.52.1 and §6.1.53.1 have one word for whatever is wrong with an attribute.
    if (!(error instanceof KmipError)) throw error
    throw new KmipError('InvalidField', error.message, { cause: error })
  }
  if (reference.vendor === serverVendor)
    throw new KmipError('InvalidField', `the server sets ${nameOf(reference)}`)
}

/** Whether clients give such an attribute to a new object of that type. */
export function isGivable(instance: AttributeInstance, objectType: ObjectTypeName): boolean {
  const { tag } = referenceOf(instance)
  const { givenByClient } = rowOf(tag)
  if (givenByClient === 'never' || givenByClient === 'on-register') return false
  return tag === 'Attribute' || appliesTo(tag, objectType, newest.number)
}

/** Whether an entry is for an object of these groups: one that names none is for all. */
export function isForGroups(
  { ObjectGroups }: { ObjectGroups?: { ObjectGroup: readonly string[] } },
  groups: readonly string[],
): boolean {
  return (
    ObjectGroups === undefined || ObjectGroups.ObjectGroup.some((group) => groups.includes(group))
  )
}
