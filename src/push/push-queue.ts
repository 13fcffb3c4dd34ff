/**
 * What is still to be sent to clients that are sent something (KMIP 2.1 §6.2): one row for each client and
 * object, written in the very act that changes the object, so that neither is ever without the other.
 * Changes that pile up become one. A row says which attributes changed, never their values.
 */
import { z } from 'zod'
import { allowed } from '../access/policy.ts'
import type { Principal } from '../access/identity.ts'
import { listeners, pushedTo, type Listener } from '../access/listeners.ts'
import { objectOf } from '../keystore/keystore.ts'
import { after, type Soon } from '../keystore/soon.ts'
import type { ObjectChange, Transient, Work } from '../keystore/work.ts'
import type { AttributeReference } from '../kmip/model/attribute-forms.ts'
import type { AttributeName } from '../kmip/model/attributes.ts'
import { changedAttributes, united } from './changed-attributes.ts'

const kind = 'push'

/** Seconds after which the store forgets a row by itself, long after it was given up. */
const forgottenAfter = 30n * 86_400n

const rowShape = z.strictObject({
  object: z.string(),
  /** Whether the object is to be put: it is new, or another has taken its place under its identifier. */
  put: z.enum(['no', 'new', 'in-place']),
  /** Attributes that have changed: tag, or vendor and name. */
  changed: z.array(
    z.strictObject({ tag: z.string(), vendor: z.string().optional(), name: z.string().optional() }),
  ),
  /** When the first of it happened; seconds since 1970. */
  since: z.number().int(),
})

/** What is to be told of one object. */
export interface Waiting extends Omit<z.infer<typeof rowShape>, 'changed'> {
  readonly changed: readonly AttributeReference[]
  /** As it was read, to see whether more has come to it. */
  readonly kept: Transient
}

/** A client of the group, and what it is sent. */
interface Addressee {
  readonly listener: Listener
  readonly principal: Principal
}

/** By group. */
type Addressees = ReadonlyMap<string, readonly Addressee[]>

/** The queue of one process: it knows who is sent what until `forget` is called. */
export class PushQueue {
  readonly #most: number
  #addressees: Soon<Addressees> | undefined
  /** Rows of each client, as far as they are known here; never fewer than there are. */
  readonly #counts = new Map<string, number>()

  /** `most`: rows of one client. */
  constructor(most: number) {
    this.#most = most
  }

  /** Who is sent what may have changed. */
  forget(): void {
    this.#addressees = undefined
  }

  /** How many rows a client has now. */
  counted(client: string, rows: number): void {
    this.#counts.set(client, rows)
  }

  /** For `openStore`: queues what the act has changed. */
  readonly observe = (work: Work, changes: readonly ObjectChange[]): Soon<void> =>
    after(this.#known(work), (addressees) =>
      addressees.size === 0 ? undefined : this.#queueAll(work, changes, addressees),
    )

  async #queueAll(
    work: Work,
    changes: readonly ObjectChange[],
    addressees: Addressees,
  ): Promise<void> {
    for (const change of changes)
      for (const addressee of addressees.get(change.after.group) ?? [])
        await this.#queue(work, change, addressee)
  }

  #known(work: Work): Soon<Addressees> {
    if (this.#addressees !== undefined) return this.#addressees
    const reading = this.#read(work)
    const isNewest = () => this.#addressees === reading
    reading.then(
      (found) => {
        if (isNewest()) this.#addressees = found
      },
      () => {
        if (isNewest()) this.forget()
      },
    )
    this.#addressees = reading
    return reading
  }

  async #read(work: Work): Promise<Addressees> {
    const found = new Map<string, Addressee[]>()
    for (const listener of await listeners(work)) {
      const principal = await pushedTo(work, listener.client)
      if (principal === undefined) continue
      const { count } = await work.transientsHeld(kind, listener.client)
      this.#counts.set(listener.client, count)
      found.set(principal.group, [...(found.get(principal.group) ?? []), { listener, principal }])
    }
    return found
  }

  async #queue(
    work: Work,
    change: ObjectChange,
    { listener, principal }: Addressee,
  ): Promise<void> {
    const { client, notify, put } = listener
    const object = objectOf(change.after)
    const { id, objectType, vitals } = object
    const about = { objectType, owner: vitals.Owner }
    const isNew = change.before === undefined || change.replaced
    const puts = put && isNew && allowed(principal, 'Get', about) === true
    const tells = notify && allowed(principal, 'GetAttributes', about) === true
    const changed = tells ? changedAttributes(change, work.now) : []
    if (!puts && changed.length === 0) return
    const name = `${client}/${id}`
    const kept = await work.transient(kind, name)
    const known = kept && readRow(kept)
    const wanted = change.replaced ? 'in-place' : 'new'
    const body = {
      object: id,
      put: puts ? wanted : (known?.put ?? 'no'),
      changed: united(known?.changed ?? [], changed).map((reference) => ({ ...reference })),
      since: known?.since ?? Number(work.now),
    }
    if (known === undefined && !this.#hasRoom(work, listener, object.group)) return
    const expires = BigInt(body.since) + forgottenAfter
    await work.putTransient({ kind, name, owner: client, expires, body })
  }

  /** Whether one row more may be written; the first that may not is recorded. */
  #hasRoom(work: Work, { client }: Listener, group: string): boolean {
    const count = (this.#counts.get(client) ?? 0) + 1
    this.#counts.set(client, count)
    if (count <= this.#most) return true
    if (count === this.#most + 1)
      work.audit({
        actor: { name: 'keyreel', kind: 'server' },
        operation: 'library push lost',
        group,
        outcome: 'ServerLimitExceeded',
        details: { library: client, waiting: this.#most },
      })
    return false
  }
}

/** What waits for a client, oldest first. */
export async function waitingFor(
  work: Pick<Work, 'transients'>,
  client: string,
  limit: number,
): Promise<Waiting[]> {
  return (await work.transients(kind, client, limit)).map(readRow)
}

/** How many rows wait for a client. */
export async function countWaiting(
  work: Pick<Work, 'transientsHeld'>,
  client: string,
): Promise<number> {
  return (await work.transientsHeld(kind, client)).count
}

/** A row is done with, unless more has come to it since it was read. */
export async function doneWith(work: Work, { kept }: Waiting): Promise<void> {
  const now = await work.transient(kind, kept.name)
  if (now !== undefined && JSON.stringify(now.body) === JSON.stringify(kept.body))
    await work.deleteTransient(kind, kept.name)
}

function readRow(kept: Transient): Waiting {
  const { changed, ...row } = rowShape.parse(kept.body)
  return {
    ...row,
    changed: changed.map(({ tag, vendor, name }) => ({
      tag: tag as AttributeName | 'Attribute',
      ...(vendor !== undefined && { vendor }),
      ...(name !== undefined && { name }),
    })),
    kept,
  }
}
