// Master key in a PKCS#11 token: made there, never outside. The token seals (AES-256-GCM, CKM_AES_GCM) and opens
// the secrets of epochs; it is asked once per epoch and start. The key's CKA_ID stands in the provider.
// Wrap: version (1), nonce (12), ciphertext and tag as C_Encrypt gives them; additional data is the context.
import { randomBytes } from '../crypto/primitives/random.ts'
import { toHex } from '../crypto/primitives/hash.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { MasterKey } from './master-key.ts'
import { isAway, type TokenPlace } from './pkcs11-errors.ts'
import { Token } from './pkcs11-token.ts'
import type { Pin } from './pkcs11-token.ts'

const version = 1
const nonceLength = 12
const idLength = 8

/** What the provider of a key in a token begins with. */
export const pkcs11Provider = 'pkcs11:'

/** Makes a master key in the token. Throws UserError: see pkcs11-token.ts. */
export async function createTokenKey(place: TokenPlace, pin: Pin): Promise<MasterKey> {
  const token = await Token.open(place, pin)
  try {
    const id = randomBytes(idLength)
    token.makeKey(id)
    return keyIn(token, id)
  } catch (error) {
    token.close()
    throw error
  }
}

/**
 * Opens the master key in the token that is one of these providers. Throws UserError, exit status 11 or 12: see
 * pkcs11-token.ts; 'token-without-key' when it holds none of them.
 */
export async function openTokenKey(
  place: TokenPlace,
  providers: readonly string[],
  pin: Pin,
): Promise<MasterKey> {
  const token = await Token.open(place, pin)
  try {
    for (const provider of providers) {
      const id = Buffer.from(provider.slice(pkcs11Provider.length), 'hex')
      if (token.hasKey(id)) return keyIn(token, id)
    }
  } catch (error) {
    token.close()
    throw error
  }
  token.close()
  throw new UserError(
    'token-without-key',
    `the token ${token.label} holds none of the master keys of this keystore: ${providers.join(', ')}`,
    'name the right token with --pkcs11-token; when the key is lost:  keyreel master-key rotate --share FILE …',
    { exitStatus: exitStatus.sealed },
  )
}

function keyIn(token: Token, id: Uint8Array): MasterKey {
  return {
    id: `${pkcs11Provider}${toHex(id)}`,
    wrap(secret, context) {
      const nonce = randomBytes(nonceLength)
      const sealed = token.use(id, (session) => session.encrypt(nonce, context, secret))
      return Promise.resolve(Buffer.concat([Uint8Array.of(version), nonce, sealed]))
    },
    // async, so that what the token refuses is a rejection
    async unwrap(wrap, context) {
      const nonce = wrap.subarray(1, 1 + nonceLength)
      try {
        if (wrap[0] !== version) throw damaged()
        return await Promise.resolve(
          token.use(id, (session) =>
            session.decrypt(nonce, context, wrap.subarray(1 + nonceLength)),
          ),
        )
      } catch (cause) {
        if (cause instanceof UserError || isAway(cause)) throw cause
        throw damaged(cause)
      }
    },
    async check() {
      await Promise.resolve()
      token.use(id, () => undefined)
    },
    close: () => token.close(),
  }
}

function damaged(cause?: unknown): UserError {
  return new UserError(
    'master-key-damaged',
    'the wrap of the keystore’s secret under the key in the token is damaged',
    'go back to the last copy of the data directory (docs/how-to/copy-the-keystore.md)',
    { exitStatus: exitStatus.sealed, cause },
  )
}
