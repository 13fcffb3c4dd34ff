/** Payloads of what servers send of themselves: Notify and Put – KMIP 2.1 §6.2.2, §6.2.3; KMIP 1.4 §5.1, §5.2. */
import { many, opt, req } from 'ttlv-codec'
import {
  AttributeReference2,
  notifiedAttributes,
  optionalAttributeList,
} from '../attribute-forms.ts'
import { PutFunction } from '../enumerations.ts'
import { struct } from '../tags.ts'
import { UniqueIdentifier } from '../unique-identifier.ts'
import { anyObject } from './objects.ts'

export const Notify = {
  request: struct({
    UniqueIdentifier: req(UniqueIdentifier),
    Attributes: notifiedAttributes,
    AttributeReference: many(AttributeReference2, { since: '2.0' }),
  }),
  response: struct({}),
}
export const Put = {
  request: struct({
    UniqueIdentifier: req(UniqueIdentifier),
    PutFunction: req(PutFunction),
    ReplacedUniqueIdentifier: opt(UniqueIdentifier),
    ...anyObject,
    Attributes: optionalAttributeList,
  }),
  response: struct({}),
}
