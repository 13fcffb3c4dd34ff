// HMAC-SHA-256 (RFC 2104) and comparison that takes the same time wherever two values differ.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SymmetricKey } from './symmetric-key.ts'

/** Length of a MAC in bytes. */
export const macLength = 32

/** MAC over the parts one after the other; the caller makes the joints unambiguous. Strings are UTF-8. */
export function mac(key: SymmetricKey, ...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

/** Whether both hold the same bytes; different lengths are simply unequal. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
