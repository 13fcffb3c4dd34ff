/**
 * The log of connections that were refused, bounded so that strangers cannot flood it: the first
 * refusal of an address, certificate and reason in a minute is written, its repeats are counted.
 */
import type { Clock, Log, PeerCertificate } from './ports.ts'

/** Why a connection was refused, and by whom it was tried. */
export interface Refusal {
  /** A stable word. */
  readonly reason: string
  readonly remoteAddress: string
  readonly certificate?: PeerCertificate
  /** More for the log, and in `why` the reason in words; never holds a secret. */
  readonly detail?: Readonly<Record<string, unknown>>
}

const window = 60_000
const longestName = 300

/** Counts every refusal and writes at most `lines` lines a minute, plus one for each that repeated. */
export class RefusalLog {
  readonly #log: Log
  readonly #clock: Clock
  readonly #lines: number
  readonly #seen = new Map<string, { fields: object; repeats: number }>()
  readonly #totals = new Map<string, number>()
  #unlisted = 0
  #windowStart: number

  constructor(log: Log, clock: Clock, lines: number) {
    this.#log = log
    this.#clock = clock
    this.#lines = lines
    this.#windowStart = clock.now()
  }

  /** Refusals by reason since the start. */
  get totals(): Record<string, number> {
    return Object.fromEntries(this.#totals)
  }

  write(refusal: Refusal): void {
    const { reason, remoteAddress, certificate, detail } = refusal
    this.#totals.set(reason, (this.#totals.get(reason) ?? 0) + 1)
    this.sweep()
    const key = `${reason} ${remoteAddress} ${certificate?.fingerprint256 ?? ''}`
    const seen = this.#seen.get(key)
    if (seen !== undefined) {
      seen.repeats++
      return
    }
    if (this.#seen.size >= this.#lines) {
      this.#unlisted++
      return
    }
    const fields = { reason, remoteAddress, ...names(certificate), ...detail }
    this.#seen.set(key, { fields, repeats: 0 })
    const words = reasonWords[reason] ?? detail?.why ?? reason
    this.#log.warn(fields, `connection refused: ${String(words)}`)
  }

  /** Ends the minute when it is over: writes the counts. */
  sweep(): void {
    const now = this.#clock.now()
    if (now - this.#windowStart < window) return
    this.#windowStart = now
    for (const { fields, repeats } of this.#seen.values())
      if (repeats > 0) this.#log.warn({ ...fields, times: repeats }, 'connection refused again')
    if (this.#unlisted > 0)
      this.#log.warn({ times: this.#unlisted }, 'further connections refused, not listed')
    this.#seen.clear()
    this.#unlisted = 0
  }
}

/** Subject, issuer and fingerprint for a log line, cut to a length: the peer chose them. */
export function names(certificate: PeerCertificate | undefined): object {
  if (certificate === undefined) return {}
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}

/** The runtime gives a name one attribute a line, and nothing at all for an empty name. */
const oneLine = (name: string | undefined) =>
  (name ?? '').split('\n').join(', ').slice(0, longestName)

/** Reasons in words for the person who reads the log: what happened, and where it helps what to do. */
const reasonWords: Readonly<Record<string, string>> = {
  'no-certificate': 'the client showed no certificate',
  'identity-unavailable': 'the certificate could not be looked up',
  'too-many-connections': 'too many connections in all',
  'too-many-of-client': 'too many connections of this client',
  'handshake-time': 'the handshake did not end in time',
  silent: 'the client said nothing while others waited',
  'closed-early': 'the client closed the connection during the handshake',
  ERR_SSL_HTTP_REQUEST: 'the client speaks HTTP without TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the client does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the client does not speak TLS',
  ERR_SSL_UNEXPECTED_MESSAGE: 'the client does not speak TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the client offers no TLS version that is allowed here',
  ERR_SSL_NO_SHARED_CIPHER: 'the client offers no cipher that is allowed here',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the client does not trust the CA of this server',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN':
    'the client does not accept the certificate of this server',
  'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE':
    'the client does not accept the certificate of this server',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED':
    'the client finds the certificate of this server expired',
}
