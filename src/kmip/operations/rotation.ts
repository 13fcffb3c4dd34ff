/**
 * Objects that rotate by themselves – KMIP 2.1 §4.48, §4.51, §4.54: the server replaces a key, a key pair or
 * a certificate with Rotate Automatic once it is as old as its Rotate Interval. The keys of tapes are left alone: who finds another
 * key under the identifier of a tape reads nothing of it.
 */
import { UserError } from '../../errors.ts'
import { rotating } from '../../keystore/derived-rows.ts'
import { loadObject, saveObject } from '../../keystore/keystore.ts'
import type { ManagedObject, ObjectTypeName } from '../../keystore/managed-object.ts'
import { tapeNamespace } from '../../keystore/namespaces.ts'
import type { Work } from '../../keystore/work.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import { KmipError } from '../model/result.ts'
import { newest } from '../model/versions.ts'
import type { AftermathLog } from './aftermath.ts'
import type { ActingStore } from './batch.ts'
import { withAsides } from './asides.ts'
import type { Halves } from './new-pair.ts'
import type { LongMakingContext } from './operation.ts'
import { renewCertificate } from './re-certify.ts'
import { replacePair } from './re-key-key-pair.ts'
import { replaceKey } from './re-key.ts'
import { identifierOf, visibleObject } from './subject.ts'

const actor = { name: 'keyreel', kind: 'server' } as const

/** Facts of the running server, and its log. */
type ServerPart = Pick<LongMakingContext, 'facts'> & { log: Pick<AftermathLog, 'warn'> }

type Acting = ServerPart & Pick<LongMakingContext, 'aside'>

const objectsPerPage = 500

/**
 * Replaces what is due, one act for each. What cannot be replaced rotates no more, and its record says
 * why. Objects that fail for another reason, their integrity check or too few copies, stay as they are, keep nothing
 * else from rotating, and are named in the error thrown at the end.
 */
export async function rotateDue(store: ActingStore, server: ServerPart): Promise<void> {
  const failed: unknown[] = []
  const groups = await store.read((work) => work.documents('group'))
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      // Where the database cannot be had, nothing else will do better.
      if (error instanceof UserError) throw error
      failed.push(new Error(`${what} was not rotated`, { cause: error }))
      return undefined
    }
  }
  for (const { name: group } of groups) {
    const ids = (await attempt(`group ${group}`, () => candidates(store, group))) ?? []
    for (const id of ids) await attempt(`object ${id}`, () => rotateOne(store, group, id, server))
  }
  if (failed.length > 0) throw new AggregateError(failed, 'objects could not be rotated')
}

async function rotateOne(
  store: ActingStore,
  group: string,
  id: string,
  server: ServerPart,
): Promise<void> {
  try {
    await withAsides((aside) => store.act((work) => rotate(work, group, id, { ...server, aside })))
  } catch (error) {
    // A General Failure says nothing about the object: it may pass.
    if (!(error instanceof KmipError) || error.reason === 'GeneralFailure') throw error
    const alarm = `object ${id} does not rotate any more: ${error.message}`
    await store.act(async (work) => {
      const object = await loadObject(work, group, id)
      if (object === undefined || !isDue(object, work.now)) return
      object.attributes.set('RotateAutomatic', false)
      await saveObject(work, object)
      work.audit({ ...record(group, id), outcome: error.reason, details: { alarms: [alarm] } })
    })
    server.log.warn({ alarm: true, object: id }, alarm)
  }
}

/** The objects of a group that may be due: the verified record decides. */
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
        limit: objectsPerPage,
      }),
    )
    found.push(...ids)
    if (ids.length < objectsPerPage) return found
  }
}

/** Replaces an object when it is due. The old one rotates no more; its replacement does. */
async function rotate(work: Work, group: string, id: string, server: Acting): Promise<void> {
  const object = await loadObject(work, group, id)
  if (object === undefined || !isDue(object, work.now)) return
  const context = contextFor(work, object, server)
  const made = await replacements[object.objectType]!(context, object)
  for (const secret of context.secrets) secret.wipe()
  const { details } = context.noted
  work.audit({ ...record(group, made.id), outcome: 'Success', details })
}

const record = (group: string, object: string) => ({ actor, operation: 'Rotate', group, object })

type Replace = (context: LongMakingContext, object: ManagedObject) => Promise<ManagedObject>

/** How each type of object is replaced: those that Re-key, Re-key Key Pair and Re-certify are for. */
const replacements: Partial<Record<ObjectTypeName, Replace>> = {
  async SymmetricKey(context, object) {
    const offset = object.attributes.first('RotateOffset')
    return (await replaceKey(context, object, handedOn(object), offset)).object
  },
  PrivateKey: async (context, object) =>
    rotatePair(context, object, {
      privateKey: object,
      publicKey: await otherHalf(context, object, 'PublicKeyLink'),
    }),
  PublicKey: async (context, object) =>
    rotatePair(context, object, {
      privateKey: await otherHalf(context, object, 'PrivateKeyLink'),
      publicKey: object,
    }),
  async Certificate(context, object) {
    const offset = object.attributes.first('RotateOffset')
    const request = () => Promise.resolve(undefined)
    const renewal = { given: handedOn(object), offset, request }
    return (await renewCertificate(context, object, renewal)).object
  },
}

/** A pair rotates as soon as one of its halves is due. */
async function rotatePair(
  context: LongMakingContext,
  { attributes }: ManagedObject,
  old: Halves<ManagedObject>,
): Promise<ManagedObject> {
  const given = {
    privateKey: handedOn(old.privateKey),
    publicKey: handedOn(old.publicKey),
  }
  const offset = attributes.first('RotateOffset')
  const made = await replacePair(context, old, () => Promise.resolve(given), offset)
  return made.privateKey.object
}

async function otherHalf(
  context: LongMakingContext,
  { id, attributes }: ManagedObject,
  type: 'PublicKeyLink' | 'PrivateKeyLink',
): Promise<ManagedObject> {
  const [link, ...more] = attributes.values('Link').filter(({ LinkType }) => LinkType === type)
  const other =
    link && (await visibleObject(context, identifierOf(link.LinkedObjectIdentifier, context)))
  const wanted = type === 'PublicKeyLink' ? 'PublicKey' : 'PrivateKey'
  if (other?.objectType === wanted && more.length === 0) return other
  throw new KmipError('PermissionDenied', `object ${id} is not linked to one other half`)
}

/** Takes the rotation off the old object; answers what the new one is to be given. */
function handedOn({ attributes }: ManagedObject): AttributeInstance[] {
  if (attributes.first('RotateAutomatic') !== true) return []
  attributes.set('RotateAutomatic', false)
  return [{ tag: 'RotateAutomatic', value: true }]
}

function isDue({ objectType, vitals, attributes }: ManagedObject, now: bigint): boolean {
  const interval = attributes.first('RotateInterval')
  const isTape = attributes
    .values('ApplicationSpecificInformation')
    .some(({ ApplicationNamespace }) => tapeNamespace(ApplicationNamespace) !== undefined)
  return (
    Object.hasOwn(replacements, objectType) &&
    attributes.first('RotateAutomatic') === true &&
    interval !== undefined &&
    interval > 0 &&
    vitals.InitialDate + BigInt(interval) <= now &&
    !isTape
  )
}

/** The server acts for the owner of the object. */
function contextFor(
  work: Work,
  { group, vitals }: ManagedObject,
  { facts, aside }: Acting,
): LongMakingContext {
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
    aside,
    secrets: [],
  }
}
