// Which master key opens a data directory, and where it comes from: the providers chosen by
// the configuration and by what the database says.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { Secret } from '../crypto/secret.ts'
import { exitStatus, UserError } from '../errors.ts'
import { describeStore, type StoreDescription } from './describe-store.ts'
import { createMasterKeyFile, openMasterKeyFile } from './master-key-file.ts'
import { isPassphrase, passphraseMasterKey } from './master-key-passphrase.ts'
import type { MasterKey } from './master-key.ts'
import { proveMasterKey } from './sealing.ts'
import {
  credentialFile,
  readSecret,
  type KnownSecret,
  type SecretSources,
} from './secret-sources.ts'

/** Kinds of master key that `init` can make. */
export const masterKeyKinds = ['file', 'passphrase'] as const
export type MasterKeyKind = (typeof masterKeyKinds)[number]

/** Name of the master key file inside a data directory, where it lies unless another is named. */
export const masterKeyFile = 'master.key'

const shortestPassphrase = 12

/** Where the secrets come from that people know. */
export interface MasterKeySources {
  readonly environment: SecretSources['environment']
  /** What somebody has just given counts before all other sources. Taken over. */
  readonly given?: Partial<Record<KnownSecret, Secret>>
  /** Asks for the master passphrase at the terminal. */
  askPassphrase(): Promise<string>
}

/**
 * Opens the master key of an initialised data directory; which kind it wants is written in its
 * database. Throws UserError: not initialised (10), sealed (11), wrong passphrase (12).
 */
export async function openMasterKey(config: Config, sources: MasterKeySources): Promise<MasterKey> {
  const description = await describeStore(config.data, config.database)
  if (description === undefined) throw notInitialised(config.data)
  const { providers } = description
  const passphrases = providers.filter(isPassphrase)
  const path = config['master-key-file'] ?? join(config.data, masterKeyFile)
  if (passphrases.length === 0) return openMasterKeyFile(path)
  // A key file named must open; one that just lies there may be from before the passphrase.
  if (config['master-key-file'] !== undefined || existsSync(path)) {
    const file = openMasterKeyFile(path)
    if (config['master-key-file'] !== undefined || providers.includes(file.id)) return file
    file.close()
  }
  const passphrase =
    sources.given?.passphrase ??
    (await readSecret('passphrase', config['passphrase-file'], {
      environment: sources.environment,
      ask: () => sources.askPassphrase(),
    }))
  return openPassphrase(passphrase, passphrases, description)
}

/** While a passphrase is being changed two of them open the keystore: the one that this is. */
async function openPassphrase(
  passphrase: Secret,
  providers: readonly string[],
  { id: store, wraps }: StoreDescription,
): Promise<MasterKey> {
  for (const provider of providers.slice(1)) {
    const copy = new Secret(Uint8Array.from(passphrase.bytes))
    const masterKey = passphraseMasterKey(copy, undefined, provider)
    try {
      await proveMasterKey(masterKey, store, wraps)
      passphrase.wipe()
      return masterKey
    } catch (error) {
      masterKey.close()
      if (!(error instanceof UserError && error.code === 'wrong-passphrase')) throw error
    }
  }
  return passphraseMasterKey(passphrase, undefined, providers[0])
}

/** Where the master key file of a data directory lies, or would lie. */
export function masterKeyPath(config: Config): string {
  return resolve(config['master-key-file'] ?? join(config.data, masterKeyFile))
}

/**
 * Makes the master key of a data directory that is being built in `building`. A file named outside
 * is used when it exists already, so that one key may open several data directories.
 */
export function makeMasterKey(wish: MasterKeyWish, building: string): MasterKey {
  if (wish.kind === 'passphrase') return passphraseMasterKey(wish.passphrase)
  if (wish.path === undefined) return createMasterKeyFile(join(building, masterKeyFile))
  return existsSync(wish.path) ? openMasterKeyFile(wish.path) : createMasterKeyFile(wish.path)
}

/** The master key a new data directory shall have; the passphrase is taken over. */
export type MasterKeyWish =
  | { readonly kind: 'file'; readonly path: string | undefined }
  | { readonly kind: 'passphrase'; readonly passphrase: Secret }

/** The passphrase a keystore shall have, from the file named or as an existing one. @throws UserError when it is too short */
export async function readNewPassphrase(
  file: string | undefined,
  sources: MasterKeySources,
): Promise<Secret> {
  const { environment } = sources
  const ask = () => sources.askPassphrase()
  const passphrase = await readSecret('passphrase', file, { environment, ask })
  if (passphrase.length >= shortestPassphrase) return passphrase
  passphrase.wipe()
  throw new UserError(
    'short-passphrase',
    `the passphrase has less than ${shortestPassphrase} bytes`,
    'choose a longer one, such as six words drawn at random',
    { exitStatus: exitStatus.usage },
  )
}

/** Whether a passphrase can be had without asking somebody. */
export function hasPassphraseAtHand(
  config: Config,
  { environment }: Pick<MasterKeySources, 'environment'>,
): boolean {
  const named = config['passphrase-file'] !== undefined
  return named || credentialFile('passphrase', environment) !== undefined
}

/** The refusal where there is no keystore. */
export function notInitialised(directory: string): UserError {
  return new UserError(
    'not-initialised',
    `there is no keystore in ${directory}`,
    'make one with `keyreel init`, or name its data directory with --data',
    { exitStatus: exitStatus.notInitialised },
  )
}
