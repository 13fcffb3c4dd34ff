/**
 * One HTTPS connection of an identified client: POST a message, get its answer in the encoding it came
 * in (KMIP Profiles 2.1 "HTTPS"). node:http cuts the bytes into requests; times, limits, order
 * and ends are those of the binary port, kept here.
 */
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { DecodeError, EncodeError, type Limits as DecodeLimits } from 'ttlv-codec'
import type { BodyEncoding } from './body-encodings.ts'
import type { Contact } from './contacts.ts'
import { judgeHead, tooLong, type HttpRefusal } from './http-requests.ts'
import type { Limits } from './limits.ts'
import type { OpenSession, SessionOptions } from './open-session.ts'
import type { Answer, ClientName, Clock, ListenerPorts, PeerCertificate, Session } from './ports.ts'

/** Requests sent ahead while one is answered; beyond it the connection is cut. */
const longestLine = 16

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Owns its socket as `LiveSession` does; `take` is called with each request that node:http has cut. */
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
  /** `draining`: the request that has arrived is answered, then the connection ends. `ended`: our side is closed. */
  #state: 'open' | 'draining' | 'ended' = 'open'
  #phase: 'waiting' | 'reading' | 'answering' | 'writing' = 'waiting'
  /** When the phase began; in `waiting` also when a request was last heard of. */
  #phaseSince: number
  /** Bytes that came before the request now awaited, and when the first of its own was noticed. */
  #bytesBefore: number
  #partialSince: number | undefined
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
    if (this.#state !== 'open') return
    this.#line.push(exchange)
    if (this.#line.length > longestLine) {
      this.#ports.log.warn(this.#who(), 'too many requests sent ahead: connection cut')
      this.cut()
    } else if (this.#line.length === 1) void this.#run()
  }

  /** Ends after bytes that are no HTTP request. */
  refuse(error: NodeJS.ErrnoException): void {
    if (this.#state === 'ended' || this.#socket.destroyed) return
    if (error.code === 'HPE_INVALID_EOF_STATE') {
      // It went away in the middle of a request, as clients do.
      this.cut()
      return
    }
    this.#ports.log.warn({ code: error.code, ...this.#who() }, 'no HTTP request')
    this.#endWith(error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400)
  }

  /** Answers the request that has arrived, then ends with close_notify. */
  drain(): void {
    if (this.#state === 'ended') return
    this.#state = 'draining'
    if (this.#phase === 'waiting' || this.#phase === 'reading') this.#end()
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
      if (exchange === undefined || this.#state === 'ended') break
      try {
        await this.#serve(exchange)
      } catch (error) {
        // A client that went away in the middle of its request is not there to be answered.
        if (!this.#socket.destroyed && !exchange.request.destroyed) {
          this.#ports.log.error({ err: error, ...this.#who() }, 'request failed: connection ended')
        }
        this.cut()
        break
      }
      this.#line.shift()
      this.#enter('waiting')
      this.#partialSince = undefined
      this.#bytesBefore = this.#socket.bytesRead
      if (this.#state === 'draining') this.#end()
    }
  }

  async #serve({ request, response }: Exchange): Promise<void> {
    this.#enter('reading')
    this.#partialSince ??= this.#clock.now()
    const judged = judgeHead(request, { path: this.#path, maxBytes: this.#limits.messageBytes })
    if ('refusal' in judged) return this.#decline(request, response, judged.refusal)
    if (request.headers.expect !== undefined) response.writeContinue()
    const body = await this.#bodyOf(request)
    if (body === undefined) {
      const refusal = { status: 413, text: tooLong(this.#limits.messageBytes) }
      return this.#decline(request, response, refusal)
    }
    this.contact.requests++
    this.contact.lastContact = this.#clock.date()
    this.#enter('answering')
    const { encoding } = judged
    const answer = await this.#answer(encoding, body)
    await this.#send(response, 200, { 'Content-Type': encoding.contentType }, answer)
  }

  /** The whole body, or undefined as soon as it is too long. */
  async #bodyOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const bytes = chunk as Uint8Array
      length += bytes.length
      if (length > this.#limits.messageBytes) return undefined
      chunks.push(bytes)
    }
    return Buffer.concat(chunks, length)
  }

  /** The answer in the encoding of its request. */
  async #answer(encoding: BodyEncoding, body: Uint8Array): Promise<Answer> {
    let message: Uint8Array
    try {
      message = encoding.toTtlv(body, this.#decoding)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      return this.#noMessage(error, encoding.headOf(body, this.#decoding), encoding)
    }
    const answer = await this.#ports.respond(message, this)
    let bytes: Uint8Array
    try {
      bytes = encoding.fromTtlv(answer.bytes)
    } catch (error) {
      answer.wipe?.()
      if (!(error instanceof EncodeError)) throw error
      const reason = `done, but ${encoding.contentType} cannot carry the answer: ${error.message}`
      return this.#noMessage(new DecodeError('value', reason), message, encoding)
    }
    if (bytes === answer.bytes) return answer
    answer.wipe?.()
    return { bytes, wipe: () => bytes.fill(0), ...(answer.close === true && { close: true }) }
  }

  #noMessage(error: DecodeError, firstBytes: Uint8Array, encoding: BodyEncoding): Answer {
    const { log, refuse } = this.#ports
    log.warn({ code: error.code, problem: error.message, ...this.#who() }, 'no KMIP message')
    const refusal = refuse(error, firstBytes)
    if (refusal === undefined) throw error
    return { bytes: encoding.fromTtlv(refusal) }
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
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': bytes.length,
      'Cache-Control': 'no-cache',
      Connection: 'close',
    })
    // Whole for the client, while what it still sends is passed over: a reset would cost it the answer.
    response.write(bytes)
    this.#state = 'ended'
    this.#endedAt = this.#clock.now()
    request.resume()
    if (!request.complete) await once(request, 'end')
    response.end()
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
    if (close === true || this.#state === 'draining') response.shouldKeepAlive = false
    const { promise, resolve } = Promise.withResolvers<void>()
    response.once('finish', resolve).once('close', resolve)
    response.writeHead(status, {
      ...headers,
      'Content-Length': bytes.length,
      'Cache-Control': 'no-cache',
    })
    response.end(bytes)
    await promise
    wipe?.()
  }

  #enter(phase: 'waiting' | 'reading' | 'answering' | 'writing'): void {
    this.#phase = phase
    this.#phaseSince = this.#clock.now()
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
