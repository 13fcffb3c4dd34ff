/** Locate – KMIP 2.1 §6.1.28. Sets the ID Placeholder when, and only when, one object is meant. */
import { loadObject } from '../../keystore/keystore.ts'
import { locate as search } from '../../keystore/locate.ts'
import { referenceOf, type AttributeInstance } from '../model/attribute-forms.ts'
import { StorageStatusMask } from '../model/masks.ts'
import { KmipError } from '../model/result.ts'
import type { ObjectName } from '../model/unique-identifier.ts'
import { checkKnown, checkValue } from './attribute-rows.ts'
import { newMember } from './group-pool.ts'
import { operation, type Context } from './operation.ts'
import { ownerSought } from './peer-questions.ts'
import { objectTypesIn } from './sayable.ts'
import { identifierOf, recordState } from './subject.ts'

export const locate = operation('Locate', {
  effect: 'read',
  identifies: true,
  async run(request, context) {
    const { MaximumItems, OffsetItems, StorageStatusMask: status, ObjectGroupMember } = request
    const { version, principal, work, batch, facts } = context
    if ((MaximumItems ?? 0) < 0 || (OffsetItems ?? 0) < 0)
      throw new KmipError('InvalidField', 'Maximum Items and Offset Items count from 0')
    if (typeof ObjectGroupMember === 'number') {
      const what = `unknown Object Group Member ${ObjectGroupMember}`
      throw new KmipError('UnknownEnumeration', what)
    }
    if ((request.Attributes?.length ?? 0) > facts.maximumAttributes) {
      const what = `more than ${facts.maximumAttributes} attributes in one search`
      throw new KmipError('ServerLimitExceeded', what)
    }
    const attributes = (request.Attributes ?? []).map((one) => wanted(one, context))
    let { ids, total } = await search(
      work,
      {
        group: principal.group,
        owner: await ownerSought(attributes, context),
        attributes,
        storageStatus: status === undefined ? undefined : status & storageBits(version),
        member: ObjectGroupMember,
        maximum: MaximumItems,
        offset: OffsetItems,
        objectTypes: objectTypesIn(version),
        damaged: ({ message }) => context.alarm(message),
      },
      facts.locate,
    )
    if (ObjectGroupMember !== undefined && total === 0) {
      const made = await newMember(context, attributes)
      ids = made === undefined ? [] : [made]
      total = ids.length
    }
    if (total === 0 && principal.profile !== 'peer') {
      const { group, name } = principal
      context.unknownTapes?.note(attributes, { group, library: name, asked: context.now })
    }
    if (attributes.some(({ tag }) => tag === 'State')) await recordStates(ids, context)
    const single = ids.length === 1 && (total === 1 || MaximumItems === 1)
    batch.placeholder = single ? ids[0] : undefined
    const counted = OffsetItems !== undefined
    return { ...(counted && { LocatedItems: total }), UniqueIdentifier: ids }
  },
})

/** An attribute as it is searched for. */
function wanted(instance: AttributeInstance, context: Context): AttributeInstance {
  checkKnown(referenceOf(instance), context.version)
  checkValue(instance, context.version, true)
  const { tag, value } = instance
  if (tag !== 'Link') return instance
  const { LinkedObjectIdentifier: name, ...link } = value as { LinkedObjectIdentifier?: ObjectName }
  if (name === undefined) return instance
  return { tag, value: { ...link, LinkedObjectIdentifier: identifierOf(name, context) } }
}

function storageBits(version: number): number {
  return StorageStatusMask.names(version).reduce((all, n) => all | StorageStatusMask.bits[n], 0)
}

/** Who finds objects by State has been shown it. */
async function recordStates(ids: readonly string[], context: Context): Promise<void> {
  for (const id of ids) {
    const object = await loadObject(context.work, context.principal.group, id)
    if (object !== undefined) await recordState(object, context)
  }
}
