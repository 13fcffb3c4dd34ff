// The documents' part of an act's Work: small JSON records under a MAC, some with a sealed secret.
import type { Secret } from '../crypto/secret.ts'
import { writeStep } from './acts.ts'
import { base64url, ObjectWork, refuseOlder, verifying, writerOf } from './object-work.ts'
import { replayed, verifyDocumentNoted } from './replay.ts'
import type { DocumentRow, WrittenDocument } from './storage.ts'
import { IntegrityError, type Document, type JsonValue } from './work.ts'

/** The documents' part of a Work, on top of the objects'. */
export class DocumentWork extends ObjectWork {
  /** Documents verified in this act, until the act writes them. */
  #verified: Map<string, DocumentRow | undefined> | undefined

  documentsChange(besides?: readonly string[]): Promise<number> {
    return this.ground.rows.documentsChange(besides)
  }

  async document(kind: string, name: string): Promise<Document | undefined> {
    const row = await this.#find(kind, name)
    return row && documentOf(row)
  }

  async documents(kind: string): Promise<readonly Document[]> {
    const { rows } = this.ground
    refuseGone(kind, await rows.documentsGone(kind))
    const found = await rows.documents(kind)
    return found.flatMap((row) => documentOf(this.#accept(row)) ?? [])
  }

  async putDocument(
    kind: string,
    name: string,
    body: JsonValue,
    secret?: Uint8Array | null,
  ): Promise<Document> {
    const { sealing } = this.ground
    writerOf(this.ground)
    const before = await this.#find(kind, name)
    const keepsSeal = secret === undefined && before?.sealed
    const epoch = keepsSeal ? before.epoch : sealing.current
    const row = await this.#write({
      kind,
      name,
      revision: (before?.revision ?? 0) + 1,
      epoch,
      body: JSON.stringify(body),
      sealed: keepsSeal ? before.sealed : await this.#sealedSecret(kind, name, epoch, secret),
    })
    return documentOf(row)!
  }

  async resealDocument(kind: string, name: string): Promise<boolean> {
    const { sealing, trace } = this.ground
    const before = await this.#find(kind, name)
    if (before === undefined || before.body === null) return false
    const epoch = sealing.current
    if (before.epoch === epoch) return false
    const secret = before.sealed && sealing.unsealDocument(before, before.sealed)
    try {
      const sealed = await this.#sealedSecret(kind, name, epoch, secret?.bytes)
      const { body, revision } = before
      await this.#write({ kind, name, revision: revision + 1, epoch, body, sealed })
      trace.wiped ||= sealed !== null
      return true
    } finally {
      secret?.wipe()
    }
  }

  async deleteDocument(kind: string, name: string): Promise<boolean> {
    writerOf(this.ground)
    const before = await this.#find(kind, name)
    if (before === undefined || before.body === null) return false
    await this.#write({ ...before, revision: before.revision + 1, body: null, sealed: null })
    this.ground.trace.wiped ||= before.sealed !== null
    return true
  }

  async documentSecret(kind: string, name: string): Promise<Secret> {
    const row = await this.#find(kind, name)
    if (row?.sealed) return this.ground.sealing.unsealDocument(row, row.sealed)
    throw new IntegrityError('material-missing', `${kind}/${name}`, 'it has no secret part')
  }

  #accept(row: DocumentRow): DocumentRow {
    const { ground } = this
    verifying(ground, () => ground.sealing.verifyDocument(row))
    verifyDocumentNoted(row)
    const subject = `${row.kind}/${row.name}`
    refuseOlder(ground, subject, row.revision)
    ground.trace.seen.push({ subject, revision: row.revision })
    return row
  }

  async #find(kind: string, name: string): Promise<DocumentRow | undefined> {
    const { rows } = this.ground
    const subject = `${kind}/${name}`
    const verified = (this.#verified ??= new Map<string, DocumentRow | undefined>())
    if (verified.has(subject)) return verified.get(subject)
    const row = await rows.document(kind, name)
    if (row === undefined) refuseGone(kind, await rows.documentsGone(kind, name))
    const found = row && this.#accept(row)
    verified.set(subject, found)
    return found
  }

  async #write(row: Omit<WrittenDocument, 'mac'>): Promise<DocumentRow> {
    const { ground } = this
    const { trace } = ground
    const mac = ground.sealing.documentMac(row)
    const written = { ...row, mac, noted: { revision: row.revision, mac } }
    const subject = `${row.kind}/${row.name}`
    await writeStep(trace, async () => {
      if (await writerOf(ground).putDocument(written)) return
      throw new Error(`document ${subject} was changed by another transaction`)
    })
    trace.changes.push({
      object: subject,
      document: true,
      revision: row.revision,
      mac: base64url(mac),
    })
    trace.seen.push({ subject, revision: row.revision })
    this.#verified?.set(subject, written)
    return written
  }

  async #sealedSecret(
    kind: string,
    name: string,
    epoch: number,
    secret: Uint8Array | null | undefined,
  ): Promise<Uint8Array | null> {
    if (!secret) return null
    await this.ground.chargeSeal(writerOf(this.ground))
    return this.ground.sealing.sealDocument(kind, name, epoch, secret)
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
