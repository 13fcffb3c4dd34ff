/**
 * Keys of a consignment, from a bundle or from a peer, through the batch engine. Keys, report and audit
 * of a step become durable together; a step has at most 200 keys, and an import that was interrupted is
 * simply run again: what is here stays as it is.
 */
import { administrator, putBody, type Body } from '../access/documents.ts'
import { nextEntry } from '../access/exchange-entries.ts'
import type { Principal } from '../access/identity.ts'
import { randomUuid } from '../crypto/primitives/random.ts'
import type { TransportKey } from '../crypto/transport-key.ts'
import { UserError } from '../errors.ts'
import type { LogMoves } from '../keystore/storage.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, JsonValue, Work } from '../keystore/work.ts'
import type { ResponseBatchItem } from '../kmip/model/messages.ts'
import { newest } from '../kmip/model/versions.ts'
import type { Raw } from 'ttlv-codec'
import { runBatch, type ActingStore, type Batch, type Engine } from '../kmip/operations/batch.ts'
import type { Item } from '../kmip/operations/items.ts'
import { counted, Step } from './import-step.ts'
import { judgeItems, openItem, type Incoming, type Terms } from './incoming-keys.ts'
import type { KeyReport, Verdict } from './key-report.ts'
import { withdrawnOf } from './withdrawals.ts'

/** How keys are taken. */
export interface ImportTerms {
  readonly group: string
  readonly dryRun: boolean
  readonly allowWriting: boolean
  readonly actor?: AuditActor
  readonly progress?: (done: number, total: number) => void
}

/** What comes, from whom, and the key that all of it is wrapped under. */
export interface Consignment {
  readonly exportId: string
  readonly peer: string
  /** Who vouches for it: SHA-256 of a public key or a certificate, hexadecimal. */
  readonly sender: string
  readonly keys: number
  /** It comes over KMIP. */
  readonly live?: true
  readonly transport: TransportKey
  readonly transportId: string
  /** Import items, undecoded. The caller is done with some before it asks for the next. */
  parts(): AsyncGenerator<readonly Raw[]>
}

/** What became of it. */
export interface ImportReport {
  /** Id of this import; undefined for a dry run, which leaves no trace. */
  readonly id: string | undefined
  readonly exportId: string
  readonly peer: string
  readonly sender: string
  readonly group: string
  readonly keys: number
  readonly counts: Readonly<Record<Verdict, number>>
  readonly reports: readonly KeyReport[]
}

const importing: Item['operation'] = 'Import'
const importItem = { operation: importing, id: undefined, payload: undefined, fault: undefined }

/**
 * Keys in one act. A library that asks for a key waits for the act under way: while others write, acts
 * are short.
 */
const keysPerAct = { alone: 200, besideOthers: 10 } as const

/** Milliseconds for which others count as there after they have written. */
const othersStay = 5_000

/** One import on its way. The transport key is wiped when it is over. */
export class ImportRun {
  readonly #store: Store
  readonly #engine: Engine
  readonly #wish: ImportTerms
  readonly #consignment: Consignment
  #terms: Terms
  readonly #principal: Principal
  readonly #actor: AuditActor
  readonly #id = randomUuid()
  readonly #reports: KeyReport[] = []
  #othersUntil = -Infinity
  #logMoves: LogMoves = 'usual'
  #record: Body<'exchange-import'>

  constructor(
    store: Store,
    engine: Engine,
    wish: ImportTerms,
    consignment: Consignment,
    now: bigint,
  ) {
    const { exportId, peer, sender, keys, live } = consignment
    const { group, allowWriting, actor = administrator } = wish
    this.#store = store
    this.#engine = engine
    this.#wish = wish
    this.#consignment = consignment
    this.#actor = actor
    this.#terms = { group, peer, exportId, now, allowWriting, withdrawn: new Map() }
    this.#principal = {
      name: peer,
      kind: 'peer',
      group,
      profile: 'general',
      fingerprint: sender,
      owner: peer,
      ownOnly: false,
      credentialRequired: false,
    }
    this.#record = {
      export: exportId,
      peer,
      sender,
      group,
      ...(live && { live }),
      started: Number(now),
      keys,
      counts: { new: 0, here: 0, conflict: 0, refused: 0 },
    }
  }

  async all(): Promise<ImportReport> {
    const { dryRun, progress } = this.#wish
    const { keys: total, transport } = this.#consignment
    const { peer: from, exportId } = this.#consignment
    try {
      const withdrawn = await this.#store.read((work) => withdrawnOf(work, from, exportId))
      this.#terms = { ...this.#terms, withdrawn }
      if (!dryRun)
        await this.#store.act(async (work) => {
          this.#record = { ...this.#record, entry: await nextEntry(work) }
          await this.#keep(work, 'exchange import begin')
        })
      let done = 0
      for await (const items of this.#consignment.parts()) {
        for (let first = 0; first < items.length;) {
          const chunk = items.slice(first, first + (await this.#keysPerAct()))
          first += chunk.length
          await this.#step(chunk, done)
          done += chunk.length
          progress?.(done, total)
        }
      }
      if (!dryRun)
        await this.#store.act((work) => {
          this.#record = { ...this.#record, finished: Number(work.now) }
          return this.#keep(work, 'exchange import end')
        })
    } finally {
      transport.secret.wipe()
      await this.#moveLog('usual')
    }
    const { peer, sender, group, counts } = this.#record
    return {
      id: dryRun ? undefined : this.#id,
      exportId: this.#record.export,
      peer,
      sender,
      group,
      keys: total,
      counts,
      reports: this.#reports,
    }
  }

  async #keysPerAct(): Promise<number> {
    if (await this.#store.othersWrote()) this.#othersUntil = performance.now() + othersStay
    const isAlone = performance.now() >= this.#othersUntil
    await this.#moveLog(isAlone ? 'seldom' : 'early')
    return isAlone ? keysPerAct.alone : keysPerAct.besideOthers
  }

  async #moveLog(when: LogMoves): Promise<void> {
    if (when === this.#logMoves) return
    await this.#store.moveLog(when)
    this.#logMoves = when
  }

  /** Judges some items, imports the new ones, and reports on all of them. */
  async #step(items: readonly Raw[], position: number): Promise<void> {
    const keys = this.#consignment
    const opened = items.map((raw, at) => openItem(raw, position + at, keys, this.#terms))
    try {
      const incoming = await this.#store.read((work) => judgeItems(work, opened, this.#terms))
      const reports = this.#wish.dryRun
        ? incoming.map(({ report }) => report)
        : await this.#import(incoming)
      this.#reports.push(...reports)
      if (this.#wish.dryRun) this.#record = counted(this.#record, reports)
    } finally {
      for (const item of opened) if (item.refused === undefined) item.key.material.wipe()
    }
  }

  async #import(incoming: readonly Incoming[]): Promise<KeyReport[]> {
    const wanted = incoming.filter(({ request }) => request !== undefined)
    if (wanted.length === 0) {
      const reports = incoming.map(({ report }) => report)
      const next = counted(this.#record, reports)
      await this.#store.act((work) => this.#keepStep(work, next, reports))
      this.#record = next
      return reports
    }
    const step = new Step(this.#record, incoming)
    let failure: unknown
    // The engine answers a store that fails as a server would; what it was is for the administrator.
    const store: ActingStore = {
      read: (fn) => this.#engine.store.read(fn),
      act: async (fn) => {
        try {
          const result = await this.#engine.store.act(fn)
          step.committed()
          return result
        } catch (error) {
          step.undone()
          failure = error
          throw error
        }
      },
    }
    const batch: Batch = {
      version: newest.number,
      principal: this.#principal,
      items: wanted.map(({ request }) => ({ ...importItem, request })),
      continuation: 'Continue',
      itemsPerAct: keysPerAct.alone,
      unauthenticated: undefined,
      room: undefined,
      decoding: { version: newest.number },
      correlation: this.#id,
      alongside: async (work, items, answered) => {
        const { record, reports } = step.answered(items, answered)
        await this.#keepStep(work, record, reports)
      },
    }
    const { answers, secrets } = await runBatch({ ...this.#engine, store }, batch)
    for (const secret of secrets) secret.wipe()
    if (step.left > 0) {
      if (failure instanceof UserError || step.left === incoming.length)
        throw interrupted(failure, answers)
      // Keys that failed for reasons of their own, when each was tried alone.
      await store.act((work) => {
        const { record, reports } = step.answered(batch.items, answers)
        return this.#keepStep(work, record, reports)
      })
    }
    this.#record = step.record
    return step.reports
  }

  /** The report of a step: one audit record about the import, beside the record of each key. */
  async #keepStep(
    work: Work,
    record: Body<'exchange-import'>,
    reports: readonly KeyReport[],
  ): Promise<void> {
    await putBody(work, 'exchange-import', this.#id, record)
    const { group, peer } = record
    const details: JsonValue = {
      peer,
      export: record.export,
      keys: reports.map((report) => ({ ...report })),
    }
    const outcome = 'Success'
    const actor = this.#actor
    work.audit({
      actor,
      operation: 'exchange import part',
      object: this.#id,
      group,
      outcome,
      details,
    })
  }

  async #keep(work: Work, operation: string): Promise<void> {
    await putBody(work, 'exchange-import', this.#id, this.#record)
    const { group, ...details } = this.#record
    const outcome = 'Success'
    work.audit({ actor: this.#actor, operation, object: this.#id, group, outcome, details })
  }
}

function interrupted(failure: unknown, answers: readonly ResponseBatchItem[]): UserError {
  const goesOn = 'whole steps of it are kept; run it again and it goes on from there'
  if (failure instanceof UserError) {
    const said = `the import stopped: ${failure.message}`
    const hint = `${failure.hint}; ${goesOn}`
    return new UserError('import-interrupted', said, hint, { cause: failure })
  }
  const said = answers.find(({ ResultStatus }) => ResultStatus !== 'Success')?.ResultMessage
  return new UserError(
    'import-interrupted',
    `the import stopped: ${said ?? 'the keystore could not be written'}`,
    goesOn,
    { cause: failure },
  )
}
