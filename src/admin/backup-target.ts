// Where a backup must not be the only one: on a tape whose key is in it, or on the disk it is to outlive.
import { access, constants, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { UserError } from '../errors.ts'

/** SCSI tape drives by the names of Linux: `st0`, `nst0a`, `tape/by-id/…`, and the generic `sg0` that LTFS takes. */
const tapeDevice = /^\/dev\/(n?st\d|tape\/|sg\d)/
const tapeFileSystems = /ltfs/i

/** What speaks against a place for a backup, one line each. */
export async function targetWarnings(
  out: string,
  data: string,
  mounts: () => Promise<string> = () => readFile('/proc/self/mounts', 'utf8').catch(() => ''),
): Promise<string[]> {
  const path = await followed(resolve(out))
  const warnings: string[] = []
  if (isOnTape(path, await mounts())) {
    warnings.push(
      'the file is on a tape: if this server keeps the key of that tape, the backup cannot be read when it is needed',
    )
  }
  if (await isSameDisk(dirname(path), data)) {
    warnings.push('the file is on the disk of the keystore: copy it to another machine')
  }
  return warnings
}

/**
 * Whether a path is a tape drive, or lies on a file system of tapes: the one mounted deepest above it, in the mount
 * table as `/proc/self/mounts` has it, or one whose device is a tape drive.
 */
export function isOnTape(path: string, mounts: string): boolean {
  if (tapeDevice.test(path)) return true
  let found = { point: '', type: '', device: '' }
  for (const line of mounts.split('\n')) {
    const [device = '', point = '', type = ''] = line.split(' ').map(unescaped)
    const isAbove = point === '/' || path === point || path.startsWith(`${point}/`)
    // What was mounted last at the same place lies on top.
    if (isAbove && point !== '' && point.length >= found.point.length)
      found = { point, type, device }
  }
  const { type, device } = found
  return tapeFileSystems.test(type) || tapeFileSystems.test(device) || tapeDevice.test(device)
}

/** Whether both directories are there and on one file system. */
export async function isSameDisk(one: string, other: string): Promise<boolean> {
  const found = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)))
  const [a, b] = found
  return a !== undefined && b !== undefined && a.dev === b.dev
}

/** Throws UserError unless backups can be written to that directory by this process. */
export async function demandTarget(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined)
  const mayWrite = await access(directory, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (found?.isDirectory() === true && mayWrite) return
  throw new UserError(
    'no-target',
    `${directory} is no directory that can be written to`,
    'make it, or name another with --to DIR',
  )
}

/** The path with symbolic links followed, as far as it is there. */
async function followed(path: string): Promise<string> {
  const whole = await realpath(path).catch(() => undefined)
  if (whole !== undefined) return whole
  const directory = await realpath(dirname(path)).catch(() => dirname(path))
  return join(directory, basename(path))
}

/** Blanks and backslashes stand in octal in a mount table. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(parseInt(octal, 8)),
  )
}
