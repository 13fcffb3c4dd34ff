// Master key from a passphrase: argon2id (RFC 9106) makes the wrapping key; salt and cost stand in each wrap.
// Wrap: version (1), memory in KiB (4), passes (4), lanes (4), salt (16), AES-256-GCM seal of the secret.
import { SealBroken, seal, unseal } from '../crypto/primitives/aead.ts'
import { argon2Cost, argon2id, type Argon2Cost } from '../crypto/primitives/kdf.ts'
import { toHex } from '../crypto/primitives/hash.ts'
import { mac } from '../crypto/primitives/mac.ts'
import { randomBytes } from '../crypto/primitives/random.ts'
import { symmetricKey, type SymmetricKey } from '../crypto/primitives/symmetric-key.ts'
import type { Secret } from '../crypto/secret.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { MasterKey } from './master-key.ts'

const version = 1
const saltLength = 16
const headLength = 13 + saltLength

/** The id that marks wraps by the first passphrase; later ones have `:` and eight digits behind it. */
export const passphraseProvider = 'passphrase'

/** Whether wraps of that provider open with a passphrase. */
export function isPassphrase(provider: string): boolean {
  return /^passphrase(:|$)/.test(provider)
}

/** The id of a passphrase that takes the place of another. */
export function newPassphraseProvider(): string {
  return `${passphraseProvider}:${toHex(randomBytes(4))}`
}

/** Ceilings on what a wrap may demand: the database that holds it is untrusted. */
const highestCost: Argon2Cost = { memory: 2 ** 20, passes: 32, lanes: 16 }

/** Passphrases that did not open a wrap, as MACs of both under a key of this process: they are not tried again. */
const refused = new Set<string>()
const refusedKey = symmetricKey(randomBytes(32))

/**
 * A master key from `passphrase`, which is taken over and wiped by `close`. `cost` is that of new
 * wraps. A wrong passphrase shows at unwrap: UserError 'wrong-passphrase', exit status 12; tried again on the same
 * wrap, it costs nothing and is refused.
 */
export function passphraseMasterKey(
  passphrase: Secret,
  cost: Argon2Cost = argon2Cost,
  id = passphraseProvider,
): MasterKey {
  const derived = new Map<string, Promise<SymmetricKey>>()

  // One derivation takes a good part of a second: epochs wrapped with one salt share it.
  const keyFor = (salt: Uint8Array, spent: Argon2Cost): Promise<SymmetricKey> => {
    const name = `${Buffer.from(salt).toString('hex')} ${spent.memory} ${spent.passes} ${spent.lanes}`
    const known = derived.get(name)
    if (known) return known
    const key = derive(passphrase, salt, spent)
    derived.set(name, key)
    return key
  }
  let newSalt: Uint8Array | undefined

  return {
    id,
    async wrap(secret, context) {
      newSalt ??= randomBytes(saltLength)
      const key = await keyFor(newSalt, cost)
      const head = headOf(newSalt, cost)
      return Buffer.concat([head, seal(key, secret, Buffer.concat([head, context]))])
    },
    async unwrap(wrap, context) {
      const { salt, spent } = costOf(wrap)
      const mark = toHex(mac(refusedKey, wrap, passphrase.bytes))
      if (refused.has(mark)) throw wrongPassphrase(': it was refused before and is not tried again')
      const key = await keyFor(salt, spent)
      try {
        const head = wrap.subarray(0, headLength)
        return unseal(key, wrap.subarray(headLength), Buffer.concat([head, context]))
      } catch (cause) {
        if (!(cause instanceof SealBroken)) throw cause
        refused.add(mark)
        throw wrongPassphrase('', cause)
      }
    },
    close() {
      passphrase.wipe()
      derived.clear()
    },
  }
}

function wrongPassphrase(remark: string, cause?: unknown): UserError {
  return new UserError(
    'wrong-passphrase',
    `this passphrase does not open the keystore${remark}`,
    'try again: the passphrase is the one last given to `keyreel init` or `keyreel master-key rotate --to passphrase`',
    { exitStatus: exitStatus.wrongPassphrase, cause },
  )
}

async function derive(
  passphrase: Secret,
  salt: Uint8Array,
  cost: Argon2Cost,
): Promise<SymmetricKey> {
  const secret = await argon2id(passphrase.bytes, salt, cost)
  const key = symmetricKey(secret.bytes)
  secret.wipe()
  return key
}

function headOf(salt: Uint8Array, { memory, passes, lanes }: Argon2Cost): Buffer {
  const head = Buffer.alloc(headLength)
  head.writeUInt8(version, 0)
  head.writeUInt32BE(memory, 1)
  head.writeUInt32BE(passes, 5)
  head.writeUInt32BE(lanes, 9)
  head.set(salt, 13)
  return head
}

function costOf(wrap: Uint8Array): { salt: Uint8Array; spent: Argon2Cost } {
  const head = Buffer.from(wrap.subarray(0, headLength))
  if (head.length === headLength && head.readUInt8(0) === version) {
    const spent = {
      memory: head.readUInt32BE(1),
      passes: head.readUInt32BE(5),
      lanes: head.readUInt32BE(9),
    }
    const affordable =
      spent.passes >= 1 &&
      spent.lanes >= 1 &&
      spent.memory >= 8 * spent.lanes &&
      spent.memory <= highestCost.memory &&
      spent.passes <= highestCost.passes &&
      spent.lanes <= highestCost.lanes
    if (affordable) return { salt: head.subarray(13), spent }
  }
  throw new UserError(
    'master-key-damaged',
    'the wrap of the keystore’s secret under the passphrase is damaged',
    'go back to the last copy of the data directory (docs/how-to/copy-the-keystore.md)',
    { exitStatus: exitStatus.sealed },
  )
}
