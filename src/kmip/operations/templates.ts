/** Templates – KMIP 1.4 §2.1.8 and §2.2.6: names of objects whose attributes a new object takes over. */
import { uniqueName } from '../../keystore/derived-rows.ts'
import type { ManagedObject, ObjectTypeName } from '../../keystore/managed-object.ts'
import { attributesOf } from '../../keystore/object-attributes.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import { appliesTo } from '../model/attributes.ts'
import { KmipError } from '../model/result.ts'
import { rowOf } from './attribute-rows.ts'
import type { MakingContext } from './operation.ts'
import { visibleObject } from './subject.ts'

/**
 * The attributes given, with those of the templates named before them. Explicit values of
 * single-instance attributes win, among templates the last.
 */
export async function fromTemplates(
  context: MakingContext,
  objectType: ObjectTypeName,
  given: readonly AttributeInstance[],
): Promise<AttributeInstance[]> {
  const explicit = given.filter(({ tag }) => tag !== 'Template')
  const names = given.filter(({ tag }) => tag === 'Template')
  const { maximumInstances } = context.facts
  if (names.length > maximumInstances)
    throw new KmipError('ServerLimitExceeded', `more than ${maximumInstances} Templates`)
  const inherited: AttributeInstance[] = []
  for (const { value } of names) {
    const template = await templateNamed((value as { NameValue: string }).NameValue, context)
    inherited.push(...contentsOf(template, context.now))
  }
  const kept = inherited.filter(({ tag }, at) => {
    if (tag === 'Attribute' || tag === 'Template') return tag === 'Attribute'
    if (!appliesTo(tag, objectType, context.version)) return false
    const later = [...inherited.slice(at + 1), ...explicit]
    return rowOf(tag).multiple || !later.some((other) => other.tag === tag)
  })
  return [...kept, ...explicit]
}

/** What a Template hands on: what clients may give to an object, but not its own Name. */
export function contentsOf(template: ManagedObject, now: bigint): AttributeInstance[] {
  return attributesOf(template, now)
    .filter(({ tag, value }) => {
      if (tag === 'Name' || tag === 'Template' || value === defaults[tag]) return false
      const { givenByClient } = rowOf(tag)
      return givenByClient === 'on-making' || givenByClient === 'any-time'
    })
    .map(({ tag, value }) => ({ tag, value }))
}

/** Values that every object has when nobody says otherwise. */
const defaults: Partial<Record<string, unknown>> = { Sensitive: false, Extractable: true }

async function templateNamed(name: string, context: MakingContext): Promise<ManagedObject> {
  const { work, principal } = context
  const { kind, value } = uniqueName(name)
  const id = await work.holder(principal.group, kind, value)
  const template = id === undefined ? undefined : await visibleObject(context, id)
  if (template?.objectType !== 'Template')
    throw new KmipError('ObjectNotFound', 'no Template has the name given')
  if (template.vitals.ArchiveDate !== undefined)
    throw new KmipError('ObjectArchived', 'the Template named is archived')
  return template
}
