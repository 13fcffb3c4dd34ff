/**
 * Runs what clients have handed in to be done later (KMIP 2.1 §9.2), one job of a client after the
 * other. What a job did and its answers become durable together, so a job that a stop of the server
 * has cut off is simply run again: what had been done has its answer, and is not done twice.
 */
import { decode, encode, type Limits } from 'ttlv-codec'
import { identifyAgain, type Principal } from '../../access/identity.ts'
import { allowed } from '../../access/policy.ts'
import type { Secret } from '../../crypto/secret.ts'
import { randomUuid } from '../../crypto/primitives/random.ts'
import type { Work } from '../../keystore/work.ts'
import { RequestMessage, ResponseBatchItem, type RequestHeader } from '../model/messages.ts'
import { KmipError } from '../model/result.ts'
import { tagNumber } from '../model/tags.ts'
import {
  changeRequest,
  correlationLength,
  forgetJob,
  jobOf,
  messageOf,
  requestOf,
  submitJob,
  unfinishedJobs,
  type AsynchronousLimits,
  type Job,
} from './asynchronous-records.ts'
import { runBatch, type Batch, type Engine } from './batch.ts'
import { echoOf, itemsOf, type Item } from './items.ts'

/** Operations whose answer is never asynchronous, since they are about asynchronous requests. */
const neverLater: ReadonlySet<unknown> = new Set([
  'Poll',
  'Cancel',
  'Process',
  'QueryAsynchronousRequests',
])

/** A message to be done later, and what its header said. */
export interface Submission {
  message: RequestMessageValue
  items: readonly Item[]
  version: number
  /** Whether fields nobody knows are passed over. */
  lenient: boolean
  /** Bytes that the items of the answer may have in all. */
  room: number | undefined
}

type RequestMessageValue = Parameters<typeof itemsOf>[0]

/** What has begun: its principal, its batch, and the message to wipe. */
interface Begun {
  job: Job
  run: string
  secret: Secret
  principal: Principal | undefined
  canceled: ReadonlySet<string>
  /** A stop of the server came between two acts of the job: what is left of it is not done any more. */
  cut: boolean
}

/** The jobs of this process. */
export class AsynchronousRequests {
  readonly #engine: Engine
  readonly #decoding: Limits
  readonly #limits: AsynchronousLimits
  readonly #chains = new Map<string, Promise<void>>()
  #closing = false

  constructor(engine: Engine, decoding: Limits, limits: AsynchronousLimits) {
    this.#engine = engine
    this.#decoding = decoding
    this.#limits = limits
  }

  /**
   * Takes a message that is to be done later and answers its items as pending; undefined when it is to
   * be done at once. An item that must be done later and cannot be is given a fault.
   */
  async submitted(
    principal: Principal,
    submission: Submission,
  ): Promise<ResponseBatchItem[] | undefined> {
    const { message, items } = submission
    const indicator = message.RequestHeader.AsynchronousIndicator
    const must =
      indicator === 'Mandatory' && items.some(({ operation }) => !neverLater.has(operation))
    if (!must && !(indicator === 'Optional' && isBestLater(items))) return undefined
    const allowedTo = allowed(principal, 'Poll')
    const answers = allowedTo === true ? await this.#submit(principal, submission) : undefined
    if (answers !== undefined || !must) return answers
    for (const item of items)
      item.fault ??=
        allowedTo === true
          ? new KmipError('ServerLimitExceeded', 'this client has too much waiting', {
              before20: 'GeneralFailure',
            })
          : new KmipError('FeatureNotSupported', allowedTo)
    return undefined
  }

  /** Undefined when the client has too much waiting. */
  async #submit(
    principal: Principal,
    { message, items, version, lenient, room }: Submission,
  ): Promise<ResponseBatchItem[] | undefined> {
    const pending = items.map((item): ResponseBatchItem => ({
      ...echoOf(item, version),
      ResultStatus: 'OperationPending',
      AsynchronousCorrelationValue: new Uint8Array(correlationLength),
      MessageExtension: [],
    }))
    if (room !== undefined && sizeOf(pending, version) > room)
      throw new KmipError('ResponseTooLarge', 'the answer exceeds the Maximum Response Size')
    const RequestHeader = { ...message.RequestHeader }
    // Who it is for is known; the password is not to be kept.
    delete RequestHeader.Authentication
    const bytes = encode(
      RequestMessage,
      tagNumber('RequestMessage'),
      { RequestHeader, BatchItem: message.BatchItem },
      { version },
    )
    const operations = items.map(({ operation }) => operation ?? 0)
    const about = { version, lenient }
    try {
      const kept = await this.#engine.store.act((work) =>
        submitJob(work, principal, bytes, operations, about, this.#limits),
      )
      if (kept === undefined) return undefined
      this.#plan(principal.owner, kept.job)
      for (const [at, answer] of pending.entries())
        answer.AsynchronousCorrelationValue = Buffer.from(kept.items[at]!, 'hex')
      return pending
    } finally {
      bytes.fill(0)
    }
  }

  /** Takes up what another process, or this one in trouble, has left undone for that many seconds. */
  async resume(forSeconds: number): Promise<void> {
    const { store, jobs } = this.#engine
    const left = await store.read(async (work) => {
      const since = Number(work.now) - forSeconds
      return (await unfinishedJobs(work)).filter(({ job }) => job.submitted <= since)
    })
    for (const { name, job } of left) if (!jobs.has(name)) this.#plan(job.client.owner, name)
  }

  /** Starts nothing more and waits for what runs; the rest waits for the next start. */
  async close(): Promise<void> {
    this.#closing = true
    await Promise.all(this.#chains.values())
  }

  #plan(owner: string, job: string): void {
    const before = this.#chains.get(owner) ?? Promise.resolve()
    const settled = before.then(async () => {
      try {
        if (!this.#closing) await this.#run(job)
      } catch (error) {
        this.#engine.log.error({ err: error, job }, 'an asynchronous request could not be run')
      } finally {
        this.#engine.jobs.settle(job)
      }
    })
    const chain = settled.then(() => {
      if (this.#chains.get(owner) === chain) this.#chains.delete(owner)
    })
    this.#chains.set(owner, chain)
    this.#engine.jobs.begin(job)
  }

  async #run(name: string): Promise<void> {
    const { store, log } = this.#engine
    const begun = await store.act((work) => this.#begin(work, name))
    if (begun === undefined) return
    const { job, secret, principal, canceled, cut } = begun
    try {
      const { version } = job
      const decoding = {
        version,
        limits: this.#decoding,
        unknown: job.lenient ? ('ignore' as const) : ('refuse' as const),
      }
      const message = decode(RequestMessage, tagNumber('RequestMessage'), secret.bytes, decoding)
      const { items } = itemsOf(message, decoding)
      for (const [at, item] of items.entries()) refuseSome(item, canceled.has(job.items[at]!))
      const outcome =
        principal === undefined || cut
          ? { answers: [], secrets: [] }
          : await runBatch(this.#engine, {
              ...this.#batchOf(message.RequestHeader, principal, decoding),
              items,
              keep: (work, answers) => keep(work, begun, answers),
            })
      const refusal = new KmipError(
        principal === undefined ? 'PermissionDenied' : 'GeneralFailure',
        principal === undefined ? 'the client is not served any more' : whyUnanswered(cut),
      )
      try {
        await store.act(async (work) => {
          await keep(work, begun, outcome.answers)
          // A Poll for what is not run at all must not be pending for ever.
          await keep(
            work,
            begun,
            items.map((item) => failed(item, version, refusal)),
          )
          await forgetJob(work, name)
        })
      } finally {
        for (const one of outcome.secrets) one.wipe()
      }
      log.info({ client: job.client.name, items: items.length }, 'asynchronous request done')
    } finally {
      secret.wipe()
    }
  }

  /** Marks what is about to run, unless it was canceled; says who it is for as of now. */
  async #begin(work: Work, name: string): Promise<Begun | undefined> {
    const job = await jobOf(work, name)
    if (job === undefined) return undefined
    const run = randomUuid()
    const canceled = new Set<string>()
    let cut = false
    for (const item of job.items) {
      const request = await requestOf(work, item)
      if (request?.record.canceled === true) canceled.add(item)
      else if (request?.record.stage === 'Completed') cut = true
      else if (request !== undefined)
        await changeRequest(work, request, { stage: 'InProcess', run })
    }
    const identified = await identifyAgain(work, job.client.fingerprint, work.now)
    const { owner, ownOnly, rights } = job.client
    const narrowed = { owner, ownOnly, ...(rights && { rights }) }
    const principal = identified.ok ? { ...identified.principal, ...narrowed } : undefined
    return { job, run, secret: await messageOf(work, name), principal, canceled, cut }
  }

  #batchOf(
    { BatchErrorContinuationOption: option }: RequestHeader,
    principal: Principal,
    decoding: Batch['decoding'],
  ): Omit<Batch, 'items'> {
    return {
      version: decoding.version,
      principal,
      continuation: typeof option === 'number' ? 'Stop' : (option ?? 'Stop'),
      unauthenticated: undefined,
      room: undefined,
      decoding,
      correlation: randomUuid(),
    }
  }
}

/** A client that can wait is let wait for a Locate: it may have to look at many objects. */
function isBestLater(items: readonly Item[]): boolean {
  return items.length === 1 && items[0]?.fault === undefined && items[0]?.operation === 'Locate'
}

function sizeOf(answers: readonly ResponseBatchItem[], version: number): number {
  const sizes = answers.map(
    (answer) => encode(ResponseBatchItem, tagNumber('BatchItem'), answer, { version }).length,
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

function refuseSome(item: Item, canceled: boolean): void {
  if (canceled) item.fault ??= new KmipError('OperationCanceledByRequester', 'it was canceled')
  if (neverLater.has(item.operation))
    item.fault ??= new KmipError(
      'FeatureNotSupported',
      `${item.operation} is never asynchronous: send it in a message of its own`,
    )
}

function whyUnanswered(cut: boolean): string {
  return cut
    ? 'not done: the server was stopped while its batch was under way'
    : 'not done: an item before it in its batch failed'
}

function failed(item: Item, version: number, error: KmipError): ResponseBatchItem {
  return {
    ...echoOf(item, version),
    ResultStatus: 'OperationFailed',
    ResultReason: error.reasonFor(version),
    ResultMessage: error.message,
    MessageExtension: [],
  }
}

/**
 * Keeps answers where there is none yet. Acts call it before they end, so that what they did and its answer
 * are durable together, and may call it again with the same.
 */
async function keep(
  work: Work,
  { job, run, cut }: Begun,
  answers: readonly ResponseBatchItem[],
): Promise<void> {
  const { version } = job
  for (const [at, answer] of answers.entries()) {
    const request = await requestOf(work, job.items[at]!)
    if (request === undefined || request.record.canceled === true) continue
    const { record } = request
    if (record.stage === 'Completed' && (record.run === run || cut)) continue
    if (record.run !== run) throw new Error('another server runs this asynchronous request')
    const succeeded = answer.ResultStatus === 'Success'
    const bytes = encode(ResponseBatchItem, tagNumber('BatchItem'), answer, { version })
    await changeRequest(work, request, { stage: 'Completed', succeeded }, { answer: bytes })
    bytes.fill(0)
  }
}
