// Puts back what a journal has and the keystore lacks, as after an older backup was restored. Every row is
// believed only under its own MAC, each key only with its check value; nothing newer is overwritten, so it may
// be done again. First the audit records, where their chains go on; then documents and objects, on record.
import { appendAudit } from './audit.ts'
import { putAuditRows, type AuditReplay } from './journal-replay-audit.ts'
import { putBack, type ReplayProblem, type Standings } from './journal-replay-rows.ts'
import { readJournal, type JournalFault, type JournalPart } from './journal-files.ts'
import { surveyJournal, type JournalSurvey } from './journal-survey.ts'
import type { JournalEntry, JournalHead } from './journal-format.ts'
import { oweLog, payLog } from './log-debt.ts'
import type { Sealing } from './sealing.ts'
import type { Storage, StorageReader, StorageWriter, WrapRow } from './storage.ts'
import type { AuditActor, AuditChange } from './work.ts'

/** What a replay stands on. */
export interface ReplayGround {
  readonly store: string
  readonly storage: Storage
  readonly sealing: Sealing
  readonly chain: string
  readonly now: () => bigint
}

/** What is replayed, and how. */
export interface ReplayWish extends JournalPart {
  readonly path: string
  /** Frames that are known not to have been committed, where only a part is read. */
  readonly undone?: ReadonlySet<string>
  /** Only looks what is missing when false. */
  readonly apply: boolean
  readonly actor: AuditActor
  /** Told how many frames are done. */
  readonly step?: ((frames: number) => void) | undefined
}

/** What was found, and put back. */
export interface ReplayReport extends Omit<JournalSurvey, 'undone' | 'faults' | 'begins'> {
  readonly faults: readonly JournalFault[]
  /** Frames that were never committed, which are left out. */
  readonly undone: number
  /** New objects, and changes of those that are there. */
  readonly objects: number
  readonly changes: number
  readonly documents: number
  /** Sealed bytes of destroyed keys that were forgotten again. */
  readonly wiped: number
  readonly auditRecords: number
  /** Audit records that could not be appended: their chain has gone on otherwise. They stay in the journal. */
  readonly auditLeft: number
  /** Objects whose application data or Name another object of the group has by now. */
  readonly doubled: readonly string[]
  readonly problems: readonly ReplayProblem[]
}

const entriesPerAct = 100

/** Replays a journal. Throws UserError for one that is foreign or cannot be read at all. */
export async function replayJournal(
  ground: ReplayGround,
  { path, from, only, file, undone: known, apply, actor, step }: ReplayWish,
): Promise<ReplayReport> {
  const isPart = from !== undefined || only !== undefined || file !== undefined
  const survey = await surveyJournal(path, ground.store, isPart ? { from, only, file } : undefined)
  const { undone, faults, begins, ...facts } = survey
  const skipped = known ?? undone
  const missing = await ground.storage.read((rows) => removedBetween(rows, begins))
  const count = { objects: 0, changes: 0, documents: 0, wiped: 0 }
  const problems: ReplayProblem[] = []
  const doubled: string[] = []
  const early: JournalEntry[] = []
  const audit: AuditReplay = {
    heads: new Map(),
    left: new Set(),
    announced: new Set(),
    waiting: new Map(),
    put: 0,
    kept: 0,
  }
  const reading = { path, from, only, file, step, undone: skipped }
  for await (const entries of batches(reading, survey, ['wrap', 'audit'])) {
    await openEpochs(ground, entries, apply)
    const rows = entries.flatMap((entry) => (entry.kind === 'audit' ? [entry.row] : []))
    const put = await inTransaction(ground, apply, (writer, sealing) =>
      putAuditRows(writer, sealing, rows, structuredClone(audit), apply),
    )
    Object.assign(audit, put)
  }
  const standings: Standings = new Map()
  const putAll = async (entries: readonly JournalEntry[], isLast = false) => {
    const done = await inTransaction(ground, apply, async (writer, sealing) => {
      const done = await putBack(writer, sealing, entries, apply, standings)
      if (apply && done.changes.length > 0)
        await record(writer, ground, actor, survey.journal, done.changes)
      if (apply && done.count.wiped > 0) await oweLog(writer, ground.now())
      return done
    })
    count.objects += done.count.objects
    count.changes += done.count.changes
    count.documents += done.count.documents
    count.wiped += done.count.wiped
    doubled.push(...done.doubled)
    // Without its sealed key, which a command may have written to another file.
    if (isLast) problems.push(...done.waiting.map(({ problem }) => problem))
    else early.push(...done.waiting.map(({ entry }) => entry))
    problems.push(...done.problems)
  }
  for await (const entries of batches(reading, survey, ['object', 'wipe', 'document']))
    await putAll(entries)
  if (early.length > 0) await putAll(early, true)
  if (apply) await payLog(ground.storage, ground.now)
  return {
    ...facts,
    ...count,
    faults: [...missing, ...faults],
    undone: undone.size,
    auditRecords: audit.put,
    auditLeft: audit.kept + waitingRecords(audit),
    doubled: [...new Set(doubled)],
    problems,
  }
}

/** Records of chains whose announcement never came. */
function waitingRecords({ waiting }: AuditReplay): number {
  const rows = [...waiting.values()].flat()
  return rows.reduce((sum, { first, last }) => sum + last - first + 1, 0)
}

type Reading = Omit<ReplayWish, 'apply' | 'actor'>

/** What lies between the end of the keystore and the beginning of a journal whose first files were removed. */
async function removedBetween(
  rows: StorageReader,
  begins: readonly JournalHead[],
): Promise<readonly JournalFault[]> {
  const faults: JournalFault[] = []
  for (const { chain, last } of begins) {
    const there = (await rows.auditHead(chain))?.last ?? 0
    if (there >= last) continue
    const message = `it begins after record ${last} and the keystore ends with ${there}: a later backup is needed`
    faults.push({ kind: 'gap', where: `chain ${chain}`, message })
  }
  return faults
}

/** Entries of these kinds, in order, a hundred or so at a time; none of a frame that was not committed. */
async function* batches(
  { path, from, only, file, step, undone }: Reading,
  { store }: JournalSurvey,
  kinds: readonly JournalEntry['kind'][],
): AsyncGenerator<readonly JournalEntry[]> {
  let entries: JournalEntry[] = []
  for await (const item of readJournal(path, store, { from, only, file })) {
    if (item.kind !== 'frame') continue
    step?.(1)
    if (undone?.has(item.key)) continue
    for (const entry of item.frame.entries) if (kinds.includes(entry.kind)) entries.push(entry)
    if (entries.length < entriesPerAct) continue
    yield entries
    entries = []
  }
  if (entries.length > 0) yield entries
}

/** Opens epochs that the keystore does not have; where it has them, its own wraps count. */
async function openEpochs(
  { storage, sealing }: ReplayGround,
  entries: readonly JournalEntry[],
  apply: boolean,
): Promise<void> {
  const wraps = entries.flatMap((entry) => (entry.kind === 'wrap' ? [entry.row] : []))
  if (wraps.length === 0) return
  const unknown = (known: readonly WrapRow[]) =>
    wraps.filter(({ epoch }) => !known.some((wrap) => wrap.epoch === epoch))
  const missing = unknown(await storage.read((rows) => rows.wraps()))
  if (!missing.some(({ provider }) => provider === sealing.provider)) return
  if (apply) {
    await storage.write(async (rows) => {
      for (const wrap of unknown(await rows.wraps())) await rows.putWrap(wrap)
    })
  }
  await sealing.learn(missing)
}

/** In a transaction that is undone when it is only looked; `fn` may run again. */
async function inTransaction<T>(
  { storage, sealing }: ReplayGround,
  apply: boolean,
  fn: (rows: StorageWriter, sealing: Sealing) => Promise<T>,
): Promise<T> {
  // Looking changes nothing: `fn` is told, and calls no method that writes.
  if (!apply) return storage.read((rows) => fn(rows as StorageWriter, sealing))
  return storage.write((rows) => fn(rows, sealing))
}

function record(
  rows: StorageWriter,
  { sealing, chain, now }: ReplayGround,
  actor: AuditActor,
  journal: string,
  changes: readonly AuditChange[],
): Promise<void> {
  const details = { journal, rows: changes.length }
  const records = [{ actor, operation: 'journal replay', outcome: 'Success', details }]
  return appendAudit(rows, sealing, chain, now(), [{ records, changes }])
}
