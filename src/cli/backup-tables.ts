// How commands show backups and their schedules.
import { isUnfinished, nextDue, type Schedule } from '../admin/backup-schedules.ts'
import type { Body } from '../access/documents.ts'
import { isoMoment, moment, table, type Style } from './output.ts'

/** A backup as it is kept. */
interface Listed {
  readonly id: string
  readonly body: Body<'backup'>
}

/** A backup. */
export function backupJson({ id, body }: Listed) {
  const { created, file, bytes, recovery, digest, objects, verified, schedule } = body
  return {
    id,
    created: isoMoment(BigInt(created)),
    file,
    bytes: bytes ?? null,
    recovery,
    digest,
    objects,
    verified: verified === undefined ? null : isoMoment(BigInt(verified)),
    schedule: schedule ?? null,
  }
}

/** All of them for people. */
export function backupsTable(all: readonly Listed[], style: Style, empty: string): string {
  const columns = {
    MADE: ({ body }: Listed) => moment(BigInt(body.created)),
    OBJECTS: ({ body }: Listed) => body.objects,
    SIZE: ({ body }: Listed) => sizeText(body),
    VERIFIED: ({ body }: Listed) =>
      body.verified === undefined ? 'never' : moment(BigInt(body.verified)),
    'OPENED BY': ({ body }: Listed) => body.recovery,
    SCHEDULE: ({ body }: Listed) => body.schedule,
    FILE: ({ body }: Listed) => body.file,
  }
  return table(columns, all, style, empty)
}

/** A schedule with its newest turn. */
export function scheduleJson(schedule: Schedule) {
  const { name, body, run } = schedule
  const { directory, every, at, keep, keepDays } = body
  return {
    name,
    directory,
    every,
    at: at === undefined ? null : clock(at),
    keep,
    keepDays: keepDays ?? null,
    last: run === undefined ? null : isoMoment(BigInt(run.started)),
    next: isoMoment(nextDue(schedule)),
    running: isUnfinished(run),
    failed: run?.failed ?? null,
  }
}

/** All of them for people. */
export function schedulesTable(all: readonly Schedule[], style: Style, empty: string): string {
  const columns = {
    SCHEDULE: ({ name }: Schedule) => name,
    EVERY: everyText,
    KEPT: keptText,
    LAST: ({ run }: Schedule) => (run === undefined ? 'never' : moment(BigInt(run.started))),
    NEXT: (schedule: Schedule) => moment(nextDue(schedule)),
    STATE: stateText,
    TO: ({ body }: Schedule) => body.directory,
  }
  return table(columns, all, style, empty)
}

/** `1d at 02:00`. */
export function everyText({ body: { every, at } }: Schedule): string {
  const [size, unit] = units.find(([seconds]) => every % seconds === 0)!
  return `${every / size}${unit}${at === undefined ? '' : ` at ${clock(at)}`}`
}

/** `7, and 30 days`. */
export function keptText({ body: { keep, keepDays } }: Schedule): string {
  return keepDays === undefined ? `${keep}` : `${keep}, and ${keepDays} days`
}

function sizeText({ bytes }: Body<'backup'>): string | undefined {
  if (bytes === undefined) return undefined
  const unit = sizes.findLast(([size]) => bytes >= size) ?? sizes[0]
  return unit[0] === 1 ? `${bytes} B` : `${(bytes / unit[0]).toFixed(1)} ${unit[1]}`
}

const units = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
] as const

const sizes = [
  [1, 'B'],
  [2 ** 10, 'KiB'],
  [2 ** 20, 'MiB'],
  [2 ** 30, 'GiB'],
] as const

function stateText({ run }: Schedule): string {
  if (run === undefined) return 'waits for the server'
  if (run.failed !== undefined) return `failed: ${run.failed}`
  return isUnfinished(run) ? 'under way, or cut off' : 'verified'
}

function clock(seconds: number): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor((seconds % 3600) / 60))}`
}
