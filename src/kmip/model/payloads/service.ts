/** Payloads of operations that concern the server itself – KMIP 2.1 §6.1.22, §6.1.26, §6.1.29, §7.6, §7.7. */
import { many, opt, req, text } from 'ttlv-codec'
import { Attributes2 } from '../attribute-forms.ts'
import { InteropFunction, ObjectType } from '../enumerations.ts'
import { struct } from '../tags.ts'
import { ObjectGroups } from './server.ts'

export const Interop = {
  request: struct({ InteropFunction: req(InteropFunction), InteropIdentifier: req(text) }),
  response: struct({}),
}

export const Log = { request: struct({ LogMessage: req(text) }), response: struct({}) }

const Constraint = struct({
  ObjectTypes: opt(struct({ ObjectType: many(ObjectType) })),
  ObjectGroups: opt(ObjectGroups),
  Attributes: opt(Attributes2),
})

export const GetConstraints = {
  request: struct({}),
  response: struct({ Constraints: req(struct({ Constraint: many(Constraint) })) }),
}
