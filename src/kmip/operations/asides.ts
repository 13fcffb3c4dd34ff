/**
 * Work that items of one batch have done outside their act: key generation, derivation, a step of a
 * stream. Acts may be run again; this work is done once, and its result waits for them.
 */
import type { Secret } from '../../crypto/secret.ts'
import type { Item } from './items.ts'
import { NeedsAside, type Context, type WhenSettled } from './operation.ts'

type Settled = { readonly value: unknown } | { readonly error: unknown }

/** What has been done aside, by item and key. */
export class Asides {
  readonly #settled = new Map<Item, Map<string, Settled>>()
  readonly #secrets: Secret[] = []
  readonly #waiting: { item: Item; tell: (isKept: boolean) => void }[] = []

  /** The `aside` of one item's context. */
  of(item: Item): Context['aside'] {
    return <T>(
      key: string,
      work: (whenSettled: WhenSettled) => Promise<T>,
      secretsOf?: (result: T) => readonly Secret[],
    ) => {
      const known = this.#settled.get(item)?.get(key)
      if (known === undefined) throw new NeedsAside(() => this.#settle(item, key, work, secretsOf))
      if ('error' in known) throw known.error
      return known.value as T
    }
  }

  /** The secrets in what was done; wiped by whoever encodes the answers. */
  get secrets(): readonly Secret[] {
    return this.#secrets
  }

  /** Tells those that wait for it what became of their items. */
  conclude(isKept: (item: Item) => boolean): void {
    for (const { item, tell } of this.#waiting.splice(0)) tell(isKept(item))
  }

  async #settle<T>(
    item: Item,
    key: string,
    work: (whenSettled: WhenSettled) => Promise<T>,
    secretsOf: ((result: T) => readonly Secret[]) | undefined,
  ): Promise<void> {
    const settled = this.#settled.get(item) ?? new Map<string, Settled>()
    this.#settled.set(item, settled)
    try {
      const value = await work((tell) => void this.#waiting.push({ item, tell }))
      if (secretsOf !== undefined) this.#secrets.push(...secretsOf(value))
      settled.set(key, { value })
    } catch (error) {
      settled.set(key, { error })
    }
  }
}

/** Runs an act of the server's own, as often as it asks for work outside of it. */
export async function withAsides<T>(run: (aside: Context['aside']) => Promise<T>): Promise<T> {
  const asides = new Asides()
  const aside = asides.of({
    operation: undefined,
    id: undefined,
    payload: undefined,
    fault: undefined,
  })
  try {
    for (;;) {
      try {
        return await run(aside)
      } catch (error) {
        if (!(error instanceof NeedsAside)) throw error
        await error.settle()
      }
    }
  } finally {
    for (const secret of asides.secrets) secret.wipe()
  }
}
