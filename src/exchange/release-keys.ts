/**
 * How keys leave for a peer, in a bundle or over KMIP: each is unsealed, wrapped under the transport key,
 * and recorded in one act; nothing leaves that act but what is wrapped.
 */
import { putBody, type Body } from '../access/documents.ts'
import { dateOf } from '../access/identity.ts'
import { groupPolicy, mayExportTo } from '../access/policy.ts'
import type { TransportKey } from '../crypto/transport-key.ts'
import { labelOf } from '../keystore/cartridge-labels.ts'
import { loadObject, materialOf } from '../keystore/keystore.ts'
import type { ManagedObject } from '../keystore/managed-object.ts'
import type { Store } from '../keystore/store.ts'
import { withdrawnText } from '../keystore/withdrawal.ts'
import type { AuditActor, AuditEntry, Work } from '../keystore/work.ts'
import { importRequest } from './bundle-items.ts'
import type { ImportRequest } from './import-payload.ts'
import { againstPolicy } from './refusals.ts'
import type { Selected } from './selection.ts'

/** Keys unsealed in one act. */
export const keysPerAct = 100

/** A key that did not go along. */
export interface LeftOut {
  readonly id: string
  readonly barcode: string | undefined
  readonly reason: string
}

/** For whom, and under which transport key. */
export interface Release {
  readonly store: Store
  readonly group: string
  readonly peer: string
  /** The export that it belongs to. */
  readonly id: string
  readonly transport: TransportKey
  /** Identifier by which the peer knows the transport key. */
  readonly transportId: string
  readonly actor: AuditActor
  /** Of the records of the keys: pending where a bundle is to come of it, whose end is another record. */
  readonly outcome: 'Success' | 'OperationPending'
}

/** Unseals, wraps and records some keys in one act. The act may run again: what it gives is made anew. */
export function releaseKeys(
  keys: readonly Selected[],
  { store, group, peer, id, transport, transportId, actor, outcome }: Release,
): Promise<{ requests: ImportRequest[]; leftOut: LeftOut[] }> {
  return store.act(async (work) => {
    const requests: ImportRequest[] = []
    const leftOut: LeftOut[] = []
    for (const key of keys) {
      const object = await loadObject(work, group, key.id)
      const reason = object === undefined ? 'it is gone' : reasonToKeep(object)
      if (object === undefined || reason !== undefined) {
        const barcode = object && labelOf(object)?.barcode
        leftOut.push({ id: key.id, barcode, reason: reason ?? 'it is gone' })
        continue
      }
      const sealed = await materialOf(work, object)
      if (sealed === undefined) throw new Error(`key ${key.id} has no material after all`)
      requests.push(importRequest(object, sealed, transport, transportId, work.now))
      sealed.wipe()
      work.audit({
        actor,
        operation: 'exchange export',
        object: key.id,
        group,
        outcome,
        details: { peer, export: id },
      })
    }
    const ids = requests.map(({ UniqueIdentifier }) => String(UniqueIdentifier))
    const details = { peer, keys: ids, leftOut: leftOut.map((one) => ({ ...one })) }
    const record = { actor, object: id, group, outcome: 'Success' } as const
    work.audit({ ...record, operation: 'exchange export part', details })
    return { requests, leftOut }
  })
}

/** Why a key may not leave; undefined when it may. */
function reasonToKeep(object: ManagedObject): string | undefined {
  const { vitals, stored } = object
  const withdrawn = withdrawnText(object)
  if (withdrawn !== undefined) return `it ${withdrawn}`
  if (vitals.DestroyDate !== undefined) return `it was destroyed ${dateOf(vitals.DestroyDate)}`
  if (!vitals.Extractable) return 'it is not extractable'
  return stored?.hasMaterial === true ? undefined : 'its value is not kept here'
}

/** Throws UserError, exit status 13, when the group's keys may not go to the peer. */
export async function refuseByPolicy(work: Work, group: string, peer: string): Promise<void> {
  const policy = await groupPolicy(work, group)
  if (mayExportTo(policy, peer)) return
  throw againstPolicy(
    `group ${group} does not export its keys to peer ${peer} (export=${policy.export})`,
    `change its policy first:  keyreel group set ${group} export=${peer}`,
  )
}

/** Keeps the record of an export and audits what became of it. */
export async function keepExport(
  work: Work,
  id: string,
  body: Body<'exchange-export'>,
  actor: AuditActor,
  operation: string,
): Promise<void> {
  await putBody(work, 'exchange-export', id, body)
  const { group, ...details } = body
  const outcome = body.failed === undefined ? 'Success' : 'GeneralFailure'
  work.audit({ actor, operation, object: id, group, outcome, details })
}

const recordsOfExport = 100_000

/** The keys that an export has released, by its audit records. */
export async function keysOfExport(store: Store, id: string): Promise<string[]> {
  const { entries } = await store.objectHistory(id, recordsOfExport)
  return partsOfExport(entries).flatMap(({ details }) => (details as { keys: string[] }).keys)
}

/** Of the records of an export those that list its keys, oldest first; of its last attempt, where an earlier one failed. */
export function partsOfExport(entries: readonly AuditEntry[]): AuditEntry[] {
  const begun = entries
    .filter(({ operation }) => operation === 'exchange export begin')
    .reduce<AuditEntry | undefined>(later, undefined)
  return entries
    .filter(({ operation }) => operation === 'exchange export part')
    .filter(({ chain, number }) =>
      begun === undefined ? true : chain === begun.chain && number > begun.number,
    )
    .toSorted((a, b) => a.number - b.number)
}

function later(a: AuditEntry | undefined, b: AuditEntry): AuditEntry {
  if (a === undefined || b.time > a.time) return b
  return b.time === a.time && b.number > a.number ? b : a
}
