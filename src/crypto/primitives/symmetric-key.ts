// Keys held by the crypto library, outside the JavaScript heap.
import { createSecretKey, type KeyObject } from 'node:crypto'

/** A symmetric key that only src/crypto can use; it is never printed and cannot be read elsewhere. */
export type SymmetricKey = KeyObject

/** Copies the bytes into the crypto library; the caller clears its own. */
export function symmetricKey(bytes: Uint8Array): SymmetricKey {
  return createSecretKey(bytes)
}
