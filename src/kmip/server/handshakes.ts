/**
 * Connections whose client is not identified yet. A bounded number is in a handshake at a time, the
 * others wait in line, unread; whoever has said nothing for a while makes room for them. So a burst
 * of connects is served in turn, and silent strangers cannot keep it waiting.
 */
import type { Socket } from 'node:net'
import type { Limits } from './limits.ts'
import type { Clock } from './ports.ts'
import type { RefusalLog } from './refusal-log.ts'

/** One connection on its way to being identified. */
export interface Attempt {
  readonly raw: Socket
  readonly remoteAddress: string
  readonly key: string
  /** When its handshake began; undefined while it waits in line. */
  startedAt: number | undefined
  /** Why it will not succeed, once that is known. */
  reason: string | undefined
  /** Identified, or refused and logged: its end is no news. */
  settled: boolean
}

/** Both ends of a connection: the runtime does not say which raw socket a TLS socket wraps. */
const keyOf = (socket: Socket) =>
  `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`

export class Handshakes {
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #refusals: RefusalLog
  readonly #begin: (raw: Socket) => void
  /** Under way, oldest first. */
  readonly #underWay = new Map<string, Attempt>()
  readonly #line: Attempt[] = []

  /** `begin` starts TLS on a socket. */
  constructor(limits: Limits, clock: Clock, refusals: RefusalLog, begin: (raw: Socket) => void) {
    this.#limits = limits
    this.#clock = clock
    this.#refusals = refusals
    this.#begin = begin
  }

  get underWay(): number {
    return this.#underWay.size
  }

  get waiting(): number {
    return this.#line.length
  }

  /** Takes a connection that was just accepted and not read from. */
  add(raw: Socket): void {
    const { remoteAddress } = raw
    if (remoteAddress === undefined) {
      raw.destroy()
      return
    }
    const attempt: Attempt = {
      raw,
      remoteAddress,
      key: keyOf(raw),
      startedAt: undefined,
      reason: undefined,
      settled: false,
    }
    raw.on('error', (error: NodeJS.ErrnoException) => (attempt.reason ??= error.code))
    raw.once('close', () => this.#closed(attempt))
    this.#line.push(attempt)
    this.#advance()
  }

  /** The attempt that a TLS socket belongs to, while it is under way. */
  of(socket: Socket): Attempt | undefined {
    return this.#underWay.get(keyOf(socket))
  }

  /** The client of `attempt` is identified; the connection is no longer of concern here. */
  succeed(attempt: Attempt): void {
    attempt.settled = true
    this.#leave(attempt)
  }

  /** Cuts what has taken too long. */
  sweep(): void {
    const now = this.#clock.now()
    for (const attempt of this.#underWay.values()) {
      if (now - (attempt.startedAt ?? now) < this.#limits.handshakeTime) break
      this.#cut(attempt, 'handshake-time')
    }
    this.#advance()
  }

  /** Cuts all of them. */
  stop(): void {
    for (const attempt of [...this.#line.splice(0), ...this.#underWay.values()]) {
      attempt.settled = true
      attempt.raw.destroy()
    }
  }

  #advance(): void {
    while (this.#line.length > 0) {
      if (this.#underWay.size >= this.#limits.handshakes && !this.#makeRoom()) return
      const attempt = this.#line.shift()
      if (attempt === undefined || attempt.raw.destroyed) continue
      attempt.startedAt = this.#clock.now()
      this.#underWay.set(attempt.key, attempt)
      this.#begin(attempt.raw)
    }
  }

  /** Cuts the oldest handshake in which the client has said nothing for long enough. */
  #makeRoom(): boolean {
    const latest = this.#clock.now() - this.#limits.silentTime
    for (const attempt of this.#underWay.values()) {
      if ((attempt.startedAt ?? Infinity) > latest) return false
      if (attempt.raw.bytesRead > 0) continue
      this.#cut(attempt, 'silent')
      return true
    }
    return false
  }

  #cut(attempt: Attempt, reason: string): void {
    attempt.reason ??= reason
    this.#underWay.delete(attempt.key)
    attempt.raw.destroy()
  }

  #closed(attempt: Attempt): void {
    const { remoteAddress, reason = 'closed-early' } = attempt
    if (!attempt.settled) this.#refusals.write({ reason, remoteAddress })
    this.#leave(attempt)
  }

  #leave(attempt: Attempt): void {
    if (this.#underWay.get(attempt.key) === attempt) this.#underWay.delete(attempt.key)
    this.#advance()
  }
}
