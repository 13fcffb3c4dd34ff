// Keys from keys (HKDF-SHA-256, RFC 5869) and from passphrases (argon2id, RFC 9106).
import { argon2, hkdfSync } from 'node:crypto'
import { Secret } from '../secret.ts'
import { symmetricKey, type SymmetricKey } from './symmetric-key.ts'

/** A 256-bit key for one purpose: `label` names it, `salt` binds it to its place. */
export function deriveKey(secret: Uint8Array, salt: Uint8Array, label: string): SymmetricKey {
  const bytes = new Uint8Array(hkdfSync('sha256', secret, salt, label, 32))
  const key = symmetricKey(bytes)
  bytes.fill(0)
  return key
}

/** Cost of argon2id; memory in KiB. */
export interface Argon2Cost {
  readonly memory: number
  readonly passes: number
  readonly lanes: number
}

/** RFC 9106 section 4, second recommended option: 64 MiB, three passes, four lanes. */
export const argon2Cost: Argon2Cost = { memory: 65_536, passes: 3, lanes: 4 }

/** 32 bytes from a passphrase, off the main thread; the caller wipes them. */
export function argon2id(
  passphrase: Uint8Array,
  salt: Uint8Array,
  cost: Argon2Cost,
): Promise<Secret> {
  const parameters = {
    message: passphrase,
    nonce: salt,
    parallelism: cost.lanes,
    tagLength: 32,
    memory: cost.memory,
    passes: cost.passes,
  }
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, derived) => {
      if (error) reject(error)
      else resolve(new Secret(derived))
    })
  })
}
