// The documents' part of an act's Work: small JSON records under a MAC, some with a sealed secret.
import { writeStep } from './acts.ts'
import { refuseOlder, verifying, writerOf, type WorkGround } from './object-work.ts'
import { replayed, verifyDocumentNoted } from './replay.ts'
import type { DocumentRow, WrittenDocument } from './storage.ts'
import { IntegrityError, type Document, type JsonValue, type Work } from './work.ts'

type DocumentWork = Pick<
  Work,
  'document' | 'documents' | 'putDocument' | 'deleteDocument' | 'documentSecret' | 'documentsChange'
>

/** The documents' part of a Work. */
export function documentWork(ground: WorkGround): DocumentWork {
  const { rows, sealing, trace } = ground

  const accept = (row: DocumentRow): DocumentRow => {
    verifying(ground, () => sealing.verifyDocument(row))
    verifyDocumentNoted(row)
    const subject = `${row.kind}/${row.name}`
    refuseOlder(ground, subject, row.revision)
    trace.seen.set(subject, row.revision)
    return row
  }

  // Documents verified in this act, until the act writes them.
  const verified = new Map<string, DocumentRow | undefined>()

  const find = async (kind: string, name: string): Promise<DocumentRow | undefined> => {
    const subject = `${kind}/${name}`
    if (verified.has(subject)) return verified.get(subject)
    const row = await rows.document(kind, name)
    if (row === undefined) refuseGone(kind, await rows.documentsGone(kind, name))
    const found = row && accept(row)
    verified.set(subject, found)
    return found
  }

  const write = async (row: Omit<WrittenDocument, 'mac'>): Promise<DocumentRow> => {
    const mac = sealing.documentMac(row)
    const written = { ...row, mac, noted: { revision: row.revision, mac } }
    const subject = `${row.kind}/${row.name}`
    await writeStep(trace, async () => {
      if (await writerOf(ground).putDocument(written)) return
      throw new Error(`document ${subject} was changed by another transaction`)
    })
    trace.changes.set(subject, {
      object: subject,
      document: true,
      revision: row.revision,
      mac: Buffer.from(mac).toString('base64url'),
    })
    trace.seen.set(subject, row.revision)
    verified.set(subject, written)
    return written
  }

  return {
    documentsChange: () => rows.documentsChange(),

    async document(kind, name) {
      const row = await find(kind, name)
      return row && documentOf(row)
    },

    async documents(kind) {
      refuseGone(kind, await rows.documentsGone(kind))
      const found = await rows.documents(kind)
      return found.flatMap((row) => documentOf(accept(row)) ?? [])
    },

    async putDocument(kind, name, body, secret) {
      writerOf(ground)
      const before = await find(kind, name)
      const keepsSeal = secret === undefined && before?.sealed
      const epoch = keepsSeal ? before.epoch : sealing.current
      const row = await write({
        kind,
        name,
        revision: (before?.revision ?? 0) + 1,
        epoch,
        body: JSON.stringify(body),
        sealed: keepsSeal ? before.sealed : await sealedSecret(kind, name, epoch, secret),
      })
      return documentOf(row)!
    },

    async deleteDocument(kind, name) {
      writerOf(ground)
      const before = await find(kind, name)
      if (before === undefined || before.body === null) return false
      await write({ ...before, revision: before.revision + 1, body: null, sealed: null })
      trace.wiped ||= before.sealed !== null
      return true
    },

    async documentSecret(kind, name) {
      const row = await find(kind, name)
      if (row?.sealed) return sealing.unsealDocument(row, row.sealed)
      throw new IntegrityError('material-missing', `${kind}/${name}`, 'it has no secret part')
    },
  }

  async function sealedSecret(
    kind: string,
    name: string,
    epoch: number,
    secret: Uint8Array | null | undefined,
  ): Promise<Uint8Array | null> {
    if (!secret) return null
    await ground.chargeSeal()
    return sealing.sealDocument(kind, name, epoch, secret)
  }
}

/** A document never goes: a deleted one keeps its row. One that is gone was taken away. */
function refuseGone(kind: string, [name]: readonly string[]): void {
  if (name !== undefined) throw replayed(`${kind}/${name}`, 'the document was taken away')
}

function documentOf({ kind, name, revision, body, sealed }: DocumentRow): Document | undefined {
  if (body === null) return undefined
  return { kind, name, revision, body: JSON.parse(body) as JsonValue, hasSecret: sealed !== null }
}
