// Gives a store its recovery key: the shares are out of our hands and durable before anything is wrapped for
// the key, and the key of before opens the store until the new one does.
import { writeRecoveryKey } from '../crypto/recovery-keys.ts'
import { recoveryProvider } from './master-key.ts'
import {
  recoveryDocument,
  recoveryWrapper,
  type RecoveryKey,
  type RecoveryShareHolder,
} from './recovery-key.ts'
import type { RecoveryShare } from './recovery-share.ts'
import { makeRecoveryKey } from './recovery-shares.ts'
import type { Store } from './store.ts'
import type { AuditActor, JsonValue, Work } from './work.ts'

/** What a recovery key shall be. */
export interface RecoveryWish {
  readonly threshold: number
  readonly holders: readonly RecoveryShareHolder[]
  readonly actor: AuditActor
  /** Hands the shares out, durably; they are wiped when it has returned. */
  handOut(key: RecoveryKey, shares: readonly RecoveryShare[]): void
}

/** Makes a recovery key and wraps every epoch for it; the one of before opens nothing any more. */
export async function setUpRecovery(store: Store, wish: RecoveryWish): Promise<RecoveryKey> {
  const { threshold, holders, actor } = wish
  const { id, publicKey, shares } = await makeRecoveryKey(threshold, holders.length)
  const created = Number(await store.read((work) => Promise.resolve(work.now)))
  const key: RecoveryKey = {
    id,
    ...writeRecoveryKey(publicKey),
    created,
    threshold,
    shares: holders,
  }
  try {
    wish.handOut(key, shares)
  } finally {
    for (const { value } of shares) value.wipe()
  }
  await store.addMasterKey(recoveryWrapper(publicKey), actor)
  await store.act(async (work) => {
    const { kind, name } = recoveryDocument
    await work.putDocument(kind, name, key as unknown as JsonValue)
    const details = { id, threshold, shares: holders.length }
    work.audit({ actor, operation: 'recovery setup', outcome: 'Success', details })
  })
  const providers = new Set((await store.epochs()).flatMap((epoch) => epoch.providers))
  for (const provider of providers) {
    const isEarlier =
      provider.startsWith(recoveryProvider) && provider !== `${recoveryProvider}${id}`
    if (isEarlier) await store.removeMasterKey(provider, actor)
  }
  return key
}

/** The recovery key of the store, if it has one. */
export async function findRecovery(work: Pick<Work, 'document'>): Promise<RecoveryKey | undefined> {
  const found = await work.document(recoveryDocument.kind, recoveryDocument.name)
  return found && (found.body as unknown as RecoveryKey)
}

/** Whether the recovery key opens every epoch. */
export async function isComplete(
  store: Pick<Store, 'epochs'>,
  { id }: RecoveryKey,
): Promise<boolean> {
  const epochs = await store.epochs()
  return epochs.every(({ providers }) => providers.includes(`${recoveryProvider}${id}`))
}
