/** Payloads of the attribute operations – KMIP 2.1 §6.1.2, §6.1.3, §6.1.13, §6.1.20, §6.1.21, §6.1.34, §6.1.51. */
import { anyValue, integer, opt, req, text } from 'ttlv-codec'
import {
  AttributeReference2,
  attributeList,
  attributeReferences,
  deletedReference,
  newAttribute,
  resultingAttribute,
  SingleAttribute2,
} from '../attribute-forms.ts'
import { AdjustmentType } from '../enumerations.ts'
import { struct } from '../tags.ts'
import { UniqueIdentifier } from '../unique-identifier.ts'

/** 1.x answers show the attribute as it is now; 2.x answers the identifier alone. */
const changed = struct({ UniqueIdentifier: req(text), Attribute: resultingAttribute })

export const AddAttribute = {
  request: struct({ UniqueIdentifier: opt(UniqueIdentifier), NewAttribute: newAttribute }),
  response: changed,
}
export const SetAttribute = {
  request: struct({ UniqueIdentifier: opt(UniqueIdentifier), NewAttribute: newAttribute }),
  response: struct({ UniqueIdentifier: req(text) }),
}
export const AdjustAttribute = {
  request: struct({
    UniqueIdentifier: opt(UniqueIdentifier),
    AttributeReference: req(AttributeReference2),
    AdjustmentType: req(AdjustmentType),
    AdjustmentValue: opt(anyValue),
  }),
  response: struct({ UniqueIdentifier: req(text) }),
}
export const ModifyAttribute = {
  request: struct({
    UniqueIdentifier: opt(UniqueIdentifier),
    CurrentAttribute: opt(SingleAttribute2, { since: '2.0' }),
    NewAttribute: newAttribute,
  }),
  response: changed,
}
export const DeleteAttribute = {
  request: struct({
    UniqueIdentifier: opt(UniqueIdentifier),
    CurrentAttribute: opt(SingleAttribute2, { since: '2.0' }),
    AttributeReference: deletedReference,
    AttributeIndex: opt(integer, { until: '1.4' }),
  }),
  response: changed,
}
export const GetAttributes = {
  request: struct({
    UniqueIdentifier: opt(UniqueIdentifier),
    AttributeReference: attributeReferences,
  }),
  response: struct({ UniqueIdentifier: req(text), Attributes: attributeList }),
}
export const GetAttributeList = {
  request: struct({ UniqueIdentifier: opt(UniqueIdentifier) }),
  response: struct({ UniqueIdentifier: req(text), AttributeReference: attributeReferences }),
}
