/** Cartridges, for people: the keys of a tape, newest first, with the one in use now. */
import { ObjectType } from '../kmip/model/enumerations.ts'
import { labelOf, type Label } from './cartridge-labels.ts'
import { holdsNow, type Hold } from './holds.ts'
import { originOf } from './key-origin.ts'
import { objectOf } from './keystore.ts'
import { stateOf, type State } from './lifecycle.ts'
import type { ManagedObject } from './managed-object.ts'
import type { IndexEntry, Query, ScanPosition, Work } from './work.ts'

/** One key of a cartridge. */
export interface CartridgeKey {
  id: string
  /** Seconds since 1970. */
  created: bigint
  /** The library, or user of a credential, that made it. */
  owner: string
  state: State
  /** Since when the site that it came from wants it used no longer. */
  withdrawn: bigint | undefined
  namespace?: string
  data?: string
  /** True once a library has fetched it. */
  used: boolean
  /** The peer that it came from; undefined for keys made here. */
  from?: string
  /** Whether it is on hold, for itself or with its cartridge. */
  held: boolean
  /** The key that the tape is taken to be written with: see {@link currentOf}. */
  current: boolean
}

/** A cartridge with its keys, newest first. */
export interface Cartridge extends Label {
  group: string
  keys: CartridgeKey[]
  /** Libraries that made its keys. */
  libraries: string[]
  /** The hold on it, which covers keys made later as well. */
  hold?: Hold
}

/**
 * The key that a tape is taken to be written with, of its living ones, newest first: the newest that was made
 * here, or that came from another site and was fetched here since. Two sites may have tapes of one barcode; the
 * key of theirs becomes the current one only once a library here has asked for it, or when there is no other.
 */
export function currentOf<T extends Pick<CartridgeKey, 'from' | 'used'>>(
  living: readonly T[],
): T | undefined {
  return living.find(({ from, used }) => from === undefined || used) ?? living[0]
}

/** Cartridges of a group that carry this barcode or, failing that, this volume serial. */
export async function cartridgesNamed(
  work: Work,
  group: string,
  barcode: string,
): Promise<Cartridge[]> {
  for (const attribute of ['cartridge', 'volume']) {
    const found = await collect(work, group, [{ attribute, value: barcode }])
    if (found.length > 0) return found
  }
  return []
}

/** All cartridges of a group, by barcode; of one library when `owner` is given. */
export async function cartridgesOf(
  work: Work,
  group: string,
  owner?: string,
): Promise<Cartridge[]> {
  return collect(work, group, [], owner)
}

async function collect(
  work: Work,
  group: string,
  equals: readonly IndexEntry[],
  owner?: string,
): Promise<Cartridge[]> {
  const query: Query = {
    group,
    type: ObjectType.numberOf('SymmetricKey'),
    equals,
    ranges: [],
    destroyed: 'include',
    archived: 'include',
    owner,
    offset: 0,
    limit: 500,
  }
  const holdOn = await holdsNow(work)
  const cartridges = new Map<string, Cartridge>()
  let after: ScanPosition | undefined
  do {
    const { objects, next } = await work.scan(query, after)
    for (const stored of objects) place(cartridges, objectOf(stored), work.now)
    after = next
  } while (after !== undefined)
  for (const cartridge of cartridges.values()) {
    const { barcode, keys } = cartridge
    const current = currentOf(keys.filter(({ state }) => !state.startsWith('Destroyed')))
    if (current !== undefined) current.current = true
    for (const key of keys) key.held = holdOn(key.id, group, barcode) !== undefined
    const hold = holdOn('', group, barcode)
    if (hold !== undefined) cartridge.hold = hold
  }
  return [...cartridges.values()].sort((a, b) => (a.barcode < b.barcode ? -1 : 1))
}

/** Puts a key, met newest first, to its cartridge: same barcode and, where both tell it, same medium. */
function place(cartridges: Map<string, Cartridge>, object: ManagedObject, now: bigint): void {
  const label = labelOf(object)
  if (label === undefined) return
  const key = `${label.barcode}\u0000${label.mediumSerial ?? ''}`
  const cartridge = cartridges.get(key) ?? {
    ...label,
    group: object.group,
    keys: [],
    libraries: [],
  }
  cartridges.set(key, cartridge)
  const { vitals, attributes, id } = object
  const information = attributes.first('ApplicationSpecificInformation')
  const origin = originOf(object)
  cartridge.keys.push({
    id,
    created: vitals.InitialDate,
    owner: vitals.Owner,
    state: stateOf(vitals, now),
    withdrawn: vitals.Withdrawn,
    ...(information && { namespace: information.ApplicationNamespace }),
    ...(information?.ApplicationData !== undefined && { data: information.ApplicationData }),
    used: !vitals.Fresh,
    ...(origin !== undefined && { from: origin.peer }),
    held: false,
    current: false,
  })
  if (!cartridge.libraries.includes(vitals.Owner)) cartridge.libraries.push(vitals.Owner)
}
