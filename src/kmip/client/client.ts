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
import {
  decodeResponse,
  encodeRequest,
  type BatchItem,
  type BatchResults,
  type ItemResult,
  type Payload,
  type RequestOptions,
} from './batch.ts'
import type { TlsDetails } from './connection.ts'
import { ConnectionError } from './errors.ts'
import { Link, type Reconnect } from './link.ts'
import { negotiate } from './negotiate.ts'
import type { ConnectionOptions } from './open-connection.ts'

export type { BatchItem, BatchResults, ItemResult, Payload } from './batch.ts'
export type { TlsDetails, Validity } from './connection.ts'
export { ConnectionError, ResultError } from './errors.ts'
export type { ConnectionErrorCode } from './errors.ts'
export type { Reconnect } from './link.ts'
export { inClear, materialOf } from './material.ts'
export type { ConnectionOptions, ServerTrust, Timeouts } from './open-connection.ts'
export { CryptographicUsageMask, ProtectionStorageMask, StorageStatusMask } from '../model/masks.ts'
export type { OperationName, ResponsePayload } from '../model/payloads/index.ts'

/** Username and Password, sent with every request besides the certificate (KMIP 2.1 §9.11). */
export interface UserCredential {
  readonly username: string
  readonly password?: string
}

/** Everything `connect` can be told. */
export type ClientOptions = ConnectionOptions & {
  /** Versions to speak, best first; the first that the server has too is taken. All when absent. */
  readonly versions?: readonly VersionText[]
  readonly credential?: UserCredential
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
}

/** For one batch. */
export interface BatchOptions extends CallOptions {
  /** What the server does after an item fails; `Stop` when absent (KMIP 2.1 §9.6). */
  readonly onError?: 'Continue' | 'Stop' | 'Undo'
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
  readonly #authentication: RequestOptions['authentication']

  constructor(link: Link, options: ClientOptions, version: Version) {
    this.version = version
    this.#link = link
    this.#authentication = authentication(options.credential)
  }

  /** What the newest handshake agreed on. */
  get tls(): TlsDetails | undefined {
    return this.#link.tls
  }

  /**
   * One operation. Rejects with ResultError when the server does not do it, ConnectionError when
   * there is no answer, EncodeError for a payload that the version cannot say.
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
    const { safe = false, ...requested } = options
    const request = encodeRequest(items, this.version, {
      ...requested,
      ...(this.#authentication && { authentication: this.#authentication }),
    })
    const answer = await this.#link.send(request, { safe })
    return decodeResponse(answer, items, this.version).results
  }

  /** Sends a whole message as it is, and resolves to the whole answer. */
  send(message: Uint8Array, { safe = false }: Pick<CallOptions, 'safe'> = {}): Promise<Uint8Array> {
    return this.#link.send(message, { safe })
  }

  /** Closes the connection once the requests under way are answered. */
  close(): Promise<void> {
    return this.#link.close()
  }
}

function authentication(
  credential: UserCredential | undefined,
): RequestOptions['authentication'] | undefined {
  if (credential === undefined) return undefined
  const { username, password } = credential
  const CredentialValue = {
    Username: username,
    ...(password !== undefined && { Password: password }),
  }
  return { Credential: [{ CredentialType: 'UsernameAndPassword', CredentialValue }] }
}
