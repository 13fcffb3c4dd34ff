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
   * Answers a group of that size and learns who else asks: what comes a turn later was sent meanwhile, and is from others,
   * but for what those it has answered ask at once.
   */
  async parting(size: number, answer: () => void): Promise<void> {
    const waiting = this.#queue.length
    answer()
    await allElse()
    const back = this.#queue.length - waiting
    await nextTurn()
    this.#expected = { acts: size + this.#queue.length - back, at: performance.now() }
  }
}

/** Once everything is done that needs nothing from outside. */
function allElse(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
