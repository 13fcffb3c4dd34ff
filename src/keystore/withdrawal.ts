/**
 * Copies of keys that the site they came from wants used no longer. Such a key is out of use for everybody, but
 * it is not wiped: an administrator can lift the withdrawal.
 */
import type { Infer } from 'ttlv-codec'
import type { attributes as attributeTable } from '../kmip/model/attributes.ts'
import { originOf } from './key-origin.ts'
import { stateOf, transition } from './lifecycle.ts'
import type { ManagedObject } from './managed-object.ts'

/** Why a key was revoked, as KMIP has it. */
export type RevocationReason = Infer<(typeof attributeTable)['RevocationReason']['schema']>

/**
 * Marks a key as withdrawn at `now`, and takes it out of use by the life cycle of KMIP where its state allows
 * that. The caller keeps it. False: it was withdrawn before, and nothing has changed.
 */
export function markWithdrawn(
  { vitals, attributes }: ManagedObject,
  reason: RevocationReason,
  now: bigint,
): boolean {
  if (vitals.Withdrawn !== undefined) return false
  vitals.Withdrawn = now
  const event = reason.RevocationReasonCode === 'KeyCompromise' ? 'compromise' : 'deactivate'
  if (transition(stateOf(vitals, now), event) !== undefined) {
    if (event === 'compromise') {
      vitals.CompromiseDate = now
      attributes.set('CompromiseOccurrenceDate', vitals.InitialDate)
    } else {
      vitals.DeactivationDate = now
      vitals.ShownState = 'Deactivated'
    }
  }
  attributes.set('RevocationReason', reason)
  vitals.LastChangeDate = now
  return true
}

/** `was withdrawn 2026-11-22 by peer A`; undefined for a key that was not. */
export function withdrawnText(object: ManagedObject): string | undefined {
  const { Withdrawn } = object.vitals
  if (Withdrawn === undefined) return undefined
  const date = new Date(Number(Withdrawn) * 1000).toISOString().slice(0, 10)
  return `was withdrawn ${date} by peer ${originOf(object)?.peer ?? 'unknown'}`
}
