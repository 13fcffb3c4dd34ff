/**
 * What becomes of each key of a bundle: new, already here, in conflict with another, or refused. Decided
 * before the batch engine sees it; what the engine refuses after all counts as well.
 */
import { DecodeError, type Raw } from 'ttlv-codec'
import { dateOf } from '../access/identity.ts'
import { CryptoRefusal } from '../crypto/crypto-refusal.ts'
import { sha256 } from '../crypto/primitives/hash.ts'
import type { Secret } from '../crypto/secret.ts'
import type { TransportKey } from '../crypto/transport-key.ts'
import { AttributeSet } from '../keystore/attribute-set.ts'
import { cartridgeEntries, labelOf } from '../keystore/cartridge-labels.ts'
import { uniqueOf } from '../keystore/derived-rows.ts'
import { isOrigin, originAttributes, originOf } from '../keystore/key-origin.ts'
import { conflictOf, objectOf } from '../keystore/keystore.ts'
import { ManagedObject } from '../keystore/managed-object.ts'
import { withdrawnText } from '../keystore/withdrawal.ts'
import { IntegrityError, type IndexEntry, type Work } from '../keystore/work.ts'
import type { AttributeInstance } from '../kmip/model/attribute-forms.ts'
import { CryptographicUsageMask } from '../kmip/model/masks.ts'
import type { KeyReport } from './key-report.ts'
import { decodeItem, digestTold, isAsTold, unwrapped } from './bundle-items.ts'
import type { ImportRequest } from './import-payload.ts'

/** A key on its way in, and how it was judged. */
export interface Incoming {
  readonly report: KeyReport
  /** The Import of a new key, in the clear. */
  readonly request: ImportRequest | undefined
}

/** An item that was read, and unwrapped unless there is something wrong with it. */
export type OpenedItem =
  { readonly refused: KeyReport } | { readonly refused?: undefined; readonly key: OpenedKey }

interface OpenedKey {
  readonly object: ManagedObject
  readonly barcode: string | undefined
  readonly digest: Uint8Array
  readonly request: ImportRequest
  /** The bytes that the request holds. */
  readonly material: Secret
}

/** What the importing side decides. */
export interface Terms {
  readonly group: string
  readonly peer: string
  readonly exportId: string
  readonly now: bigint
  /** Keys of this export that were withdrawn before they were here, and when. */
  readonly withdrawn: ReadonlyMap<string, bigint>
  /** Imported keys may also write tapes. */
  readonly allowWriting: boolean
}

/** Reads and unwraps one item. The caller wipes the material. */
export function openItem(
  raw: Raw,
  at: number,
  { transport, transportId }: { transport: TransportKey; transportId: string },
  terms: Terms,
): OpenedItem {
  let request
  try {
    request = decodeItem(raw)
  } catch (error) {
    if (!(error instanceof DecodeError || error instanceof TypeError)) throw error
    return refused(`item ${at + 1}`, undefined, `it cannot be read: ${error.message}`)
  }
  const id = String(request.UniqueIdentifier)
  const attributes = (request.Attributes ?? []) as readonly AttributeInstance[]
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))
    return refused(`item ${at + 1}`, undefined, 'its identifier is no UUID')
  const object = likeness(id, attributes, terms)
  const barcode = labelOf(object)?.barcode
  let opened
  try {
    opened = unwrapped(request, transport, transportId)
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    return refused(id, barcode, 'it is damaged: it does not unwrap')
  }
  const { material, clear } = opened
  const digest = sha256(material.bytes)
  if (isAsTold(digest, attributes)) {
    const imported = clear(importedAttributes(attributes, terms))
    return { key: { object, barcode, digest, request: imported, material } }
  }
  material.wipe()
  return refused(id, barcode, 'it is damaged: its digest is another')
}

function refused(id: string, barcode: string | undefined, reason: string): OpenedItem {
  return { refused: { id, ...(barcode !== undefined && { barcode }), verdict: 'refused', reason } }
}

/** Judges some keys. Most often none of them, nor anything like them, is here: that is one question. */
export async function judgeItems(
  work: Work,
  items: readonly OpenedItem[],
  terms: Terms,
): Promise<Incoming[]> {
  const objects = items.flatMap((item) => (item.refused === undefined ? [item.key.object] : []))
  const areKnown =
    objects.some(({ id }) => terms.withdrawn.has(id)) ||
    (await work.holdsAny(terms.group, {
      ids: objects.map(({ id }) => id),
      unique: objects.flatMap(uniqueOf),
      index: objects.flatMap((object) => cartridgeOf(object) ?? []),
    }))
  const judged: Incoming[] = []
  for (const item of items) {
    if (item.refused !== undefined) {
      judged.push({ report: item.refused, request: undefined })
      continue
    }
    const { object, barcode, digest, request } = item.key
    const found: Judgement = areKnown
      ? await judgeKey(work, object, digest, terms)
      : { verdict: 'new' }
    const report = { id: object.id, ...(barcode !== undefined && { barcode }), ...found }
    judged.push({ report, request: found.verdict === 'new' ? request : undefined })
  }
  return judged
}

type Judgement = Pick<KeyReport, 'verdict' | 'reason'>

/** What is damaged here stands in the way of one key, and is said; the others go on. */
async function judgeKey(
  work: Work,
  object: ManagedObject,
  digest: Uint8Array,
  terms: Terms,
): Promise<Judgement> {
  try {
    return await judgeWhole(work, object, digest, terms)
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error
    return { verdict: 'refused', reason: error.message }
  }
}

async function judgeWhole(
  work: Work,
  object: ManagedObject,
  digest: Uint8Array,
  { group, peer, withdrawn }: Terms,
): Promise<Judgement> {
  const stored = await work.loadAnywhere(object.id)
  if (stored !== undefined) return judgeHere(objectOf(stored), digest, group)
  const date = withdrawn.get(object.id)
  if (date !== undefined) {
    const reason = `it was withdrawn ${dateOf(date)} by peer ${peer} and is not brought back`
    return { verdict: 'refused', reason }
  }
  const conflict = await conflictOf(work, object)
  if (conflict !== undefined) {
    const what = conflict.kind === 'name' ? 'Name' : 'Application Specific Information'
    return { verdict: 'conflict', reason: `its ${what} is that of key ${conflict.holder}` }
  }
  const other = await sameBarcode(work, object, peer)
  if (other === undefined) return { verdict: 'new' }
  return { verdict: 'new', reason: `key ${other} here has the same barcode: both are kept` }
}

function judgeHere(object: ManagedObject, digest: Uint8Array, group: string): Judgement {
  const { group: where, vitals, attributes } = object
  const withdrawn = withdrawnText(object)
  if (withdrawn !== undefined)
    return { verdict: 'refused', reason: `it ${withdrawn} and is not brought back` }
  if (vitals.DestroyDate !== undefined) {
    const reason = `it was destroyed here ${dateOf(vitals.DestroyDate)} and is not brought back`
    return { verdict: 'refused', reason }
  }
  const held = digestTold(attributes.instances)
  if (held === undefined || Buffer.compare(held, digest) !== 0)
    return { verdict: 'conflict', reason: 'another key with this identifier is here' }
  if (where === group) return { verdict: 'here' }
  return { verdict: 'conflict', reason: `it is here already, in group ${where}` }
}

/** A key with the same barcode that did not come from this peer. */
async function sameBarcode(
  work: Work,
  object: ManagedObject,
  peer: string,
): Promise<string | undefined> {
  const cartridge = cartridgeOf(object)
  if (cartridge === undefined) return undefined
  const { ids } = await work.find({
    group: object.group,
    equals: [cartridge],
    ranges: [],
    destroyed: 'exclude',
    archived: 'include',
    offset: 0,
    limit: 16,
  })
  for (const id of ids) {
    const stored = await work.load(object.group, id)
    if (stored !== undefined && originOf(objectOf(stored))?.peer !== peer) return id
  }
  return undefined
}

/** The index entry of the keys for the object's cartridge. */
function cartridgeOf(object: ManagedObject): IndexEntry | undefined {
  return cartridgeEntries(object).find(({ attribute }) => attribute === 'cartridge')
}

/** The object as it would be, for what follows from attributes: its label and unique values. */
export function likeness(
  id: string,
  attributes: readonly AttributeInstance[],
  { group, now }: Pick<Terms, 'group' | 'now'>,
): ManagedObject {
  const set = new AttributeSet()
  for (const { tag, value } of attributes) set.add({ tag, value })
  const vitals = {
    Owner: '',
    Fresh: true,
    Sensitive: false,
    Extractable: true,
    InitialDate: now,
    LastChangeDate: now,
    LeaseTime: 0,
  }
  return new ManagedObject({ id, group, objectType: 'SymmetricKey' }, vitals, set)
}

const { bits } = CryptographicUsageMask
/** Uses that make something new: what an imported key is not for. */
const writing = bits.Sign | bits.Encrypt | bits.WrapKey | bits.MACGenerate | bits.DeriveKey

/** The attributes as they are kept: where the key came from, and what it may be used for. */
function importedAttributes(
  attributes: readonly AttributeInstance[],
  { peer, exportId, now, allowWriting }: Terms,
): AttributeInstance[] {
  const mask = attributes.find(({ tag }) => tag === 'CryptographicUsageMask')?.value
  const given = typeof mask === 'number' ? mask : bits.Encrypt | bits.Decrypt
  return [
    ...attributes.filter((one) => one.tag !== 'CryptographicUsageMask' && !isOrigin(one)),
    { tag: 'CryptographicUsageMask', value: allowWriting ? given : given & ~writing },
    ...originAttributes({ peer, exportId, date: now }),
  ]
}
