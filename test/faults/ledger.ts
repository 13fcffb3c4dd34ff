// What a load process has acknowledged, and whether a store holds all of it, unchanged and whole.
import { createHash } from 'node:crypto'
import { loadObject, materialOf, objectOf } from '../../src/keystore/keystore.ts'
import { contentsCheck } from '../../src/keystore/contents-check.ts'
import { stateOf } from '../../src/keystore/lifecycle.ts'
import type { ManagedObject } from '../../src/keystore/managed-object.ts'
import type { Store } from '../../src/keystore/store.ts'
import type { Work } from '../../src/keystore/work.ts'
import { unsealedFields } from '../../src/kmip/operations/key-material.ts'

interface Entry {
  state: string
  /** What was asked for and not answered. */
  tried: string | undefined
  /** SHA-256 of its key; undefined as long as nobody was given it. */
  digest: string | undefined
  /** States it had before one that was acknowledged with one copy. */
  earlier?: string[]
}

const actor = { name: 'faults', kind: 'cli' }

/** Keys that were acknowledged, over any number of processes. */
export class Ledger {
  readonly #keys = new Map<string, Entry>()
  #making = 0
  /** Milliseconds that each process took to open its store. */
  readonly openings: number[] = []
  readonly failures: string[] = []
  acknowledged = 0
  /** Keys handed out. */
  given = 0
  refused = 0
  /** Keys handed out whose record was lost with a disk: it comes to the journal a moment later. */
  getsOffRecord = 0
  /** Whether changes are acknowledged that may be on one copy only; new keys never are. */
  oneCopy = false

  /** A line that the process has printed. */
  take(line: string): void {
    const [word, one = '', two = '', three = ''] = line.split(' ')
    if (word === 'open') this.openings.push(Number(one))
    else if (word === 'make') this.#making++
    else if (word === 'made') {
      this.#making--
      this.acknowledged++
      const digest = three === 'unseen' ? undefined : three
      if (digest !== undefined) this.given++
      this.#keys.set(two, { state: 'PreActive', tried: undefined, digest })
    } else if (word === 'try') this.#keys.get(one)!.tried = two
    else if (word === 'ok') {
      this.acknowledged++
      const entry = this.#keys.get(one)!
      if (this.oneCopy) (entry.earlier ??= []).push(entry.state)
      Object.assign(entry, { state: two, tried: undefined })
    } else if (word === 'got') {
      this.given++
      const entry = this.#keys.get(one)!
      entry.digest ??= two
      if (two !== entry.digest) this.failures.push(`${one}: another key is served`)
    } else if (word === 'refused') this.refused++
    else this.failures.push(line)
  }

  get keys(): number {
    return this.#keys.size
  }

  /** Everything acknowledged so far is on two copies, and so is what comes. */
  twoCopies(): void {
    this.oneCopy = false
    for (const entry of this.#keys.values()) delete entry.earlier
  }

  /**
   * Compares everything with the store. Keys whose request was under way may stand on either side of it; in one
   * that was restored from the other copy, a key may stand as it did before a change that was on one copy only.
   */
  async compare(store: Store, when: string, { isRestored = false } = {}): Promise<void> {
    const fail = (what: string) => void this.failures.push(`${when}: ${what}`)
    const all = [...this.#keys]
    for (let first = 0; first < all.length; first += 200) {
      const some = all.slice(first, first + 200)
      await store.act(async (work) => {
        for (const [id, entry] of some) {
          const object = await loadObject(work, 'default', id)
          if (object === undefined) fail(`${id} is lost`)
          else {
            if (!isRestored) delete entry.earlier
            await this.#judge(work, object, entry, fail)
          }
        }
        work.audit({ actor, operation: 'compare', outcome: 'Success' })
      })
    }
    await this.#adoptOthers(store, fail)
    const recorded = await getsOnRecord(store)
    if (isRestored && recorded < this.given) {
      this.getsOffRecord += this.given - recorded
      this.given = recorded
    }
    if (recorded < this.given) fail(`${this.given} keys given, ${recorded} of them on record`)
    const { problems } = await store.auditVerify({ contents: contentsCheck })
    for (const { kind, subject, message } of problems) fail(`${kind} ${subject}: ${message}`)
  }

  async #judge(
    work: Work,
    object: ManagedObject,
    entry: Entry,
    fail: (what: string) => void,
  ): Promise<void> {
    const state = stateOf(object.vitals, work.now)
    const { earlier = [] } = entry
    if (state !== entry.state && state !== entry.tried && !earlier.includes(state))
      fail(
        `${object.id} is ${state}, acknowledged ${entry.state}, tried ${entry.tried ?? 'nothing'}`,
      )
    Object.assign(entry, { state, tried: undefined })
    const digest = await digestOf(work, object)
    entry.digest ??= digest
    if (digest !== entry.digest) fail(`${object.id} has another key`)
  }

  /** What was made and not acknowledged may be there, no more than was under way, and whole. */
  async #adoptOthers(store: Store, fail: (what: string) => void): Promise<void> {
    const query = {
      group: 'default',
      equals: [],
      ranges: [],
      destroyed: 'include',
      archived: 'include',
      offset: 0,
      limit: 500,
    } as const
    const others: string[] = []
    for await (const page of store.scan(query)) {
      for (const stored of page) {
        const { id } = objectOf(stored)
        if (!this.#keys.has(id)) others.push(id)
      }
    }
    if (others.length > this.#making) fail(`${others.length} keys nobody asked for`)
    this.#making = 0
    await store.act(async (work) => {
      for (const id of others) {
        const object = (await loadObject(work, 'default', id))!
        const digest = (await digestOf(work, object)) ?? 'none'
        const { DigestValue } = object.attributes.first('Digest')!
        if (Buffer.from(DigestValue!).toString('hex') !== digest) fail(`${id} is half made`)
        const state = stateOf(object.vitals, work.now)
        this.#keys.set(id, { state, tried: undefined, digest })
      }
      work.audit({ actor, operation: 'adopt', outcome: 'Success' })
    })
  }
}

async function getsOnRecord(store: Store): Promise<number> {
  let gets = 0
  for (const chain of await store.auditChains()) {
    for (let after = 0; ;) {
      const entries = await store.readAudit({ chain, after, limit: 1000 })
      if (entries.length === 0) break
      after = entries.at(-1)!.number
      gets += entries.filter((one) => one.operation === 'Get' && one.outcome === 'Success').length
    }
  }
  return gets
}

/** SHA-256 of the key of an object, in hexadecimal; undefined where it is gone. */
export async function digestOf(work: Work, object: ManagedObject): Promise<string | undefined> {
  const secret = await materialOf(work, object)
  if (secret === undefined) return undefined
  const { KeyBlock } = unsealedFields('SymmetricKey', secret.bytes) as {
    KeyBlock: { KeyValue: { value: { KeyMaterial: Uint8Array } } }
  }
  const digest = createHash('sha256').update(KeyBlock.KeyValue.value.KeyMaterial).digest('hex')
  secret.wipe()
  return digest
}
