// What is looked at in one row, whoever walks over rows: verification, the scrubber.
import { verifyDocumentNoted, verifyNoted } from './replay.ts'
import { EpochNotOpen, type Sealing } from './sealing.ts'
import type { DocumentRow, ObjectRow, Storage, StorageReader, TransientRow } from './storage.ts'
import { IntegrityError } from './work.ts'

/**
 * Judges what a row holds by what its record means, which the store itself does not know. Called with a
 * row whose MAC has been verified and its unsealed material. Throws IntegrityError.
 */
export type ContentsCheck = (
  row: ObjectRow,
  material: Uint8Array | undefined,
  sealing: Sealing,
) => void

/** What walks over rows stand on. */
export interface ExamineGround {
  readonly storage: Storage
  readonly sealing: Sealing
  /** Opens an epoch made since the start. */
  readonly learnEpoch: (missing: EpochNotOpen) => Promise<void>
}

/** A row of either kind after it was examined. */
export interface Examined {
  readonly subject: string
  readonly revision: number
  readonly mac: Uint8Array
  readonly wrong: IntegrityError | undefined
}

/** Reads a snapshot, again when it needs an epoch that was not open yet. */
export async function inSnapshot<T>(
  { storage, learnEpoch }: ExamineGround,
  fn: (rows: StorageReader) => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await storage.read(fn)
    } catch (error) {
      if (!(error instanceof EpochNotOpen)) throw error
      await learnEpoch(error)
    }
  }
}

/** MAC, revision, seal and index rows of an object; with `contents` also what only its record tells. */
export async function examineObject(
  rows: StorageReader,
  sealing: Sealing,
  row: ObjectRow,
  contents?: ContentsCheck,
): Promise<Examined> {
  const { id: subject, revision, mac } = row
  const sealed = row.sealed === undefined ? await rows.sealed(row.n) : row.sealed
  const wrong = wrongWith(() => {
    sealing.verifyObject(row)
    verifyNoted(row)
    if (!row.entries) {
      throw new IntegrityError('changed', subject, 'its index entries were changed outside keyreel')
    }
    const material = sealed ? sealing.unsealObject(row, sealed) : undefined
    try {
      contents?.(row, material?.bytes, sealing)
    } finally {
      material?.wipe()
    }
  })
  if (wrong || !row.entries || (await rows.holdsEntries(row.group, row.n, row.entries)))
    return { subject, revision, mac, wrong }
  const what = 'rows by which it is found were taken away or changed'
  return { subject, revision, mac, wrong: new IntegrityError('derived', subject, what) }
}

/** MAC, revision and seal of a document, and that its revision is the one noted. */
export function examineDocument(sealing: Sealing, row: DocumentRow): Examined {
  const { kind, name, revision, mac, sealed } = row
  const wrong = wrongWith(() => {
    sealing.verifyDocument(row)
    verifyDocumentNoted(row)
    if (sealed) sealing.unsealDocument(row, sealed).wipe()
  })
  return { subject: `${kind}/${name}`, revision, mac, wrong }
}

/** MAC and seal of a transient. */
export function examineTransient(sealing: Sealing, row: TransientRow): Examined {
  const { kind, name, mac, sealed } = row
  const wrong = wrongWith(() => {
    sealing.verifyTransient(row)
    if (sealed) sealing.unsealTransient(row, sealed).wipe()
  })
  return { subject: `${kind}/${name}`, revision: 1, mac, wrong }
}

/** What `verify` throws, if it is about the integrity of what is stored. */
export function wrongWith(verify: () => void): IntegrityError | undefined {
  try {
    verify()
    return undefined
  } catch (error) {
    if (error instanceof IntegrityError) return error
    throw error
  }
}
