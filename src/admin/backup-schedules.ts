// Schedules of backups that the server makes by itself: what they say, when each is due, and which of its files
// have been kept for long enough. Nothing here touches a file.
import { z } from 'zod'
import { administrator, allOf, bodyOf, putBody } from '../access/documents.ts'
import type { Body, Documents } from '../access/documents.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import type { JsonValue, Work } from '../keystore/work.ts'

const seconds = z.number().int()

const run = z.strictObject({
  started: seconds,
  node: z.string().optional(),
  file: z.string(),
  finished: seconds.optional(),
  /** Why there is no backup, or none that can be relied on. */
  failed: z.string().optional(),
  /** Turns that failed, one after the other. */
  failures: z.number().int(),
})

/** What became of a schedule's newest turn: a transient, so that it is in no backup. Times are seconds since 1970. */
export type ScheduleRun = z.output<typeof run>

/** A schedule with its newest turn. */
export interface Schedule {
  readonly name: string
  readonly body: Body<'backup-schedule'>
  readonly run: ScheduleRun | undefined
}

const runKind = 'backup-run'
const owner = 'keyreel'
/** Long beyond any pause between two turns. */
const keptFor = 10n * 365n * 86_400n

/** A backup of a schedule, as far as keeping it goes. */
export interface Kept {
  readonly id: string
  readonly body: Body<'backup'>
  /** Whether its file is where it was written. */
  readonly isThere: boolean
}

const minute = 60n
const hour = 3600n
const day = 86_400n

/** Shortest time between two backups, seconds. */
const shortest = 15n * minute

/** A turn that failed is tried again after so many seconds, then after twice as many, up to `slowest`. */
const firstRetry = 10n * minute
const slowestRetry = 6n * hour

/** Every schedule, by name. */
export async function schedules(work: Documents & Pick<Work, 'transient'>): Promise<Schedule[]> {
  const all = await allOf(work, 'backup-schedule')
  const found: Schedule[] = []
  for (const { name, body } of all) found.push({ name, body, run: await runOf(work, name) })
  return found
}

/** One of them. Throws UserError 'no-such-schedule'. */
export async function scheduleNamed(
  work: Documents & Pick<Work, 'transient'>,
  name: string,
): Promise<Schedule> {
  const found = (await schedules(work)).find((one) => one.name === name)
  if (found === undefined) throw noSuchSchedule(name)
  return found
}

/** Keeps what became of a schedule's newest turn. */
export function keepRun(work: Work, name: string, body: ScheduleRun): Promise<void> {
  const expires = work.now + keptFor
  return work.putTransient({
    ...{ kind: runKind, name, owner, expires },
    body: body as unknown as JsonValue,
  })
}

async function runOf(
  work: Pick<Work, 'transient'>,
  name: string,
): Promise<ScheduleRun | undefined> {
  const kept = await work.transient(runKind, name)
  return kept && run.parse(kept.body)
}

/** Adds a schedule, or replaces the one of that name. @throws UserError 'schedule' */
export async function setSchedule(
  store: Pick<Store, 'act'>,
  name: string,
  wish: Omit<Body<'backup-schedule'>, 'added'>,
): Promise<Schedule> {
  refuseUnfit(name, wish)
  return store.act(async (work) => {
    const before = await bodyOf(work, 'backup-schedule', name)
    const body = { ...wish, added: before?.added ?? Number(work.now) }
    await putBody(work, 'backup-schedule', name, body)
    const details = { schedule: name, ...wish }
    const record = { actor: administrator, operation: 'backup schedule set', details }
    work.audit({ ...record, outcome: 'Success' })
    return { name, body, run: await runOf(work, name) }
  })
}

/** Takes a schedule away; its files stay. @throws UserError 'no-such-schedule' */
export async function removeSchedule(store: Pick<Store, 'act'>, name: string): Promise<void> {
  await store.act(async (work) => {
    if ((await bodyOf(work, 'backup-schedule', name)) === undefined) throw noSuchSchedule(name)
    await work.deleteDocument('backup-schedule', name)
    await work.deleteTransient(runKind, name)
    const record = { actor: administrator, operation: 'backup schedule remove' }
    work.audit({ ...record, outcome: 'Success', details: { schedule: name } })
  })
}

/**
 * When the next backup is due, seconds since 1970: at once for a new schedule, soon after a turn that failed,
 * else when its time has come. A time that has passed, because no server ran, is made up for once.
 */
export function nextDue({ body, run }: Schedule): bigint {
  if (run === undefined) return BigInt(body.added)
  const started = BigInt(run.started)
  const planned = plannedAfter(body, started)
  if (run.finished !== undefined && run.failed === undefined) return planned
  const again = started + retryAfter(run.failures)
  return again < planned ? again : planned
}

/** Whether it is time; also when the newest turn lies in the future of a clock that was set back. */
export function isDue(schedule: Schedule, now: bigint): boolean {
  const { run } = schedule
  return now >= nextDue(schedule) || (run !== undefined && BigInt(run.started) > now)
}

/** Whether a turn was begun and neither ended nor failed: it is under way, or its process is gone. */
export function isUnfinished(run: ScheduleRun | undefined): boolean {
  return run !== undefined && run.finished === undefined && run.failed === undefined
}

/** Whether the time for a backup has long passed, and none was made: no server runs, or not for long enough. */
export function isMissed(schedule: Schedule, now: bigint): boolean {
  const every = BigInt(schedule.body.every)
  return now - nextDue(schedule) > (every < day ? every : day)
}

/**
 * Which backups of a schedule may be deleted: those that have `keep` newer ones which were verified and are there,
 * and are older than `keepDays`. So the newest verified one never is.
 */
export function deletable(
  { keep, keepDays }: Pick<Body<'backup-schedule'>, 'keep' | 'keepDays'>,
  all: readonly Kept[],
  now: bigint,
): Kept[] {
  const newestFirst = all
    .filter(({ body }) => body.removed === undefined)
    .toSorted((a, b) => b.body.created - a.body.created || b.body.newest - a.body.newest)
  const youngest = keepDays === undefined ? now : now - BigInt(keepDays) * day
  let verified = 0
  return newestFirst.filter(({ body, isThere }) => {
    const mayGo = verified >= Math.max(keep, 1) && BigInt(body.created) < youngest
    if (isThere && body.verified !== undefined) verified++
    return mayGo
  })
}

/** The error for a name that no schedule has. */
export function noSuchSchedule(name: string): UserError {
  return new UserError(
    'no-such-schedule',
    `there is no backup schedule named ${JSON.stringify(name)}`,
    'list those that there are:  keyreel backup list',
  )
}

/** The next moment of the grid after `after`; without an hour, so long after it. */
function plannedAfter({ every, at, added }: Body<'backup-schedule'>, after: bigint): bigint {
  const step = BigInt(every)
  if (at === undefined) return after + step
  const added0 = BigInt(added)
  const grid = added0 - (added0 % day) + BigInt(at)
  const steps = (after - grid) / step
  let next = grid + steps * step
  while (next <= after) next += step
  return next
}

function retryAfter(failures: number): bigint {
  let after = firstRetry
  for (let failure = 1; failure < failures && after < slowestRetry; failure++) after *= 2n
  return after < slowestRetry ? after : slowestRetry
}

function refuseUnfit(name: string, wish: Omit<Body<'backup-schedule'>, 'added'>): void {
  const { every, at, keep, keepDays } = wish
  const refuse = (message: string, hint: string) => new UserError('schedule', message, hint)
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name))
    throw refuse(
      `${JSON.stringify(name)} is no name for a schedule`,
      'use up to 32 lower-case letters, digits and dashes: it becomes part of file names',
    )
  if (BigInt(every) < shortest)
    throw refuse('a schedule comes back every 15 minutes at most', 'give --every 1h, or 1d')
  if (at !== undefined && BigInt(every) % day !== 0n)
    throw refuse('an hour goes with whole days only', 'give --every 1d, or leave --at out')
  if (keep < 1 || (keepDays !== undefined && keepDays < 1))
    throw refuse('at least one backup is kept', 'give --keep a number from 1')
}
