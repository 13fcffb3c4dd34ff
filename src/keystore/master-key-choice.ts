// Which master key opens a data directory, and where it comes from: the providers chosen by
// the configuration and by what the database says. A passphrase is never an argument: it comes from a file, from systemd's
// credentials, or from the terminal.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../config.ts'
import { Secret } from '../crypto/secret.ts'
import { exitStatus, UserError } from '../errors.ts'
import { describeStore } from './describe-store.ts'
import { createMasterKeyFile, openMasterKeyFile } from './master-key-file.ts'
import { passphraseMasterKey, passphraseProvider } from './master-key-passphrase.ts'
import type { MasterKey } from './master-key.ts'

/** Kinds of master key that `init` can make. */
export const masterKeyKinds = ['file', 'passphrase'] as const
export type MasterKeyKind = (typeof masterKeyKinds)[number]

/** Name of the master key file inside a data directory, where it lies unless another is named. */
export const masterKeyFile = 'master.key'

const credentialName = 'keyreel-passphrase'
const shortestPassphrase = 12

/** What is needed to find a passphrase. `ask` is the last resort: a question at the terminal. */
export interface PassphraseSources {
  readonly environment: Readonly<Record<string, string | undefined>>
  ask(): Promise<string>
}

/**
 * Opens the master key of an initialised data directory; which kind it wants is written in its
 * database. Throws UserError: not initialised (10), sealed (11).
 */
export async function openMasterKey(
  config: Config,
  sources: PassphraseSources,
): Promise<MasterKey> {
  const description = await describeStore(config.data)
  if (description === undefined) throw notInitialised(config.data)
  const wantsPassphrase = description.providers.includes(passphraseProvider)
  const file = config['master-key-file'] ?? join(config.data, masterKeyFile)
  const byFile = config['master-key-file'] !== undefined || existsSync(file) || !wantsPassphrase
  if (byFile) return openMasterKeyFile(file)
  return passphraseMasterKey(await readPassphrase(config, sources))
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

/** The passphrase a new data directory shall have. @throws UserError when it is too short */
export async function readNewPassphrase(
  config: Config,
  sources: PassphraseSources,
): Promise<Secret> {
  const passphrase = await readPassphrase(config, sources)
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
  { environment }: Pick<PassphraseSources, 'environment'>,
): boolean {
  return config['passphrase-file'] !== undefined || credentialFile(environment) !== undefined
}

/** The passphrase that systemd hands to its service, when it does. */
function credentialFile(environment: PassphraseSources['environment']): string | undefined {
  const directory = environment.CREDENTIALS_DIRECTORY
  const file = directory === undefined ? undefined : join(directory, credentialName)
  return file !== undefined && existsSync(file) ? file : undefined
}

async function readPassphrase(config: Config, { environment, ask }: PassphraseSources) {
  const named = config['passphrase-file']
  if (named !== undefined) return passphraseOf(readPrivateFile(named), named)
  const file = credentialFile(environment)
  if (file !== undefined) return passphraseOf(readFileSync(file), file)
  return new Secret(Buffer.from(await ask(), 'utf8'))
}

/** The first line of a file, as bytes; the buffer read is cleared. */
function passphraseOf(content: Buffer, file: string): Secret {
  const end = content.indexOf('\n')
  const line = content.subarray(0, end === -1 ? content.length : end)
  const bytes = Buffer.from(line.at(-1) === 0x0d ? line.subarray(0, -1) : line)
  content.fill(0)
  if (bytes.length > 0) return new Secret(bytes)
  throw new UserError(
    'empty-passphrase',
    `the first line of ${file} is empty`,
    'write the passphrase into the first line of that file',
    { exitStatus: exitStatus.sealed },
  )
}

function readPrivateFile(file: string): Buffer {
  let content: Buffer
  try {
    content = readFileSync(file)
  } catch (cause) {
    throw new UserError(
      'passphrase-unreadable',
      `cannot read the passphrase file ${file}: ${(cause as Error).message}`,
      'name a file that this user can read with --passphrase-file',
      { exitStatus: exitStatus.sealed, cause },
    )
  }
  if ((statSync(file).mode & 0o077) === 0) return content
  content.fill(0)
  throw new UserError(
    'passphrase-exposed',
    `the passphrase file ${file} can be read by others`,
    `chmod 600 ${file}`,
    { exitStatus: exitStatus.sealed },
  )
}

function notInitialised(directory: string): UserError {
  return new UserError(
    'not-initialised',
    `there is no keystore in ${directory}`,
    'make one with `keyreel init`, or name its data directory with --data',
    { exitStatus: exitStatus.notInitialised },
  )
}
