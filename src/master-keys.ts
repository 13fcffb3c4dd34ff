// The master key that shall take the place of the one in use: made from what the administrator wishes, with
// the settings of the data directory brought in line.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'smol-toml'
import { ownConfigFile, type Config } from './config.ts'
import type { Secret } from './crypto/secret.ts'
import { replaceFileSync } from './durable-files.ts'
import { tokenSettings } from './initialise.ts'
import { masterKeyPath, type MasterKeyWish } from './keystore/master-key-choice.ts'
import { createTokenKey } from './keystore/master-key-pkcs11.ts'
import { createMasterKeyFile, openMasterKeyFile } from './keystore/master-key-file.ts'
import { newPassphraseProvider, passphraseMasterKey } from './keystore/master-key-passphrase.ts'
import { nextKeyFile, setAside, type NewMasterKey } from './keystore/master-key-rotation.ts'

/** What the new master key shall be; a passphrase is taken over. */
export type RotationWish =
  | { readonly kind: 'file'; readonly path: string | undefined }
  | { readonly kind: 'passphrase'; readonly passphrase: Secret }
  | Extract<MasterKeyWish, { kind: 'pkcs11' }>

/** A new master key with what there is to say about it. */
export interface Successor extends NewMasterKey {
  /** Where it is, for people. */
  readonly place: string
  /** Where the key file of before is kept; set once it took place. */
  keptAs: string | undefined
}

/** Makes what was wished for. Nothing that opens the keystore now is touched before `takePlace`. */
export async function successor(config: Config, wish: RotationWish): Promise<Successor> {
  if (wish.kind === 'passphrase') return passphraseSuccessor(config, wish.passphrase)
  if (wish.kind === 'pkcs11') return tokenSuccessor(config, wish)
  const present = masterKeyPath(config)
  const path = wish.path === undefined ? present : resolve(wish.path)
  if (path === present) return { ...nextKeyFile(path), place: path }
  const masterKey = existsSync(path) ? openMasterKeyFile(path) : createMasterKeyFile(path)
  return {
    masterKey,
    place: path,
    keptAs: existsSync(present) ? present : undefined,
    takePlace: () => setOwnSetting(config.data, 'master-key-file', path),
  }
}

function passphraseSuccessor(config: Config, passphrase: Secret): Successor {
  const masterKey = passphraseMasterKey(passphrase, undefined, newPassphraseProvider())
  const made: Successor = {
    masterKey,
    place: 'a passphrase; without it no key can be opened',
    keptAs: undefined,
    takePlace() {
      const outside = config['master-key-file']
      setOwnSetting(config.data, 'master-key-file', undefined)
      // A key file that merely lies in the data directory would be looked at first.
      made.keptAs = outside ?? setAside(masterKeyPath(config))
    },
  }
  return made
}

async function tokenSuccessor(
  config: Config,
  wish: Extract<MasterKeyWish, { kind: 'pkcs11' }>,
): Promise<Successor> {
  const masterKey = await createTokenKey(wish.place, wish.pin)
  const made: Successor = {
    masterKey,
    place: `in the token${wish.place.token === undefined ? '' : ` ${wish.place.token}`}, which it never leaves`,
    keptAs: undefined,
    takePlace() {
      const outside = config['master-key-file']
      setOwnTable(config.data, 'pkcs11', tokenSettings(wish))
      setOwnSetting(config.data, 'master-key-file', undefined)
      made.keptAs = outside ?? setAside(masterKeyPath(config))
    },
  }
  return made
}

/** Writes a table of `keyreel.toml` in the data directory in the place of the one that is there. */
function setOwnTable(data: string, name: string, table: Record<string, string>): void {
  const file = join(data, ownConfigFile)
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
  const start = lines.findIndex((line) => line.trim() === `[${name}]`)
  const length = start === -1 ? 0 : lines.slice(start + 1).findIndex((line) => /^\s*\[/.test(line))
  const others =
    start === -1 ? lines : lines.toSpliced(start, length === -1 ? lines.length : length + 1)
  const text = [...others, stringify({ [name]: table }).trimEnd()].join('\n')
  replaceFileSync(file, `${text}\n`)
}

/**
 * Writes a setting of the top of `keyreel.toml` in the data directory, or takes it out; all other lines stay
 * as they are. The file is replaced whole.
 */
export function setOwnSetting(data: string, key: string, value: string | undefined): void {
  const file = join(data, ownConfigFile)
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const lines = before.split('\n')
  const table = lines.findIndex((line) => /^\s*\[/.test(line))
  const top = table === -1 ? lines : lines.slice(0, table)
  const isKey = new RegExp(`^\\s*"?${RegExp.escape(key)}"?\\s*=`)
  const others = top.filter((line) => !isKey.test(line))
  const written = value === undefined ? [] : [stringify({ [key]: value }).trimEnd()]
  const rest = table === -1 ? [] : lines.slice(table)
  const after = [...written, ...others, ...rest].join('\n')
  if (after === before) return
  replaceFileSync(file, after.endsWith('\n') ? after : `${after}\n`)
}
