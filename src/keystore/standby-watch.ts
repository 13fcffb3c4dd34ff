// Watches whether commits can be answered. A database that waits for a synchronous standby which is away leaves
// every commit waiting, and with it every library: after a few seconds whoever would write is told so at once,
// until the standby is back.
import { UserError } from '../errors.ts'
import type { Copies } from './ready.ts'

/** Milliseconds for which a standby may be away before acts are refused: it may only be starting again. */
const grace = 5_000

/** The watch of one process. */
export class StandbyWatch {
  readonly #grace: number
  #away: { readonly since: number; readonly missing: string } | undefined
  #closed: { readonly refused: UserError; readonly inDoubt: UserError } | undefined

  constructor(wait: number = grace) {
    this.#grace = wait
  }

  /** Why acts are refused now, and what those hear whose commit waits; undefined while they are not. */
  get closed(): { readonly refused: UserError; readonly inDoubt: UserError } | undefined {
    return this.#closed
  }

  /** Takes what the database says now; `at` in milliseconds. */
  look({ stuckFor, missing }: Copies, at: number): void {
    if (stuckFor === undefined) {
      this.#away = undefined
      this.#closed = undefined
      return
    }
    this.#away ??= { since: at - stuckFor, missing }
    if (at - this.#away.since < this.#grace) return
    const error = (code: string, what: string) =>
      new UserError(
        code,
        `${missing}: ${what}`,
        'bring the standby back; to go on without it, take it out of synchronous_standby_names on the primary',
      )
    this.#closed ??= {
      refused: error('standby-away', 'commits wait for it, so nothing can be recorded'),
      inDoubt: error('commit-waits', 'this waits for it, and may be kept once it is back'),
    }
  }
}
