/** Payloads of Login, Logout and Delegated Login – KMIP 2.1 §6.1.30, §6.1.31, §6.1.12, §7.34, §7.35, §7.39. */
import { bytes, dateTime, integer, interval, many, oneOf, opt, req } from 'ttlv-codec'
import { UsageLimits } from '../attribute-values.ts'
import { Operation, TicketType } from '../enumerations.ts'
import { struct } from '../tags.ts'
import { UniqueIdentifier } from '../unique-identifier.ts'
import { ObjectGroups } from './server.ts'

/** §7.39 Ticket. */
export const Ticket = struct({ TicketType: req(TicketType), TicketValue: req(bytes) })

const terms = {
  LeaseTime: opt(oneOf(interval, dateTime)),
  RequestCount: opt(integer),
  UsageLimits: opt(UsageLimits),
}

const Right = struct({
  UsageLimits: opt(UsageLimits),
  Operations: opt(struct({ Operation: many(Operation) })),
  Objects: opt(struct({ UniqueIdentifier: many(UniqueIdentifier) })),
  ObjectGroups: opt(ObjectGroups, { since: '2.1' }),
})

const issued = struct({ Ticket: req(Ticket) })

export const Login = { request: struct(terms), response: issued }
export const DelegatedLogin = {
  request: struct({ ...terms, Rights: req(struct({ Right: many(Right) })) }),
  response: issued,
}
export const Logout = { request: struct({ Ticket: req(Ticket) }), response: struct({}) }
