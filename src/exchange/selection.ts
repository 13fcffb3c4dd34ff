/** Which keys an export is about: all of a group, those in use, or those of some cartridges. */
import { UserError } from '../errors.ts'
import { labelOf } from '../keystore/cartridge-labels.ts'
import { cartridgesNamed, currentOf } from '../keystore/cartridges.ts'
import { originOf } from '../keystore/key-origin.ts'
import { objectOf } from '../keystore/keystore.ts'
import type { ManagedObject } from '../keystore/managed-object.ts'
import type { Store } from '../keystore/store.ts'
import type { Work } from '../keystore/work.ts'
import { ObjectType } from '../kmip/model/enumerations.ts'

/** What is asked for. */
export type Selection =
  | { readonly scope: 'all' | 'used' | 'current' }
  | { readonly scope: 'barcode'; readonly barcodes: readonly string[] }
  | { readonly scope: 'key'; readonly keys: readonly string[] }

/** A key that was selected. */
export interface Selected {
  readonly id: string
  /** Whether a client has fetched it. */
  readonly used: boolean
  /** Whether it came from another site, where its tape was written. */
  readonly foreign: boolean
}

/** What a selection came to. */
export interface SelectedKeys {
  readonly keys: readonly Selected[]
  /** Barcodes that no living key of the group carries. */
  readonly missing: readonly string[]
}

/** Finds the living keys, each once. Throws UserError 'no-such-key' or 'ambiguous-key'. */
export async function select(
  store: Store,
  group: string,
  selection: Selection,
): Promise<SelectedKeys> {
  switch (selection.scope) {
    case 'barcode':
      return ofBarcodes(store, group, selection.barcodes)
    case 'key':
      return ofKeys(store, group, selection.keys)
    default:
      return { keys: await ofGroup(store, group, selection.scope), missing: [] }
  }
}

/** The living keys of a group, newest first. `current`: only that of each cartridge. */
async function ofGroup(
  store: Store,
  group: string,
  scope: 'all' | 'used' | 'current',
): Promise<Selected[]> {
  const found: Selected[] = []
  const cartridges = new Map<string, Candidate[]>()
  const query = {
    group,
    type: ObjectType.numberOf('SymmetricKey'),
    equals: [],
    ranges: [],
    destroyed: 'exclude',
    archived: 'include',
    offset: 0,
    limit: 500,
  } as const
  for await (const page of store.scan(query))
    for (const stored of page) {
      const object = objectOf(stored)
      if (scope === 'used' && object.vitals.Fresh) continue
      if (scope !== 'current') found.push(selected(object))
      else keepCandidate(cartridges, object)
    }
  if (scope !== 'current') return found
  return [...cartridges.values()].flatMap((keys) => currentOf(keys)?.selected ?? [])
}

/** A key as it stands to the others of its cartridge. */
interface Candidate {
  readonly selected: Selected
  readonly from?: string
  readonly used: boolean
}

/** Of each cartridge the newest, and what may be its current key instead of that; keys come newest first. */
function keepCandidate(cartridges: Map<string, Candidate[]>, object: ManagedObject): void {
  const label = labelOf(object)
  if (label === undefined) return
  const cartridge = `${label.barcode}\u0000${label.mediumSerial ?? ''}`
  const kept = cartridges.get(cartridge) ?? []
  const peer = originOf(object)?.peer
  const from = peer === undefined ? {} : { from: peer }
  const used = !object.vitals.Fresh
  const isCandidate = kept.length === 0 || (kept.length === 1 && (peer === undefined || used))
  if (!isCandidate) return
  cartridges.set(cartridge, [...kept, { selected: selected(object), used, ...from }])
}

function selected(object: ManagedObject): Selected {
  return { id: object.id, used: !object.vitals.Fresh, foreign: originOf(object) !== undefined }
}

async function ofBarcodes(
  store: Store,
  group: string,
  barcodes: readonly string[],
): Promise<SelectedKeys> {
  const keys = new Map<string, Selected>()
  const missing: string[] = []
  for (const barcode of new Set(barcodes)) {
    const cartridges = await store.read((work) => cartridgesNamed(work, group, barcode))
    const living = cartridges
      .flatMap((cartridge) => cartridge.keys)
      .filter(({ state }) => !state.startsWith('Destroyed'))
    if (living.length === 0) missing.push(barcode)
    for (const { id, used, from } of living) keys.set(id, { id, used, foreign: from !== undefined })
  }
  return { keys: [...keys.values()], missing }
}

async function ofKeys(
  store: Store,
  group: string,
  words: readonly string[],
): Promise<SelectedKeys> {
  const keys = new Map<string, Selected>()
  for (const word of words) {
    const object = await store.read((work) => keyNamed(work, group, word))
    keys.set(object.id, selected(object))
  }
  return { keys: [...keys.values()], missing: [] }
}

/** The living key of the group whose identifier begins so. */
async function keyNamed(work: Work, group: string, prefix: string): Promise<ManagedObject> {
  const ids = prefix === '' ? [] : await work.identifiers(prefix, 2)
  const [id] = ids
  if (ids.length > 1)
    throw new UserError(
      'ambiguous-key',
      `several keys begin with ${prefix}`,
      `give more of the identifier: ${ids.join(', ')} …`,
    )
  const stored = id === undefined ? undefined : await work.load(group, id)
  const object = stored && objectOf(stored)
  const isLiving = object?.objectType === 'SymmetricKey' && object.vitals.DestroyDate === undefined
  if (isLiving) return object
  throw new UserError(
    'no-such-key',
    `group ${group} has no living symmetric key that begins with ${JSON.stringify(prefix)}`,
    `list them:  keyreel key list --group ${group}`,
  )
}
