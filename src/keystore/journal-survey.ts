// Reads a journal once from end to end: what is wrong with it, and which of its frames were never committed.
// A transaction that was undone leaves its frame behind; the one that took its place has audit records of the
// same numbers. Of the last frame nobody knows: it counts, as a commit does whose answer was lost. What a command
// wrote was not committed when the server's files have other records in its place.
import {
  journalFilesIn,
  numberIn,
  readJournal,
  type JournalFault,
  type JournalPart,
  type PlacedFrame,
} from './journal-files.ts'
import { text, type JournalHead } from './journal-format.ts'
import type { AuditRow } from './storage.ts'

/** What a journal is. */
export interface JournalSurvey {
  readonly journal: string
  /** Identity of the keystore. */
  readonly store: string
  readonly files: number
  readonly frames: number
  /** Moments of the first and the last frame, seconds since 1970; absent without frames. */
  readonly first: number | undefined
  readonly last: number | undefined
  /** Whether it held everything in the keystore once, and still does. */
  readonly isWhole: boolean
  readonly faults: readonly JournalFault[]
  /** Where files before the first one were removed: up to which record of each chain they went. */
  readonly begins: readonly JournalHead[]
  /** Keys of the frames that were never committed. */
  readonly undone: ReadonlySet<string>
}

interface SeenRow {
  readonly first: number
  readonly last: number
  readonly mac: string
  readonly frame: string
}

type Chains = Map<string, SeenRow[]>

/** Audit rows of a chain that are remembered: what was undone lies just before what took its place. */
const remembered = 4096

/** Surveys a journal of that keystore, or of whichever, from a file on. Throws UserError. */
export async function surveyJournal(
  path: string,
  store: string | undefined,
  part?: JournalPart,
): Promise<JournalSurvey> {
  const faults: JournalFault[] = []
  const undone = new Set<string>()
  const chains: Chains = new Map()
  let own: Chains = new Map()
  const found = { journal: '', store: '', files: 0, frames: 0, isWhole: false }
  let first: number | undefined
  let last: number | undefined
  let begins: readonly JournalHead[] | undefined
  for await (const item of readJournal(path, store, part)) {
    if (item.kind === 'fault') faults.push(item.fault)
    else if (item.kind === 'header') {
      found.files++
      begins ??= item.header.heads
      found.journal = item.header.journal
      found.store = item.header.store
      found.isWhole ||= item.header.whole
      own = new Map()
    } else {
      found.frames++
      found.isWhole ||= item.frame.whole
      first ??= item.frame.time
      last = item.frame.time
      if (item.role === 'server') noteRows(chains, item, undone)
      else if (isContradicted(chains, item)) undone.add(item.key)
      else noteRows(own, item, undone)
    }
  }
  // Of a part it is not asked.
  const [oldest] = part === undefined ? await journalFilesIn(path) : []
  const isPruned = oldest !== undefined && numberIn(oldest) > 1
  return {
    ...found,
    ...{ first, last, faults, undone },
    isWhole: found.isWhole && !isPruned,
    begins: isPruned ? (begins ?? []) : [],
  }
}

function noteRows(chains: Chains, { key, frame }: PlacedFrame, undone: Set<string>): void {
  for (const entry of frame.entries) {
    if (entry.kind === 'audit') noteRow(chains, entry.row, key, undone)
  }
}

function noteRow(
  chains: Chains,
  { chain, first, last, mac }: AuditRow,
  frame: string,
  undone: Set<string>,
): void {
  const rows = chains.get(chain) ?? []
  chains.set(chain, rows)
  const row = { first, last, mac: text(mac), frame }
  const at = rows.findIndex((other) => other.last >= first)
  if (at >= 0) {
    // Caught up with twice.
    if (rows.some((other) => other.first === first && other.mac === row.mac)) return
    for (const other of rows.splice(at)) undone.add(other.frame)
  }
  rows.push(row)
  if (rows.length > remembered) rows.shift()
}

/** Whether other records were committed in the place of those of the frame. */
function isContradicted(chains: Chains, { frame }: PlacedFrame): boolean {
  return frame.entries.some((entry) => {
    if (entry.kind !== 'audit') return false
    const { chain, first, last, mac } = entry.row
    const others = (chains.get(chain) ?? []).filter((row) => row.first <= last && row.last >= first)
    return others.some((other) => other.first !== first || other.mac !== text(mac))
  })
}
