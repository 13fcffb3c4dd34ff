// Receipts: the other site's signed word closes the entry of an export, and nobody else's does.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exchangeLog } from '../../src/exchange/exchange-log.ts'
import { openIdentity } from '../../src/exchange/identity.ts'
import { takeReceipt, writeReceipt } from '../../src/exchange/receipts.ts'
import { readNote, writeNote, type NoteBody } from '../../src/exchange/signed-notes.ts'
import { day, newSite, now, scratch, twoSites, type Site } from './site.ts'

/** A bundle of A's that B has imported, with B's receipt. */
async function received() {
  const { a, b } = await twoSites()
  await a.key()
  const { file: bundle, report: exported } = await a.export({ peer: 'B' })
  const out = join(scratch(), 'receipt')
  b.time.seconds = now + 60n
  const report = await b.import(bundle)
  await writeReceipt(b.store, { bundle, out, report })
  a.time.seconds = now + 120n
  return { a, b, bundle, exported, report, out }
}

/** The same receipt with something changed, signed by a site. */
async function signedBy(
  site: Site,
  out: string,
  changes: Partial<NoteBody<'receipt'>>,
  time = site.time.seconds,
): Promise<string> {
  const { body } = await readNote('receipt', out)
  const file = join(scratch(), 'other')
  const signer = await site.store.read((work) => openIdentity(work))
  await writeNote<'receipt'>(file, { ...body, ...changes }, signer, time)
  return file
}

/** A takes a receipt from a file. */
async function receive({ store }: Site, file: string) {
  return takeReceipt(store, await readNote('receipt', file))
}

test('a receipt closes the entry of its export, on record, and may come again', async () => {
  const { a, exported, report, out } = await received()
  const receipt = {
    import: report.id,
    imported: Number(now) + 60,
    received: Number(now) + 120,
    counts: { new: 1, here: 0, conflict: 0, refused: 0 },
  }
  expect(await receive(a, out)).toMatchObject({ id: exported.id, body: { receipt } })
  await receive(a, out)
  const [entry] = await a.store.read(exchangeLog)
  expect(entry).toMatchObject({ id: exported.id, keys: 1, receipt })
  const records = await a.store.readAudit({ chain: 'test', after: 0, limit: 1000 })
  expect(records.at(-1)).toMatchObject({ operation: 'exchange receipt', object: exported.id })
})

test('a later import has a later receipt, and the earlier one is not taken any more', async () => {
  const { a, b, bundle, out } = await received()
  b.time.seconds += 60n
  const later = join(scratch(), 'later')
  await writeReceipt(b.store, { bundle, out: later, report: await b.import(bundle) })
  const { body } = await receive(a, later)
  expect(body.receipt.counts).toMatchObject({ new: 0, here: 1 })
  await expect(receive(a, out)).rejects.toMatchObject({ code: 'receipt-older' })
})

test('a receipt that somebody else has signed, or for something else, closes nothing', async () => {
  const { a, b, out } = await received()
  const strangers = await signedBy(await newSite(), out, {})
  const unknown = await signedBy(b, out, { export: crypto.randomUUID() })
  const other = await signedBy(b, out, { digest: '0'.repeat(64) })
  const ahead = await signedBy(b, out, {}, now + 2n * day)
  for (const [file, code] of [
    [strangers, 'sender-differs'],
    [unknown, 'no-such-exchange'],
    [other, 'receipt-differs'],
    [ahead, 'signed-in-future'],
  ] as const)
    await expect(receive(a, file)).rejects.toMatchObject({ code })
  const [entry] = await a.store.read(exchangeLog)
  expect(entry?.receipt).toBeUndefined()
})

test('a receipt with any byte changed, cut short or added to is refused', async () => {
  const { a, out } = await received()
  const bytes = await readFile(out)
  const changed = join(scratch(), 'changed')
  const refused = async (content: Uint8Array) => {
    await writeFile(changed, content)
    await expect(receive(a, changed)).rejects.toMatchObject({ code: 'note-unreadable' })
  }
  for (let at = 0; at < bytes.length; at += 5) {
    const copy = Buffer.from(bytes)
    copy[at]! ^= 1 << (at % 8)
    await refused(copy)
  }
  await refused(bytes.subarray(0, -1))
  await refused(Buffer.concat([bytes, Buffer.alloc(1)]))
  await refused(Buffer.from('no receipt'))
})
