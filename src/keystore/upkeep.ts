/** Work that comes back: each task runs at its own interval, never twice at once, and stops with the server. */

/** One task. */
export interface Task {
  name: string
  /** Milliseconds between the end of one run and the start of the next. */
  every: number
  run(): Promise<void>
}

/** Runs tasks until stopped. A task that fails is logged and runs again at its next turn. */
export class Upkeep {
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #running = new Set<Promise<void>>()
  readonly #log: { error(fields: object, text: string): void }
  #stopped = false

  constructor(log: { error(fields: object, text: string): void }, tasks: readonly Task[]) {
    this.#log = log
    for (const task of tasks) this.#plan(task)
  }

  #plan(task: Task): void {
    if (this.#stopped) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      const run = task
        .run()
        .catch((error: unknown) =>
          this.#log.error({ err: error, task: task.name }, 'a recurring task failed'),
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

  /** Plans nothing more and waits for what runs. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.#running)
  }
}
