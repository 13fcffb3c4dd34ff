/**
 * Keys that rotate by themselves – KMIP 2.1 §4.48, §4.51, §4.54: the server re-keys a key with Rotate
 * Automatic once it is as old as its Rotate Interval. The keys of tapes are left alone: who finds another
 * key under the identifier of a tape reads nothing of it.
 */
import { rotating } from '../../keystore/derived-rows.ts'
import { loadObject, saveObject } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { tapeNamespace } from '../../keystore/namespaces.ts'
import { IntegrityError, type Work } from '../../keystore/work.ts'
import { KmipError } from '../model/result.ts'
import { newest } from '../model/versions.ts'
import type { AftermathLog } from './aftermath.ts'
import type { ActingStore } from './batch.ts'
import type { MakingContext } from './operation.ts'
import { replaceKey } from './re-key.ts'

const actor = { name: 'keyreel', kind: 'server' } as const

/** Facts of the running server, and its log. */
type ServerPart = Pick<MakingContext, 'facts'> & { log: Pick<AftermathLog, 'warn'> }

const keysPerPage = 500

/**
 * Re-keys what is due, one act for each key. A key that cannot be re-keyed rotates no more, and its record
 * says why. Keys that fail their integrity check are left alone, and named in the error thrown at the end.
 */
export async function rotateDue(store: ActingStore, server: ServerPart): Promise<void> {
  const damaged: IntegrityError[] = []
  const groups = await store.read((work) => work.documents('group'))
  for (const { name: group } of groups) {
    for (const id of await candidates(store, group)) {
      try {
        const alarm = await store.act((work) => rotate(work, group, id, server))
        if (alarm !== undefined) server.log.warn({ alarm: true, object: id }, alarm)
      } catch (error) {
        if (!(error instanceof IntegrityError)) throw error
        damaged.push(error)
      }
    }
  }
  if (damaged.length > 0) throw new AggregateError(damaged, 'keys could not be rotated')
}

/** The keys of a group that may be due: the verified record decides. */
async function candidates(store: ActingStore, group: string): Promise<string[]> {
  const found: string[] = []
  for (;;) {
    const { ids } = await store.read((work) =>
      work.find({
        group,
        equals: [rotating],
        ranges: [],
        destroyed: 'exclude',
        archived: 'exclude',
        offset: found.length,
        limit: keysPerPage,
      }),
    )
    found.push(...ids)
    if (ids.length < keysPerPage) return found
  }
}

/** Re-keys a key when it is due; answers an alarm when it should be but cannot. */
async function rotate(
  work: Work,
  group: string,
  id: string,
  server: ServerPart,
): Promise<string | undefined> {
  const object = await loadObject(work, group, id)
  if (object === undefined || !isDue(object, work.now)) return undefined
  const { attributes } = object
  attributes.set('RotateAutomatic', false)
  const context = contextFor(work, object, server)
  const record = { actor, operation: 'Rotate', group }
  try {
    const offset = attributes.first('RotateOffset')
    const { object: made } = await replaceKey(context, object, rotatesOn, offset)
    work.audit({ ...record, object: made.id, outcome: 'Success', details: { replaced: id } })
    return undefined
  } catch (error) {
    if (!(error instanceof KmipError)) throw error
    const unchanged = (await loadObject(work, group, id))!
    unchanged.attributes.set('RotateAutomatic', false)
    await saveObject(work, unchanged)
    const alarm = `key ${id} does not rotate any more: ${error.message}`
    work.audit({ ...record, object: id, outcome: error.reason, details: { alarms: [alarm] } })
    return alarm
  }
}

/** The old key rotates no more; its replacement does. */
const rotatesOn = [{ tag: 'RotateAutomatic', value: true }] as const

function isDue({ objectType, vitals, attributes }: ManagedObject, now: bigint): boolean {
  const interval = attributes.first('RotateInterval')
  const isTape = attributes
    .values('ApplicationSpecificInformation')
    .some(({ ApplicationNamespace }) => tapeNamespace(ApplicationNamespace) !== undefined)
  return (
    objectType === 'SymmetricKey' &&
    attributes.first('RotateAutomatic') === true &&
    interval !== undefined &&
    interval > 0 &&
    vitals.InitialDate + BigInt(interval) <= now &&
    !isTape
  )
}

/** The server acts for the owner of the key. */
function contextFor(
  work: Work,
  { group, vitals }: ManagedObject,
  { facts }: ServerPart,
): MakingContext {
  const owner = vitals.Owner
  return {
    version: newest.number,
    principal: {
      name: owner,
      kind: 'library',
      group,
      profile: 'general',
      fingerprint: '',
      owner,
      ownOnly: false,
      credentialRequired: false,
    },
    work,
    now: work.now,
    batch: { placeholder: undefined, identifiers: [] },
    facts,
    noted: {},
    alarm: () => undefined,
  }
}
