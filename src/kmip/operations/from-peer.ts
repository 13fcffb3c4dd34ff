/**
 * Keys between this server and a peer that is a client of ours: what a peer brings is for reading and
 * says where it came from; what a peer takes must be of a group that lets its keys go there.
 */
import { groupPolicy, mayExportTo } from '../../access/policy.ts'
import { isOrigin, origin, originAttributes } from '../../keystore/key-origin.ts'
import type { AttributeInstance, VendorAttributeValue } from '../model/attribute-forms.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import { KmipError } from '../model/result.ts'
import type { Context } from './operation.ts'

const { bits } = CryptographicUsageMask

/** Uses that would make something new with a key of another site. */
const writing = bits.Sign | bits.Encrypt | bits.MACGenerate | bits.DeriveKey

/** The attributes of an Import as they are kept: of a peer's key, without writing and with its origin. */
export function importedFrom(
  given: readonly AttributeInstance[],
  { principal, now }: Pick<Context, 'principal' | 'now'>,
): readonly AttributeInstance[] {
  if (principal.profile !== 'peer') return given
  const exportId = toldIdentifier(given) ?? 'unnamed'
  return [
    ...given.filter((one) => !isOrigin(one)).map(forReading),
    ...originAttributes({ peer: principal.name, exportId, date: now }),
  ]
}

function forReading(instance: AttributeInstance): AttributeInstance {
  if (instance.tag !== 'CryptographicUsageMask') return instance
  return { ...instance, value: (instance.value as number) & ~writing }
}

function toldIdentifier(given: readonly AttributeInstance[]): string | undefined {
  const told = given
    .filter(({ tag }) => tag === 'Attribute')
    .map(({ value }) => value as VendorAttributeValue)
    .find(
      ({ VendorIdentification, AttributeName }) =>
        VendorIdentification === origin.vendor && AttributeName === origin.identifier,
    )
  const value = told?.AttributeValue.value
  return typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value) ? value : undefined
}

/** Refuses a peer's Export from a group that keeps its keys from it, or wants each release approved. */
export async function checkExportTo({ principal, work }: Context): Promise<void> {
  if (principal.profile !== 'peer') return
  const policy = await groupPolicy(work, principal.group)
  if (policy.approval === 'required')
    throw new KmipError(
      'PermissionDenied',
      `keys of group ${principal.group} leave only when a second person has approved: they are sent, not taken`,
    )
  if (mayExportTo(policy, principal.name)) return
  throw new KmipError(
    'PermissionDenied',
    `group ${principal.group} does not export its keys to peer ${principal.name}`,
  )
}
