/**
 * What becomes of each key of a bundle: new, already here, in conflict with another, or refused. Decided
 * before the batch engine sees it; what the engine refuses after all counts as well.
 */
import { DecodeError, type Raw } from 'ttlv-codec'
import { dateOf } from '../access/identity.ts'
import { CryptoRefusal } from '../crypto/crypto-refusal.ts'
import { sha256 } from '../crypto/primitives/hash.ts'
import type { TransportKey } from '../crypto/transport-key.ts'
import { AttributeSet } from '../keystore/attribute-set.ts'
import { labelOf } from '../keystore/cartridge-labels.ts'
import { isOrigin, originAttributes, originOf } from '../keystore/key-origin.ts'
import { conflictOf, objectOf } from '../keystore/keystore.ts'
import { ManagedObject } from '../keystore/managed-object.ts'
import type { Work } from '../keystore/work.ts'
import type { AttributeInstance } from '../kmip/model/attribute-forms.ts'
import { CryptographicUsageMask } from '../kmip/model/masks.ts'
import type { KeyReport, Verdict } from './key-report.ts'
import { decodeItem, digestTold, isAsTold, payloadOf, unwrapped } from './bundle-items.ts'

/** A key on its way in: judged, and when it is new its Import payload. The payload holds the key in the clear. */
export interface Incoming {
  readonly report: KeyReport
  readonly payload: Raw | undefined
}

/** What the importing side decides. */
export interface Terms {
  readonly group: string
  readonly peer: string
  readonly exportId: string
  readonly now: bigint
  /** Imported keys may also write tapes. */
  readonly allowWriting: boolean
}

/** Unwraps and judges the key of one item. */
export async function judgeItem(
  work: Work,
  raw: Raw,
  at: number,
  { transport, transportId }: { transport: TransportKey; transportId: string },
  terms: Terms,
): Promise<Incoming> {
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
  try {
    if (!isAsTold(material, attributes))
      return refused(id, barcode, 'it is damaged: its digest is another')
    const found = await judgeKey(work, object, sha256(material.bytes), terms)
    const report: KeyReport = { id, ...(barcode !== undefined && { barcode }), ...found }
    const payload =
      found.verdict === 'new' ? payloadOf(clear(importedAttributes(attributes, terms))) : undefined
    return { report, payload }
  } finally {
    material.wipe()
  }
}

function refused(id: string, barcode: string | undefined, reason: string): Incoming {
  return {
    report: { id, ...(barcode !== undefined && { barcode }), verdict: 'refused', reason },
    payload: undefined,
  }
}

async function judgeKey(
  work: Work,
  object: ManagedObject,
  digest: Uint8Array,
  { group, peer }: Terms,
): Promise<{ verdict: Verdict; reason?: string }> {
  const stored = await work.loadAnywhere(object.id)
  if (stored !== undefined) return judgeHere(objectOf(stored), digest, group)
  const conflict = await conflictOf(work, object)
  if (conflict !== undefined) {
    const what = conflict.kind === 'name' ? 'Name' : 'Application Specific Information'
    return { verdict: 'conflict', reason: `its ${what} is that of key ${conflict.holder}` }
  }
  const other = await sameBarcode(work, object, peer)
  if (other === undefined) return { verdict: 'new' }
  return { verdict: 'new', reason: `key ${other} here has the same barcode: both are kept` }
}

function judgeHere(
  { group: where, vitals, attributes }: ManagedObject,
  digest: Uint8Array,
  group: string,
): { verdict: Verdict; reason?: string } {
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
  const label = labelOf(object)
  if (label === undefined) return undefined
  const { ids } = await work.find({
    group: object.group,
    equals: [{ attribute: 'cartridge', value: label.barcode }],
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

/** The object as it would be, for what follows from attributes: its label and unique values. */
function likeness(
  id: string,
  attributes: readonly AttributeInstance[],
  { group, now }: Terms,
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
