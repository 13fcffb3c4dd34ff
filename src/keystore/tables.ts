// The tables that make a keystore what it is, one row each: what a backup holds and a restore brings back.
import type { SqlSession, SqlValue, SqlRow } from './storage.ts'

/** How the values of a column are written where there is no database. */
export type ColumnKind = 'integer' | 'text' | 'bytes'

/** A table, its columns in order and those of its primary key. */
export interface TableShape {
  readonly name: string
  readonly columns: Readonly<Record<string, ColumnKind>>
  readonly key: readonly string[]
  /** The database numbers its rows by itself. */
  readonly isNumbered?: boolean
}

const dates = {
  initial_date: 'integer',
  last_change_date: 'integer',
  activation_date: 'integer',
  deactivation_date: 'integer',
  destroy_date: 'integer',
  compromise_date: 'integer',
  archive_date: 'integer',
} as const

/** Every table that is copied, in the newest schema. */
export const tables: readonly TableShape[] = [
  { name: 'settings', columns: { name: 'text', value: 'text' }, key: ['name'] },
  { name: 'epochs', columns: { epoch: 'integer', seals: 'integer' }, key: ['epoch'] },
  {
    name: 'epoch_wraps',
    columns: { epoch: 'integer', provider: 'text', bytes: 'bytes' },
    key: ['epoch', 'provider'],
  },
  {
    name: 'objects',
    columns: {
      n: 'integer',
      id: 'bytes',
      group_name: 'text',
      object_type: 'integer',
      revision: 'integer',
      epoch: 'integer',
      owner: 'text',
      ...dates,
      algorithm: 'integer',
      key_length: 'integer',
      usage_mask: 'integer',
      fresh: 'integer',
      wipe_after: 'integer',
      entries: 'text',
      mac: 'bytes',
      record: 'bytes',
      sealed: 'bytes',
    },
    key: ['n'],
    isNumbered: true,
  },
  {
    name: 'revisions',
    columns: { object: 'integer', revision: 'integer', mac: 'bytes' },
    key: ['object'],
  },
  {
    name: 'attribute_index',
    columns: { group_name: 'text', attribute: 'bytes', value: 'bytes', n: 'integer' },
    key: ['group_name', 'attribute', 'value', 'n'],
  },
  {
    name: 'unique_entries',
    columns: { group_name: 'text', kind: 'text', value: 'bytes', n: 'integer' },
    key: ['group_name', 'kind', 'value'],
  },
  {
    name: 'documents',
    columns: {
      kind: 'text',
      name: 'text',
      revision: 'integer',
      epoch: 'integer',
      change: 'integer',
      mac: 'bytes',
      body: 'text',
      sealed: 'bytes',
    },
    key: ['kind', 'name'],
  },
  {
    name: 'document_revisions',
    columns: { kind: 'text', name: 'text', revision: 'integer', mac: 'bytes' },
    key: ['kind', 'name'],
  },
  {
    name: 'audit',
    columns: {
      chain: 'text',
      first: 'integer',
      last: 'integer',
      epoch: 'integer',
      mac: 'bytes',
      body: 'text',
    },
    key: ['chain', 'first'],
  },
  {
    name: 'audit_objects',
    columns: { object: 'bytes', chain: 'text', number: 'integer' },
    key: ['object', 'chain', 'number'],
  },
  { name: 'audit_indexed', columns: { chain: 'text', number: 'integer' }, key: ['chain'] },
]

/** Tables that are not copied, and why. */
export const tablesLeftOut: Readonly<Record<string, string>> = {
  transients: 'what is kept for a while: waiting requests, tickets, how far a scrub is',
}

/** At most `limit` rows of a table after the key `after`, in the order of the key. */
export async function rowsAfter(
  sql: SqlSession,
  { name, columns, key }: TableShape,
  after: readonly SqlValue[] | undefined,
  limit: number,
): Promise<readonly SqlRow[]> {
  const selected = Object.keys(columns).join(', ')
  const order = `ORDER BY ${key.join(', ')} LIMIT ${limit}`
  if (after === undefined) return sql.query(`SELECT ${selected} FROM ${name} ${order}`)
  const places = key.map((_, at) => `?${at + 1}`).join(', ')
  return sql.query(
    `SELECT ${selected} FROM ${name} WHERE (${key.join(', ')}) > (${places}) ${order}`,
    after,
  )
}

/** The key of a row that `rowsAfter` read. */
export function keyOf({ columns, key }: TableShape, row: SqlRow): readonly SqlValue[] {
  const names = Object.keys(columns)
  return key.map((column) => row[names.indexOf(column)]!)
}

/** Puts rows into a table that has these columns. */
export async function putRows(
  sql: SqlSession,
  table: string,
  columns: readonly string[],
  rows: readonly SqlRow[],
): Promise<void> {
  const places = columns.map((_, at) => `?${at + 1}`).join(', ')
  const insert = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places})`
  for (const row of rows) await sql.query(insert, row)
}

/** Lets the database go on numbering after the rows that were put there with their numbers. */
export async function continueNumbering(
  sql: SqlSession,
  dialect: 'sqlite' | 'postgres',
): Promise<void> {
  if (dialect === 'sqlite') return
  for (const { name, isNumbered } of tables) {
    if (isNumbered !== true) continue
    await sql.query(
      `SELECT setval(pg_get_serial_sequence('${name}', 'n'), (SELECT COALESCE(max(n), 0) + 1 FROM ${name}), false)`,
    )
  }
}
