// Splitting a recovery key among people and putting their shares together (Shamir's sharing, split-keys.ts).
import {
  recoveryKeyFrom,
  recoveryKeyId,
  recoveryPublicKey,
  recoverySeedLength,
} from '../crypto/recovery-keys.ts'
import { CryptoRefusal } from '../crypto/crypto-refusal.ts'
import { randomBytes } from '../crypto/primitives/random.ts'
import type { HybridPublicKey } from '../crypto/hybrid-kem.ts'
import { Secret } from '../crypto/secret.ts'
import { joinSplitKey, splitKey } from '../crypto/split-keys.ts'
import { exitStatus, UserError } from '../errors.ts'
import { recoveryProvider } from './master-key.ts'
import type { RecoveryShare } from './recovery-share.ts'

const method = 'PolynomialSharingGF2_8'

/** Fewest and most people among whom a key is split. */
export const shareBounds = { fewest: 2, most: 255 } as const

/** A recovery key as it is made: what stays, and what goes to people. */
export interface NewRecoveryKey {
  readonly id: string
  readonly publicKey: HybridPublicKey
  /** The caller wipes them. */
  readonly shares: readonly RecoveryShare[]
}

/** Throws UserError, exit status 2, unless a key may be split like that. */
export function refuseShareNumbers(threshold: number, count: number): void {
  const { fewest, most } = shareBounds
  if (threshold >= fewest && count <= most && threshold <= count) return
  throw new UserError(
    'share-numbers',
    `${threshold} of ${count} shares: at least ${fewest} must be needed, of at most ${most}`,
    'for instance --threshold 2 --shares 3, or 3 of 5',
    { exitStatus: exitStatus.usage },
  )
}

/** Makes a recovery key of which `threshold` of `count` shares are needed. Throws UserError for other numbers. */
export async function makeRecoveryKey(threshold: number, count: number): Promise<NewRecoveryKey> {
  refuseShareNumbers(threshold, count)
  const seed = new Secret(randomBytes(recoverySeedLength))
  try {
    const publicKey = recoveryPublicKey(recoveryKeyFrom(seed))
    const id = recoveryKeyId(publicKey)
    const { parts } = await splitKey(seed.bytes, { method, parts: count, threshold })
    const shares = parts.map(({ identifier, material }) => ({
      key: id,
      threshold,
      number: identifier,
      value: material,
    }))
    return { id, publicKey, shares }
  } finally {
    seed.wipe()
  }
}

/**
 * The seed of the recovery key, out of shares that stay the caller's; `providers` are those that open the
 * store. Throws UserError: shares of another keystore, too few, one given twice, or such as do not fit.
 */
export function joinShares(shares: readonly RecoveryShare[], providers: readonly string[]): Secret {
  const [first] = shares
  if (first === undefined) throw tooFew(0, undefined)
  const foreign = shares.find(({ key }) => !providers.includes(`${recoveryProvider}${key}`))
  if (foreign !== undefined) {
    const own = providers.filter((provider) => provider.startsWith(recoveryProvider))
    const known = own.map((provider) => provider.slice(recoveryProvider.length)).join(', ')
    throw refused(
      'share-foreign',
      `share ${foreign.number} is of recovery key ${foreign.key}, this keystore has ${known || 'none'}`,
      'take the shares of this keystore; a new recovery key makes those of before worthless',
    )
  }
  const other = shares.find(({ key }) => key !== first.key)
  if (other !== undefined) {
    throw refused(
      'share-foreign',
      `share ${other.number} is of recovery key ${other.key}, share ${first.number} of ${first.key}`,
      'take shares of one recovery key',
    )
  }
  const numbers = shares.map(({ number }) => number)
  const twice = numbers.find((number, at) => numbers.indexOf(number) !== at)
  if (twice !== undefined) {
    throw refused('share-twice', `share ${twice} was given twice`, 'ask somebody else for theirs')
  }
  if (shares.length < first.threshold) throw tooFew(shares.length, first.threshold)
  return joined(shares, first)
}

function joined(shares: readonly RecoveryShare[], { key, threshold }: RecoveryShare): Secret {
  const parts = shares.map(({ number, value }) => ({ identifier: number, material: value }))
  let seed: Secret | undefined
  try {
    seed = joinSplitKey(parts, { method, parts: shareBounds.most, threshold })
    if (recoveryKeyId(recoveryPublicKey(recoveryKeyFrom(seed))) === key) return seed
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
  }
  seed?.wipe()
  throw refused(
    'shares-wrong',
    'these shares do not fit together: at least one of them is not what was handed out',
    'try another combination of shares',
  )
}

function tooFew(given: number, needed: number | undefined): UserError {
  const found = given === 0 ? 'no share was given' : `${given} of ${needed} shares`
  const message = needed === undefined ? found : `${found}: ${needed - given} more are needed`
  return refused('shares-too-few', message, 'name each with --share FILE')
}

function refused(code: string, message: string, hint: string): UserError {
  return new UserError(code, message, `${hint}; nothing was changed`)
}
