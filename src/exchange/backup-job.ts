// One backup as a server makes it by itself: written, read back from the disk and verified, and compared with the
// keystore. It only reads the store, so that it can be done by whoever has it open, in a thread of its own too.
import type { Problem } from '../keystore/audit-chain-walk.ts'
import { lent, type MasterKey } from '../keystore/master-key.ts'
import type { Store } from '../keystore/store.ts'
import { writeBackup, type WrittenBackup } from './backup-create.ts'
import { openBackup } from './backup-file.ts'
import { compareWith, verifyBackup } from './backup-verify.ts'
import { openExchangeKeys } from './identity.ts'

/** What a backup takes. */
export interface BackupJob {
  readonly store: Pick<Store, 'id' | 'read' | 'epochs' | 'copy'>
  /** Opens the epochs in the backup; it stays open. */
  readonly masterKey: MasterKey
  readonly out: string
  /** Where it is restored aside, in a folder that is removed again; by default that of temporary files. */
  readonly aside?: string
  /** Told of the file once it is there, whole, and not verified yet. */
  readonly written: (backup: WrittenBackup) => void
  /** Seconds since 1970. */
  readonly now: () => bigint
}

/** Makes and verifies a backup. Answers what is wrong with it: nothing when it can be relied on. */
export async function backUp(job: BackupJob): Promise<readonly Problem[]> {
  const { store, masterKey, out, aside, written, now } = job
  written(await writeBackup(store, { out }))
  const keys = await store.read((work) => openExchangeKeys(work))
  const openers = keys.map(({ opener }) => opener)
  const backup = await openBackup(out, openers, 'this server')
  try {
    const found = await verifyBackup(backup, lent(masterKey), now, { aside, live: store })
    return [...found.problems, ...(await compareWith(store, backup))]
  } finally {
    await backup.close()
  }
}
