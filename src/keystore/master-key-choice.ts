// Which master key opens a data directory, and where it comes from: the providers chosen by
// the configuration and by what the database says.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { Secret } from '../crypto/secret.ts'
import { exitStatus, UserError } from '../errors.ts'
import { describedStore, type StoreDescription } from './describe-store.ts'
import { createTokenKey, openTokenKey, pkcs11Provider } from './master-key-pkcs11.ts'
import { createMasterKeyFile, openMasterKeyFile } from './master-key-file.ts'
import { isPassphrase, passphraseMasterKey } from './master-key-passphrase.ts'
import type { MasterKey } from './master-key.ts'
import { proveMasterKey } from './sealing.ts'
import type { TokenPlace } from './pkcs11-errors.ts'
import type { Pin } from './pkcs11-token.ts'
import { refusedPins } from './refused-pins.ts'
import {
  credentialFile,
  readSecret,
  type KnownSecret,
  type SecretSources,
} from './secret-sources.ts'

/** Kinds of master key that `init` can make. */
export const masterKeyKinds = ['file', 'passphrase', 'pkcs11'] as const
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
  /** Asks for the PIN of the token; `remark` is what the token says. */
  askPin(remark: string): Promise<string>
}

/**
 * Opens the master key of an initialised data directory; which kind it wants is written in its
 * database. Throws UserError: not initialised (10), sealed (11), wrong passphrase (12).
 */
export async function openMasterKey(config: Config, sources: MasterKeySources): Promise<MasterKey> {
  const description = await describedStore(config.data, config.database)
  const { providers } = description
  const path = config['master-key-file'] ?? join(config.data, masterKeyFile)
  if (kindOfSecret(config, providers) === undefined) return openMasterKeyFile(path)
  // A key file named must open; one that just lies there may be from before.
  if (config['master-key-file'] !== undefined || existsSync(path)) {
    const file = openMasterKeyFile(path)
    if (config['master-key-file'] !== undefined || providers.includes(file.id)) return file
    file.close()
  }
  return openByKnownSecret(config, sources, description)
}

/** Which secret that somebody knows opens a keystore of these providers: none where only a key file does. */
export function kindOfSecret(
  config: Config,
  providers: readonly string[],
): 'passphrase' | 'pkcs11' | undefined {
  const hasPassphrase = providers.some(isPassphrase)
  const isInToken = providers.some((provider) => provider.startsWith(pkcs11Provider))
  if (isInToken && (!hasPassphrase || config['pkcs11.module'] !== undefined)) return 'pkcs11'
  return hasPassphrase ? 'passphrase' : undefined
}

/** The master key of a keystore that a passphrase or a token opens. Throws UserError: sealed (11), wrong passphrase (12). */
export async function openByKnownSecret(
  config: Config,
  sources: MasterKeySources,
  description: Omit<StoreDescription, 'schema'>,
): Promise<MasterKey> {
  const { providers } = description
  if (kindOfSecret(config, providers) === 'pkcs11') {
    const inTokens = providers.filter((provider) => provider.startsWith(pkcs11Provider))
    return openTokenKey(tokenPlace(config), inTokens, pinFrom(config, sources))
  }
  const passphrase =
    sources.given?.passphrase ??
    (await readSecret('passphrase', config['passphrase-file'], {
      environment: sources.environment,
      ask: () => sources.askPassphrase(),
    }))
  return openPassphrase(passphrase, providers.filter(isPassphrase), description)
}

/** While a passphrase is being changed two of them open the keystore: the one that this is. */
async function openPassphrase(
  passphrase: Secret,
  providers: readonly string[],
  { id: store, wraps }: Omit<StoreDescription, 'schema'>,
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
export function makeMasterKey(
  wish: MasterKeyWish,
  building: string,
): MasterKey | Promise<MasterKey> {
  if (wish.kind === 'pkcs11') return createTokenKey(wish.place, wish.pin)
  if (wish.kind === 'passphrase') return passphraseMasterKey(wish.passphrase)
  if (wish.path === undefined) return createMasterKeyFile(join(building, masterKeyFile))
  return existsSync(wish.path) ? openMasterKeyFile(wish.path) : createMasterKeyFile(wish.path)
}

/** The master key a new data directory shall have; the passphrase is taken over. */
export type MasterKeyWish =
  | { readonly kind: 'file'; readonly path: string | undefined }
  | { readonly kind: 'passphrase'; readonly passphrase: Secret }
  | {
      readonly kind: 'pkcs11'
      readonly place: TokenPlace
      readonly pin: Pin
      readonly pinFile: string | undefined
    }

/** Where a master key is: what the settings say of it. */
export type MasterKeyPlace =
  | Extract<MasterKeyWish, { kind: 'file' }>
  | { readonly kind: 'passphrase' }
  | Omit<Extract<MasterKeyWish, { kind: 'pkcs11' }>, 'pin'>

/** The token that the configuration names. Throws UserError 'pkcs11-unconfigured', exit status 11. */
export function tokenPlace(config: Config): TokenPlace {
  const module = config['pkcs11.module']
  if (module !== undefined) return { module, token: config['pkcs11.token'] }
  throw new UserError(
    'pkcs11-unconfigured',
    'the master key is in a token, and no PKCS#11 module is named',
    'name it:  --pkcs11-module FILE, or in the table [pkcs11] of keyreel.toml',
    { exitStatus: exitStatus.sealed },
  )
}

/** Where the PIN comes from: given, from the file named, from systemd, or asked for. */
export function pinFrom(config: Config, { environment, given, askPin }: MasterKeySources): Pin {
  const file = config['pkcs11.pin-file']
  const isFiled = file !== undefined || credentialFile('pin', environment) !== undefined
  const attended = given?.pin !== undefined || !isFiled
  return {
    attended,
    ...(file !== undefined && {
      remembered: refusedPins(config.data, resolve(file), attended),
    }),
    read: async (remark) =>
      given?.pin ?? readSecret('pin', file, { environment, ask: () => askPin(remark) }),
  }
}

/**
 * Makes the secret of a keystore that does not exist yet, which nothing can have sealed: what is exit status 11 for one
 * that does is a failure here. A token that is away is a master key that cannot be had all the same.
 */
export async function unsealed<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UserError) || error.exitStatus !== exitStatus.sealed) throw error
    throw new UserError(error.code, error.message, error.hint, { cause: error.cause })
  }
}

/** The passphrase a keystore shall have, from the file named or as an existing one. @throws UserError when it is too short */
export async function readNewPassphrase(
  file: string | undefined,
  sources: Pick<MasterKeySources, 'environment' | 'askPassphrase'>,
): Promise<Secret> {
  const { environment } = sources
  const ask = () => sources.askPassphrase()
  const passphrase = await unsealed(() => readSecret('passphrase', file, { environment, ask }))
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
