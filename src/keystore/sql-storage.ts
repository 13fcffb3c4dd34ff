// Storage over any SqlDriver: objects, their revisions and derived rows. SQL both databases understand.
import { auditReading, auditWriting } from './sql-storage-audit.ts'
import {
  columnValues,
  derivedColumns,
  entriesText,
  idBytes,
  idText,
  objectRow,
  objectSelection,
  objectSource,
  nameBytes,
  uuidBytes,
  valueBytes,
} from './sql-storage-columns.ts'
import { documentReading, documentWriting } from './sql-storage-documents.ts'
import { find, scan } from './sql-storage-locate.ts'
import { holdsAny, lackingObjects } from './sql-storage-presence.ts'
import { transientReading, transientWriting } from './sql-storage-transients.ts'
import { after, inTurn, type Soon } from './soon.ts'
import { StillRows } from './still-rows.ts'
import { rowsAfter, tables } from './tables.ts'
import type {
  Entries,
  ObjectRow,
  SqlDriver,
  SqlRow,
  SqlSession,
  Storage,
  StorageReader,
  StorageWriter,
  WrittenObject,
} from './storage.ts'
import { UniqueConflict, type IndexEntry, type UniqueEntry } from './work.ts'
import { bytesIn, bytesOrNull, textIn } from './stored-values.ts'

/** A driver has few sessions and uses them again and again. */
function onEach<T>(make: (sql: SqlSession) => T): (sql: SqlSession) => T {
  const parts = new WeakMap<SqlSession, T>()
  return (sql) => {
    const part = parts.get(sql) ?? make(sql)
    parts.set(sql, part)
    return part
  }
}

/** The store's tables in that database, which has been migrated. */
export function sqlStorage(driver: SqlDriver): Storage {
  const reader = onEach(reading)
  const writer = onEach((sql) => {
    const still = new StillRows()
    return { still, rows: writing(still.watching(sql), still) }
  })
  return {
    write(fn) {
      let begun: StillRows | undefined
      const done = driver.transaction((sql) => {
        const { still, rows } = writer(sql)
        begun = still
        still.begin(sql)
        return fn(rows)
      })
      return done.catch((error: unknown) => {
        begun?.undone()
        throw error
      })
    },
    read: (fn) => driver.snapshot((sql) => fn(reader(sql))),
    truncateLog: () => driver.truncateLog(),
    othersWrote: () => driver.othersWrote(),
    moveLog: (when) => driver.moveLog(when),
    clockAhead: () => driver.clockAhead(),
    standing: () => driver.standing(),
    close: () => driver.close(),
  }
}

// Statements are written out once: they are looked up by their text.
const objectById = `SELECT ${objectSelection} FROM ${objectSource} WHERE o.id = ?1`
const objectOfGroup = `${objectById} AND o.group_name = ?2`
const objectUnchanged = `SELECT 1 FROM ${objectSource} WHERE o.n = ?1 AND o.id = ?2 AND o.group_name = ?3
  AND o.object_type = ?4 AND o.revision = ?5 AND o.epoch = ?6 AND o.entries = ?7 AND o.mac = ?8
  AND o.record = ?9 AND o.sealed = ?10
  AND (r.revision = o.revision AND r.mac = o.mac OR r.object IS NULL AND o.revision = 1)`
const holderOf = `SELECT o.id FROM unique_entries u JOIN objects o ON o.n = u.n
  WHERE u.group_name = ?1 AND u.kind = ?2 AND u.value = ?3`

function reading(sql: SqlSession): StorageReader {
  return {
    copies: (relied) => sql.copies(relied),
    ...auditReading(sql),
    ...documentReading(sql),
    ...transientReading(sql),
    holdsAny: (group, things) => holdsAny(sql, group, things),
    lackingObjects: (ids) => lackingObjects(sql, ids),
    tableRows: (table, after, limit) => rowsAfter(sql, table, after, limit),
    find: (query) => find(sql, query),
    scan: (query, after) => scan(sql, query, after),
    object(group, id) {
      const bytes = idBytes(id)
      const rows =
        group === undefined
          ? sql.query(objectById, [bytes])
          : sql.query(objectOfGroup, [bytes, group])
      return after(rows, firstObject)
    },
    isUnchanged({ n, id, group, type, revision, epoch, entriesText, mac, record, sealed }) {
      const fields = [n, idBytes(id), group, type, revision, epoch, entriesText, mac, record]
      return after(sql.query(objectUnchanged, [...fields, sealed ?? null]), isOne)
    },
    async sealed(n) {
      const rows = await sql.query('SELECT sealed FROM objects WHERE n = ?1', [n])
      return bytesOrNull(rows[0]?.[0])
    },
    async identifiers(low, high, limit) {
      const rows = await sql.query(
        'SELECT id FROM objects WHERE id >= ?1 AND id <= ?2 AND length(id) = 16 ORDER BY id LIMIT ?3',
        [uuidBytes(low)!, uuidBytes(high)!, limit],
      )
      return rows.map(([id]) => idText(bytesIn(id)))
    },
    holder: (group, kind, value) => holder(sql, group, kind, value),
    async wipeable(now, limit) {
      const rows = await sql.query(
        `SELECT group_name, id FROM objects
         WHERE wipe_after IS NOT NULL AND wipe_after <= ?1 AND sealed IS NOT NULL
         ORDER BY wipe_after LIMIT ?2`,
        [now, limit],
      )
      return rows.map(([group, id]) => ({ group: textIn(group), id: idText(bytesIn(id)) }))
    },
    holdsEntries: (group, n, entries) => holdsEntries(sql, group, n, entries),
    async objectsBefore(epoch, after, limit) {
      const rows = await sql.query(
        `SELECT epoch, n, group_name, id FROM objects
         WHERE epoch < ?1 AND (epoch, n) > (?2, ?3) ORDER BY epoch, n LIMIT ?4`,
        [epoch, after.epoch, after.n, limit],
      )
      return rows.map(([at, n, group, id]) => ({
        epoch: Number(at),
        n: Number(n),
        group: textIn(group),
        id: idText(bytesIn(id)),
      }))
    },
    async objectsAfter(n, limit) {
      const rows = await sql.query(
        `SELECT ${objectSelection} FROM ${objectSource} WHERE o.n > ?1 ORDER BY o.n LIMIT ?2`,
        [n, limit],
      )
      return rows.map(objectRow)
    },
  }
}

function holder(
  sql: SqlSession,
  group: string,
  kind: string,
  value: string,
): Soon<string | undefined> {
  const rows = sql.query(holderOf, [group, kind, valueBytes(value)])
  return after(rows, ([row]) => row && idText(bytesIn(row[0])))
}

const indexEntryHeld = `SELECT 1 FROM attribute_index
  WHERE group_name = ?1 AND attribute = ?2 AND value = ?3 AND n = ?4`
const uniqueEntryHeld = `SELECT 1 FROM unique_entries
  WHERE group_name = ?1 AND kind = ?2 AND value = ?3 AND n = ?4`

async function holdsEntries(
  sql: SqlSession,
  group: string,
  n: number,
  { index, unique }: Entries,
): Promise<boolean> {
  const held = async (statement: string, name: Uint8Array | string, value: string) =>
    (await sql.query(statement, [group, name, valueBytes(value), n])).length > 0
  for (const { attribute, value } of index)
    if (!(await held(indexEntryHeld, nameBytes(attribute), value))) return false
  for (const { kind, value } of unique)
    if (!(await held(uniqueEntryHeld, kind, value))) return false
  return true
}

function isOne({ length }: readonly SqlRow[]): boolean {
  return length === 1
}

function firstObject([row]: readonly SqlRow[]): ObjectRow | undefined {
  return row && objectRow(row)
}

const written = [
  'id',
  'group_name',
  'object_type',
  'revision',
  'epoch',
  'entries',
  'mac',
  'record',
  ...derivedColumns.map(([, name]) => name),
]
const place = (at: number): string => `?${at + 1}`

const insertObject = `INSERT INTO objects (${written.join(', ')}, sealed)
  VALUES (${written.map((_, at) => place(at)).join(', ')}, ${place(written.length)}) RETURNING n`

/** Setting a column makes its indexes anew, even where its value stays: so they are left out where they may be. */
const mayStay: ReadonlySet<string> = new Set(['id', 'group_name', 'entries', 'initial_date'])

const updateAll = updateOf(written)
const updateRecord = updateOf(written.filter((name) => !mayStay.has(name)))

function updateOf(columns: readonly string[]): { sql: string; places: readonly number[] } {
  const assignments = columns.map((name, at) => `${name} = ${place(at)}`)
  const sql = `UPDATE objects SET ${assignments.join(', ')}
    WHERE n = ${place(columns.length)} AND revision = ${place(columns.length + 1)} RETURNING n`
  return { sql, places: columns.map((name) => written.indexOf(name)) }
}

const updateDerived = `UPDATE objects SET entries = ?1,
  ${derivedColumns.map(([, name], at) => `${name} = ?${at + 2}`).join(', ')}
  WHERE n = ?${derivedColumns.length + 2}`

const noteRevision = `INSERT INTO revisions (object, revision, mac) VALUES (?1, ?2, ?3)
  ON CONFLICT (object) DO UPDATE SET revision = excluded.revision, mac = excluded.mac`

function writing(sql: SqlSession, still: StillRows): StorageWriter {
  const reader = reading(sql)
  return {
    ...reader,
    object: (group, id) =>
      after(reader.object(group, id), (row) => {
        if (row) still.saw(row)
        return row
      }),
    isUnchanged: (row) =>
      still.isStill(row) ||
      after(reader.isUnchanged(row), (isUnchanged) => {
        if (isUnchanged) still.saw(row)
        return isUnchanged
      }),
    ...auditWriting(sql),
    ...documentWriting(sql),
    ...transientWriting(sql),
    savepoint: (fn) => sql.savepoint(fn),
    insertObject(object, sealed) {
      const all = [...values(object, entriesText(object.entries)), sealed]
      return after(sql.query(insertObject, all), (rows) => {
        const n = Number(rows[0]![0])
        const isFirst = object.revision === 1
        const noted = isFirst ? [] : sql.query(noteRevision, [n, object.revision, object.mac])
        return after(noted, () => after(addEntries(sql, object.group, n, object.entries), () => n))
      })
    },
    updateObject(n, object, previous, from = object.revision - 1) {
      const isSame = previous === object.entries
      const update = isSame ? updateRecord : updateAll
      const text = isSame ? '' : entriesText(object.entries)
      const all = values(object, text)
      const set = update.places.map((at) => all[at]!)
      return after(sql.query(update.sql, [...set, n, from]), ({ length }) => {
        if (length === 0) return false
        return after(sql.query(noteRevision, [n, object.revision, object.mac]), () => {
          if (isSame || entriesText(previous) === text) return true
          return changeEntries(sql, object.group, n, previous, object.entries)
        })
      })
    },
    async rewriteDerived(n, group, columns, entries) {
      await sql.query(updateDerived, [entriesText(entries), ...columnValues(columns), n])
      await addEntries(sql, group, n, entries)
    },
    async removeDerivedRow(table, row) {
      const { columns } = tables.find(({ name }) => name === table)!
      const places = Object.keys(columns).map((name, at) => `${name} = ?${at + 1}`)
      await sql.query(`DELETE FROM ${table} WHERE ${places.join(' AND ')}`, row)
    },
    async putSealed({ n }, sealed) {
      await sql.query('UPDATE objects SET sealed = ?2 WHERE n = ?1', [n, sealed])
    },
    async forgetSealed({ n }) {
      await sql.query('UPDATE objects SET sealed = NULL WHERE n = ?1', [n])
    },
  }
}

function values(object: WrittenObject, entries: string) {
  return [
    idBytes(object.id),
    object.group,
    object.type,
    object.revision,
    object.epoch,
    entries,
    object.mac,
    object.record,
    ...columnValues(object.columns),
  ]
}

async function changeEntries(
  sql: SqlSession,
  group: string,
  n: number,
  previous: Entries,
  entries: Entries,
): Promise<true> {
  await removeEntries(sql, group, n, previous)
  await addEntries(sql, group, n, entries)
  return true
}

function addEntries(
  sql: SqlSession,
  group: string,
  n: number,
  { index, unique }: Entries,
): Soon<void> {
  const claimed = inTurn(unique, (entry) => claim(sql, group, n, entry))
  return after(claimed, () => addToIndex(sql, group, n, index))
}

function addToIndex(
  sql: SqlSession,
  group: string,
  n: number,
  index: readonly IndexEntry[],
): Soon<void> {
  if (index.length === 0) return undefined
  const some = index.slice(0, entriesPerStatement)
  const parameters = some.flatMap(({ attribute, value }) => [
    nameBytes(attribute),
    valueBytes(value),
  ])
  return after(sql.query(insertEntries[some.length]!, [group, n, ...parameters]), () =>
    addToIndex(sql, group, n, index.slice(entriesPerStatement)),
  )
}

/** A statement costs more than a row. */
const entriesPerStatement = 8

/** By number of entries. */
const insertEntries = Array.from({ length: entriesPerStatement + 1 }, (_, count) => {
  const rows = Array.from({ length: count }, (_, at) => `(?1, ?${at * 2 + 3}, ?${at * 2 + 4}, ?2)`)
  return `INSERT INTO attribute_index (group_name, attribute, value, n) VALUES ${rows.join(', ')}
    ON CONFLICT DO NOTHING`
})

const claimEntry = `INSERT INTO unique_entries (group_name, kind, value, n) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (group_name, kind, value) DO UPDATE SET n = unique_entries.n RETURNING n`

function claim(
  sql: SqlSession,
  group: string,
  n: number,
  { kind, value }: UniqueEntry,
): Soon<void> {
  return after(sql.query(claimEntry, [group, kind, valueBytes(value), n]), (taken) => {
    if (Number(taken[0]![0]) === n) return undefined
    return after(holder(sql, group, kind, value), (other) => {
      throw new UniqueConflict(kind, value, other ?? 'an object that is not there')
    })
  })
}

async function removeEntries(
  sql: SqlSession,
  group: string,
  n: number,
  { index, unique }: Entries,
): Promise<void> {
  for (const { kind, value } of unique) {
    await sql.query(
      'DELETE FROM unique_entries WHERE group_name = ?1 AND kind = ?2 AND value = ?3 AND n = ?4',
      [group, kind, valueBytes(value), n],
    )
  }
  for (const { attribute, value } of index) {
    await sql.query(
      'DELETE FROM attribute_index WHERE group_name = ?1 AND attribute = ?2 AND value = ?3 AND n = ?4',
      [group, nameBytes(attribute), valueBytes(value), n],
    )
  }
}
