/**
 * A transport key: AES-256, made for one exchange, under which every key travels wrapped on its own by
 * AES key wrap with padding (RFC 5649).
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  publicEncrypt,
  type KeyObject,
} from 'node:crypto'
import { cryptographicFailure } from './crypto-refusal.ts'
import { randomBytes } from './primitives/random.ts'
import { Secret } from './secret.ts'

const initialValue = Buffer.from('a65959a6', 'hex')

/** Wraps and unwraps under one key. The bytes are the caller's, to hand on or wipe. */
export class TransportKey {
  readonly secret: Secret
  readonly #key: KeyObject

  constructor(secret: Secret) {
    this.secret = secret
    this.#key = createSecretKey(secret.bytes)
  }

  /** A new random one. */
  static random(): TransportKey {
    return new TransportKey(new Secret(randomBytes(32)))
  }

  /** The transport key itself, encrypted for the holder of an RSA key: OAEP with SHA-256 (RFC 8017). */
  encryptedFor(publicKey: KeyObject): Uint8Array {
    const padding = constants.RSA_PKCS1_OAEP_PADDING
    return publicEncrypt({ key: publicKey, padding, oaepHash: 'sha256' }, this.secret.bytes)
  }

  wrap(plain: Uint8Array): Uint8Array {
    const cipher = createCipheriv('id-aes256-wrap-pad', this.#key, initialValue)
    return Buffer.concat([cipher.update(plain), cipher.final()])
  }

  /** Throws CryptoRefusal `failure` for a wrong key or changed bytes. */
  unwrap(wrapped: Uint8Array): Secret {
    try {
      const decipher = createDecipheriv('id-aes256-wrap-pad', this.#key, initialValue)
      const plain = decipher.update(wrapped)
      const rest = decipher.final()
      if (rest.length === 0) return new Secret(plain)
      const whole = new Secret(Buffer.concat([plain, rest]))
      plain.fill(0)
      return whole
    } catch (cause) {
      throw cryptographicFailure(cause)
    }
  }
}
