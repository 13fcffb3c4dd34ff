// Reading the audit chains: pages of verified records, and what happened to one object.
// The index of objects is derived: filled behind the chains, and complemented from their unindexed end.
import { equalBytes } from '../crypto/primitives/mac.ts'
import type { Problem } from './audit-chain-walk.ts'
import { beforeFirst, entriesOf } from './audit.ts'
import type { Sealing } from './sealing.ts'
import type { AuditIndexEntry, AuditRow, Storage, StorageReader } from './storage.ts'
import { IntegrityError, type AuditEntry } from './work.ts'

/** Which records of a chain: those after a number, or the newest ones (before a number). */
export interface AuditSelection {
  readonly chain: string
  readonly limit: number
  readonly after?: number
  readonly before?: number
}

/** What happened to an object, newest first; not `complete` when there is more than was asked for. */
export interface ObjectHistory {
  readonly entries: readonly AuditEntry[]
  readonly complete: boolean
}

/** Rows read at a time. */
const page = 50
const shortPage = 8

/** Rows of the unindexed end that a history looks through. */
const unindexedLimit = 5_000

/** Records in ascending order, each row's MAC verified. Throws IntegrityError. */
export async function readAudit(
  rows: StorageReader,
  sealing: Sealing,
  { chain, limit, after, before }: AuditSelection,
): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  if (after !== undefined) {
    for await (const row of rowsAfter(rows, sealing, chain, after)) {
      entries.push(...entriesOf(row).filter(({ number }) => number > after))
      if (entries.length >= limit) break
    }
    return entries.slice(0, limit)
  }
  let end = before ?? Infinity
  while (entries.length < limit && end > 1) {
    const [row, previous] = await rows.auditBefore(chain, Math.min(end, 2 ** 53 - 1), 2)
    if (!row) break
    verifyRow(sealing, row, previous)
    entries.unshift(...entriesOf(row).filter(({ number }) => number < end))
    end = row.first
  }
  return entries.slice(-limit)
}

/** What the chains say about one object. */
export async function objectHistory(
  rows: StorageReader,
  sealing: Sealing,
  object: string,
  limit: number,
): Promise<ObjectHistory> {
  const entries: AuditEntry[] = []
  let complete = true
  for (const chain of await rows.chains()) {
    const numbers = await rows.auditPlaces(object, chain, limit + 1)
    for (const number of numbers) {
      const [row, previous] = await rows.auditBefore(chain, number + 1, 2)
      if (!row) continue
      verifyRow(sealing, row, previous)
      // The index is not believed: a record counts when it is about the object.
      const found = entriesOf(row).find((entry) => entry.number === number)
      if (found !== undefined && objectsOf(found).includes(object)) entries.push(found)
    }
    let looked = 0
    for await (const row of rowsAfter(rows, sealing, chain, await rows.auditIndexed(chain))) {
      if (++looked > unindexedLimit) {
        complete = false
        break
      }
      entries.push(...entriesOf(row).filter((entry) => objectsOf(entry).includes(object)))
    }
  }
  const known = new Map(entries.map((entry) => [`${entry.chain} ${entry.number}`, entry]))
  const newestFirst = [...known.values()].sort(
    (a, b) => Number(b.time - a.time) || b.number - a.number,
  )
  return {
    entries: newestFirst.slice(0, limit),
    complete: complete && newestFirst.length <= limit,
  }
}

/** Indexes further audit rows, of about so many records per chain; false when nothing is left to index. */
export async function catchUpAuditIndex(
  storage: Storage,
  sealing: Sealing,
  records: number,
): Promise<boolean> {
  const steps = await storage.read(async (reader) => {
    const found: { chain: string; to: number; places: AuditIndexEntry[] }[] = []
    for (const chain of await reader.chains()) {
      const places: AuditIndexEntry[] = []
      const from = await reader.auditIndexed(chain)
      let to = from
      // An import leaves rows of many records: few are read at a time.
      for await (const row of rowsAfter(reader, sealing, chain, from, shortPage)) {
        places.push(...placesIn(row))
        to = row.last
        if (to - from >= records) break
      }
      if (to > from) found.push({ chain, to, places })
    }
    return found
  })
  if (steps.length === 0) return false
  await storage.write(async (writer) => {
    for (const { chain, to, places } of steps) await writer.indexAudit(chain, to, places)
  })
  return true
}

/** A chain's rows that reach beyond `number`, in order, each verified. */
async function* rowsAfter(
  rows: StorageReader,
  sealing: Sealing,
  chain: string,
  number: number,
  limit = page,
): AsyncGenerator<AuditRow> {
  let previous: AuditRow | undefined
  for (let at = number; ;) {
    const found = await rows.auditAfter(chain, at, limit)
    if (found.length === 0) return
    previous ??= (await rows.auditBefore(chain, found[0]!.first, 1))[0]
    for (const row of found) {
      verifyRow(sealing, row, previous)
      yield row
      previous = row
    }
    at = previous!.last
  }
}

/** Throws IntegrityError unless the row is as it was written, and follows on the one before it. */
export function verifyRow(sealing: Sealing, row: AuditRow, previous: AuditRow | undefined): void {
  const follows = row.first === (previous?.last ?? 0) + 1
  if (follows && equalBytes(sealing.auditMac(row, previous?.mac ?? beforeFirst), row.mac)) return
  throw new IntegrityError(
    'changed',
    `${row.chain}/${row.first}`,
    'this part of the audit trail was changed: see `keyreel audit verify`',
  )
}

/** What the index of objects has of a row. */
export function placesIn(row: AuditRow): AuditIndexEntry[] {
  return entriesOf(row).flatMap((entry) =>
    objectsOf(entry).map((object) => ({ object, number: entry.number })),
  )
}

/** What is wrong with the index of objects for a row whose MAC has been verified, if it reaches so far. */
export async function problemOfIndex(
  rows: StorageReader,
  row: AuditRow,
  indexed: number,
): Promise<Problem | undefined> {
  if (row.last > indexed || (await rows.holdsAuditPlaces(row.chain, placesIn(row))))
    return undefined
  const message = `the index of objects lacks some of the records ${row.first} to ${row.last}`
  return { kind: 'derived', subject: `${row.chain}/${row.first}`, message }
}

/** Unique identifiers of the objects a record concerns. */
function objectsOf({ object, changes }: AuditEntry): string[] {
  const changed = changes.filter(({ document }) => !document).map((change) => change.object)
  return [...new Set(object === undefined ? changed : [object, ...changed])]
}
