/**
 * Asynchronous requests as the store keeps them (KMIP 2.1 §9.1, §9.2): a _job_ is one message with its
 * items, sealed until it has been done; each item has a record of its own, named by its correlation
 * value, which holds the sealed answer once there is one. All of it is forgotten after a while.
 */
import { z } from 'zod'
import { randomBytes } from '../../crypto/primitives/random.ts'
import type { Principal } from '../../access/identity.ts'
import type { Transient, Work } from '../../keystore/work.ts'

const jobKind = 'asynchronous-job'
const requestKind = 'asynchronous-request'

const operationShape = z.union([z.string(), z.number()])

const jobShape = z.strictObject({
  /** Of the message. */
  version: z.number(),
  /** Seconds since 1970. */
  submitted: z.number(),
  /** Whether fields nobody knows are passed over in it. */
  lenient: z.boolean(),
  /** Correlation values of the items, in order. */
  items: z.array(z.string()),
  client: z.strictObject({
    name: z.string(),
    fingerprint: z.string(),
    owner: z.string(),
    ownOnly: z.boolean(),
    rights: z.array(z.string()).optional(),
  }),
})

const requestShape = z.strictObject({
  job: z.string(),
  /** Of the message. */
  version: z.number(),
  operation: operationShape,
  /** Seconds since 1970. */
  submitted: z.number(),
  /** The words of Processing Stage (§11.40). */
  stage: z.enum(['Submitted', 'InProcess', 'Completed']),
  succeeded: z.boolean().optional(),
  /** Which run of the job is at work: two servers never both keep an answer. */
  run: z.string().optional(),
  canceled: z.literal(true).optional(),
  /** The client has asked for it not to be pending any more (Process). */
  hurried: z.literal(true).optional(),
  /** The client has had the answer. */
  obtained: z.literal(true).optional(),
})

/** What a job is. */
export type Job = z.infer<typeof jobShape>
/** How far one item of a job has come. */
export type RequestRecord = z.infer<typeof requestShape>

/** Bounds of what one client may have waiting. */
export interface AsynchronousLimits {
  /** Most items, answered or not. */
  requests: number
  /** Most bytes of requests, and of answers. */
  bytes: number
  /** Seconds until a request and its answer are forgotten. */
  keptFor: number
}

/** Most jobs that are taken up again after a start. */
const jobsTakenUp = 10_000

/** Keeps a message; answers its job and the correlation values of its items, or undefined when there is no room. */
export async function submitJob(
  work: Work,
  principal: Principal,
  message: Uint8Array,
  operations: readonly (string | number)[],
  about: Pick<Job, 'version' | 'lenient'>,
  limits: AsynchronousLimits,
): Promise<{ job: string; items: string[] } | undefined> {
  const { name, fingerprint, owner, ownOnly, rights } = principal
  const requests = await work.transientsHeld(requestKind, owner)
  const jobs = await work.transientsHeld(jobKind, owner)
  if (requests.count + operations.length > limits.requests) return undefined
  if (requests.bytes + jobs.bytes + message.length > limits.bytes) return undefined
  const expires = work.now + BigInt(limits.keptFor)
  const job = newName()
  const items = operations.map(newName)
  const client = { name, fingerprint, owner, ownOnly, ...(rights && { rights: [...rights] }) }
  const submitted = Number(work.now)
  const body = { ...about, submitted, items, client } satisfies Job
  await work.putTransient({ kind: jobKind, name: job, owner, expires, body }, message)
  for (const [at, operation] of operations.entries()) {
    const { version } = about
    const record = { job, version, operation, submitted, stage: 'Submitted' } as const
    await work.putTransient({ kind: requestKind, name: items[at]!, owner, expires, body: record })
  }
  return { job, items }
}

/** Bytes of a correlation value: more than anybody can guess. */
export const correlationLength = 16

function newName(): string {
  return Buffer.from(randomBytes(correlationLength)).toString('hex')
}

/** The jobs that have not been done, oldest first. */
export async function unfinishedJobs(work: Work): Promise<{ name: string; job: Job }[]> {
  const found = await work.transients(jobKind, undefined, jobsTakenUp)
  return found.map(({ name, body }) => ({ name, job: jobShape.parse(body) }))
}

/** A job, unless it is done or forgotten. */
export async function jobOf(work: Work, name: string): Promise<Job | undefined> {
  const found = await work.transient(jobKind, name)
  return found && jobShape.parse(found.body)
}

/** The message of a job, unsealed; the caller wipes it. */
export function messageOf(work: Work, job: string) {
  return work.transientSecret(jobKind, job)
}

/** A job is done: its message is forgotten. */
export async function forgetJob(work: Work, name: string): Promise<void> {
  await work.deleteTransient(jobKind, name)
}

/** A record with what the store says of it. */
export interface KeptRequest {
  name: string
  kept: Transient
  record: RequestRecord
}

/** The record of a correlation value, unless it is forgotten. */
export async function requestOf(work: Work, name: string): Promise<KeptRequest | undefined> {
  const kept = await work.transient(requestKind, name)
  return kept && { name, kept, record: requestShape.parse(kept.body) }
}

/** What an owner has, oldest first. */
export async function requestsOf(work: Work, owner: string, limit: number): Promise<KeptRequest[]> {
  const found = await work.transients(requestKind, owner, limit)
  return found.map((kept) => ({ name: kept.name, kept, record: requestShape.parse(kept.body) }))
}

/** Changes a record; `answer` is what is sealed with it from now on. */
export async function changeRequest(
  work: Work,
  { kept, record }: KeptRequest,
  changes: Partial<RequestRecord>,
  { answer, expires = kept.expires }: { answer?: Uint8Array; expires?: bigint } = {},
): Promise<void> {
  const { kind, name, owner } = kept
  const body = { ...record, ...changes }
  await work.putTransient({ kind, name, owner, expires, body }, answer)
}

/** The answer of a request, unsealed; the caller wipes it. */
export function answerOf(work: Work, { name }: KeptRequest) {
  return work.transientSecret(requestKind, name)
}
