// Holding and releasing keys and cartridges, for `key hold`, `cartridge hold` and their releases.
import { dateOf } from '../access/identity.ts'
import { exitStatus, UserError } from '../errors.ts'
import { shellWord } from '../shell-word.ts'
import { cartridgesNamed } from '../keystore/cartridges.ts'
import {
  cartridgeHoldName,
  holdKind,
  holdOfCartridge,
  keyHoldName,
  ownHoldOf,
  type Hold,
} from '../keystore/holds.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { findKey } from './managed-keys.ts'

const administrator: AuditActor = { name: 'administrator', kind: 'cli' }

/** What was held or released. */
export interface Held {
  readonly group: string
  /** Unique identifiers of the keys. */
  readonly keys: readonly string[]
  /** Barcodes; none when a key was named. */
  readonly cartridges: readonly string[]
}

/** Holds one key. Throws UserError 'held' (exit status 13) where it is held for itself already. */
export async function holdKey(store: Store, prefix: string, reason: string): Promise<Held> {
  return store.act(async (work) => {
    const { id, group } = await findKey(work, prefix)
    const before = await ownHoldOf(work, id)
    if (before !== undefined && before.cartridge === undefined)
      throw alreadyHeld(`key ${id}`, before, `key release ${id}`)
    await putHold(work, keyHoldName(id), reason)
    record(work, 'key hold', group, id, { reason })
    return { group, keys: [id], cartridges: [] }
  })
}

/** Releases one key. Throws UserError 'not-held', also for a key that is held with its cartridge. */
export async function releaseKey(store: Store, prefix: string): Promise<Held> {
  return store.act(async (work) => {
    const { id, group } = await findKey(work, prefix)
    const held = await work.document(holdKind, keyHoldName(id))
    const { cartridge } = (held?.body ?? {}) as { cartridge?: string }
    if (cartridge !== undefined) {
      throw new UserError(
        'not-held',
        `key ${id} is held with cartridge ${cartridge}`,
        `release that:  keyreel cartridge release ${shellWord(cartridge)} --group ${group}`,
      )
    }
    if (held === undefined) throw notHeld(`key ${id}`, `keyreel key show ${id}`)
    await work.deleteDocument(holdKind, keyHoldName(id))
    record(work, 'key release', group, id, {})
    return { group, keys: [id], cartridges: [] }
  })
}

/**
 * Holds a cartridge: each of its keys, also should a library change its barcode, and keys made for it
 * later. Throws UserError 'no-such-cartridge', or 'held' (exit status 13) where it is held already.
 */
export async function holdCartridge(
  store: Store,
  group: string,
  named: string,
  reason: string,
): Promise<Held> {
  return store.act(async (work) => {
    const found = await cartridgesNamed(work, group, named)
    const held = { group, keys: keysOf(found), cartridges: barcodesOf(found) }
    if (found.length === 0) {
      throw new UserError(
        'no-such-cartridge',
        `no key in group ${group} is for a cartridge ${JSON.stringify(named)}`,
        'list those there are:  keyreel cartridge list, or look in another group with --group',
      )
    }
    for (const barcode of held.cartridges) {
      const before = await holdOfCartridge(work, group, barcode)
      const release = `cartridge release ${shellWord(barcode)} --group ${shellWord(group)}`
      if (before !== undefined) throw alreadyHeld(`cartridge ${barcode}`, before, release)
    }
    for (const { barcode, keys } of found) {
      await putHold(work, cartridgeHoldName(group, barcode), reason)
      for (const { id } of keys) {
        const own = await work.document(holdKind, keyHoldName(id))
        // A key that is held for itself stays so when the cartridge is released.
        if (own === undefined || 'cartridge' in (own.body as object))
          await putHold(work, keyHoldName(id), reason, barcode)
        record(work, 'cartridge hold', group, id, { cartridge: barcode, reason })
      }
    }
    return held
  })
}

/** Releases a cartridge and the keys that were held with it. Throws UserError 'not-held'. */
export async function releaseCartridge(store: Store, group: string, named: string): Promise<Held> {
  return store.act(async (work) => {
    const found = await cartridgesNamed(work, group, named)
    const barcodes = [...new Set([named, ...barcodesOf(found)])]
    const released: string[] = []
    for (const barcode of barcodes)
      if (await work.deleteDocument(holdKind, cartridgeHoldName(group, barcode)))
        released.push(barcode)
    if (released.length === 0)
      throw notHeld(
        `cartridge ${named} of group ${group}`,
        `keyreel cartridge show ${shellWord(named)}`,
      )
    const keys: string[] = []
    for (const { name, body } of await work.documents(holdKind)) {
      const { cartridge } = body as { cartridge?: string }
      const id = name.slice(keyHoldName('').length)
      if (!name.startsWith(keyHoldName('')) || !released.includes(cartridge ?? '')) continue
      if ((await work.load(group, id)) === undefined) continue
      await work.deleteDocument(holdKind, name)
      record(work, 'cartridge release', group, id, { cartridge: cartridge ?? null })
      keys.push(id)
    }
    if (keys.length === 0) record(work, 'cartridge release', group, undefined, { cartridge: named })
    return { group, keys, cartridges: released }
  })
}

async function putHold(
  work: Work,
  name: string,
  reason: string,
  cartridge?: string,
): Promise<void> {
  const since = Number(work.now)
  await work.putDocument(holdKind, name, {
    reason,
    since,
    ...(cartridge !== undefined && { cartridge }),
  })
}

function keysOf(cartridges: Awaited<ReturnType<typeof cartridgesNamed>>): string[] {
  return cartridges.flatMap(({ keys }) => keys.map(({ id }) => id))
}

function barcodesOf(cartridges: Awaited<ReturnType<typeof cartridgesNamed>>): string[] {
  return [...new Set(cartridges.map(({ barcode }) => barcode))]
}

/** One release ends a hold: a second reason must not take the place of the first unseen, nor end with it. */
function alreadyHeld(what: string, { reason, since }: Hold, release: string): UserError {
  return new UserError(
    'held',
    `${what} is held already, since ${dateOf(since)}: ${reason}`,
    `it stays held; for another reason as well, hold it anew with both:  keyreel ${release}`,
    { exitStatus: exitStatus.policy },
  )
}

function notHeld(what: string, look: string): UserError {
  return new UserError('not-held', `${what} is not held`, `look at it:  ${look}`)
}

function record(
  work: Work,
  operation: string,
  group: string,
  object: string | undefined,
  details: Record<string, string | null>,
): void {
  work.audit({ actor: administrator, operation, object, group, outcome: 'Success', details })
}
