// Withdrawals: the site that has sent keys takes their copies out of use elsewhere, by a signed notice that only
// touches what it has sent, and by no old bundle do they come back.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { destroyKey, recoverKey } from '../../src/admin/managed-keys.ts'
import { exchangeLog, keysOf } from '../../src/exchange/exchange-log.ts'
import { openIdentity } from '../../src/exchange/identity.ts'
import { copiesOf } from '../../src/exchange/key-copies.ts'
import { revokePeer } from '../../src/exchange/peers.ts'
import { takeReceipt, writeReceipt } from '../../src/exchange/receipts.ts'
import { readNote, writeNote, type NoteBody } from '../../src/exchange/signed-notes.ts'
import {
  takeWithdrawalReceipt,
  writeWithdrawal,
  type WithdrawWish,
} from '../../src/exchange/withdrawal-notices.ts'
import {
  applyWithdrawal,
  countsOf,
  readWithdrawal,
  writeWithdrawalReceipt,
} from '../../src/exchange/withdrawals.ts'
import { stateOf } from '../../src/keystore/lifecycle.ts'
import { day, newSite, now, scratch, twoSites, type Site } from './site.ts'

/** A's notice to B, in a file. */
async function notice(a: Site, wish: Partial<WithdrawWish> = {}) {
  const out = join(scratch(), 'notice')
  const written = await writeWithdrawal(a.store, {
    ...{ peer: 'B', scope: { scope: 'all' }, reason: 'withdrawn', out },
    ...wish,
  })
  return { out, ...written }
}

/** Two keys of A that B has imported, and the bundle that brought them. */
async function sent() {
  const { a, b } = await twoSites()
  const one = await a.key({ barcode: 'KR0001L8' })
  const two = await a.key({ barcode: 'KR0002L8' })
  const { file, report } = await a.export({ peer: 'B' })
  await b.import(file)
  return { a, b, one, two, bundle: file, exportId: report.id }
}

const states = async ({ store }: Site, key: string) =>
  (await copiesOf(store, key)).map(({ state }) => state)
const verdicts = (reports: readonly { verdict: string }[]) => reports.map(({ verdict }) => verdict)
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'taken',
    (error: unknown) => (error as { code: string }).code,
  )

/** The same notice with something changed, signed by a site. */
async function signedBy(
  site: Site,
  file: string,
  changes: Partial<NoteBody<'withdrawal'>>,
  time = site.time.seconds,
): Promise<string> {
  const { body } = await readNote('withdrawal', file)
  const other = join(scratch(), 'other')
  const signer = await site.store.read((work) => openIdentity(work))
  await writeNote<'withdrawal'>(other, { ...body, ...changes }, signer, time)
  return other
}

describe('a withdrawal', () => {
  test('shows what it would do, then takes the copies out of use, on record with each', async () => {
    const { a, b, one, two } = await sent()
    const { out, notice: id, keys } = await notice(a, { scope: { scope: 'key', keys: [one] } })
    expect(keys).toEqual([{ id: one, barcode: 'KR0001L8' }])
    const seen = await readWithdrawal(b.store, out)
    expect(seen).toMatchObject({ peer: 'A', reason: 'withdrawn', applied: undefined })
    expect(verdicts(seen.reports)).toEqual(['withdrawn'])
    expect(await b.bytesOf(one)).toBe(await a.bytesOf(one))
    b.time.seconds += 60n
    const done = await applyWithdrawal(b.store, out)
    expect(done).toMatchObject({ applied: now + 60n })
    expect(countsOf(done.reports)).toEqual({ withdrawn: 1, absent: 0, refused: 0 })
    const object = (await b.object(one))!
    expect(object.vitals.Withdrawn).toBe(now + 60n)
    expect(stateOf(object.vitals, now + 60n)).toBe('Deactivated')
    expect(object.attributes.first('RevocationReason')).toEqual({
      RevocationReasonCode: 'PrivilegeWithdrawn',
      RevocationMessage: 'withdrawn by peer A',
    })
    await expect(b.bytesOf(one)).rejects.toThrow(/was withdrawn 2027-01-15 by peer A/)
    expect(await b.bytesOf(two)).toBe(await a.bytesOf(two))
    const { entries } = await b.store.objectHistory(one)
    expect(entries[0]).toMatchObject({
      operation: 'exchange withdrawn',
      details: { peer: 'A', notice: id, reason: 'withdrawn' },
    })
    const entry = (await b.store.read(exchangeLog)).find((one) => one.id === id)
    expect(entry).toMatchObject({ kind: 'withdrawn', peer: 'A', keys: 1 })
    expect(await keysOf(b.store, entry!)).toMatchObject([{ id: one, verdict: 'withdrawn' }])
  })

  test('of keys that have come into wrong hands makes them Compromised', async () => {
    const { a, b, one } = await sent()
    await applyWithdrawal(b.store, (await notice(a, { reason: 'compromised' })).out)
    const object = (await b.object(one))!
    expect(stateOf(object.vitals, now)).toBe('Compromised')
    expect(object.attributes.first('RevocationReason')).toMatchObject({
      RevocationReasonCode: 'KeyCompromise',
    })
  })

  test('is not undone by any bundle: the refusal names the date', async () => {
    const { a, b, one, two, bundle } = await sent()
    await applyWithdrawal(b.store, (await notice(a)).out)
    const again = await b.import(bundle)
    expect(again.counts).toEqual({ new: 0, here: 0, conflict: 0, refused: 2 })
    expect(again.reports[0]?.reason).toBe(
      'it was withdrawn 2027-01-15 by peer A and is not brought back',
    )
    const { file } = await a.export({ peer: 'B' })
    expect((await b.import(file)).counts.refused).toBe(2)
    expect((await b.object(one))?.vitals.Withdrawn).toBe(now)
    const forward = b.export({ peer: 'A', selection: { scope: 'key', keys: [two] } })
    await expect(forward).rejects.toThrow(/none of the 1 keys may leave: it was withdrawn/)
  })

  test('of a key that is not here keeps earlier bundles from bringing it, not later ones', async () => {
    const { a, b } = await twoSites()
    const key = await a.key()
    const { file: old } = await a.export({ peer: 'B' })
    const done = await applyWithdrawal(b.store, (await notice(a)).out)
    expect(verdicts(done.reports)).toEqual(['absent'])
    const refused = await b.import(old)
    expect(refused.counts).toMatchObject({ new: 0, refused: 1 })
    expect(refused.reports[0]?.reason).toMatch(/^it was withdrawn 2027-01-15 by peer A/)
    const { file: fresh } = await a.export({ peer: 'B' })
    expect((await b.import(fresh)).counts.new).toBe(1)
    expect(await b.bytesOf(key)).toBe(await a.bytesOf(key))
  })

  test('that comes late leaves alone what has come again since', async () => {
    const { a, b } = await twoSites()
    await a.key()
    await a.export({ peer: 'B' })
    const { out } = await notice(a)
    await b.import((await a.export({ peer: 'B' })).file)
    const { reports } = await applyWithdrawal(b.store, out)
    expect(reports).toMatchObject([
      { verdict: 'refused', reason: 'it came again after the notice was made' },
    ])
  })

  test('cannot touch a key that was made here, or came from somebody else', async () => {
    const { a, b, one } = await sent()
    const c = await newSite()
    await c.trust('B', b)
    await b.trust('C', c)
    const own = await b.key()
    const others = await c.key({ barcode: 'KR0009L8' })
    await b.import((await c.export({ peer: 'B' })).file)
    const { out } = await notice(a)
    const keys = [one, own, others].map((key) => ({ key }))
    const { reports } = await applyWithdrawal(b.store, await signedBy(a, out, { keys }))
    expect(reports.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['withdrawn', undefined],
      ['refused', 'it was made here'],
      ['refused', 'it came from peer C'],
    ])
    expect(await b.bytesOf(own)).toBeDefined()
    expect(await b.bytesOf(others)).toBe(await c.bytesOf(others))
  })

  test('is applied once: a replay changes nothing, also after it was lifted', async () => {
    const { a, b, one, two } = await sent()
    const { out } = await notice(a)
    await applyWithdrawal(b.store, out)
    await recoverKey(b.store, one)
    expect(await b.bytesOf(one)).toBe(await a.bytesOf(one))
    b.time.seconds += day
    const again = await applyWithdrawal(b.store, out)
    expect(again.applied).toBe(now)
    const reports = new Map(again.reports.map((report) => [report.id, report]))
    expect(reports.get(two)?.verdict).toBe('already')
    expect(reports.get(one)?.verdict).toBe('refused')
    expect(reports.get(one)?.reason).toMatch(/the withdrawal was lifted/)
    expect(await b.bytesOf(one)).toBe(await a.bytesOf(one))
    await expect(b.bytesOf(two)).rejects.toThrow(/was withdrawn/)
  })

  test('holds for a key that was destroyed here, and is recovered', async () => {
    const { a, b, one } = await sent()
    await destroyKey(b.store, one)
    await applyWithdrawal(b.store, (await notice(a)).out)
    expect(await recoverKey(b.store, one)).toMatchObject({ destroyed: undefined, withdrawn: now })
    await expect(b.bytesOf(one)).rejects.toThrow(/was withdrawn/)
    await recoverKey(b.store, one)
    expect(await b.bytesOf(one)).toBe(await a.bytesOf(one))
  })

  test('is selected by cartridge, export or key, of what was sent there only', async () => {
    const { a, b, one, two, exportId } = await sent()
    const three = await a.key({ barcode: 'KR0003L8' })
    const barcodes = ['KR0002L8', 'KR0003L8']
    const scope = { scope: 'barcode', barcodes, group: 'default' } as const
    expect(await notice(a, { scope })).toMatchObject({
      keys: [{ id: two }],
      missing: ['KR0003L8'],
    })
    const ofExport = await notice(a, { scope: { scope: 'export', id: exportId.slice(0, 8) } })
    expect(ofExport.keys.map(({ id }) => id).toSorted()).toEqual([one, two].toSorted())
    const never = notice(a, { scope: { scope: 'key', keys: [three] } })
    await expect(never).rejects.toMatchObject({ code: 'nothing-selected' })
    expect(await codeOf(notice(b, { peer: 'A' }))).toBe('nothing-selected')
    await b.export({ peer: 'A' })
    expect(await codeOf(notice(b, { peer: 'A' })), 'they are its own').toBe('nothing-selected')
    expect(await codeOf(notice(a, { peer: 'C' }))).toBe('no-such-peer')
  })
})

describe('a notice', () => {
  test('of a stranger, of a revoked or expired peer, or for another server is refused', async () => {
    const { a, b } = await sent()
    const { out } = await notice(a)
    const c = await newSite()
    expect(await codeOf(readWithdrawal(b.store, await signedBy(c, out, {})))).toBe('sender-unknown')
    await c.trust('A', a)
    expect(await codeOf(applyWithdrawal(c.store, out))).toBe('withdrawal-for-another')
    const ahead = await signedBy(a, out, {}, now + 2n * day)
    expect(await codeOf(applyWithdrawal(b.store, ahead))).toBe('signed-in-future')
    b.time.seconds += 365n * 40n * day
    expect(await codeOf(applyWithdrawal(b.store, out))).toBe('sender-expired')
    b.time.seconds = now
    await revokePeer(b.store, 'A')
    expect(await codeOf(applyWithdrawal(b.store, out))).toBe('sender-revoked')
  })

  test('with the id of a withdrawal of our own is refused', async () => {
    const { a, b } = await sent()
    const key = await b.key()
    await a.import((await b.export({ peer: 'A' })).file)
    const ours = await writeWithdrawal(b.store, {
      ...{ peer: 'A', scope: { scope: 'key', keys: [key] }, reason: 'withdrawn' },
      out: join(scratch(), 'ours'),
    })
    const { out } = await notice(a)
    const taken = await signedBy(a, out, { notice: ours.notice })
    expect(await codeOf(applyWithdrawal(b.store, taken))).toBe('notice-differs')
  })

  test('that was changed, cut short, or says something else is refused', async () => {
    const { a, b, one } = await sent()
    const { out } = await notice(a)
    const bytes = await readFile(out)
    const changed = join(scratch(), 'changed')
    const code = async (content: Uint8Array) => {
      await writeFile(changed, content)
      return codeOf(applyWithdrawal(b.store, changed))
    }
    for (let at = 0; at < bytes.length; at += 13) {
      const copy = Buffer.from(bytes)
      copy[at]! ^= 1 << (at % 8)
      expect(await code(copy)).toBe('note-unreadable')
    }
    expect(await code(bytes.subarray(0, -1))).toBe('note-unreadable')
    expect(await code(Buffer.from('no notice'))).toBe('note-unreadable')
    expect(await codeOf(applyWithdrawal(b.store, await signedBy(a, out, { keys: [] })))).toBe(
      'note-unreadable',
    )
    expect(await b.bytesOf(one)).toBe(await a.bytesOf(one))
  })
})

describe('the ledger of a key', () => {
  test('says which copy went where, by whom, and what the other site has said', async () => {
    const { a, b, one, two, bundle, exportId } = await sent()
    expect(await copiesOf(a.store, one)).toMatchObject([
      {
        key: one,
        peer: 'B',
        exportId,
        way: 'bundle',
        time: now,
        by: 'administrator',
        state: 'sent',
      },
    ])
    const out = join(scratch(), 'receipt')
    const report = await b.import(bundle)
    await writeReceipt(b.store, { bundle, out, report })
    await takeReceipt(a.store, await readNote('receipt', out))
    expect(await states(a, one)).toEqual(['received'])
    const { out: file } = await notice(a, { scope: { scope: 'key', keys: [one] } })
    expect(await states(a, one)).toEqual(['withdrawing'])
    expect(await states(a, two)).toEqual(['received'])
    const applied = await applyWithdrawal(b.store, file)
    const confirmed = join(scratch(), 'confirmed')
    await writeWithdrawalReceipt(b.store, applied, confirmed)
    const note = await readNote('withdrawal receipt', confirmed)
    const { body } = await takeWithdrawalReceipt(a.store, note)
    expect(body).toMatchObject({ applied: Number(now), counts: { withdrawn: 1 } })
    expect(await states(a, one)).toEqual(['withdrawn'])
    await a.export({ peer: 'B', selection: { scope: 'key', keys: [one] } })
    expect(await states(a, one)).toEqual(['sent', 'withdrawn'])
  })

  test('says that a key was not taken, and why, by the receipt', async () => {
    const { a, b } = await twoSites()
    const mine = await a.key({ data: 'same' })
    await b.key({ data: 'same' })
    const { file: bundle } = await a.export({ peer: 'B' })
    const out = join(scratch(), 'receipt')
    await writeReceipt(b.store, { bundle, out, report: await b.import(bundle) })
    await takeReceipt(a.store, await readNote('receipt', out))
    const [copy] = await copiesOf(a.store, mine)
    expect(copy).toMatchObject({ state: 'not taken' })
    expect(copy?.reason).toMatch(/Application Specific Information/)
  })

  test('keeps a withdrawal open for a key that the other site goes on using', async () => {
    const { a, b, one } = await sent()
    const { out } = await notice(a)
    const applied = await applyWithdrawal(b.store, out)
    await recoverKey(b.store, one)
    const confirmed = join(scratch(), 'confirmed')
    const { reports } = await readWithdrawal(b.store, out)
    await writeWithdrawalReceipt(b.store, { ...applied, reports }, confirmed)
    const note = await readNote('withdrawal receipt', confirmed)
    await takeWithdrawalReceipt(a.store, note)
    expect(await states(a, one)).toEqual(['withdrawing'])
  })

  test('takes no receipt of a withdrawal from anybody else, or for another one', async () => {
    const { a, b } = await sent()
    const { out } = await notice(a)
    const applied = await applyWithdrawal(b.store, out)
    const c = await newSite()
    const byOther = join(scratch(), 'other')
    await writeWithdrawalReceipt(c.store, applied, byOther)
    const forOther = join(scratch(), 'unknown')
    await writeWithdrawalReceipt(b.store, { ...applied, notice: crypto.randomUUID() }, forOther)
    for (const [file, code] of [
      [byOther, 'sender-differs'],
      [forOther, 'no-such-exchange'],
    ] as const) {
      const note = await readNote('withdrawal receipt', file)
      expect(await codeOf(takeWithdrawalReceipt(a.store, note))).toBe(code)
    }
  })
})
