// The audit rows of a journal that is replayed: appended where their chain goes on just there, their MAC chained
// to the row before. A chain that has gone on otherwise, as after a restore, keeps what it has.
import { equalBytes } from '../crypto/primitives/mac.ts'
import { beforeFirst, chainEvents, entriesOf } from './audit.ts'
import type { Sealing } from './sealing.ts'
import type { AuditRow, StorageWriter } from './storage.ts'
import { IntegrityError } from './work.ts'

/** How far the audit rows are. */
export interface AuditReplay {
  /** Where each chain stands. */
  readonly heads: Map<string, { last: number; mac: Uint8Array }>
  /** Chains that go on otherwise. */
  readonly left: Set<string>
  /** Chains whose beginning is recorded in another. */
  readonly announced: Set<string>
  /** Rows of chains that were not announced yet. */
  readonly waiting: Map<string, readonly AuditRow[]>
  /** Records appended, and records that stay in the journal only. */
  put: number
  kept: number
}

/** Goes on with `rows`; answers where it stands then. */
export async function putAuditRows(
  writer: StorageWriter,
  sealing: Sealing,
  rows: readonly AuditRow[],
  at: AuditReplay,
  apply: boolean,
): Promise<AuditReplay> {
  for (const row of rows) await putRow({ writer, sealing, at, apply }, row)
  return at
}

interface Place {
  readonly writer: StorageWriter
  readonly sealing: Sealing
  readonly at: AuditReplay
  readonly apply: boolean
}

async function putRow(place: Place, row: AuditRow): Promise<void> {
  const { writer, sealing, at, apply } = place
  const { chain, first, last, mac } = row
  const head = at.heads.get(chain) ?? (await headOf(writer, chain))
  at.heads.set(chain, head)
  if (last <= head.last) {
    if (!at.left.has(chain) && !(await isThere(writer, row, head))) at.left.add(chain)
    if (at.left.has(chain)) at.kept += last - first + 1
    else await announcedIn(place, row)
    return
  }
  if (head.last === 0 && !at.left.has(chain) && !mayBegin(row, at)) {
    // In a frame of many chains the announcement may come later.
    at.waiting.set(chain, [...(at.waiting.get(chain) ?? []), row])
    return
  }
  const goesOn = !at.left.has(chain) && first === head.last + 1
  if (!goesOn || !isGenuine(sealing, row, head.mac)) {
    at.left.add(chain)
    at.kept += last - first + 1
    return
  }
  if (apply) await writer.appendAudit(row)
  at.heads.set(chain, { last, mac })
  at.put += last - first + 1
  await announcedIn(place, row)
}

async function headOf(writer: StorageWriter, chain: string) {
  const head = await writer.auditHead(chain)
  return head === undefined ? { last: 0, mac: beforeFirst } : { last: head.last, mac: head.mac }
}

/** Whether the keystore has that very row. */
async function isThere(
  writer: StorageWriter,
  { chain, first, last, mac }: AuditRow,
  head: { last: number; mac: Uint8Array },
): Promise<boolean> {
  if (last === head.last) return equalBytes(mac, head.mac)
  const [row] = await writer.auditBefore(chain, first + 1, 1)
  // Appended a moment ago, where it is only looked.
  if (row === undefined || row.last < last) return true
  return row.first === first && equalBytes(row.mac, mac)
}

/** A new chain is one that another has announced, or the first of the keystore. */
function mayBegin(row: AuditRow, { announced }: AuditReplay): boolean {
  if (announced.has(row.chain)) return true
  return entriesOf(row)[0]?.operation === chainEvents.created
}

async function announcedIn(place: Place, row: AuditRow): Promise<void> {
  const { announced, waiting } = place.at
  for (const { operation, details } of entriesOf(row)) {
    if (operation !== chainEvents.announced) continue
    const { chain } = details as { chain: string }
    announced.add(chain)
    const rows = waiting.get(chain) ?? []
    waiting.delete(chain)
    for (const one of rows) await putRow(place, one)
  }
}

function isGenuine(sealing: Sealing, row: AuditRow, previous: Uint8Array): boolean {
  try {
    return equalBytes(sealing.auditMac(row, previous), row.mac)
  } catch (error) {
    if (error instanceof IntegrityError) return false
    throw error
  }
}
