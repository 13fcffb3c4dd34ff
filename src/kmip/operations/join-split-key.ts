/**
 * Join Split Key – KMIP 2.1 §6.1.27, §13.1. A key from as many of its parts as the threshold says. Parts that
 * are too few, or do not belong together, are a Cryptographic Failure and no more (KMIP 1.4 §11.40).
 */
import { allowed } from '../../access/policy.ts'
import { cryptographicFailure } from '../../crypto/crypto-refusal.ts'
import { Secret } from '../../crypto/secret.ts'
import { joinSplitKey as joined } from '../../crypto/split-keys.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { KmipError } from '../model/result.ts'
import { closeAs, computedItem, isComputedType, materialLength } from './computed-object.ts'
import { completeUsage } from './given-attributes.ts'
import { asideWithKeys } from './aside-with-keys.ts'
import { checkStorage, keepObject, prepareObject } from './new-object.ts'
import { operation } from './operation.ts'
import { keptPart, type KeptPart } from './split-material.ts'
import type { UsableKey } from './usable-key.ts'

export const joinSplitKey = operation('JoinSplitKey', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const { ObjectType, Attributes = [], SecretDataType, ProtectionStorageMasks } = request
    if (!isComputedType(ObjectType))
      throw new KmipError('InvalidObjectType', `parts are not joined to ${ObjectType}`)
    const refusal = allowed(context.principal, 'JoinSplitKey', { objectType: ObjectType })
    if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
    checkStorage(ProtectionStorageMasks)
    if (request.UniqueIdentifier.length > mostParts) throw cryptographicFailure()
    const parts: KeptPart[] = []
    for (const name of request.UniqueIdentifier) parts.push(await keptPart(context, name))
    refuseStrangers(parts)
    const { object, made } = await prepareObject(context, 'JoinSplitKey', ObjectType, Attributes)
    completeFrom(object, parts)
    completeUsage(object, context.version)
    const length = materialLength(object)
    const secret = asideWithKeys(
      context,
      parts.map(({ bytes }): UsableKey => ({ kind: 'octets', bytes })),
      'JoinSplitKey',
      (copies) => Promise.resolve(copies).then((keys) => join(parts, keys, length)),
      (result) => [result],
    )
    if (secret.length !== length) {
      const what = `the parts make ${secret.length} bytes, not ${length}`
      throw new KmipError('InvalidAttributeValue', what)
    }
    await keepObject(context, object, computedItem(object, secret.bytes, SecretDataType))
    context.noted.details = { parts: parts.map((part) => part.object.id) }
    return {
      ObjectType: object.objectType,
      UniqueIdentifier: object.id,
      ...(made.length > 0 && { Attributes: made }),
    }
  },
})

/** A split has no more. */
const mostParts = 255

/** Parts of different splits, or fewer than the threshold. */
function refuseStrangers(parts: readonly KeptPart[]): void {
  const [{ fields: first }] = parts as [KeptPart]
  const areOfOne = parts.every(
    ({ fields }) =>
      fields.SplitKeyParts === first.SplitKeyParts &&
      fields.SplitKeyThreshold === first.SplitKeyThreshold &&
      fields.SplitKeyMethod === first.SplitKeyMethod &&
      fields.PrimeFieldSize === first.PrimeFieldSize,
  )
  if (!areOfOne || parts.length < first.SplitKeyThreshold) throw cryptographicFailure()
}

/** What the client leaves out is as the parts say; the key is closed as they are. */
function completeFrom(object: ManagedObject, parts: readonly KeptPart[]): void {
  const objects = parts.map((part) => part.object)
  const completed = [
    'CryptographicAlgorithm',
    'CryptographicLength',
    'CryptographicUsageMask',
  ] as const
  for (const tag of completed) {
    const value = objects[0]!.attributes.first(tag)
    if (value !== undefined && object.attributes.first(tag) === undefined)
      object.attributes.add({ tag, value })
  }
  closeAs(object, objects)
}

/** Throws CryptoRefusal. */
function join(parts: readonly KeptPart[], keys: readonly UsableKey[], length: number): Secret {
  const [{ fields }] = parts as [KeptPart]
  const given = parts.map(({ fields: { KeyPartIdentifier: identifier } }, at) => {
    const key = keys[at]!
    const bytes = key.kind === 'octets' ? key.bytes : new Uint8Array(0)
    return { identifier, material: new Secret(bytes) }
  })
  return joined(given, {
    method: fields.SplitKeyMethod,
    parts: fields.SplitKeyParts,
    threshold: fields.SplitKeyThreshold,
    primeFieldSize: fields.PrimeFieldSize,
    length,
  })
}
