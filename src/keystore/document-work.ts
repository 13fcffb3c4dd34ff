// The documents' part of an act's Work: small JSON records under a MAC, some with a sealed secret.
import type { Secret } from '../crypto/secret.ts'
import { writeStep } from './acts.ts'
import { HeldDocument } from './held-document.ts'
import { base64url, ObjectWork } from './object-work.ts'
import { replayed, verifyDocumentNoted } from './replay.ts'
import { after, type Soon } from './soon.ts'
import type { DocumentRow, WrittenDocument } from './storage.ts'
import { refuseOlder, verifying, writerOf } from './work-ground.ts'
import { IntegrityError, type Document, type JsonValue } from './work.ts'

/** The documents' part of a Work, on top of the objects'. */
export class DocumentWork extends ObjectWork {
  documentsChange(besides?: readonly string[]): Promise<number> {
    return this.ground.rows.documentsChange(besides)
  }

  document(kind: string, name: string): Soon<Document | undefined> {
    return after(this.#find(kind, name), ({ document }) => document)
  }

  async documents(kind: string): Promise<readonly Document[]> {
    const { rows } = this.ground
    refuseGone(kind, await rows.documentsGone(kind))
    const found = await rows.documents(kind)
    return found.flatMap((row) => new HeldDocument(this.#accept(row)).document ?? [])
  }

  async putDocument(
    kind: string,
    name: string,
    body: JsonValue,
    secret?: Uint8Array | null,
  ): Promise<Document> {
    const { sealing } = this.ground
    writerOf(this.ground)
    const { row: before } = await this.#find(kind, name)
    const keepsSeal = secret === undefined && before?.sealed
    const epoch = keepsSeal ? before.epoch : sealing.current
    const { document } = await this.#write({
      kind,
      name,
      revision: (before?.revision ?? 0) + 1,
      epoch,
      body: JSON.stringify(body),
      sealed: keepsSeal ? before.sealed : await this.#sealedSecret(kind, name, epoch, secret),
    })
    return document!
  }

  async resealDocument(kind: string, name: string): Promise<boolean> {
    const { sealing, trace } = this.ground
    const { row: before } = await this.#find(kind, name)
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
    const { row: before } = await this.#find(kind, name)
    if (before === undefined || before.body === null) return false
    await this.#write({ ...before, revision: before.revision + 1, body: null, sealed: null })
    this.ground.trace.wiped ||= before.sealed !== null
    return true
  }

  async documentSecret(kind: string, name: string): Promise<Secret> {
    const { row } = await this.#find(kind, name)
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

  #find(kind: string, name: string): Soon<HeldDocument> {
    const { documents, trace } = this.ground
    const subject = `${kind}/${name}`
    const held = documents.get(subject)
    if (held === undefined) return this.#read(kind, name)
    if (held.row !== undefined) trace.seen.push({ subject, revision: held.row.revision })
    return held
  }

  async #read(kind: string, name: string): Promise<HeldDocument> {
    const { rows, documents } = this.ground
    const row = await rows.document(kind, name)
    if (row === undefined) refuseGone(kind, await rows.documentsGone(kind, name))
    const held = new HeldDocument(row && this.#accept(row))
    documents.set(`${kind}/${name}`, held)
    return held
  }

  async #write(row: Omit<WrittenDocument, 'mac'>): Promise<HeldDocument> {
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
    const held = new HeldDocument(written)
    ground.documents.set(subject, held)
    return held
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
