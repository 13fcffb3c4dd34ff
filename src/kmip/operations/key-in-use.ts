/**
 * The one place where a key is taken into cryptographic use – KMIP 2.1 §4.17, §4.40, §4.41, §4.57,
 * §4.59; KMIP 1.4 §3.19, §3.22. It is the client's, on-line, in a state and at a time that allow the
 * use, its Cryptographic Usage Mask has the bit, its Usage Limits have room; only then it is unsealed.
 */
import { groupPolicy } from '../../access/policy.ts'
import type { Algorithm, CryptographicParameters } from '../../crypto/parameters.ts'
import type { Secret } from '../../crypto/secret.ts'
import { materialOf, saveObject } from '../../keystore/keystore.ts'
import { stateOf } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import type { OperationName } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import type { ObjectName } from '../model/unique-identifier.ts'
import { NeedsAside, type Context } from './operation.ts'
import { subject } from './subject.ts'
import {
  algorithmOf,
  copyOf,
  usableKey,
  wipeCopy,
  type UsableKey,
  type UsableType,
} from './usable-key.ts'
import { allocate } from './usage-allocation.ts'

interface Use {
  /** The bit of the Cryptographic Usage Mask that allows it. */
  readonly bit: keyof typeof CryptographicUsageMask.bits
  /** It applies protection: Active keys only, until Protect Stop Date. Others process what is protected. */
  readonly protects: boolean
  readonly types: readonly UsableType[]
}

/** What a key can be used for, one row each. */
export const uses = {
  Encrypt: {
    bit: 'Encrypt',
    protects: true,
    types: ['SymmetricKey', 'PublicKey', 'Certificate'],
  },
  Decrypt: { bit: 'Decrypt', protects: false, types: ['SymmetricKey', 'PrivateKey'] },
  Sign: { bit: 'Sign', protects: true, types: ['PrivateKey'] },
  SignatureVerify: { bit: 'Verify', protects: false, types: ['PublicKey', 'Certificate'] },
  MAC: { bit: 'MACGenerate', protects: true, types: ['SymmetricKey', 'SecretData'] },
  MACVerify: { bit: 'MACVerify', protects: false, types: ['SymmetricKey', 'SecretData'] },
  DeriveKey: {
    bit: 'DeriveKey',
    protects: true,
    types: ['SymmetricKey', 'SecretData', 'PrivateKey', 'PublicKey'],
  },
  WrapKey: {
    bit: 'WrapKey',
    protects: true,
    types: ['SymmetricKey', 'PublicKey', 'Certificate'],
  },
  UnwrapKey: { bit: 'UnwrapKey', protects: false, types: ['SymmetricKey', 'PrivateKey'] },
} as const satisfies Record<string, Use>

export type UseName = keyof typeof uses

/** What is about to be protected: bytes, and things to be protected (all parts of a stream are one). */
export interface Amount {
  bytes: number
  objects: number
}

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
  await checkState(object, use, context)
  checkMask(object, use)
  const units = unitsOf(object, wanted.amount)
  allocate(object, units)
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

/**
 * `context.aside` for work with keys in use. What the act has unsealed is wiped when `aside` gives the act
 * up, so the work gets copies, which are wiped when it ends.
 */
export function asideWithKeys<T>(
  context: Context,
  keys: readonly UsableKey[],
  name: string,
  work: (copies: readonly UsableKey[]) => Promise<T>,
  secretsOf?: (result: T) => readonly Secret[],
): T {
  const copies = keys.map(copyOf)
  const wipe = () => copies.forEach(wipeCopy)
  let isAhead = false
  try {
    return context.aside(name, () => work(copies).finally(wipe), secretsOf)
  } catch (error) {
    isAhead = error instanceof NeedsAside
    throw error
  } finally {
    if (!isAhead) wipe()
  }
}

/** The amount in the unit that the object's Usage Limits count; none where there are no limits. */
function unitsOf({ attributes }: ManagedObject, amount: Amount | undefined): bigint {
  const limits = attributes.first('UsageLimits')
  if (limits === undefined || amount === undefined) return 0n
  return BigInt(limits.UsageLimitsUnit === 'Byte' ? amount.bytes : amount.objects)
}

function checkType({ id, objectType }: ManagedObject, { types }: Use, use: UseName): void {
  if (types.includes(objectType as UsableType)) return
  const before20 = use === 'DeriveKey' ? 'InvalidField' : 'PermissionDenied'
  throw new KmipError('InvalidObjectType', `object ${id}, ${objectType}, is not for ${use}`, {
    before20,
  })
}

/** State and dates. What is out of use still opens what it once protected, where the group allows it. */
async function checkState(object: ManagedObject, use: Use, context: Context): Promise<void> {
  const { now, noted, work } = context
  const { id, vitals, attributes, group } = object
  const refusal = (why: string) =>
    new KmipError('WrongKeyLifecycleState', `object ${id} is not to be used so: ${why}`)
  const state = stateOf(vitals, now)
  const start = attributes.first('ProcessStartDate')
  const stop = attributes.first('ProtectStopDate')
  if (state === 'PreActive' || state === 'Destroyed' || state === 'DestroyedCompromised')
    throw refusal(`it is ${state}`)
  if (use.protects) {
    if (state !== 'Active') throw refusal(`it is ${state}`)
    if (stop !== undefined && stop <= now) throw refusal('its Protect Stop Date is past')
    return
  }
  if (start !== undefined && start > now) throw refusal('its Process Start Date is not reached')
  if (state === 'Active') return
  if ((await groupPolicy(work, group)).retired === 'refuse')
    throw refusal(`it is ${state}, and the group allows no use of such keys`)
  noted.details = { state }
}

function checkMask({ id, attributes }: ManagedObject, { bit }: Use): void {
  const mask = attributes.first('CryptographicUsageMask') ?? 0
  if ((mask & CryptographicUsageMask.bits[bit]) !== 0) return
  const what = `the Cryptographic Usage Mask of object ${id} has no ${bit}`
  throw new KmipError('IncompatibleCryptographicUsageMask', what)
}

async function unsealed(object: ManagedObject, { work, secrets }: Context): Promise<UsableKey> {
  const secret = await materialOf(work, object)
  if (secret === undefined)
    throw new KmipError('KeyValueNotPresent', `the value of object ${object.id} is not here`)
  secrets.push(secret)
  return usableKey(object, secret.bytes)
}
