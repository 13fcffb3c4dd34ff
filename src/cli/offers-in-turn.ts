// What is given to a server that tries a master key already: each offer waits for its turn, so that a look of the
// server itself makes nobody come again.
import type { Offer } from '../admin/unseal-door.ts'
import { Secret } from '../crypto/secret.ts'
import { exitStatus, UserError } from '../errors.ts'

/** What is given while the server waits, and how the giver is answered. */
export interface Given {
  readonly offer: Offer
  answer(outcome: string | UserError): void
}

/** Most offers that wait while a master key is tried. */
const mostWaiting = 8

/** Offers that wait for their turn. */
export class OffersInTurn {
  readonly #queue: Given[] = []
  #arrived = Promise.withResolvers<void>()

  /** Resolves as soon as something waits. */
  get arrived(): Promise<void> {
    return this.#arrived.promise
  }

  /** Puts a copy of the offer at the end; answers what became of it. Throws UserError. */
  async put({ kind, secret }: Offer): Promise<string> {
    if (this.#queue.length >= mostWaiting) throw busy()
    const { promise, resolve } = Promise.withResolvers<string | UserError>()
    const copy = { kind, secret: new Secret(Uint8Array.from(secret.bytes)) }
    this.#queue.push({ offer: copy, answer: resolve })
    this.#arrived.resolve()
    const outcome = await promise
    if (typeof outcome === 'string') return outcome
    throw outcome
  }

  /** The first that waits. */
  take(): Given | undefined {
    const first = this.#queue.shift()
    if (this.#queue.length === 0) this.#arrived = Promise.withResolvers()
    return first
  }

  /** Answers all that wait, and wipes what they brought. */
  async answerAll(how: (offer: Offer) => Promise<string>): Promise<void> {
    for (let given = this.take(); given !== undefined; given = this.take()) {
      try {
        given.answer(await how(given.offer))
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        given.answer(error)
      } finally {
        given.offer.secret.wipe()
      }
    }
  }
}

function busy(): UserError {
  return new UserError(
    'unsealing',
    'the server is trying a master key just now, and others wait for that',
    'try again in a moment',
    { exitStatus: exitStatus.sealed },
  )
}
