// The scrubber: walks everything that is stored, again and again, a bounded number of rows a second, so
// that damage is found while there are copies to put it right from. Where it stands is kept in the store.
import { z } from 'zod'
import type { Problem } from '../keystore/audit-chain-walk.ts'
import { contentsCheck } from '../keystore/contents-check.ts'
import { scrubStart, type ScrubPosition } from '../keystore/scrub.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, JsonValue, Work } from '../keystore/work.ts'

const count = z.number().int().nonnegative()
const counts = {
  objects: count,
  documents: count,
  auditRows: count,
  // Progress that an earlier release has kept does not say.
  others: count.default(0),
  damaged: count,
}
const problem = z.object({ kind: z.string(), subject: z.string(), message: z.string() })

const progress = z.object({
  position: z.union([
    z.object({ part: z.literal('objects'), n: z.number() }),
    z.object({ part: z.literal('documents'), kind: z.string(), name: z.string() }),
    z.object({ part: z.literal('audit'), chain: z.string(), number: z.number() }),
    z.object({ part: z.literal('transients'), kind: z.string(), name: z.string() }),
    z.object({ part: z.literal('epochs') }),
    z.object({ part: z.literal('rows'), table: z.string(), after: z.array(z.string()).readonly() }),
  ]),
  /** Seconds since 1970; absent between two walks. */
  started: z.number().optional(),
  ...counts,
  /** Damage found in this walk or, between two, in the last: the first of it. */
  problems: z.array(problem),
  last: z.object({ started: z.number(), finished: z.number(), ...counts }).optional(),
})

/** How far the scrubber is, and what it has found. */
export type ScrubProgress = z.output<typeof progress>

const kind = 'scrub'
const name = 'progress'
const owner = 'keyreel'
const actor: AuditActor = { name: owner, kind: 'server' }
/** Long beyond any pause between two starts. */
const keptFor = 10n * 365n * 86_400n
const problemsKept = 100
/** Rows looked at without letting others run. */
const rowsAtOnce = 50
/** Seconds between two notes of how far a walk is. */
const noteEvery = 10n

const unbegun: ScrubProgress = {
  position: scrubStart,
  objects: 0,
  documents: 0,
  auditRows: 0,
  others: 0,
  damaged: 0,
  problems: [],
}

/** How far the scrubber is; undefined where none has ever run. */
export async function scrubProgress(
  work: Pick<Work, 'transient'>,
): Promise<ScrubProgress | undefined> {
  const kept = await work.transient(kind, name)
  return kept && progress.parse(kept.body)
}

/** Forgets the damage of the last walk that has been repaired. */
export async function forgetDerivedDamage(work: Work): Promise<void> {
  const before = await scrubProgress(work)
  if (before === undefined) return
  await keep(work, {
    ...before,
    problems: before.problems.filter(({ kind }) => kind !== 'derived'),
  })
}

/** In one line: the last complete walk, or how far the first is. */
export function scrubText(progress: ScrubProgress | undefined, now: bigint): string {
  if (progress === undefined) return 'the keystore has not been looked through yet'
  const { last, damaged } = progress
  if (last === undefined) return `the first scrub is under way: ${seenText(progress)}`
  const since = progress.started === undefined || damaged === 0 ? '' : `, ${damaged} damaged since`
  return `last complete scrub ${agoText(now - BigInt(last.finished))} ago: ${seenText(last)}${since}`
}

function seenText(seen: Pick<ScrubProgress, keyof typeof counts>): string {
  const { objects, documents, auditRows, others, damaged } = seen
  return `${objects} objects, ${documents} documents, ${auditRows} audit rows, ${others} other rows, ${damaged} damaged`
}

function agoText(seconds: bigint): string {
  if (seconds < 120n) return `${seconds} s`
  if (seconds < 7200n) return `${seconds / 60n} min`
  return seconds < 172_800n ? `${seconds / 3600n} h` : `${seconds / 86_400n} days`
}

/** How a scrubber goes about it. */
export interface ScrubOptions {
  /** Most rows examined in one turn. */
  readonly pace: number
  /** Seconds from the end of one walk to the start of the next. */
  readonly interval: bigint
  readonly log: {
    info(fields: object, text: string): void
    error(fields: object, text: string): void
  }
}

/** One scrubber of a store. */
export class Scrubber {
  readonly #store: Pick<Store, 'act' | 'read' | 'scrub'>
  readonly #options: ScrubOptions
  #progress: ScrubProgress | undefined
  #noted = 0n

  constructor(store: Pick<Store, 'act' | 'read' | 'scrub'>, options: ScrubOptions) {
    this.#store = store
    this.#options = options
  }

  /** Examines the next rows, if it is time. Goes on where the last process of this store has stopped. */
  async turn(): Promise<void> {
    const { before, now } = await this.#store.read(async (work) => ({
      before: this.#progress ?? (await scrubProgress(work)) ?? unbegun,
      now: work.now,
    }))
    const { interval, pace } = this.#options
    const due = before.last === undefined || now - BigInt(before.last.finished) >= interval
    this.#progress = before
    if (before.started === undefined && !due) return
    const walk =
      before.started === undefined
        ? { ...unbegun, started: Number(now), ...(before.last && { last: before.last }) }
        : before
    await this.#walk(walk, before, pace, now)
  }

  /** Keeps how far it is, so that the next process goes on there. */
  async stop(): Promise<void> {
    const at = this.#progress
    if (at?.started === undefined) return
    await this.#store.act((work) => keep(work, at))
  }

  async #walk(
    walk: ScrubProgress,
    before: ScrubProgress,
    pace: number,
    now: bigint,
  ): Promise<void> {
    const known = new Set(before.problems.map(({ subject }) => subject))
    const told = new Set(walk.problems.map(({ subject }) => subject))
    const found: Problem[] = []
    const seen = { objects: 0, documents: 0, auditRows: 0, others: 0 }
    let position: ScrubPosition | undefined = walk.position
    for (let left = pace; left > 0 && position !== undefined;) {
      const step = await this.#store.scrub(position, Math.min(left, rowsAtOnce), contentsCheck)
      for (const one of step.problems) {
        // What is wrong with an object shows in its rows elsewhere too: it is told once.
        if (told.has(one.subject)) continue
        told.add(one.subject)
        found.push(one)
      }
      left -= Math.max(1, step.objects + step.documents + step.auditRows + step.others)
      seen.objects += step.objects
      seen.documents += step.documents
      seen.auditRows += step.auditRows
      seen.others += step.others
      position = step.next
    }
    const at: ScrubProgress = {
      ...walk,
      position: position ?? scrubStart,
      objects: walk.objects + seen.objects,
      documents: walk.documents + seen.documents,
      auditRows: walk.auditRows + seen.auditRows,
      others: walk.others + seen.others,
      damaged: walk.damaged + found.length,
      problems: [...walk.problems, ...found].slice(0, problemsKept),
    }
    for (const one of found) {
      const { message, ...fields } = one
      this.#options.log.error({ alarm: true, ...fields }, `scrub of the keystore: ${message}`)
    }
    const fresh = found.filter(({ subject }) => !known.has(subject))
    if (position === undefined) return this.#finish(at, fresh)
    this.#progress = at
    if (found.length === 0 && now - this.#noted < noteEvery) return
    this.#noted = now
    await this.#keep(at, fresh)
  }

  async #finish(
    { started = 0, last, ...at }: ScrubProgress,
    fresh: readonly Problem[],
  ): Promise<void> {
    const { objects, documents, auditRows, others, damaged } = at
    const done = await this.#store.act(async (work) => {
      const finished = Number(work.now)
      const walked = { started, finished, objects, documents, auditRows, others, damaged }
      const rested: ScrubProgress = { ...unbegun, problems: at.problems, last: walked }
      await keep(work, rested)
      recordDamage(work, fresh)
      return rested
    })
    this.#progress = done
    const seconds = done.last!.finished - started
    this.#options.log.info(
      { objects, documents, auditRows, others, damaged, seconds, before: last?.finished },
      'scrub of the keystore is complete',
    )
  }

  async #keep(at: ScrubProgress, fresh: readonly Problem[]): Promise<void> {
    await this.#store.act(async (work) => {
      await keep(work, at)
      recordDamage(work, fresh)
    })
  }
}

function keep(work: Work, body: ScrubProgress): Promise<void> {
  const expires = work.now + keptFor
  return work.putTransient({ kind, name, owner, expires, body: body as unknown as JsonValue })
}

/** What is found again in the next walk alarms again, but is on record already. */
function recordDamage(work: Work, problems: readonly Problem[]): void {
  for (const { kind: what, subject, message } of problems) {
    const details = { kind: what, subject, found: message }
    work.audit({ actor, operation: 'Damage Found', outcome: 'GeneralFailure', details })
  }
}
