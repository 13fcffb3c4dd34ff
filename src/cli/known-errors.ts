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
  ENOTEMPTY: {
    message: (what) => `directory not empty${what}`,
    hint: 'name a directory that is empty or does not exist yet',
  },
  ENAMETOOLONG: {
    message: (what) => `name too long${what}`,
    hint: 'choose a shorter one: most file systems take 255 bytes for a name, and some of them are needed while it is written',
  },
  ELOOP: {
    message: (what) => `symbolic links lead in a circle${what}`,
    hint: 'name the place itself, or mend the links (ls -l shows where they lead)',
  },
  EXDEV: {
    message: (what) => `on different file systems${what}`,
    hint: 'name a place on the same file system',
  },
  EBUSY: {
    message: (what) => `in use${what}`,
    hint: 'name another place, or end what uses it (lsof or fuser shows it)',
  },
  ETXTBSY: {
    message: (what) => `a program that is running${what}`,
    hint: 'name another file',
  },
  ENXIO: {
    message: (what) => `nothing there to read or write${what}`,
    hint: 'name a regular file: this is a socket, a pipe or a device',
  },
  ENODEV: {
    message: (what) => `nothing there to read or write${what}`,
    hint: 'name a regular file: this is a device that cannot be opened like one',
  },
  EFBIG: {
    message: (what) => `the file would become too large${what}`,
    hint: 'name a place on a file system that takes larger files, or raise the limit (ulimit -f)',
  },
  EINVAL: {
    message: (what) => `the system refuses this path${what}`,
    hint: 'name a regular file or a directory by a name of its own',
  },
  ENOTSUP: {
    message: (what) => `the file system cannot do that${what}`,
    hint: 'name a place on a local file system',
  },
  EOPNOTSUPP: {
    message: (what) => `the file system cannot do that${what}`,
    hint: 'name a place on a local file system',
  },
  EIO: {
    message: (what) => `the disk failed${what}`,
    hint: 'look at the log of the system (dmesg), then run it again',
  },
  ESTALE: {
    message: (what) => `the network share is gone${what}`,
    hint: 'mount it again, then run it again',
  },
  EMFILE: {
    message: (what) => `too many open files${what}`,
    hint: 'raise the limit of open files (ulimit -n, LimitNOFILE= under systemd)',
  },
  ENFILE: {
    message: (what) => `too many open files on this machine${what}`,
    hint: 'raise the limit of the system (sysctl fs.file-max)',
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
type SystemError = Error & {
  code?: unknown
  path?: string
  dest?: string
  address?: string
  port?: number
}

function fromSystemError(error: SystemError): UserError | undefined {
  const { code, address, port } = error
  // Where something was to be renamed to is what somebody has named.
  const path = error.dest ?? error.path
  const row = typeof code === 'string' ? systemErrors[code] : undefined
  if (row === undefined) return undefined
  const place = path ?? (address === undefined ? undefined : `${address}:${port ?? ''}`)
  const message = row.message(place === undefined ? '' : `: ${place}`)
  return new UserError(String(code), message, row.hint, { cause: error })
}
