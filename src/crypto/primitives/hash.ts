// SHA-256 (FIPS 180-4) and hexadecimal text.
import { createHash, hash } from 'node:crypto'

/** SHA-256 of the parts one after the other. Strings are UTF-8. */
export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return hash('sha256', only, 'buffer')
  const state = createHash('sha256')
  for (const part of parts) state.update(part)
  return state.digest()
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
