/** SHA-256 and length of what passes by. */
import { openHash, type HashStream } from '../crypto/hashes.ts'

export class FileDigest {
  readonly #hash: HashStream = openHash('SHA_256')
  length = 0

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.length += bytes.length
  }

  /** The digest; nothing more can be added. */
  value(): Uint8Array {
    return this.#hash.final()
  }
}
