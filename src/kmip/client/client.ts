/**
 * A KMIP client, for programs of your own as for keyreel's: connects over mutual TLS, agrees on a
 * version (KMIP 1.0–2.1), calls operations with typed payloads, one by one or in batches.
 *
 *     const client = await connect({ host: 'keys.example.org', ca, cert, key })
 *     const { UniqueIdentifier } = await client.call('Locate', { Attributes: [ … ] })
 *     await client.close()
 */
import type { Version, VersionText } from 'ttlv-codec'
import type { OperationName, ResponsePayload } from '../model/payloads/index.ts'
import { decodeAnswers, resultOf, type DecodedAnswers } from './answers.ts'
import {
  encodeRequest,
  type BatchItem,
  type BatchResults,
  type ItemResult,
  type Payload,
  type RequestOptions,
} from './batch.ts'
import type { TlsDetails } from './connection.ts'
import { Credentials, type ClientCredential } from './credentials.ts'
import { ConnectionError } from './errors.ts'
import { Link, type Reconnect } from './link.ts'
import { negotiate } from './negotiate.ts'
import type { ConnectionOptions } from './open-connection.ts'
import { Pending, type PollingClient } from './pending.ts'

export type { BatchItem, BatchResults, ItemResult, Payload } from './batch.ts'
export type { TlsDetails, Validity } from './connection.ts'
export type {
  AttestationCredential,
  ClientCredential,
  DeviceCredential,
  HashedPasswordCredential,
  OneTimePasswordCredential,
  TicketCredential,
  UserCredential,
} from './credentials.ts'
export { ConnectionError, ResultError } from './errors.ts'
export type { ConnectionErrorCode } from './errors.ts'
export type { Reconnect } from './link.ts'
export { inClear, materialOf } from './material.ts'
export type { ConnectionOptions, ServerTrust, Timeouts } from './open-connection.ts'
export { Pending, type Cancellation, type Waiting } from './pending.ts'
export { CryptographicUsageMask, ProtectionStorageMask, StorageStatusMask } from '../model/masks.ts'
export type { OperationName, ResponsePayload } from '../model/payloads/index.ts'

/** Everything `connect` can be told. */
export type ClientOptions = ConnectionOptions & {
  /** Versions to speak, best first; the first that the server has too is taken. All when absent. */
  readonly versions?: readonly VersionText[]
  /** Sent with every request besides the certificate (KMIP 2.1 §9.11). */
  readonly credential?: ClientCredential | readonly ClientCredential[]
  readonly reconnect?: Reconnect
}

/** For one request. */
export interface CallOptions {
  /** Whether it may be sent again after its answer was lost, although it may have been executed. */
  readonly safe?: boolean
  /** The longest answer wanted, in bytes (KMIP 2.1 §9.12). */
  readonly maximumResponseSize?: number
  /** A word of the caller's that the server notes; left out before KMIP 1.4 (KMIP 2.1 §9.9). */
  readonly clientCorrelationValue?: string
  /** In the place of the client's own, for this request: a One Time Password is good for one. */
  readonly credential?: ClientCredential | readonly ClientCredential[]
  /** The moment of the request, in seconds since 1970 (KMIP 2.1 §9.20). */
  readonly timeStamp?: bigint
  /** Kinds of attestation that can be given when the server asks for one (KMIP 2.1 §9.3). */
  readonly attestationTypes?: RequestOptions['attestationTypes']
}

/** For one batch. */
export interface BatchOptions extends CallOptions {
  /** What the server does after an item fails; `Stop` when absent (KMIP 2.1 §9.6). */
  readonly onError?: 'Continue' | 'Stop' | 'Undo'
  /** Lets the server take the items in any order; the ID Placeholder means nothing then (§9.7). */
  readonly anyOrder?: boolean
}

/** For requests to be done later. */
export interface StartOptions extends BatchOptions {
  /** `Mandatory` when absent; 1.x knows only `Optional`. */
  readonly asynchronous?: 'Optional' | 'Mandatory'
}

/** One of the items of a batch each. */
export type PendingItems<Items extends readonly BatchItem[]> = {
  -readonly [Index in keyof Items]: Pending<Items[Index]['operation']>
}

/**
 * Connects, once, and agrees on a version. Rejects with ConnectionError. Later a lost connection is
 * made again when something is to be sent; what may have been executed is never sent twice, unless
 * the call says that it is `safe`.
 */
export async function connect(options: ClientOptions): Promise<Client> {
  const link = new Link(options)
  try {
    await link.open(1)
    return new Client(link, options, await negotiate(link, options.versions))
  } catch (error) {
    await link.close()
    throw error
  }
}

/** Made by `connect`. Calls may overlap: they share one connection, and the server answers in order. */
export class Client {
  /** The version spoken, as a number (`versionText` of ttlv-codec spells it). */
  readonly version: Version
  readonly #link: Link
  readonly #credentials: Credentials
  /** When the next request may be written. */
  #turn: Promise<void> = Promise.resolve()
  readonly #polling: PollingClient = {
    poll: async (operation, correlation) => {
      const payload = { AsynchronousCorrelationValue: correlation }
      const [answer] = await this.#ask([{ operation: 'Poll', payload }], { safe: true })
      if (answer?.ResultStatus === 'OperationPending') return undefined
      const found = answer?.Operation
      if (answer?.ResultStatus !== 'Success' || found === operation) return resultOf(answer)
      throw new ConnectionError('no-kmip', `what was polled for is ${found}, not ${operation}`, {
        mayHaveRun: true,
      })
    },
    cancel: async (correlation) => {
      const payload = { AsynchronousCorrelationValue: correlation }
      return (await this.call('Cancel', payload, { safe: true })).CancellationResult
    },
  }

  constructor(link: Link, options: ClientOptions, version: Version) {
    this.version = version
    this.#link = link
    this.#credentials = new Credentials(options.credential)
  }

  /** What the newest handshake agreed on. */
  get tls(): TlsDetails | undefined {
    return this.#link.tls
  }

  /**
   * One operation. Rejects with ResultError when the server does not do it, ConnectionError when
   * there is no answer or what came cannot be it, EncodeError of ttlv-codec for a payload that the
   * version cannot say.
   */
  async call<Name extends OperationName>(
    operation: Name,
    payload: Payload<Name>,
    options: CallOptions = {},
  ): Promise<ResponsePayload<Name>> {
    const results = await this.batch([{ operation, payload } as BatchItem], options)
    const result = results[0] as ItemResult<Name> | undefined
    if (result?.status === 'Success') return result.payload
    if (result?.status === 'Failed') throw result.error
    throw new ConnectionError('no-kmip', `no answer to ${operation}`, { mayHaveRun: true })
  }

  /**
   * Several operations in one message, in order. An item without Unique Identifier takes that of
   * the item before it (ID Placeholder): `Locate` then `Get`, `Create` then `Get`. Rejects only
   * when the message as a whole fails, as `call` does; each item's outcome is in its result.
   */
  async batch<const Items extends readonly BatchItem[]>(
    items: Items,
    options: BatchOptions = {},
  ): Promise<BatchResults<Items>> {
    const answers = await this.#ask(items, options)
    return answers.map(resultOf) as BatchResults<Items>
  }

  /**
   * Hands an operation in to be done later. Its result is fetched from what this resolves to, or later,
   * by another process too, with `pending` and the correlation.
   */
  async start<Name extends OperationName>(
    operation: Name,
    payload: Payload<Name>,
    options: StartOptions = {},
  ): Promise<Pending<Name>> {
    const [pending] = await this.startBatch([{ operation, payload } as BatchItem], options)
    return pending as unknown as Pending<Name>
  }

  /** The same for several operations in one message. */
  async startBatch<const Items extends readonly BatchItem[]>(
    items: Items,
    { asynchronous = 'Mandatory', ...options }: StartOptions = {},
  ): Promise<PendingItems<Items>> {
    const answers = await this.#ask(items, { ...options, asynchronous })
    return items.map(({ operation }, at) => {
      const answer = answers[at]
      const { AsynchronousCorrelationValue: correlation } = answer ?? {}
      const isPending = answer?.ResultStatus === 'OperationPending' && correlation !== undefined
      const state = isPending ? { correlation } : { result: resultOf(answer) }
      return new Pending(this.#polling, operation, state)
    }) as unknown as PendingItems<Items>
  }

  /** What was handed in before, by its Asynchronous Correlation Value. */
  pending<Name extends OperationName>(operation: Name, correlation: Uint8Array): Pending<Name> {
    return new Pending(this.#polling, operation, { correlation })
  }

  /** Sends a whole message as it is, and resolves to the whole answer. */
  send(message: Uint8Array, { safe = false }: Pick<CallOptions, 'safe'> = {}): Promise<Uint8Array> {
    return this.#link.send(message, { safe })
  }

  /** Closes the connection once the requests under way are answered. */
  close(): Promise<void> {
    return this.#link.close()
  }

  /** The answers to items, each in the place of its item. */
  async #ask(
    items: readonly BatchItem[],
    { safe = false, credential, ...requested }: StartOptions,
  ): Promise<DecodedAnswers['answers']> {
    // Hashed passwords say moments that grow: requests leave in the order in which they were written.
    const sent = this.#turn.then(async () => {
      const { authentication, expected } = await this.#credentials.present(credential)
      const options = { ...requested, ...(authentication && { authentication }) }
      const request = encodeRequest(items, this.version, options)
      return { expected, answering: this.#link.send(request, { safe }) }
    })
    this.#turn = sent.then(
      () => undefined,
      () => undefined,
    )
    const { expected, answering } = await sent
    const answer = await answering
    const decoded = decodeAnswers(answer, items, this.version, this.#link.server)
    if (expected !== undefined && !provesIt(decoded, expected))
      throw new ConnectionError('server-password', 'the server does not know the password', {
        mayHaveRun: true,
      })
    return decoded.answers
  }
}

/** A server that has refused the password has nothing to prove; another one must prove that it knows it. */
function provesIt(
  { answers, serverHashedPassword: proof }: DecodedAnswers,
  expected: Uint8Array,
): boolean {
  if (proof !== undefined) return Buffer.compare(proof, expected) === 0
  return answers.every(
    (answer) => answer === undefined || answer.ResultStatus === 'OperationFailed',
  )
}
