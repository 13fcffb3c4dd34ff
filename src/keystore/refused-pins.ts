// Remembers for later processes that the PIN in a file was refused: not every token tells that it was given a wrong
// one, and a command that runs again and again must not lock it. Nothing of the PIN is kept: only which token, and
// which file as it was.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { equalBytes } from '../crypto/primitives/mac.ts'
import type { Secret } from '../crypto/secret.ts'
import { replaceFileSync } from '../durable-files.ts'

/** Name of the file in the data directory. */
export const refusedPinFile = 'refused-pin.json'

/** The PIN file of a data directory, as this and earlier processes know it. */
export interface RefusedPins {
  /** Whether that token has refused what is in the file, and the file is as it was. */
  wasRefused(serial: string): boolean
  noteRefused(serial: string): void
  /** A PIN was right; when it is the one in the file, that may be tried again. */
  noteAccepted(pin: Secret): void
}

/**
 * What is known of `file` in a data directory; one that is not there yet remembers nothing. `isGiven`: a person gives
 * a PIN in its place.
 */
export function refusedPins(directory: string, file: string, isGiven: boolean): RefusedPins {
  const path = join(directory, refusedPinFile)
  const mark = (serial: string): string => {
    const { mtimeNs, size, ino } = statSync(file, { bigint: true })
    return `${JSON.stringify({ token: serial, file, changed: String(mtimeNs), size: Number(size), inode: String(ino) })}\n`
  }
  return {
    wasRefused: (serial) =>
      !isGiven &&
      existsSync(path) &&
      existsSync(file) &&
      readFileSync(path, 'utf8') === mark(serial),
    noteRefused(serial) {
      if (isGiven || !existsSync(dirname(path))) return
      replaceFileSync(path, mark(serial))
    },
    noteAccepted(pin) {
      if (!existsSync(path) || !existsSync(file)) return
      const content = readFileSync(file)
      const end = content.findIndex((byte) => byte === 0x0a || byte === 0x0d)
      const isSame = equalBytes(content.subarray(0, end === -1 ? content.length : end), pin.bytes)
      content.fill(0)
      if (isSame) rmSync(path)
    },
  }
}
