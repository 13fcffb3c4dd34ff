/**
 * Re-key Key Pair – KMIP 1.4 §4.5, KMIP 2.1 §6.1.47. A new pair in the place of an old one: each half takes
 * over what the old half had, and both pairs stay linked within and with each other.
 */
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import { KmipError } from '../model/result.ts'
import { wantedOfHalves } from './create-key-pair.ts'
import { checkStorage, refuseUnkeepable, type Prepared } from './new-object.ts'
import { newPair, type Halves } from './new-pair.ts'
import { operation, type Context, type LongMakingContext, type MakingContext } from './operation.ts'
import { checkReplaceable, keepReplacement, link, replacementOf } from './replacement.ts'
import { subject } from './subject.ts'

export const reKeyKeyPair = operation('ReKeyKeyPair', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const { CommonAttributes = [], PrivateKeyAttributes = [], PublicKeyAttributes = [] } = request
    const { Offset, CommonProtectionStorageMasks: common } = request
    checkStorage(request.PrivateProtectionStorageMasks ?? common, 'privateKey')
    checkStorage(request.PublicProtectionStorageMasks ?? common, 'publicKey')
    const oldPrivate = await subject(context, request.PrivateKeyUniqueIdentifier, 'ReKeyKeyPair')
    const oldPublic = await publicHalf(oldPrivate, context)
    const given = wantedOfHalves(context, 'ReKeyKeyPair', CommonAttributes)
    const old = { privateKey: oldPrivate, publicKey: oldPublic }
    const attributes = async () => ({
      privateKey: await given('PrivateKey', PrivateKeyAttributes),
      publicKey: await given('PublicKey', PublicKeyAttributes),
    })
    const { privateKey, publicKey } = await replacePair(context, old, attributes, Offset)
    return {
      PrivateKeyUniqueIdentifier: privateKey.object.id,
      PublicKeyUniqueIdentifier: publicKey.object.id,
      ...(privateKey.made.length > 0 && { PrivateKeyAttributes: privateKey.made }),
      ...(publicKey.made.length > 0 && { PublicKeyAttributes: publicKey.made }),
    }
  },
})

/** Makes and keeps the new pair; asks for the attributes it is given once the old one may be replaced. */
export async function replacePair(
  context: LongMakingContext,
  old: Halves<ManagedObject>,
  given: () => Promise<Halves<AttributeInstance[]>>,
  offset: number | undefined,
): Promise<Halves<Prepared>> {
  checkReplaceable(old.privateKey)
  checkReplaceable(old.publicKey)
  const wanted = await given()
  const privateKey = replacementOf(context, old.privateKey, wanted.privateKey, offset)
  const publicKey = replacementOf(context, old.publicKey, wanted.publicKey, offset)
  const pair = { privateKey: privateKey.object, publicKey: publicKey.object }
  const items = await newPair(context, 'ReKeyKeyPair', pair)
  await keep(context, old, pair, items)
  return { privateKey, publicKey }
}

/** The public key of the pair, by its Link. */
async function publicHalf(privateKey: ManagedObject, context: Context): Promise<ManagedObject> {
  const { id, objectType, attributes } = privateKey
  if (objectType !== 'PrivateKey') {
    throw new KmipError('InvalidObjectType', 'Re-key Key Pair replaces private and public keys', {
      before20: 'PermissionDenied',
    })
  }
  const links = attributes.values('Link').filter(({ LinkType }) => LinkType === 'PublicKeyLink')
  const [other, ...more] = links.map(({ LinkedObjectIdentifier }) => LinkedObjectIdentifier)
  if (other === undefined || more.length > 0)
    throw new KmipError('PermissionDenied', `private key ${id} has no public key of its own`)
  const publicKey = await subject(context, other, 'ReKeyKeyPair')
  context.noted.object = id
  if (publicKey.objectType === 'PublicKey') return publicKey
  throw new KmipError('PermissionDenied', `private key ${id} has no public key of its own`)
}

async function keep(
  context: MakingContext,
  old: Halves<ManagedObject>,
  { privateKey, publicKey }: Halves<ManagedObject>,
  items: Halves<Uint8Array>,
): Promise<void> {
  try {
    await refuseUnkeepable(context, [privateKey, publicKey], [old.privateKey, old.publicKey])
    privateKey.attributes.add(link('PublicKeyLink', publicKey))
    publicKey.attributes.add(link('PrivateKeyLink', privateKey))
    await keepReplacement(context, old.publicKey, publicKey, items.publicKey)
    await keepReplacement(context, old.privateKey, privateKey, items.privateKey)
  } finally {
    items.privateKey.fill(0)
  }
  context.noted.details = { replaced: old.privateKey.id, publicKey: publicKey.id }
}
