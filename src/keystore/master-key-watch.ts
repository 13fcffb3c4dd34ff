// What a running server does about its master key: it opens epochs begun elsewhere, goes on with a new
// master key after a rotation, and notices when the key is taken away.
import { exitStatus, UserError } from '../errors.ts'
import type { MasterKey } from './master-key.ts'
import type { Store } from './store.ts'

/** Statuses of errors that say that the key is not to be had: a token may have got another PIN. */
const away: readonly number[] = [exitStatus.sealed, exitStatus.wrongPassphrase]

/** What the watch needs. */
export interface MasterKeyWatching {
  readonly store: Pick<Store, 'followEpochs' | 'adoptMasterKey' | 'checkMasterKey' | 'provider'>
  readonly log: {
    info(fields: object, text: string): void
    error(fields: object, text: string): void
  }
  /** Opens the master key that is configured now, without asking anybody. */
  reopen(): Promise<MasterKey>
  /** Told once when the master key can be reached no longer. */
  lost(reason: UserError): void
}

/** The watch. */
export interface MasterKeyWatch {
  /** One look; to be repeated. Who asks while there is one waits for that. */
  look(): Promise<void>
  /** Lets the next look try the configured master key again: it is tried once for each rotation. */
  tryAgain(): void
}

/** A watch over the master key of a store. */
export function watchMasterKey({ store, log, reopen, lost }: MasterKeyWatching): MasterKeyWatch {
  let tried = false
  let isLost = false

  const isReachable = async (): Promise<boolean> => {
    try {
      await store.checkMasterKey()
      return true
    } catch (error) {
      if (!(error instanceof UserError) || !away.includes(error.exitStatus)) throw error
      isLost = true
      lost(error)
      return false
    }
  }

  const follow = async (): Promise<void> => {
    const before = store.provider()
    try {
      const masterKey = await reopen()
      try {
        await store.adoptMasterKey(masterKey)
      } catch (error) {
        masterKey.close()
        throw error
      }
      log.info(
        { before, now: store.provider() },
        'the master key was rotated; this server goes on with the new one',
      )
      // The next rotation may come before the next look.
      tried = false
    } catch (error) {
      log.error(
        { err: error, alarm: true, before },
        'the master key was rotated, and the new one is not to be had; name it in the configuration and send SIGHUP, or keyreel master-key unseal',
      )
    }
  }

  const lookOnce = async (): Promise<void> => {
    if (isLost || !(await isReachable())) return
    if ((await store.followEpochs()) === 'current') tried = false
    else if (!tried) {
      // Once only: a passphrase or PIN that is wrong must not be tried again and again.
      tried = true
      await follow()
    }
  }

  let looking: Promise<void> | undefined
  return {
    look: () => (looking ??= lookOnce().finally(() => (looking = undefined))),
    tryAgain() {
      tried = false
    },
  }
}
