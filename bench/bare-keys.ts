/** The tables and keys of `bare-keystore.ts`: those of keyreel, under a MAC and seal of its own. */
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { seal, sealOverhead } from '../src/crypto/primitives/aead.ts'
import { mac } from '../src/crypto/primitives/mac.ts'

/** A row as SQLite gives and takes it. */
export type Row = (null | number | bigint | string | Uint8Array)[]

/** The keys of one epoch. */
export interface EpochKeys {
  sealing: KeyObject
  records: KeyObject
  /** Of the check values of material. */
  checks: KeyObject
  audit: KeyObject
}

/** What a key consists of: rows as they stand in their tables, in the order of their columns. */
export interface KeyRows {
  object: Row
  unique: Row[]
  index: Row[]
  /** Places in the row of an object. */
  at: Record<Column, number>
}

const columns = [
  'id',
  'group_name',
  'object_type',
  'revision',
  'epoch',
  'mac',
  'record',
  'sealed',
] as const

type Column = (typeof columns)[number]

/** Keys made for this run. */
export function epochKeys(): EpochKeys {
  const key = () => createSecretKey(randomBytes(32))
  return { sealing: key(), records: key(), checks: key(), audit: key() }
}

/** What the MAC of an object's row covers before its record, and what its seal is bound to. */
export function macHead(
  id: string,
  type: unknown,
  group: unknown,
  epoch: unknown,
  revision: unknown,
): string {
  return `["object","${id}",${type},"${group}",${epoch},${revision}]\n`
}

/** See `macHead`. */
export function sealHead(id: string, type: unknown, group: unknown, epoch: unknown): Buffer {
  return Buffer.from(`["object","${id}",${type},"${group}",${epoch}]\n`)
}

/** Fills `into` with keyreel's tables and objects; answers the rows of the newest key. */
export function copyKeys(source: string, into: DatabaseSync, keys: EpochKeys): KeyRows {
  const from = new DatabaseSync(source, { readOnly: true, readBigInts: true, returnArrays: true })
  const all = (sql: string, ...parameters: Row) =>
    from.prepare(sql).all(...parameters) as unknown as Row[]
  try {
    for (const [sql] of all('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL'))
      into.exec(sql as string)
    const names = all('PRAGMA table_info(objects)').map(([, name]) => name)
    const at = Object.fromEntries(
      columns.map((name) => [name, names.indexOf(name)]),
    ) as KeyRows['at']
    const insert = inserting(into, 'objects', names.length)
    const note = inserting(into, 'revisions', 3)
    into.exec('BEGIN')
    let object: Row = []
    for (const row of all('SELECT * FROM objects ORDER BY n')) {
      object = sealedAgain(row, at, keys)
      insert.run(...object)
      for (const [n, revision] of all('SELECT * FROM revisions WHERE object = ?', row[0]!))
        note.run(n!, revision!, object[at.mac]!)
    }
    into.exec('COMMIT')
    const unique = all('SELECT * FROM unique_entries WHERE n = ?', object[0]!)
    const index = all('SELECT * FROM attribute_index WHERE n = ?', object[0]!)
    return { object, unique, index, at }
  } finally {
    from.close()
  }
}

function sealedAgain(row: Row, at: KeyRows['at'], { records, sealing }: EpochKeys): Row {
  const id = uuid(Buffer.from(row[at.id] as Uint8Array).toString('hex'))
  const fields = [id, row[at.object_type], row[at.group_name], row[at.epoch]] as const
  const plain = randomBytes((row[at.sealed] as Uint8Array).length - sealOverhead)
  const again = [...row]
  again[at.mac] = mac(records, macHead(...fields, row[at.revision]), row[at.record] as Uint8Array)
  again[at.sealed] = seal(sealing, plain, sealHead(...fields))
  return again
}

/** 32 digits with dashes. */
function uuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5')
}

/** A statement that inserts so many whole rows. */
export function inserting(database: DatabaseSync, table: string, columns: number, rows = 1) {
  const row = `(${Array(columns).fill('?').join(', ')})`
  return database.prepare(`INSERT INTO ${table} VALUES ${Array(rows).fill(row).join(', ')}`)
}
