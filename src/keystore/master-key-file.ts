// Master key in a file of its own: 8 bytes of name and version, 32 bytes of key, their SHA-256.
// Only its owner may read it. Whoever has this file and the database has every key.
import { closeSync, fstatSync, linkSync, openSync, readSync, unlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SealBroken, seal, unseal } from '../crypto/primitives/aead.ts'
import { sha256, toHex } from '../crypto/primitives/hash.ts'
import { equalBytes, mac } from '../crypto/primitives/mac.ts'
import { randomBytes, randomUuid } from '../crypto/primitives/random.ts'
import { symmetricKey } from '../crypto/primitives/symmetric-key.ts'
import { syncDirectorySync, writeNewFileSync } from '../durable-files.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { MasterKey } from './master-key.ts'

const magic = new TextEncoder().encode('keyreel1')
const keyLength = 32
const fileLength = magic.length + keyLength + 32

/**
 * Writes a new random master key, whole or not at all, readable by its owner alone, and opens it.
 * Throws UserError 'master-key-exists' when there is such a file.
 */
export function createMasterKeyFile(path: string): MasterKey {
  const key = randomBytes(keyLength)
  const content = Buffer.concat([magic, key, sha256(magic, key)])
  const temporary = join(dirname(path), `.${basename(path)}.${randomUuid()}`)
  try {
    writeNewFileSync(temporary, content)
    // A link, unlike a rename, never replaces a key that is already there.
    linkSync(temporary, path)
    syncDirectorySync(dirname(path))
    return fileKey(path, key)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw sealed(
        'master-key-exists',
        `${path} exists already`,
        `name another file with --master-key-file, or use this key`,
      )
    }
    throw sealed(
      'master-key-unwritable',
      `cannot write the master key to ${path}: ${(cause as Error).message}`,
      'check that the directory exists and belongs to the user that runs keyreel',
      cause,
    )
  } finally {
    removeIfThere(temporary)
    key.fill(0)
    content.fill(0)
  }
}

/** Opens a master key file. Throws UserError, exit status 11, when it may not or cannot be used. */
export function openMasterKeyFile(path: string): MasterKey {
  const content = readPrivately(path)
  try {
    const key = content.subarray(magic.length, magic.length + keyLength)
    const whole =
      content.length === fileLength &&
      equalBytes(content.subarray(0, magic.length), magic) &&
      equalBytes(content.subarray(magic.length + keyLength), sha256(magic, key))
    if (whole) return fileKey(path, key)
    throw sealed(
      'master-key-damaged',
      `${path} is not a whole master key file`,
      'put back the copy of the master key kept apart from this machine',
    )
  } finally {
    content.fill(0)
  }
}

function fileKey(path: string, bytes: Uint8Array): MasterKey {
  const key = symmetricKey(bytes)
  const id = `file:${toHex(mac(key, 'keyreel master key id').subarray(0, 8))}`
  return {
    id,
    wrap: (secret, context) => Promise.resolve(seal(key, secret, context)),
    unwrap(wrap, context) {
      try {
        return Promise.resolve(unseal(key, wrap, context))
      } catch (cause) {
        if (!(cause instanceof SealBroken)) throw cause
        return Promise.reject(
          sealed(
            'wrong-master-key',
            `the master key in ${path} does not open this keystore`,
            'name the right file with --master-key-file',
            cause,
          ),
        )
      }
    },
    close: () => undefined,
  }
}

function readPrivately(path: string): Buffer {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw sealed(
      missing ? 'master-key-missing' : 'master-key-unreadable',
      missing
        ? `there is no master key at ${path}`
        : `cannot read the master key ${path}: ${(cause as Error).message}`,
      'put the file there, or name it with --master-key-file; without it the keys cannot be opened',
      cause,
    )
  }
  try {
    const found = fstatSync(descriptor)
    const { mode, uid, size } = found
    if (!found.isFile()) return Buffer.alloc(0)
    if ((mode & 0o077) !== 0) {
      throw sealed(
        'master-key-exposed',
        `the master key ${path} can be read by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
        `chmod 600 ${path}  (and rotate the key if others may have seen it)`,
      )
    }
    const user = process.geteuid?.()
    if (user !== undefined && uid !== user && uid !== 0) {
      throw sealed(
        'master-key-owner',
        `the master key ${path} belongs to user ${uid}, keyreel runs as ${user}`,
        `chown ${user} ${path}`,
      )
    }
    // One byte more than a key file has shows one that is too long; nothing larger is read.
    const content = Buffer.alloc(Math.min(size, fileLength + 1))
    readSync(descriptor, content, 0, content.length, 0)
    return content
  } finally {
    closeSync(descriptor)
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function sealed(code: string, message: string, hint: string, cause?: unknown): UserError {
  return new UserError(code, message, hint, { exitStatus: exitStatus.sealed, cause })
}
