// Where a backup must not be the only one: on a tape whose key is in it, or on the disk it is to outlive.
import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

const tapeDevice = /^\/dev\/(n?st\d|tape\/|sg\d)/
const tapeFileSystems = /ltfs/i

/** What speaks against a place for a backup, one line each. */
export async function targetWarnings(
  out: string,
  data: string,
  mounts: () => Promise<string> = () => readFile('/proc/self/mounts', 'utf8').catch(() => ''),
): Promise<string[]> {
  const path = resolve(out)
  const warnings: string[] = []
  if (tapeDevice.test(path) || isOnTape(path, await mounts())) {
    warnings.push(
      'the file is on a tape: if this server keeps the key of that tape, the backup cannot be read when it is needed',
    )
  }
  if (await isSameDevice(dirname(path), data)) {
    warnings.push('the file is on the disk of the keystore: copy it to another machine')
  }
  return warnings
}

/** Whether the file system the path lies on, the one mounted deepest, is one of tapes. */
function isOnTape(path: string, mounts: string): boolean {
  let found = { point: '', type: '' }
  for (const line of mounts.split('\n')) {
    const [device = '', point = '', type = ''] = line.split(' ')
    const below = point === '/' || path === point || path.startsWith(`${point}/`)
    if (below && point.length >= found.point.length) found = { point, type: `${type} ${device}` }
  }
  return tapeFileSystems.test(found.type)
}

async function isSameDevice(one: string, other: string): Promise<boolean> {
  const found = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)))
  const [a, b] = found
  return a !== undefined && b !== undefined && a.dev === b.dev
}
