/** The durable limit: the very rows of keyreel's keys, 64 per commit, WAL and synchronous=FULL, in a bare loop. */
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** Tables of which keys have rows, and the column that says whose. */
const tables = [
  ['objects', 'n'],
  ['attribute_index', 'n'],
  ['unique_entries', 'n'],
  ['revisions', 'object'],
] as const

type Row = (null | number | bigint | string | Uint8Array)[]

/** Keys per second of a bare loop that inserts the newest `keys` keys of `source` into `file`. */
export function bareInsertsPerSecond(source: string, file: string, keys: number): number {
  rmSync(file, { force: true })
  const from = new DatabaseSync(source, { readOnly: true, readBigInts: true, returnArrays: true })
  const into = new DatabaseSync(file)
  try {
    into.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON')
    for (const [name] of tables) {
      const schema = from
        .prepare('SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL')
        .all(name) as unknown as [string][]
      for (const [sql] of schema) into.exec(sql)
    }
    const rows = tables.flatMap(([name, owner]) => {
      const all = from
        .prepare(
          `SELECT ${owner}, t.* FROM ${name} t WHERE ${owner} IN (SELECT n FROM objects ORDER BY n DESC LIMIT ?)`,
        )
        .all(keys) as unknown as Row[]
      const [first] = all
      // A key that was never changed has no row among the revisions.
      if (first === undefined) return []
      const places = first
        .slice(1)
        .map(() => '?')
        .join(', ')
      return [
        {
          insert: into.prepare(`INSERT INTO ${name} VALUES (${places})`),
          ofKey: Map.groupBy(all, ([n]) => Number(n)),
        },
      ]
    })
    const numbers = [...rows[0]!.ofKey.keys()]
    const start = performance.now()
    for (let at = 0; at < numbers.length; at += 64) {
      into.exec('BEGIN IMMEDIATE')
      for (const n of numbers.slice(at, at + 64)) {
        for (const { insert, ofKey } of rows) {
          for (const row of ofKey.get(n) ?? []) insert.run(...row.slice(1))
        }
      }
      into.exec('COMMIT')
    }
    return numbers.length / ((performance.now() - start) / 1000)
  } finally {
    into.close()
    from.close()
  }
}
