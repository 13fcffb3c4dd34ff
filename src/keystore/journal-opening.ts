// What a journal's folder says when it is opened: which journal it is, and how far its newest file goes.
import { mkdir, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory } from '../durable-files.ts'
import { UserError } from '../errors.ts'
import { framesIn, readFrame, text, type JournalHead } from './journal-format.ts'

/** What a journal says when it is opened. */
export interface OpenedJournal {
  readonly journal: string
  /** Every audit row that the newest file holds, in order, with the number of its frame. */
  readonly tail: readonly {
    chain: string
    first: number
    last: number
    mac: string
    frame: number
  }[]
  /** Heads of the chains at the beginning of that file. */
  readonly before: readonly JournalHead[]
  /** Epochs whose wraps the newest file holds. */
  readonly epochs: ReadonlySet<number>
  /** Whether it is known to have held everything once. */
  readonly isWhole: boolean
  /** Name of that file; undefined for a journal that has none yet. */
  readonly file: string | undefined
}

/** The audit rows of a file, and whether it is as it was written. */
export function readRows(bytes: Buffer, from: number) {
  const tail: OpenedJournal['tail'][number][] = []
  const epochs = new Set<number>()
  let sequence: number | undefined
  let isSound = true
  let isWhole = false
  for (const met of framesIn(bytes, from)) {
    if (met.kind !== 'frame') {
      isSound = false
      continue
    }
    ;({ sequence } = met.frame)
    const frame = readFrame(met.frame.payload)
    isWhole ||= frame?.whole === true
    for (const entry of frame?.entries ?? []) {
      if (entry.kind === 'wrap') epochs.add(entry.row.epoch)
      if (entry.kind !== 'audit') continue
      const { chain, first, last, mac } = entry.row
      tail.push({ chain, first, last, mac: text(mac), frame: sequence })
    }
  }
  return { tail, epochs, sequence, isSound, isWhole }
}

/** Makes the folder where only it is missing: a disk that is not mounted must not be filled in for. */
export async function makeFolder(path: string): Promise<void> {
  const there = await readdir(dirname(path)).catch(() => undefined)
  if (there === undefined) return
  try {
    await mkdir(path, { mode: 0o700 })
    await syncDirectory(dirname(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** The journal of last time is not there. */
export function journalGone(path: string): UserError {
  return new UserError(
    'journal-gone',
    `the journal that was in ${path} is gone`,
    'is its disk mounted? To begin another, name another folder with --journal',
  )
}

/** No file can be read. */
export function noBeginning(path: string): UserError {
  return new UserError(
    'journal-damaged',
    `${path}: none of its files begins as it was written`,
    'keep them for  keyreel journal verify, and name another folder with --journal',
  )
}
