/** Passwords as they are kept: argon2id (RFC 9106) in the PHC text form. */
import { createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { argon2Cost, argon2id, type Argon2Cost } from './primitives/kdf.ts'

/** Upper bounds for what a stored hash may ask for, so that a damaged one cannot stop the server. */
const ceiling: Argon2Cost = { memory: 1_048_576, passes: 16, lanes: 8 }

const phcForm =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{43})$/

/** Hashes a password off the event loop, in about 0.2 s: `$argon2id$v=19$m=65536,t=3,p=4$salt$hash`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const { memory, passes, lanes } = argon2Cost
  const hash = await argon2id(bytesOf(password), salt, argon2Cost)
  return `$argon2id$v=19$m=${memory},t=${passes},p=${lanes}$${base64(salt)}$${base64(hash.bytes)}`
}

/** Whether the password fits the hash, in time that does not depend on either. Throws on a damaged hash. */
export async function verifyPassword(password: string, phc: string): Promise<boolean> {
  const [, memory = '', passes = '', lanes = '', salt = '', expected = ''] = phcForm.exec(phc) ?? []
  const cost = { memory: Number(memory), passes: Number(passes), lanes: Number(lanes) }
  const isSane =
    cost.memory > 0 &&
    cost.memory <= ceiling.memory &&
    cost.passes <= ceiling.passes &&
    cost.lanes <= ceiling.lanes
  if (!isSane) throw new TypeError('a stored password hash is not argon2id within our limits')
  const hash = await argon2id(bytesOf(password), Buffer.from(salt, 'base64'), cost)
  return timingSafeEqual(hash.bytes, Buffer.from(expected, 'base64'))
}

/** A password for people to copy: 20 characters without look-alikes, 116 bits. */
export function randomPassword(): string {
  const alphabet = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  return Array.from({ length: 20 }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/**
 * Makes a function that digests texts under a key of its own that nobody else ever sees: equal texts
 * give equal digests in this process, and a digest tells nothing about the texts.
 */
export function privateDigest(): (...texts: string[]) => string {
  const key = randomBytes(32)
  return (...texts) => createHmac('sha256', key).update(JSON.stringify(texts)).digest('base64')
}

/** One form of each character: consoles differ in how they type an accent. */
function bytesOf(password: string): Uint8Array {
  return Buffer.from(password.normalize('NFC'), 'utf8')
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}
