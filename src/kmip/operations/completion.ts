/** What a client leaves to the server in an attribute's value is filled in before it is kept. */
import { randomBytes } from '../../crypto/primitives/random.ts'
import { toHex } from '../../crypto/primitives/hash.ts'
import { announcedNamespaces, comparableNamespace } from '../../keystore/namespaces.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import type { AttributeValueOf } from '../model/attributes.ts'
import { KmipError } from '../model/result.ts'
import type { ObjectName } from '../model/unique-identifier.ts'
import type { MakingContext } from './operation.ts'
import { identifierOf } from './subject.ts'

/** Bytes of the Application Data made here: what the shortest A-KAD field holds (LTO-4). */
const applicationDataBytes = 12

/**
 * The instance as it is to be kept; `held` is the value it takes the place of.
 * @throws KmipError for a value that neither client nor server completes
 */
export function completed(
  { tag, value }: AttributeInstance,
  context: MakingContext,
  held?: unknown,
): AttributeInstance {
  switch (tag) {
    case 'ApplicationSpecificInformation':
      return { tag, value: withData(value as AttributeValueOf<typeof tag>) }
    case 'UsageLimits':
      return { tag, value: unused(value as Limits, held as Limits | undefined) }
    case 'Link': {
      const link = value as { LinkedObjectIdentifier: ObjectName }
      const id = identifierOf(link.LinkedObjectIdentifier, context)
      return { tag, value: { ...link, LinkedObjectIdentifier: id } }
    }
    default:
      return { tag, value }
  }
}

type Information = AttributeValueOf<'ApplicationSpecificInformation'>

/** KMIP 2.1 §4.4: in the namespaces that Query names, the server makes data left out. */
function withData(information: Information): Information {
  const { ApplicationNamespace, ApplicationData } = information
  if (ApplicationData !== undefined) return information
  if (!announcedNamespaces.includes(comparableNamespace(ApplicationNamespace))) {
    throw new KmipError(
      'ApplicationNamespaceNotSupported',
      'Application Data is missing, and is not made for this namespace',
    )
  }
  const data = toHex(randomBytes(applicationDataBytes)).toUpperCase()
  return { ApplicationNamespace, ApplicationData: data }
}

type Limits = AttributeValueOf<'UsageLimits'>

/** KMIP 2.1 §4.59: clients say total and unit, or correct one of them; the count is the server's. */
function unused(given: Limits, held: Limits | undefined): Limits {
  const UsageLimitsTotal = given.UsageLimitsTotal ?? held?.UsageLimitsTotal
  const UsageLimitsUnit = given.UsageLimitsUnit ?? held?.UsageLimitsUnit
  if (UsageLimitsTotal === undefined || UsageLimitsUnit === undefined || UsageLimitsTotal < 0n)
    throw new KmipError('InvalidAttributeValue', 'Usage Limits needs a total and a unit')
  return { UsageLimitsTotal, UsageLimitsCount: UsageLimitsTotal, UsageLimitsUnit }
}
