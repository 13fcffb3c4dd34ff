/**
 * What a peer may do to the keys that it has brought: withdraw them (Revoke with Privilege Withdrawn or Key
 * Compromise – KMIP 2.1 §6.1.44, §11.48), never destroy one. Its own transport keys it clears away as it likes.
 */
import { bodyOf, putBody, type Body } from '../../access/documents.ts'
import { nextEntry } from '../../access/exchange-entries.ts'
import { groupPolicy } from '../../access/policy.ts'
import { saveObject } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { markWithdrawn, type RevocationReason } from '../../keystore/withdrawal.ts'
import { originOf } from '../../keystore/key-origin.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import { KmipError } from '../model/result.ts'
import type { Context } from './operation.ts'
import { readReceiptMessage, readWithdrawalMessage } from './peer-messages.ts'

const { WrapKey, UnwrapKey } = CryptographicUsageMask.bits

/** Whether an object is for wrapping alone and cannot leave: nothing on a tape is encrypted with it. */
export function isTransportKey({ objectType, vitals, attributes }: ManagedObject): boolean {
  const mask = attributes.first('CryptographicUsageMask') ?? 0
  const wrapsOnly = mask !== 0 && (mask & ~(WrapKey | UnwrapKey)) === 0
  return objectType === 'SymmetricKey' && wrapsOnly && !vitals.Extractable
}

/** Refuses a peer that would destroy a key which it has brought: a withdrawal can be lifted, this could not. */
export function refuseDestroyByPeer(object: ManagedObject, { principal }: Context): void {
  if (principal.profile !== 'peer' || isTransportKey(object)) return
  throw new KmipError(
    'PermissionDenied',
    'a peer destroys its transport keys only: it withdraws other keys (Revoke with Privilege Withdrawn)',
  )
}

/**
 * True when this is a peer that withdraws a key which it has brought, and that is done; it may say so again.
 * False: the Revoke is an ordinary one. Throws KmipError.
 */
export async function withdrawnByPeer(
  object: ManagedObject,
  reason: RevocationReason,
  context: Context,
): Promise<boolean> {
  const { principal, work, now } = context
  if (principal.profile !== 'peer') return false
  if (isTransportKey(object)) {
    await closeTaken(object, reason, context)
    return false
  }
  const code = reason.RevocationReasonCode
  if (code !== 'PrivilegeWithdrawn' && code !== 'KeyCompromise')
    throw new KmipError(
      'PermissionDenied',
      'a peer withdraws keys with Privilege Withdrawn or Key Compromise only',
    )
  if ((await groupPolicy(work, object.group)).withdraw === 'refuse')
    throw new KmipError(
      'PermissionDenied',
      `group ${object.group} takes withdrawals as signed notices only, which its administrator applies`,
    )
  if (!markWithdrawn(object, reason, now)) return true
  await saveObject(work, object)
  const notice = readWithdrawalMessage(reason.RevocationMessage)
  context.noted.details = { reason: code, withdrawn: principal.name, ...(notice && { notice }) }
  if (notice !== undefined) await keepNotice(notice, object, reason, context)
  return true
}

/** The entry of a withdrawal over KMIP: it grows with every key. An id that is taken otherwise keeps no entry. */
async function keepNotice(
  notice: string,
  object: ManagedObject,
  { RevocationReasonCode }: RevocationReason,
  { principal, work, now }: Context,
): Promise<void> {
  const before = await bodyOf(work, 'exchange-withdrawal', notice)
  const isOwn =
    before === undefined ||
    (before.direction === 'received' && before.live === true && before.peer === principal.name)
  if (!isOwn) return
  const exportId = originOf(object)?.exportId
  const exports = new Set([
    ...(before?.exports ?? []),
    ...(exportId === undefined ? [] : [exportId]),
  ])
  const keys = (before?.keys ?? 0) + 1
  const entry = before === undefined ? await nextEntry(work) : before.entry
  const body: Body<'exchange-withdrawal'> = {
    ...(entry !== undefined && { entry }),
    direction: 'received',
    peer: principal.name,
    reason: RevocationReasonCode === 'KeyCompromise' ? 'compromised' : 'withdrawn',
    signed: before?.signed ?? Number(now),
    exports: [...exports],
    keys,
    live: true,
    applied: Number(now),
    counts: { withdrawn: keys, absent: 0, refused: 0 },
  }
  await putBody(work, 'exchange-withdrawal', notice, body)
}

/** The peer is done with what it has taken under this transport key, and says what became of it there. */
async function closeTaken(
  { id }: ManagedObject,
  { RevocationMessage }: RevocationReason,
  { principal, work, now, noted }: Context,
): Promise<void> {
  const before = await bodyOf(work, 'exchange-export', id)
  if (before?.taken !== true || before.peer !== principal.name) return
  const counts = readReceiptMessage(RevocationMessage)
  const finished = Number(now)
  const receipt = counts && { imported: finished, received: finished, counts }
  const body = { ...before, finished, ...(receipt && { receipt }) }
  await putBody(work, 'exchange-export', id, body)
  noted.details = {
    reason: 'CessationOfOperation',
    peer: principal.name,
    ...(counts && { counts: { ...counts } }),
  }
}
