// Counts repeated refusals, so that a client that asks wrongly all day leaves one record a minute.

/** Whether to record a refusal, and how many of the same kind went unrecorded before it. */
export interface Refusal {
  readonly record: boolean
  readonly repeated: number
}

const secondsBetween = 60n

/** Kinds of refusal remembered; beyond that the oldest is recorded anew. */
const remembered = 10_000

/**
 * At most one record per client, reason and minute. Asked before the act is queued: an act may be
 * run again, this count may not.
 */
export class RefusalCounter {
  readonly #last = new Map<string, { at: bigint; repeated: number }>()

  /** Counts one refusal of `client` for `reason` at `now` (seconds). */
  note(client: string, reason: string, now: bigint): Refusal {
    const key = JSON.stringify([client, reason])
    const last = this.#last.get(key)
    if (last && now - last.at < secondsBetween) {
      last.repeated++
      return { record: false, repeated: last.repeated }
    }
    this.#last.delete(key)
    this.#last.set(key, { at: now, repeated: 0 })
    if (this.#last.size > remembered) this.#forgetOldest()
    return { record: true, repeated: last?.repeated ?? 0 }
  }

  #forgetOldest(): void {
    const oldest = this.#last.keys().next()
    if (!oldest.done) this.#last.delete(oldest.value)
  }
}
