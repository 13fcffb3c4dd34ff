// Who still needs a key, before it is destroyed; and what can be said of one that was: when its bytes went
// from the live database, and where copies may be. Nothing is claimed of what keyreel cannot see.
import { labelOf, type Label } from '../keystore/cartridge-labels.ts'
import { holdOf, type Hold } from '../keystore/holds.ts'
import type { ManagedObject } from '../keystore/managed-object.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditEntry } from '../keystore/work.ts'
import { isUse } from './cartridge-history.ts'
import { findKey } from './managed-keys.ts'

/** Records about the key that are looked through, newest first. */
const recordsLooked = 1000

/** A copy that went to another site; src/exchange/key-copies.ts knows more of it. */
export interface SentCopy {
  readonly peer: string
  readonly exportId: string
  /** Seconds since 1970. */
  readonly time: bigint
}

/** What depends on a key. */
export interface Dependents {
  readonly label: Label | undefined
  /** Copies that went to other sites, newest first. */
  readonly copies: readonly SentCopy[]
  /** Clients that have fetched it, with the last time; seconds since 1970. */
  readonly users: ReadonlyMap<string, bigint>
  readonly hold: Hold | undefined
  /** False when there are more records than were looked through. */
  readonly complete: boolean
}

/** What became of a destroyed key. Times are seconds since 1970. */
export interface Destruction {
  readonly destroyed: bigint
  /** Who destroyed it; undefined when the record is older than was looked through. */
  readonly by: string | undefined
  /** Until then it can be brought back. */
  readonly wipeAfter: bigint | undefined
  /** When its bytes were overwritten in the live database; undefined while they are there. */
  readonly wiped: bigint | undefined
  /** Sealed bytes are still in the live database. */
  readonly isKept: boolean
  /** Other places that may have it, in words. */
  readonly mayBeIn: readonly string[]
}

/** Who still needs the key whose identifier begins so, and what became of it; `copies` went to other sites. */
export async function dependentsOf(
  store: Store,
  prefix: string,
  copies: readonly SentCopy[],
): Promise<{ dependents: Dependents; destruction: Destruction | undefined }> {
  const { object, hold } = await store.read(async (work) => {
    const object = await findKey(work, prefix)
    return { object, hold: await holdOf(work, object) }
  })
  const { entries, complete } = await store.objectHistory(object.id, recordsLooked)
  const users = new Map<string, bigint>()
  for (const entry of entries) {
    if (isUse(entry) && !users.has(entry.actor.name)) users.set(entry.actor.name, entry.time)
  }
  const dependents = { label: labelOf(object), copies, users, hold, complete }
  return { dependents, destruction: destructionOf(object, entries, dependents) }
}

function destructionOf(
  { vitals, stored }: ManagedObject,
  entries: readonly AuditEntry[],
  { copies, users }: Dependents,
): Destruction | undefined {
  const { DestroyDate, WipeAfter, InitialDate } = vitals
  if (DestroyDate === undefined) return undefined
  const isKept = stored?.hasMaterial === true
  const wipe = entries.find(({ operation }) => operation === 'Wipe')
  const destroy = entries.find(
    ({ operation, outcome }) => destroying.has(operation) && outcome === 'Success',
  )
  const until = wipe?.time ?? (isKept ? undefined : DestroyDate)
  const end = until === undefined ? 'now' : iso(until)
  return {
    destroyed: DestroyDate,
    by: destroy?.actor.name,
    wipeAfter: WipeAfter,
    wiped: isKept ? undefined : until,
    isKept,
    mayBeIn: [
      `copies and backups of the data directory made from ${iso(InitialDate)} to ${end}, and archives of the database's log of that time: keyreel does not know of them`,
      'blocks that the disk has remapped, and snapshots of its file system',
      ...copies.map(
        ({ peer, time, exportId }) => `site ${peer}, by export ${exportId} of ${iso(time)}`,
      ),
      ...[...users].map(([client, time]) => `${client}, which last fetched it ${iso(time)}`),
    ],
  }
}

const destroying: ReadonlySet<string> = new Set(['Destroy', 'key destroy'])

function iso(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z')
}
