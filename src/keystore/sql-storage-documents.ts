// Documents, settings and epochs in SQL.
import type {
  DocumentRow,
  SqlRow,
  SqlSession,
  EpochCount,
  StorageReader,
  StorageWriter,
  WrapRow,
} from './storage.ts'
import { bytesIn, bytesOrNull, textIn } from './stored-values.ts'

type DocumentReading = Pick<
  StorageReader,
  | 'document'
  | 'documents'
  | 'documentsAfter'
  | 'documentsBefore'
  | 'epochCounts'
  | 'documentsChange'
  | 'documentsGone'
  | 'wraps'
  | 'setting'
>
type DocumentWriting = Pick<
  StorageWriter,
  'putDocument' | 'putWrap' | 'removeWraps' | 'chargeSeals' | 'putSetting'
>

const selection = 'd.kind, d.name, d.revision, d.epoch, d.body, d.sealed, d.mac, r.revision, r.mac'
const source = 'documents d LEFT JOIN document_revisions r ON r.kind = d.kind AND r.name = d.name'

const documentNamed = `SELECT ${selection} FROM ${source} WHERE d.kind = ?1 AND d.name = ?2`

/** The reading part. */
export function documentReading(sql: SqlSession): DocumentReading {
  return {
    async document(kind, name) {
      const rows = await sql.query(documentNamed, [kind, name])
      return rows[0] && documentRow(rows[0])
    },
    async documents(kind) {
      const rows = await sql.query(
        `SELECT ${selection} FROM ${source} WHERE d.kind = ?1 ORDER BY d.name`,
        [kind],
      )
      return rows.map(documentRow)
    },
    async documentsAfter(kind, name, limit) {
      const rows = await sql.query(
        `SELECT ${selection} FROM ${source} WHERE (d.kind, d.name) > (?1, ?2)
         ORDER BY d.kind, d.name LIMIT ?3`,
        [kind, name, limit],
      )
      return rows.map(documentRow)
    },
    async documentsGone(kind, name) {
      const rows = await sql.query(
        `SELECT r.name FROM document_revisions r WHERE r.kind = ?1 AND r.name = coalesce(?2, r.name)
         AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.kind = r.kind AND d.name = r.name)`,
        [kind, name ?? null],
      )
      return rows.map(([gone]) => gone as string)
    },
    async documentsBefore(epoch, after, limit) {
      const rows = await sql.query(
        `SELECT kind, name FROM documents
         WHERE epoch < ?1 AND body IS NOT NULL AND (kind, name) > (?2, ?3)
         ORDER BY kind, name LIMIT ?4`,
        [epoch, after.kind, after.name, limit],
      )
      return rows.map(([kind, name]) => ({ kind: kind as string, name: name as string }))
    },
    async epochCounts() {
      const counts = new Map<number, EpochCount>()
      const none = { objects: 0, documents: 0 }
      const objects = await sql.query('SELECT epoch, count(*) FROM objects GROUP BY epoch')
      for (const [epoch, count] of objects)
        counts.set(Number(epoch), { ...none, objects: Number(count) })
      const documents = await sql.query(
        'SELECT epoch, count(*) FROM documents WHERE body IS NOT NULL GROUP BY epoch',
      )
      for (const [epoch, count] of documents) {
        const before = counts.get(Number(epoch)) ?? none
        counts.set(Number(epoch), { ...before, documents: Number(count) })
      }
      return counts
    },
    async documentsChange(besides = []) {
      const others = besides.map((_, at) => `kind <> ?${at + 1}`).join(' AND ')
      const where = others === '' ? '' : `WHERE ${others}`
      const rows = await sql.query(
        `SELECT change FROM documents ${where} ORDER BY change DESC LIMIT 1`,
        besides,
      )
      return Number(rows[0]?.[0] ?? 0)
    },
    async wraps() {
      const rows = await sql.query('SELECT epoch, provider, bytes FROM epoch_wraps ORDER BY epoch')
      return rows.map(([epoch, provider, bytes]): WrapRow => ({
        epoch: Number(epoch),
        provider: textIn(provider),
        bytes: bytesIn(bytes),
      }))
    },
    async setting(name) {
      const rows = await sql.query('SELECT value FROM settings WHERE name = ?1', [name])
      return rows[0]?.[0] as string | undefined
    },
  }
}

/** The writing part. */
export function documentWriting(sql: SqlSession): DocumentWriting {
  return {
    async putDocument({ kind, name, revision, epoch, body, sealed, mac }, from = revision - 1) {
      const change = (await documentReading(sql).documentsChange()) + 1
      const values = [kind, name, revision, epoch, change, mac, body, sealed]
      const rows = await (from === 0
        ? sql.query(
            `INSERT INTO documents (kind, name, revision, epoch, change, mac, body, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING RETURNING revision`,
            values,
          )
        : sql.query(
            `UPDATE documents SET revision = ?3, epoch = ?4, change = ?5, mac = ?6, body = ?7,
             sealed = ?8 WHERE kind = ?1 AND name = ?2 AND revision = ?9 RETURNING revision`,
            [...values, from],
          ))
      if (rows.length !== 1) return false
      await sql.query(
        `INSERT INTO document_revisions (kind, name, revision, mac) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, name) DO UPDATE SET revision = excluded.revision, mac = excluded.mac`,
        [kind, name, revision, mac],
      )
      return true
    },
    async putWrap({ epoch, provider, bytes }) {
      await sql.query('INSERT INTO epochs (epoch, seals) VALUES (?1, 0) ON CONFLICT DO NOTHING', [
        epoch,
      ])
      await sql.query(
        `INSERT INTO epoch_wraps (epoch, provider, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT (epoch, provider) DO UPDATE SET bytes = excluded.bytes`,
        [epoch, provider, bytes],
      )
    },
    async removeWraps(provider) {
      await sql.query('DELETE FROM epoch_wraps WHERE provider = ?1', [provider])
    },
    async chargeSeals(epoch, seals) {
      const rows = await sql.query(
        'UPDATE epochs SET seals = seals + ?2 WHERE epoch = ?1 RETURNING seals',
        [epoch, seals],
      )
      return Number(rows[0]?.[0] ?? 0)
    },
    async putSetting(name, value) {
      await sql.query(
        `INSERT INTO settings (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        [name, value],
      )
    },
  }
}

function documentRow([
  kind,
  name,
  revision,
  epoch,
  body,
  sealed,
  mac,
  ...noted
]: SqlRow): DocumentRow {
  const [notedRevision, notedMac] = noted
  return {
    kind: kind as string,
    name: name as string,
    revision: Number(revision),
    epoch: Number(epoch),
    body: body === null ? null : textIn(body),
    sealed: bytesOrNull(sealed),
    mac: bytesIn(mac),
    noted:
      notedRevision === null
        ? undefined
        : { revision: Number(notedRevision), mac: bytesIn(notedMac) },
  }
}
