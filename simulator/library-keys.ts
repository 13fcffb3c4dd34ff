// How a library brings keys from its key servers: errands (make a new key, find an old one), each an
// operation and a Get, sent one by one or several waiting drives' in one message.
//
// A lost answer may hide a key that was made: on the next try the library first looks for its
// identifier and makes a key only when nothing is found.

import type { BatchItem, ItemResult } from '../src/kmip/client/batch.ts'
import type { Client } from '../src/kmip/client/client.ts'
import { ResultError } from '../src/kmip/client/errors.ts'
import type { ResponsePayload } from '../src/kmip/model/payloads/index.ts'
import type { Dialect } from './dialects.ts'
import { keyFilter, newKeyAttributes, type KeyFacts } from './key-attributes.ts'
import {
  addressText,
  isFailureOfServer,
  NoKeyServer,
  type ServerAddress,
  type ServerList,
} from './library-servers.ts'

/** What one drive waits for. */
export type Errand =
  | { readonly kind: 'make'; readonly facts: KeyFacts; readonly mayExist?: boolean }
  | { readonly kind: 'find'; readonly identifier: string }

/** What became of an errand. The receiver of a key wipes it. */
export type Outcome =
  | {
      readonly status: 'key'
      readonly id: string
      readonly key: Uint8Array
      /** Whether it was made just now. */
      readonly made: boolean
      readonly server: ServerAddress
    }
  | { readonly status: 'not-found' }
  | { readonly status: 'refused'; readonly why: Error }
  | { readonly status: 'no-server'; readonly why: NoKeyServer }

/** What became of an errand, and how many times servers were asked until then. */
export interface Done {
  readonly outcome: Outcome
  readonly tries: number
}

interface Waiting {
  readonly errand: Errand
  readonly stop: AbortSignal | undefined
  resolve(done: Done): void
  reject(error: unknown): void
}

/** Runs errands against a failover list in the way of one dialect. */
export class KeyErrands {
  readonly #servers: ServerList
  readonly #dialect: Dialect
  readonly #waiting: Waiting[] = []
  #busy = false
  #sent = 0

  constructor(servers: ServerList, dialect: Dialect) {
    this.#servers = servers
    this.#dialect = dialect
  }

  /** Does one errand; rejects only for what is a mistake of this program. */
  run(errand: Errand, stop?: AbortSignal): Promise<Done> {
    if (this.#dialect.itemsPerMessage <= 2) return this.#oneByOne(errand, stop)
    const { promise, resolve, reject } = Promise.withResolvers<Done>()
    this.#waiting.push({ errand, stop, resolve, reject })
    if (!this.#busy) void this.#shareMessages()
    return promise
  }

  async #oneByOne(errand: Errand, stop: AbortSignal | undefined): Promise<Done> {
    const [done] = await this.#ask([errand], stop)
    return done!
  }

  /** While one message is under way, the errands that come wait and then share the next. */
  async #shareMessages(): Promise<void> {
    this.#busy = true
    while (this.#waiting.length > 0) {
      const next = this.#waiting.splice(0, this.#dialect.itemsPerMessage / 2)
      const together = next.filter(({ stop }) => stop?.aborted !== true)
      for (const { stop, resolve } of next) {
        if (stop?.aborted !== true) continue
        resolve({ outcome: { status: 'no-server', why: new NoKeyServer([]) }, tries: 0 })
      }
      try {
        const all = await this.#ask(together.map(({ errand }) => errand))
        for (const [at, done] of all.entries()) together[at]?.resolve(done)
      } catch (error) {
        for (const { reject } of together) reject(error)
      }
    }
    this.#busy = false
  }

  async #ask(errands: readonly Errand[], stop?: AbortSignal): Promise<readonly Done[]> {
    if (errands.length === 0) return []
    let tries = 0
    try {
      const outcomes = await this.#servers.ask((client, { server, number, mayHaveRun }) => {
        tries = number
        const todo = errands.map((errand) =>
          errand.kind === 'make' && mayHaveRun ? { ...errand, mayExist: true } : errand,
        )
        return this.#bring(client, server, todo)
      }, stop)
      return outcomes.map((outcome) => ({ outcome, tries }))
    } catch (why) {
      if (why instanceof NoKeyServer) {
        const outcome = { status: 'no-server' as const, why }
        return errands.map(() => ({ outcome, tries: why.failures.length }))
      }
      if (why instanceof ResultError)
        return errands.map(() => ({ outcome: { status: 'refused' as const, why }, tries }))
      throw why
    }
  }

  async #bring(
    client: Client,
    server: ServerAddress,
    errands: readonly Errand[],
  ): Promise<readonly Outcome[]> {
    const first = errands.map((errand) =>
      errand.kind === 'make' && errand.mayExist === true
        ? { kind: 'find' as const, identifier: errand.facts.identifier }
        : errand,
    )
    const outcomes = [...(await this.#exchange(client, server, first))]
    const missing = errands.flatMap((errand, at) =>
      errand.kind === 'make' && outcomes[at]?.status === 'not-found' ? [{ errand, at }] : [],
    )
    if (missing.length === 0) return outcomes
    const made = await this.#exchange(
      client,
      server,
      missing.map(({ errand }) => errand),
    )
    for (const [index, { at }] of missing.entries()) outcomes[at] = made[index]!
    return outcomes
  }

  async #exchange(
    client: Client,
    server: ServerAddress,
    errands: readonly Errand[],
  ): Promise<readonly Outcome[]> {
    const asks = errands.map((errand) => this.#operation(errand))
    const send = this.#dialect.messages === 'batch' ? this.#asBatch : this.#asSingles
    const answers = await send.call(this, client, asks)
    const outcomes = answers.map(({ first, get }) => outcomeOf(first, get, server))
    for (const outcome of outcomes) {
      if (outcome.status !== 'refused' || !isFailureOfServer(outcome.why)) continue
      for (const other of outcomes) if (other.status === 'key') other.key.fill(0)
      throw outcome.why
    }
    return outcomes
  }

  #operation(errand: Errand): Ask {
    return errand.kind === 'make'
      ? {
          operation: 'Create',
          payload: {
            ObjectType: 'SymmetricKey',
            Attributes: newKeyAttributes(this.#dialect, errand.facts),
          },
        }
      : {
          operation: 'Locate',
          payload: { Attributes: keyFilter(this.#dialect, errand.identifier) },
        }
  }

  /** Pairs in one message; Get takes what the operation before it made or found (ID Placeholder). */
  async #asBatch(client: Client, asks: readonly Ask[]): Promise<readonly Answer[]> {
    const items = asks.flatMap((ask): BatchItem[] => [ask, { operation: 'Get', payload: {} }])
    const results: readonly ItemResult<BatchItem['operation']>[] = await client.batch(items, {
      ...this.#options(),
      ...(asks.length > 1 && { onError: 'Continue' as const }),
    })
    return asks.map((_, at) => ({
      first: results[2 * at] as Answer['first'],
      get: results[2 * at + 1] as Answer['get'],
    }))
  }

  /** Every operation a message of its own; nothing is fetched unless exactly one key is meant. */
  async #asSingles(client: Client, asks: readonly Ask[]): Promise<readonly Answer[]> {
    const answers: Answer[] = []
    for (const ask of asks) {
      const [first] = await client.batch([ask], this.#options())
      const found = identifiersOf(first as Answer['first'])
      const [UniqueIdentifier] = found
      const get =
        found.length === 1 && UniqueIdentifier !== undefined
          ? (
              await client.batch(
                [{ operation: 'Get', payload: { UniqueIdentifier } }],
                this.#options(),
              )
            )[0]
          : ({ status: 'NotRun' } as const)
      answers.push({ first: first as Answer['first'], get })
    }
    return answers
  }

  #options(): { clientCorrelationValue?: string } {
    if (!this.#dialect.correlates) return {}
    this.#sent += 1
    return { clientCorrelationValue: `${this.#dialect.name} ${this.#sent}` }
  }
}

type Ask = Extract<BatchItem, { operation: 'Create' | 'Locate' }>

interface Answer {
  readonly first: ItemResult<'Create'> | ItemResult<'Locate'>
  readonly get: ItemResult<'Get'>
}

function identifiersOf(first: Answer['first']): readonly string[] {
  if (first.status !== 'Success') return []
  const { UniqueIdentifier } = first.payload
  return typeof UniqueIdentifier === 'string' ? [UniqueIdentifier] : UniqueIdentifier
}

function outcomeOf(first: Answer['first'], get: Answer['get'], server: ServerAddress): Outcome {
  if (first.status === 'Failed') return { status: 'refused', why: first.error }
  const found = identifiersOf(first)
  const [id] = found
  if (first.status === 'Success' && id === undefined) return { status: 'not-found' }
  if (first.status !== 'Success' || id === undefined) {
    return refused(`${addressText(server)} did not run the request`)
  }
  if (found.length > 1)
    return refused(`${found.length} keys bear one identifier: ${found.join(' ')}`)
  if (get.status === 'Failed') return { status: 'refused', why: get.error }
  if (get.status !== 'Success') return refused(`${addressText(server)} did not run Get`)
  const key = keyBytes(get.payload)
  if (get.payload.UniqueIdentifier !== id) {
    key?.fill(0)
    return refused(`asked for key ${id}, got ${get.payload.UniqueIdentifier}`)
  }
  if (key === undefined) return refused(`${id} is no raw 256-bit AES key`)
  return { status: 'key', id, key, made: 'ObjectType' in first.payload, server }
}

const refused = (why: string): Outcome => ({ status: 'refused', why: new Error(why) })

/** The key of a Get answer, a view of the answer's bytes; undefined unless raw and 32 bytes long. */
export function keyBytes({ SymmetricKey }: ResponsePayload<'Get'>): Uint8Array | undefined {
  const { KeyFormatType, KeyValue } = SymmetricKey?.KeyBlock ?? {}
  if (KeyFormatType !== 'Raw' || KeyValue?.type !== 'Structure') return undefined
  const { KeyMaterial } = KeyValue.value
  return KeyMaterial instanceof Uint8Array && KeyMaterial.length === 32 ? KeyMaterial : undefined
}
