/**
 * The parts of a backup: rows of one table each, as lines of JSON. The first line names the table, its columns
 * and their kinds; each further line is an array of one row's values: integers as numbers, or as decimal
 * text beyond 2^53; byte strings in base64; null.
 */
import { z } from 'zod'
import type { SqlRow, SqlValue } from '../keystore/storage.ts'
import type { ColumnKind } from '../keystore/tables.ts'
import { unreadableBackup } from './backup-refusals.ts'

/** Rows of one table. */
export interface TableRows {
  readonly table: string
  readonly columns: Readonly<Record<string, ColumnKind>>
  readonly rows: readonly SqlRow[]
}

const word = z.string().regex(/^[a-z][a-z_]*$/)
const head = z.strictObject({
  table: word,
  columns: z.record(word, z.enum(['integer', 'text', 'bytes'])),
})
const row = z.array(z.union([z.null(), z.string(), z.number().int()]))

/** The lines before the rows, and a row's: each ends in a newline. */
export function headLine({ table, columns }: Omit<TableRows, 'rows'>): string {
  return `${JSON.stringify({ table, columns })}\n`
}

/** A row's line. */
export function rowLine(values: SqlRow): string {
  return `${JSON.stringify(values.map(written))}\n`
}

/** The rows of a part. Throws UserError 'backup-unreadable'. */
export function readPart(content: Uint8Array): TableRows {
  const lines = new TextDecoder('utf-8', { fatal: true }).decode(content).split('\n')
  if (lines.pop() !== '') throw unreadableBackup('a part of it has no end')
  const [first = '', ...rest] = lines
  const { table, columns } = parsed(first, head)
  const kinds = Object.values(columns)
  const rows = rest.map((line) => {
    const values = parsed(line, row)
    if (values.length !== kinds.length) throw unreadableBackup(`a row of ${table} is incomplete`)
    return values.map((value, at) => read(value, kinds[at]!, table))
  })
  return { table, columns, rows }
}

function written(value: SqlValue): string | number | null {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  if (typeof value !== 'bigint') return Buffer.from(value).toString('base64')
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

function read(value: string | number | null, kind: ColumnKind, table: string): SqlValue {
  if (value === null) return null
  if (kind === 'integer') {
    if (typeof value === 'number' || /^-?\d{1,19}$/.test(value)) return BigInt(value)
  } else if (typeof value === 'string') {
    return kind === 'text' ? value : Buffer.from(value, 'base64')
  }
  throw unreadableBackup(`a value of ${table} is of another kind than its column`)
}

function parsed<T>(line: string, shape: z.ZodType<T>): T {
  try {
    return shape.parse(JSON.parse(line))
  } catch (cause) {
    throw unreadableBackup('a line of it is not as it was written', cause)
  }
}
