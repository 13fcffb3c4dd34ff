// Key bytes that cannot be printed by accident and can be cleared.
import { inspect } from 'node:util'

/**
 * Holds secret bytes. Takes the array over (no copy); `wipe` zeroes it, best effort in JavaScript:
 * the garbage collector may have moved copies. Logging, JSON and string forms show only the length.
 */
export class Secret {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The bytes themselves, not a copy: valid until `wipe`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Length in bytes. */
  get length(): number {
    return this.#bytes.length
  }

  /** Zeroes the bytes; the holder calls it once the secret has been used. */
  wipe(): void {
    this.#bytes.fill(0)
  }

  toString(): string {
    return `[secret ${this.#bytes.length} bytes]`
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }
}
