// Errors with a known cause in words an administrator can act on: what the operating system refuses,
// one row per code, and a keystore that was changed behind keyreel's back.
import { UserError } from '../errors.ts'
import { IntegrityError } from '../keystore/work.ts'

/** Code of a system error → message (with the path or address it names) and hint. */
const systemErrors: Record<string, { message: (what: string) => string; hint: string }> = {
  ENOSPC: {
    message: (what) => `disk full${what}`,
    hint: 'free some space (df -h), then run it again',
  },
  EDQUOT: {
    message: (what) => `disk quota used up${what}`,
    hint: 'raise the quota, then run it again',
  },
  EROFS: {
    message: (what) => `read-only file system${what}`,
    hint: 'name a directory that can be written, such as --data /var/lib/keyreel',
  },
  EACCES: {
    message: (what) => `permission denied${what}`,
    hint: 'run as the user that owns the data directory (ls -l shows it)',
  },
  EPERM: {
    message: (what) => `not permitted${what}`,
    hint: 'run as the user that owns the data directory (ls -l shows it)',
  },
  ENOENT: {
    message: (what) => `no such file or directory${what}`,
    hint: 'check the path for a slip, and which directory the command runs in',
  },
  ENOTDIR: { message: (what) => `not a directory${what}`, hint: 'name a directory' },
  EISDIR: { message: (what) => `is a directory${what}`, hint: 'name a file' },
  EEXIST: {
    message: (what) => `already exists${what}`,
    hint: 'name something that does not exist yet, or move that away',
  },
  EMFILE: {
    message: (what) => `too many open files${what}`,
    hint: 'raise the limit of open files (ulimit -n, LimitNOFILE= under systemd)',
  },
  EADDRINUSE: {
    message: (what) => `address already in use${what}`,
    hint: 'stop what listens there (ss -ltnp shows it), or choose another with --listen HOST:PORT',
  },
  EADDRNOTAVAIL: {
    message: (what) => `this machine does not have that address${what}`,
    hint: 'choose one of its own addresses (ip addr shows them) with --listen HOST:PORT',
  },
  ENOTFOUND: {
    message: (what) => `unknown host name${what}`,
    hint: 'check the name, or give an IP address with --listen HOST:PORT',
  },
}

/** The UserError for an error whose cause is known; undefined for a bug. */
export function explained(error: unknown): UserError | undefined {
  if (error instanceof UserError) return error
  if (error instanceof IntegrityError) {
    return new UserError(
      `integrity-${error.code}`,
      error.message,
      'see what else was changed:  keyreel audit verify ; then go back to the last good copy of the data directory',
      { cause: error },
    )
  }
  return error instanceof Error ? fromSystemError(error) : undefined
}

/** A system error as Node makes them, as far as it is looked at. */
type SystemError = Error & { code?: unknown; path?: string; address?: string; port?: number }

function fromSystemError(error: SystemError): UserError | undefined {
  const { code, path, address, port } = error
  const row = typeof code === 'string' ? systemErrors[code] : undefined
  if (row === undefined) return undefined
  const place = path ?? (address === undefined ? undefined : `${address}:${port ?? ''}`)
  const message = row.message(place === undefined ? '' : `: ${place}`)
  return new UserError(String(code), message, row.hint, { cause: error })
}
