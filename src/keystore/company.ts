// How long a group waits for company. Clients that were answered by the last groups are about to ask again: waiting
// for them costs less than a commit of their own. A client alone never waits.
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Milliseconds waited at most, and for which what was learnt is worth something. */
const patience = 1
const memory = 10

/** What is known of those who ask. `queue` is what waits for the next group. */
export class Company {
  readonly #queue: { readonly length: number }
  readonly #most: number
  #expected = { acts: 1, at: 0 }
  #arrived: (() => void) | undefined

  /** `most`: as many as a group holds. */
  constructor(queue: { readonly length: number }, most: number) {
    this.#queue = queue
    this.#most = most
  }

  /** Something was queued. */
  arrived(): void {
    this.#arrived?.()
  }

  /** Until those are there who may be expected, or the patience is over. */
  async gathered(): Promise<void> {
    const { acts, at } = this.#expected
    const expected = Math.min(acts, this.#most)
    if (this.#queue.length >= expected || performance.now() - at > memory) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patience)
      this.#arrived = () => {
        if (this.#queue.length < expected) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#arrived = undefined
  }

  /**
   * A group of that size is about to be answered: a turn before it is, so that whatever came during its commit is queued,
   * and is from others.
   */
  async parting(size: number): Promise<void> {
    await nextTurn()
    this.#expected = { acts: size + this.#queue.length, at: performance.now() }
  }
}
