/** Payloads of operations that concern the server itself – KMIP 2.1 §6.1.22, §6.1.26, §6.1.29, §6.1.37, §6.1.52–§6.1.54, §7. */
import { bytes, integer, many, oneOf, opt, req, text } from 'ttlv-codec'
import { Attributes2 } from '../attribute-forms.ts'
import {
  EndpointRole,
  InteropFunction,
  ObjectType,
  PKCS_11Function,
  PKCS_11ReturnCode,
} from '../enumerations.ts'
import { struct } from '../tags.ts'
import { DefaultsInformation, ObjectGroups } from './server.ts'

export const Interop = {
  request: struct({ InteropFunction: req(InteropFunction), InteropIdentifier: req(text) }),
  response: struct({}),
}

export const Log = { request: struct({ LogMessage: req(text) }), response: struct({}) }

/** §7.6 Constraint, §7.7 Constraints. */
export const Constraints = struct({
  Constraint: many(
    struct({
      ObjectTypes: opt(struct({ ObjectType: many(ObjectType) })),
      ObjectGroups: opt(ObjectGroups),
      Attributes: opt(Attributes2),
    }),
  ),
})

export const GetConstraints = {
  request: struct({}),
  response: struct({ Constraints: req(Constraints) }),
}

export const SetConstraints = {
  request: struct({ Constraints: req(Constraints) }),
  response: struct({}),
}

export const SetDefaults = {
  request: struct({ DefaultsInformation: opt(DefaultsInformation) }),
  response: struct({}),
}

export const SetEndpointRole = {
  request: struct({ EndpointRole: req(EndpointRole) }),
  response: struct({ EndpointRole: req(EndpointRole) }),
}

/** A function of a vendor is an Integer. */
const calledFunction = oneOf(PKCS_11Function, integer)

export const PKCS_11 = {
  request: struct({
    PKCS_11Interface: opt(text),
    PKCS_11Function: req(calledFunction),
    CorrelationValue: opt(bytes),
    PKCS_11InputParameters: opt(bytes),
  }),
  response: struct({
    PKCS_11Interface: opt(text),
    PKCS_11Function: req(calledFunction),
    CorrelationValue: opt(bytes),
    PKCS_11OutputParameters: opt(bytes),
    PKCS_11ReturnCode: req(PKCS_11ReturnCode),
  }),
}
