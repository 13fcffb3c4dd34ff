// One bounded step of a walk over everything stored: objects, documents, audit rows and transients, which are under a
// MAC, then the wraps of epochs and the settings, then the rows that follow from all these (scrub-rows.ts). The walk
// is a position that can be kept; what looks wrong is told and does not stop it.
import { equalBytes } from '../crypto/primitives/mac.ts'
import { kindOf } from './audit-verify.ts'
import type { Problem } from './audit-chain-walk.ts'
import { problemOfIndex } from './audit-reading.ts'
import { beforeFirst, entriesOf } from './audit.ts'
import {
  examineDocument,
  examineObject,
  examineTransient,
  inSnapshot,
  wrongWith,
  type ContentsCheck,
  type Examined,
  type ExamineGround,
} from './examine.ts'
import { notedWraps } from './epochs.ts'
import { knownSchema } from './migrate.ts'
import { rowsStart, scrubRows, type RowsPosition } from './scrub-rows.ts'
import { EpochNotOpen, type Sealing } from './sealing.ts'
import type { AuditRow, StorageReader, WrapRow } from './storage.ts'
import { IntegrityError } from './work.ts'

/** Where a walk stands: what was examined last. */
export type ScrubPosition =
  | { readonly part: 'objects'; readonly n: number }
  | { readonly part: 'documents'; readonly kind: string; readonly name: string }
  | { readonly part: 'audit'; readonly chain: string; readonly number: number }
  | { readonly part: 'transients'; readonly kind: string; readonly name: string }
  | { readonly part: 'epochs' }
  | RowsPosition

/** Where a walk begins. */
export const scrubStart: ScrubPosition = { part: 'objects', n: 0 }

/** What a step has seen; without `next` the walk is at its end. */
export interface ScrubStep {
  readonly objects: number
  readonly documents: number
  readonly auditRows: number
  /** Transients, wraps of epochs, settings, and rows that follow from others. */
  readonly others: number
  readonly problems: readonly Problem[]
  readonly next: ScrubPosition | undefined
}

const nothing = { objects: 0, documents: 0, auditRows: 0, others: 0 } as const

/** Examines at most `limit` rows after `from`. */
export async function scrubStep(
  ground: ExamineGround,
  from: ScrubPosition,
  limit: number,
  contents?: ContentsCheck,
): Promise<ScrubStep> {
  const { sealing } = ground
  if (from.part === 'epochs') return scrubEpochs(ground)
  return inSnapshot(ground, async (rows) => {
    if (from.part === 'rows') {
      const { seen, ...found } = await scrubRows(rows, from, limit)
      return { ...nothing, others: seen, ...found }
    }
    if (from.part === 'transients') return scrubTransients(rows, sealing, from, limit)
    if (from.part === 'objects') return scrubObjects(rows, sealing, from.n, limit, contents)
    if (from.part === 'documents') return scrubDocuments(rows, sealing, from, limit)
    return scrubAudit(rows, sealing, from, limit)
  })
}

async function scrubObjects(
  rows: StorageReader,
  sealing: Sealing,
  n: number,
  limit: number,
  contents: ContentsCheck | undefined,
): Promise<ScrubStep> {
  const page = await rows.objectsAfter(n, limit)
  const examined: Examined[] = []
  for (const row of page) examined.push(await examineObject(rows, sealing, row, contents))
  const last = page.at(-1)
  const next: ScrubPosition = last
    ? { part: 'objects', n: last.n }
    : { part: 'documents', kind: '', name: '' }
  return { ...nothing, objects: page.length, problems: problemsOf(examined), next }
}

async function scrubDocuments(
  rows: StorageReader,
  sealing: Sealing,
  { kind, name }: { readonly kind: string; readonly name: string },
  limit: number,
): Promise<ScrubStep> {
  const page = await rows.documentsAfter(kind, name, limit)
  const problems = problemsOf(page.map((row) => examineDocument(sealing, row)))
  const last = page.at(-1)
  const next: ScrubPosition = last
    ? { part: 'documents', kind: last.kind, name: last.name }
    : { part: 'audit', chain: '', number: 0 }
  return { ...nothing, documents: page.length, problems, next }
}

async function scrubAudit(
  rows: StorageReader,
  sealing: Sealing,
  { chain, number }: { readonly chain: string; readonly number: number },
  limit: number,
): Promise<ScrubStep> {
  const page = await rows.auditAfter(chain, number, limit)
  const [first] = page
  if (first === undefined) {
    const following = (await rows.chains()).find((name) => name > chain)
    const next: ScrubPosition =
      following === undefined
        ? { part: 'transients', kind: '', name: '' }
        : { part: 'audit', chain: following, number: 0 }
    return { ...nothing, problems: [], next }
  }
  const problems: Problem[] = []
  const indexed = await rows.auditIndexed(chain)
  let [previous] = await rows.auditBefore(chain, first.first, 1)
  for (const row of page) {
    const problem =
      problemOfAudit(sealing, row, previous) ?? (await problemOfIndex(rows, row, indexed))
    if (problem) problems.push(problem)
    if (problem === undefined || problem.kind === 'derived')
      problems.push(...(await problemsOfMade(rows, row)))
    previous = row
  }
  const next: ScrubPosition = { part: 'audit', chain, number: page.at(-1)!.last }
  return { ...nothing, auditRows: page.length, problems, next }
}

async function scrubTransients(
  rows: StorageReader,
  sealing: Sealing,
  { kind, name }: { readonly kind: string; readonly name: string },
  limit: number,
): Promise<ScrubStep> {
  const page = await rows.transientsAfter(kind, name, limit)
  const problems = problemsOf(page.map((row) => examineTransient(sealing, row)))
  const last = page.at(-1)
  const next: ScrubPosition = last
    ? { part: 'transients', kind: last.kind, name: last.name }
    : { part: 'epochs' }
  return { ...nothing, others: page.length, problems, next }
}

/** The master key may be in a token: it is asked outside of any snapshot. */
async function scrubEpochs(ground: ExamineGround): Promise<ScrubStep> {
  const { sealing } = ground
  const { wraps, store, schema } = await inSnapshot(ground, async (rows) => ({
    wraps: await notedWraps(rows),
    store: await rows.setting('store'),
    schema: await rows.setting('schema'),
  }))
  const problems: Problem[] = []
  for (const { note, ...wrap } of wraps) {
    const message = await faultOfWrap(ground, wrap, note)
    const subject = `epoch ${wrap.epoch}/${wrap.provider}`
    if (message !== undefined) problems.push({ kind: 'changed', subject, message })
  }
  const changed = (name: string): void =>
    void problems.push({ kind: 'changed', subject: `setting ${name}`, message: 'it was changed' })
  if (store !== sealing.store) changed('store')
  if (schema !== String(knownSchema())) changed('schema')
  return { ...nothing, others: wraps.length + 2, problems, next: rowsStart }
}

async function faultOfWrap(
  { sealing, learnEpoch }: ExamineGround,
  wrap: WrapRow,
  note: string | undefined,
): Promise<string | undefined> {
  for (;;) {
    try {
      return await sealing.faultOfWrap(wrap, note)
    } catch (error) {
      if (error instanceof IntegrityError) return error.message
      if (!(error instanceof EpochNotOpen)) throw error
      await learnEpoch(error)
    }
  }
}

/** Each row is judged by the row before it as it stands there: a bad one is told once. */
function problemOfAudit(
  sealing: Sealing,
  row: AuditRow,
  previous: AuditRow | undefined,
): Problem | undefined {
  const { chain, first, last } = row
  const before = previous?.last ?? 0
  if (first !== before + 1) {
    const message = `record ${first} follows on record ${before}`
    return { kind: 'audit-gap', subject: `${chain}/${before + 1}`, message }
  }
  let isGenuine = false
  const wrong = wrongWith(() => {
    isGenuine = equalBytes(sealing.auditMac(row, previous?.mac ?? beforeFirst), row.mac)
  })
  if (wrong === undefined && isGenuine) return undefined
  const message = `records ${first} to ${last} were changed`
  return { kind: 'audit-changed', subject: `${chain}/${first}`, message }
}

/** What a record says was made must be there: nothing is ever taken out of the table of objects. */
async function problemsOfMade(rows: StorageReader, row: AuditRow): Promise<Problem[]> {
  const made = new Map<string, number>()
  for (const { number, changes } of entriesOf(row))
    for (const { object, revision, document } of changes)
      if (!document && revision === 1) made.set(object, number)
  const lacking = await rows.lackingObjects([...made.keys()])
  return lacking.map((object) => ({
    kind: 'missing',
    subject: object,
    message: `it was made at ${row.chain}/${made.get(object)}, and it is gone`,
  }))
}

function problemsOf(examined: readonly Examined[]): Problem[] {
  return examined.flatMap(({ subject, wrong }) =>
    wrong === undefined ? [] : [{ kind: kindOf(wrong.code), subject, message: wrong.message }],
  )
}
