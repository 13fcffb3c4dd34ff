// Verification of the whole store: chains without gap or change, every row's MAC, and for each object
// and document the audited revision and MAC against its row and the revisions table. What it cannot
// see: a chain cut at its end together with the rows it spoke of, or the whole store put back to an
// earlier day. Only a checkpoint kept outside shows those.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ChainWalk, type Checkpoint, type Problem, type ProblemKind } from './audit-chain-walk.ts'
import {
  examineDocument,
  examineObject,
  inSnapshot,
  type ContentsCheck,
  type Examined,
  type ExamineGround,
} from './examine.ts'
import type { StorageReader } from './storage.ts'
import type { IntegrityCode } from './work.ts'

/** How to verify. */
export interface VerifyOptions {
  /** Heads of chains kept outside the store from an earlier verification. */
  readonly checkpoints?: readonly Checkpoint[]
  /** Rows and records are verified in steps of this many; others run between them. */
  readonly rowsPerStep?: number
  /** Also compares what each record means with what lies beside it. */
  readonly contents?: ContentsCheck
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

/** How a problem of a row is called. */
export function kindOf(code: IntegrityCode): ProblemKind {
  return code === 'replayed' || code === 'derived' ? code : 'changed'
}

/** Verifies chains, objects and documents, in steps between which the process can do other work. */
export async function verifyStore(
  ground: ExamineGround,
  { checkpoints = [], rowsPerStep = 200, contents }: VerifyOptions = {},
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
    if (wrong) report(kindOf(wrong.code), subject, wrong.message)
    if (wrong || chains.agrees(subject, { revision, mac })) chains.settle(subject)
    else suspects.add(subject)
  }
  const objects = await examineAll(ground, settle, 0, async (rows, after) => {
    const page = await rows.objectsAfter(after, rowsPerStep)
    const examined: Examined[] = []
    for (const row of page) examined.push(await examineObject(rows, sealing, row, contents))
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

/** Walks all rows of one kind page by page and returns how many there are. */
async function examineAll<Position>(
  ground: ExamineGround,
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

async function standingOf(
  rows: StorageReader,
  subject: string,
): Promise<{ revision: number; mac: Uint8Array } | undefined> {
  const slash = subject.indexOf('/')
  if (slash < 0) return rows.object(undefined, subject)
  return rows.document(subject.slice(0, slash), subject.slice(slash + 1))
}
