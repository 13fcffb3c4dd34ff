/** Which asynchronous jobs this process has taken on, for those who wait for one to be done. */
export class RunningJobs {
  readonly #jobs = new Map<string, PromiseWithResolvers<void>>()

  /** A job is planned. */
  begin(job: string): void {
    this.#jobs.set(job, Promise.withResolvers())
  }

  /** Whether a job is planned or runs. */
  has(job: string): boolean {
    return this.#jobs.has(job)
  }

  /** A job is done, or has failed for good in this process. */
  settle(job: string): void {
    this.#jobs.get(job)?.resolve()
    this.#jobs.delete(job)
  }

  /** Resolves when the job is done, after that many milliseconds, or at once when it is not ours. */
  async settled(job: string, milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, milliseconds)
    try {
      await Promise.race([this.#jobs.get(job)?.promise, promise])
    } finally {
      clearTimeout(timer)
    }
  }
}
