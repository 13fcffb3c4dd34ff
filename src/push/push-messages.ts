/**
 * Notify and Put as they are sent – KMIP 2.1 §6.2.2, §6.2.3; KMIP 1.4 §5.1, §5.2. What they say is what the
 * client would be answered if it asked, in the version that is spoken: no attribute, no object and no key
 * leaves that Get and Get Attributes would refuse it.
 */
import { randomUuid } from '../crypto/primitives/random.ts'
import { decode, EncodeError, type Version } from 'ttlv-codec'
import { allowed } from '../access/policy.ts'
import type { Principal } from '../access/identity.ts'
import { loadObject } from '../keystore/keystore.ts'
import { instancesOf } from '../keystore/object-attributes.ts'
import type { Work } from '../keystore/work.ts'
import { encodeRequest, type BatchItem } from '../kmip/client/batch.ts'
import {
  attributeText,
  shown,
  type AttributeInstance,
  type AttributeReference,
} from '../kmip/model/attribute-forms.ts'
import { inVersion, type AttributeValueOf } from '../kmip/model/attributes.ts'
import { RequestMessage, type ResponseBatchItem } from '../kmip/model/messages.ts'
import { tagNumber } from '../kmip/model/tags.ts'
import { version20 } from '../kmip/model/versions.ts'
import { runBatch, type Engine } from '../kmip/operations/batch.ts'
import { itemsOf } from '../kmip/operations/items.ts'
import { objectTypesIn, sayable } from '../kmip/operations/sayable.ts'
import type { Waiting } from './push-queue.ts'

/** A message on its way; `wipe` clears it, key and all. */
export interface Outgoing {
  readonly item: BatchItem
  readonly bytes: Uint8Array
  wipe(): void
}

/** For whom a message is made, and in which version. */
export interface Destination {
  readonly principal: Principal
  readonly version: Version
}

/** The Notify of what has changed; undefined when the client may not, or cannot, be told of the object. */
export async function notifyMessage(
  work: Work,
  { object: id, changed }: Waiting,
  { principal, version }: Destination,
): Promise<Outgoing | undefined> {
  const object = await loadObject(work, principal.group, id)
  if (object === undefined || !objectTypesIn(version).has(object.objectType)) return undefined
  const { objectType, vitals } = object
  const about = { objectType, owner: vitals.Owner }
  if (allowed(principal, 'GetAttributes', about) !== true) return undefined
  const held = (reference: AttributeReference) => instancesOf(object, reference, work.now)
  const told: AttributeReference[] = [{ tag: 'LastChangeDate' }, ...changed]
  const present = sayable(told.flatMap(held), objectType, version).map(shown)
  const gone = changed.filter((one) => held(one).length === 0 && isSayable(one, version))
  const payload =
    version < version20
      ? { UniqueIdentifier: id, Attributes: [...present, ...gone.map(withoutValue)] }
      : { UniqueIdentifier: id, Attributes: present, AttributeReference: gone }
  return encoded({ operation: 'Notify', payload }, version)
}

/**
 * The Put of a new object, in an act that records its release; undefined when the client may not have it as
 * it is: it is gone, sensitive, archived or of a type or form that the version does not have.
 */
export async function putMessage(
  engine: Engine,
  { object: id, put }: Waiting,
  { principal, version }: Destination,
): Promise<Outgoing | undefined> {
  const asked: BatchItem[] = [
    { operation: 'Get', payload: { UniqueIdentifier: id } },
    { operation: 'GetAttributes', payload: { UniqueIdentifier: id } },
  ]
  const decoding = { version }
  const request = decode(
    RequestMessage,
    tagNumber('RequestMessage'),
    encodeRequest(asked, version),
    decoding,
  )
  const { answers, secrets } = await runBatch(engine, {
    version,
    principal: { ...principal, owner: 'keyreel', kind: 'server' },
    items: itemsOf(request, decoding).items,
    continuation: 'Stop',
    unauthenticated: undefined,
    room: undefined,
    decoding,
    correlation: randomUuid(),
    alongside: (work, _items, done) => {
      if (done[0]?.ResultStatus === 'Success') recordRelease(work, id, principal)
      return Promise.resolve()
    },
  })
  try {
    const [got, described] = answers.map(payloadOf)
    if (got === undefined || described === undefined) return undefined
    const objectType = String(got.ObjectType)
    if (objectType === 'Template') return undefined
    const Attributes = described.Attributes as AttributeInstance[]
    const ReplacedUniqueIdentifier = put === 'in-place' ? id : replacedBy(Attributes)
    const payload = {
      UniqueIdentifier: id,
      PutFunction: ReplacedUniqueIdentifier === undefined ? 'New' : 'Replace',
      ...(ReplacedUniqueIdentifier !== undefined && { ReplacedUniqueIdentifier }),
      [objectType]: got[objectType],
      Attributes,
    }
    return encoded({ operation: 'Put', payload } as BatchItem, version)
  } finally {
    for (const secret of secrets) secret.wipe()
  }
}

function recordRelease(work: Work, object: string, { name, group }: Principal): void {
  work.audit({
    actor: { name: 'keyreel', kind: 'server' },
    operation: 'library put',
    object,
    group,
    outcome: 'Success',
    details: { library: name },
  })
}

function payloadOf({ ResultStatus, ResponsePayload }: ResponseBatchItem) {
  return ResultStatus === 'Success' ? (ResponsePayload as Record<string, unknown>) : undefined
}

/** The object whose place this one has taken: it came of Re-key, Re-certify and the like. */
function replacedBy(attributes: readonly AttributeInstance[]): string | undefined {
  const link = attributes
    .filter(({ tag }) => tag === 'Link')
    .map(({ value }) => value as AttributeValueOf<'Link'>)
    .find(({ LinkType }) => LinkType === 'ReplacedObjectLink')
  const id = link?.LinkedObjectIdentifier
  return typeof id === 'string' ? id : undefined
}

/** Whether the version has a name for an attribute that is not there any more. */
function isSayable(reference: AttributeReference, version: Version): boolean {
  if (reference.tag !== 'Attribute') return inVersion(reference.tag, version)
  return version >= version20 || attributeText(reference) !== undefined
}

/** Before 2.0 an attribute that was deleted is one without a value (KMIP 1.4 §5.1). */
function withoutValue({ tag, vendor, name }: AttributeReference): AttributeInstance {
  return tag === 'Attribute'
    ? { tag, value: { VendorIdentification: vendor, AttributeName: name } }
    : { tag, value: undefined }
}

/** The message; undefined when the version has no words for it. */
function encoded(item: BatchItem, version: Version): Outgoing | undefined {
  try {
    const bytes = encodeRequest([item], version)
    return { item, bytes, wipe: () => bytes.fill(0) }
  } catch (error) {
    if (error instanceof EncodeError && error.code === 'newer-than-version') return undefined
    throw error
  }
}
