// The lower keystore as a whole: opens a data directory or database and ties its parts together.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import {
  catchUpAuditIndex,
  objectHistory,
  readAudit,
  type AuditSelection,
  type ObjectHistory,
} from './audit-reading.ts'
import type { Checkpoint, Problem } from './audit-chain-walk.ts'
import { verifyStore, type VerifyOptions, type VerifyReport } from './audit-verify.ts'
import {
  addMasterKey,
  adoptMasterKey,
  beginEpoch,
  epochFacts,
  followEpochs,
  openersOf,
  removeMasterKey,
  retireOthers,
  type EpochFacts,
  type Standing,
} from './epochs.ts'
import { auditHeads, compareHeads } from './checkpoints.ts'
import { openDatabase, placeName, urlsOf } from './database.ts'
import type { RoomKeeper } from './disk-reserve.ts'
import { demandLastSeen, readLastSeen, writeLastSeen, type LastSeen } from './last-seen.ts'
import { openJournals, type JournalOptions } from './store-journals.ts'
import type { JournalStatus } from './journal.ts'
import { replayJournal, type ReplayReport, type ReplayWish } from './journal-replay.ts'
import { cutsByItself, leftLog, payLog } from './log-debt.ts'
import type { EpochWrapper, MasterKey } from './master-key.ts'
import { migrate, schemaOf } from './migrate.ts'
import type { ContentsCheck } from './examine.ts'
import { rebuildStep, type RebuildPosition, type RebuildStep } from './rebuild.ts'
import { scrubStep, type ScrubPosition, type ScrubStep } from './scrub.ts'
import { isHalfMoved } from './move-tables.ts'
import { demandSameStore, machineName, readNodeIdentity } from './node-identity.ts'
import { Sealing, sealsPerEpoch } from './sealing.ts'
import { takeServeLock } from './serve-lock.ts'
import { sqlStorage } from './sql-storage.ts'
import { actsOver } from './store-acts.ts'
import {
  halfMoved,
  notInitialised,
  refuseOtherMasterKey,
  refuseUnusable,
} from './store-refusals.ts'
import type { Soon } from './soon.ts'
import type { LogMoves, SqlDriver, StorageReader } from './storage.ts'
import type { AuditActor, AuditEntry, ChangeObserver, Query, StoredObject, Work } from './work.ts'

/** How a store is opened. The master key is taken over and closed with the store. */
export interface OpenOptions extends JournalOptions {
  /** The data directory … */
  readonly directory?: string
  /** URLs of the PostgreSQL that holds the tables; absent: a file in the directory. */
  readonly database?: readonly string[] | undefined
  /** This node among those on one database; absent: as the directory says, else the machine's name. */
  readonly node?: string | undefined
  /** … or a database opened already and taken over. */
  readonly driver?: SqlDriver
  /** Whether a copy that is being verified may be opened. */
  readonly whileMoving?: boolean
  readonly masterKey: MasterKey
  /**
   * 'serve' (takes the serve lock of the directory) or 'cli': the audit chain of this process, on a
   * shared database with the node's name behind it, such as `serve@kms-a`.
   */
  readonly writer: string
  /** Seconds; the system's clock by default. */
  readonly now?: () => bigint
  /** Milliseconds to wait for another process's transaction; 10 000 by default. */
  readonly patience?: number
  /** Milliseconds a PostgreSQL may leave without an answer before it is asked whether it is still there. */
  readonly silence?: number
  /** Seals per epoch; 2^30 by default. */
  readonly sealsPerEpoch?: number
  /** Milliseconds after which a group commit takes no further act; 20 by default. */
  readonly groupTime?: number
  /** Milliseconds for which a synchronous standby may be away before acts are refused; 5000 by default. */
  readonly standbyGrace?: number
  /** Told of the objects that each act of this process has written. */
  readonly changed?: ChangeObserver
  /** Keeps room for when the disk is full. */
  readonly room?: RoomKeeper | undefined
  /** Told of trouble that belongs to no act, such as an epoch that cannot be begun. */
  readonly report?: (error: unknown) => void
}

/** The lower keystore. */
export interface Store {
  /** The store's own identity, a UUID made with it. */
  readonly id: string
  /** The name of this node, where others may share the database; undefined for a file. */
  readonly node: string | undefined
  /** What kind of database holds it: they wipe in different ways. */
  readonly dialect: SqlDriver['dialect']
  /** Milliseconds by which this machine's clock is ahead of the database's. */
  clockAhead(): Promise<number>
  /**
   * Runs `fn` in the next group commit and answers once it is durable. `fn` awaits only its Work and
   * may be run more than once. A throw undoes this act alone. When the commit fails nothing is visible.
   */
  act<T>(fn: (work: Work) => Soon<T>): Promise<T>
  /** Runs `fn` on a consistent, read-only snapshot; unaudited, so no key material. May be run twice. */
  read<T>(fn: (work: Work) => Soon<T>): Promise<T>
  /** All matches of a query, newest first, in steps of `query.limit` rows, each its own snapshot. */
  scan(query: Query): AsyncGenerator<readonly StoredObject[]>
  /** Verifies chains, rows, seals and revisions; other work runs between its steps. */
  auditVerify(options?: VerifyOptions): Promise<VerifyReport>
  /** One bounded step of a walk over everything stored; see scrub.ts. */
  scrub(from: ScrubPosition, limit: number, contents?: ContentsCheck): Promise<ScrubStep>
  /** Where the audit chains end, to be kept outside. Throws IntegrityError when an end was changed. */
  auditHeads(): Promise<readonly Checkpoint[]>
  /** Writes down how far the database has come, so that this node refuses one that is behind; for a shared one. */
  keepLastSeen(): Promise<void>
  /** What shows that the chains are not those that went on from there; quick. */
  compareCheckpoint(heads: readonly Checkpoint[]): Promise<readonly Problem[]>
  /** Names of the audit chains. */
  auditChains(): Promise<readonly string[]>
  /** Verified audit records in ascending order. */
  readAudit(selection: AuditSelection): Promise<readonly AuditEntry[]>
  /** What happened to an object, newest first. */
  objectHistory(object: string, limit?: number): Promise<ObjectHistory>
  /** Cuts off the log of the database when it may hold what was wiped; false when readers prevent it for now. */
  payLog(): Promise<boolean>
  /** When what was wiped at that time had left the log as well, seconds since 1970; undefined while it has not. */
  leftLog(wiped: bigint): Promise<bigint | undefined>
  /** Whether the database cannot be told to, and overwrites what was wiped at its own time. */
  cutsLogByItself(): Promise<boolean>
  /** Whether another process has written since this was last asked: whoever writes much then leaves it room. */
  othersWrote(): Promise<boolean>
  /** For those who write much; nothing is less durable for it. */
  moveLog(when: LogMoves): Promise<void>
  /**
   * Runs `fn` on the tables themselves, all in one state; it may take long, since other reads of this
   * process wait meanwhile: for processes that do nothing else. Run again, `fn` has to begin anew.
   */
  copy<T>(fn: (tables: Pick<StorageReader, 'tableRows'>) => Promise<T>): Promise<T>
  /** One bounded step of the index behind `objectHistory`; false when there is nothing left to do. */
  catchUpAuditIndex(): Promise<boolean>
  /** One bounded step of making index rows and columns anew where they do not follow from the records. */
  rebuildDerived(from: RebuildPosition | undefined, actor: AuditActor): Promise<RebuildStep>
  /** Begins a new epoch of keys for what is sealed from now on. */
  beginEpoch(actor: AuditActor): Promise<void>
  /** Every epoch with its master keys and what is under it, the newest last. */
  epochs(): Promise<readonly EpochFacts[]>
  /** Opens epochs begun elsewhere; 'retired' once the master key in use opens the store no longer. */
  followEpochs(): Promise<Standing>
  /** Who is asked to go on with the master key that is configured, when this store needs the one after its own. */
  onRetired(follow: () => Promise<void>): void
  /** Providers of all master keys and recovery keys that open the store now, in order. */
  openers(): Promise<readonly string[]>
  /** Provider of the master key in use. */
  provider(): string
  /** The master key in use, for a copy of this store: closing it closes nothing. */
  lendMasterKey(): MasterKey
  /** Throws UserError 11 when the master key can be reached no longer. */
  checkMasterKey(): Promise<void>
  /** Goes on with another master key that opens the store: it is taken over, the one of before closed. */
  adoptMasterKey(masterKey: MasterKey): Promise<void>
  /** Lets another master key, or a recovery key, open the store as well. */
  addMasterKey(other: EpochWrapper, actor: AuditActor): Promise<void>
  /** Takes that away again. */
  removeMasterKey(provider: string, actor: AuditActor): Promise<void>
  /** Makes `kept` the only master key, whose wraps it adds where they miss; answers which ones are gone. */
  retireOthers(kept: EpochWrapper, actor: AuditActor): Promise<readonly string[]>
  /** Looks whether the database answers commits: while its synchronous standby is away, acts are refused for what this answers. */
  watchStandby(): Promise<UserError | undefined>
  /** The journals that are kept. */
  journals(): readonly JournalStatus[]
  /** Looks for journals that are away, and brings them up to date; asked every second. */
  tendJournals(): Promise<void>
  /** Puts back what a journal has and the keystore lacks, or looks what that is. Throws UserError. */
  replayJournal(wish: ReplayWish): Promise<ReplayReport>
  /** Answers what is queued, then closes database, lock and master key. */
  close(): Promise<void>
}

/** Audit records per chain indexed in one step: other work waits meanwhile. */
const indexedPerStep = 100

const keyreel: AuditActor = { name: 'keyreel', kind: 'server' }

/** Opens a store. Throws UserError: see cli.md for the exit statuses. */
export async function openStore(options: OpenOptions): Promise<Store> {
  const { directory, patience, silence } = options
  if (options.driver) return openOver(options.driver, options, 'the database', () => undefined)
  if (directory === undefined) throw new Error('openStore needs a directory or a driver')

  const place = { directory, database: options.database }
  const isShared = urlsOf(place) !== undefined
  const where = placeName(place)
  if (!isShared) refuseUnusable(directory, where)
  const lock = options.writer === 'serve' ? takeServeLock(directory) : undefined
  const release = (): void => lock?.release()
  try {
    const lastSeen = isShared ? await readLastSeen(directory) : undefined
    const driver = await openDatabase(place, {
      // Commands go on beside a server.
      mayBeAlone: options.writer !== 'serve',
      ...(patience !== undefined && { patience }),
      ...(silence !== undefined && { silence }),
      ...(lastSeen !== undefined && { standing: lastSeen.standing }),
    })
    if (!isShared) return await openOver(driver, options, where, release)
    const sharedAs = nodeName(options)
    const writer = `${options.writer}@${sharedAs}`
    return await openOver(driver, { ...options, writer, sharedAs, lastSeen }, where, release)
  } catch (error) {
    release()
    throw error
  }
}

/** How a store is opened, and this node's name where others share the database. */
type Opening = OpenOptions & {
  readonly sharedAs?: string
  /** What this node saw of the database before. */
  readonly lastSeen?: LastSeen | undefined
}

async function openOver(
  driver: SqlDriver,
  options: Opening,
  where: string,
  release: () => void,
): Promise<Store> {
  try {
    if ((await schemaOf(driver)) === 0) throw notInitialised(where)
    await migrate(driver, where)
    if (options.whileMoving !== true && (await isHalfMoved(driver))) throw halfMoved(where)
    return await storeOver(driver, options, where, release)
  } catch (error) {
    await driver.close()
    throw error
  }
}

async function storeOver(
  driver: SqlDriver,
  { masterKey, writer, now = systemClock, report = ignore, ...options }: Opening,
  where: string,
  release: () => void,
): Promise<Store> {
  const plain = sqlStorage(driver)
  const id = await plain.read((rows) => rows.setting('store'))
  if (id === undefined) throw notInitialised(where)
  if (options.directory !== undefined) demandSameStore(options.directory, id, where)
  const sealing = new Sealing(id, masterKey)
  const wraps = await plain.read((rows) => rows.wraps())
  refuseOtherMasterKey(masterKey, wraps, where)
  await sealing.learn(wraps)
  const { directory, lastSeen } = options
  if (directory !== undefined && lastSeen !== undefined)
    await plain.read((rows) => demandLastSeen(directory, lastSeen, rows, sealing, where))

  const ground = { store: id, storage: plain, sealing, chain: writer, now }
  const journals = await openJournals(options, ground)
  const { storage } = journals
  const before = new Set(wraps.map(({ provider }) => provider))
  const epochs = { storage, sealing, chain: writer, now, before }
  let beginning: Promise<void> | undefined
  const acts = actsOver({
    ...epochs,
    report,
    changed: options.changed,
    groupTime: options.groupTime,
    standbyGrace: options.standbyGrace,
    room: options.room,
    sealsPerEpoch: options.sealsPerEpoch ?? sealsPerEpoch,
    epochWorn() {
      beginning ??= beginEpoch(epochs, keyreel)
        .catch(report)
        .finally(() => (beginning = undefined))
    },
  })

  await journals.start(acts.act)
  // What a process that was killed could not do any more.
  await payLog(storage, now).catch(report)

  const examined = { storage, sealing, learnEpoch: acts.learnEpoch }

  return {
    id,
    node: options.sharedAs,
    dialect: driver.dialect,
    clockAhead: () => storage.clockAhead(),
    act: acts.act,
    read: acts.read,
    async *scan(query) {
      let after: Parameters<Work['scan']>[1]
      do {
        const from = after
        const page = await acts.read((work) => work.scan(query, from))
        if (page.objects.length > 0) yield page.objects
        after = page.next
        await nextTurn()
      } while (after)
    },
    auditVerify: (verify) => verifyStore(examined, verify),
    auditHeads: () => acts.inSnapshot((rows) => auditHeads(rows, sealing)),
    async keepLastSeen() {
      if (directory !== undefined && options.sharedAs !== undefined)
        await acts.learning(() => writeLastSeen(directory, storage, sealing, now()))
    },
    compareCheckpoint: (heads) => acts.inSnapshot((rows) => compareHeads(rows, heads)),
    scrub: (from, limit, contents) => scrubStep(examined, from, limit, contents),
    auditChains: () => storage.read((rows) => rows.chains()),
    readAudit: (selection) => acts.inSnapshot((rows) => readAudit(rows, sealing, selection)),
    objectHistory: (object, limit = 100) =>
      acts.inSnapshot((rows) => objectHistory(rows, sealing, object, limit)),
    copy: (fn) => storage.read(fn),
    payLog: () => payLog(storage, now),
    leftLog: (wiped) => storage.read((rows) => leftLog(rows, wiped)),
    cutsLogByItself: () => storage.read(cutsByItself),
    othersWrote: () => storage.othersWrote(),
    moveLog: (when) => storage.moveLog(when),
    catchUpAuditIndex: () =>
      acts.learning(() => catchUpAuditIndex(storage, sealing, indexedPerStep)),
    rebuildDerived: (from, actor) =>
      rebuildStep({ ...epochs, learnEpoch: acts.learnEpoch }, from, actor),
    beginEpoch: (actor) => beginEpoch(epochs, actor),
    epochs: () => epochFacts(epochs),
    followEpochs: () => followEpochs(epochs),
    onRetired: acts.onRetired,
    openers: () => openersOf(storage),
    provider: () => sealing.provider,
    lendMasterKey: () => sealing.lend(),
    checkMasterKey: () => sealing.check(),
    adoptMasterKey: (masterKey) => adoptMasterKey(epochs, masterKey),
    addMasterKey: (other, actor) => addMasterKey(epochs, other, actor),
    retireOthers: (kept, actor) => retireOthers(epochs, kept, actor),
    removeMasterKey: (provider, actor) => removeMasterKey(epochs, provider, actor),
    watchStandby: acts.watchStandby,
    journals: journals.status,
    tendJournals: journals.tend,
    replayJournal: (wish) => replayJournal({ ...ground, storage }, wish),
    async close() {
      await acts.close()
      await beginning
      await journals.close()
      await storage.close()
      release()
      sealing.close()
    },
  }
}

/** The name of this node: as it is configured, as its directory says, or the machine's. */
export function nodeName({ node, directory }: Pick<OpenOptions, 'node' | 'directory'>): string {
  const identity = directory === undefined ? undefined : readNodeIdentity(directory)
  return node ?? identity?.node ?? machineName()
}

function systemClock(): bigint {
  return BigInt(Math.floor(Date.now() / 1000))
}

function ignore(): void {
  // Trouble in the background shows again at the next attempt.
}
