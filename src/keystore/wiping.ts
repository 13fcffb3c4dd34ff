/** Destroyed keys whose time to be recovered is over: their sealed material is wiped, and audited. */
import { holdKind, holdOf } from './holds.ts'
import { objectOf } from './keystore.ts'
import type { Store } from './store.ts'
import { IntegrityError, type AuditActor, type Work } from './work.ts'

const actor: AuditActor = { name: 'keyreel', kind: 'server' }
const keysPerAct = 100

/**
 * Wipes what is due, a bounded number of keys per act. A key that fails its integrity check is left
 * alone, and named in the error thrown once all others are wiped.
 */
export async function wipeDue(store: Pick<Store, 'act'>): Promise<void> {
  for (;;) {
    const { wiped, isFull, damaged } = await store.act(wipeSome)
    if (wiped > 0 && isFull) continue
    if (damaged.length > 0) throw new AggregateError(damaged, 'destroyed keys could not be wiped')
    return
  }
}

/** The column says which keys may be due; the verified record decides. */
async function wipeSome(
  work: Work,
): Promise<{ wiped: number; isFull: boolean; damaged: IntegrityError[] }> {
  // Held keys stay due; they must not keep those behind them from being reached.
  const holds = await work.documents(holdKind)
  const due = await work.wipeable(work.now, keysPerAct + holds.length)
  const damaged: IntegrityError[] = []
  let wiped = 0
  for (const { group, id } of due) {
    try {
      const stored = await work.load(group, id)
      if (stored === undefined) continue
      const object = objectOf(stored)
      const { DestroyDate, WipeAfter } = object.vitals
      if (DestroyDate === undefined || WipeAfter === undefined || WipeAfter > work.now) continue
      if (holds.length > 0 && (await holdOf(work, object)) !== undefined) continue
      await work.wipe(stored)
      work.audit({ actor, operation: 'Wipe', object: id, group, outcome: 'Success' })
      wiped++
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error
      damaged.push(error)
    }
  }
  return { wiped, isFull: due.length >= keysPerAct + holds.length, damaged }
}
