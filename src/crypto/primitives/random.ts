// Randomness from the operating system's generator, as the crypto library hands it out.
import { randomBytes as nodeRandomBytes, randomUUID } from 'node:crypto'

/** `length` unpredictable bytes. */
export function randomBytes(length: number): Uint8Array {
  return nodeRandomBytes(length)
}

/** A random UUID (RFC 9562 version 4), lower-case with dashes. */
export function randomUuid(): string {
  return randomUUID()
}
