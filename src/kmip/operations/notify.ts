/**
 * Notify – KMIP 2.1 §6.2.2, KMIP 1.4 §5.1, received: another server tells which attributes of an object
 * have changed there. Nothing is changed here; the audit record says what was told, in names alone.
 */
import {
  referenceOf,
  type AttributeInstance,
  type VendorAttributeValue,
} from '../model/attribute-forms.ts'
import { KmipError } from '../model/result.ts'
import { nameOf } from './attribute-rows.ts'
import { operation } from './operation.ts'
import { subject } from './subject.ts'

export const notify = operation('Notify', {
  effect: 'act',
  async run({ UniqueIdentifier, Attributes = [], AttributeReference = [] }, context) {
    const { facts, noted } = context
    await subject(context, UniqueIdentifier, 'Notify')
    if (Attributes.length + AttributeReference.length > facts.maximumAttributes)
      throw new KmipError('ServerLimitExceeded', `more than ${facts.maximumAttributes} attributes`)
    const changed = Attributes.filter(hasValue).map(referenceOf)
    // Before 2.0 an attribute that was deleted stands among the others, without a value.
    const deleted = Attributes.filter((one) => !hasValue(one)).map(referenceOf)
    const gone = [...deleted, ...AttributeReference]
    noted.details = {
      changed: namesOf(changed),
      ...(gone.length > 0 && { deleted: namesOf(gone) }),
    }
    return {}
  },
})

function hasValue({ tag, value }: AttributeInstance): boolean {
  const inside = tag === 'Attribute' ? (value as VendorAttributeValue).AttributeValue : value
  return inside !== undefined
}

function namesOf(references: readonly Parameters<typeof nameOf>[0][]): string[] {
  return [...new Set(references.map(nameOf))]
}
