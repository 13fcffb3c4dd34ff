/** Requests that a server does later – KMIP 2.1 §6.1.5, §6.1.38, §9.2; KMIP 1.4 §4.26, §4.27. */
import { setTimeout as wait } from 'node:timers/promises'
import type { OperationName, ResponsePayload } from '../model/payloads/index.ts'
import type { ItemResult } from './batch.ts'
import { ConnectionError } from './errors.ts'

/** What became of a Cancel. */
export type Cancellation = ResponsePayload<'Cancel'>['CancellationResult']

/** How to wait for a result, in milliseconds. */
export interface Waiting {
  /** Between two Polls; 500 when absent. A server may wait as well before it answers one. */
  readonly every?: number
  /** Until it is given up; for ever when absent. The request itself goes on. */
  readonly within?: number
}

/** How a pending request reaches its server. */
export interface PollingClient {
  /** The result, or undefined while there is none. */
  poll(
    operation: OperationName,
    correlation: Uint8Array,
  ): Promise<ItemResult<OperationName> | undefined>
  cancel(correlation: Uint8Array): Promise<Cancellation>
}

/** One operation that was handed in to be done later. A server may have answered it at once all the same. */
export class Pending<Name extends OperationName> {
  readonly operation: Name
  /** Asynchronous Correlation Value, to ask with later; undefined when it was answered at once. */
  readonly correlation: Uint8Array | undefined
  readonly #client: PollingClient
  #result: ItemResult<Name> | undefined

  constructor(
    client: PollingClient,
    operation: Name,
    state: { correlation: Uint8Array } | { result: ItemResult<Name> },
  ) {
    this.#client = client
    this.operation = operation
    if ('correlation' in state) this.correlation = state.correlation
    else this.#result = state.result
  }

  /** Asks once; undefined while there is no result. What was answered once is not asked for again. */
  async poll(): Promise<ItemResult<Name> | undefined> {
    if (this.#result === undefined && this.correlation !== undefined)
      this.#result = (await this.#client.poll(this.operation, this.correlation)) as
        ItemResult<Name> | undefined
    return this.#result
  }

  /**
   * Asks until there is a result. Rejects with ResultError as a call does, and with ConnectionError
   * `timeout` when there is none within the time.
   */
  async result({ every = 500, within = Infinity }: Waiting = {}): Promise<ResponsePayload<Name>> {
    const until = performance.now() + within
    for (;;) {
      const result = await this.poll()
      if (result?.status === 'Success') return result.payload
      if (result?.status === 'Failed') throw result.error
      if (result?.status === 'NotRun')
        throw new ConnectionError('no-kmip', `no answer to ${this.operation}`, { mayHaveRun: true })
      if (performance.now() + every > until)
        throw new ConnectionError('timeout', `no result of ${this.operation} within ${within} ms`, {
          mayHaveRun: true,
        })
      await wait(every)
    }
  }

  /** Takes it back if it has not begun. */
  async cancel(): Promise<Cancellation> {
    if (this.correlation !== undefined) return this.#client.cancel(this.correlation)
    return this.#result?.status === 'Success' ? 'Completed' : 'Failed'
  }
}
