// Finds the primary among the databases named: the one that takes writes and lacks nothing that was
// acknowledged. All are asked at once, again and again until one answers or patience is over.
import { setTimeout as delay } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import type { DatabaseAddress } from './postgres-address.ts'
import { PostgresConnection } from './postgres-connection.ts'
import { explained, isConnectionLost, reasonOf, sqlState, unreachable } from './postgres-errors.ts'
import type { TurnsSeen } from './postgres-turns.ts'

/** Milliseconds between two rounds of asking. */
const againAfter = 200

/** The databases, and what their primary must know. */
export interface PrimarySearch {
  readonly addresses: readonly DatabaseAddress[]
  readonly seen: TurnsSeen
  /** Where the last writing connection was made to. */
  readonly primary: { address?: DatabaseAddress }
  /** Milliseconds to wait for a lock on the server. */
  readonly lockPatience: number
}

/** A standby answered, or a server set to take no writes. */
class ReadOnly extends Error {}

/**
 * A connection to the primary. `until` is a moment of performance.now(): one round is always made,
 * further ones while waiting can help. Throws UserError.
 */
export async function connectPrimary(
  search: PrimarySearch,
  until: number,
): Promise<PostgresConnection> {
  for (;;) {
    const attempts = search.addresses.map((address) => openPrimary(search, address))
    try {
      const connection = await Promise.any(attempts)
      closeOthers(attempts, connection)
      return connection
    } catch (error) {
      const reasons = (error as AggregateError).errors
      if (performance.now() > until || !reasons.some(mayPass)) throw refusal(search, reasons)
    }
    await delay(againAfter)
  }
}

async function openPrimary(
  { seen, lockPatience }: PrimarySearch,
  address: DatabaseAddress,
): Promise<PostgresConnection> {
  const { connection, facts } = await PostgresConnection.open(address, lockPatience)
  try {
    if (facts.isReadOnly) throw new ReadOnly('it takes no writes (a standby)')
    await seen.demandNewer(connection)
    return connection
  } catch (error) {
    connection.destroy()
    throw error
  }
}

function closeOthers(
  attempts: readonly Promise<PostgresConnection>[],
  chosen: PostgresConnection,
): void {
  for (const attempt of attempts) {
    // Those that fail have closed themselves.
    attempt.then((other) => other !== chosen && other.destroy()).catch(() => undefined)
  }
}

/** Whether the obstacle may go away by itself: a server that starts, a standby about to be promoted. */
function mayPass(reason: unknown): boolean {
  if (reason instanceof UserError) return reason.code === 'database-behind'
  return reason instanceof ReadOnly || isConnectionLost(reason) || isTooMany(reason)
}

function isUnreachable({ code }: UserError): boolean {
  return code === 'database-unreachable'
}

function isTooMany(reason: unknown): boolean {
  return sqlState(reason) === '53300'
}

function refusal({ addresses }: PrimarySearch, reasons: readonly unknown[]): unknown {
  // What an administrator must decide comes first.
  const decided = reasons.find((reason) => reason instanceof UserError)
  if (decided !== undefined) return decided
  const known = reasons.map((reason, at) => explained(reason, addresses[at]!.name))
  const [first] = known
  if (known.length === 1 && first instanceof UserError) return first
  const refused = known.find((error) => error instanceof UserError && !isUnreachable(error))
  if (refused !== undefined) return refused
  const each = addresses.map(({ name }, at) => `${name}: ${reasonOf(reasons[at])}`)
  return unreachable(`no database takes writes: ${each.join('; ')}`, reasons[0])
}
