// Bytes that were wiped are gone only once the log of the database is cut off: until then the log may hold them, and the
// database file the page of before. The debt is written down in the transaction that wipes, so that it outlives
// the process; whoever opens the store next pays it. Settings are under no MAC: who can change them can as well
// copy the files.
import { setTimeout as delay } from 'node:timers/promises'
import { randomUuid } from '../crypto/primitives/random.ts'
import type { Storage, StorageReader, StorageWriter } from './storage.ts'

const owedSetting = 'log owed'
const lateSetting = 'log cut off late'
const ownTimeSetting = 'log cut off by itself'

/** Milliseconds between attempts: readers may hold the log for a moment. */
const againAfter = 100

/** Seconds after which a log that is cut off counts as late, and is remembered. */
const lateAfter = 60n

/** Late ones remembered, the newest. */
const lateKept = 100

interface Owed {
  /** When the first of it was wiped; seconds since 1970. */
  readonly since: bigint
  /** Another after each further wipe. */
  readonly mark: string
}

/** Notes that sealed bytes are forgotten in this transaction; `now` in seconds since 1970. */
export async function oweLog(rows: StorageWriter, now: bigint): Promise<void> {
  const before = await owed(rows)
  const since = before === undefined || now < before.since ? now : before.since
  await rows.putSetting(owedSetting, `${since} ${randomUuid()}`)
}

/** Cuts off the log when it is owed, once; false when readers prevent it for now. */
export async function payLog(storage: Storage, now: () => bigint): Promise<boolean> {
  const before = await storage.read(owed)
  if (before === undefined) return true
  const cut = await storage.truncateLog()
  if (cut === 'later') return false
  await storage.write(async (rows) => {
    const isByItself = cut === 'by itself'
    if ((await cutsByItself(rows)) !== isByItself)
      await rows.putSetting(ownTimeSetting, isByItself ? 'yes' : '')
    const after = await owed(rows)
    // Something was wiped meanwhile: that is another debt.
    if (after?.mark !== before.mark) return
    await rows.putSetting(owedSetting, '')
    const until = now()
    if (until - before.since <= lateAfter) return
    const late = [...(await lateOnes(rows)), { since: before.since, until }].slice(-lateKept)
    const text = late.map(({ since, until }) => `${since}-${until}`).join(' ')
    await rows.putSetting(lateSetting, text)
  })
  return true
}

/**
 * When what was wiped at that time had left the log as well, seconds since 1970: soon after, unless it is
 * remembered otherwise; undefined while it has not.
 */
export async function leftLog(
  rows: Pick<StorageReader, 'setting'>,
  wiped: bigint,
): Promise<bigint | undefined> {
  const now = await owed(rows)
  if (now !== undefined && wiped >= now.since) return undefined
  const late = (await lateOnes(rows)).find(({ since, until }) => wiped >= since && wiped <= until)
  return late?.until ?? wiped
}

/** Whether the database cannot be told to, and overwrites what was wiped at its own time. */
export async function cutsByItself(rows: Pick<StorageReader, 'setting'>): Promise<boolean> {
  return (await rows.setting(ownTimeSetting)) === 'yes'
}

async function owed(rows: Pick<StorageReader, 'setting'>): Promise<Owed | undefined> {
  const [, since, mark] = /^(\d+) (\S+)$/.exec((await rows.setting(owedSetting)) ?? '') ?? []
  return since === undefined || mark === undefined ? undefined : { since: BigInt(since), mark }
}

async function lateOnes(rows: Pick<StorageReader, 'setting'>) {
  const text = (await rows.setting(lateSetting)) ?? ''
  return [...text.matchAll(/(\d+)-(\d+)/g)].map(([, since, until]) => ({
    since: BigInt(since!),
    until: BigInt(until!),
  }))
}

/** Pays as soon as it can, beside other work, for as long as the store is open. */
export class LogPayer {
  readonly #storage: Storage
  readonly #now: () => bigint
  readonly #report: (error: unknown) => void
  #isOwed = false
  #paying: Promise<void> | undefined
  #closing = false

  constructor(storage: Storage, now: () => bigint, report: (error: unknown) => void) {
    this.#storage = storage
    this.#now = now
    this.#report = report
  }

  /** Something was wiped, durably. */
  owes(): void {
    this.#isOwed = true
    this.#paying ??= this.#pay()
  }

  /** Ends after the attempt that is under way; what is left is paid by whoever opens the store next. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#paying
  }

  async #pay(): Promise<void> {
    try {
      while (this.#isOwed && !this.#closing) {
        // Before, not after: an act may wipe again before this one's answer arrives.
        this.#isOwed = false
        if (await payLog(this.#storage, this.#now)) continue
        this.#isOwed = true
        await delay(againAfter)
      }
    } catch (error) {
      this.#report(error)
    }
    this.#paying = undefined
  }
}
