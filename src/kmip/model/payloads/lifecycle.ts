/** Payloads of Activate, Revoke, Destroy, Check and Ping – KMIP 2.1 §6.1.1, §6.1.44, §6.1.15, §6.1.7, §6.1.36. */
import { dateTime, interval, longInteger, opt, req, text } from 'ttlv-codec'
import { RevocationReason } from '../attribute-values.ts'
import { CryptographicUsageMask } from '../masks.ts'
import { struct } from '../tags.ts'
import { UniqueIdentifier } from '../unique-identifier.ts'

const subject = struct({ UniqueIdentifier: opt(UniqueIdentifier) })
const identified = struct({ UniqueIdentifier: req(text) })

export const Activate = { request: subject, response: identified }
export const Destroy = { request: subject, response: identified }
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
