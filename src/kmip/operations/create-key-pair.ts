/** Create Key Pair – KMIP 1.4 §4.2, KMIP 2.1 §6.1.9. Two new keys that belong to each other. */
import { allowed } from '../../access/policy.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import type { OperationName } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { merged } from './given-attributes.ts'
import { assembled, checkStorage, wanted } from './new-object.ts'
import { keepPair, newPair } from './new-pair.ts'
import { withDefaults } from './object-defaults.ts'
import { operation, type MakingContext } from './operation.ts'

export const createKeyPair = operation('CreateKeyPair', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const { CommonAttributes = [], PrivateKeyAttributes = [], PublicKeyAttributes = [] } = request
    const refusal = allowed(context.principal, 'CreateKeyPair', { objectType: 'PrivateKey' })
    if (refusal !== true) throw new KmipError('PermissionDenied', refusal)
    const { CommonProtectionStorageMasks: common } = request
    checkStorage(request.PrivateProtectionStorageMasks ?? common, 'privateKey')
    checkStorage(request.PublicProtectionStorageMasks ?? common, 'publicKey')
    const given = wantedOfHalves(context, 'CreateKeyPair', CommonAttributes)
    const ofPrivate = await given('PrivateKey', PrivateKeyAttributes)
    const ofPublic = await given('PublicKey', PublicKeyAttributes)
    const pair = [...ofPrivate, ...ofPublic]
    const half = async (type: 'PrivateKey' | 'PublicKey', said: typeof ofPrivate) =>
      assembled(context, type, await withDefaults(context, 'CreateKeyPair', type, said, pair))
    const { object: privateKey, made: madeForPrivate } = await half('PrivateKey', ofPrivate)
    const { object: publicKey, made: madeForPublic } = await half('PublicKey', ofPublic)
    const items = await newPair(context, 'CreateKeyPair', { privateKey, publicKey })
    await keepPair(context, { privateKey, publicKey }, items)
    return {
      PrivateKeyUniqueIdentifier: privateKey.id,
      PublicKeyUniqueIdentifier: publicKey.id,
      ...(madeForPrivate.length > 0 && { PrivateKeyAttributes: madeForPrivate }),
      ...(madeForPublic.length > 0 && { PublicKeyAttributes: madeForPublic }),
    }
  },
})

/** The attributes of a half: its own win over common ones, those with several values are united. */
export function wantedOfHalves(
  context: MakingContext,
  name: OperationName,
  common: readonly AttributeInstance[],
) {
  return async (half: 'PrivateKey' | 'PublicKey', own: readonly AttributeInstance[]) => {
    const shared = await wanted(context, name, half, common)
    return merged(shared, await wanted(context, name, half, own))
  }
}
