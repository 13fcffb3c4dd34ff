// Epochs and their wraps: a new epoch before too many seals or on request, wraps for a new master key
// or a recovery key, and the end of the wraps of before. Every change is one transaction: at each moment
// what opened the store before it or what opens it after it does.
import { exitStatus, UserError } from '../errors.ts'
import { appendAudit } from './audit.ts'
import { recoveryProvider, type EpochWrapper, type MasterKey } from './master-key.ts'
import { oweLog, payLog } from './log-debt.ts'
import { recoveryWrappers } from './recovery-key.ts'
import type { Sealing } from './sealing.ts'
import type { Storage, StorageReader, StorageWriter, WrapRow } from './storage.ts'
import type { AuditActor, JsonValue } from './work.ts'

/** What changes of epochs stand on. */
export interface EpochsGround {
  readonly storage: Storage
  readonly sealing: Sealing
  readonly chain: string
  readonly now: () => bigint
  /** Who opened the store when this process did. */
  readonly before: ReadonlySet<string>
}

/** One epoch, and how much is under it. */
export interface EpochFacts {
  readonly epoch: number
  /** Who opens it: master keys and recovery key. */
  readonly providers: readonly string[]
  /** Objects and documents whose rows are under it. */
  readonly objects: number
  readonly documents: number
}

/** Whether the master key in use is still the one that opens the store. */
export type Standing = 'current' | 'retired'

/** Begins a new epoch: everything sealed from now on is under a new secret. */
export async function beginEpoch(ground: EpochsGround, actor: AuditActor): Promise<void> {
  while (!(await epochBegun(ground, actor)));
  await ground.sealing.learn(await ground.storage.read((rows) => rows.wraps()))
}

/** False when the recovery key was changed meanwhile. */
async function epochBegun(ground: EpochsGround, actor: AuditActor): Promise<boolean> {
  const { storage, sealing } = ground
  const others = await storage.read((rows) => recoveryWrappers(rows, sealing))
  const made = await sealing.nextEpoch(others.filter(({ id }) => id !== sealing.provider))
  return storage.write(async (rows) => {
    const known = await rows.wraps()
    // Another process was first: its epoch serves as well.
    if (known.some(({ epoch }) => epoch === made[0]!.epoch)) return true
    refuseRetired(known, ground)
    const now = await recoveryWrappers(rows, sealing)
    if (now.map(({ id }) => id).join() !== others.map(({ id }) => id).join()) return false
    for (const wrap of made) await putNoted(rows, sealing, wrap)
    await note(rows, ground, actor, 'Epoch Begun', { epoch: made[0]!.epoch })
    return true
  })
}

/** Wraps all epochs for `other` as well: from then on either master key opens the store. */
export async function addMasterKey(
  ground: EpochsGround,
  other: EpochWrapper,
  actor: AuditActor,
): Promise<void> {
  const { storage, sealing } = ground
  const opensNot = (wraps: readonly WrapRow[]): ReadonlySet<number> => {
    const opened = new Set(wraps.filter(isOf(other.id)).map(({ epoch }) => epoch))
    return new Set(wraps.map(({ epoch }) => epoch).filter((epoch) => !opened.has(epoch)))
  }
  for (let done = false; !done;) {
    const known = await storage.read((rows) => rows.wraps())
    await sealing.learn(known)
    const missing = opensNot(known)
    const made = await sealing.wrapsFor(
      other,
      known.filter(({ epoch }) => missing.has(epoch)),
    )
    done = await storage.write(async (rows) => {
      const wraps = await rows.wraps()
      if (!wraps.some(isOf(sealing.provider))) throw retiredMasterKey(sealing.provider)
      const still = opensNot(wraps)
      const fresh = made.filter(({ epoch }) => still.has(epoch))
      // An epoch was begun meanwhile: it is wrapped in the next round.
      if (fresh.length !== still.size) return false
      for (const wrap of fresh) await putNoted(rows, sealing, wrap)
      if (fresh.length > 0) {
        await note(rows, ground, actor, 'Master Key Added', { provider: other.id })
      }
      return true
    })
  }
}

/**
 * Makes `kept` the only master key: what it does not open yet is wrapped for it, then the wraps of all
 * other master keys are forgotten; a recovery key stays. Answers whose were forgotten.
 */
export async function retireOthers(
  ground: EpochsGround,
  kept: EpochWrapper,
  actor: AuditActor,
): Promise<readonly string[]> {
  for (;;) {
    await addMasterKey(ground, kept, actor)
    const retired = await ground.storage.write(async (rows) => {
      const wraps = await rows.wraps()
      if (!opensAll(wraps, kept.id)) return undefined
      const others = [...new Set(wraps.map(({ provider }) => provider))].filter(
        (provider) => provider !== kept.id && !provider.startsWith(recoveryProvider),
      )
      for (const provider of others) await removeWraps(rows, ground, provider, actor)
      return others
    })
    if (retired === undefined) continue
    await payLog(ground.storage, ground.now)
    return retired
  }
}

/** Forgets a master key's wraps. Throws UserError 'last-master-key' when no other opens every epoch. */
export async function removeMasterKey(
  ground: EpochsGround,
  provider: string,
  actor: AuditActor,
): Promise<void> {
  await ground.storage.write(async (rows) => {
    const wraps = await rows.wraps()
    const others = new Set(wraps.map((wrap) => wrap.provider).filter((name) => name !== provider))
    if (![...others].some((name) => opensAll(wraps, name))) {
      throw new UserError(
        'last-master-key',
        `${provider} is the only master key that opens the whole keystore`,
        'add the new master key before the old one is taken away',
      )
    }
    await removeWraps(rows, ground, provider, actor)
  })
  await payLog(ground.storage, ground.now)
}

/**
 * Opens epochs that another process has begun, and says whether the master key in use still opens the
 * store: once it does not, `adoptMasterKey` is to follow.
 */
export async function followEpochs(ground: EpochsGround): Promise<Standing> {
  const wraps = await ground.storage.read((rows) => rows.wraps())
  await ground.sealing.learn(wraps)
  return isRetired(wraps, ground) ? 'retired' : 'current'
}

/** Who opens the store now: master keys and recovery key. */
export async function openersOf(storage: Storage): Promise<readonly string[]> {
  const wraps = await storage.read((rows) => rows.wraps())
  return [...new Set(wraps.map(({ provider }) => provider))].sort()
}

/** Goes on with `masterKey`, which must open the store. Takes it over, and closes the one of before. */
export async function adoptMasterKey(
  { storage, sealing }: EpochsGround,
  masterKey: MasterKey,
): Promise<void> {
  const wraps = await storage.read((rows) => rows.wraps())
  if (!opensAll(wraps, masterKey.id)) throw retiredMasterKey(masterKey.id)
  await sealing.prove(masterKey, wraps)
  sealing.exchange(masterKey).close()
  await sealing.learn(wraps)
}

/** Every epoch, the newest last. */
export function epochFacts({ storage }: EpochsGround): Promise<readonly EpochFacts[]> {
  return storage.read(async (rows) => {
    const wraps = await rows.wraps()
    const counts = await rows.epochCounts()
    return [...new Set(wraps.map(({ epoch }) => epoch))].map((epoch) => {
      const { objects, documents } = counts.get(epoch) ?? { objects: 0, documents: 0 }
      const providers = wraps.filter((wrap) => wrap.epoch === epoch)
      return { epoch, providers: providers.map(({ provider }) => provider), objects, documents }
    })
  })
}

/** Every wrap with what was noted of it, if anything was: those of before notes were taken have none. */
export async function notedWraps(
  rows: Pick<StorageReader, 'wraps' | 'setting'>,
): Promise<readonly (WrapRow & { readonly note: string | undefined })[]> {
  const noted: (WrapRow & { note: string | undefined })[] = []
  for (const wrap of await rows.wraps())
    noted.push({ ...wrap, note: await rows.setting(noteName(wrap)) })
  return noted
}

/** Nobody here can open the wraps for a recovery key: what is noted tells that they are still whole. */
async function putNoted(rows: StorageWriter, sealing: Sealing, wrap: WrapRow): Promise<void> {
  await rows.putWrap(wrap)
  await rows.putSetting(noteName(wrap), sealing.noteOfWrap(wrap))
}

function noteName({ epoch, provider }: Pick<WrapRow, 'epoch' | 'provider'>): string {
  return `wrap ${epoch} ${provider}`
}

function isOf(id: string): (wrap: WrapRow) => boolean {
  return ({ provider }) => provider === id
}

function opensAll(wraps: readonly WrapRow[], id: string): boolean {
  return wraps.filter(isOf(id)).length === new Set(wraps.map(({ epoch }) => epoch)).size
}

/** Rotated away; or shares opened the store, and a master key has been given to it since. */
function isRetired(wraps: readonly WrapRow[], { sealing, before }: EpochsGround): boolean {
  const { provider } = sealing
  if (!provider.startsWith(recoveryProvider)) return !wraps.some(isOf(provider))
  return wraps.some(
    (wrap) => !before.has(wrap.provider) && !wrap.provider.startsWith(recoveryProvider),
  )
}

/** A process whose master key was rotated away makes no wraps: nobody could open them later. */
function refuseRetired(wraps: readonly WrapRow[], ground: EpochsGround): void {
  if (isRetired(wraps, ground)) throw retiredMasterKey(ground.sealing.provider)
}

/** The refusal of what only the new master key opens. */
export function retiredMasterKey(provider: string): UserError {
  return new UserError(
    'master-key-retired',
    `${provider} no longer opens the keystore: the master key was rotated`,
    'name the new master key in the configuration and send SIGHUP, or: keyreel master-key unseal',
    { exitStatus: exitStatus.sealed },
  )
}

async function removeWraps(
  rows: StorageWriter,
  ground: EpochsGround,
  provider: string,
  actor: AuditActor,
): Promise<void> {
  await rows.removeWraps(provider)
  await oweLog(rows, ground.now())
  await note(rows, ground, actor, 'Master Key Removed', { provider })
}

/** Records what was done to epochs in the transaction that does it. */
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
