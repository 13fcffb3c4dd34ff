/**
 * The one place where a key is taken into cryptographic use – KMIP 2.1 §4.17, §4.40, §4.41, §4.57,
 * §4.59; KMIP 1.4 §3.19, §3.22. It is the client's, on-line, in a state and at a time that allow the
 * use, its Cryptographic Usage Mask has the bit, its Usage Limits have room; only then it is unsealed.
 */
import type { Algorithm, CryptographicParameters } from '../../crypto/parameters.ts'
import { materialOf, saveObject } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import type { OperationName } from '../model/payloads/index.ts'
import { KmipError, type ResultReasonName } from '../model/result.ts'
import type { ObjectName } from '../model/unique-identifier.ts'
import { unsealedFields, type SealedType } from './key-material.ts'
import { checkReadiness } from './key-readiness.ts'
import { fieldsInClear } from './key-wrapping.ts'
import type { Context } from './operation.ts'
import { subject } from './subject.ts'
import { algorithmOf, usableKey, type UsableKey, type UsableType } from './usable-key.ts'
import { allocate, unitsOf, type Amount } from './usage-allocation.ts'

interface Use {
  /** The bit of the Cryptographic Usage Mask that allows it. */
  readonly bit: keyof typeof CryptographicUsageMask.bits
  /** It applies protection: Active keys only, until Protect Stop Date. Others process what is protected. */
  readonly protects: boolean
  readonly types: readonly UsableType[]
  /** Reason before 2.0 for an object that is not to be used so; Permission Denied when absent. */
  readonly before20?: ResultReasonName
  /** Reason when its Usage Limits are used up, where the text of the operation names one. */
  readonly exceeded?: ResultReasonName
}

/** What a key can be used for, one row each. */
export const uses = {
  Encrypt: {
    bit: 'Encrypt',
    protects: true,
    types: ['SymmetricKey', 'PublicKey', 'Certificate'],
    exceeded: 'PermissionDenied',
  },
  Decrypt: { bit: 'Decrypt', protects: false, types: ['SymmetricKey', 'PrivateKey'] },
  Sign: { bit: 'Sign', protects: true, types: ['PrivateKey'], exceeded: 'PermissionDenied' },
  SignatureVerify: { bit: 'Verify', protects: false, types: ['PublicKey', 'Certificate'] },
  MAC: { bit: 'MACGenerate', protects: true, types: ['SymmetricKey', 'SecretData'] },
  MACVerify: { bit: 'MACVerify', protects: false, types: ['SymmetricKey', 'SecretData'] },
  DeriveKey: {
    bit: 'DeriveKey',
    protects: true,
    types: ['SymmetricKey', 'SecretData', 'PrivateKey', 'PublicKey'],
    before20: 'InvalidField',
  },
} as const satisfies Record<string, Use>

export type UseName = keyof typeof uses

/** What is asked of a key. */
export interface Wanted {
  use: UseName
  /** The operation that asks; the client's profile must allow it. */
  operation: OperationName
  /** Cryptographic Parameters of the request: they take the place of the key's own. */
  parameters?: CryptographicParameters | undefined
  /** What is to be taken off the Usage Limits; nothing when absent. */
  amount?: Amount
}

/** A key ready to be computed with. */
export interface KeyInUse {
  readonly object: ManagedObject
  /** Cryptographic Algorithm of the object. */
  readonly algorithm: Algorithm | undefined
  /** Its unsealed bytes are wiped once the answer is encoded. */
  readonly key: UsableKey
  /** Those of the request, else the key's with the lowest index, else none. */
  readonly parameters: CryptographicParameters
  /**
   * Takes the amount off the Usage Limits, for good once the act is durable. To be called after the
   * computation has succeeded, and before the answer.
   */
  spend(): Promise<void>
}

/** Takes a key into use. Throws KmipError; for a key of a format without a reader, CryptoRefusal. */
export async function keyInUse(
  context: Context,
  name: ObjectName | undefined,
  wanted: Wanted,
): Promise<KeyInUse> {
  const { noted } = context
  const before = noted.object
  const object = await subject(context, name, wanted.operation)
  if (before !== undefined) noted.object = before
  const use: Use = uses[wanted.use]
  checkType(object, use, wanted.use)
  await checkReadiness(object, use.protects, context, reasonBefore20(use))
  checkMask(object, use)
  const units = unitsOf(object, wanted.amount)
  allocate(object, units, use.exceeded)
  const key = await unsealed(object, context)
  return {
    object,
    algorithm: algorithmOf(object),
    key,
    parameters: wanted.parameters ?? object.attributes.first('CryptographicParameters') ?? {},
    async spend() {
      if (units === 0n) return
      object.vitals.LastChangeDate = context.now
      await saveObject(context.work, object)
    },
  }
}

function checkType({ id, objectType }: ManagedObject, use: Use, name: UseName): void {
  if (use.types.includes(objectType as UsableType)) return
  const what = `object ${id}, ${objectType}, is not for ${name}`
  throw new KmipError('InvalidObjectType', what, { before20: reasonBefore20(use) })
}

function checkMask({ id, attributes }: ManagedObject, use: Use): void {
  const mask = attributes.first('CryptographicUsageMask') ?? 0
  if ((mask & CryptographicUsageMask.bits[use.bit]) !== 0) return
  const what = `the Cryptographic Usage Mask of object ${id} has no ${use.bit}`
  const before20 = reasonBefore20(use)
  throw new KmipError('IncompatibleCryptographicUsageMask', what, { before20 })
}

function reasonBefore20({ before20 = 'PermissionDenied' }: Use): ResultReasonName {
  return before20
}

/** A key that is kept wrapped is opened by its wrapping key, where that is here and may be used. */
async function unsealed(object: ManagedObject, context: Context): Promise<UsableKey> {
  const { work, secrets } = context
  const secret = await materialOf(work, object)
  if (secret === undefined)
    throw new KmipError('KeyValueNotPresent', `the value of object ${object.id} is not here`)
  secrets.push(secret)
  const fields = unsealedFields(object.objectType as SealedType, secret.bytes)
  return usableKey(object, await fieldsInClear(context, fields))
}
