// Managed objects as administrators deal with them: found by a piece of their identifier, listed,
// destroyed and brought back. Key material is never looked at here.
import { groupPolicy } from '../access/policy.ts'
import { exitStatus, UserError } from '../errors.ts'
import { labelOf } from '../keystore/cartridge-labels.ts'
import { holdOf, holdsNow } from '../keystore/holds.ts'
import { conflictOf, objectOf, saveObject } from '../keystore/keystore.ts'
import { stateOf } from '../keystore/lifecycle.ts'
import type { State } from '../keystore/lifecycle.ts'
import type { ManagedObject } from '../keystore/managed-object.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, IndexEntry, Work } from '../keystore/work.ts'

const administrator: AuditActor = { name: 'administrator', kind: 'cli' }
const shownWhenAmbiguous = 5
const day = 86_400n

/** One object in a list. */
export interface KeyRow {
  readonly id: string
  readonly group: string
  readonly type: string
  readonly state: State
  readonly algorithm: string | undefined
  readonly length: number | undefined
  readonly barcode: string | undefined
  readonly owner: string
  /** Seconds since 1970. */
  readonly created: bigint
  readonly destroyed: bigint | undefined
  /** When the material of a destroyed object is forgotten for good. */
  readonly wipeAfter: bigint | undefined
  /** Since when the site that it came from wants it used no longer. */
  readonly withdrawn: bigint | undefined
  /** Whether the material is still kept. */
  readonly hasMaterial: boolean
}

/** One object in a list of keys. */
export interface ListedKey extends KeyRow {
  /** Whether it is on hold, for itself or with its cartridge. */
  readonly held: boolean
}

/** Which objects of a group to list. */
export interface KeyFilter {
  readonly group: string
  readonly owner?: string | undefined
  readonly barcode?: string | undefined
  readonly state?: string | undefined
  /** Most rows. */
  readonly limit: number
}

/** Objects newest first; `more` when the limit cut the list. */
export async function listKeys(
  store: Store,
  { group, owner, barcode, state, limit }: KeyFilter,
  now: bigint,
): Promise<{ rows: ListedKey[]; more: boolean }> {
  const equals: IndexEntry[] =
    barcode === undefined ? [] : [{ attribute: 'cartridge', value: barcode }]
  const holdOn = await store.read(holdsNow)
  const rows: ListedKey[] = []
  const query = {
    group,
    owner,
    equals,
    ranges: [],
    destroyed: 'include',
    archived: 'include',
  } as const
  for await (const page of store.scan({ ...query, offset: 0, limit: 200 })) {
    for (const stored of page) {
      const row = keyRow(objectOf(stored), now)
      if (state !== undefined && row.state !== state) continue
      if (rows.length === limit) return { rows, more: true }
      rows.push({ ...row, held: holdOn(row.id, group, row.barcode) !== undefined })
    }
  }
  return { rows, more: false }
}

/**
 * The object whose identifier begins with `prefix`, in whichever group; one that another server has
 * named otherwise than by a UUID is found by its whole identifier.
 * @throws UserError 'no-such-key' or 'ambiguous-key'
 */
export async function findKey(work: Work, prefix: string): Promise<ManagedObject> {
  const isPiece = /^[0-9a-f-]{1,36}$/i.test(prefix)
  const ids = isPiece ? await work.identifiers(prefix.toLowerCase(), shownWhenAmbiguous) : []
  const [id, ...others] = ids
  const named = id === undefined ? await work.loadAnywhere(prefix) : undefined
  if (named !== undefined) return objectOf(named)
  if (id === undefined) {
    throw new UserError(
      'no-such-key',
      `no key has an identifier that begins with ${JSON.stringify(prefix)}`,
      'list them:  keyreel key list, or by tape:  keyreel cartridge show BARCODE',
    )
  }
  if (others.length > 0) {
    throw new UserError(
      'ambiguous-key',
      `several keys begin with ${prefix}`,
      `give more of the identifier: ${ids.join(', ')}${ids.length === shownWhenAmbiguous ? ' …' : ''}`,
    )
  }
  const stored = await work.loadAnywhere(id)
  if (stored === undefined) throw new Error(`${id} was listed but is not there`)
  return objectOf(stored)
}

/** An object as a row. */
export function keyRow(object: ManagedObject, now: bigint): KeyRow {
  const { id, group, objectType, vitals, attributes, stored } = object
  const algorithm = attributes.first('CryptographicAlgorithm')
  return {
    id,
    group,
    type: objectType,
    state: stateOf(vitals, now),
    algorithm: algorithm === undefined ? undefined : String(algorithm),
    length: attributes.first('CryptographicLength'),
    barcode: labelOf(object)?.barcode,
    owner: vitals.Owner,
    created: vitals.InitialDate,
    destroyed: vitals.DestroyDate,
    wipeAfter: vitals.WipeAfter,
    withdrawn: vitals.Withdrawn,
    hasMaterial: stored?.hasMaterial === true,
  }
}

/**
 * Destroys an object as its group's policy says. Unlike a client, an administrator may destroy an
 * Active key: it need not be revoked first, and comes back as it was when recovered.
 * @throws UserError 'destroyed', or 'held' or 'refused-by-policy' (exit status 13)
 */
export async function destroyKey(store: Store, id: string): Promise<KeyRow> {
  return store.act(async (work) => {
    const object = await findKey(work, id)
    const wipeDays = await daysUntilWipe(work, object)
    const { vitals } = object
    vitals.DestroyDate = work.now
    vitals.LastChangeDate = work.now
    vitals.WipeAfter = work.now + BigInt(wipeDays) * day
    await saveObject(work, object)
    if (wipeDays === 0 && object.stored?.hasMaterial === true) await work.wipe(object.stored)
    audit(work, object, 'key destroy', { wipeAfter: Number(vitals.WipeAfter) })
    return keyRow(object, work.now)
  })
}

/** Days from Destroy to the wipe; what `destroyKey` would refuse is refused here alike. */
export async function daysUntilWipe(work: Work, object: ManagedObject): Promise<number> {
  const { id, group, vitals } = object
  if (vitals.DestroyDate !== undefined) {
    throw new UserError(
      'destroyed',
      `key ${id} is destroyed already`,
      `until it is wiped it can be brought back:  keyreel key recover ${id}`,
    )
  }
  const hold = await holdOf(work, object)
  if (hold !== undefined) {
    const release =
      hold.cartridge === undefined ? `key release ${id}` : `cartridge release ${hold.cartridge}`
    throw new UserError(
      'held',
      `key ${id} is held: ${hold.reason}`,
      `whoever may end the hold releases it:  keyreel ${release}`,
      { exitStatus: exitStatus.policy },
    )
  }
  const { destroyAfterDays } = await groupPolicy(work, group)
  if (destroyAfterDays !== undefined) return destroyAfterDays
  throw new UserError(
    'refused-by-policy',
    `group ${group} refuses to destroy keys`,
    `change its policy first:  keyreel group set ${group} destroy=30d`,
    { exitStatus: exitStatus.policy },
  )
}

/**
 * Undoes a Destroy while the material is still kept: the key is what it was before. Of a key that is not
 * destroyed a withdrawal is lifted: it opens tapes again, against the word of the site that it came from.
 * @throws UserError 'not-destroyed', 'wiped', or 'taken' naming the key that holds its Name or ASI
 */
export async function recoverKey(store: Store, id: string): Promise<KeyRow> {
  return store.act(async (work) => {
    const object = await findKey(work, id)
    const { vitals } = object
    if (vitals.DestroyDate === undefined) {
      if (vitals.Withdrawn !== undefined) return liftWithdrawal(work, object)
      throw new UserError(
        'not-destroyed',
        `key ${object.id} is neither destroyed nor withdrawn`,
        `look at it:  keyreel key show ${object.id}`,
      )
    }
    if (object.stored?.hasMaterial !== true) {
      throw new UserError(
        'wiped',
        `key ${object.id} has been wiped; nothing on this server can bring it back`,
        'look for it in an older copy of the data directory',
      )
    }
    delete vitals.DestroyDate
    delete vitals.WipeAfter
    vitals.LastChangeDate = work.now
    const conflict = await conflictOf(work, object)
    if (conflict !== undefined) {
      const what = conflict.kind === 'name' ? 'Name' : 'Application Specific Information'
      throw new UserError(
        'taken',
        `key ${object.id} cannot come back: its ${what} is held by key ${conflict.holder}`,
        `look at that one:  keyreel key show ${conflict.holder}`,
      )
    }
    await saveObject(work, object)
    audit(work, object, 'key recover', {})
    return keyRow(object, work.now)
  })
}

async function liftWithdrawal(work: Work, object: ManagedObject): Promise<KeyRow> {
  const { vitals, attributes } = object
  const details = { withdrawn: Number(vitals.Withdrawn) }
  delete vitals.Withdrawn
  vitals.LastChangeDate = work.now
  if (attributes.first('RevocationReason')?.RevocationReasonCode === 'PrivilegeWithdrawn')
    attributes.set('RevocationReason', {
      RevocationReasonCode: 'CessationOfOperation',
      RevocationMessage: 'the withdrawal was lifted',
    })
  await saveObject(work, object)
  audit(work, object, 'key recover', details)
  return keyRow(object, work.now)
}

function audit(
  work: Work,
  { id, group }: ManagedObject,
  operation: string,
  details: Record<string, number>,
): void {
  work.audit({ actor: administrator, operation, object: id, group, outcome: 'Success', details })
}
