/** Payloads of operations that concern the server itself – KMIP 2.1 §6.1.26 Interop, §6.1.29 Log. */
import { req, text } from 'ttlv-codec'
import { InteropFunction } from '../enumerations.ts'
import { struct } from '../tags.ts'

export const Interop = {
  request: struct({ InteropFunction: req(InteropFunction), InteropIdentifier: req(text) }),
  response: struct({}),
}

export const Log = { request: struct({ LogMessage: req(text) }), response: struct({}) }
