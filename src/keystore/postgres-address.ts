// Database URLs: what they say, and how they are named in messages, never with password or parameters.
import pg from 'pg'
import { exitStatus, UserError } from '../errors.ts'

/** One database that may be the primary. */
export interface DatabaseAddress {
  readonly url: string
  /** `postgres://user@host:port/database`, for people. */
  readonly name: string
}

/** What the URL says. Throws UserError 'database-url'. */
export function databaseAddress(url: string): DatabaseAddress {
  if (!/^postgres(ql)?:\/\//.test(url)) throw wrongUrl('it does not begin with postgres://')
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
