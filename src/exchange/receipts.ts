/**
 * Receipts: the site that has imported a bundle signs what became of it, and the site that made the bundle
 * closes the entry of that export with it.
 */
import { createReadStream } from 'node:fs'
import { administrator, bodyOf, type Body } from '../access/documents.ts'
import { dateOf } from '../access/identity.ts'
import { toHex } from '../crypto/primitives/hash.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor } from '../keystore/work.ts'
import { FileDigest } from './file-digest.ts'
import { openIdentity } from './identity.ts'
import type { ImportReport } from './import-run.ts'
import { peerNamed } from './peers.ts'
import { untrusted } from './refusals.ts'
import { keepExport } from './release-keys.ts'
import { readNote, writeNote, type Note } from './signed-notes.ts'

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
  } as const
  await writeNote<'receipt'>(out, body, signer, now)
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
  file: string,
  actor: AuditActor = administrator,
): Promise<Received> {
  const note = await readNote('receipt', file)
  const { export: id, import: importId, imported, counts, digest } = note.body
  return store.act(async (work) => {
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
        'ask that site for a receipt of its own:  keyreel exchange import FILE --receipt FILE',
      )
    judgeDates(note, work.now)
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
}

/** Clocks differ by so many seconds at most. */
const clockDifference = 86_400n

function judgeDates({ sender, signed }: Note<'receipt'>, now: bigint): void {
  if (now > sender.notAfter)
    throw untrusted(
      'sender-expired',
      `the identity that signed the receipt expired ${dateOf(sender.notAfter)}`,
      'ask the peer for a receipt signed by its present identity',
    )
  if (signed > now + clockDifference)
    throw untrusted(
      'signed-in-future',
      `the receipt was signed ${dateOf(signed)}, which is still to come`,
      'compare the clocks of both machines (timedatectl shows them)',
    )
}

async function digestOf(file: string): Promise<string> {
  const digest = new FileDigest()
  for await (const chunk of createReadStream(file)) digest.update(chunk as Buffer)
  return toHex(digest.value())
}
