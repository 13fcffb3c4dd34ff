// What happened to a cartridge: the audit records about its keys, and when each was last fetched.
import type { Cartridge } from '../keystore/cartridges.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditEntry } from '../keystore/work.ts'

/** Records about one key that are looked through, newest first. */
const recordsPerKey = 200

/** A cartridge's records, newest first, and the last time each key was handed out. */
export interface CartridgeHistory {
  readonly entries: readonly AuditEntry[]
  /** By unique identifier; seconds since 1970. */
  readonly lastUse: ReadonlyMap<string, bigint>
  /** False when there are more records than were looked through. */
  readonly complete: boolean
}

/** The history of all keys of a cartridge. */
export async function cartridgeHistory(
  store: Pick<Store, 'objectHistory'>,
  { keys }: Cartridge,
): Promise<CartridgeHistory> {
  const entries: AuditEntry[] = []
  const lastUse = new Map<string, bigint>()
  let complete = true
  for (const { id } of keys) {
    const history = await store.objectHistory(id, recordsPerKey)
    entries.push(...history.entries)
    complete &&= history.complete
    const used = history.entries.find(isUse)
    if (used !== undefined) lastUse.set(id, used.time)
  }
  entries.sort((a, b) => Number(b.time - a.time))
  return { entries, lastUse, complete }
}

/** Whether a record says that key material was handed out. */
export function isUse({ operation, outcome }: AuditEntry): boolean {
  return operation === 'Get' && outcome === 'Success'
}
