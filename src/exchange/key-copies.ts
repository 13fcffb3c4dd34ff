/**
 * The ledger of a key: which copies of it went where, when, by whom, and what is known of them since. Read from
 * the records of the key and the entries of the exports that they name.
 */
import { bodyOf, type Body } from '../access/documents.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditEntry } from '../keystore/work.ts'

/**
 * What is known of a copy: `sent` – nothing yet; `received` – the peer has said that it holds the key; `not
 * taken` – it has said that it does not; `withdrawing` – it was told to use it no longer; `withdrawn` – it has
 * said that it does not any more.
 */
export type CopyState = 'sent' | 'received' | 'not taken' | 'withdrawing' | 'withdrawn'

/** A copy that went to another site. */
export interface KeyCopy {
  readonly key: string
  readonly peer: string
  /** Id of the export, as in `exchange log`. */
  readonly exportId: string
  /** In a file, or over KMIP: brought by us, or taken by the peer. */
  readonly way: 'bundle' | 'push' | 'pull'
  /** Seconds since 1970. */
  readonly time: bigint
  /** Who sent it, or took it; and who approved. */
  readonly by: string
  readonly approver: string | undefined
  readonly state: CopyState
  /** When the peer said so, by its clock; when it was told, while it has not answered. */
  readonly since: bigint | undefined
  /** Why it was not taken. */
  readonly reason: string | undefined
}

/** Records of a key that are looked through for copies, newest first. */
const recordsPerKey = 10_000

/** The copies of a key, newest first. */
export async function copiesOf(
  store: Pick<Store, 'objectHistory' | 'read'>,
  key: string,
): Promise<KeyCopy[]> {
  const { entries } = await store.objectHistory(key, recordsPerKey)
  const copies: KeyCopy[] = []
  const seen = new Set<string>()
  for (const entry of entries.filter(isExport)) {
    const { peer, export: exportId } = entry.details as { peer: string; export: string }
    // An export that was tried twice under one approval has two records of the key.
    if (seen.has(exportId)) continue
    seen.add(exportId)
    const body = await store.read((work) => bodyOf(work, 'exchange-export', exportId))
    if (body !== undefined && cameToNothing(body)) continue
    const withdrawal = await withdrawalOf(store, entries, peer, exportId)
    copies.push({
      ...{ key, peer, exportId, time: entry.time, by: entry.actor.name },
      way: wayOf(body),
      approver: body?.approver,
      ...(withdrawal ?? fateOf(entries, exportId, body)),
    })
  }
  return copies
}

type Fate = Pick<KeyCopy, 'state' | 'since' | 'reason'>

/** Whether a copy left by this record, or may have: a bundle is pending until its own record ends it. */
function isExport({ operation, outcome }: AuditEntry): boolean {
  const hasLeft = outcome === 'Success' || outcome === 'OperationPending'
  return operation === 'exchange export' && hasLeft
}

function cameToNothing({ failed, live }: Body<'exchange-export'>): boolean {
  return failed !== undefined && live !== true
}

/** Records of keys with what became of the exports that they name, instead of that these were begun. */
export async function withFates(
  store: Pick<Store, 'read'>,
  entries: readonly AuditEntry[],
): Promise<AuditEntry[]> {
  return Promise.all(
    entries.map(async (entry) => {
      if (!isExport(entry)) return entry
      const { export: id } = entry.details as { export: string }
      const body = await store.read((work) => bodyOf(work, 'exchange-export', id))
      if (body === undefined) return entry
      if (cameToNothing(body)) return { ...entry, outcome: 'GeneralFailure' }
      return body.finished === undefined ? entry : { ...entry, outcome: 'Success' }
    }),
  )
}

function wayOf(body: Body<'exchange-export'> | undefined): KeyCopy['way'] {
  if (body?.taken === true) return 'pull'
  return body?.live === true ? 'push' : 'bundle'
}

/** What the peer has said about the copy. */
function fateOf(
  entries: readonly AuditEntry[],
  exportId: string,
  body: Body<'exchange-export'> | undefined,
): Fate {
  const receipt = body?.receipt
  const word = receipt?.import ?? exportId
  const left = entries
    .filter(({ operation }) => operation === 'exchange not taken')
    .map(({ details, time }) => ({ told: details as Record<string, string>, time }))
    .find(({ told }) => told['export'] === exportId && told['receipt'] === word)
  if (left !== undefined)
    return { state: 'not taken', since: left.time, reason: left.told['reason'] }
  const since = receipt && BigInt(receipt.imported)
  return { state: receipt === undefined ? 'sent' : 'received', since, reason: undefined }
}

/** The newest withdrawal of the copy, if there is one. */
async function withdrawalOf(
  store: Pick<Store, 'read'>,
  entries: readonly AuditEntry[],
  peer: string,
  exportId: string,
): Promise<Fate | undefined> {
  for (const { operation, details, time } of entries) {
    if (operation !== 'exchange withdraw') continue
    const told = details as { peer: string; notice: string }
    if (told.peer !== peer) continue
    const body = await store.read((work) => bodyOf(work, 'exchange-withdrawal', told.notice))
    if (body?.exports.includes(exportId) !== true) continue
    const applied = body.applied === undefined ? undefined : BigInt(body.applied)
    const isDone = applied !== undefined && !isRefused(entries, told.notice)
    const state = isDone ? 'withdrawn' : 'withdrawing'
    return { state, since: isDone ? applied : time, reason: undefined }
  }
  return undefined
}

/** Whether the peer has said that it goes on using the key. */
function isRefused(entries: readonly AuditEntry[], notice: string): boolean {
  return entries.some(
    ({ operation, details }) =>
      operation === 'exchange not withdrawn' && (details as { notice: string }).notice === notice,
  )
}
