// Locate in SQL: the most selective equality drives, the rest filters, newest first.
import {
  columnName,
  objectRow,
  objectSelection,
  objectSource,
  idText,
  nameBytes,
  valueBytes,
} from './sql-storage-columns.ts'
import { after, inTurn, type Soon } from './soon.ts'
import type { ObjectRow, ScannedRows, SqlRow, SqlSession, SqlValue } from './storage.ts'
import type { ColumnRange, Found, Inclusion, IndexEntry, Query, ScanPosition } from './work.ts'
import { bytesIn } from './stored-values.ts'

/** Index entries are counted up to here; an entry with that many objects does not drive a search. */
const countedUpTo = 1000

/** Totals are counted up to here. */
const totalUpTo = 100_000

const newestFirst = 'ORDER BY o.initial_date DESC, o.n DESC'

/** An entry with at most that many objects has its rows loaded along. */
const few = 4

type FoundRows = Found & { readonly rows: readonly ObjectRow[] }

/** One page of identifiers and the total; the rows themselves too, where an entry has few. */
export function find(sql: SqlSession, query: Query): Soon<FoundRows> {
  return after(mostSelective(sql, query), (driving) => {
    if (driving?.objects === 0) return { ids: [], total: 0, totalIsFloor: false, rows: [] }
    if (driving === undefined || driving.objects > few) return findMany(sql, query, driving)
    const search = statement(query, driving.entry)
    const order = driving.objects === 1 ? '' : newestFirst
    const found = sql.query(
      `SELECT ${objectSelection} FROM ${search.from(objectSource)} ${order}`,
      search.parameters,
    )
    return after(found, (all) => {
      const rows = all.slice(query.offset, query.offset + query.limit).map(objectRow)
      return { ids: rows.map(({ id }) => id), total: all.length, totalIsFloor: false, rows }
    })
  })
}

async function findMany(
  sql: SqlSession,
  query: Query,
  driving: Driving | undefined,
): Promise<FoundRows> {
  const found = await page(sql, query, driving?.entry)
  const ids = found.map(([id]) => idText(bytesIn(id)))
  const isLastPage = ids.length < query.limit && (ids.length > 0 || query.offset === 0)
  const total = isLastPage ? query.offset + ids.length : await count(sql, query, driving?.entry)
  return { ids, total, totalIsFloor: total >= totalUpTo, rows: [] }
}

/** The matches among the next `query.limit` rows of the group, or among all of a selective entry. */
export async function scan(
  sql: SqlSession,
  query: Query,
  after: ScanPosition | undefined,
): Promise<ScannedRows> {
  const driving = await mostSelective(sql, query)
  if (driving?.objects === 0) return { rows: [] }
  const search = statement(query, driving?.entry)
  if (after) {
    search.where.push(
      `(o.initial_date, o.n) < (${search.place(after.initialDate)}, ${search.place(after.n)})`,
    )
  }
  const next = driving ? undefined : await windowEnd(sql, query, after)
  if (next) {
    search.where.push(
      `(o.initial_date, o.n) >= (${search.place(next.initialDate)}, ${search.place(next.n)})`,
    )
  }
  const rows = await sql.query(
    `SELECT ${objectSelection} FROM ${search.from(objectSource)} ${driving?.objects === 1 ? '' : newestFirst}`,
    search.parameters,
  )
  return next ? { rows: rows.map(objectRow), next } : { rows: rows.map(objectRow) }
}

/** Last row of the window that a scan's step examines; undefined when the group ends in it. */
async function windowEnd(
  sql: SqlSession,
  { group, limit }: Query,
  after: ScanPosition | undefined,
): Promise<ScanPosition | undefined> {
  const rows = await (after
    ? sql.query(
        `SELECT o.initial_date, o.n FROM objects o WHERE o.group_name = ?1
         AND (o.initial_date, o.n) < (?2, ?3) ${newestFirst} LIMIT 1 OFFSET ?4`,
        [group, after.initialDate, after.n, limit - 1],
      )
    : sql.query(
        `SELECT o.initial_date, o.n FROM objects o WHERE o.group_name = ?1
         ${newestFirst} LIMIT 1 OFFSET ?2`,
        [group, limit - 1],
      ))
  const [row] = rows
  return row && { initialDate: row[0] as bigint, n: Number(row[1]) }
}

function page(sql: SqlSession, query: Query, driving: IndexEntry | undefined): Soon<SqlRow[]> {
  const search = statement(query, driving)
  const limit = search.place(query.limit)
  const offset = search.place(query.offset)
  return sql.query(
    `SELECT o.id FROM ${search.from('objects o')} ${newestFirst} LIMIT ${limit} OFFSET ${offset}`,
    search.parameters,
  )
}

async function count(
  sql: SqlSession,
  query: Query,
  driving: IndexEntry | undefined,
): Promise<number> {
  const search = statement(query, driving)
  const rows = await sql.query(
    `SELECT count(*) FROM (SELECT 1 FROM ${search.from('objects o')} LIMIT ${totalUpTo}) AS counted`,
    search.parameters,
  )
  return Number(rows[0]![0])
}

/** The entry that the fewest objects have; undefined when none of them narrows the search much. */
function mostSelective(sql: SqlSession, { group, equals }: Query): Soon<Driving | undefined> {
  let best: Driving | undefined
  const counted = inTurn(equals, (entry) => {
    const place = [group, nameBytes(entry.attribute), valueBytes(entry.value)]
    return after(sql.query(countEntry, place), (rows) => {
      const objects = Number(rows[0]![0])
      if (objects < (best?.objects ?? countedUpTo)) best = { entry, objects }
      return objects > 1
    })
  })
  return after(counted, () => best)
}

/** An index entry that drives a search, and how many objects have it. */
interface Driving {
  readonly entry: IndexEntry
  readonly objects: number
}

const countEntry = `SELECT count(*) FROM (SELECT 1 FROM attribute_index
  WHERE group_name = ?1 AND attribute = ?2 AND value = ?3 LIMIT ${countedUpTo}) AS counted`

interface Search {
  readonly parameters: SqlValue[]
  readonly where: string[]
  /** Adds a parameter and returns its placeholder. */
  place(value: SqlValue): string
  /** FROM and WHERE around the source of objects; CROSS JOIN keeps SQLite from turning the join round. */
  from(objects: string): string
}

function statement(query: Query, driving: IndexEntry | undefined): Search {
  const parameters: SqlValue[] = []
  const place = (value: SqlValue): string => `?${parameters.push(value)}`
  const where: string[] = []
  const group = place(query.group)
  const entryIs = (alias: string, { attribute, value }: IndexEntry): string =>
    `${alias}.group_name = ${group} AND ${alias}.attribute = ${place(nameBytes(attribute))} AND ${alias}.value = ${place(valueBytes(value))}`

  if (driving) where.push(entryIs('d', driving), 'o.n = d.n')
  where.push(`o.group_name = ${group}`)
  for (const entry of query.equals) {
    if (entry === driving) continue
    where.push(
      `EXISTS (SELECT 1 FROM attribute_index e WHERE ${entryIs('e', entry)} AND e.n = o.n)`,
    )
  }
  if (query.type !== undefined) where.push(`o.object_type = ${place(query.type)}`)
  if (query.owner !== undefined) where.push(`o.owner = ${place(query.owner)}`)
  if (query.usageMask !== undefined) {
    const mask = place(query.usageMask)
    where.push(`(o.usage_mask & ${mask}) = ${mask}`)
  }
  where.push(...inclusion('o.destroy_date', query.destroyed))
  where.push(...inclusion('o.archive_date', query.archived))
  for (const range of query.ranges) where.push(...bounds(range, place))

  const source = driving ? 'attribute_index d CROSS JOIN ' : ''
  return {
    parameters,
    where,
    place,
    from: (objects) => `${source}${objects} WHERE ${where.join(' AND ')}`,
  }
}

function inclusion(column: string, included: Inclusion): string[] {
  if (included === 'include') return []
  return [`${column} IS ${included === 'only' ? 'NOT NULL' : 'NULL'}`]
}

function bounds(range: ColumnRange, place: (value: SqlValue) => string): string[] {
  const column = `o.${columnName[range.column]}`
  if (range.absent === 'only') return [`${column} IS NULL`]
  const within: string[] = []
  if (range.from !== undefined) within.push(`${column} >= ${place(range.from)}`)
  if (range.to !== undefined) within.push(`${column} <= ${place(range.to)}`)
  if (within.length === 0) return range.absent === 'also' ? [] : [`${column} IS NOT NULL`]
  if (range.absent === 'also') return [`(${column} IS NULL OR (${within.join(' AND ')}))`]
  return within
}
