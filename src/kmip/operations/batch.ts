/**
 * The batch engine – KMIP 2.1 §8, §9.6, §9.8; KMIP 1.4 §11.43. Items run in order. A batch that only
 * looks reads a snapshot; any other runs in acts of the group commit: its changes and their audit
 * records become durable together, before the answer leaves. With Undo all items stand or fall together.
 */
import { decodeRaw, type DecodeOptions, type Raw, type Version } from 'ttlv-codec'
import type { Principal } from '../../access/identity.ts'
import type { Secret } from '../../crypto/secret.ts'
import { after, inTurn, type Soon } from '../../keystore/soon.ts'
import type { Work } from '../../keystore/work.ts'
import { allowed, isForTests, needsCredential } from '../../access/policy.ts'
import { payloads, type OperationName } from '../model/payloads/index.ts'
import type { ResponseBatchItem } from '../model/messages.ts'
import { KmipError } from '../model/result.ts'
import type { Aftermath, AftermathLog } from './aftermath.ts'
import { Attempt, AnswerTooLarge, TakenBack, type Mark } from './attempt.ts'
import { auditUndo } from './item-audit.ts'
import { operations } from './index.ts'
import { operationOf, type Item } from './items.ts'
import {
  NeedsAside,
  type Context,
  type Effect,
  type Operation,
  type ServerFacts,
} from './operation.ts'
import { refusalOfReading } from './refusals.ts'
import type { RunningJobs } from './running-jobs.ts'
import { isOfStore, refusalOfOurs } from './store-trouble.ts'
import type { Streams } from './streams.ts'
import type { PeerQuestions } from './peer-questions.ts'
import type { UnknownTapes } from './unknown-tapes.ts'

/** The part of the store that the engine uses. */
export interface ActingStore {
  act<T>(fn: (work: Work) => Soon<T>): Promise<T>
  read<T>(fn: (work: Work) => Soon<T>): Promise<T>
}

/** Everything that stays the same from batch to batch. */
export interface Engine {
  store: ActingStore
  facts: ServerFacts
  streams: Streams
  /** Asynchronous requests under way. */
  jobs: RunningJobs
  /** Where a server notes what is looked for in vain. */
  unknownTapes?: UnknownTapes | undefined
  /** Where a server counts what peers ask. */
  peerQuestions?: PeerQuestions | undefined
  log: AftermathLog
  aftermath: Aftermath
}

/** One batch to run. */
export interface Batch {
  version: Version
  principal: Principal
  items: readonly Item[]
  continuation: 'Continue' | 'Stop' | 'Undo'
  /** Most items in one act, where it is not as for a library's batch. */
  itemsPerAct?: number
  /**
   * A refusal for every item that needs a credential, or for every item when one was sent that is wrong; undefined
   * once it was proven.
   */
  unauthenticated: { refusal: KmipError; ofAll: boolean } | undefined
  /** Most bytes the items of the answer may have in all; undefined without limit. */
  room: number | undefined
  decoding: DecodeOptions
  correlation: string
  /** Whether it came on a connection that may be turned round. */
  turnable?: boolean | undefined
  /**
   * Runs at the end of each act with its items and their answers, to write what shall become durable with
   * them. May run again when the act does; when it fails, its items may come again one by one.
   */
  alongside?: (
    work: Work,
    items: readonly Item[],
    answers: readonly ResponseBatchItem[],
  ) => Promise<void>
  /** Called at the end of each act with the answers so far, to be durable with what they answer. */
  keep?: (work: Work, answers: readonly ResponseBatchItem[]) => Promise<void>
}

/** The answered items; secrets are wiped by the caller once they are encoded. */
export interface Outcome {
  answers: ResponseBatchItem[]
  secrets: Secret[]
}

/** Most items in one act: longer batches commit in pieces, so that no transaction holds up others. */
const itemsPerAct = 100

/** Runs a batch. Does not throw for what a client sent; a bug is answered General Failure and logged. */
export async function runBatch(engine: Engine, batch: Batch): Promise<Outcome> {
  const run = new Run(engine, batch)
  if (batch.continuation === 'Undo') await run.undoably()
  else if (batch.items.some((item) => effectOf(item) === 'act')) await run.inActs()
  else await run.inSnapshot()
  return run.concluded()
}

function effectOf(item: Item): Effect {
  return item.fault === undefined ? operations[operationOf(item)].effect : 'none'
}

/** Rolls back the act of an Undo batch. */
class Undone extends Error {
  override readonly name = 'Undone'
}

/** One batch on its way: how its items are spread over acts, and what becomes of their failures. */
class Run {
  readonly #engine: Engine
  readonly #batch: Batch
  readonly #attempt: Attempt

  constructor(engine: Engine, batch: Batch) {
    this.#engine = engine
    this.#batch = batch
    this.#attempt = new Attempt(batch)
  }

  /** A batch that only looks. An item that must write after all (`NeedsAct`) sends all of it to acts. */
  async inSnapshot(): Promise<void> {
    const { items } = this.#batch
    const { store } = this.#engine
    const start = this.#attempt.mark()
    const reads = items.some((item) => effectOf(item) === 'read')
    try {
      await this.#withAsides(async () => {
        this.#attempt.reset(start)
        if (reads) await store.read((work) => this.#items(items, work, false))
        else await this.#items(items, unusedWork, false)
      })
    } catch (error) {
      this.#attempt.reset(start)
      if (this.#attempt.isOfItem(error)) await this.inActs()
      else this.#failAll(items, error)
    }
  }

  /** The items in as few acts as may be; after a bug, or an answer too large, one act for each. */
  async inActs(): Promise<void> {
    const { items, itemsPerAct: most = itemsPerAct } = this.#batch
    for (let first = 0; first < items.length && !this.#stopped; first += most) {
      const piece = items.slice(first, first + most)
      const start = this.#attempt.mark()
      try {
        await this.#inOneAct(piece)
      } catch (error) {
        this.#attempt.reset(start)
        const ofItem = this.#attempt.isOfItem(error) && !isOfStore(error)
        if (ofItem) await this.#oneByOne(piece)
        else this.#failAll(piece, error)
      }
    }
  }

  /** Everything or nothing: a failing item rolls the act back, and what was done is answered as undone. */
  async undoably(): Promise<void> {
    const { items, principal } = this.#batch
    const attempt = this.#attempt
    try {
      await this.#inOneAct(items, () => {
        if (attempt.failed) throw new Undone()
      })
    } catch (error) {
      if (!(error instanceof Undone)) {
        const at = Math.min(attempt.answers.length, items.length - 1)
        attempt.replace(at, items[at]!, this.#refusalFor(error))
      }
      const undone = attempt.undo()
      if (undone.length === 0) return
      await this.#engine.store.act((work) => {
        auditUndo(work, principal, undone)
        return Promise.resolve()
      })
    }
  }

  /** Settles what was done aside; logs, alarms and audits what happened. */
  concluded(): Outcome | Promise<Outcome> {
    const { aftermath, store } = this.#engine
    const { principal, correlation, items } = this.#batch
    const { notes, answers, secrets, asides } = this.#attempt
    asides.conclude((item) => answers[items.indexOf(item)]?.ResultStatus === 'Success')
    const outcome = { answers, secrets: [...secrets, ...asides.secrets] }
    const audited = aftermath.conclude(store, principal, notes, correlation)
    return audited === undefined ? outcome : audited.then(() => outcome)
  }

  get #stopped(): boolean {
    return this.#attempt.failed && this.#batch.continuation !== 'Continue'
  }

  async #inOneAct(items: readonly Item[], check?: () => void): Promise<void> {
    const start = this.#attempt.mark()
    await this.#withAsides(() =>
      this.#engine.store.act((work) => {
        // An act may be run again: nothing of the attempt before must remain.
        this.#attempt.reset(start)
        return after(this.#items(items, work, true), () => this.#kept(items, work, start, check))
      }),
    )
  }

  /** What becomes durable with the items, written at the end of their act. */
  #kept(items: readonly Item[], work: Work, start: Mark, check?: () => void): Soon<void> {
    const { alongside, keep } = this.#batch
    const { answers } = this.#attempt
    return after(alongside?.(work, items, answers.slice(start.answers)), () => {
      check?.()
      return keep?.(work, answers)
    })
  }

  /** Runs until no item asks for work outside the act any more, and none has to be taken back. */
  async #withAsides(run: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await run()
      } catch (error) {
        if (error instanceof NeedsAside) await error.settle()
        else if (!(error instanceof TakenBack)) throw error
      }
    }
  }

  async #oneByOne(items: readonly Item[]): Promise<void> {
    for (const item of items) {
      const start = this.#attempt.mark()
      try {
        await this.#inOneAct([item])
      } catch (error) {
        this.#attempt.reset(start)
        this.#attempt.fail(item, this.#refusalFor(error))
      }
      if (this.#stopped) return
    }
  }

  #items(items: readonly Item[], work: Work, writable: boolean): Soon<void> {
    return inTurn(items, (item) =>
      after(
        this.#attempt.run(item, work, writable, this.#engine, this.#perform),
        () => !this.#stopped,
      ),
    )
  }

  readonly #perform = (item: Item, context: Context): Soon<unknown> => {
    if (item.fault !== undefined) throw item.fault
    const { unauthenticated, decoding, principal } = this.#batch
    const name = operationOf(item)
    if (unauthenticated !== undefined && (unauthenticated.ofAll || needsCredential(name)))
      throw unauthenticated.refusal
    const refusal = allowed(principal, name)
    if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
    const operation = operations[name] as unknown as Operation
    if (isForTests(name) && context.facts.testingSince === undefined)
      throw new KmipError('OperationNotSupported', `${name} is for servers in test mode only`)
    const request = item.request ?? requestOf(name, item.payload!, decoding)
    return operation.run(request as never, context)
  }

  /** The store itself failed: nothing of these items was kept. */
  #failAll(items: readonly Item[], error: unknown): void {
    const refusal = this.#refusalFor(error)
    for (const item of items) {
      this.#attempt.fail(item, refusal)
      if (this.#stopped) return
    }
  }

  #refusalFor(error: unknown): KmipError {
    if (error instanceof AnswerTooLarge)
      return new KmipError('ResponseTooLarge', 'the answer exceeds the Maximum Response Size')
    const { correlation } = this.#batch
    this.#engine.log.error(
      { err: error, correlation },
      'an operation failed for a reason of our own',
    )
    return refusalOfOurs(error, correlation)
  }
}

function requestOf(name: OperationName, payload: Raw, decoding: DecodeOptions): unknown {
  try {
    return decodeRaw(payloads[name].request, payload, decoding)
  } catch (error) {
    throw refusalOfReading(error) ?? error
  }
}

/** Stands for the store in batches that do not touch it. */
const unusedWork = {
  get now() {
    return BigInt(Math.floor(Date.now() / 1000))
  },
} as Work
