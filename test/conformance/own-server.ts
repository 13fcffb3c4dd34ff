// A keyreel of its own for the cases, with all the set-up they need: an HTTPS port beside the binary one,
// test mode for Interop, a client that may do everything, and the users whose credentials cases send.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Item } from 'ttlv-codec'
import { startKeyreel, type Keyreel } from '../fixtures/keyreel.ts'
import { readExchanges, type CaseFile } from './case-files.ts'
import { expectedMessage } from './expected.ts'
import { enumerationName, field, fields, textOf } from './items.ts'
import type { Target } from './target.ts'

/** A started keyreel, and how the cases reach it. */
export interface OwnServer extends AsyncDisposable {
  readonly keyreel: Keyreel
  readonly target: Target
}

/** A user name with its password. */
export interface User {
  readonly username: string
  readonly password: string
  /** Whether it may see what it has made itself and nothing else. */
  readonly ownerOnly: boolean
}

/** Starts a server on an empty store, ready for the cases; the store is in `database`, or in a file. */
export async function startOwn(cases: readonly CaseFile[], database?: string): Promise<OwnServer> {
  const keyreel = await startKeyreel({
    args: ['--test-mode', '--https', '127.0.0.1:0'],
    ...(database !== undefined && { init: ['--database', database] }),
  })
  try {
    const { ca, certificate, key } = await keyreel.enrol('conformance', 'general')
    const users = await usersOf(cases)
    const https = { port: Number(keyreel.ready['https']?.split(':').at(-1)), path: '/kmip' }
    const { host, port } = keyreel
    const target = { host, port, https, ca, certificate, key }
    return {
      keyreel,
      target: users.length === 0 ? target : { ...target, users: await enrolUsers(keyreel, users) },
      [Symbol.asyncDispose]: () => keyreel[Symbol.asyncDispose](),
    }
  } catch (error) {
    await keyreel.stop()
    throw error
  }
}

/**
 * The users in the cases. Those of a case with several users see only their own objects: what one of
 * them may not do with the objects of the other is what such a case is about.
 */
export async function usersOf(cases: readonly CaseFile[]): Promise<User[]> {
  const users = new Map<string, User>()
  for (const file of cases) {
    const here = new Map<string, string>()
    for (const { request } of await readExchanges(file)) {
      for (const [username, password] of credentialsIn(expectedMessage(request).item)) {
        here.set(username, password)
      }
    }
    for (const [username, password] of here) {
      const ownerOnly = here.size > 1 || users.get(username)?.ownerOnly === true
      users.set(username, { username, password, ownerOnly })
    }
  }
  return [...users.values()]
}

function credentialsIn(request: Item): [username: string, password: string][] {
  const authentication = field(field(request, 'RequestHeader'), 'Authentication')
  return fields(authentication, 'Credential').flatMap((credential) => {
    const value = field(credential, 'CredentialValue')
    const type = enumerationName(field(credential, 'CredentialType'))
    const username = textOf(field(value, 'Username'))
    const password = textOf(field(value, 'Password'))
    if (type !== 'UsernameAndPassword' || username === undefined || password === undefined)
      return []
    return [[username, password] as [string, string]]
  })
}

async function enrolUsers(keyreel: Keyreel, users: readonly User[]): Promise<Target['users']> {
  const client = 'conformance-users'
  const { certificate, key } = await keyreel.enrol(client, 'general')
  const scratch = await mkdtemp(join(tmpdir(), 'keyreel-passwords-'))
  try {
    for (const { username, password, ownerOnly } of users) {
      const file = join(scratch, 'password')
      await writeFile(file, password, { mode: 0o600 })
      const words = ['--username', username, '--password-file', file]
      const { status, stderr } = await keyreel.cli(
        ...['library', 'credential', 'add', client, ...words],
        ...(ownerOnly ? ['--owner-only'] : []),
      )
      if (status !== 0) throw new Error(`user ${username} cannot be added:\n${stderr}`)
    }
  } finally {
    await rm(scratch, { recursive: true })
  }
  return { certificate, key }
}
