// Whether any of many identifiers, unique values or index entries is there: few statements for all of them.
import { toHex } from '../crypto/primitives/hash.ts'
import { idBytes, nameBytes, valueBytes } from './sql-storage-columns.ts'
import type { SqlSession } from './storage.ts'
import { bytesIn } from './stored-values.ts'
import type { Things } from './work.ts'

/** Values asked for in one statement. */
const perStatement = 32

const places = (from: number): string =>
  Array.from({ length: perStatement }, (_, at) => `?${from + at}`).join(', ')

const anyObject = `SELECT 1 FROM objects WHERE id IN (${places(1)}) LIMIT 1`

const anyUnique = `SELECT 1 FROM unique_entries
  WHERE group_name = ?1 AND kind = ?2 AND value IN (${places(3)}) LIMIT 1`

const anyIndexed = `SELECT 1 FROM attribute_index
  WHERE group_name = ?1 AND attribute = ?2 AND value IN (${places(3)}) LIMIT 1`

const whichObjects = `SELECT id FROM objects WHERE id IN (${places(1)})`

/** Those of the identifiers that no object has, of whatever group. */
export async function lackingObjects(
  sql: SqlSession,
  ids: readonly string[],
): Promise<readonly string[]> {
  const there = new Set<string>()
  for (const some of inStatements(ids.map(idBytes)))
    for (const [id] of await sql.query(whichObjects, some)) there.add(toHex(bytesIn(id)))
  return ids.filter((id) => !there.has(toHex(idBytes(id))))
}

/** Whether any of these is there: an object of whatever group, or an entry of this one. */
export async function holdsAny(
  sql: SqlSession,
  group: string,
  { ids, unique, index }: Things,
): Promise<boolean> {
  if (await holdsValue(sql, anyObject, [], ids.map(idBytes))) return true
  for (const [kind, values] of byName(unique.map(({ kind, value }) => [kind, value])))
    if (await holdsValue(sql, anyUnique, [group, kind], values)) return true
  for (const [name, values] of byName(index.map(({ attribute, value }) => [attribute, value])))
    if (await holdsValue(sql, anyIndexed, [group, nameBytes(name)], values)) return true
  return false
}

function byName(entries: readonly [name: string, value: string][]): Map<string, Uint8Array[]> {
  const found = new Map<string, Uint8Array[]>()
  for (const [name, value] of entries) {
    const values = found.get(name)
    if (values === undefined) found.set(name, [valueBytes(value)])
    else values.push(valueBytes(value))
  }
  return found
}

async function holdsValue(
  sql: SqlSession,
  statement: string,
  before: readonly (string | Uint8Array)[],
  values: readonly Uint8Array[],
): Promise<boolean> {
  for (const some of inStatements(values))
    if ((await sql.query(statement, [...before, ...some])).length > 0) return true
  return false
}

/** The values of each statement, which is the same for fewer: the last one is then asked for again. */
function* inStatements(values: readonly Uint8Array[]): Generator<Uint8Array[]> {
  for (let first = 0; first < values.length; first += perStatement) {
    const some = values.slice(first, first + perStatement)
    while (some.length < perStatement) some.push(some.at(-1)!)
    yield some
  }
}
