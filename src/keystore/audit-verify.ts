// Verification of the whole store: chains without gap or change, every row's MAC, and for each object
// and document the audited revision and MAC against its row and the revisions table. What it cannot
// see: a chain cut at its end together with the rows it spoke of, or the whole store put back to an
// earlier day. Only a checkpoint kept outside shows those.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ChainWalk, type Checkpoint, type Problem, type ProblemKind } from './audit-chain-walk.ts'
import { verifyNoted } from './replay.ts'
import { EpochNotOpen, type Sealing } from './sealing.ts'
import type { DocumentRow, ObjectRow, Storage, StorageReader } from './storage.ts'
import { IntegrityError } from './work.ts'

/** How to verify. */
export interface VerifyOptions {
  /** Heads of chains kept outside the store from an earlier verification. */
  readonly checkpoints?: readonly Checkpoint[]
  /** Rows and records are verified in steps of this many; others run between them. */
  readonly rowsPerStep?: number
}

/** What verification found. The first problem is the first bad record. */
export interface VerifyReport {
  readonly problems: readonly Problem[]
  /** True when there were more problems than are listed. */
  readonly more: boolean
  /** Heads of the chains; kept outside, they are checkpoints for the next time. */
  readonly chains: readonly Checkpoint[]
  readonly objects: number
  readonly documents: number
}

const problemsListed = 100

/** What verification stands on. */
export interface VerifyGround {
  readonly storage: Storage
  readonly sealing: Sealing
  /** Opens an epoch made since the start. */
  readonly learnEpoch: (missing: EpochNotOpen) => Promise<void>
}

/** Verifies chains, objects and documents, in steps between which the process can do other work. */
export async function verifyStore(
  ground: VerifyGround,
  { checkpoints = [], rowsPerStep = 200 }: VerifyOptions = {},
): Promise<VerifyReport> {
  const { sealing } = ground
  const problems: Problem[] = []
  const report = (kind: ProblemKind, subject: string, message: string): void => {
    problems.push({ kind, subject, message })
  }
  const chains = new ChainWalk(sealing, checkpoints, report)
  while (await inSnapshot(ground, (rows) => chains.step(rows, rowsPerStep))) await nextTurn()

  // Rows that do not stand where the chains say: changed since they were walked, or a problem.
  const suspects = new Set<string>()
  const settle = ({ subject, revision, mac, wrong }: Examined): void => {
    if (wrong) report(wrong.code === 'replayed' ? 'replayed' : 'changed', subject, wrong.message)
    if (wrong || chains.agrees(subject, { revision, mac })) chains.settle(subject)
    else suspects.add(subject)
  }
  const objects = await examineAll(ground, settle, 0, async (rows, after) => {
    const page = await rows.objectsAfter(after, rowsPerStep)
    const examined: Examined[] = []
    for (const row of page) examined.push(await examineObject(rows, sealing, row))
    return { examined, next: page.at(-1)?.n }
  })
  const start = { kind: '', name: '' }
  const documents = await examineAll(ground, settle, start, async (rows, after) => {
    const page = await rows.documentsAfter(after.kind, after.name, rowsPerStep)
    return { examined: page.map((row) => examineDocument(sealing, row)), next: page.at(-1) }
  })

  await inSnapshot(ground, async (rows) => {
    while (await chains.step(rows, rowsPerStep));
    const rest = [...new Set([...suspects, ...chains.unsettled()])]
    const standings = await Promise.all(rest.map((subject) => standingOf(rows, subject)))
    chains.finish()
    for (const [at, subject] of rest.entries()) {
      const problem = chains.disagreement(subject, standings[at])
      if (problem) report(problem.kind, subject, problem.message)
    }
  })
  return {
    problems: problems.slice(0, problemsListed),
    more: problems.length > problemsListed,
    chains: chains.heads(),
    objects,
    documents,
  }
}

/** A row of either kind after its own MAC and revision were checked. */
interface Examined {
  readonly subject: string
  readonly revision: number
  readonly mac: Uint8Array
  readonly wrong: IntegrityError | undefined
}

/** Walks all rows of one kind page by page and returns how many there are. */
async function examineAll<Position>(
  ground: VerifyGround,
  settle: (examined: Examined) => void,
  start: Position,
  page: (
    rows: StorageReader,
    after: Position,
  ) => Promise<{ examined: readonly Examined[]; next: Position | undefined }>,
): Promise<number> {
  let count = 0
  for (let after: Position | undefined = start; after !== undefined;) {
    const from: Position = after
    const { examined, next } = await inSnapshot(ground, (rows) => page(rows, from))
    examined.forEach(settle)
    count += examined.length
    after = next
    await nextTurn()
  }
  return count
}

async function inSnapshot<T>(
  { storage, learnEpoch }: VerifyGround,
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

async function examineObject(
  rows: StorageReader,
  sealing: Sealing,
  row: ObjectRow,
): Promise<Examined> {
  const { id: subject, revision, mac } = row
  const sealed = row.sealed === undefined ? await rows.sealed(row.n) : row.sealed
  const wrong = wrongWith(() => {
    sealing.verifyObject(row)
    verifyNoted(row)
    if (!row.entries) {
      throw new IntegrityError('changed', subject, 'its index entries were changed outside keyreel')
    }
    if (sealed) sealing.unsealObject(row, sealed).wipe()
  })
  return { subject, revision, mac, wrong }
}

function examineDocument(sealing: Sealing, row: DocumentRow): Examined {
  const { kind, name, revision, mac, sealed } = row
  const wrong = wrongWith(() => {
    sealing.verifyDocument(row)
    if (sealed) sealing.unsealDocument(row, sealed).wipe()
  })
  return { subject: `${kind}/${name}`, revision, mac, wrong }
}

function wrongWith(verify: () => void): IntegrityError | undefined {
  try {
    verify()
    return undefined
  } catch (error) {
    if (error instanceof IntegrityError) return error
    throw error
  }
}

async function standingOf(
  rows: StorageReader,
  subject: string,
): Promise<{ revision: number; mac: Uint8Array } | undefined> {
  const slash = subject.indexOf('/')
  if (slash < 0) return rows.object(undefined, subject)
  return rows.document(subject.slice(0, slash), subject.slice(slash + 1))
}
