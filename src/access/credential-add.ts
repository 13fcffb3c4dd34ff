/** Adding what a client must send beside its certificate (KMIP 2.1 §9.11). */
import { hashPassword } from '../crypto/password-hash.ts'
import { UserError } from '../errors.ts'
import type { AuditActor } from '../keystore/work.ts'
import { longestPassword } from './credentials.ts'
import {
  administrator,
  bodyOf,
  clientOf,
  putBody,
  type ActingStore,
  type Body,
} from './documents.ts'
import { forgetHashes, keepHashes } from './hashed-passwords.ts'

const longestUsername = 128

/** Shorter passwords are taken, and warned of. */
const advisedLength = 8

/** What is added. A device may have no password; everybody else needs one. */
export interface NewCredential {
  /** User name, or serial number of a device. */
  username: string
  password?: string | undefined
  ownOnly: boolean
  /** A user with a password when absent. */
  kind?: 'device' | 'one-time' | undefined
  /** Further names that a device must send. */
  identifiers?: DeviceIdentifiers | undefined
  /** Whether the user may also send Hashed Password. */
  hashed?: boolean | undefined
}

/** Names of a device besides its serial number. */
export type DeviceIdentifiers = NonNullable<Body<'credential'>['users'][number]['identifiers']>

/**
 * Adds a credential that the library must send from now on, or puts it in the place of one of the same
 * name. Answers what to warn of.
 */
export async function addCredential(
  store: ActingStore,
  library: string,
  { username, password, ownOnly, kind, identifiers, hashed = false }: NewCredential,
  actor: AuditActor = administrator,
): Promise<string[]> {
  checkName(username, kind === 'device' ? 'device' : 'username')
  for (const value of Object.values(identifiers ?? {})) checkName(value ?? '', 'identifier')
  if (password !== undefined || kind !== 'device') checkPassword(password ?? '')
  const hash = password === undefined ? undefined : await hashPassword(password)
  await store.act(async (work) => {
    await clientOf(work, library)
    const others = (await bodyOf(work, 'credential', library))?.users ?? []
    const added = {
      ...(kind && { kind }),
      username,
      ...(hash !== undefined && { hash }),
      ...(identifiers && { identifiers }),
      ownOnly,
      added: Number(work.now),
    }
    const users = [...others.filter((user) => user.username !== username), added]
    await putBody(work, 'credential', library, { users })
    if (hashed && password !== undefined) await keepHashes(work, library, { username, password })
    else await forgetHashes(work, library, username)
    work.audit({
      actor,
      operation: 'library credential add',
      outcome: 'Success',
      details: { library, username, ownOnly, ...(kind && { kind }), ...(hashed && { hashed }) },
    })
  })
  return password !== undefined && password.length < advisedLength
    ? [
        `the password has ${password.length} characters; ${advisedLength} or more are harder to guess`,
      ]
    : []
}

function checkName(name: string, flag: 'username' | 'device' | 'identifier'): void {
  if (name === '' || name.length > longestUsername || /[\x00-\x1f\x7f]/.test(name))
    throw new UserError(
      flag,
      `${described[flag]} has 1 to ${longestUsername} characters and no control characters`,
      `give another with --${flag}`,
    )
}

const described = {
  username: 'a user name',
  device: 'a serial number',
  identifier: 'an identifier',
} as const

function checkPassword(password: string): void {
  if (password === '' || password.length > longestPassword)
    throw new UserError(
      'password',
      `the password has ${password.length} characters, not 1 to ${longestPassword}`,
      'write another into the first line of the file of --password-file',
    )
}
