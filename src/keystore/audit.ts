// The audit chains: one per writer (server, CLI), one row per group commit, each row's MAC over the
// row before it. A new chain begins with a record in an existing one. Written in the transaction of
// the acts it records, so neither is ever there without the other.
import { macLength } from '../crypto/primitives/mac.ts'
import type { Sealing } from './sealing.ts'
import type { AuditHead, AuditRow, StorageReader, StorageWriter } from './storage.ts'
import type { AuditActor, AuditChange, AuditEntry, AuditRecord, JsonValue } from './work.ts'

/** What one act leaves to be recorded. */
export interface Recorded {
  readonly records: readonly AuditRecord[]
  readonly changes: readonly AuditChange[]
}

/** Operation names of the records that tie chains together. */
export const chainEvents = {
  created: 'Store Created',
  announced: 'Audit Chain Announced',
  started: 'Audit Chain Started',
} as const

/** The MAC before a chain's first row. */
export const beforeFirst = new Uint8Array(macLength)

const recorder: AuditActor = { name: 'keyreel', kind: 'server' }

/** Appends one row with the acts' records, in order, to the chain; begins the chain when it is new. */
export async function appendAudit(
  rows: StorageWriter,
  sealing: Sealing,
  chain: string,
  now: bigint,
  acts: readonly Recorded[],
): Promise<void> {
  const entries = acts.flatMap(withChanges)
  if (entries.length === 0) return
  const head = await rows.auditHead(chain)
  if (head) return append(rows, sealing, chain, now, head, entries)
  const start = await announce(rows, sealing, chain, now)
  return append(rows, sealing, chain, now, undefined, [start, ...entries])
}

/** Begins the store's first chain. */
export async function beginAudit(
  rows: StorageWriter,
  sealing: Sealing,
  chain: string,
  now: bigint,
  store: string,
): Promise<void> {
  const created = record(chainEvents.created, { store, chain })
  await append(rows, sealing, chain, now, undefined, [created])
}

/** The records of a row whose MAC has been verified. */
export function entriesOf({ chain, body }: Pick<AuditRow, 'chain' | 'body'>): AuditEntry[] {
  const written = JSON.parse(body) as WrittenEntry[]
  return written.map(({ time, changes = [], ...entry }) => ({
    ...entry,
    chain,
    time: BigInt(time),
    changes,
  }))
}

interface WrittenEntry extends AuditRecord {
  readonly number: number
  readonly time: number
  readonly changes?: readonly AuditChange[]
}

type Unnumbered = AuditRecord & { readonly changes?: readonly AuditChange[] }

async function announce(
  rows: StorageWriter,
  sealing: Sealing,
  chain: string,
  now: bigint,
): Promise<Unnumbered> {
  const parent = await parentOf(rows)
  const announced = record(chainEvents.announced, { chain })
  await append(rows, sealing, parent.chain, now, parent, [announced])
  return record(chainEvents.started, { parent: parent.chain, number: parent.last + 1 })
}

async function parentOf(rows: StorageReader): Promise<AuditHead> {
  const [first] = await rows.chains()
  const head = first === undefined ? undefined : await rows.auditHead(first)
  if (!head) throw new Error('the audit trail is gone: the store has no chain to go on from')
  return head
}

async function append(
  rows: StorageWriter,
  sealing: Sealing,
  chain: string,
  now: bigint,
  head: AuditHead | undefined,
  entries: readonly Unnumbered[],
): Promise<void> {
  const first = (head?.last ?? 0) + 1
  const time = Number(now)
  const written = entries.map(
    (entry, at) => `{"number":${first + at},"time":${time},${JSON.stringify(entry).slice(1)}`,
  )
  const body = `[${written.join()}]`
  const last = first + entries.length - 1
  const row = { chain, first, last, epoch: sealing.current, body }
  await rows.appendAudit({ ...row, mac: sealing.auditMac(row, head?.mac ?? beforeFirst) })
}

/** Puts each change on the last record about its object, else on the act's last record. */
function withChanges({ records, changes }: Recorded): readonly Unnumbered[] {
  if (changes.length === 0) return records
  const placed = records.map((): AuditChange[] => [])
  for (const change of changes) {
    const at = records.findLastIndex(({ object }) => object === change.object)
    placed.at(at)!.push(change)
  }
  return records.map((record, at) =>
    placed[at]!.length === 0 ? record : { ...record, changes: placed[at]! },
  )
}

function record(operation: string, details: JsonValue): AuditRecord {
  return { actor: recorder, operation, outcome: 'Success', details }
}
