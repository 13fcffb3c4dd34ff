// Finds the primary among the databases named: the one that takes writes and lacks nothing that was
// acknowledged. All are asked at once, each again and again for itself, so that one that does not answer
// holds up none of the others, until one answers or patience is over.
import { setTimeout as delay } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import type { DatabaseAddress } from './postgres-address.ts'
import { PostgresConnection, type ConnectionOptions } from './postgres-connection.ts'
import { explained, isConnectionLost, reasonOf, sqlState, unreachable } from './postgres-errors.ts'
import type { TurnsSeen } from './postgres-turns.ts'

/** Milliseconds until a database is asked again. */
const againAfter = 200

/** The databases, and what their primary must know. */
export interface PrimarySearch {
  readonly addresses: readonly DatabaseAddress[]
  readonly seen: TurnsSeen
  /** Where the last writing connection was made to. */
  readonly primary: { address?: DatabaseAddress }
  readonly options: ConnectionOptions
}

/** A standby answered, or a server set to take no writes. */
class ReadOnly extends Error {}

/**
 * A connection to the primary. `until` is a moment of performance.now(): each database is asked once,
 * and again while waiting can help. Throws UserError.
 */
export async function connectPrimary(
  search: PrimarySearch,
  until: number,
): Promise<PostgresConnection> {
  const found = new AbortController()
  const attempts = search.addresses.map((address) => keepAsking(search, address, until, found))
  try {
    const connection = await Promise.any(attempts)
    closeOthers(attempts, connection)
    return connection
  } catch (error) {
    throw refusal(search, (error as AggregateError).errors)
  } finally {
    found.abort()
  }
}

async function keepAsking(
  search: PrimarySearch,
  address: DatabaseAddress,
  until: number,
  found: AbortController,
): Promise<PostgresConnection> {
  for (;;) {
    try {
      return await openPrimary(search, address)
    } catch (reason) {
      if (performance.now() > until || !mayPass(reason)) throw reason
    }
    await delay(againAfter, undefined, { signal: found.signal })
  }
}

async function openPrimary(
  { seen, options }: PrimarySearch,
  address: DatabaseAddress,
): Promise<PostgresConnection> {
  const { connection, facts } = await PostgresConnection.open(address, options)
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
