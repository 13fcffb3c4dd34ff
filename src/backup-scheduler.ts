// Makes the backups that are due, one at a time, verifies each, and deletes those that were kept for long enough.
// Whatever goes wrong is an alarm, on record, and tried again; what is kept of a turn says where it stood.
import { open, readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { bodyOf, putBody } from './access/documents.ts'
import {
  deletable,
  isDue,
  isUnfinished,
  keepRun,
  schedules,
  type Schedule,
} from './admin/backup-schedules.ts'
import { backups } from './admin/backup-state.ts'
import { isSameDisk, targetWarnings } from './admin/backup-target.ts'
import { UserError } from './errors.ts'
import { unwritten } from './exchange/unwritten.ts'
import { keepBackup, type WrittenBackup } from './exchange/backup-create.ts'
import type { RunningBackup } from './exchange/backup-thread.ts'
import { noteVerified } from './exchange/backup-verify.ts'
import { FileDigest } from './exchange/file-digest.ts'
import { toHex } from './crypto/primitives/hash.ts'
import { isRunningNode, nodesOf } from './keystore/nodes.ts'
import type { Store } from './keystore/store.ts'
import type { AuditActor } from './keystore/work.ts'

/** What the scheduler stands on. */
export interface SchedulerOptions {
  readonly store: Store
  /** The data directory. */
  readonly directory: string
  /** Begins one backup; `written` is told of the file before it is verified. */
  backUp(out: string, written: (backup: WrittenBackup) => void): RunningBackup
  readonly log: {
    info(fields: object, text: string): void
    warn(fields: object, text: string): void
    error(fields: object, text: string): void
  }
}

const actor: AuditActor = { name: 'keyreel', kind: 'server' }
const digested = 1024 * 1024

/** The backups of one store. */
export class BackupScheduler {
  readonly #options: SchedulerOptions
  /** Files that are not what was written there: told once. */
  readonly #foreign = new Set<string>()
  #current: RunningBackup | undefined
  #isStopped = false

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  /** Makes what is due. For the one node that leads. */
  async turn(): Promise<void> {
    const { store } = this.#options
    const { all, nodes, now } = await store.read(async (work) => ({
      all: await schedules(work),
      nodes: await nodesOf(work),
      now: work.now,
    }))
    for (const schedule of all) {
      const { run } = schedule
      const other = nodes.find(({ node }) => node === run?.node && node !== store.node)
      const isUnderWay =
        isUnfinished(run) &&
        other !== undefined &&
        isRunningNode(other, Date.now()) &&
        other.started <= run!.started * 1000
      if (this.#isStopped) return
      if (isDue(schedule, now) && !isUnderWay) await this.#run(schedule)
    }
  }

  /** Deletes files that were kept for long enough; each node those that it sees. */
  async prune(): Promise<void> {
    const { store } = this.#options
    const { all, made, now } = await store.read(async (work) => ({
      all: await schedules(work),
      made: await backups(work),
      now: work.now,
    }))
    for (const schedule of all) {
      const { name, body } = schedule
      if ((await this.#faultOfPlace(schedule)) !== undefined) continue
      const own = made.filter((one) => one.body.schedule === name)
      const kept = await Promise.all(
        own.map(async (one) => ({ ...one, isThere: await isThere(one.body.file) })),
      )
      for (const { id, body: backup, isThere: isFile } of deletable(body, kept, now)) {
        if (this.#isStopped) return
        // What another node has written may be out of sight here.
        if (!isFile && backup.node !== store.node) continue
        if (isFile && !(await this.#mayDelete(backup.file, backup.digest))) continue
        await rm(backup.file, { force: true })
        await this.#noteRemoved(id, isFile)
      }
    }
  }

  /** Gives up what is under way: it is made again soon after the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#current?.stop()
  }

  async #run(schedule: Schedule): Promise<void> {
    const { store, directory, log } = this.#options
    const { name, body, run: before } = schedule
    if (isUnfinished(before)) await removeLeft(before!.file)
    const started = Number(await store.read((work) => Promise.resolve(work.now)))
    const stamp = new Date(started * 1000).toISOString().slice(0, 19).replaceAll(':', '')
    const file = join(body.directory, `keyreel-${name}-${stamp}Z.backup`)
    const failures = before?.failures ?? 0
    const run = { started, ...(store.node !== undefined && { node: store.node }), file, failures }
    await store.act((work) => keepRun(work, name, run))
    log.info({ schedule: name, file }, 'a backup is being made')
    try {
      const fault = await this.#faultOfPlace(schedule)
      if (fault !== undefined) throw fault
      const problems = await this.#backUp(file, name)
      const [first] = problems
      if (first !== undefined) throw notWhole(file, problems.length, first.message)
    } catch (error) {
      if (this.#isStopped) return removeLeft(file)
      return this.#fail(name, run, error)
    }
    await store.act(async (work) => {
      await keepRun(work, name, { ...run, finished: Number(work.now), failures: 0 })
    })
    log.info({ schedule: name, file }, 'a backup was made and verified')
    for (const warning of await targetWarnings(file, directory))
      log.warn({ schedule: name }, `backup: ${warning}`)
    await this.prune()
  }

  async #backUp(file: string, schedule: string) {
    const { store } = this.#options
    const node = store.node === undefined ? {} : { node: store.node }
    let noted: Promise<string> | undefined
    this.#current = this.#options.backUp(file, ({ report, facts }) => {
      const kept = { ...facts, schedule, ...node }
      noted = store
        .act((work) => keepBackup(work, report.id, kept, actor, 'backup create'))
        .then(() => report.id)
      // It is waited for below, whatever becomes of the rest.
      noted.catch(() => undefined)
    })
    try {
      const problems = await this.#current.done
      const id = await noted
      if (problems.length === 0 && id !== undefined) await noteVerified(store, id, actor)
      return problems
    } finally {
      this.#current = undefined
      await noted
    }
  }

  async #fail(
    name: string,
    run: { started: number; file: string; failures: number },
    error: unknown,
  ): Promise<void> {
    const { store, log } = this.#options
    const { message: failed } = unwritten(run.file, error) as Error
    await removeLeft(run.file)
    await store.act(async (work) => {
      await keepRun(work, name, { ...run, failed, failures: run.failures + 1 })
      const details = { schedule: name, file: run.file, failed }
      const record = { actor, operation: 'backup schedule run', details }
      work.audit({ ...record, outcome: 'GeneralFailure' })
    })
    const fields = { alarm: true, schedule: name, failures: run.failures + 1, err: error }
    log.error(fields, `the scheduled backup failed: ${failed}`)
  }

  /** Why nothing can be written there; the directory below an absent mount is not meant. */
  async #faultOfPlace({ body }: Schedule): Promise<UserError | undefined> {
    const { directory, elsewhere } = body
    const found = await stat(directory).catch(() => undefined)
    if (found?.isDirectory() !== true) {
      return new UserError(
        'no-target',
        `there is no directory ${directory}`,
        'make it, or mount what it lies on',
      )
    }
    if (elsewhere && (await isSameDisk(directory, this.#options.directory))) {
      return new UserError(
        'not-mounted',
        `${directory} is on the disk of the keystore, where it was not before`,
        'mount what it lies on, or set the schedule anew if that is meant',
      )
    }
    return undefined
  }

  /** Only what was written there: another file of the name is left alone. */
  async #mayDelete(file: string, digest: string): Promise<boolean> {
    if ((await digestOf(file)) === digest) return true
    if (!this.#foreign.has(file)) {
      this.#foreign.add(file)
      this.#options.log.warn({ file }, 'not the backup that was written there: it is left alone')
    }
    return false
  }

  async #noteRemoved(id: string, wasThere: boolean): Promise<void> {
    await this.#options.store.act(async (work) => {
      const body = await bodyOf(work, 'backup', id)
      if (body === undefined || body.removed !== undefined) return
      await putBody(work, 'backup', id, { ...body, removed: Number(work.now) })
      const { file, schedule = '' } = body
      const details = { file, schedule, found: wasThere }
      work.audit({ actor, operation: 'backup remove', object: id, outcome: 'Success', details })
    })
  }
}

/** What a turn has left beside its file that was cut off at its very end. */
async function removeLeft(file: string): Promise<void> {
  const directory = dirname(file)
  const before = `.${basename(file)}.`
  const names = await readdir(directory).catch(() => [])
  for (const name of names)
    if (name.startsWith(before) && /^[0-9a-f]{8}\.(tmp|parts)$/.test(name.slice(before.length)))
      await rm(join(directory, name), { force: true })
}

async function isThere(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  return found?.isFile() === true
}

async function digestOf(file: string): Promise<string> {
  const digest = new FileDigest()
  const handle = await open(file, 'r')
  try {
    const buffer = Buffer.alloc(digested)
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, digested)
      if (bytesRead === 0) return toHex(digest.value())
      digest.update(buffer.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}

function notWhole(file: string, count: number, first: string): UserError {
  return new UserError(
    'backup-damaged',
    `${file} was written, but is not whole: ${count} problem${count === 1 ? '' : 's'}, the first: ${first}`,
    'keyreel backup verify FILE  lists all of them; look for damage with  keyreel audit verify',
  )
}
