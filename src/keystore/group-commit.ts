// Group commit: acts queued while one transaction runs share the next one, its sync and its audit row.
// No act is answered before the commit that holds it; when the commit fails, every act of the group fails.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ActTrace, forget } from './acts.ts'
import { Company } from './company.ts'
import { either, type Soon } from './soon.ts'

/** Most acts in one transaction. */
const actsPerGroup = 256

/** Milliseconds after which a transaction takes no further act: another process may be waiting. */
const groupTime = 20

/** How a group reaches the store. */
export interface GroupHost<Rows> {
  /** One transaction, atomic and durable once it resolves; `fn` may be run again before that. */
  transaction(fn: (rows: Rows) => Promise<void>): Promise<void>
  /** Runs `fn` so that a throw undoes only what it did. */
  savepoint<T>(rows: Rows, fn: () => Promise<T>): Promise<T>
  /** Runs one act; throws when it leaves something unrecorded. */
  run(rows: Rows, act: Act, trace: ActTrace): Soon<unknown>
  /** Appends the group's audit row; last thing in the transaction. */
  record(rows: Rows, traces: readonly ActTrace[]): Promise<void>
  /** Whether the group must be run again because of this error, once `recover` has seen to it. */
  isRecoverable(error: unknown): boolean
  recover(error: unknown): Promise<void>
  /** Called once the group is durable, before its acts are answered. */
  committed(traces: readonly ActTrace[]): void
  /** Called when nothing of these acts was kept; they may be run again. */
  undone(traces: readonly ActTrace[]): void
}

/** What is queued: a function over some Work, opaque here. */
export type Act = (work: never) => Soon<unknown>

interface Pending {
  readonly act: Act
  resolve(value: unknown): void
  reject(error: unknown): void
  outcome: { readonly value: unknown } | { readonly error: unknown }
  trace: ActTrace
  /** Whoever asked was told that it failed: what is kept of it is kept, and it is not run again. */
  isGivenUp: boolean
}

const notRun = { value: undefined }

/** An act threw after writing: the group is rolled back and run again, a savepoint for each act. */
class RunApart extends Error {
  constructor(cause: unknown) {
    super('an act of the group threw', { cause })
    this.name = 'RunApart'
  }
}

/** Queue and runner of acts. One group runs at a time. */
export class GroupCommit<Rows> {
  readonly #host: GroupHost<Rows>
  readonly #queue: Pending[] = []
  readonly #company = new Company(this.#queue, actsPerGroup)
  readonly #time: number
  /** Acts that have run and wait for their commit. */
  #committing: readonly Pending[] = []
  #running: Promise<void> | undefined
  #closed = false

  /** `time`: milliseconds after which a group takes no further act. */
  constructor(host: GroupHost<Rows>, time = groupTime) {
    this.#host = host
    this.#time = time
  }

  /** The act's result, once the transaction that holds it is durable. */
  act(act: Act): Promise<unknown> {
    if (this.#closed) return Promise.reject(new Error('the keystore is closed'))
    return new Promise((resolve, reject) => {
      const trace = new ActTrace()
      this.#queue.push({ act, resolve, reject, outcome: notRun, trace, isGivenUp: false })
      this.#company.arrived()
      this.#running ??= this.#pump()
    })
  }

  /**
   * Commits are not answered: those that wait for a transaction are refused, and so are, with another error, those
   * whose commit is under way, which may yet be kept.
   */
  refuseWaiting(error: unknown, inDoubt: unknown): void {
    for (const { reject } of this.#queue.splice(0)) reject(error)
    for (const pending of this.#committing) {
      if (pending.isGivenUp) continue
      pending.isGivenUp = true
      pending.reject(inDoubt)
      forget(pending.trace)
    }
  }

  /** Takes no further act and waits for those queued. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #pump(): Promise<void> {
    // What arrives in one turn of the event loop goes into one group.
    await nextTurn()
    while (this.#queue.length > 0) {
      await this.#company.gathered()
      await this.#runGroup()
    }
    this.#running = undefined
  }

  /** Runs one group and answers it. */
  async #runGroup(): Promise<void> {
    const taken: Pending[] = []
    try {
      while (!(await this.#committed(taken)));
      await this.#company.parting(taken.length, () => taken.forEach(answer))
    } catch (error) {
      // Waiting for the database failed: those still queued would only fail after the same wait.
      if (taken.length === 0) taken.push(...this.#queue.splice(0))
      for (const pending of taken) pending.reject(error)
    }
  }

  /** Runs the group in one transaction; false when it is to be run again. */
  async #committed(taken: Pending[]): Promise<boolean> {
    try {
      const apart = taken.length > 0
      await this.#host.transaction(async (rows) => {
        this.#committing = []
        taken.splice(0, taken.length, ...taken.filter(({ isGivenUp }) => !isGivenUp))
        await (apart ? this.#runApart(rows, taken) : this.#runTogether(rows, taken))
        await this.#host.record(rows, kept(taken))
        this.#committing = taken
      })
    } catch (error) {
      this.#committing = []
      this.#host.undone(taken.map(({ trace }) => trace))
      const cause = error instanceof RunApart ? error.cause : error
      if (this.#host.isRecoverable(cause)) await this.#host.recover(cause)
      else if (!(error instanceof RunApart)) throw error
      return false
    }
    this.#committing = []
    this.#host.committed(kept(taken))
    return true
  }

  /** Takes acts from the queue while there is time and runs them without savepoints. */
  async #runTogether(rows: Rows, taken: Pending[]): Promise<void> {
    // A database may run the transaction again: the acts taken the first time come first.
    const again = taken.splice(0)
    const until = performance.now() + this.#time
    try {
      while (taken.length < actsPerGroup && (taken.length === 0 || performance.now() < until)) {
        const pending = again.shift() ?? this.#queue.shift()
        if (!pending) return
        taken.push(pending)
        const running = this.#runOne(rows, pending)
        // Most acts need not be waited for.
        if (running instanceof Promise) await running
        if (!('error' in pending.outcome)) continue
        const { error } = pending.outcome
        if (pending.trace.writes > 0 || this.#host.isRecoverable(error)) throw new RunApart(error)
      }
    } finally {
      this.#queue.unshift(...again)
    }
  }

  async #runApart(rows: Rows, taken: readonly Pending[]): Promise<void> {
    for (const pending of taken) {
      try {
        await this.#host.savepoint(rows, async () => {
          await this.#runOne(rows, pending)
          if ('error' in pending.outcome) throw pending.outcome.error
        })
      } catch (error) {
        if (this.#host.isRecoverable(error)) throw error
        pending.outcome = { error }
        this.#host.undone([pending.trace])
      }
    }
  }

  #runOne(rows: Rows, pending: Pending): Soon<void> {
    if (pending.outcome !== notRun) {
      forget(pending.trace)
      pending.trace = new ActTrace()
    }
    return either(
      () => this.#host.run(rows, pending.act, pending.trace),
      (value) => void (pending.outcome = { value }),
      (error) => {
        forget(pending.trace)
        pending.outcome = { error }
      },
    )
  }
}

function answer({ resolve, reject, outcome }: Pending): void {
  if ('error' in outcome) reject(outcome.error)
  else resolve(outcome.value)
}

/** Traces of the acts whose work is kept. */
function kept(taken: readonly Pending[]): ActTrace[] {
  return taken.filter(({ outcome }) => !('error' in outcome)).map(({ trace }) => trace)
}
