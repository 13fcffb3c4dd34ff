/**
 * Derive Key – KMIP 2.1 §6.1.14. A new key, or secret data, computed from objects that are here. It and they
 * are linked both ways. Before 2.0 whatever is wrong with the request is an Invalid Field (KMIP 1.4 §11.7).
 */
import { allowed } from '../../access/policy.ts'
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import { derive, type DerivationRequest } from '../../crypto/derivation.ts'
import { saveObject } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { computedItem, isComputedType, materialLength } from './computed-object.ts'
import { derivationOf, rolesOf } from './derivation-roles.ts'
import { completeUsage } from './given-attributes.ts'
import { asideWithKeys } from './aside-with-keys.ts'
import { keyInUse, type KeyInUse } from './key-in-use.ts'
import { keepObject, prepareObject } from './new-object.ts'
import { operation, type Context } from './operation.ts'
import { link } from './replacement.ts'

export const deriveKey = operation('DeriveKey', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const { ObjectType, Attributes = [] } = request
    if (!isComputedType(ObjectType)) {
      throw new KmipError('InvalidObjectType', `${ObjectType} is not derived`)
    }
    const refusal = allowed(context.principal, 'DeriveKey', { objectType: ObjectType })
    if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
    const bases = await basesOf(request, context)
    const prepared = await prepareObject(context, 'DeriveKey', ObjectType, Attributes)
    const { object, made } = prepared
    const length = materialLength(object)
    completeUsage(object, context.version)
    object.attributes.set('OriginalCreationDate', context.now)
    const bytes = derived(request, bases, length, context)
    for (const base of new Set(bases.map((used) => used.object))) {
      refuseMoreLinks(base, context)
      object.attributes.add(link('DerivationBaseObjectLink', base))
      base.attributes.add(link('DerivedKeyLink', object))
    }
    await keepObject(context, object, computedItem(object, bytes))
    for (const base of new Set(bases.map((used) => used.object))) {
      base.vitals.LastChangeDate = context.now
      await saveObject(context.work, base)
    }
    context.noted.details = { method: String(request.DerivationMethod), from: idsOf(bases) }
    return { UniqueIdentifier: object.id, ...(made.length > 0 && { Attributes: made }) }
  },
})

/** The objects to derive from, each once in memory however often it is named. */
async function basesOf(
  { UniqueIdentifier: names }: RequestPayload<'DeriveKey'>,
  context: Context,
): Promise<KeyInUse[]> {
  if (names.length > mostBases)
    throw new KmipError('InvalidField', `a key is derived from ${mostBases} objects at most`)
  const bases: KeyInUse[] = []
  for (const name of names)
    bases.push(await keyInUse(context, name, { use: 'DeriveKey', operation: 'DeriveKey' }))
  if (new Set(idsOf(bases)).size < bases.length)
    throw new KmipError('InvalidField', 'an object is named twice')
  return bases
}

/** No method takes more. */
const mostBases = 2

function idsOf(bases: readonly KeyInUse[]): string[] {
  return bases.map(({ object }) => object.id)
}

/** The derived bytes, made outside the act. They are wiped once the answer is encoded. */
function derived(
  request: RequestPayload<'DeriveKey'>,
  bases: readonly KeyInUse[],
  length: number,
  context: Context,
): Uint8Array {
  const roles = rolesOf(request, bases)
  const parameters =
    request.DerivationParameters.CryptographicParameters ?? bases[roles.key ?? 0]!.parameters
  const algorithm = roles.key === undefined ? undefined : bases[roles.key]!.algorithm
  const keys = bases.map(({ key }) => key)
  const secret = asideWithKeys(
    context,
    keys,
    'DeriveKey',
    (copies) => {
      const asked = derivationOf(request, roles, copies)
      const derive = () => deriveBytes({ ...asked, length, parameters, algorithm })
      if (request.DerivationMethod !== 'PBKDF2') return derive()
      return context.facts.longWork.run(context.principal.owner, derive)
    },
    (result) => [result],
  )
  return secret.bytes
}

async function deriveBytes(request: DerivationRequest) {
  try {
    return await derive(request)
  } catch (error) {
    if (!(error instanceof CryptoRefusal) || error.code !== 'unsupported') throw error
    throw new KmipError('UnsupportedCryptographicParameters', error.message, {
      before20: 'InvalidField',
      cause: error,
    })
  }
}

/** Each derived object is linked to from its base, and there are only so many links. */
function refuseMoreLinks({ id, attributes }: ManagedObject, { facts }: Context): void {
  if (attributes.of({ tag: 'Link' }).length < facts.maximumInstances) return
  const what = `object ${id} has as many links as it may have`
  throw new KmipError('ServerLimitExceeded', what)
}
