/**
 * Withdrawals as the site takes them that has the copies: what a notice would do is shown first, then the keys
 * that came from its sender are out of use, and what is not here does not come by an old bundle either.
 */
import { administrator, allOf, bodyOf, putBody, type Body } from '../access/documents.ts'
import { nextEntry } from '../access/exchange-entries.ts'
import { dateOf } from '../access/identity.ts'
import { UserError } from '../errors.ts'
import { labelOf } from '../keystore/cartridge-labels.ts'
import { originOf } from '../keystore/key-origin.ts'
import { objectOf, saveObject } from '../keystore/keystore.ts'
import type { ManagedObject } from '../keystore/managed-object.ts'
import type { Store } from '../keystore/store.ts'
import { markWithdrawn } from '../keystore/withdrawal.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { openIdentity } from './identity.ts'
import { senderOf } from './note-senders.ts'
import { keysPerAct } from './release-keys.ts'
import { readNote, writeNote, type NoteBody } from './signed-notes.ts'

/** What becomes of a key that a notice names: out of use, so before, not here, or still in use. */
export type WithdrawalVerdict = 'withdrawn' | 'already' | 'absent' | 'refused'

/** One line of the report. */
export interface WithdrawalReport {
  readonly id: string
  readonly barcode: string | undefined
  readonly group: string | undefined
  readonly verdict: WithdrawalVerdict
  readonly reason: string | undefined
}

/** A notice as it looks here. */
export interface ReceivedNotice {
  readonly notice: string
  readonly peer: string
  readonly reason: NoteBody<'withdrawal'>['reason']
  readonly signed: bigint
  /** When it was applied here already; then nothing changes any more. */
  readonly applied: bigint | undefined
  readonly reports: readonly WithdrawalReport[]
}

interface Read extends Omit<ReceivedNotice, 'reports' | 'applied'> {
  readonly body: NoteBody<'withdrawal'>
  readonly before: Body<'exchange-withdrawal'> | undefined
  /** Names under which keys of that site have come. */
  readonly names: ReadonlySet<string>
}

/** Reads a notice and says what it would do; nothing is changed. Throws UserError. */
export async function readWithdrawal(store: Store, file: string): Promise<ReceivedNotice> {
  return shownOf(store, await read(store, file))
}

const lifted = {
  verdict: 'refused',
  reason: 'it is in use again: the withdrawal was lifted',
} as const

async function shownOf(store: Store, notice: Read): Promise<ReceivedNotice> {
  const reports: WithdrawalReport[] = []
  for (const named of notice.body.keys)
    reports.push(await store.read(async (work) => (await judged(work, named, notice)).report))
  const applied = notice.before?.applied
  if (applied !== undefined)
    for (const [at, report] of reports.entries())
      if (report.verdict === 'withdrawn') reports[at] = { ...report, ...lifted }
  return { ...notice, applied: applied === undefined ? undefined : BigInt(applied), reports }
}

async function read(store: Store, file: string): Promise<Read> {
  const note = await readNote('withdrawal', file)
  const peer = await senderOf(store, note, 'withdrawal')
  const { notice, reason } = note.body
  return store.read(async (work) => {
    const before = await bodyOf(work, 'exchange-withdrawal', notice)
    if (before !== undefined && (before.direction !== 'received' || before.peer !== peer.name))
      throw new UserError(
        'notice-differs',
        `a withdrawal ${notice} is known here that is not peer ${peer.name}'s`,
        'ask the peer for a new notice',
      )
    const same = (await allOf(work, 'exchange-peer'))
      .filter(({ body }) => body.identity?.pin === note.pin)
      .map(({ name }) => name)
    const names = new Set([peer.name, ...same, `identity-${note.pin.slice(0, 16)}`])
    return { notice, peer: peer.name, reason, signed: note.signed, body: note.body, before, names }
  })
}

type Named = NoteBody<'withdrawal'>['keys'][number]

async function judged(
  work: Work,
  { key, barcode }: Named,
  { body, names }: Pick<Read, 'body' | 'names'>,
): Promise<{ report: WithdrawalReport; object: ManagedObject | undefined }> {
  const stored = await work.loadAnywhere(key)
  const object = stored && objectOf(stored)
  const verdict = (word: WithdrawalVerdict, reason?: string) => ({
    report: {
      ...{ id: key, group: object?.group, verdict: word, reason },
      barcode: (object && labelOf(object)?.barcode) ?? barcode,
    },
    object,
  })
  if (object === undefined) return verdict('absent')
  const from = originOf(object)
  if (from === undefined) return verdict('refused', 'it was made here')
  if (!names.has(from.peer)) return verdict('refused', `it came from peer ${from.peer}`)
  if (!body.exports.includes(from.exportId))
    return verdict('refused', 'it came again after the notice was made')
  const { Withdrawn } = object.vitals
  if (Withdrawn !== undefined) return verdict('already', `since ${dateOf(Withdrawn)}`)
  return verdict('withdrawn')
}

/**
 * Applies a notice, in steps of at most 100 keys; one that was interrupted is simply applied again, one that was
 * applied changes nothing any more. Throws UserError.
 */
export async function applyWithdrawal(
  store: Store,
  file: string,
  actor: AuditActor = administrator,
): Promise<ReceivedNotice> {
  const notice = await read(store, file)
  if (notice.before?.applied !== undefined) return shownOf(store, notice)
  const { peer, body } = notice
  const begun: Body<'exchange-withdrawal'> = {
    ...{ direction: 'received', peer, reason: notice.reason, signed: Number(notice.signed) },
    ...{ exports: [...body.exports], keys: body.keys.length },
  }
  const record = { actor, object: notice.notice, outcome: 'Success' } as const
  const entry = await store.act(async (work) => {
    // A notice that was interrupted keeps the number that it has.
    const number = notice.before?.entry ?? (await nextEntry(work))
    await putBody(work, 'exchange-withdrawal', notice.notice, { ...begun, entry: number })
    const details = { peer, reason: notice.reason, signed: begun.signed, keys: begun.keys }
    work.audit({ ...record, operation: 'exchange withdrawal begin', details })
    return number
  })
  const reports: WithdrawalReport[] = []
  let absentParts = 0
  for (let first = 0; first < body.keys.length; first += keysPerAct) {
    const some = body.keys.slice(first, first + keysPerAct)
    const step = await store.act(async (work) => {
      const done: WithdrawalReport[] = []
      for (const named of some) done.push(await withdrawOne(work, named, notice, actor))
      const absent = done.filter(({ verdict }) => verdict === 'absent').map(({ id }) => id)
      if (absent.length > 0)
        await putBody(work, 'exchange-withdrawn', `${notice.notice}/${absentParts}`, {
          keys: absent,
        })
      const details = { peer, keys: done.map((report) => withoutBlanks(report)) }
      work.audit({ ...record, operation: 'exchange withdrawal part', details })
      return { done, hasAbsent: absent.length > 0 }
    })
    if (step.hasAbsent) absentParts += 1
    reports.push(...step.done)
  }
  const counts = countsOf(reports)
  const applied = await store.act(async (work) => {
    const ended = { ...begun, entry, applied: Number(work.now), counts, absentParts }
    await putBody(work, 'exchange-withdrawal', notice.notice, ended)
    const details = { peer, counts }
    work.audit({ ...record, operation: 'exchange withdrawal end', details })
    return work.now
  })
  return { ...notice, applied, reports }
}

async function withdrawOne(
  work: Work,
  named: Named,
  { notice, peer, reason, body, names }: Read,
  actor: AuditActor,
): Promise<WithdrawalReport> {
  const { report, object } = await judged(work, named, { body, names })
  if (report.verdict !== 'withdrawn' || object === undefined) return report
  const RevocationReasonCode = reason === 'compromised' ? 'KeyCompromise' : 'PrivilegeWithdrawn'
  const RevocationMessage = `withdrawn by peer ${peer}`
  markWithdrawn(object, { RevocationReasonCode, RevocationMessage }, work.now)
  await saveObject(work, object)
  const { id, group } = object
  const record = { actor, object: id, group, outcome: 'Success' } as const
  work.audit({ ...record, operation: 'exchange withdrawn', details: { peer, notice, reason } })
  return report
}

function withoutBlanks({ id, barcode, verdict, reason }: WithdrawalReport) {
  return {
    ...{ id, verdict },
    ...(barcode !== undefined && { barcode }),
    ...(reason !== undefined && { reason }),
  }
}

/** How many keys came to what; a key that was out of use before is so now. */
export function countsOf(reports: readonly WithdrawalReport[]): {
  withdrawn: number
  absent: number
  refused: number
} {
  const counts = { withdrawn: 0, absent: 0, refused: 0 }
  for (const { verdict } of reports) counts[verdict === 'already' ? 'withdrawn' : verdict] += 1
  return counts
}

/** Signs what became of a notice, for its sender. It has to be applied. */
export async function writeWithdrawalReceipt(
  store: Store,
  { notice, applied, reports }: ReceivedNotice,
  out: string,
): Promise<void> {
  if (applied === undefined) throw new Error(`withdrawal ${notice} is not applied`)
  const { signer, now } = await store.read(async (work) => ({
    signer: await openIdentity(work),
    now: work.now,
  }))
  const refused = reports
    .filter(({ verdict }) => verdict === 'refused')
    .map(({ id: key, reason = '' }) => ({ key, reason: reason.slice(0, 512) }))
  const counts = countsOf(reports)
  const body = { keyreel: 'withdrawal receipt 1', notice, counts, refused } as const
  const applying = { ...body, refused, applied: Number(applied) }
  await writeNote<'withdrawal receipt'>(out, applying, signer, now)
}

/** When an old export was withdrawn: by key, of those that were not here then. */
export async function withdrawnOf(
  work: Work,
  peer: string,
  exportId: string,
): Promise<ReadonlyMap<string, bigint>> {
  const found = new Map<string, bigint>()
  for (const { name, body } of await allOf(work, 'exchange-withdrawal')) {
    const isMeant =
      body.direction === 'received' && body.peer === peer && body.exports.includes(exportId)
    for (let part = 0; isMeant && part < (body.absentParts ?? 0); part++) {
      const absent = await bodyOf(work, 'exchange-withdrawn', `${name}/${part}`)
      for (const key of absent?.keys ?? []) found.set(key, BigInt(body.applied ?? body.signed))
    }
  }
  return found
}
