/** One TLS connection to a KMIP server: messages out, answers back in the same order. */
import type { TLSSocket } from 'node:tls'
import { DecodeError, Frames } from 'ttlv-codec'
import { ConnectionError, type ConnectionErrorCode } from './errors.ts'

/** What the handshake agreed on. */
export interface TlsDetails {
  readonly protocol: string
  readonly cipher: string
  /** Key agreement group, such as `X25519MLKEM768`; undefined where the runtime does not say. */
  readonly group: string | undefined
  readonly resumed: boolean
  /** SHA-256 of the server's certificate. */
  readonly serverFingerprint: string | undefined
  /** How long the two certificates are valid; undefined where none was shown. */
  readonly validity: {
    readonly server: Validity | undefined
    readonly client: Validity | undefined
  }
}

/** From when to when a certificate is valid. */
export interface Validity {
  readonly from: Date
  readonly to: Date
}

interface Waiting {
  resolve(answer: Uint8Array): void
  reject(error: ConnectionError): void
}

interface ConnectionSettings {
  /** For error messages. */
  readonly server: string
  /** Milliseconds. */
  readonly answerTime: number
  readonly closeTime: number
  readonly maxAnswerBytes: number
}

/** Made by `openConnection`. After its first error it is closed for good. */
export class Connection {
  readonly tls: TlsDetails
  readonly #socket: TLSSocket
  readonly #settings: ConnectionSettings
  readonly #frames: Frames
  readonly #waiting: Waiting[] = []
  readonly #closed: Promise<void>
  #timer: NodeJS.Timeout | undefined
  #failure: ConnectionError | undefined
  #closing = false
  #answered = 0

  /** Takes over a socket whose handshake is done. */
  constructor(socket: TLSSocket, settings: ConnectionSettings) {
    this.#socket = socket
    this.#settings = settings
    this.#frames = new Frames({ maxBytes: settings.maxAnswerBytes })
    this.tls = {
      protocol: socket.getProtocol() ?? '',
      cipher: socket.getCipher().standardName,
      group: (socket.getEphemeralKeyInfo() as { name?: string } | null)?.name,
      resumed: socket.isSessionReused(),
      serverFingerprint: socket.getPeerX509Certificate()?.fingerprint256,
      validity: {
        server: validityOf(socket.getPeerX509Certificate()),
        client: validityOf(socket.getX509Certificate()),
      },
    }
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    socket.on('error', (cause) => this.#fail('lost', this.#lost(cause), cause))
    socket.on('end', () => this.#fail('lost', this.#lost()))
    socket.on('close', () => this.#fail('lost', this.#lost()))
  }

  /** Whether a message can be sent. */
  get isOpen(): boolean {
    return this.#failure === undefined && !this.#closing
  }

  /**
   * Sends one whole message at once, also while earlier ones are unanswered, and resolves to its
   * answer (a view). Rejects with ConnectionError; every message behind it then fails too.
   */
  send(message: Uint8Array): Promise<Uint8Array> {
    if (this.#failure !== undefined) {
      const { code, message: text, cause } = this.#failure
      return Promise.reject(new ConnectionError(code, text, { cause }))
    }
    if (this.#closing)
      return Promise.reject(new ConnectionError('closed', 'this connection was closed'))
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    this.#waiting.push({ resolve, reject })
    if (this.#waiting.length === 1) this.#expect()
    this.#socket.write(message)
    return promise
  }

  /** Closes when the answers under way are here; resolves when the socket is closed. */
  async close(): Promise<void> {
    this.#closing = true
    if (this.#waiting.length === 0) this.#end()
    await this.#closed
    clearTimeout(this.#timer)
  }

  /** Closes at once; what is awaited is lost. */
  cut(): void {
    this.#fail('closed', 'this connection was closed')
    clearTimeout(this.#timer)
  }

  /** The answer time begins: at the first request, and at each answer while others are awaited. */
  #expect(): void {
    const { answerTime, server } = this.#settings
    if (this.#timer !== undefined) this.#timer.refresh()
    else
      this.#timer = setTimeout(() => {
        if (this.#waiting.length > 0)
          this.#fail('timeout', `${server} did not answer within ${answerTime} ms`)
      }, answerTime).unref()
  }

  #data(chunk: Uint8Array): void {
    try {
      this.#frames.push(chunk)
      for (let answer = this.#frames.next(); answer !== undefined; answer = this.#frames.next()) {
        const waiting = this.#waiting.shift()
        if (waiting === undefined) throw new DecodeError('trailing', 'an answer to no request')
        this.#answered++
        if (this.#waiting.length > 0) this.#expect()
        waiting.resolve(answer)
      }
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : String(cause)
      this.#fail('no-kmip', `${this.#settings.server} sent no KMIP answer: ${problem}`, cause)
    }
    if (this.#closing && this.#waiting.length === 0) this.#end()
  }

  #end(): void {
    this.#socket.end()
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#socket.destroy(), this.#settings.closeTime).unref()
  }

  #lost(cause?: Error): string {
    const { server } = this.#settings
    const code = (cause as NodeJS.ErrnoException | undefined)?.code
    const why = code === undefined ? '' : ` (${code})`
    if (this.#frames.buffered > 0)
      return `${server} closed the connection in the middle of an answer${why}`
    if (this.#answered > 0) return `connection to ${server} lost${why}`
    return `${server} closed the connection without an answer${why}: its log says whether it refused our certificate`
  }

  #fail(code: ConnectionErrorCode, message: string, cause?: unknown): void {
    if (this.#failure === undefined) {
      this.#failure = new ConnectionError(code, message, { cause })
      clearTimeout(this.#timer)
      for (const waiting of this.#waiting.splice(0))
        waiting.reject(new ConnectionError(code, message, { mayHaveRun: true, cause }))
    }
    this.#socket.destroy()
  }
}

function validityOf(
  certificate: { validFromDate: Date; validToDate: Date } | undefined,
): Validity | undefined {
  return certificate && { from: certificate.validFromDate, to: certificate.validToDate }
}
