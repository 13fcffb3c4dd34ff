/** Connecting to a KMIP server over TLS, and refusing one that is not the server that was meant. */
import { isIP } from 'node:net'
import {
  connect,
  type ConnectionOptions as TlsOptions,
  type SecureVersion,
  type TLSSocket,
} from 'node:tls'
import { Connection } from './connection.ts'
import { ConnectionError } from './errors.ts'
import { serverCertificateError } from './server-certificate.ts'
import { checkOptions, optionsError, type CheckedOptions } from './usable-options.ts'

type Pem = string | Buffer

/** Whom to trust as the server. */
export type ServerTrust =
  /** The CA certificates, of which one must have issued the server's. */
  | { readonly ca: Pem | Pem[]; readonly acceptAnyServer?: false }
  /** Talks to whoever answers; for diagnosis only. */
  | { readonly ca?: Pem | Pem[]; readonly acceptAnyServer: true }

/** Whom to connect to, as whom, and for how long to wait. */
export type ConnectionOptions = ServerTrust & {
  /** Name or address; the server's certificate must carry it. */
  readonly host: string
  /** 5696 when absent. */
  readonly port?: number
  /** The client's certificate (with its chain) and key in PEM, or both as PKCS#12 in `pfx`. */
  readonly cert?: Pem | Pem[]
  readonly key?: Pem | Pem[]
  readonly pfx?: Buffer
  /** Of `key` or `pfx`. */
  readonly passphrase?: string
  /** The name that the server's certificate must carry, where it is not `host`. */
  readonly servername?: string
  readonly minVersion?: SecureVersion
  readonly maxVersion?: SecureVersion
  readonly ciphers?: string
  readonly timeouts?: Timeouts
  /** Length of the longest answer taken, in bytes; 16 MiB when absent. */
  readonly maxAnswerBytes?: number
}

/** In milliseconds. */
export interface Timeouts {
  /** For TCP and TLS together; 10 000 when absent. */
  readonly connect?: number
  /** For an answer, from its request or from the answer before it; 30 000 when absent. */
  readonly answer?: number
  /** For the server to close its side when this client closes; 2 000 when absent. */
  readonly close?: number
}

/** Where a TLS session is kept between connections, so that the next one needs no full handshake. */
export interface SessionStore {
  session?: Buffer
}

/**
 * Connects and checks the server's certificate. Rejects with ConnectionError: `unreachable`,
 * `handshake`, `server-certificate`, `timeout`, or `options` naming the one that cannot be used.
 */
export async function openConnection(
  options: ConnectionOptions,
  store: SessionStore = {},
): Promise<Connection> {
  const { host, port = 5696, servername = host } = options
  const { ca, cert, key, pfx, passphrase, minVersion, maxVersion, ciphers } = options
  const tlsOptions: TlsOptions & { noDelay: boolean } = {
    host,
    port,
    ...given({ ca, cert, key, pfx, passphrase, minVersion, maxVersion, ciphers }),
    ...(store.session && { session: store.session }),
    // An address is never sent as a server name (RFC 6066 §3); the certificate must carry it all the same.
    ...(isIP(servername) === 0 && { servername }),
    // The verdict is ours, below, before anything is sent: see serverCertificateError.
    rejectUnauthorized: false,
    noDelay: true,
  }
  const socket = socketTo(tlsOptions, { ...options, port })
  socket.on('session', (session) => (store.session = session))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const time = options.timeouts?.connect ?? 10_000
  const timer = setTimeout(() => {
    reject(new ConnectionError('timeout', `${host}:${port} did not answer within ${time} ms`))
  }, time)
  let reached = false
  socket.once('connect', () => (reached = true))
  const failed = (cause?: Error) => reject(cannotConnect(host, port, reached, cause))
  socket.once('error', failed)
  socket.once('close', () => failed())
  socket.once('secureConnect', resolve)
  try {
    await promise
    const refused = serverCertificateError(socket, host, port)
    if (refused !== undefined && options.acceptAnyServer !== true) throw refused
  } catch (error) {
    delete store.session
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
  return new Connection(socket, {
    server: serverText(options),
    answerTime: options.timeouts?.answer ?? 30_000,
    closeTime: options.timeouts?.close ?? 2_000,
    maxAnswerBytes: options.maxAnswerBytes ?? 16 * 1024 * 1024,
  })
}

/** A socket that connects. Throws ConnectionError `options`. */
function socketTo(tlsOptions: TlsOptions, options: CheckedOptions): TLSSocket {
  checkOptions(options)
  try {
    return connect(tlsOptions)
  } catch (cause) {
    throw optionsError(options, cause)
  }
}

/** `host:port`, for error messages. */
export const serverText = ({ host, port = 5696 }: ConnectionOptions): string => `${host}:${port}`

/** The options that are present: node:tls takes an undefined one for a value. */
const given = (options: object) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

function cannotConnect(host: string, port: number, reached: boolean, cause?: Error) {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  const why = handshakeProblems[code ?? ''] ?? code ?? 'connection closed'
  return reached
    ? new ConnectionError('handshake', `TLS handshake with ${host}:${port} failed: ${why}`, {
        cause,
      })
    : new ConnectionError('unreachable', `cannot reach ${host}:${port}: ${why}`, { cause })
}

const handshakeProblems: Readonly<Record<string, string>> = {
  ECONNRESET: 'the server closed the connection',
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the name is unknown',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not speak TLS',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the server allows none of our TLS versions',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE':
    'the server allows none of our ciphers, or wants a certificate',
}
