/**
 * One HTTPS connection of an identified client: POST a message, get its answer in the encoding it came
 * in (KMIP Profiles 2.1 "HTTPS"). node:http cuts the bytes into requests; times, limits, order
 * and ends are those of the binary port, kept here.
 */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Limits as DecodeLimits } from 'ttlv-codec'
import type { Contact } from './contacts.ts'
import { answerInKind } from './http-answers.ts'
import { judgeHead, tooLong, type HttpRefusal } from './http-requests.ts'
import type { Limits } from './limits.ts'
import type { OpenSession, SessionOptions } from './open-session.ts'
import type { Answer, ClientName, Clock, ListenerPorts, PeerCertificate, Session } from './ports.ts'

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** In HTTP's own words. */
const plainText = { 'Content-Type': 'text/plain; charset=utf-8' }

/**
 * Owns its socket as `LiveSession` does; `take` is called with each request that node:http has cut.
 * While others wait behind the one that is answered nothing more is read: those that wait were in
 * the bytes that had been read by then (64 KiB and a record of TLS), and all of them are answered.
 */
export class HttpSession<Principal extends ClientName> implements OpenSession<Principal> {
  principal: Principal
  contact: Contact
  readonly certificate: PeerCertificate
  readonly remoteAddress: string
  readonly tls: Session['tls']
  readonly since: number
  readonly #socket: TLSSocket
  readonly #ports: ListenerPorts<Principal>
  readonly #limits: Limits
  readonly #decoding: DecodeLimits
  readonly #clock: Clock
  readonly #path: string
  readonly #line: Exchange[] = []
  /** `draining`: what has arrived is answered, then the connection ends. `ended`: our side is closed. */
  #state: 'open' | 'draining' | 'ended' = 'open'
  #phase: 'waiting' | 'reading' | 'answering' | 'writing' = 'waiting'
  /** When the phase began; in `waiting` also when a request was last heard of. */
  #phaseSince: number
  /** Bytes that came before the request now awaited, and when the first of its own was noticed. */
  #bytesBefore: number
  #partialSince: number | undefined
  /** A request came that is not taken any more. */
  #passedOver = false
  /** What came behind the line is no HTTP; the status to end with once the line is answered. */
  #broken: { readonly status: number | undefined } | undefined
  #endedAt = 0

  constructor(options: SessionOptions<Principal>, path: string) {
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
    this.#socket = socket
    this.#ports = ports
    this.#limits = limits
    this.#decoding = {
      maxBytes: limits.messageBytes,
      maxDepth: limits.messageDepth,
      maxItems: limits.messageItems,
    }
    this.#clock = clock
    this.#path = path
    this.#phaseSince = clock.now()
    this.#bytesBefore = socket.bytesRead - socket.readableLength
    // A client may close its side right after a request and still wants the answer.
    socket.allowHalfOpen = true
    socket.on('error', (error) => {
      ports.log.debug({ err: error, ...this.#who() }, 'connection failed')
      this.cut()
    })
    socket.on('close', () => {
      this.#state = 'ended'
      options.closed()
    })
  }

  /** Takes one request; they are answered one at a time, in order. */
  take(exchange: Exchange): void {
    if (this.#state === 'open') {
      this.#line.push(exchange)
      if (this.#line.length === 1) void this.#run()
    } else this.#passedOver = true
    this.holdBack()
  }

  /** Stops reading while more has arrived than is being answered. node:http reads on by itself after each request. */
  holdBack(): void {
    if (this.#isFull()) this.#socket.pause()
  }

  /** Ends after bytes that are no HTTP request, once the requests before them are answered. */
  refuse(error: NodeJS.ErrnoException): void {
    if (this.#state === 'ended' || this.#socket.destroyed || this.#broken !== undefined) return
    // It went away in the middle of a request, as clients do, or went on after the last one it announced.
    const isSilent = ['HPE_INVALID_EOF_STATE', 'HPE_CLOSED_CONNECTION'].includes(error.code ?? '')
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
    if (!isSilent) this.#ports.log.warn({ code: error.code, ...this.#who() }, 'no HTTP request')
    this.#broken = { status: isSilent ? undefined : status }
    this.#state = 'draining'
    if (this.#line.at(-1)?.request.complete === false) this.#line.pop()
    if (this.#line.length > 0) return
    if (isSilent) this.cut()
    else this.#endDrained()
  }

  /** Answers the requests that have arrived, then ends with close_notify. */
  drain(): void {
    if (this.#state === 'ended') return
    this.#state = 'draining'
    if (this.#line[0]?.request.complete !== true) this.#end()
  }

  /** Closes at once; an answer that has not left is lost and its bytes are cleared. */
  cut(): void {
    this.#socket.destroy()
  }

  /** Closes a connection that has passed one of its times. */
  sweep(): void {
    const now = this.#clock.now()
    const limits = this.#limits
    const passed = (since: number, time: number): boolean => now - since >= time
    if (this.#phase === 'writing') {
      if (!passed(this.#phaseSince, limits.unreadAnswerTime)) return
      this.#ports.log.warn(this.#who(), 'client does not read its answer: connection cut')
      this.cut()
    } else if (this.#state === 'ended') {
      if (passed(this.#endedAt, limits.lingerTime)) this.cut()
    } else if (this.#phase !== 'answering') {
      if (this.#socket.bytesRead > this.#bytesBefore) this.#partialSince ??= now
      if (this.#partialSince === undefined) {
        if (passed(this.#phaseSince, limits.idleTime)) this.#end()
      } else if (passed(this.#partialSince, limits.partialMessageTime)) {
        this.#ports.log.warn(this.#who(), 'client did not finish its message: connection ended')
        this.#endWith(408)
      }
    }
  }

  /** Answers every request in line. Does not reject. */
  async #run(): Promise<void> {
    for (;;) {
      const [exchange] = this.#line
      if (this.#state === 'ended' || this.#socket.destroyed) return
      if (this.#state === 'draining' && exchange?.request.complete !== true) break
      if (exchange === undefined) return
      try {
        await this.#serve(exchange)
      } catch (error) {
        await this.#fail(exchange, error)
      }
      this.#line.shift()
      this.#enter('waiting')
      this.#partialSince = undefined
      this.#bytesBefore = this.#socket.bytesRead
      if (!this.#isFull() && this.#socket.isPaused()) this.#socket.resume()
    }
    this.#endDrained()
  }

  async #serve({ request, response }: Exchange): Promise<void> {
    this.#enter('reading')
    this.#partialSince ??= this.#clock.now()
    const judged = judgeHead(request, { path: this.#path, maxBytes: this.#limits.messageBytes })
    if ('refusal' in judged) return this.#decline(request, response, judged.refusal)
    if (request.headers.expect !== undefined) response.writeContinue()
    const body = await this.#bodyOf(request)
    if (body === 'gone') return this.cut()
    if (body === 'too long') {
      const refusal = { status: 413, text: tooLong(this.#limits.messageBytes) }
      return this.#decline(request, response, refusal)
    }
    this.contact.requests++
    this.contact.lastContact = this.#clock.date()
    this.#enter('answering')
    const { encoding } = judged
    const answer = await answerInKind(body, encoding, {
      session: this,
      ports: this.#ports,
      limits: this.#decoding,
      who: this.#who(),
    })
    await this.#send(response, 200, { 'Content-Type': encoding.contentType }, answer)
  }

  /** The whole body; found too long as soon as it is. */
  async #bodyOf(request: IncomingMessage): Promise<Uint8Array | 'too long' | 'gone'> {
    const chunks: Uint8Array[] = []
    let length = 0
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        const bytes = chunk as Uint8Array
        length += bytes.length
        if (length > this.#limits.messageBytes) return 'too long'
        chunks.push(bytes)
      }
    } catch (error) {
      this.#ports.log.debug({ err: error, ...this.#who() }, 'client went away within a request')
      return 'gone'
    }
    return Buffer.concat(chunks, length)
  }

  /** An error of our own: the client hears that there was one, and where to look it up. */
  async #fail({ request, response }: Exchange, error: unknown): Promise<void> {
    const correlation = randomUUID()
    const fields = { err: error, correlation, ...this.#who() }
    this.#ports.log.error(fields, 'a request failed for a reason of our own')
    if (response.headersSent || this.#state === 'ended') {
      this.cut()
      return
    }
    const bytes = Buffer.from(`internal error, see the server's log under ${correlation}\n`)
    await this.#send(response, 500, plainText, { bytes, close: !request.complete })
  }

  /** Answers in HTTP's own words and ends, once the client has stopped sending or `lingerTime` is over. */
  async #decline(
    request: IncomingMessage,
    response: ServerResponse,
    { status, text, headers }: HttpRefusal,
  ): Promise<void> {
    this.#ports.log.warn({ status, problem: text, ...this.#who() }, 'HTTP request refused')
    const bytes = Buffer.from(`${text}\n`)
    response.writeHead(status, {
      ...headers,
      ...plainText,
      'Content-Length': bytes.length,
      'Cache-Control': 'no-cache',
      Connection: 'close',
    })
    // Whole for the client, while what it still sends is passed over: a reset would cost it the answer.
    response.write(bytes)
    this.#state = 'ended'
    this.#endedAt = this.#clock.now()
    request.resume()
    if (!request.complete) {
      await new Promise((resolve) => request.once('end', resolve).once('close', resolve))
    }
    this.#socket.end()
  }

  async #send(
    response: ServerResponse,
    status: number,
    headers: Readonly<Record<string, string>>,
    { bytes, close, wipe }: Answer,
  ): Promise<void> {
    if (this.#socket.destroyed) {
      wipe?.()
      return
    }
    this.#enter('writing')
    const isLastDrained = this.#state === 'draining' && this.#line.length === 1 && !this.#broken
    const isLast = close === true || isLastDrained || !response.shouldKeepAlive
    if (isLast) response.shouldKeepAlive = false
    const { promise, resolve } = Promise.withResolvers<void>()
    response.once('finish', resolve).once('close', resolve)
    response.writeHead(status, {
      ...headers,
      'Content-Length': bytes.length,
      'Cache-Control': 'no-cache',
    })
    // After the end of a last response node:http would close at once, and a reset could cost the client its answers.
    if (isLast) response.write(bytes, () => resolve())
    else response.end(bytes)
    await promise
    wipe?.()
    if (isLast) this.#end()
  }

  #isFull(): boolean {
    return this.#line.length > 1 || this.#passedOver
  }

  #enter(phase: 'waiting' | 'reading' | 'answering' | 'writing'): void {
    this.#phase = phase
    this.#phaseSince = this.#clock.now()
  }

  #endDrained(): void {
    if (this.#broken?.status === undefined) this.#end()
    else this.#endWith(this.#broken.status)
  }

  /** Ends with a bare status line, which no response object can say any more. */
  #endWith(status: number): void {
    const line = `HTTP/1.1 ${status} ${STATUS_CODES[status]}`
    this.#socket.write(`${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    this.#end()
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#endedAt = this.#clock.now()
    this.#socket.end()
  }

  #who(): object {
    return { client: this.principal.name, remoteAddress: this.remoteAddress }
  }
}
