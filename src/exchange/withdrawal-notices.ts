/**
 * Withdrawals as the site makes them that has sent the keys: which copies at a peer are meant, the signed notice
 * about them, and the peer's word on what became of them.
 */
import { administrator, allOf, bodyOf, putBody, type Body } from '../access/documents.ts'
import { nextEntry } from '../access/exchange-entries.ts'
import { randomUuid } from '../crypto/primitives/random.ts'
import { UserError } from '../errors.ts'
import { labelOf } from '../keystore/cartridge-labels.ts'
import { cartridgesNamed } from '../keystore/cartridges.ts'
import { originOf } from '../keystore/key-origin.ts'
import { objectOf } from '../keystore/keystore.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { ensureExchange, openIdentity } from './identity.ts'
import { judgeDates } from './note-senders.ts'
import { peerNamed } from './peers.ts'
import { untrusted } from './refusals.ts'
import { keysOfExport, keysPerAct } from './release-keys.ts'
import { mostExports, mostWithdrawn, writeNote, type Note } from './signed-notes.ts'

/** Which copies are meant. */
export type WithdrawScope =
  | { readonly scope: 'all' }
  | { readonly scope: 'export'; readonly id: string }
  | { readonly scope: 'barcode'; readonly barcodes: readonly string[]; readonly group: string }
  | { readonly scope: 'key'; readonly keys: readonly string[] }

export type WithdrawReason = Body<'exchange-withdrawal'>['reason']

/** What to withdraw, from whom. */
export interface WithdrawWish {
  readonly peer: string
  readonly scope: WithdrawScope
  readonly reason: WithdrawReason
  readonly actor?: AuditActor
}

/** A key whose copies are meant. */
export interface WithdrawnKey {
  readonly id: string
  readonly barcode: string | undefined
}

/** Which copies a wish comes to. */
export interface Withdrawable {
  readonly peer: string
  /** Fingerprint of the peer's Encryption Certificate. */
  readonly to: string
  /** Every export to the peer so far: what comes by a later one is not meant. */
  readonly exports: readonly string[]
  readonly keys: readonly WithdrawnKey[]
  /** Barcodes and keys of which no copy went there. */
  readonly missing: readonly string[]
}

/** Finds the copies. Throws UserError 'nothing-selected', 'too-many-keys' and those of peers. */
export async function withdrawable(
  store: Store,
  { peer, scope }: Pick<WithdrawWish, 'peer' | 'scope'>,
): Promise<Withdrawable> {
  const { named, exports } = await store.read(async (work) => ({
    named: await peerNamed(work, peer),
    exports: (await allOf(work, 'exchange-export'))
      .filter(
        ({ body }) => body.peer === peer && (body.live === true || body.finished !== undefined),
      )
      .map(({ name }) => name),
  }))
  const sent = new Map<string, Set<string>>()
  for (const one of exports)
    for (const key of await keysOfExport(store, one))
      sent.set(key, (sent.get(key) ?? new Set()).add(one))
  for (const key of await madeThere(store, sent.keys(), peer)) sent.delete(key)
  const { ids, missing } = await chosen(store, sent, scope)
  if (ids.length === 0)
    throw new UserError(
      'nothing-selected',
      `no such key has ever been sent to peer ${peer}`,
      'see what was:  keyreel exchange log',
    )
  if (ids.length > mostWithdrawn || exports.length > mostExports)
    throw new UserError(
      'too-many-keys',
      `${ids.length} keys are too many for one withdrawal: it takes ${mostWithdrawn}`,
      'withdraw them in several steps, with --export ID or --barcodes-from FILE',
    )
  const keys: WithdrawnKey[] = []
  for (const id of ids) {
    const stored = await store.read((work) => work.loadAnywhere(id))
    keys.push({ id, barcode: stored && labelOf(objectOf(stored))?.barcode })
  }
  return { peer, to: named.current.fingerprint, exports, keys, missing }
}

/** Keys that have come from the peer: it may have been offered them again, but they are its own. */
async function madeThere(store: Store, keys: Iterable<string>, peer: string): Promise<string[]> {
  const found: string[] = []
  for (const key of keys) {
    const stored = await store.read((work) => work.loadAnywhere(key))
    if (stored !== undefined && originOf(objectOf(stored))?.peer === peer) found.push(key)
  }
  return found
}

async function chosen(
  store: Store,
  sent: ReadonlyMap<string, ReadonlySet<string>>,
  scope: WithdrawScope,
): Promise<{ ids: string[]; missing: string[] }> {
  const all = [...sent.keys()]
  switch (scope.scope) {
    case 'all':
      return { ids: all, missing: [] }
    case 'export':
      return {
        ids: all.filter((id) => [...sent.get(id)!].some((one) => one.startsWith(scope.id))),
        missing: [],
      }
    case 'key':
      return eachOf(scope.keys, (word) =>
        Promise.resolve(all.filter((id) => id.startsWith(word.toLowerCase()))),
      )
    case 'barcode':
      return eachOf(scope.barcodes, (barcode) =>
        store.read(async (work) => {
          const found = await cartridgesNamed(work, scope.group, barcode)
          return found.flatMap(({ keys }) => keys.map(({ id }) => id)).filter((id) => sent.has(id))
        }),
      )
  }
}

async function eachOf(
  words: readonly string[],
  find: (word: string) => Promise<string[]>,
): Promise<{ ids: string[]; missing: string[] }> {
  const ids = new Set<string>()
  const missing: string[] = []
  for (const word of new Set(words)) {
    const found = await find(word)
    if (found.length === 0) missing.push(word)
    for (const id of found) ids.add(id)
  }
  return { ids: [...ids], missing }
}

/** A withdrawal that was signed. */
export interface Notice extends Withdrawable {
  readonly notice: string
}

/** Records the withdrawal with every key, and signs the notice for the peer. Throws UserError. */
export async function writeWithdrawal(
  store: Store,
  wish: WithdrawWish & { readonly out: string },
): Promise<Notice> {
  const { actor = administrator, reason, out } = wish
  await ensureExchange(store, actor)
  const found = await withdrawable(store, wish)
  const { peer, to, exports, keys } = found
  const notice = randomUuid()
  await recordWithdrawal(store, { ...found, notice }, { reason, actor })
  const { signer, now } = await store.read(async (work) => ({
    signer: await openIdentity(work),
    now: work.now,
  }))
  const body = {
    ...({ keyreel: 'withdrawal 1', notice, to, reason } as const),
    exports: [...exports],
    keys: keys.map(({ id: key, barcode }) => (barcode === undefined ? { key } : { key, barcode })),
  }
  await writeNote<'withdrawal'>(out, body, signer, now)
  return { ...found, peer, notice }
}

/** The entry of the withdrawal, and a record with each key. */
export async function recordWithdrawal(
  store: Store,
  { notice, peer, exports, keys }: Notice,
  { reason, actor, live }: { reason: WithdrawReason; actor: AuditActor; live?: true },
): Promise<Body<'exchange-withdrawal'>> {
  const outcome = 'Success'
  const entry = await store.act(async (work) => {
    const body: Body<'exchange-withdrawal'> = {
      ...{ direction: 'sent', peer, reason, signed: Number(work.now) },
      entry: await nextEntry(work),
      ...{ exports: [...exports], keys: keys.length, ...(live && { live }) },
    }
    await putBody(work, 'exchange-withdrawal', notice, body)
    const details = { peer, reason, keys: keys.length }
    work.audit({ actor, operation: 'exchange withdraw begin', object: notice, outcome, details })
    return body
  })
  for (let first = 0; first < keys.length; first += keysPerAct) {
    const some = keys.slice(first, first + keysPerAct)
    await store.act((work) => {
      for (const { id } of some) {
        const details = { peer, notice, reason }
        work.audit({ actor, operation: 'exchange withdraw', object: id, outcome, details })
      }
      const details = { peer, keys: some.map(({ id, barcode = '' }) => ({ id, barcode })) }
      work.audit({ actor, operation: 'exchange withdraw part', object: notice, outcome, details })
      return Promise.resolve()
    })
  }
  return entry
}

/** What became of a withdrawal at the peer. */
export interface Outcome {
  readonly applied: bigint
  readonly counts: { readonly withdrawn: number; readonly absent: number; readonly refused: number }
  readonly refused: readonly { readonly key: string; readonly reason: string }[]
}

/** Closes the entry: what the peer has said about it, and a record with each key that it goes on using. */
export async function closeWithdrawal(
  store: Store,
  notice: string,
  { applied, counts, refused }: Outcome,
  actor: AuditActor,
): Promise<Body<'exchange-withdrawal'>> {
  const entry = await store.act(async (work) => {
    const before = await bodyOf(work, 'exchange-withdrawal', notice)
    if (before === undefined) throw new Error(`withdrawal ${notice} has no entry`)
    const body = { ...before, applied: Number(applied), counts: { ...counts } }
    await putBody(work, 'exchange-withdrawal', notice, body)
    const details = { peer: before.peer, applied: Number(applied), counts: { ...counts } }
    const record = { actor, operation: 'exchange withdraw end', outcome: 'Success' } as const
    work.audit({ ...record, object: notice, details })
    return body
  })
  for (let first = 0; first < refused.length; first += keysPerAct)
    await store.act((work) =>
      Promise.resolve(
        recordRefused(work, refused.slice(first, first + keysPerAct), entry.peer, notice, actor),
      ),
    )
  return entry
}

function recordRefused(
  work: Work,
  refused: Outcome['refused'],
  peer: string,
  notice: string,
  actor: AuditActor,
): void {
  for (const { key: object, reason } of refused) {
    const record = { actor, operation: 'exchange not withdrawn', outcome: 'Success' } as const
    work.audit({ ...record, object, details: { peer, notice, reason } })
  }
}

/** Takes the receipt of a withdrawal. Throws UserError when it is not the peer's, or for none of ours. */
export async function takeWithdrawalReceipt(
  store: Store,
  note: Note<'withdrawal receipt'>,
  actor: AuditActor = administrator,
): Promise<{ notice: string; body: Body<'exchange-withdrawal'> }> {
  const { notice, applied, counts, refused } = note.body
  await store.read(async (work) => {
    const before = await bodyOf(work, 'exchange-withdrawal', notice)
    if (before?.direction !== 'sent')
      throw new UserError(
        'no-such-exchange',
        `the receipt is for withdrawal ${notice}, which was not made here`,
        'list those that were:  keyreel exchange log',
      )
    const { name, identity } = await peerNamed(work, before.peer)
    if (identity?.pin !== note.pin)
      throw untrusted(
        'sender-differs',
        `withdrawal ${notice} was for peer ${name}, but somebody else has signed the receipt`,
        'ask that site for a receipt of its own; there:  keyreel exchange withdraw apply FILE --receipt FILE',
      )
    judgeDates(note, 'receipt', work.now)
  })
  const meant = new Set(await keysOfWithdrawal(store, notice))
  const told = refused.filter(({ key }) => meant.has(key))
  const outcome = { applied: BigInt(applied), counts, refused: told }
  return { notice, body: await closeWithdrawal(store, notice, outcome, actor) }
}

const recordsOfWithdrawal = 100_000

async function keysOfWithdrawal(store: Store, notice: string): Promise<string[]> {
  const { entries } = await store.objectHistory(notice, recordsOfWithdrawal)
  return entries
    .filter(({ operation }) => operation === 'exchange withdraw part')
    .flatMap(({ details }) => (details as { keys: { id: string }[] }).keys.map(({ id }) => id))
}
