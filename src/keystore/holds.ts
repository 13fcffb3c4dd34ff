/**
 * Legal holds: a held key is not destroyed, replaced or wiped, whoever asks, until it is released. A key is
 * held by its identifier, or by the barcode of its cartridge, keys made for it later included. Documents, so
 * that they are under a MAC and missed when they are taken away.
 */
import { KmipError } from '../kmip/model/result.ts'
import { labelOf } from './cartridge-labels.ts'
import type { ManagedObject } from './managed-object.ts'
import type { Work } from './work.ts'

/** Kind of the documents. */
export const holdKind = 'hold'

/** Why something is held. */
export interface Hold {
  readonly reason: string
  /** Seconds since 1970. */
  readonly since: bigint
  /** The cartridge, when the key is held because of it. */
  readonly cartridge: string | undefined
}

interface HoldBody {
  readonly reason: string
  readonly since: number
  readonly cartridge?: string
}

/** Name of the document that holds one key. */
export function keyHoldName(id: string): string {
  return `key/${id}`
}

/** Name of the document that holds the keys of a cartridge. */
export function cartridgeHoldName(group: string, barcode: string): string {
  return `cartridge/${group}/${barcode}`
}

/** The hold on an object, or undefined. */
export async function holdOf(
  work: Pick<Work, 'document'>,
  object: ManagedObject,
): Promise<Hold | undefined> {
  const { id, group } = object
  const own = await work.document(holdKind, keyHoldName(id))
  if (own !== undefined) return holdIn(own.body)
  const label = labelOf(object)
  if (label === undefined) return undefined
  const { barcode } = label
  const ofCartridge = await work.document(holdKind, cartridgeHoldName(group, barcode))
  return ofCartridge && { ...holdIn(ofCartridge.body), cartridge: barcode }
}

/** Answers for many objects: the hold on each, if there is one, by the holds that there are now. */
export async function holdsNow(
  work: Pick<Work, 'documents'>,
): Promise<(id: string, group: string, barcode: string | undefined) => Hold | undefined> {
  const all = new Map((await work.documents(holdKind)).map(({ name, body }) => [name, body]))
  return (id, group, barcode) => {
    const own = all.get(keyHoldName(id))
    if (own !== undefined || barcode === undefined) return own === undefined ? own : holdIn(own)
    const ofCartridge = all.get(cartridgeHoldName(group, barcode))
    return ofCartridge === undefined ? undefined : { ...holdIn(ofCartridge), cartridge: barcode }
  }
}

/** The hold on a cartridge, or undefined. */
export async function holdOfCartridge(
  work: Pick<Work, 'document'>,
  group: string,
  barcode: string,
): Promise<Hold | undefined> {
  const found = await work.document(holdKind, cartridgeHoldName(group, barcode))
  return found && { ...holdIn(found.body), cartridge: barcode }
}

/** The hold of a key by its own identifier, be it for itself or with its cartridge; undefined when there is none. */
export async function ownHoldOf(
  work: Pick<Work, 'document'>,
  id: string,
): Promise<Hold | undefined> {
  const found = await work.document(holdKind, keyHoldName(id))
  return found && holdIn(found.body)
}

/** Throws KmipError, as KMIP 2.1 §6.1.15.1 has it, when the object is held. Its reason is not for clients. */
export async function refuseHeld(
  work: Pick<Work, 'document'>,
  object: ManagedObject,
): Promise<void> {
  if ((await holdOf(work, object)) === undefined) return
  throw new KmipError('PermissionDenied', `object ${object.id} is held: it is not destroyed`)
}

function holdIn(body: unknown): Hold {
  const { reason, since, cartridge } = body as HoldBody
  return { reason, since: BigInt(since), cartridge }
}
