// What backups there are, and what is in none of them that was verified.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { allOf, type Body, type Documents } from '../access/documents.ts'
import type { Config } from '../config.ts'
import type { Store } from '../keystore/store.ts'
import { tables } from '../keystore/tables.ts'

/** So many; or more, where counting stopped. */
export interface Counted {
  readonly count: number
  readonly isFloor: boolean
}

/** How well a keystore is backed up. Times are seconds since 1970. */
export interface BackupState {
  /** The newest, verified or not. */
  readonly last: Body<'backup'> | undefined
  /** The newest of which a copy was found whole. */
  readonly verified: Body<'backup'> | undefined
  /** Objects made after that one. */
  readonly missing: Counted
  /** Objects in it that were changed since. */
  readonly changed: Counted
  /** Since when the first of all these has been in no verified backup. */
  readonly since: bigint | undefined
}

/** From when on it is an alarm. */
export interface BackupThresholds {
  /** So many objects made or changed … */
  readonly keys: number
  /** … and the first of them for so many seconds. */
  readonly age: bigint
}

/** The thresholds as they are configured: there a time is milliseconds. */
export function backupThresholds(
  config: Pick<Config, 'backup.alarm-age' | 'backup.alarm-keys'>,
): BackupThresholds {
  const age = BigInt(Math.ceil(config['backup.alarm-age'] / 1000))
  return { keys: config['backup.alarm-keys'], age }
}

/** Objects are counted up to here. */
const mostCounted = 1000
const rowsAtOnce = 500

/** The state of a keystore: a walk over a few columns of all objects, others run between its steps. */
export async function backupState(store: Pick<Store, 'read' | 'copy'>): Promise<BackupState> {
  const all = (await store.read(backups)).map(({ body }) => body)
  const there = all.filter(({ removed }) => removed === undefined)
  const verified = there.find((body) => body.verified !== undefined)
  const newest = verified?.newest ?? 0
  const begun = BigInt(verified?.begun ?? verified?.created ?? 0)
  const missing = new Unsaved()
  const changed = new Unsaved()
  for await (const [n, made, change] of objectDates(store)) {
    if (n > newest) missing.add(made > begun ? made : begun)
    else if (change >= begun) changed.add(change)
    if (missing.isFull || changed.isFull) break
  }
  // Numbers rise: what was made since stands at the end, where a walk that stopped has not been.
  if (changed.isFull)
    for await (const [, made] of objectDates(store, newest))
      if (missing.add(made > begun ? made : begun).isFull) break
  const since = [missing.first, changed.first].filter((first) => first !== undefined)
  return {
    last: there[0],
    verified,
    missing: missing.counted(),
    changed: changed.counted(),
    since: since.toSorted((a, b) => Number(a - b))[0],
  }
}

/** Backups made, newest first, those included whose files the server has deleted. */
export async function backups(work: Documents): Promise<{ id: string; body: Body<'backup'> }[]> {
  const all = await allOf(work, 'backup')
  return all
    .map(({ name: id, body }) => ({ id, body }))
    .toSorted((a, b) => b.body.created - a.body.created || b.body.newest - a.body.newest)
}

/** `3 objects are in no verified backup, 2 were changed since the newest`; undefined when all is in it. */
export function unsavedText({ missing, changed }: BackupState): string | undefined {
  const one = (isOne: boolean) => (isOne ? 'was' : 'were')
  if (missing.count === 0 && changed.count === 0) return undefined
  const changes = `${many(changed)} ${one(changed.count === 1)} changed since the newest verified backup`
  if (missing.count === 0) return changes
  const keys = `${many(missing)} ${missing.count === 1 ? 'is' : 'are'} in no verified backup`
  if (changed.count === 0) return keys
  return `${keys}, ${changed.count}${changed.isFloor ? ' or more' : ''} ${one(changed.count === 1)} changed since the newest`
}

/** Whether it has become too much, or too old. */
export function isOverdue(
  { missing, changed, since }: BackupState,
  { keys, age }: BackupThresholds,
  now: bigint,
): boolean {
  return since !== undefined && missing.count + changed.count >= keys && now - since > age
}

/** Objects that are not saved, up to a bound. */
class Unsaved {
  first: bigint | undefined
  #count = 0

  add(since: bigint): this {
    this.#count++
    if (this.first === undefined || since < this.first) this.first = since
    return this
  }

  get isFull(): boolean {
    return this.#count >= mostCounted
  }

  counted(): Counted {
    return { count: this.#count, isFloor: this.isFull }
  }
}

/** Number, Initial Date and Last Change Date of the objects after a number. */
async function* objectDates(
  store: Pick<Store, 'copy'>,
  after = 0,
): AsyncGenerator<readonly [n: number, made: bigint, changed: bigint]> {
  const objects = tables.find(({ name }) => name === 'objects')!
  const columns = { n: 'integer', initial_date: 'integer', last_change_date: 'integer' } as const
  const slim = { ...objects, columns }
  for (let from = BigInt(after); ;) {
    const page = await store.copy((source) => source.tableRows(slim, [from], rowsAtOnce))
    for (const [n, made, changed] of page)
      yield [Number(n), made as bigint, changed as bigint] as const
    const last = page.at(-1)
    if (last === undefined || page.length < rowsAtOnce) return
    from = last[0] as bigint
    await nextTurn()
  }
}

function many({ count, isFloor }: Counted): string {
  if (isFloor) return `${count} or more objects`
  return count === 1 ? '1 object' : `${count} objects`
}
