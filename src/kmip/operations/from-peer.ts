/**
 * Keys between this server and a peer that is a client of ours: what a peer brings is for reading and
 * says where it came from; what a peer takes must be of a group that lets its keys go there.
 */
import { bodyOf, putBody } from '../../access/documents.ts'
import { nextEntry } from '../../access/exchange-entries.ts'
import { groupPolicy, mayExportTo } from '../../access/policy.ts'
import { isOrigin, origin, originAttributes } from '../../keystore/key-origin.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeInstance, VendorAttributeValue } from '../model/attribute-forms.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import type { Context } from './operation.ts'
import { isTransportKey } from './peer-withdrawals.ts'
import { identifierOf, visibleObject } from './subject.ts'

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

/** Whether the group lets its keys go to the peer that asks; else why not, in words fit for it. */
export async function mayTake({ principal, work }: Context): Promise<true | string> {
  const policy = await groupPolicy(work, principal.group)
  if (policy.approval === 'required')
    return `keys of group ${principal.group} leave only when a second person has approved: they are sent, not taken`
  if (mayExportTo(policy, principal.name)) return true
  return `group ${principal.group} does not export its keys to peer ${principal.name}`
}

/**
 * Refuses a peer's Export from a group that keeps its keys from it, or wants each release approved, and under any
 * other key than a transport key that the peer has brought itself.
 */
export async function checkExportTo(
  { KeyWrappingSpecification: specification }: RequestPayload<'Export'>,
  context: Context,
): Promise<void> {
  const { principal } = context
  if (principal.profile !== 'peer') return
  const answer = await mayTake(context)
  if (answer !== true) throw new KmipError('PermissionDenied', answer)
  const name = specification?.EncryptionKeyInformation?.UniqueIdentifier
  if (name === undefined) return
  const wrapping = await visibleObject(context, identifierOf(name, context))
  if (wrapping === undefined) return
  if (wrapping.vitals.Owner === principal.owner && isTransportKey(wrapping)) return
  throw new KmipError(
    'PermissionDenied',
    'a peer takes keys under a transport key that it has brought itself only',
  )
}

/** The entry of what a peer takes: its id is that of the transport key, and it grows with every key. */
export async function recordTaken(
  { id: key, group }: ManagedObject,
  { KeyWrappingSpecification: specification }: RequestPayload<'Export'>,
  context: Context,
): Promise<void> {
  const { principal, work, now } = context
  if (principal.profile !== 'peer') return
  const id = identifierOf(specification?.EncryptionKeyInformation?.UniqueIdentifier, context)
  const before = await bodyOf(work, 'exchange-export', id)
  if (before !== undefined && !(before.taken === true && before.peer === principal.name))
    throw new KmipError(
      'PermissionDenied',
      'the transport key has the identifier of an earlier export',
    )
  const entry = before === undefined ? await nextEntry(work) : before.entry
  await putBody(work, 'exchange-export', id, {
    peer: principal.name,
    recipient: principal.fingerprint,
    group,
    selection: 'key',
    started: before?.started ?? Number(now),
    ...(entry !== undefined && { entry }),
    keys: (before?.keys ?? 0) + 1,
    live: true,
    taken: true,
  })
  const actor = { name: principal.owner, kind: principal.kind }
  const record = { actor, group, outcome: 'Success' } as const
  const details = { peer: principal.name, export: id }
  work.audit({ ...record, operation: 'exchange export', object: key, details })
  const part = { peer: principal.name, keys: [key], leftOut: [] }
  work.audit({ ...record, operation: 'exchange export part', object: id, details: part })
}
