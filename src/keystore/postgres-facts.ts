// How a PostgreSQL server is set, as far as it matters for keys. Settings a compatible database does not
// have count as safe: it has other ways.
import { setTimeout as delay } from 'node:timers/promises'
import type { Copies } from './ready.ts'
import type { SqlDriver, SqlRow, SqlSession, SqlValue } from './storage.ts'

/** What matters of a server's settings. */
export interface PostgresFacts {
  readonly version: string
  /** A setting by which a crash may lose what was acknowledged, such as `fsync=off`. */
  readonly unsafe: string | undefined
  /** Whether commits wait for a standby. */
  readonly hasStandby: boolean
}

const settings = ['server_version', 'fsync', 'full_page_writes', 'synchronous_standby_names']

/** The settings of the primary. */
export async function postgresFacts(driver: SqlDriver): Promise<PostgresFacts> {
  const columns = settings.map((name) => `current_setting('${name}', true)`)
  const rows = await driver.snapshot((sql) => sql.query(`SELECT ${columns.join(', ')}`))
  const [version, fsync, pages, standbys] = rows[0]!
  const off = [fsync === 'off' && 'fsync=off', pages === 'off' && 'full_page_writes=off']
  return {
    version: String(version),
    unsafe: off.find((setting) => setting !== false),
    hasStandby: typeof standbys === 'string' && standbys.trim() !== '',
  }
}

const standbys = `SELECT current_setting('synchronous_standby_names', true),
    current_setting('synchronous_commit', true),
    count(*) FILTER (WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming'),
    count(*) FILTER (WHERE sync_state IN ('async', 'potential') AND state = 'streaming'),
    count(*) FILTER (WHERE state IS NULL),
    (SELECT CAST(max(extract(epoch FROM clock_timestamp() - query_start)) * 1000 AS BIGINT)
      FROM pg_stat_activity WHERE wait_event = 'SyncRep'),
    string_agg(application_name, chr(10))
      FILTER (WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming')
  FROM pg_stat_replication`

/** Milliseconds after which a commit that waits for its standby shows that nobody is there. */
const noAnswer = 2_000

/**
 * On how many machines a commit is on disk once it is answered: the primary, and the standbys that it waits
 * for, all of them there now. One that is only sent what happens does not count.
 */
export async function standbyCopies(
  sql: Pick<SqlSession, 'query' | 'savepoint'>,
): Promise<StandbyCopies> {
  const rows = await sql.savepoint(() => sql.query(standbys)).catch(() => undefined)
  const [row] = rows ?? []
  return row === undefined
    ? { count: 1, missing: 'the database does not tell of its standbys', names: [] }
    : { ...copiesOf(row), names: String(row[6] ?? '').split('\n') }
}

/** Copies, and the names of the standbys that are waited for. */
export interface StandbyCopies extends Copies {
  readonly names: readonly string[]
}

/** What the acts of a transaction rely on. */
export interface Reliance {
  /** Machines that must have it before it is acknowledged. */
  readonly copies: number
  /** Names of the standbys that were to be waited for. */
  readonly names: readonly string[]
}

/** Nothing beyond the primary. */
export const primaryAlone: Reliance = { copies: 1, names: [] }

const reached = `SELECT count(*) FROM pg_stat_replication
  WHERE state = 'streaming' AND flush_lsn >= CAST(?1 AS pg_lsn)
    AND (sync_state IN ('sync', 'quorum') OR application_name = ANY (string_to_array(?2, chr(10))))`

/** Milliseconds in which a standby that is there has what was committed, and between two looks. */
const arrival = { patience: 1_000, look: 10 }

/**
 * Whether what was committed last is on as many machines as was relied on. The commit alone does not tell: whoever
 * empties synchronous_standby_names lets commits go that wait, and those behind them do not wait at all.
 */
export async function isOnCopies(
  connection: { run(sql: string, parameters?: readonly SqlValue[]): Promise<SqlRow[]> },
  { copies, names }: Reliance,
): Promise<boolean> {
  if (copies <= 1) return true
  const until = performance.now() + arrival.patience
  const [row] = await connection.run('SELECT CAST(pg_current_wal_insert_lsn() AS TEXT)')
  const end = String(row![0])
  for (;;) {
    const [found] = await connection.run(reached, [end, names.join('\n')])
    if (1 + Number(found![0]) >= copies) return true
    if (performance.now() > until) return false
    await delay(arrival.look)
  }
}

function copiesOf([names, durability, synchronous, others, hidden, waited]: SqlRow): Copies {
  const stuckFor = Number(waited ?? 0)
  const awaited = awaitedStandbys(String(names ?? ''))
  const one = (missing: string): Copies => ({ count: 1, missing })
  if (awaited === 0) {
    return Number(others) === 0
      ? one('the database has no standby')
      : one('the standby of the database is asynchronous')
  }
  if (durability !== 'on' && durability !== 'remote_apply')
    return one(`the database is set to synchronous_commit=${String(durability)}`)
  if (Number(hidden) > 0 && Number(synchronous) === 0)
    return one('the database does not let this server see its standbys')
  if (Number(synchronous) < awaited) {
    const there = `${String(synchronous)} of ${awaited}`
    return {
      ...one(`the synchronous standby of the database is away (${there} there)`),
      stuckFor,
    }
  }
  // One that vanished without a word counts as there for a minute (wal_sender_timeout).
  if (stuckFor >= noAnswer)
    return { ...one('the synchronous standby of the database does not answer'), stuckFor }
  return { count: 1 + awaited, missing: `commits wait for ${awaited} standby` }
}

/** How many standbys a commit waits for (postgresql.org/docs/current/runtime-config-replication.html). */
function awaitedStandbys(names: string): number {
  if (names.trim() === '') return 0
  const [, number] = /^\s*(?:FIRST\s+|ANY\s+)?(\d+)\s*\(/i.exec(names) ?? []
  return number === undefined ? 1 : Number(number)
}
