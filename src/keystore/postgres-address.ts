// Database URLs: what they say, and how they are named in messages, never with password or parameters.
import pg from 'pg'
import { exitStatus, UserError } from '../errors.ts'

/** One database that may be the primary. */
export interface DatabaseAddress {
  readonly url: string
  /** `postgres://user@host:port/database`, for people. */
  readonly name: string
}

/** Values of `sslmode`: whether TLS is used. With it, certificate and host are always verified. */
const modes = new Map([
  ['disable', 'disable'],
  ['require', 'verify-full'],
  ['verify-ca', 'verify-full'],
  ['verify-full', 'verify-full'],
])

/** What the URL says. Throws UserError 'database-url'. */
export function databaseAddress(given: string): DatabaseAddress {
  if (!/^postgres(ql)?:\/\//.test(given)) throw wrongUrl('it does not begin with postgres://')
  const url = given.replace(/([?&]sslmode=)([^&]*)/g, (_, name: string, mode: string) => {
    const meant = modes.get(mode)
    if (meant === undefined) throw wrongUrl(`sslmode=${mode} would not say whether it is encrypted`)
    return `${name}${meant}`
  })
  try {
    const { user, host, port, database } = new pg.Client({ connectionString: url })
    const login = user === undefined ? '' : `${user}@`
    return { url, name: `postgres://${login}${host}:${port}/${database ?? ''}` }
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    throw wrongUrl(code === 'ENOENT' ? `there is no file ${path}` : 'it is not a URL')
  }
}

function wrongUrl(why: string): UserError {
  return new UserError(
    'database-url',
    `the database URL cannot be used: ${why}`,
    'write it as postgres://USER@HOST:5432/DATABASE?sslmode=verify-full',
    { exitStatus: exitStatus.usage },
  )
}
