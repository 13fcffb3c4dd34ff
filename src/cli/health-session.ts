// Opens what the checks of health.ts look at, also while the keystore is sealed.
import { backupThresholds } from '../admin/backup-state.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { HealthContext } from '../admin/health.ts'
import type { Store } from '../keystore/store.ts'
import { masterKeyPath } from '../keystore/master-key-choice.ts'
import type { Context } from './command.ts'
import { withStore } from './keystore-session.ts'

/**
 * Runs `use` on the data directory, with the keystore or the reason why it is sealed.
 * @throws UserError when it is not initialised, or the passphrase is wrong
 */
export async function withHealth<T>(
  context: Context,
  full: boolean,
  use: (health: HealthContext) => Promise<T>,
): Promise<T> {
  const { config, io } = context
  const health = (keystore: Store | UserError): HealthContext => ({
    directory: config.data,
    database: config.database,
    masterKeyPath: masterKeyPath(config),
    checkpoint: config.checkpoint,
    syslog: config.syslog,
    backupThresholds: backupThresholds(config),
    diskReserve: config['disk-reserve'],
    keystore,
    now: io.now(),
    full,
  })
  let isOpen = false
  try {
    return await withStore(context, (store) => {
      isOpen = true
      return use(health(store))
    })
  } catch (error) {
    const isSealed = error instanceof UserError && error.exitStatus === exitStatus.sealed
    if (isOpen || !isSealed) throw error
    return use(health(error))
  }
}
