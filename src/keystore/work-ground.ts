// What all parts of an act's Work stand on: rows, seals, the trace of the act, and the checks they share.
import type { ActTrace } from './acts.ts'
import type { HeldDocuments } from './held-document.ts'
import type { RecognisedObjects } from './recognised-objects.ts'
import { replayed, type HighestRevisions } from './replay.ts'
import { EpochNotOpen, type Sealing } from './sealing.ts'
import type { Soon } from './soon.ts'
import type { StorageReader, StorageWriter } from './storage.ts'

/** What every part of a Work stands on. */
export interface WorkGround {
  readonly rows: StorageReader
  /** Absent in a read snapshot. */
  readonly writer: StorageWriter | undefined
  readonly sealing: Sealing
  readonly highest: HighestRevisions
  readonly recognised: RecognisedObjects
  readonly trace: ActTrace
  /** Documents verified in this transaction or snapshot. */
  readonly documents: HeldDocuments
  /** Whether a newer snapshot may still show what this one lacks. */
  readonly mayLag: boolean
  /** Whether the disk has room for new objects. */
  readonly hasRoom: boolean
  /** Makes sure that the current epoch may seal once more. */
  readonly chargeSeal: (writer: StorageWriter) => Soon<void>
}

/** A read snapshot may lag behind a commit: what looks replayed is looked at once more in a new one. */
export class SnapshotBehind extends Error {
  readonly subject: string

  constructor(subject: string) {
    super(`${subject} is newer than this snapshot`)
    this.name = 'SnapshotBehind'
    this.subject = subject
  }
}

/** The writing rows, or a throw in a read snapshot. */
export function writerOf({ writer }: WorkGround): StorageWriter {
  if (!writer) throw new Error('a read snapshot changes nothing: use act')
  return writer
}

/** Throws when this process has already served or written a newer revision. */
export function refuseOlder(ground: WorkGround, subject: string, revision: number): void {
  if (!ground.highest.isOlder(subject, revision)) return
  if (!ground.mayLag) {
    throw replayed(subject, `revision ${revision} is older than one already served`)
  }
  ground.trace.failure = new SnapshotBehind(subject)
  throw ground.trace.failure
}

/** Verifies; an epoch not open yet makes the whole act start again. */
export function verifying({ trace }: WorkGround, verify: () => void): void {
  try {
    verify()
  } catch (error) {
    if (error instanceof EpochNotOpen) trace.failure = error
    throw error
  }
}
