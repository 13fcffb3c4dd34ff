/**
 * One step of an import: the report on each of its keys, once the act that imported it is durable.
 */
import type { Body } from '../access/documents.ts'
import type { ResponseBatchItem } from '../kmip/model/messages.ts'
import type { Item } from '../kmip/operations/items.ts'
import type { Incoming } from './incoming-keys.ts'
import type { KeyReport } from './key-report.ts'

/** Reasons by which the engine says that something is in the way. */
const conflictReasons: readonly unknown[] = ['ObjectAlreadyExists', 'NonUniqueNameAttribute']

/** What has become of the keys of one step: most often in one act, after a fault in one for each key. */
export class Step {
  /** The record of the import with the keys whose acts are durable. */
  record: Body<'exchange-import'>
  readonly #incoming: readonly Incoming[]
  readonly #kept = new Map<Incoming, KeyReport>()
  #pending: { record: Body<'exchange-import'>; kept: Map<Incoming, KeyReport> } | undefined

  constructor(record: Body<'exchange-import'>, incoming: readonly Incoming[]) {
    this.record = record
    this.#incoming = incoming
  }

  /** Keys of which nothing is durable yet. */
  get left(): number {
    return this.#incoming.length - this.#kept.size
  }

  get reports(): KeyReport[] {
    return this.#incoming.map((key) => this.#kept.get(key)!)
  }

  /** What an act adds that has answered these items: their reports, and those of keys that need no act. */
  answered(
    items: readonly Item[],
    answers: readonly ResponseBatchItem[],
  ): { record: Body<'exchange-import'>; reports: KeyReport[] } {
    const of = new Map(items.map(({ request }, at) => [request, answers[at]]))
    const kept = new Map<Incoming, KeyReport>()
    for (const key of this.#incoming) {
      if (this.#kept.has(key)) continue
      if (key.request === undefined) kept.set(key, key.report)
      else if (of.has(key.request)) kept.set(key, answeredReport(key, of.get(key.request)))
    }
    const reports = [...kept.values()]
    this.#pending = { record: counted(this.record, reports), kept }
    return { record: this.#pending.record, reports }
  }

  /** The act has failed. */
  undone(): void {
    this.#pending = undefined
  }

  /** The act is durable. */
  committed(): void {
    if (this.#pending === undefined) return
    this.record = this.#pending.record
    for (const [key, report] of this.#pending.kept) this.#kept.set(key, report)
    this.#pending = undefined
  }
}

/** The report with what the engine answered in the place of what was expected. */
function answeredReport({ report }: Incoming, answer: ResponseBatchItem | undefined): KeyReport {
  if (answer?.ResultStatus === 'Success') return report
  const verdict = conflictReasons.includes(answer?.ResultReason) ? 'conflict' : 'refused'
  return { ...report, verdict, reason: answer?.ResultMessage ?? 'the keystore did not take it' }
}

/** The record of an import with these reports counted. */
export function counted(
  record: Body<'exchange-import'>,
  reports: readonly KeyReport[],
): Body<'exchange-import'> {
  const counts = { ...record.counts }
  for (const { verdict } of reports) counts[verdict] += 1
  return { ...record, counts }
}
