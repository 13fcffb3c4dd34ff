// Opens the keystore of the data directory for one command and closes it again.
import { exitStatus, UserError } from '../errors.ts'
import { openStore } from '../keystore/store.ts'
import type { OpenOptions, Store } from '../keystore/store.ts'
import { urlsOf } from '../keystore/database.ts'
import { journalsFor } from '../keystore/journal-wish.ts'
import { openMasterKey } from '../keystore/master-key-choice.ts'
import type { MasterKeySources } from '../keystore/master-key-choice.ts'
import type { MasterKey } from '../keystore/master-key.ts'
import { PushQueue } from '../push/push-queue.ts'
import type { Context } from './command.ts'
import { askPassphrase, askPin } from './dialogue.ts'

/** Exit statuses of every command that opens the keystore. */
export const keystoreExits = [
  exitStatus.notInitialised,
  exitStatus.sealed,
  exitStatus.wrongPassphrase,
] as const

/** The name of the chain in which the command line's acts are recorded. */
const writer = 'cli'

/** Runs `use` on the opened keystore, also while a server runs on the same data directory. */
export async function withStore<T>(
  context: Context,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const masterKey = await openMasterKey(context.config, masterKeySources(context))
  return withMasterKey(context, masterKey, use)
}

/** The same for a command that makes keys: they are in the journals of the keystore, or those named, before they count. */
export async function withJournals<T>(
  context: Context,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const { config, log } = context
  const { data: directory, database, journal: paths } = config
  const named = journalsFor({ directory, database }, paths, log)
  const isFile = urlsOf({ database }) === undefined
  const masterKey = await openMasterKey(config, masterKeySources(context))
  const journals = isFile ? { commandJournals: named ?? { log } } : {}
  return withMasterKey(context, masterKey, use, journals)
}

/** Runs `use` on the keystore opened by that master key, which is taken over. */
export async function withMasterKey<T>(
  context: Context,
  masterKey: MasterKey,
  use: (store: Store) => Promise<T>,
  journals: Pick<OpenOptions, 'commandJournals'> = {},
): Promise<T> {
  const store = await openStore({
    ...journals,
    directory: context.config.data,
    database: context.config.database,
    node: context.config.node,
    masterKey,
    writer,
    now: context.io.now,
    changed: new PushQueue(context.config.limits.waitingPushes).observe,
    standbyGrace: 0,
  }).catch((error: unknown) => {
    masterKey.close()
    throw error
  })
  try {
    // Otherwise a command that records something would wait for a standby, perhaps for hours, without a word.
    if (store.node !== undefined) await store.watchStandby()
    return await use(store)
  } finally {
    await store.close()
  }
}

/** Passphrases of an existing keystore: from the environment's places, else asked once. */
export function masterKeySources(context: Context): MasterKeySources {
  return {
    environment: context.io.env,
    askPassphrase: () => askPassphrase(context, 'master passphrase'),
    askPin: (remark) => askPin(context, remark),
  }
}

/** The same without asking anybody. */
export function unattended(context: Context): MasterKeySources {
  const nobody = () =>
    Promise.reject(
      new UserError(
        'no-terminal',
        'the master passphrase or PIN is not at hand',
        'give it:  keyreel master-key unseal  – or name a file that holds it with --passphrase-file or --pkcs11-pin-file',
        { exitStatus: exitStatus.sealed },
      ),
    )
  return { environment: context.io.env, askPassphrase: nobody, askPin: nobody }
}
