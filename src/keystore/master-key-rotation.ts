// Puts a new master key in the place of the one in use, so that at each moment the configuration names a
// key that opens: first every epoch is wrapped for the new key too, then the new key gets its place, and only
// then the wraps of the old one are forgotten. Cut off anywhere, the same command ends what was begun.
import { existsSync, linkSync } from 'node:fs'
import { moveIntoPlaceSync } from '../durable-files.ts'
import { UserError } from '../errors.ts'
import { createMasterKeyFile, openMasterKeyFile } from './master-key-file.ts'
import type { MasterKey } from './master-key.ts'
import type { Store } from './store.ts'
import type { AuditActor } from './work.ts'

/** A new master key, and what gives it the place of the old one. */
export interface NewMasterKey {
  readonly masterKey: MasterKey
  /** Run once every epoch is wrapped for it, before the old one is forgotten. */
  takePlace(): void
}

/** What a rotation has done. */
export interface Rotated {
  readonly provider: string
  /** Master keys that open the store no longer. */
  readonly retired: readonly string[]
}

/** Makes `next` the only master key of an opened store. */
export async function rotateMasterKey(
  store: Pick<Store, 'addMasterKey' | 'retireOthers'>,
  { masterKey, takePlace }: NewMasterKey,
  actor: AuditActor,
): Promise<Rotated> {
  await store.addMasterKey(masterKey, actor)
  takePlace()
  return { provider: masterKey.id, retired: await store.retireOthers(masterKey, actor) }
}

/**
 * A new key for the file at `path`. It is made beside it, under `.next`, and takes its place by a rename; the
 * old one is kept under `.old-` and the begin of its identifier, for copies of the store that only it opens.
 */
export function nextKeyFile(path: string): NewMasterKey & { readonly keptAs: string | undefined } {
  const next = `${path}.next`
  // One that is there is of a rotation that was cut off: it may be in the database already.
  const masterKey = existsSync(next) ? openMasterKeyFile(next) : createMasterKeyFile(next)
  const keptAs = existsSync(path) ? `${path}.old-${shortId(path)}` : undefined
  return {
    masterKey,
    keptAs,
    takePlace() {
      if (keptAs !== undefined && !existsSync(keptAs)) linkSync(path, keptAs)
      moveIntoPlaceSync(next, path)
    },
  }
}

/** Keeps a key file that no longer opens the store under another name; answers which, if there is one. */
export function setAside(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  const keptAs = `${path}.old-${shortId(path)}`
  moveIntoPlaceSync(path, keptAs)
  return keptAs
}

/** The first eight digits of the identifier of the key in that file, or that it holds none. */
function shortId(path: string): string {
  try {
    const masterKey = openMasterKeyFile(path)
    masterKey.close()
    return masterKey.id.slice('file:'.length).slice(0, 8)
  } catch (error) {
    // After a recovery what lies there may be damaged: it is kept all the same.
    if (error instanceof UserError && error.code === 'master-key-damaged') return 'damaged'
    throw error
  }
}
