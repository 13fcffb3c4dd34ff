/**
 * Receipts: the site that has imported a bundle signs what became of it, and the site that made the bundle
 * closes the entry of that export with it.
 */
import { createReadStream } from 'node:fs'
import { administrator, bodyOf, type Body } from '../access/documents.ts'
import { toHex } from '../crypto/primitives/hash.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { FileDigest } from './file-digest.ts'
import { openIdentity } from './identity.ts'
import type { ImportReport } from './import-run.ts'
import { judgeDates } from './note-senders.ts'
import { peerNamed } from './peers.ts'
import { untrusted } from './refusals.ts'
import type { KeyReport } from './key-report.ts'
import { keepExport, keysOfExport, keysPerAct } from './release-keys.ts'
import { mostLeft, writeNote, type Note } from './signed-notes.ts'

/** Writes the receipt for a bundle that was imported. */
export async function writeReceipt(
  store: Store,
  { bundle, out, report }: { bundle: string; out: string; report: ImportReport },
): Promise<void> {
  if (report.id === undefined) throw new Error('a dry run has no receipt')
  const { signer, now } = await store.read(async (work) => ({
    signer: await openIdentity(work),
    now: work.now,
  }))
  const body = {
    keyreel: 'receipt 1',
    export: report.exportId,
    import: report.id,
    imported: Number(now),
    counts: { ...report.counts },
    digest: await digestOf(bundle),
    left: notTaken(report.reports)
      .filter(({ id }) => uuidForm.test(id))
      .slice(0, mostLeft)
      .map(({ id: key, verdict, reason = '' }) => ({ key, verdict, reason: reason.slice(0, 512) })),
  } as const
  await writeNote<'receipt'>(out, body, signer, now)
}

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Which export a receipt is about, where it went, and by which word: an import id, or the id of a push. */
interface About {
  readonly peer: string
  readonly exportId: string
  readonly receipt: string
  readonly group: string
  readonly actor: AuditActor
}

/** Records with each key that the peer did not take that it has no copy by this export. */
export function recordNotTaken(
  work: Work,
  reports: readonly KeyReport[],
  { peer, exportId, receipt, group, actor }: About,
): void {
  for (const { id: object, verdict, reason = '' } of notTaken(reports)) {
    const details = { peer, export: exportId, receipt, verdict, reason }
    work.audit({
      ...{ actor, operation: 'exchange not taken', object, group, outcome: 'Success' },
      details,
    })
  }
}

type NotTaken = KeyReport & { readonly verdict: 'conflict' | 'refused' }

function notTaken(reports: readonly KeyReport[]): NotTaken[] {
  return reports.filter(
    (report): report is NotTaken => report.verdict === 'conflict' || report.verdict === 'refused',
  )
}

/** An export whose receipt has come. */
export interface Received {
  readonly id: string
  readonly body: Body<'exchange-export'> & {
    readonly receipt: NonNullable<Body<'exchange-export'>['receipt']>
  }
}

/** Closes the entry of an export. Throws UserError when the receipt is not the peer's, or for another file. */
export async function takeReceipt(
  store: Store,
  note: Note<'receipt'>,
  actor: AuditActor = administrator,
): Promise<Received> {
  const { export: id, import: importId, imported, counts, digest, left = [] } = note.body
  const taken = await store.act(async (work) => {
    const before = await bodyOf(work, 'exchange-export', id)
    if (before === undefined)
      throw new UserError(
        'no-such-exchange',
        `the receipt is for export ${id}, which was not made here`,
        'list those that were:  keyreel exchange log',
      )
    const { name, identity } = await peerNamed(work, before.peer)
    if (identity?.pin !== note.pin)
      throw untrusted(
        'sender-differs',
        `export ${id} went to peer ${name}, but somebody else has signed the receipt`,
        'ask that site for a receipt of its own; there:  keyreel exchange import FILE --receipt FILE',
      )
    judgeDates(note, 'receipt', work.now)
    if (before.digest !== digest)
      throw new UserError(
        'receipt-differs',
        `the receipt is for another file than export ${id} has made`,
        'ask the peer which file it has imported; SHA-256 of ours:  keyreel exchange log ID',
      )
    if (before.receipt !== undefined && before.receipt.imported > imported)
      throw new UserError(
        'receipt-older',
        `a later receipt for export ${id} has come already`,
        'there is nothing to do',
      )
    const receipt = { import: importId, imported, received: Number(work.now), counts }
    const body = { ...before, receipt }
    await keepExport(work, id, body, actor, 'exchange receipt')
    return { id, body }
  })
  const { peer, group } = taken.body
  const about = { peer, exportId: id, receipt: importId, group, actor }
  const sent = new Set(await keysOfExport(store, id))
  const reports = left.flatMap(({ key, ...one }) => (sent.has(key) ? [{ id: key, ...one }] : []))
  for (let first = 0; first < reports.length; first += keysPerAct) {
    const some = reports.slice(first, first + keysPerAct)
    await store.act((work) => Promise.resolve(recordNotTaken(work, some, about)))
  }
  return taken
}

async function digestOf(file: string): Promise<string> {
  const digest = new FileDigest()
  for await (const chunk of createReadStream(file)) digest.update(chunk as Buffer)
  return toHex(digest.value())
}
