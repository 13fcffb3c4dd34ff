// Makes a data directory: keystore, master key, certificate authority, server certificates, exchange keys.
// Composition of keystore, access and exchange, whole or not at all.
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import { stringify } from 'smol-toml'
import {
  createServerIdentity,
  renewServerCertificates,
  serverIdentity,
} from './access/authority.ts'
import type { ServerIdentity } from './access/authority.ts'
import { ownConfigFile } from './config.ts'
import { isDnsName } from './crypto/certificates-issue.ts'
import { exitStatus, UserError } from './errors.ts'
import { ensureExchange } from './exchange/identity.ts'
import { initialiseStore } from './keystore/initialise.ts'
import type { Store } from './keystore/store.ts'
import { makeMasterKey, masterKeyFile, unsealed } from './keystore/master-key-choice.ts'
import { createMasterKeyFile } from './keystore/master-key-file.ts'
import type { TokenPlace } from './keystore/pkcs11-errors.ts'
import type { MasterKeyPlace, MasterKeyWish } from './keystore/master-key-choice.ts'

/** What a new data directory shall be. */
export interface InitialiseOptions {
  readonly data: string
  /** Names and addresses of the server; none means those this machine has. */
  readonly hosts: readonly string[]
  /** URLs of the PostgreSQL that holds the tables; absent: a file in the directory. */
  readonly database?: readonly string[] | undefined
  /** This node among those on one database. */
  readonly node?: string | undefined
  readonly masterKey: MasterKeyWish
  /** Seconds since 1970. */
  readonly now: () => bigint
}

/** What was made. */
export interface Initialised {
  readonly directory: string
  readonly identity: ServerIdentity
  /** Where the master key is, for people. */
  readonly masterKeyPlace: string
  /** Path of the master key file, or the kind of master key. */
  readonly masterKeyName: string
  /** Whether the database held the keystore already: this is a further node. */
  readonly joined: boolean
  /** Whether others may look into the directory: it was there, and its mode is not ours to change. */
  readonly isExposed: boolean
}

/**
 * Makes the data directory. On failure nothing is left, neither the directory nor a new key file.
 * Throws UserError 'initialised' or 'directory-in-use'.
 */
export async function initialise(options: InitialiseOptions): Promise<Initialised> {
  const directory = resolve(options.data)
  const { masterKey: wish, now } = options
  const outside = wish.kind === 'file' && wish.path !== undefined ? resolve(wish.path) : undefined
  let isOurKey = false
  const { database, node } = options
  let identity: ServerIdentity | undefined
  let joined = false
  const make = (building: string) =>
    isOurKey && outside !== undefined ? createMasterKeyFile(outside) : makeMasterKey(wish, building)
  await initialiseStore({
    directory,
    now,
    database,
    node,
    masterKey(building, isThere) {
      const isFound = outside !== undefined && existsSync(outside)
      if (isThere && wish.kind === 'file' && !isFound) throw needsItsMasterKey()
      // Somebody else may be making one this very moment: theirs is not ours to take back.
      isOurKey = outside !== undefined && !isFound
      return isThere || wish.kind === 'pkcs11'
        ? makeMasterKey(wish, building)
        : unsealed(() => make(building))
    },
    async fill(store, building, wasThere) {
      joined = wasThere
      identity = await identityFor(store, hostsOf(options.hosts))
      await ensureExchange(store)
      writeSettings(building, wish, database)
    },
    undo() {
      if (outside !== undefined && isOurKey) rmSync(outside, { force: true })
    },
  })
  if (identity === undefined) throw new Error('the data directory was made without an identity')
  const path = outside ?? join(directory, masterKeyFile)
  const masterKeyName = wish.kind === 'file' ? path : wish.kind
  const isExposed = (statSync(directory).mode & 0o077) !== 0
  const masterKeyPlace = placeOf(wish, path)
  return { directory, identity, masterKeyPlace, masterKeyName, joined, isExposed }
}

/** Writes the settings by which the new data directory finds its master key and its database, if there are any. */
export function writeSettings(
  building: string,
  wish: MasterKeyPlace,
  database: readonly string[] | undefined,
): void {
  const isOutside = wish.kind === 'file' && wish.path !== undefined
  const settings = {
    ...(isOutside && { 'master-key-file': resolve(wish.path) }),
    ...(wish.kind === 'pkcs11' && { pkcs11: tokenSettings(wish) }),
    ...(database !== undefined && { database: [...database] }),
  }
  if (Object.keys(settings).length === 0) return
  writeFileSync(join(building, ownConfigFile), stringify(settings), { mode: 0o600 })
}

/** Where a master key is, for people; `path` is that of a key file. */
export function placeOf(wish: MasterKeyPlace, path: string): string {
  if (wish.kind === 'file') return path
  if (wish.kind === 'passphrase') return 'a passphrase; without it no key can be opened'
  return `in the token${wish.place.token === undefined ? '' : ` ${wish.place.token}`}, which it never leaves`
}

/** The table [pkcs11] of the settings. */
export function tokenSettings({ place, pinFile }: TokenSettings): Record<string, string> {
  return {
    module: resolve(place.module),
    ...(place.token !== undefined && { token: place.token }),
    ...(pinFile !== undefined && { 'pin-file': resolve(pinFile) }),
  }
}

interface TokenSettings {
  readonly place: TokenPlace
  readonly pinFile?: string | undefined
}

/** The server's certificates: new with a new keystore, else those of the other nodes with our names added. */
async function identityFor(store: Store, hosts: readonly string[]): Promise<ServerIdentity> {
  const isMade = await store.read(
    async (work) => (await work.document('authority', 'ca')) !== undefined,
  )
  if (!isMade) return createServerIdentity(store, hosts)
  const before = await store.read((work) => serverIdentity(work))
  const added = hosts.filter((host) => !before.hosts.includes(host))
  return added.length === 0 ? before : renewServerCertificates(store, [...before.hosts, ...added])
}

function needsItsMasterKey(): UserError {
  return new UserError(
    'needs-master-key',
    'the database holds a keystore already: a further node opens it with the same master key',
    'copy the master key file of the first node to this machine and name it:  keyreel init --database URL --master-key-file FILE',
    { exitStatus: exitStatus.sealed },
  )
}

/** The hosts given, else this machine's name and the IPv4 addresses others can reach it by. */
function hostsOf(given: readonly string[]): readonly string[] {
  if (given.length > 0) return given
  const addresses = Object.values(networkInterfaces())
    .flatMap((addressesOfOne) => addressesOfOne ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
  const name = hostname()
  return [...(isDnsName(name) ? [name] : []), ...addresses]
}
