// The alarm of a running server for keys that are in no verified backup.
import type { Store } from '../keystore/store.ts'
import { backupState, isOverdue, unsavedText, type BackupThresholds } from './backup-state.ts'

/** Seconds after which what has not become better is told again. */
const sayAgain = 86_400n

/** A task that looks, and alarms once a day while it is too much or too old. */
export function backupWatch(
  store: Pick<Store, 'read' | 'copy'>,
  thresholds: BackupThresholds,
  log: { error(fields: object, text: string): void },
): () => Promise<void> {
  let said: bigint | undefined
  return async () => {
    const state = await backupState(store)
    const now = await store.read((work) => Promise.resolve(work.now))
    if (!isOverdue(state, thresholds, now)) {
      said = undefined
      return
    }
    if (said !== undefined && now - said < sayAgain) return
    said = now
    const { missing, changed, since, verified } = state
    const facts = {
      missing: missing.count,
      changed: changed.count,
      since: Number(since),
      verified: verified?.created,
    }
    log.error({ alarm: true, ...facts }, `backup: ${unsavedText(state)}`)
  }
}
