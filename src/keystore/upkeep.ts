/** Work that comes back: each task runs at its own interval, never twice at once, and stops with the server. */

/** One task. */
export interface Task {
  name: string
  /** Milliseconds between the end of one run and the start of the next. */
  every: number
  run(): Promise<void>
}

/** Milliseconds between two alarms of a task that goes on failing. */
const toldEvery = 60_000

/**
 * Runs tasks until stopped. A task that fails runs again at its next turn; that is an alarm at the first failure
 * of an outage, and each minute while it lasts.
 */
export class Upkeep {
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #running = new Set<Promise<void>>()
  readonly #log: { error(fields: object, text: string): void }
  readonly #failing = new Map<Task, { failures: number; told: number }>()
  readonly #now: () => number
  #stopped = false

  /** `now` in milliseconds. */
  constructor(
    log: { error(fields: object, text: string): void },
    tasks: readonly Task[],
    now = () => performance.now(),
  ) {
    this.#log = log
    this.#now = now
    for (const task of tasks) this.#plan(task)
  }

  #plan(task: Task): void {
    if (this.#stopped) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      const run = task
        .run()
        .then(
          () => void this.#failing.delete(task),
          (error: unknown) => this.#noteFailure(task, error),
        )
        .finally(() => {
          this.#running.delete(run)
          this.#plan(task)
        })
      this.#running.add(run)
    }, task.every)
    timer.unref()
    this.#timers.add(timer)
  }

  #noteFailure(task: Task, error: unknown): void {
    const now = this.#now()
    const before = this.#failing.get(task)
    const failures = (before?.failures ?? 0) + 1
    const isTold = before === undefined || now - before.told >= toldEvery
    this.#failing.set(task, { failures, told: isTold ? now : before.told })
    if (!isTold) return
    const fields = { alarm: true, err: error, task: task.name, failures }
    this.#log.error(fields, 'a recurring task failed')
  }

  /** Plans nothing more and waits for what runs. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.#running)
  }
}
