// Sealing anew: what is under earlier epochs is sealed under the newest one, a bounded number of keys per
// commit, beside everything else. There is no state to resume from: what is done is under the newest epoch.
import { setTimeout as delay } from 'node:timers/promises'
import { objectOf } from './keystore.ts'
import type { Store } from './store.ts'
import { IntegrityError, type AuditActor, type ResealPlace, type Work } from './work.ts'

const keysPerAct = 100
/** Milliseconds between two commits beside a service: its own acts come first. */
const pause = 10
const start: ResealPlace = { epoch: 0, n: 0, kind: '', name: '' }

/** What a run has done. */
export interface Resealed {
  /** Objects and documents sealed anew. */
  readonly count: number
  /** What failed its integrity check and was left as it is. */
  readonly damaged: readonly IntegrityError[]
  /** Where the next run goes on; undefined when everything was looked at. */
  readonly next: ResealPlace | undefined
}

/** How a run goes. */
export interface Resealing {
  readonly actor: AuditActor
  /** Where to begin: what an earlier run answered. */
  readonly after?: ResealPlace | undefined
  /** Asked after every commit with the number done in this run: false ends it. */
  goesOn(count: number): boolean | Promise<boolean>
}

/** Seals anew what is under earlier epochs, until nothing is left or `goesOn` says no. */
export async function reseal(
  store: Pick<Store, 'act'>,
  { actor, after = start, goesOn }: Resealing,
): Promise<Resealed> {
  const damaged: IntegrityError[] = []
  let count = 0
  for (let place = after; ;) {
    const from = place
    const step = await store.act((work) => resealSome(work, from, actor))
    damaged.push(...step.damaged)
    count += step.count
    if (step.next === undefined) return { count, damaged, next: undefined }
    place = step.next
    if (!(await goesOn(count))) return { count, damaged, next: place }
  }
}

async function resealSome(work: Work, after: ResealPlace, actor: AuditActor): Promise<Resealed> {
  const { objects, documents, next } = await work.underEarlierEpochs(after, keysPerAct)
  const damaged: IntegrityError[] = []
  let count = 0
  const attempt = async (reseal: () => Promise<boolean>): Promise<void> => {
    try {
      if (await reseal()) count++
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error
      damaged.push(error)
    }
  }
  for (const { group, id } of objects) {
    await attempt(async () => {
      const stored = await work.load(group, id)
      return stored !== undefined && work.reseal(stored, objectOf(stored).vitals.CheckValue)
    })
  }
  for (const { kind, name } of documents) {
    await attempt(() => work.resealDocument(kind, name))
  }
  const details = { sealed: count, damaged: damaged.map(({ subject }) => subject) }
  if (count > 0) work.audit({ actor, operation: 'Sealed Anew', outcome: 'Success', details })
  return { count, damaged, next }
}

/** What the server does once a second: seals anew for a while, and says when it is through. */
export function resealInBackground(
  store: Pick<Store, 'act' | 'read'>,
  log: { info(fields: object, text: string): void; error(fields: object, text: string): void },
  milliseconds = 500,
): () => Promise<void> {
  const actor: AuditActor = { name: 'keyreel', kind: 'server' }
  const named = new Set<string>()
  let after: ResealPlace | undefined
  let total = 0
  return async () => {
    const first = await store.read((work) => work.underEarlierEpochs(after ?? start, 1))
    if (first.objects.length + first.documents.length === 0) {
      after = undefined
      return
    }
    const until = performance.now() + milliseconds
    const goesOn = async (): Promise<boolean> => {
      await delay(pause)
      return performance.now() < until
    }
    const { count, damaged, next } = await reseal(store, { actor, after, goesOn })
    after = next
    total += count
    for (const { subject, message } of damaged) {
      if (named.has(subject)) continue
      named.add(subject)
      log.error({ alarm: true, subject }, `not sealed anew: ${message}`)
    }
    if (next !== undefined || total === 0) return
    log.info({ sealed: total }, 'everything is sealed under the newest epoch')
    total = 0
  }
}
