// Joins group commit, sealing, replay checks and audit into `act` and `read`.
import { ActTrace, demandRecord, forget, lastOfEach } from './acts.ts'
import { appendAudit } from './audit.ts'
import type { RoomKeeper } from './disk-reserve.ts'
import { UserError } from '../errors.ts'
import { GroupCommit, type GroupHost } from './group-commit.ts'
import type { HeldDocuments } from './held-document.ts'
import { LogPayer, oweLog } from './log-debt.ts'
import { RecognisedObjects } from './recognised-objects.ts'
import { HighestRevisions } from './replay.ts'
import { retiredMasterKey } from './epochs.ts'
import { EpochNotOpen, type Sealing } from './sealing.ts'
import { after, either, type Soon } from './soon.ts'
import type { Storage, StorageReader, StorageWriter } from './storage.ts'
import { StandbyWatch } from './standby-watch.ts'
import { TransientWork } from './transient-work.ts'
import { SnapshotBehind, type WorkGround } from './work-ground.ts'
import type { AuditRecord, ChangeObserver, Work } from './work.ts'

/** Seals are charged to their epoch this many at a time, or a sixteenth of what it allows. */
const sealsCharged = 4096

/** What acts run on. */
export interface ActsGround {
  readonly storage: Storage
  readonly sealing: Sealing
  /** This writer's audit chain. */
  readonly chain: string
  /** Seconds. */
  readonly now: () => bigint
  readonly sealsPerEpoch: number
  /** Milliseconds after which a group takes no further act; 20 by default. */
  readonly groupTime?: number | undefined
  /** Told of the objects that each act has written. */
  readonly changed?: ChangeObserver | undefined
  /** Told once half of an epoch's seals are used: it is time for the next. */
  readonly epochWorn: () => void
  /** Who keeps room for when the disk is full; nobody by default. */
  readonly room?: RoomKeeper | undefined
  /** Milliseconds for which a standby may be away before acts are refused. */
  readonly standbyGrace?: number | undefined
  /** Told of trouble that concerns no single act. */
  readonly report: (error: unknown) => void
}

/** The acting part of a store. */
export interface Acts {
  act<T>(fn: (work: Work) => Soon<T>): Promise<T>
  read<T>(fn: (work: Work) => Soon<T>): Promise<T>
  /** Reads rows, opening epochs that another process has made since. */
  inSnapshot<T>(fn: (rows: StorageReader) => Promise<T>): Promise<T>
  /** The same for what reads by itself; it may run more than once. */
  learning<T>(run: () => Promise<T>): Promise<T>
  /** Opens an epoch made since the start, or remembers that there is none. */
  learnEpoch(missing: EpochNotOpen): Promise<void>
  /** Who goes on with another master key once something is under an epoch that the one in use does not open. */
  onRetired(follow: () => Promise<void>): void
  /** Looks whether commits are answered; while they are not, acts are refused at once, and this says why. */
  watchStandby(): Promise<UserError | undefined>
  /** Answers what is queued and takes nothing more. */
  close(): Promise<void>
}

/** Acts and reads over that storage. */
export function actsOver(ground: ActsGround): Acts {
  const { storage, sealing, chain, now, report, changed, room } = ground
  const highest = new HighestRevisions()
  const standby = new StandbyWatch(ground.standbyGrace)
  const recognised = new RecognisedObjects()
  const seals = { left: 0, epoch: 0 }
  const log = new LogPayer(storage, now, report)
  let isRecording = false
  let groupNow = now()
  let documents: HeldDocuments = new Map()
  let followMasterKey: (() => Promise<void>) | undefined

  const learnEpoch = async ({ epoch }: EpochNotOpen): Promise<void> => {
    const wraps = await storage.read((rows) => rows.wraps())
    await sealing.learn(wraps)
    if (sealing.opens(epoch)) return
    if (!wraps.some((wrap) => wrap.epoch === epoch)) {
      sealing.giveUpOn(epoch)
      return
    }
    // The master key was rotated, and this epoch begun with the new one, before the next look at it.
    await followMasterKey?.()
    sealing.giveUpOn(epoch, retiredMasterKey(sealing.provider))
  }

  const chargeSeal = (writer: StorageWriter): Soon<void> => {
    const epoch = sealing.current
    if (seals.left === 0 || seals.epoch !== epoch)
      return chargeSeals(writer, epoch).then(() => void seals.left--)
    seals.left--
    return undefined
  }

  const chargeSeals = async (writer: StorageWriter, epoch: number): Promise<void> => {
    const left = Math.min(sealsCharged, Math.ceil(ground.sealsPerEpoch / 16))
    const charged = await writer.chargeSeals(epoch, left)
    if (charged > ground.sealsPerEpoch) throw new Error(`epoch ${epoch} has no seals left`)
    if (charged > ground.sealsPerEpoch / 2) ground.epochWorn()
    Object.assign(seals, { left, epoch })
  }

  const host: GroupHost<StorageWriter> = {
    transaction: (fn) =>
      storage
        .write((rows) => {
          isRecording = false
          groupNow = now()
          documents = new Map()
          return fn(rows)
        })
        .catch((error: unknown) => {
          throw isRecording ? unrecorded(error) : error
        }),
    savepoint: (rows, fn) => rows.savepoint(fn),
    run(rows, act, trace) {
      const hasRoom = room?.isTight !== true
      const writer = rows
      const held = { trace, documents, recognised, mayLag: false, hasRoom, chargeSeal }
      const work = new ActWork({ rows, writer, sealing, highest, ...held }, groupNow)
      return completed(act as RunnableAct<unknown>, work, trace, changed)
    },
    async record(rows, traces) {
      const recorded = traces.map(({ records, changes }) => ({
        records,
        changes: lastOfEach(changes),
      }))
      if (traces.some(({ wiped }) => wiped)) await oweLog(rows, groupNow)
      isRecording = true
      await appendAudit(rows, sealing, chain, groupNow, recorded)
      isRecording = false
    },
    isRecoverable: (error) =>
      error instanceof EpochNotOpen || (isDiskFull(error) && room?.noteFull() === true),
    async recover(error) {
      if (error instanceof EpochNotOpen) await learnEpoch(error)
      else room?.giveBack()
    },
    committed(traces) {
      for (const { seen, wiped } of traces) {
        highest.note(seen)
        if (wiped) log.owes()
      }
    },
    undone(traces) {
      seals.left = 0
      documents.clear()
      traces.forEach(forget)
    },
  }
  const group = new GroupCommit(host, ground.groupTime)

  return {
    act<T>(fn: (work: Work) => Promise<T>) {
      const { closed } = standby
      return closed ? Promise.reject(closed.refused) : (group.act(fn) as Promise<T>)
    },
    async watchStandby() {
      standby.look(await storage.read((rows) => rows.copies()), performance.now())
      const { closed } = standby
      if (closed) group.refuseWaiting(closed.refused, closed.inDoubt)
      return closed?.refused
    },
    async read(fn) {
      for (let mayLag = true; ; mayLag = false) {
        try {
          const { result, trace } = await inSnapshot(async (rows) => {
            const trace = new ActTrace()
            const work = new ActWork(snapshotGround(rows, trace, mayLag), now())
            return { result: await completed(fn, work, trace), trace }
          })
          highest.note(trace.seen)
          return result
        } catch (error) {
          if (!(error instanceof SnapshotBehind)) throw error
        }
      }
    },
    inSnapshot,
    learning,
    learnEpoch,
    onRetired(follow) {
      followMasterKey = follow
    },
    async close() {
      await group.close()
      await log.close()
    },
  }

  function inSnapshot<T>(fn: (rows: StorageReader) => Promise<T>): Promise<T> {
    return learning(() => storage.read(fn))
  }

  async function learning<T>(run: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await run()
      } catch (error) {
        if (!(error instanceof EpochNotOpen)) throw error
        await learnEpoch(error)
      }
    }
  }

  function snapshotGround(rows: StorageReader, trace: ActTrace, mayLag: boolean): WorkGround {
    const documents: HeldDocuments = new Map()
    const held = { trace, documents, recognised, mayLag, hasRoom: false, chargeSeal }
    return { rows, writer: undefined, sealing, highest, ...held }
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof UserError && error.code === 'disk-full'
}

/** What failed while the records of a group were written, in words; trouble that has words already stays. */
function unrecorded(error: unknown): unknown {
  if (error instanceof UserError || error instanceof EpochNotOpen) return error
  const what = error instanceof Error ? error.message : String(error)
  return new UserError(
    'audit-unwritable',
    `the audit record cannot be written: ${what}`,
    'see what was changed in the database:  keyreel audit verify ; nothing is done without a record until it can be written again',
    { cause: error },
  )
}

/** One act's, or one snapshot's, view of the store. */
class ActWork extends TransientWork implements Work {
  get written(): number {
    return this.ground.trace.writes
  }

  audit(record: AuditRecord): void {
    if (!this.ground.writer) throw new Error('a read snapshot records nothing: use act')
    this.ground.trace.records.push(record)
  }
}

type RunnableAct<T> = (work: Work) => Soon<T>

/** The act's result, unless something went wrong that the act must not hide. */
function completed<T>(
  act: RunnableAct<T>,
  work: ActWork,
  trace: ActTrace,
  changed?: ChangeObserver,
): Soon<T> {
  const finished = (result: T): Soon<T> => {
    const observed =
      changed !== undefined && trace.objects.length > 0 ? changed(work, trace.objects) : undefined
    const settled = after(observed, () => (trace.failure === undefined ? work.settle() : undefined))
    return after(settled, () => {
      if (trace.failure === undefined) demandRecord(trace)
      return result
    })
  }
  return either(
    () => after(act(work), finished),
    (result) => {
      if (trace.failure !== undefined) throw trace.failure
      return result
    },
    (error) => {
      throw trace.failure ?? error
    },
  )
}
