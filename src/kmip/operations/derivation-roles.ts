/**
 * Which object is what in a derivation – KMIP 2.1 §6.1.14, §7.12. Derivation Data stands in the request or is
 * a Secret Data object, never both.
 */
import type { DerivationRequest } from '../../crypto/derivation.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import type { KeyInUse } from './key-in-use.ts'
import type { UsableKey } from './usable-key.ts'

/** Positions among the objects named. */
export interface Roles {
  key: number | undefined
  data: number | undefined
  privateKey: number | undefined
  publicKey: number | undefined
}

const none: Roles = { key: undefined, data: undefined, privateKey: undefined, publicKey: undefined }

/** Methods that take the key or password alone as what they compute on. */
const ofKeyAlone: readonly unknown[] = ['PBKDF2', 'HASH']

/** Gives each object its part. Throws KmipError when they do not fit the method. */
export function rolesOf(
  { DerivationMethod: method, DerivationParameters }: RequestPayload<'DeriveKey'>,
  bases: readonly KeyInUse[],
): Roles {
  const at = (type: string) => {
    const position = bases.findIndex(({ object }) => object.objectType === type)
    return position === -1 ? undefined : position
  }
  const [privateKey, publicKey] = [at('PrivateKey'), at('PublicKey')]
  if (method === 'AsymmetricKey') {
    if (bases.length === 2 && privateKey !== undefined && publicKey !== undefined)
      return { ...none, privateKey, publicKey }
    throw wrongObjects('a private and a public key agree on a secret')
  }
  if (privateKey !== undefined || publicKey !== undefined)
    throw wrongObjects(`${method} derives from symmetric keys and secret data`)
  const key = at('SymmetricKey') ?? 0
  if (bases.length === 1) {
    if (ofKeyAlone.includes(method) && DerivationParameters.DerivationData.length > 0)
      throw ambiguous()
    return { ...none, key }
  }
  const data = 1 - key
  if (bases[data]!.object.objectType !== 'SecretData' || ofKeyAlone.includes(method))
    throw wrongObjects(`${method} takes no second object of this type`)
  if (DerivationParameters.DerivationData.length > 0) throw ambiguous()
  return { ...none, key, data }
}

/** What src/crypto is asked, with the keys in their parts. */
export function derivationOf(
  { DerivationMethod: method, DerivationParameters }: RequestPayload<'DeriveKey'>,
  { key, data, privateKey, publicKey }: Roles,
  keys: readonly UsableKey[],
): Pick<DerivationRequest, 'method' | 'data' | 'salt' | 'iterations' | 'iv'> &
  Partial<DerivationRequest> {
  const { DerivationData, Salt, IterationCount, InitializationVector } = DerivationParameters
  const octets = (at: number | undefined) => {
    const found = at === undefined ? undefined : keys[at]!
    return found?.kind === 'octets' ? found.bytes : undefined
  }
  const [mine, theirs] = [keys[privateKey ?? -1], keys[publicKey ?? -1]]
  const implicit = octets(data)
  const given = DerivationData.length > 0 ? DerivationData : undefined
  return {
    method,
    key: octets(key),
    data: implicit === undefined ? given : [implicit],
    salt: Salt,
    iterations: IterationCount,
    iv: InitializationVector,
    privateKey: mine?.kind === 'private' ? mine.half.privateKey : undefined,
    publicKey: theirs?.kind === 'public' ? theirs.half.publicKey : undefined,
  }
}

function wrongObjects(what: string): KmipError {
  return new KmipError('InvalidObjectType', what, { before20: 'InvalidField' })
}

/** KMIP 1.4 §11.7 has a reason for this one. */
function ambiguous(): KmipError {
  return new KmipError('InvalidMessage', 'Derivation Data is given, and an object in its place')
}
