/**
 * One connection of an identified client: bytes → whole messages → respond → write, one request at
 * a time, answers in order (KMIP 2.1 §10.4 leaves the transport to TLS; the framing is TTLV's, §10.1).
 */
import type { TLSSocket } from 'node:tls'
import { DecodeError, Frames } from 'ttlv-codec'
import type { Contact } from './contacts.ts'
import type { Limits } from './limits.ts'
import type { OpenSession, SessionOptions } from './open-session.ts'
import type { Answer, ClientName, Clock, ListenerPorts, PeerCertificate, Session } from './ports.ts'

/** Owns its socket from the identification of the client until `closed` is called. */
export class LiveSession<Principal extends ClientName> implements OpenSession<Principal> {
  principal: Principal
  contact: Contact
  readonly certificate: PeerCertificate
  readonly remoteAddress: string
  readonly tls: Session['tls']
  readonly since: number
  readonly #socket: TLSSocket
  readonly #ports: ListenerPorts<Principal>
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #frames: Frames
  readonly turnable: boolean
  /**
   * `draining`: answers what has arrived, then ends. `turned`: another reads and writes. `ended`: our side
   * is closed.
   */
  #state: 'open' | 'draining' | 'turned' | 'ended' = 'open'
  #running = false
  #peerEnded = false
  /** Arrived and not yet given to the frames; more than one only in the moment before a pause. */
  readonly #arrived: Uint8Array[] = []
  #newest: Uint8Array = new Uint8Array()
  #answers: Answer[] = []
  #answerBytes = 0
  #flush: NodeJS.Immediate | undefined
  #writes = 0
  #blocked: PromiseWithResolvers<void> | undefined
  #heardAt: number
  #partialSince: number | undefined
  #unreadSince = 0
  #endedAt = 0

  constructor(options: SessionOptions<Principal>) {
    const { socket, ports, limits, clock } = options
    this.principal = options.principal
    this.contact = options.contact
    this.certificate = options.certificate
    this.remoteAddress = options.remoteAddress
    this.tls = {
      protocol: socket.getProtocol() ?? '',
      cipher: socket.getCipher().standardName,
      resumed: socket.isSessionReused(),
    }
    this.since = clock.date()
    this.turnable = ports.turn !== undefined
    this.#socket = socket
    this.#ports = ports
    this.#limits = limits
    this.#clock = clock
    this.#frames = new Frames({ maxBytes: limits.messageBytes })
    this.#heardAt = clock.now()
    // A client may close its side right after a request and still wants the answer.
    socket.allowHalfOpen = true
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    socket.on('drain', () => this.#unblock())
    socket.on('end', () => this.#end())
    socket.on('error', (error) => {
      ports.log.debug({ err: error, ...this.#who() }, 'connection failed')
      // The runtime leaves the socket open after some errors, such as a second handshake.
      this.cut()
    })
    socket.on('close', () => {
      this.#state = 'ended'
      this.#wipe(this.#answers.splice(0))
      this.#unblock()
      options.closed()
    })
  }

  /** Answers what has arrived, then ends with close_notify. */
  drain(): void {
    if (this.#state === 'ended') return
    if (this.#state === 'turned') {
      this.cut()
      return
    }
    this.#state = 'draining'
    if (!this.#running) this.end()
  }

  /** Ends with close_notify; what the client still sends is not looked at. */
  end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#endedAt = this.#clock.now()
    this.#arrived.length = 0
    this.#write()
    this.#socket.resume()
    this.#socket.end()
  }

  /** Closes at once; an answer that has not left is lost and its bytes are cleared. */
  cut(): void {
    this.#socket.destroy()
  }

  /** Closes a connection that has passed one of its times. */
  sweep(): void {
    const now = this.#clock.now()
    const limits = this.#limits
    if (this.#writes > 0) {
      if (now - this.#unreadSince < limits.unreadAnswerTime) return
      this.#ports.log.warn(this.#who(), 'client does not read its answer: connection cut')
      this.cut()
      return
    }
    if (this.#state === 'ended') {
      if (now - this.#endedAt >= limits.lingerTime) this.cut()
      return
    }
    if (this.#running || this.#state === 'turned') return
    if (this.#partialSince !== undefined) {
      if (now - this.#partialSince < limits.partialMessageTime) return
      this.#ports.log.warn(this.#who(), 'client did not finish its message: connection ended')
      this.end()
      return
    }
    if (now - this.#heardAt >= limits.idleTime) this.end()
  }

  #data(chunk: Uint8Array): void {
    if (this.#state !== 'open') return
    this.#heardAt = this.#clock.now()
    this.#arrived.push(chunk)
    if (this.#running) this.#socket.pause()
    else void this.#run()
  }

  #end(): void {
    this.#peerEnded = true
    if (!this.#running) this.end()
  }

  /** Answers every whole message that has arrived. Does not reject. */
  async #run(): Promise<void> {
    this.#running = true
    for (;;) {
      if (this.#blocked !== undefined) await this.#blocked.promise
      const message = this.#next()
      if (message === undefined) break
      // Answers that are ready are not kept back for long by a slow request behind them.
      if (this.#answers.length > 0) this.#flush ??= setImmediate(() => this.#write())
      const answer = await this.#ask(message)
      if (answer === undefined) break
      this.#answers.push(answer)
      this.#answerBytes += answer.bytes.length
      if (answer.close === true) this.end()
      else if (answer.turned !== undefined) this.#turn(answer.turned)
      else if (this.#answerBytes >= this.#limits.heldAnswerBytes) this.#write()
    }
    this.#running = false
    this.#write()
    if (this.#state === 'draining' || this.#peerEnded) this.end()
    if (this.#state === 'ended') return
    if (this.#frames.buffered > 0) this.#partialSince ??= this.#clock.now()
    if (this.#socket.isPaused()) this.#socket.resume()
  }

  async #ask(message: Uint8Array): Promise<Answer | undefined> {
    this.#partialSince = undefined
    this.contact.requests++
    this.contact.lastContact = this.#clock.date()
    try {
      return await this.#ports.respond(message, this)
    } catch (error) {
      this.#ports.log.error({ err: error, ...this.#who() }, 'request failed: connection ended')
      this.end()
      return undefined
    }
  }

  /** The next whole message; undefined when there is none, or when the stream cannot be cut any more. */
  #next(): Uint8Array | undefined {
    if (this.#state === 'ended' || this.#state === 'turned') return undefined
    try {
      for (;;) {
        const message = this.#frames.next()
        if (message !== undefined) return message
        const chunk = this.#arrived.shift()
        if (chunk === undefined) return undefined
        this.#newest = chunk
        this.#frames.push(chunk)
      }
    } catch (error) {
      this.#refuse(error)
      return undefined
    }
  }

  /** Hands the connection over, its answer written; what was sent behind the request has no meaning. */
  #turn(version: number): void {
    this.#write()
    if (this.#frames.buffered > 0 || this.#arrived.length > 0 || this.#state !== 'open') {
      this.end()
      return
    }
    this.#state = 'turned'
    this.#ports.turn?.(this.#socket, this, version)
  }

  #refuse(error: unknown): void {
    const { log } = this.#ports
    try {
      if (!(error instanceof DecodeError)) throw error
      log.warn({ code: error.code, problem: error.message, ...this.#who() }, 'no KMIP message')
      // The bad message is what the frames still hold; shown only where one chunk holds all of it.
      const from = this.#newest.length - this.#frames.buffered
      const firstBytes = from < 0 ? new Uint8Array() : this.#newest.subarray(from)
      const bytes = this.#ports.refuse(error, firstBytes)
      if (bytes !== undefined) this.#answers.push({ bytes })
    } catch (bug) {
      log.error({ err: bug, ...this.#who() }, 'request failed: connection ended')
    }
    this.end()
  }

  /** Writes the answers gathered, in one piece. */
  #write(): void {
    if (this.#flush !== undefined) clearImmediate(this.#flush)
    this.#flush = undefined
    if (this.#answers.length === 0) return
    const answers = this.#answers
    this.#answers = []
    this.#answerBytes = 0
    if (this.#socket.destroyed) {
      this.#wipe(answers)
      return
    }
    const [first, ...others] = answers
    const together = others.length > 0
    const bytes = together ? Buffer.concat(answers.map((answer) => answer.bytes)) : first?.bytes
    if (together) this.#wipe(answers)
    if (this.#writes++ === 0) this.#unreadSince = this.#clock.now()
    const room = this.#socket.write(bytes ?? new Uint8Array(), () => {
      if (together) bytes?.fill(0)
      else this.#wipe(answers)
      this.#writes--
      this.#unreadSince = this.#endedAt = this.#clock.now()
    })
    if (!room) this.#blocked ??= Promise.withResolvers()
  }

  #wipe(answers: readonly Answer[]): void {
    for (const answer of answers) answer.wipe?.()
  }

  #unblock(): void {
    this.#blocked?.resolve()
    this.#blocked = undefined
  }

  #who(): object {
    return { client: this.principal.name, remoteAddress: this.remoteAddress }
  }
}
