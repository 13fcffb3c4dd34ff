/**
 * Cryptographic operations in parts that are under way – KMIP 2.1 §6.1.17 and its like. They hold
 * state of the crypto library, so they live in this process: a Correlation Value means nothing after a
 * restart. One belongs to the client, operation and key that began it; for all others it is not there.
 * Its state moves with the commit: what the client was not told is not taken.
 */
import { toHex } from '../../crypto/primitives/hash.ts'
import { equalBytes, mac } from '../../crypto/primitives/mac.ts'
import { randomBytes } from '../../crypto/primitives/random.ts'
import { symmetricKey, type SymmetricKey } from '../../crypto/primitives/symmetric-key.ts'
import { KmipError } from '../model/result.ts'

/** Bounds, from the table of limits; times in milliseconds. */
export interface StreamLimits {
  streams: number
  perClient: number
  idleTime: number
  bytes: number
}

/** Whose it is. */
export interface StreamOwner {
  owner: string
  operation: string
  /** Unique Identifier of the key; undefined for Hash. */
  object: string | undefined
}

/** What is under way. `close` gives it up and clears what it holds. */
export interface Running {
  close(): void
}

/** One part of what is under way, as it was asked for. */
export interface Part {
  /** What the request says of it, as often as it is sent the same. */
  content: readonly (Uint8Array | string)[]
  bytes: number
  isLast: boolean
}

/** Told once whether the act that a part belongs to is kept. */
export type Settle = (isKept: boolean) => void

/** A part that was computed, with what came of it, until its act is kept. */
interface Step {
  readonly digest: Uint8Array
  readonly fields: object
  readonly isLast: boolean
  state: 'open' | 'kept' | 'lost'
}

interface Entry extends StreamOwner {
  readonly correlation: Uint8Array
  readonly running: Running
  /** The parts that are not settled, in order. */
  readonly steps: Step[]
  /** How many of them have been answered since the last one that was lost. */
  answered: number
  bytes: number
  lastUsed: number
}

const correlationLength = 16

/** All streams of a server. */
export class Streams {
  readonly #limits: StreamLimits
  readonly #clock: () => number
  readonly #key: SymmetricKey = symmetricKey(randomBytes(32))
  /** By Correlation Value in hexadecimal, the longest unused first. */
  readonly #entries = new Map<string, Entry>()

  /** `clock` counts milliseconds and never goes back. */
  constructor(limits: StreamLimits, clock: () => number = () => performance.now()) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Keeps what has begun and answers its Correlation Value. Throws KmipError when there are too many. */
  begin(whose: StreamOwner, running: Running, bytes: number): Uint8Array {
    this.giveUpIdle()
    const own = [...this.#entries.values()].filter(({ owner }) => owner === whose.owner)
    if (this.#entries.size >= this.#limits.streams || own.length >= this.#limits.perClient)
      throw new KmipError('ServerLimitExceeded', 'too many operations in parts are under way')
    const correlation = this.#newCorrelation(whose)
    const lastUsed = this.#clock()
    const entry = { ...whose, correlation, running, steps: [], answered: 0, bytes: 0, lastUsed }
    this.#count(entry, bytes)
    this.#entries.set(toHex(correlation), entry)
    return correlation
  }

  /**
   * Computes the next part of what is under way under that value. A part whose act was lost was not
   * taken: sent once more it is answered what was computed then, and another in its place ends it all,
   * since what has been computed cannot be taken back. Throws KmipError, and what `compute` throws.
   */
  next<Fields extends object>(
    whose: StreamOwner,
    correlation: Uint8Array,
    { content, bytes, isLast }: Part,
    compute: (running: Running) => Fields,
  ): { fields: Fields; settle: Settle } {
    this.giveUpIdle()
    const entry = this.#entryOf(whose, correlation)
    const digest = mac(this.#key, ...content)
    let step = entry.steps[entry.answered]
    if (step === undefined) {
      this.#count(entry, bytes)
      const fields = this.#endingIfItFails(entry, () => compute(entry.running))
      step = { digest, fields: copied(fields), isLast, state: 'open' }
      entry.steps.push(step)
      return this.#answered(entry, step, fields)
    }
    if (!equalBytes(step.digest, digest)) {
      this.end(correlation)
      throw unknownValue()
    }
    return this.#answered(entry, step, copied(step.fields) as Fields)
  }

  /** Forgets what has ended, or gives it up; harmless for a value that means nothing. */
  end(correlation: Uint8Array): void {
    const name = toHex(correlation)
    const entry = this.#entries.get(name)
    entry?.running.close()
    entry?.steps.forEach(wipe)
    this.#entries.delete(name)
  }

  /** Gives up those that nobody has gone on with for too long. */
  giveUpIdle(): void {
    const now = this.#clock()
    for (const { correlation, lastUsed } of this.#entries.values()) {
      if (now - lastUsed <= this.#limits.idleTime) return
      this.end(correlation)
    }
  }

  /** Gives all of them up. */
  close(): void {
    for (const { correlation } of [...this.#entries.values()]) this.end(correlation)
  }

  /**
   * Unguessable. A client that runs one stream of a key after the other gets the same value each time,
   * as the published cases have it; streams beside each other have values of their own.
   */
  #newCorrelation({ owner, object }: StreamOwner): Uint8Array {
    const usual = mac(this.#key, `${owner}\0${object ?? ''}`).subarray(0, correlationLength)
    return this.#entries.has(toHex(usual)) ? randomBytes(correlationLength) : usual
  }

  #entryOf(whose: StreamOwner, correlation: Uint8Array): Entry {
    const entry = this.#entries.get(toHex(correlation))
    const isTheirs =
      entry?.owner === whose.owner &&
      entry.operation === whose.operation &&
      entry.object === whose.object
    const hasEnded = entry?.steps[entry.answered - 1]?.isLast === true
    if (!isTheirs || hasEnded) throw unknownValue()
    return entry
  }

  #answered<Fields extends object>(
    entry: Entry,
    step: Step,
    fields: Fields,
  ): { fields: Fields; settle: Settle } {
    step.state = 'open'
    entry.answered++
    const name = toHex(entry.correlation)
    this.#entries.delete(name)
    entry.lastUsed = this.#clock()
    this.#entries.set(name, entry)
    return { fields, settle: (isKept) => this.#settle(entry, step, isKept) }
  }

  /** Kept parts are forgotten in their order. One kept behind one that was lost leaves a gap: that ends it. */
  #settle(entry: Entry, step: Step, isKept: boolean): void {
    const { steps, correlation } = entry
    if (this.#entries.get(toHex(correlation)) !== entry) return
    step.state = isKept ? 'kept' : 'lost'
    if (!isKept) entry.answered = Math.min(entry.answered, steps.indexOf(step))
    while (steps[0]?.state === 'kept') {
      const first = steps.shift()!
      wipe(first)
      entry.answered--
      if (first.isLast) return this.end(correlation)
    }
    const firstLost = steps.findIndex(({ state }) => state === 'lost')
    const lastKept = steps.findLastIndex(({ state }) => state === 'kept')
    if (firstLost !== -1 && firstLost < lastKept) this.end(correlation)
  }

  #endingIfItFails<T>({ correlation }: Entry, compute: () => T): T {
    try {
      return compute()
    } catch (error) {
      this.end(correlation)
      throw error
    }
  }

  #count(entry: Entry, bytes: number): void {
    entry.bytes += bytes
    if (entry.bytes <= this.#limits.bytes) return
    this.end(entry.correlation)
    throw new KmipError('ServerLimitExceeded', `more than ${this.#limits.bytes} bytes in parts`)
  }
}

function unknownValue(): KmipError {
  return new KmipError('InvalidCorrelationValue', 'no operation in parts has this value')
}

/** The fields of an answer, with bytes of their own. */
function copied<Fields extends object>(fields: Fields): Fields {
  const entries = Object.entries(fields).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Uint8Array ? Uint8Array.from(value) : value,
  ])
  return Object.fromEntries(entries) as Fields
}

function wipe({ fields }: Step): void {
  for (const value of Object.values(fields)) if (value instanceof Uint8Array) value.fill(0)
}
