// What a running server does about its master key: it opens epochs begun elsewhere, goes on with a new
// master key after a rotation, and notices when the key is taken away.
import { exitStatus, UserError } from '../errors.ts'
import type { MasterKey } from './master-key.ts'
import type { Store } from './store.ts'

/** Statuses of errors that say that the key is not to be had: a token may have got another PIN. */
const away: readonly number[] = [exitStatus.sealed, exitStatus.wrongPassphrase]

/** Milliseconds until a key that was not to be had is looked for again: twice as long each time, up to the second. */
const againAfter = { first: 1_000, most: 60_000 }

/** What the watch needs. */
export interface MasterKeyWatching {
  readonly store: Pick<
    Store,
    'followEpochs' | 'openers' | 'adoptMasterKey' | 'checkMasterKey' | 'provider'
  >
  readonly log: {
    info(fields: object, text: string): void
    error(fields: object, text: string): void
  }
  /** Opens the master key that is configured now, without asking anybody. */
  reopen(): Promise<MasterKey>
  /** Told once when the master key can be reached no longer. */
  lost(reason: UserError): void
  /** Milliseconds of a clock that is never set; the process's by default. */
  readonly steady?: () => number
}

/** The attempt before, which did not succeed. */
interface Missed {
  /** Who opened the store then: others after a later rotation. */
  readonly openers: string
  /** Whether a PIN or passphrase was refused: for the same openers it is not tried again. */
  readonly isRefused: boolean
  readonly pause: number
  readonly again: number
  readonly message: string
}

/** The watch. */
export interface MasterKeyWatch {
  /** One look; to be repeated. Who asks while there is one waits for that. */
  look(): Promise<void>
  /** Lets the next look try the configured master key again, whatever came of it before. */
  tryAgain(): void
}

/** A watch over the master key of a store. */
export function watchMasterKey({
  store,
  log,
  reopen,
  lost,
  steady = () => performance.now(),
}: MasterKeyWatching): MasterKeyWatch {
  let missed: Missed | undefined
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

  const follow = async (openers: string): Promise<void> => {
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
      missed = undefined
    } catch (error) {
      const last = missed?.openers === openers ? missed : undefined
      missed = missedNow(openers, error, last, steady())
      // Once for each reason: it may be looked for all night.
      if (missed.message !== last?.message)
        log.error(
          { err: error, alarm: true, before },
          'the master key was rotated, and the new one is not to be had; name it in the configuration and send SIGHUP, or keyreel master-key unseal',
        )
    }
  }

  const lookOnce = async (): Promise<void> => {
    if (isLost || !(await isReachable())) return
    if ((await store.followEpochs()) === 'current') {
      missed = undefined
      return
    }
    const openers = (await store.openers()).join()
    if (missed === undefined || mayTry(missed, openers, steady())) await follow(openers)
  }

  let looking: Promise<void> | undefined
  return {
    look: () => (looking ??= lookOnce().finally(() => (looking = undefined))),
    tryAgain() {
      missed = undefined
    },
  }
}

function mayTry(missed: Missed, openers: string, now: number): boolean {
  return openers !== missed.openers || (!missed.isRefused && now >= missed.again)
}

function missedNow(openers: string, error: unknown, last: Missed | undefined, now: number): Missed {
  const pause = last === undefined ? againAfter.first : Math.min(2 * last.pause, againAfter.most)
  const message = error instanceof Error ? error.message : String(error)
  return { openers, isRefused: isSecretRefused(error), pause, again: now + pause, message }
}

/** Whether a PIN or passphrase was wrong, or is not to be tried because one was. */
function isSecretRefused(error: unknown): boolean {
  if (!(error instanceof UserError)) return false
  const isWrong = error.exitStatus === exitStatus.wrongPassphrase
  return isWrong || error.code === 'pin-not-tried' || error.code === 'pin-locked'
}
