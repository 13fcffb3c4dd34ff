// Transients in SQL: rows that are forgotten when their time is over.
import type { SqlRow, SqlSession, StorageReader, StorageWriter, TransientRow } from './storage.ts'
import { bytesIn, bytesOrNull, textIn } from './stored-values.ts'

type TransientReading = Pick<
  StorageReader,
  'transient' | 'transients' | 'transientsAfter' | 'transientsHeld'
>
type TransientWriting = Pick<
  StorageWriter,
  'putTransient' | 'deleteTransient' | 'deleteTransientsUntil'
>

const columns = 'kind, name, owner, expires, epoch, mac, body, sealed'

/** The reading part. */
export function transientReading(sql: SqlSession): TransientReading {
  return {
    async transient(kind, name) {
      const rows = await sql.query(
        `SELECT ${columns} FROM transients WHERE kind = ?1 AND name = ?2`,
        [kind, name],
      )
      return rows[0] && transientRow(rows[0])
    },
    async transients(kind, owner, limit) {
      const rows = await sql.query(
        `SELECT ${columns} FROM transients WHERE kind = ?1 AND owner = coalesce(?2, owner)
         ORDER BY n LIMIT ?3`,
        [kind, owner ?? null, limit],
      )
      return rows.map(transientRow)
    },
    async transientsAfter(kind, name, limit) {
      const rows = await sql.query(
        `SELECT ${columns} FROM transients WHERE (kind, name) > (?1, ?2)
         ORDER BY kind, name LIMIT ?3`,
        [kind, name, limit],
      )
      return rows.map(transientRow)
    },
    async transientsHeld(kind, owner) {
      const rows = await sql.query(
        `SELECT count(*), coalesce(sum(length(sealed)), 0) FROM transients
         WHERE kind = ?1 AND owner = ?2`,
        [kind, owner],
      )
      const [count, bytes] = rows[0]!
      return { count: Number(count), bytes: Number(bytes) }
    },
  }
}

/** The writing part. */
export function transientWriting(sql: SqlSession): TransientWriting {
  return {
    async putTransient({ kind, name, owner, expires, epoch, mac, body, sealed }) {
      await sql.query(
        `INSERT INTO transients (${columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (kind, name) DO UPDATE SET owner = excluded.owner, expires = excluded.expires,
         epoch = excluded.epoch, mac = excluded.mac, body = excluded.body, sealed = excluded.sealed`,
        [kind, name, owner, expires, epoch, mac, body, sealed],
      )
    },
    async deleteTransient(kind, name) {
      const rows = await sql.query(
        'DELETE FROM transients WHERE kind = ?1 AND name = ?2 RETURNING name',
        [kind, name],
      )
      return rows.length > 0
    },
    async deleteTransientsUntil(time, limit) {
      const rows = await sql.query(
        `DELETE FROM transients WHERE n IN
         (SELECT n FROM transients WHERE expires <= ?1 ORDER BY expires LIMIT ?2) RETURNING n`,
        [time, limit],
      )
      return rows.length
    },
  }
}

function transientRow([
  kind,
  name,
  owner,
  expires,
  epoch,
  mac,
  body,
  sealed,
]: SqlRow): TransientRow {
  return {
    kind: kind as string,
    name: name as string,
    owner: textIn(owner),
    expires: expires as bigint,
    epoch: Number(epoch),
    mac: bytesIn(mac),
    body: textIn(body),
    sealed: bytesOrNull(sealed),
  }
}
