/** What Encrypt and Decrypt share – KMIP 2.1 §6.1.11, §6.1.17: a cipher over data at once or in parts. */
import { groupPolicy } from '../../access/policy.ts'
import { heldLimit, openCipher } from '../../crypto/ciphers.ts'
import type { Context } from './operation.ts'
import type { KeyInUse } from './key-in-use.ts'
import type { Computation, PartRequest } from './parts.ts'
import type { UsableKey } from './usable-key.ts'
import { KmipError } from '../model/result.ts'

/** The fields of both requests that the cipher needs. */
export interface CipherFields extends PartRequest {
  IVCounterNonce?: Uint8Array | undefined
  AuthenticatedEncryptionAdditionalData?: Uint8Array | undefined
  AuthenticatedEncryptionTag?: Uint8Array | undefined
}

/** What comes out. Data is left out of a part that gives none. */
export interface CipherResult {
  Data?: Uint8Array
  IVCounterNonce?: Uint8Array
  AuthenticatedEncryptionTag?: Uint8Array
}

/** Begins a cipher with the key in use, or its copy. IV, additional data and tag are those of the first request. */
export function openCiphering(
  direction: 'encrypt' | 'decrypt',
  { algorithm, parameters }: KeyInUse,
  key: UsableKey,
  { IVCounterNonce, ...first }: CipherFields,
  isWhole: boolean,
): Computation<CipherFields, CipherResult> {
  const cipher = openCipher(
    direction,
    {
      key: key.kind === 'octets' ? key.bytes : halfFor(key),
      algorithm: key.kind === 'octets' ? algorithm : key.half.algorithm,
      parameters,
      iv: IVCounterNonce,
      additionalData: first.AuthenticatedEncryptionAdditionalData,
      tag: first.AuthenticatedEncryptionTag,
    },
    isWhole ? Infinity : heldLimit,
  )
  let made = cipher.iv
  const fieldsOf = (data: Uint8Array, tag?: Uint8Array): CipherResult => {
    const fields = {
      ...((isWhole || data.length > 0) && { Data: data }),
      ...(made !== undefined && { IVCounterNonce: made }),
      ...(tag !== undefined && { AuthenticatedEncryptionTag: tag }),
    }
    made = undefined
    return fields
  }
  return {
    update: ({ Data }) => fieldsOf(Data === undefined ? nothing : cipher.update(Data)),
    final({ Data }) {
      const { data, tag } = cipher.final(Data)
      return fieldsOf(data, tag)
    },
    close: () => cipher.close(),
  }
}

const nothing = new Uint8Array(0)

function halfFor(key: Exclude<UsableKey, { kind: 'octets' }>) {
  return key.kind === 'private' ? key.half.privateKey : key.half.publicKey
}

/** Equal blocks stay equal under ECB: a group may forbid it to Encrypt. */
export async function refuseMode(
  { parameters, object }: KeyInUse,
  { work }: Context,
): Promise<void> {
  if (parameters.BlockCipherMode !== 'ECB') return
  if ((await groupPolicy(work, object.group)).ecb === 'allow') return
  throw new KmipError('PermissionDenied', `group ${object.group} allows no encryption with ECB`)
}
