// Who still needs a key, before it is destroyed; and what can be said of one that was: when its bytes went
// from the live database, and where copies may be. Nothing is claimed of what keyreel cannot see.
import { allOf, type Body } from '../access/documents.ts'
import { labelOf, type Label } from '../keystore/cartridge-labels.ts'
import { holdOf, type Hold } from '../keystore/holds.ts'
import { notedJournals } from '../keystore/noted-journals.ts'
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

/** A record of the audit chain that tells of an act. */
export interface Told {
  readonly chain: string
  readonly number: number
}

/** Where a key may still be. */
export interface Place {
  readonly kind: PlaceKind
  /** In words. */
  readonly where: string
}

/** What became of a destroyed key. Times are seconds since 1970. */
export interface Destruction {
  readonly destroyed: bigint
  /** Who destroyed it; undefined when the record is older than was looked through. */
  readonly by: string | undefined
  readonly destroyRecord: Told | undefined
  /** Until then it can be brought back. */
  readonly wipeAfter: bigint | undefined
  /** When its bytes had gone from the live database and its log; undefined while they are there. */
  readonly wiped: bigint | undefined
  readonly wipeRecord: Told | undefined
  /** What wiping does in this database. */
  readonly how: string
  /** Sealed bytes are still in the live database. */
  readonly isKept: boolean
  /** They were wiped, and may still be in the log of the database. */
  readonly isInLog: boolean
  /** Other places that may have it. */
  readonly places: readonly Place[]
}

/** What is known about a key and the places where it may be. */
interface Traces extends Pick<Dependents, 'copies' | 'users'> {
  readonly dialect: Store['dialect']
  readonly wiping: Wiping
  /** Paths of the journals that are kept. */
  readonly journals: readonly string[]
  readonly backups: readonly { readonly id: string; readonly body: Body<'backup'> }[]
  /** Seconds since 1970: from when to when its bytes were in the live database. */
  readonly from: bigint
  readonly until: bigint
  /** The same moments in words. */
  readonly period: string
}

/** Kinds of places that may still have a key, in the order they are told. A new way to keep bytes gets its row here. */
const placeKinds = {
  backup: ({ backups, from, until }) =>
    backups
      .filter(
        ({ body }) => BigInt(body.created) >= from && BigInt(body.begun ?? body.created) <= until,
      )
      .filter(({ body }) => body.removed === undefined)
      .map(
        ({ id, body }) => `backup ${id} of ${iso(BigInt(body.created))}, written to ${body.file}`,
      ),
  'deleted backups': ({ backups, from, until }) => {
    const gone = backups.filter(
      ({ body }) =>
        body.removed !== undefined &&
        BigInt(body.created) >= from &&
        BigInt(body.begun ?? body.created) <= until,
    )
    if (gone.length === 0) return []
    return [
      `copies of ${gone.length} backups whose files the server has deleted, if anybody made any`,
    ]
  },
  journal: ({ journals }) =>
    journals.map(
      (path) =>
        `the journal in ${path}, copies of it and journals before it, which keep what was written to them`,
    ),
  'data directory': ({ period }) => [
    `copies and backups of the data directory made from ${period}, and archives of the database's log of that time: keyreel does not know of them`,
  ],
  database: ({ dialect, period }) =>
    dialect === 'sqlite'
      ? []
      : [
          'pages of the PostgreSQL server and of its standbys, where bytes of a row that is gone stay until another row is written over them',
          `the write-ahead log of PostgreSQL from ${period}, and its archives`,
        ],
  disk: () => ['blocks that the disk has remapped, and snapshots of its file system'],
  site: ({ copies }) =>
    copies.map(({ peer, time, exportId }) => `site ${peer}, by export ${exportId} of ${iso(time)}`),
  client: ({ users }) =>
    [...users].map(([client, time]) => `${client}, which last fetched it ${iso(time)}`),
} as const satisfies Record<string, (traces: Traces) => string[]>

/** Names of the kinds. */
export type PlaceKind = keyof typeof placeKinds

/** What wiping does, by database. */
const wipings = {
  sqlite: 'overwritten in the database file, and the write-ahead log cut off',
  postgres: 'taken out of the row, and the table vacuumed so that the space is used again',
  'at its own time':
    'taken out of the row; this database knows no VACUUM, and overwrites what was there at its own time',
} as const satisfies Record<Store['dialect'] | 'at its own time', string>

type Wiping = keyof typeof wipings

/**
 * Who still needs the key whose identifier begins so, and what became of it; `copies` went to other sites, `configured` are
 * the paths of journals that are configured: those that a server has begun count more.
 */
export async function dependentsOf(
  store: Store,
  prefix: string,
  copies: readonly SentCopy[],
  configured: readonly string[] | undefined,
): Promise<{ dependents: Dependents; destruction: Destruction | undefined }> {
  const { object, hold, backups, now, begun } = await store.read(async (work) => {
    const object = await findKey(work, prefix)
    const backups = (await allOf(work, 'backup')).map(({ name, body }) => ({ id: name, body }))
    const begun = await notedJournals(work)
    return { object, hold: await holdOf(work, object), backups, now: work.now, begun }
  })
  const { entries, complete } = await store.objectHistory(object.id, recordsLooked)
  const users = new Map<string, bigint>()
  for (const entry of entries) {
    if (isUse(entry) && !users.has(entry.actor.name)) users.set(entry.actor.name, entry.time)
  }
  const dependents = { label: labelOf(object), copies, users, hold, complete }
  const journals = begun.length > 0 ? begun.map(({ path }) => path) : (configured ?? [])
  const wiping: Wiping = (await store.cutsLogByItself()) ? 'at its own time' : store.dialect
  const known = { copies, users, backups, journals, dialect: store.dialect, wiping }
  const wiped = wipeTime(object, entries)
  // Asked after the object was read: what is owed was written down with the wipe.
  const left = wiped === undefined ? undefined : await store.leftLog(wiped)
  return { dependents, destruction: destructionOf(object, entries, known, { now, left }) }
}

/** When sealed bytes were wiped by the record, as far as it tells; undefined while they are there. */
function wipeTime(
  { vitals, stored }: ManagedObject,
  entries: readonly AuditEntry[],
): bigint | undefined {
  if (vitals.DestroyDate === undefined || stored?.hasMaterial === true) return undefined
  return entries.find(isWipe)?.time ?? vitals.DestroyDate
}

function isWipe({ operation }: AuditEntry): boolean {
  return operation === 'Wipe'
}

function destructionOf(
  { vitals, stored }: ManagedObject,
  entries: readonly AuditEntry[],
  known: Omit<Traces, 'from' | 'until' | 'period'>,
  { now, left }: { readonly now: bigint; readonly left: bigint | undefined },
): Destruction | undefined {
  const { DestroyDate, WipeAfter, InitialDate } = vitals
  if (DestroyDate === undefined) return undefined
  const isKept = stored?.hasMaterial === true
  const wipe = entries.find(isWipe)
  const destroy = entries.find(
    ({ operation, outcome }) => destroying.has(operation) && outcome === 'Success',
  )
  const end = left === undefined ? 'now' : iso(left)
  const traces = {
    ...known,
    ...{ from: InitialDate, until: left ?? now, period: `${iso(InitialDate)} to ${end}` },
  }
  return {
    destroyed: DestroyDate,
    by: destroy?.actor.name,
    destroyRecord: toldBy(destroy),
    wipeAfter: WipeAfter,
    wiped: left,
    // Where the policy wipes at once, the record of the Destroy tells both.
    wipeRecord: isKept ? undefined : toldBy(wipe ?? destroy),
    how: wipings[known.wiping],
    isKept,
    isInLog: !isKept && left === undefined,
    places: Object.entries(placeKinds).flatMap(([kind, where]) =>
      where(traces).map((text) => ({ kind: kind as PlaceKind, where: text })),
    ),
  }
}

const destroying: ReadonlySet<string> = new Set(['Destroy', 'key destroy'])

function toldBy(entry: AuditEntry | undefined): Told | undefined {
  return entry && { chain: entry.chain, number: entry.number }
}

function iso(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z')
}
