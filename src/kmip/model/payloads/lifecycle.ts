/**
 * Payloads of Activate, Archive, Check, Destroy, Get Usage Allocation, Obtain Lease, Ping, Recover and
 * Revoke – KMIP 2.1 §6.1.1, §6.1.4, §6.1.7, §6.1.15, §6.1.23, §6.1.35, §6.1.36, §6.1.42, §6.1.44.
 */
import { dateTime, interval, longInteger, opt, req, text } from 'ttlv-codec'
import { RevocationReason } from '../attribute-values.ts'
import { CryptographicUsageMask } from '../masks.ts'
import { struct } from '../tags.ts'
import { UniqueIdentifier } from '../unique-identifier.ts'

const subject = struct({ UniqueIdentifier: opt(UniqueIdentifier) })
const identified = struct({ UniqueIdentifier: req(text) })

export const Activate = { request: subject, response: identified }
export const Destroy = { request: subject, response: identified }
export const Archive = { request: subject, response: identified }
export const Recover = { request: subject, response: identified }
export const ObtainLease = {
  request: subject,
  response: struct({
    UniqueIdentifier: req(text),
    LeaseTime: req(interval),
    LastChangeDate: req(dateTime),
  }),
}
export const GetUsageAllocation = {
  request: struct({ UniqueIdentifier: opt(UniqueIdentifier), UsageLimitsCount: req(longInteger) }),
  response: identified,
}
export const Revoke = {
  request: struct({
    UniqueIdentifier: opt(UniqueIdentifier),
    RevocationReason: req(RevocationReason),
    CompromiseOccurrenceDate: opt(dateTime),
  }),
  response: identified,
}
export const Check = {
  request: struct({
    UniqueIdentifier: opt(UniqueIdentifier),
    UsageLimitsCount: opt(longInteger),
    CryptographicUsageMask: opt(CryptographicUsageMask),
    LeaseTime: opt(interval),
  }),
  response: struct({
    UniqueIdentifier: opt(text),
    UsageLimitsCount: opt(longInteger),
    CryptographicUsageMask: opt(CryptographicUsageMask),
    LeaseTime: opt(interval),
  }),
}
export const Ping = { request: struct({}), response: struct({}) }
