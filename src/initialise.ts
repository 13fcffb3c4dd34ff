// Makes a data directory: keystore, master key, certificate authority, server certificates, exchange keys.
// Composition of keystore, access and exchange, whole or not at all.
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import { stringify } from 'smol-toml'
import { createServerIdentity } from './access/authority.ts'
import type { ServerIdentity } from './access/authority.ts'
import { ownConfigFile } from './config.ts'
import { ensureExchange } from './exchange/identity.ts'
import { initialiseStore } from './keystore/initialise.ts'
import { makeMasterKey, masterKeyFile } from './keystore/master-key-choice.ts'
import type { MasterKeyWish } from './keystore/master-key-choice.ts'

/** What a new data directory shall be. */
export interface InitialiseOptions {
  readonly data: string
  /** Names and addresses of the server; none means those this machine has. */
  readonly hosts: readonly string[]
  readonly masterKey: MasterKeyWish
  /** Seconds since 1970. */
  readonly now: () => bigint
}

/** What was made. */
export interface Initialised {
  readonly directory: string
  readonly identity: ServerIdentity
  /** Where the master key file lies; undefined for a passphrase. */
  readonly masterKeyPath: string | undefined
}

/**
 * Makes the data directory. On failure nothing is left, neither the directory nor a new key file.
 * Throws UserError 'initialised' or 'directory-in-use'.
 */
export async function initialise(options: InitialiseOptions): Promise<Initialised> {
  const directory = resolve(options.data)
  const { masterKey: wish, now } = options
  const outside = wish.kind === 'file' && wish.path !== undefined ? resolve(wish.path) : undefined
  const found = outside !== undefined && existsSync(outside)
  let identity: ServerIdentity | undefined
  await initialiseStore({
    directory,
    now,
    masterKey: (building) => makeMasterKey(wish, building),
    async fill(store, building) {
      identity = await createServerIdentity(store, hostsOf(options.hosts))
      await ensureExchange(store)
      if (outside === undefined) return
      const settings = stringify({ 'master-key-file': outside })
      writeFileSync(join(building, ownConfigFile), settings, { mode: 0o600 })
    },
    undo() {
      if (outside !== undefined && !found) rmSync(outside, { force: true })
    },
  })
  if (identity === undefined) throw new Error('the data directory was made without an identity')
  const inside = wish.kind === 'file' ? join(directory, masterKeyFile) : undefined
  return { directory, identity, masterKeyPath: outside ?? inside }
}

/** The hosts given, else this machine's name and the IPv4 addresses others can reach it by. */
function hostsOf(given: readonly string[]): readonly string[] {
  if (given.length > 0) return given
  const addresses = Object.values(networkInterfaces())
    .flatMap((addressesOfOne) => addressesOfOne ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
  const name = hostname()
  return [...(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(name) ? [name] : []), ...addresses]
}
