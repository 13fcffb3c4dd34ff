// Reads a journal once from end to end: what is wrong with it, and which of its frames were never committed.
// A transaction that was undone leaves its frame behind; the one that took its place has audit records of the
// same numbers. Of the last frame nobody knows: it counts, as a commit does whose answer was lost.
import { readJournal, type JournalFault, type PlacedFrame } from './journal-files.ts'
import { text } from './journal-format.ts'
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
  /** Whether it held everything in the keystore once. */
  readonly isWhole: boolean
  readonly faults: readonly JournalFault[]
  /** Numbers of the frames that were never committed. */
  readonly undone: ReadonlySet<number>
}

interface SeenRow {
  readonly first: number
  readonly last: number
  readonly mac: string
  readonly frame: number
}

/** Audit rows of a chain that are remembered: what was undone lies just before what took its place. */
const remembered = 4096

/** Surveys a journal of that keystore, or of whichever, from a file on. Throws UserError. */
export async function surveyJournal(
  path: string,
  store: string | undefined,
  from?: string,
): Promise<JournalSurvey> {
  const faults: JournalFault[] = []
  const undone = new Set<number>()
  const chains = new Map<string, SeenRow[]>()
  const found = { journal: '', store: '', files: 0, frames: 0, isWhole: false }
  let first: number | undefined
  let last: number | undefined
  for await (const item of readJournal(path, store, from)) {
    if (item.kind === 'fault') faults.push(item.fault)
    else if (item.kind === 'header') {
      found.files++
      found.journal = item.header.journal
      found.store = item.header.store
    } else {
      found.frames++
      found.isWhole ||= item.frame.whole
      first ??= item.frame.time
      last = item.frame.time
      noteRows(chains, item, undone)
    }
  }
  return { ...found, first, last, faults, undone }
}

function noteRows(
  chains: Map<string, SeenRow[]>,
  { sequence, frame }: PlacedFrame,
  undone: Set<number>,
): void {
  for (const entry of frame.entries) {
    if (entry.kind === 'audit') noteRow(chains, entry.row, sequence, undone)
  }
}

function noteRow(
  chains: Map<string, SeenRow[]>,
  { chain, first, last, mac }: AuditRow,
  frame: number,
  undone: Set<number>,
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
