/** Usage Limits of an object: what may still be protected with it – KMIP 2.1 §4.59, §6.1.23. */
import { stateOf } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import { KmipError, type ResultReasonName } from '../model/result.ts'

const { bits } = CryptographicUsageMask

/** Uses that apply protection; the others process what is protected, and are not limited. */
export const protectingUses = [
  bits.Sign,
  bits.Encrypt,
  bits.WrapKey,
  bits.MACGenerate,
  bits.DeriveKey,
  bits.ContentCommitment,
  bits.KeyAgreement,
  bits.CertificateSign,
  bits.CRLSign,
  bits.GenerateCryptogram,
  bits.TranslateEncrypt,
  bits.TranslateWrap,
  bits.Authenticate,
  bits.Unrestricted,
  bits.FPEEncrypt,
].reduce((all, bit) => all | bit, 0)

/** Whether the object may ever apply protection, by its usage mask. */
export function appliesProtection({ attributes }: ManagedObject): boolean {
  return ((attributes.first('CryptographicUsageMask') ?? 0) & protectingUses) !== 0
}

/** Whether protection is enabled at `now`: the object is Active, and its Protect Stop Date not reached. */
export function isProtecting({ vitals, attributes }: ManagedObject, now: bigint): boolean {
  const stop = attributes.first('ProtectStopDate')
  return stateOf(vitals, now) === 'Active' && (stop === undefined || now < stop)
}

/** What is about to be protected: bytes, and things to be protected (all parts of a stream are one). */
export interface Amount {
  bytes: number
  objects: number
}

/** The amount in the unit that the object's Usage Limits count; none where there are no limits. */
export function unitsOf({ attributes }: ManagedObject, amount: Amount | undefined): bigint {
  const limits = attributes.first('UsageLimits')
  if (limits === undefined || amount === undefined) return 0n
  return BigInt(limits.UsageLimitsUnit === 'Byte' ? amount.bytes : amount.objects)
}

/**
 * Takes `count` units off what is left; the caller saves the object. An object without Usage Limits is
 * used without limit.
 * @throws KmipError when less is left, with that reason
 */
export function allocate(
  { id, attributes }: ManagedObject,
  count: bigint,
  reason: ResultReasonName = 'UsageLimitExceeded',
): void {
  const limits = attributes.first('UsageLimits')
  if (limits === undefined) return
  const left = limits.UsageLimitsCount ?? 0n
  if (count > left) throw new KmipError(reason, `object ${id} has ${left} of its Usage Limits left`)
  attributes.set('UsageLimits', { ...limits, UsageLimitsCount: left - count })
}
