/**
 * Cryptographic operations in parts that are under way – KMIP 2.1 §6.1.17 and its like. They hold
 * state of the crypto library, so they live in this process: a Correlation Value means nothing after a
 * restart. One belongs to the client, operation and key that began it; for all others it is not there.
 */
import { toHex } from '../../crypto/primitives/hash.ts'
import { mac } from '../../crypto/primitives/mac.ts'
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

interface Entry extends StreamOwner {
  readonly correlation: Uint8Array
  readonly running: Running
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
    const entry = { ...whose, correlation, running, bytes: 0, lastUsed: this.#clock() }
    this.#count(entry, bytes)
    this.#entries.set(toHex(correlation), entry)
    return correlation
  }

  /** What is under way under that value, about to take `bytes` more. Throws KmipError. */
  next(whose: StreamOwner, correlation: Uint8Array, bytes: number): Running {
    this.giveUpIdle()
    const name = toHex(correlation)
    const entry = this.#entries.get(name)
    const isTheirs =
      entry?.owner === whose.owner &&
      entry.operation === whose.operation &&
      entry.object === whose.object
    if (!isTheirs)
      throw new KmipError('InvalidCorrelationValue', 'no operation in parts has this value')
    this.#count(entry, bytes)
    this.#entries.delete(name)
    entry.lastUsed = this.#clock()
    this.#entries.set(name, entry)
    return entry.running
  }

  /** Forgets what has ended, or gives it up; harmless for a value that means nothing. */
  end(correlation: Uint8Array): void {
    const name = toHex(correlation)
    this.#entries.get(name)?.running.close()
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

  #count(entry: Entry, bytes: number): void {
    entry.bytes += bytes
    if (entry.bytes <= this.#limits.bytes) return
    this.end(entry.correlation)
    throw new KmipError('ServerLimitExceeded', `more than ${this.#limits.bytes} bytes in parts`)
  }
}
