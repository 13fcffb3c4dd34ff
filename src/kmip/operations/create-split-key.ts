/**
 * Create Split Key – KMIP 2.1 §6.1.10, §13.1. The parts of a key that is here, or of a new one that is not
 * kept. What the key says of itself takes precedence over the request.
 */
import { allowed } from '../../access/policy.ts'
import { randomBytes } from '../../crypto/primitives/random.ts'
import { splitKey, type SplitKeyPart } from '../../crypto/split-keys.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { closeAs, materialLength } from './computed-object.ts'
import { asideWithKeys } from './aside-with-keys.ts'
import { sealedItem } from './key-material.ts'
import { checkStorage, keepObject, prepareObject } from './new-object.ts'
import { setDigest } from './object-facts.ts'
import { operation, type Context } from './operation.ts'
import { splittable, type Splittable } from './split-material.ts'

type Request = RequestPayload<'CreateSplitKey'>

export const createSplitKey = operation('CreateSplitKey', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const { ObjectType, ProtectionStorageMasks } = request
    if (ObjectType !== 'SplitKey')
      throw new KmipError(
        'InvalidObjectType',
        `Create Split Key makes Split Keys, not ${ObjectType}`,
      )
    const refusal = allowed(context.principal, 'CreateSplitKey', { objectType: ObjectType })
    if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
    checkStorage(ProtectionStorageMasks)
    refuseScheme(request)
    const { parts: made, primeFieldSize } = await split(request, context)
    const ids: string[] = []
    for (const { object, part, format } of made) {
      await keepObject(context, object, partItem(object, request, part, format, primeFieldSize))
      ids.push(object.id)
    }
    const [first] = ids
    context.noted.object = first!
    context.noted.details = { parts: ids }
    context.batch.placeholder = first
    return { ObjectType: 'SplitKey', UniqueIdentifier: ids }
  },
})

/** Refused before a single object is made of the request; src/crypto refuses the rest. */
function refuseScheme(request: Request): void {
  const { SplitKeyParts: parts, SplitKeyThreshold: threshold, SplitKeyMethod: method } = request
  if (typeof method === 'number') {
    const what = `Split Key Method ${method} is not supported`
    throw new KmipError('UnsupportedCryptographicParameters', what, { before20: 'InvalidField' })
  }
  if (parts >= 2 && parts <= mostParts && threshold >= 2 && threshold <= parts) return
  const what = `2 to ${mostParts} parts, and a threshold from 2 to their number`
  throw new KmipError('BadCryptographicParameters', what, { before20: 'InvalidField' })
}

/** Each part is an object of the answer and of the act. */
const mostParts = 255

interface MadePart {
  object: ManagedObject
  part: SplitKeyPart
  format: Splittable['format']
}

/** Splits the key of the request, or a new one; the parts are objects that are not kept yet. */
async function split(
  request: Request,
  context: Context,
): Promise<{ parts: MadePart[]; primeFieldSize: bigint | undefined }> {
  const source = await sourceOf(request, context)
  const given = request.Attributes ?? []
  const objects: ManagedObject[] = []
  for (let count = 0; count < request.SplitKeyParts; count++) {
    const { object } = await prepareObject(context, 'CreateSplitKey', 'SplitKey', given)
    if (object.attributes.values('Name').length > 0) {
      throw new KmipError('NonUniqueNameAttribute', 'several parts cannot have one Name', {
        before20: 'InvalidField',
      })
    }
    object.attributes.set('OriginalCreationDate', context.now)
    objects.push(object)
  }
  const key = source ?? newKey(objects[0]!)
  for (const object of objects) describe(object, key)
  const scheme = {
    method: request.SplitKeyMethod,
    parts: request.SplitKeyParts,
    threshold: request.SplitKeyThreshold,
    primeFieldSize: request.PrimeFieldSize,
  }
  const { parts, primeFieldSize } = asideWithKeys(
    context,
    [{ kind: 'octets', bytes: key.bytes }],
    'CreateSplitKey',
    async ([copy]) => splitKey(copy!.kind === 'octets' ? copy!.bytes : key.bytes, scheme),
    (made) => made.parts.map(({ material }) => material),
  )
  const made = parts.map((part, at) => ({ object: objects[at]!, part, format: key.format }))
  return { parts: made, primeFieldSize }
}

async function sourceOf(request: Request, context: Context): Promise<Splittable | undefined> {
  if (request.UniqueIdentifier === undefined) return undefined
  return splittable(context, request.UniqueIdentifier)
}

/** A key as the attributes describe it, to be split at once. */
function newKey(object: ManagedObject): Splittable {
  const described = materialLength(object)
  return { objects: [], attributes: [], format: 'Raw', bytes: randomBytes(described) }
}

function describe(object: ManagedObject, { objects, attributes }: Splittable): void {
  for (const { tag, value } of attributes) {
    object.attributes.clear(tag as Exclude<AttributeInstance['tag'], 'Attribute' | 'Template'>)
    object.attributes.add({ tag, value })
  }
  closeAs(object, objects)
}

function partItem(
  object: ManagedObject,
  request: Request,
  { identifier, material }: SplitKeyPart,
  format: Splittable['format'],
  primeFieldSize: bigint | undefined,
): Uint8Array {
  const { attributes, vitals } = object
  vitals.KeyFormatType = format
  setDigest(object, material.bytes, format)
  return sealedItem('SplitKey', {
    SplitKeyParts: request.SplitKeyParts,
    KeyPartIdentifier: identifier,
    SplitKeyThreshold: request.SplitKeyThreshold,
    SplitKeyMethod: request.SplitKeyMethod,
    PrimeFieldSize: primeFieldSize,
    KeyBlock: {
      KeyFormatType: format,
      KeyValue: {
        type: 'Structure',
        value: { KeyMaterial: material.bytes, Attributes: undefined },
      },
      CryptographicAlgorithm: attributes.first('CryptographicAlgorithm'),
      CryptographicLength: attributes.first('CryptographicLength'),
    },
  })
}
