/**
 * A connection on which the server sends and the client answers: made to the client's listener, or one of the
 * client's own that was turned round (KMIP 2.1 §6.1.54). Nothing is said before the other side is known.
 */
import type { Version, VersionText } from 'ttlv-codec'
import { version } from 'ttlv-codec'
import { decodeResponse } from '../kmip/client/answers.ts'
import type { Connection } from '../kmip/client/connection.ts'
import { ConnectionError, ResultError } from '../kmip/client/errors.ts'
import { negotiate } from '../kmip/client/negotiate.ts'
import { openConnection } from '../kmip/client/open-connection.ts'
import { newestFirst } from '../kmip/model/versions.ts'
import type { Outgoing } from './push-messages.ts'

/** Longest answer of a listener: it has nothing to say but yes or no. */
export const longestAnswer = 64 * 1024

/** Milliseconds: for connecting, for each answer, and for the other side to close. */
export type PushTimes = Readonly<Record<'connect' | 'answer' | 'close', number>>

/** The usual times. */
export const pushTimes: PushTimes = { connect: 5_000, answer: 10_000, close: 1_000 }

/** Where a client listens, and as whom the server comes. */
export interface ListenerAddress {
  readonly host: string
  readonly port: number
  readonly key: string[]
  readonly cert: string[]
  /** Throws for a certificate that is not the client's; asked before anything is sent. */
  readonly check: (fingerprint: string, ends: Date | undefined) => Promise<void>
  readonly times: PushTimes
  /** Agreed on when absent. */
  readonly kmip: VersionText | undefined
}

/** An open channel. */
export class PushChannel {
  readonly version: Version
  readonly #connection: Connection

  constructor(connection: Connection, spoken: Version) {
    this.#connection = connection
    this.version = spoken
  }

  /** Whether a message can be sent. */
  get isOpen(): boolean {
    return this.#connection.isOpen
  }

  /** Sends one message; resolves when it is taken. Rejects with ResultError when it is refused, else as `Connection.send`. */
  async send({ item, bytes }: Outgoing): Promise<void> {
    const answer = await this.#connection.send(bytes)
    const [result] = decodeResponse(answer, [item], this.version)
    if (result?.status === 'Failed') throw result.error
    if (result?.status !== 'Success')
      throw new ConnectionError('no-kmip', `no answer to ${item.operation}`, { mayHaveRun: true })
  }

  /** Closes at once. */
  cut(): void {
    this.#connection.cut()
  }
}

/** Connects to a listener, checks who it is, and agrees on a version. Rejects with ConnectionError. */
export async function openChannel(address: ListenerAddress): Promise<PushChannel> {
  const { host, port, key, cert, check, kmip, times } = address
  const connection = await openConnection({
    ...{ host, port, key, cert },
    // Who it is says its fingerprint, below.
    acceptAnyServer: true,
    timeouts: times,
    maxAnswerBytes: longestAnswer,
  })
  try {
    const { serverFingerprint = '', validity } = connection.tls
    await check(serverFingerprint, validity.server?.to)
    const wanted = kmip === undefined ? newestFirst.map(({ text }) => text) : [kmip]
    const spoken =
      kmip === undefined
        ? await negotiate({ send: (message) => connection.send(message) }, wanted)
        : version(kmip)
    return new PushChannel(connection, spoken)
  } catch (error) {
    connection.cut()
    throw error
  }
}

/** Whether the other side has understood the message and does not want it. */
export function isRefusal(error: unknown): error is ResultError {
  return error instanceof ResultError
}
