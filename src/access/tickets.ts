/**
 * Tickets that stand for a credential (KMIP 2.1 §6.1.30, §6.1.12). A ticket belongs to the client that
 * asked for it: with another certificate it is worth nothing, and it never allows more than its maker
 * was allowed. Only a digest of it is kept.
 */
import { z } from 'zod'
import { randomBytes } from '../crypto/primitives/random.ts'
import { sha256, toHex } from '../crypto/primitives/hash.ts'
import type { Work } from '../keystore/work.ts'
import type { Principal } from './identity.ts'

const kind = 'ticket'
const ticketLength = 32

const shape = z.strictObject({
  owner: z.string(),
  ownOnly: z.boolean(),
  /** Messages that may still come with it; without it, any number. */
  requests: z.number().optional(),
  /** Operations that may still be asked for with it. */
  operations: z.number().optional(),
  /** Names of the operations that it allows; without it, all that the client may do. */
  rights: z.array(z.string()).optional(),
})

/** What a ticket is good for. */
export type TicketTerms = Omit<z.infer<typeof shape>, 'owner' | 'ownOnly'> & { seconds: number }

/** What a ticket says of who sends it. */
export type Holder = Pick<Principal, 'owner' | 'ownOnly' | 'rights'>

/** Makes a ticket for the principal; undefined when its client has `most` of them already. */
export async function issueTicket(
  work: Work,
  principal: Principal,
  { seconds, ...terms }: TicketTerms,
  most: number,
): Promise<Uint8Array | undefined> {
  const { count } = await work.transientsHeld(kind, principal.name)
  if (count >= most) return undefined
  const value = randomBytes(ticketLength)
  const rights = sharedRights(principal.rights, terms.rights)
  const { owner, ownOnly } = principal
  await work.putTransient({
    kind,
    name: nameOf(value),
    owner: principal.name,
    expires: work.now + BigInt(seconds),
    body: { owner, ownOnly, ...terms, ...(rights && { rights: [...rights] }) },
  })
  return value
}

/**
 * Whom a ticket stands for when this client sends it with so many operations; undefined when it is not
 * its ticket, is over, or has not so many left. What is counted is counted down: it is to be durable
 * before anything is done.
 */
export async function redeemTicket(
  work: Work,
  client: string,
  value: Uint8Array,
  operations: number,
): Promise<Holder | undefined> {
  const ticket = await work.transient(kind, nameOf(value))
  if (ticket?.owner !== client) return undefined
  const { requests, operations: left, ...holder } = shape.parse(ticket.body)
  if (requests === 0 || (left !== undefined && left < operations)) return undefined
  if (requests !== undefined || left !== undefined)
    await work.putTransient({
      ...ticket,
      body: {
        ...holder,
        ...(requests !== undefined && { requests: requests - 1 }),
        ...(left !== undefined && { operations: left - operations }),
      },
    })
  const { owner, ownOnly, rights } = holder
  return { owner, ownOnly, ...(rights && { rights }) }
}

/** Ends a ticket of the client; false when there is none. */
export async function endTicket(work: Work, client: string, value: Uint8Array): Promise<boolean> {
  const name = nameOf(value)
  const ticket = await work.transient(kind, name)
  return ticket?.owner === client && (await work.deleteTransient(kind, name))
}

/** What both allow; undefined allows everything. */
export function sharedRights(
  some: readonly string[] | undefined,
  others: readonly string[] | undefined,
): readonly string[] | undefined {
  if (some === undefined || others === undefined) return some ?? others
  return some.filter((name) => others.includes(name))
}

function nameOf(value: Uint8Array): string {
  return toHex(sha256(value))
}
