// Copies a keystore's tables from a file into PostgreSQL, row for row: what is sealed stays sealed, and
// every MAC stays as it is. Each step is one transaction of the target, in which it notes how far it is,
// so a copy that was cut off goes on where it stood. At the end both sides are read again and compared.
import { sha256, toHex } from '../crypto/primitives/hash.ts'
import { UserError } from '../errors.ts'
import type { SqlDriver, SqlSession, SqlValue } from './storage.ts'

const rowsPerStep = 500

/** Setting of the target that says how far a copy is; gone once it is whole. */
const noteName = 'moving'

/** Written by the target's own migrations. */
const ownSettings = `WHERE name NOT IN ('schema', '${noteName}')`

/** A table of the source. */
interface Table {
  readonly name: string
  readonly columns: readonly string[]
  readonly key: readonly string[]
}

/** How far a copy is. `source` tells whether the source is still as it was when the copy began. */
interface Note {
  readonly source: string
  readonly table: string
  readonly done: number
}

/** A table as it was found equal on both sides. */
export interface MovedTable {
  readonly table: string
  readonly rows: number
  /** SHA-256 over all rows in the order of their key. */
  readonly digest: string
}

/**
 * Copies what is not there yet and compares everything. `source` is a transaction of the file, which
 * nobody writes meanwhile. Throws UserError 'initialised' where the target holds something else, and
 * 'move-differs' when a table is not equal in the end.
 */
export async function moveTables(
  source: SqlSession,
  target: SqlDriver,
  step: (rows: number) => void,
): Promise<readonly MovedTable[]> {
  const tables = await tablesOf(source)
  const state = await stateOf(source)
  await begin(target, state, tables)
  for (const table of tables) await copy(source, target, table, state, step)
  const moved: MovedTable[] = []
  for (const table of tables) moved.push(await compare(source, target, table))
  return moved
}

/** A restore begins to fill the target: until `endMove` it is no keystore, and may be taken away again. */
export async function beginFilling(target: SqlDriver): Promise<void> {
  await target.transaction((sql) => putNote(sql, { source: 'restored', table: '', done: 0 }))
}

/** The copy is whole and has been verified: from now on the target is a keystore like any other. */
export async function endMove(target: SqlDriver): Promise<void> {
  await target.transaction((sql) => sql.query('DELETE FROM settings WHERE name = ?1', [noteName]))
}

/** Whether a copy into this database was begun and not ended. */
export async function isHalfMoved(target: SqlDriver): Promise<boolean> {
  return (await target.snapshot(noteIn)) !== undefined
}

async function tablesOf(source: SqlSession): Promise<readonly Table[]> {
  const names = await source.query(
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
  )
  const tables: Table[] = []
  for (const [name] of names as [string][]) {
    const columns = await source.query(
      `SELECT name, pk FROM pragma_table_info('${name}') ORDER BY cid`,
    )
    const key = columns.filter(([, pk]) => pk !== 0n).sort((a, b) => Number(a[1]) - Number(b[1]))
    const text = ([column]: readonly SqlValue[]): string => column as string
    tables.push({ name, columns: columns.map(text), key: key.map(text) })
  }
  return tables
}

/** Heads of all audit chains: whatever changes the keystore changes one of them. */
async function stateOf(source: SqlSession): Promise<string> {
  const heads = await source.query(
    'SELECT chain, max(last) FROM audit GROUP BY chain ORDER BY chain',
  )
  const newest = heads.map(([chain, last]) => `${String(chain)}=${String(last)}`)
  return toHex(sha256(newest.join('\n')))
}

async function begin(target: SqlDriver, source: string, tables: readonly Table[]): Promise<void> {
  await target.transaction(async (sql) => {
    const note = await noteIn(sql)
    if (note?.source === source) return
    // A copy of an earlier state is thrown away; a keystore never is.
    if (note === undefined && (await isKeystore(sql))) throw targetInUse()
    for (const { name } of tables) {
      await sql.query(`DELETE FROM ${name}${name === 'settings' ? ` ${ownSettings}` : ''}`)
    }
    await putNote(sql, { source, table: '', done: 0 })
  })
}

async function isKeystore(sql: SqlSession): Promise<boolean> {
  return (await sql.query(`SELECT 1 FROM settings WHERE name = 'store'`)).length > 0
}

async function copy(
  source: SqlSession,
  target: SqlDriver,
  table: Table,
  state: string,
  step: (rows: number) => void,
): Promise<void> {
  const note = await target.snapshot(noteIn)
  if (note !== undefined && note.table > table.name) return
  let done = note?.table === table.name ? note.done : 0
  let after = await keyAt(source, table, done)
  for (;;) {
    const rows = await rowsAfter(source, table, after)
    done += rows.length
    await target.transaction(async (sql) => {
      // Sent together; the first failure fails the transaction.
      await Promise.all(rows.map(async (row) => sql.query(insertInto(table), row)))
      if (rows.length < rowsPerStep) await numberOn(sql, table)
      await putNote(sql, { source: state, table: table.name, done })
    })
    step(rows.length)
    if (rows.length < rowsPerStep) return
    after = keyOf(table, rows.at(-1)!)
  }
}

/** New rows get numbers behind those that came. */
async function numberOn(sql: SqlSession, { name, key }: Table): Promise<void> {
  if (key.join() !== 'n') return
  const rows = await sql.query(`SELECT coalesce(max(n), 0) + 1 FROM ${name}`)
  const identity = await sql.query(
    `SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema()
     AND table_name = ?1 AND column_name = 'n' AND is_identity = 'YES'`,
    [name],
  )
  if (identity.length > 0) {
    await sql.query(`ALTER TABLE ${name} ALTER COLUMN n RESTART WITH ${String(rows[0]![0])}`)
  }
}

async function compare(source: SqlSession, target: SqlDriver, table: Table): Promise<MovedTable> {
  const ours = await digestOf(source, table)
  const theirs = await target.snapshot((sql) => digestOf(sql, table))
  if (ours.digest === theirs.digest) return { table: table.name, ...ours }
  throw new UserError(
    'move-differs',
    `table ${table.name} is not the same on both sides (${ours.rows} and ${theirs.rows} rows)`,
    'the keystore in the file is untouched and goes on serving; empty the database and move again',
  )
}

async function digestOf(
  sql: SqlSession,
  table: Table,
): Promise<{ readonly rows: number; readonly digest: string }> {
  let digest: Uint8Array = new Uint8Array(32)
  let count = 0
  let after: readonly SqlValue[] | undefined
  for (;;) {
    const rows = await rowsAfter(sql, table, after)
    for (const row of rows) digest = sha256(digest, ...row.map(valueBytes))
    count += rows.length
    if (rows.length < rowsPerStep) return { rows: count, digest: toHex(digest) }
    after = keyOf(table, rows.at(-1)!)
  }
}

/** A value with its kind and length in front, so that no two rows have the same bytes. */
function valueBytes(value: SqlValue): Uint8Array {
  if (value === null) return Buffer.from('-')
  const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value))
  return Buffer.concat([Buffer.from(`${typeof value} ${bytes.length} `), bytes])
}

async function rowsAfter(
  sql: SqlSession,
  { name, columns, key }: Table,
  after: readonly SqlValue[] | undefined,
): Promise<readonly (readonly SqlValue[])[]> {
  const own = name === 'settings' ? ownSettings : 'WHERE 1 = 1'
  const places = key.map((_, at) => `?${at + 1}`)
  const behind = after === undefined ? '' : ` AND (${key.join(', ')}) > (${places.join(', ')})`
  return sql.query(
    `SELECT ${columns.join(', ')} FROM ${name} ${own}${behind}
     ORDER BY ${key.join(', ')} LIMIT ${rowsPerStep}`,
    after,
  )
}

/** The key of the last of the first `done` rows. */
async function keyAt(
  source: SqlSession,
  { name, key }: Table,
  done: number,
): Promise<readonly SqlValue[] | undefined> {
  if (done === 0) return undefined
  const own = name === 'settings' ? ownSettings : ''
  const rows = await source.query(
    `SELECT ${key.join(', ')} FROM ${name} ${own} ORDER BY ${key.join(', ')} LIMIT 1 OFFSET ?1`,
    [done - 1],
  )
  return rows[0]
}

function keyOf({ columns, key }: Table, row: readonly SqlValue[]): readonly SqlValue[] {
  return key.map((column) => row[columns.indexOf(column)]!)
}

function insertInto({ name, columns }: Table): string {
  const places = columns.map((_, at) => `?${at + 1}`)
  return `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${places.join(', ')})`
}

async function noteIn(sql: SqlSession): Promise<Note | undefined> {
  const rows = await sql.query('SELECT value FROM settings WHERE name = ?1', [noteName])
  return rows[0] && (JSON.parse(rows[0][0] as string) as Note)
}

async function putNote(sql: SqlSession, note: Note): Promise<void> {
  await sql.query(
    `INSERT INTO settings (name, value) VALUES (?1, ?2)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    [noteName, JSON.stringify(note)],
  )
}

function targetInUse(): UserError {
  return new UserError(
    'initialised',
    'the database holds a keystore already',
    'name an empty database, or a schema of its own, with --to',
  )
}
