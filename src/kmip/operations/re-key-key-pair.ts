/**
 * Re-key Key Pair – KMIP 1.4 §4.5, KMIP 2.1 §6.1.47. A new pair in the place of an old one: each half takes
 * over what the old half had, and both pairs stay linked within and with each other.
 */
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { KmipError } from '../model/result.ts'
import { wantedOfHalves } from './create-key-pair.ts'
import { checkStorage, refuseUnkeepable } from './new-object.ts'
import { newPair, type Halves } from './new-pair.ts'
import { operation, type Context } from './operation.ts'
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
    checkReplaceable(oldPrivate)
    checkReplaceable(oldPublic)
    const given = wantedOfHalves(context, 'ReKeyKeyPair', CommonAttributes)
    const ofPrivate = await given('PrivateKey', PrivateKeyAttributes)
    const ofPublic = await given('PublicKey', PublicKeyAttributes)
    const forPrivate = replacementOf(context, oldPrivate, ofPrivate, Offset)
    const forPublic = replacementOf(context, oldPublic, ofPublic, Offset)
    const pair = { privateKey: forPrivate.object, publicKey: forPublic.object }
    const items = await newPair(context, 'ReKeyKeyPair', pair)
    await keep(context, { privateKey: oldPrivate, publicKey: oldPublic }, pair, items)
    return {
      PrivateKeyUniqueIdentifier: pair.privateKey.id,
      PublicKeyUniqueIdentifier: pair.publicKey.id,
      ...(forPrivate.made.length > 0 && { PrivateKeyAttributes: forPrivate.made }),
      ...(forPublic.made.length > 0 && { PublicKeyAttributes: forPublic.made }),
    }
  },
})

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
  context: Context,
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
