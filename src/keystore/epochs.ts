// Epochs and their wraps: a new epoch before too many seals, wraps for a new or a recovery master key.
import { UserError } from '../errors.ts'
import { appendAudit } from './audit.ts'
import type { MasterKey } from './master-key.ts'
import type { Sealing } from './sealing.ts'
import type { Storage, StorageWriter } from './storage.ts'
import type { AuditActor, JsonValue } from './work.ts'

/** What changes of epochs stand on. */
export interface EpochsGround {
  readonly storage: Storage
  readonly sealing: Sealing
  readonly chain: string
  readonly now: () => bigint
}

/** Begins a new epoch: everything sealed from now on is under a new secret. */
export async function beginEpoch(ground: EpochsGround, actor: AuditActor): Promise<void> {
  const { storage, sealing } = ground
  const wrap = await sealing.nextEpoch()
  await storage.write(async (rows) => {
    const taken = (await rows.wraps()).some(({ epoch }) => epoch === wrap.epoch)
    // Another process was first: its epoch serves as well.
    if (taken) return
    await rows.putWrap(wrap)
    await note(rows, ground, actor, 'Epoch Begun', { epoch: wrap.epoch })
  })
  await sealing.learn(await storage.read((rows) => rows.wraps()))
}

/** Wraps all epochs for `other` as well: from then on either master key opens the store. */
export async function addMasterKey(
  ground: EpochsGround,
  other: MasterKey,
  actor: AuditActor,
): Promise<void> {
  const { storage, sealing } = ground
  const known = await storage.read((rows) => rows.wraps())
  const made = await sealing.wrapsFor(other, known)
  await storage.write(async (rows) => {
    for (const wrap of made) await rows.putWrap(wrap)
    await note(rows, ground, actor, 'Master Key Added', { provider: other.id })
  })
}

/** Forgets a master key's wraps. Throws UserError 'last-master-key' when no other opens every epoch. */
export async function removeMasterKey(
  ground: EpochsGround,
  provider: string,
  actor: AuditActor,
): Promise<void> {
  await ground.storage.write(async (rows) => {
    const wraps = await rows.wraps()
    const epochs = new Set(wraps.map(({ epoch }) => epoch))
    const others = new Set(wraps.map((wrap) => wrap.provider).filter((name) => name !== provider))
    const opensAll = (name: string): boolean =>
      wraps.filter((wrap) => wrap.provider === name).length === epochs.size
    if (![...others].some(opensAll)) {
      throw new UserError(
        'last-master-key',
        `${provider} is the only master key that opens the whole keystore`,
        'add the new master key before the old one is taken away',
      )
    }
    await rows.removeWraps(provider)
    await note(rows, ground, actor, 'Master Key Removed', { provider })
  })
}

function note(
  rows: StorageWriter,
  { sealing, chain, now }: EpochsGround,
  actor: AuditActor,
  operation: string,
  details: JsonValue,
): Promise<void> {
  const records = [{ actor, operation, outcome: 'Success', details }]
  return appendAudit(rows, sealing, chain, now(), [{ records, changes: [] }])
}
