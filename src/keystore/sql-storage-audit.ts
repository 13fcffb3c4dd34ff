// Audit chains and the index of objects in them, in SQL.
import { nameBytes } from './sql-storage-columns.ts'
import type { AuditRow, SqlRow, SqlSession, StorageReader, StorageWriter } from './storage.ts'
import { bytesIn, textIn } from './stored-values.ts'

type AuditReading = Pick<
  StorageReader,
  | 'chains'
  | 'auditHead'
  | 'auditAfter'
  | 'auditBefore'
  | 'auditIndexed'
  | 'auditPlaces'
  | 'holdsAuditPlaces'
>
type AuditWriting = Pick<StorageWriter, 'appendAudit' | 'indexAudit'>

const selection = 'chain, first, last, epoch, body, mac'

/** The reading part. */
export function auditReading(sql: SqlSession): AuditReading {
  return {
    async chains() {
      // One index probe per chain, however many rows there are.
      const names: string[] = []
      for (;;) {
        const rows = await sql.query('SELECT min(chain) FROM audit WHERE chain > ?1', [
          names.at(-1) ?? '',
        ])
        const name = rows[0]?.[0]
        if (typeof name !== 'string') return names
        names.push(name)
      }
    },
    async auditHead(chain) {
      const rows = await sql.query(
        'SELECT last, mac FROM audit WHERE chain = ?1 ORDER BY first DESC LIMIT 1',
        [chain],
      )
      return rows[0] && { chain, last: Number(rows[0][0]), mac: bytesIn(rows[0][1]) }
    },
    async auditAfter(chain, number, limit) {
      // The row before the first one wanted may reach over `number`; begin with it.
      const rows = await sql.query(
        `SELECT ${selection} FROM audit WHERE chain = ?1 AND first >= coalesce(
           (SELECT max(first) FROM audit WHERE chain = ?1 AND first <= ?2), 0)
         AND (first > ?2 OR last > ?2) ORDER BY first LIMIT ?3`,
        [chain, number, limit],
      )
      return rows.map(auditRow)
    },
    async auditBefore(chain, number, limit) {
      const rows = await sql.query(
        `SELECT ${selection} FROM audit WHERE chain = ?1 AND first < ?2
         ORDER BY first DESC LIMIT ?3`,
        [chain, number, limit],
      )
      return rows.map(auditRow)
    },
    async auditIndexed(chain) {
      const rows = await sql.query('SELECT number FROM audit_indexed WHERE chain = ?1', [chain])
      return Number(rows[0]?.[0] ?? 0)
    },
    async holdsAuditPlaces(chain, places) {
      for (let first = 0; first < places.length; first += placesPerStatement) {
        const some = places.slice(first, first + placesPerStatement)
        const parameters = some.flatMap(({ object, number }) => [nameBytes(object), number])
        const rows = await sql.query(countPlaces[some.length]!, [chain, ...parameters])
        if (Number(rows[0]![0]) < some.length) return false
      }
      return true
    },
    async auditPlaces(object, chain, limit) {
      const rows = await sql.query(
        `SELECT number FROM audit_objects WHERE object = ?1 AND chain = ?2
         ORDER BY number DESC LIMIT ?3`,
        [nameBytes(object), chain, limit],
      )
      return rows.map(([number]) => Number(number))
    },
  }
}

/** The writing part. */
export function auditWriting(sql: SqlSession): AuditWriting {
  return {
    async appendAudit({ chain, first, last, epoch, body, mac }) {
      await sql.query(
        'INSERT INTO audit (chain, first, last, epoch, body, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6)',
        [chain, first, last, epoch, body, mac],
      )
    },
    async indexAudit(chain, to, places) {
      for (let first = 0; first < places.length; first += placesPerStatement) {
        const some = places.slice(first, first + placesPerStatement)
        const parameters = some.flatMap(({ object, number }) => [nameBytes(object), number])
        await sql.query(insertPlaces[some.length]!, [chain, ...parameters])
      }
      await sql.query(
        `INSERT INTO audit_indexed (chain, number) VALUES (?1, ?2)
         ON CONFLICT (chain) DO UPDATE SET number = excluded.number`,
        [chain, to],
      )
    },
  }
}

/** A statement costs more than a row. */
const placesPerStatement = 16

/** By number of places. */
const insertPlaces = Array.from({ length: placesPerStatement + 1 }, (_, count) => {
  const rows = Array.from({ length: count }, (_, at) => `(?${at * 2 + 2}, ?1, ?${at * 2 + 3})`)
  return `INSERT INTO audit_objects (object, chain, number) VALUES ${rows.join(', ')}
    ON CONFLICT DO NOTHING`
})

const countPlaces = Array.from({ length: placesPerStatement + 1 }, (_, count) => {
  const rows = Array.from(
    { length: count },
    (_, at) => `(object = ?${at * 2 + 2} AND number = ?${at * 2 + 3})`,
  )
  return `SELECT count(*) FROM audit_objects WHERE chain = ?1 AND (${rows.join(' OR ')})`
})

function auditRow([chain, first, last, epoch, body, mac]: SqlRow): AuditRow {
  return {
    chain: chain as string,
    first: Number(first),
    last: Number(last),
    epoch: Number(epoch),
    body: textIn(body),
    mac: bytesIn(mac),
  }
}
