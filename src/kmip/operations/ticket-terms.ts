/** The ticket that Login and Delegated Login make (KMIP 2.1 §6.1.30, §6.1.12): its terms, and its bounds. */
import { issueTicket } from '../../access/tickets.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import type { Context } from './operation.ts'

const usualLease = 3600

/** Makes the ticket; `rights` are the only operations it allows. */
export async function ticketFor(
  request: RequestPayload<'Login'>,
  rights: string[] | undefined,
  context: Context,
) {
  const { work, principal, facts, noted } = context
  const { RequestCount: requests, UsageLimits } = request
  if (requests !== undefined && requests < 1)
    throw new KmipError('InvalidField', `Request Count is ${requests}`)
  const seconds = leaseOf(request, context)
  const operations = operationsIn(UsageLimits)
  const terms = {
    seconds,
    ...(requests !== undefined && { requests }),
    ...(operations !== undefined && { operations }),
    ...(rights && { rights }),
  }
  const TicketValue = await issueTicket(work, principal, terms, facts.tickets)
  if (TicketValue === undefined)
    throw new KmipError('ServerLimitExceeded', `this client has ${facts.tickets} tickets already`)
  noted.details = terms
  return { Ticket: { TicketType: 'Login' as const, TicketValue } }
}

/** Seconds that the ticket is to live: as asked, and no longer than the server lets any. */
function leaseOf({ LeaseTime }: RequestPayload<'Login'>, { now, facts }: Context): number {
  if (LeaseTime === undefined) return Math.min(usualLease, facts.ticketTime)
  const seconds = LeaseTime.type === 'Interval' ? LeaseTime.value : Number(LeaseTime.value - now)
  if (seconds < 1) throw new KmipError('InvalidField', 'the Lease Time is over already')
  return Math.min(seconds, facts.ticketTime)
}

/** Operations that Usage Limits allow; bytes are not counted here. */
function operationsIn(limits: RequestPayload<'Login'>['UsageLimits']): number | undefined {
  if (limits === undefined) return undefined
  const { UsageLimitsUnit, UsageLimitsCount, UsageLimitsTotal } = limits
  const count = UsageLimitsCount ?? UsageLimitsTotal
  if (UsageLimitsUnit === 'Byte')
    throw new KmipError('FeatureNotSupported', 'the Usage Limits of a ticket count operations')
  if (count === undefined || count < 1n || count > 2n ** 31n)
    throw new KmipError('InvalidField', 'Usage Limits without a count that makes sense')
  return Number(count)
}
