// `doctor --repair`: everything that follows from records is made anew where it does not, step by step beside a
// running server.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { administrator } from '../access/documents.ts'
import type { RebuildStep } from '../keystore/rebuild.ts'
import type { Store } from '../keystore/store.ts'
import { forgetDerivedDamage } from './scrubbing.ts'

/** What was made anew. */
export type Rebuilt = Omit<RebuildStep, 'next'>

/** Goes through the whole keystore; nothing is written where all is right. */
export async function rebuildAll(store: Pick<Store, 'rebuildDerived' | 'act'>): Promise<Rebuilt> {
  const sum = { objects: 0, removed: 0, auditRows: 0, damaged: 0 }
  let from: RebuildStep['next']
  do {
    const { next, ...done } = await store.rebuildDerived(from, administrator)
    sum.objects += done.objects
    sum.removed += done.removed
    sum.auditRows += done.auditRows
    sum.damaged += done.damaged
    from = next
    await nextTurn()
  } while (from !== undefined)
  await store.act(forgetDerivedDamage)
  return sum
}

/** In one line. */
export function rebuiltText({ objects, removed, auditRows, damaged }: Rebuilt): string {
  const done =
    objects + removed + auditRows === 0
      ? 'nothing to repair: columns and index rows are those of the records'
      : `repaired: what ${objects} objects are found by, ${auditRows} rows of the index of records; ${removed} rows taken away that nothing has`
  if (damaged === 0) return done
  return `${done}; ${damaged} objects are damaged themselves and were left alone`
}
