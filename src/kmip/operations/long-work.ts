/**
 * Work that keeps a thread busy for long: making key pairs, deriving by PBKDF2. So many at a time, in all
 * and for one client; the rest waits in line. Clients take turns, so that one who asks for much holds up
 * nobody but itself. What waits is bounded by the connections of a client, each of which waits for one.
 */

/** Bounds, from the table of limits. */
export interface LongWorkLimits {
  atOnce: number
  perClient: number
}

interface Line {
  /** Work of the client that runs. */
  running: number
  readonly waiting: (() => void)[]
}

/** The long work of one process. */
export class LongWork {
  readonly #limits: LongWorkLimits
  /** Clients with work; among those with as much running, the one whose last turn is longest ago comes first. */
  readonly #lines = new Map<string, Line>()
  #running = 0

  constructor(limits: LongWorkLimits) {
    this.#limits = limits
  }

  /** Runs work of that client once it is its turn. */
  async run<T>(client: string, work: () => Promise<T>): Promise<T> {
    await this.#turn(client)
    try {
      return await work()
    } finally {
      this.#done(client)
    }
  }

  #turn(client: string): Promise<void> {
    const line = this.#lines.get(client) ?? { running: 0, waiting: [] }
    this.#lines.set(client, line)
    const { promise, resolve } = Promise.withResolvers<void>()
    line.waiting.push(resolve)
    this.#startNext()
    return promise
  }

  #startNext(): void {
    while (this.#running < this.#limits.atOnce) {
      const [next] = [...this.#lines]
        .filter(
          ([, { running, waiting }]) => waiting.length > 0 && running < this.#limits.perClient,
        )
        .sort(([, one], [, other]) => one.running - other.running)
      if (next === undefined) return
      const [client, line] = next
      // To the end of the row: the others come first now.
      this.#lines.delete(client)
      this.#lines.set(client, line)
      line.running++
      this.#running++
      line.waiting.shift()!()
    }
  }

  #done(client: string): void {
    const line = this.#lines.get(client)!
    line.running--
    this.#running--
    if (line.running === 0 && line.waiting.length === 0) this.#lines.delete(client)
    this.#startNext()
  }
}
