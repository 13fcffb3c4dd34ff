// The recovery key of a store: its public keys stand in a document under a MAC, and every epoch is wrapped
// for them; the private keys exist only while people put their shares together (recovery-shares.ts).
import { SealBroken } from '../crypto/primitives/aead.ts'
import {
  readRecoveryKey,
  recoveryKeyFrom,
  recoveryKeyId,
  recoveryPublicKey,
  unwrapByRecovery,
  wrapForRecovery,
} from '../crypto/recovery-keys.ts'
import type { HybridPublicKey } from '../crypto/hybrid-kem.ts'
import type { Secret } from '../crypto/secret.ts'
import { exitStatus, UserError } from '../errors.ts'
import { recoveryProvider, type EpochWrapper, type MasterKey } from './master-key.ts'
import { replayed, verifyDocumentNoted } from './replay.ts'
import type { Sealing } from './sealing.ts'
import type { StorageReader } from './storage.ts'

/** Where the document stands. */
export const recoveryDocument = { kind: 'recovery', name: 'key' } as const

/** What is known of a recovery key: nothing of it is secret. */
export interface RecoveryKey {
  /** 16 hexadecimal digits, made from the public keys. */
  readonly id: string
  /** SubjectPublicKeyInfo, base64. */
  readonly ec: string
  readonly mlKem: string
  /** Seconds since 1970. */
  readonly created: number
  /** How many shares are needed. */
  readonly threshold: number
  readonly shares: readonly RecoveryShareHolder[]
}

/** Who has a share, and in which form it left. */
export interface RecoveryShareHolder {
  readonly number: number
  /** Name of the officer's certificate; absent for a share that was printed. */
  readonly officer?: string
  /** SHA-256 of that certificate, hexadecimal. */
  readonly fingerprint?: string
}

/** What wraps new epochs beside the master key: the recovery key, where there is one. Throws IntegrityError. */
export async function recoveryWrappers(
  rows: StorageReader,
  sealing: Sealing,
): Promise<readonly EpochWrapper[]> {
  const { kind, name } = recoveryDocument
  const row = await rows.document(kind, name)
  if (row === undefined) {
    const gone = await rows.documentsGone(kind, name)
    if (gone.length === 0) return []
    throw replayed(`${kind}/${name}`, 'the document was taken away')
  }
  sealing.verifyDocument(row)
  verifyDocumentNoted(row)
  if (row.body === null) return []
  return [recoveryWrapper(readRecoveryKey(JSON.parse(row.body) as RecoveryKey))]
}

/** Wraps for the holders of the shares. */
export function recoveryWrapper(key: HybridPublicKey): EpochWrapper {
  return {
    id: `${recoveryProvider}${recoveryKeyId(key)}`,
    wrap: (secret, context) => Promise.resolve(wrapForRecovery(key, secret, context)),
  }
}

/** Opens the store by the seed that shares gave back, which is taken over and wiped. */
export function recoveryMasterKey(seed: Secret): MasterKey {
  const key = recoveryKeyFrom(seed)
  seed.wipe()
  return {
    ...recoveryWrapper(recoveryPublicKey(key)),
    unwrap(wrap, context) {
      try {
        return Promise.resolve(unwrapByRecovery(key, wrap, context))
      } catch (cause) {
        if (!(cause instanceof SealBroken)) throw cause
        return Promise.reject(
          new UserError(
            'master-key-damaged',
            'the wrap of the keystore’s secret under the recovery key is damaged',
            'go back to the last copy of the data directory (docs/how-to/copy-the-keystore.md)',
            { exitStatus: exitStatus.sealed, cause },
          ),
        )
      }
    },
    close: () => undefined,
  }
}
