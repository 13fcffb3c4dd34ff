// Who may write, and what became of a commit. Every writing transaction takes its turn: it raises the
// one number in `turns`, and the row's lock makes it the only writer among all nodes. Under the number
// it leaves a random mark; a commit whose answer was lost, and a database older than one that was seen
// before, are told by number and mark. Only rows and locks are used, so that a database which speaks
// PostgreSQL's protocol but has no advisory locks serves as well.
import { randomBytes } from '../crypto/primitives/random.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { isMissingTable, sqlState } from './postgres-errors.ts'
import { primaryAlone } from './postgres-facts.ts'
import { UserError } from '../errors.ts'

/** Marks kept: those of the newest turns. At a thousand commits a second they last ten seconds. */
const marksKept = 10_000n

/** A turn taken. */
export interface Turn {
  readonly number: bigint
  readonly mark: string
}

const tables = [
  `CREATE TABLE IF NOT EXISTS turns (one INTEGER PRIMARY KEY, number BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS turn_marks
   (slot BIGINT PRIMARY KEY, number BIGINT NOT NULL, mark TEXT NOT NULL)`,
  `INSERT INTO turns (one, number) VALUES (1, 0) ON CONFLICT DO NOTHING`,
]

const takeTurn = `WITH taken AS (UPDATE turns SET number = number + 1 WHERE one = 1 RETURNING number)
  INSERT INTO turn_marks (slot, number, mark)
  SELECT number % ${marksKept}, number, ?1 FROM taken
  ON CONFLICT (slot) DO UPDATE SET number = excluded.number, mark = excluded.mark
  RETURNING number`

/** Begins a transaction that is the only writer; waits for the one before. */
export async function beginTurn(connection: PostgresConnection): Promise<Turn> {
  for (;;) {
    connection.failure = undefined
    connection.hasWritten = false
    connection.reliance = primaryAlone
    const mark = Buffer.from(randomBytes(16)).toString('hex')
    // Sent together: the answer to BEGIN is not waited for.
    const begun = connection.run('BEGIN ISOLATION LEVEL READ COMMITTED')
    const taken = connection.run(takeTurn, [mark])
    const [beginning, taking] = await Promise.allSettled([begun, taken])
    if (beginning.status === 'rejected') throw beginning.reason
    const row = taking.status === 'fulfilled' ? taking.value[0] : undefined
    if (row) return { number: row[0] as bigint, mark }
    await connection.rollback()
    if (taking.status === 'rejected' && !isMissingTable(taking.reason)) throw taking.reason
    await makeTables(connection)
  }
}

async function makeTables(connection: PostgresConnection): Promise<void> {
  for (const table of tables) {
    try {
      await connection.run(table)
    } catch (error) {
      // Another node makes the same table at this moment (unique_violation, duplicate_table).
      if (!['23505', '42P07'].includes(sqlState(error) ?? '')) throw error
    }
  }
}

/** What became of a turn: read while no other writer runs, or long after. */
export type TurnFate = 'committed' | 'undone' | 'unknown'

/** What the database says about a turn. */
export async function fateOf(connection: PostgresConnection, turn: Turn): Promise<TurnFate> {
  const rows = await connection.run('SELECT number, mark FROM turn_marks WHERE slot = ?1', [
    turn.number % marksKept,
  ])
  const [number, mark] = rows[0] ?? []
  if (number === turn.number) return mark === turn.mark ? 'committed' : 'undone'
  return typeof number === 'bigint' && number > turn.number ? 'unknown' : 'undone'
}

/** The newest turns that this node has met, by which an older database is told. */
export class TurnsSeen {
  #own: Turn | undefined
  #number = 0n
  #others = false

  /** `standing`: what an earlier process of this node had met. */
  constructor(standing?: string) {
    const [, number, own, mark] = /^(\d+)(?: (\d+) ([0-9a-f]+))?$/.exec(standing ?? '') ?? []
    if (number !== undefined) this.#number = BigInt(number)
    if (own !== undefined && mark !== undefined) this.#own = { number: BigInt(own), mark }
  }

  /** What was met, for the next process. */
  standing(): string | undefined {
    if (this.#number === 0n) return undefined
    const own = this.#own
    return own === undefined ? `${this.#number}` : `${this.#number} ${own.number} ${own.mark}`
  }

  /** The turn is committed. */
  committed(turn: Turn): void {
    this.#own = turn
    this.#number = turn.number
  }

  /** The turn was taken: the one before it is committed. */
  taken(turn: Turn): void {
    this.#others ||= this.#own !== undefined && turn.number - 1n > this.#own.number
    if (turn.number - 1n > this.#number) this.#number = turn.number - 1n
  }

  /** Whether others have taken turns between ours since this was last asked. */
  others(): boolean {
    const others = this.#others
    this.#others = false
    return others
  }

  /** Throws UserError 'database-behind' for a database that lacks what was acknowledged. */
  async demandNewer(connection: PostgresConnection): Promise<void> {
    if (this.#number === 0n) return
    const number = await turnsOf(connection)
    const own = this.#own
    const isBehind = number < this.#number
    if (!isBehind && (own === undefined || (await fateOf(connection, own)) !== 'undone')) return
    throw new UserError(
      'database-behind',
      `${connection.address.name}: it lacks changes that keyreel has already answered for (at ${number}, seen ${this.#number})`,
      'this server was behind when it became the primary: bring back the one before it; to go on with what is here, stop every node, move last-seen.json out of its data directory, and start it again',
    )
  }
}

async function turnsOf(connection: PostgresConnection): Promise<bigint> {
  try {
    const rows = await connection.run('SELECT number FROM turns WHERE one = 1')
    return (rows[0]?.[0] as bigint | undefined) ?? 0n
  } catch (error) {
    if (isMissingTable(error)) return 0n
    throw error
  }
}
