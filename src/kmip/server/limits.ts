/** Every limit of a listener, one row each: the bound, its unit and what happens beyond it. */
import { UserError } from '../../errors.ts'

interface LimitRow {
  readonly value: number
  readonly unit: 'connections' | 'bytes' | 'milliseconds' | 'lines' | 'items'
  readonly help: string
}

/** The table. Times are looked at once a second, so they end up to a second late. */
export const limitRows = {
  connections: {
    value: 4096,
    unit: 'connections',
    help: 'open connections in all, in every phase; further ones are closed as they arrive',
  },
  connectionsPerClient: {
    value: 256,
    unit: 'connections',
    help: 'open connections of one client; a further one is closed once its certificate is known',
  },
  handshakes: {
    value: 512,
    unit: 'connections',
    help: 'handshakes under way; further connections wait in line, and one that has said nothing makes room',
  },
  backlog: {
    value: 4096,
    unit: 'connections',
    help: 'connections the operating system keeps until they are accepted (it may keep fewer)',
  },
  handshakeTime: {
    value: 10_000,
    unit: 'milliseconds',
    help: 'from the start of a handshake until the client is identified; then the socket is closed',
  },
  silentTime: {
    value: 3_000,
    unit: 'milliseconds',
    help: 'how long a connection may say nothing in a handshake while others wait in line',
  },
  partialMessageTime: {
    value: 30_000,
    unit: 'milliseconds',
    help: 'from the first byte of a message to its last',
  },
  unreadAnswerTime: {
    value: 30_000,
    unit: 'milliseconds',
    help: 'for a client to take an answer; then the connection is cut',
  },
  idleTime: {
    value: 4 * 3_600_000,
    unit: 'milliseconds',
    help: 'a connection without a request is ended; libraries keep theirs open for hours, so not below 30 min',
  },
  lingerTime: {
    value: 2_000,
    unit: 'milliseconds',
    help: 'for the client to close its side after ours was closed',
  },
  drainTime: {
    value: 8_000,
    unit: 'milliseconds',
    help: 'for requests under way when the listener closes; then every connection is cut',
  },
  keepAliveTime: {
    value: 60_000,
    unit: 'milliseconds',
    help: 'silence after which TCP asks whether the client is still there; a dead one is noticed in about 70 s',
  },
  sessionTime: {
    value: 4 * 3_600_000,
    unit: 'milliseconds',
    help: 'for how long a TLS session may be resumed; the certificate is identified again each time',
  },
  ticketKeyTime: {
    value: 24 * 3_600_000,
    unit: 'milliseconds',
    help: 'after which the keys that protect session tickets are replaced',
  },
  messageBytes: {
    value: 1024 * 1024,
    unit: 'bytes',
    help: 'length of one request; a longer one is refused when it is announced, before it is read',
  },
  messageDepth: {
    value: 32,
    unit: 'items',
    help: 'structures within structures in one request',
  },
  messageItems: {
    value: 65_536,
    unit: 'items',
    help: 'TTLV items in one request',
  },
  batchItems: {
    value: 1024,
    unit: 'items',
    help: 'operations in one batch',
  },
  undoItems: {
    value: 200,
    unit: 'items',
    help: 'operations in one batch that is to be undone as a whole: it is one transaction, and others wait for it',
  },
  asynchronousRequests: {
    value: 4096,
    unit: 'items',
    help: 'batch items of one client that were handed in asynchronously, those with an answer too',
  },
  asynchronousBytes: {
    value: 16 * 1024 * 1024,
    unit: 'bytes',
    help: 'asynchronous requests and answers of one client in all; then no more are taken',
  },
  asynchronousTime: {
    value: 24 * 3_600_000,
    unit: 'milliseconds',
    help: 'until an asynchronous request and its answer are forgotten',
  },
  pollTime: {
    value: 1_000,
    unit: 'milliseconds',
    help: 'that a Poll waits for a result before it answers that there is none yet',
  },
  tickets: {
    value: 256,
    unit: 'items',
    help: 'tickets of one client (Login, Delegated Login) at a time',
  },
  ticketTime: {
    value: 24 * 3_600_000,
    unit: 'milliseconds',
    help: 'that a ticket lives at most, whatever Lease Time asks for',
  },
  waitingPushes: {
    value: 10_000,
    unit: 'items',
    help: 'objects about which something waits to be sent to one client; of further ones it is told nothing',
  },
  pushTime: {
    value: 24 * 3_600_000,
    unit: 'milliseconds',
    help: 'until what is to be sent to a client, and is not taken, is given up',
  },
  locatedItems: {
    value: 65_536,
    unit: 'items',
    help: 'identifiers in one answer to Locate; ask for more with Offset Items',
  },
  scannedObjects: {
    value: 100_000,
    unit: 'items',
    help: 'objects one Locate may look at when an attribute it asks for has no index',
  },
  scanTime: {
    value: 5_000,
    unit: 'milliseconds',
    help: 'for one Locate to look at objects when an attribute it asks for has no index',
  },
  peerQuestions: {
    value: 1000,
    unit: 'items',
    help: 'tapes that one peer may ask for in an hour; the next one is refused, and an alarm',
  },
  attributeInstances: {
    value: 256,
    unit: 'items',
    help: 'instances of one attribute on an object',
  },
  attributes: {
    value: 1024,
    unit: 'items',
    help: 'attribute instances on an object in all',
  },
  heldAnswerBytes: {
    value: 64 * 1024,
    unit: 'bytes',
    help: 'answers to pipelined requests gathered before they are written at once',
  },
  longWork: {
    value: 3,
    unit: 'items',
    help: 'key pairs made and keys derived by PBKDF2 at a time in all; further ones wait in line',
  },
  longWorkPerClient: {
    value: 2,
    unit: 'items',
    help: 'key pairs made and keys derived by PBKDF2 at a time for one client; its further ones wait',
  },
  streams: {
    value: 256,
    unit: 'items',
    help: 'cryptographic operations in parts that are open in all; a further one is refused',
  },
  streamsPerClient: {
    value: 32,
    unit: 'items',
    help: 'cryptographic operations in parts that one client may have open',
  },
  streamTime: {
    value: 10 * 60_000,
    unit: 'milliseconds',
    help: 'between two parts of a cryptographic operation; then it is given up',
  },
  streamBytes: {
    value: 2 ** 36,
    unit: 'bytes',
    help: 'data in all parts of one cryptographic operation; every mode is safe up to 64 GiB',
  },
  refusalLines: {
    value: 100,
    unit: 'lines',
    help: 'log lines a minute about connections that were refused; repeats are counted',
  },
} as const satisfies Record<string, LimitRow>

/** A name of the table. */
export type LimitName = keyof typeof limitRows

/** A value for every row; times in milliseconds. */
export type Limits = Readonly<Record<LimitName, number>>

/** The table's values with `changes`. Throws UserError `limit` for a value that is no positive integer. */
export function limits(changes: Partial<Limits> = {}): Limits {
  const values = Object.fromEntries(
    Object.entries(limitRows).map(([name, row]) => [name, row.value]),
  ) as Record<LimitName, number>
  for (const name of Object.keys(limitRows) as LimitName[]) {
    const value = changes[name]
    if (value === undefined) continue
    if (!Number.isSafeInteger(value) || value < 1)
      throw new UserError(
        'limit',
        `limit ${name} is ${value}, which is no whole number above 0`,
        `give ${name} in ${limitRows[name].unit}, or leave it out for ${limitRows[name].value}`,
      )
    values[name] = value
  }
  return values
}
