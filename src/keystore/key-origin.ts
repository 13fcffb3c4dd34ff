// Where a key came from that another site made: vendor attributes of ours that stay with it.
import type { AttributeInstance, VendorAttributeValue } from '../kmip/model/attribute-forms.ts'
import type { ManagedObject } from './managed-object.ts'

/** Vendor and names of the attributes. */
export const origin = {
  vendor: 'y',
  peer: 'ExchangePeer',
  identifier: 'ExchangeIdentifier',
  date: 'ExchangeDate',
} as const

const names: ReadonlySet<unknown> = new Set([origin.peer, origin.identifier, origin.date])

/** The peer, the export, and when it came; seconds since 1970. */
export interface KeyOrigin {
  readonly peer: string
  readonly exportId: string
  readonly date: bigint
}

/** Whether an attribute tells where a key came from. */
export function isOrigin({ tag, value }: AttributeInstance): boolean {
  if (tag !== 'Attribute') return false
  const { VendorIdentification, AttributeName } = value as VendorAttributeValue
  return VendorIdentification === origin.vendor && names.has(AttributeName)
}

/** The attributes that say it. */
export function originAttributes({ peer, exportId, date }: KeyOrigin): AttributeInstance[] {
  return [
    vendorAttribute(origin.peer, { type: 'TextString', value: peer }),
    vendorAttribute(origin.identifier, { type: 'TextString', value: exportId }),
    vendorAttribute(origin.date, { type: 'DateTime', value: date }),
  ]
}

/** Where a key came from; undefined for keys made here. */
export function originOf({ attributes }: ManagedObject): KeyOrigin | undefined {
  const valueOf = (name: string) => {
    const [found] = attributes.of({ tag: 'Attribute', vendor: origin.vendor, name })
    return (found?.value as VendorAttributeValue | undefined)?.AttributeValue.value
  }
  const [peer, exportId] = [valueOf(origin.peer), valueOf(origin.identifier)]
  const date = valueOf(origin.date)
  const isWhole =
    typeof peer === 'string' && typeof exportId === 'string' && typeof date === 'bigint'
  return isWhole ? { peer, exportId, date } : undefined
}

function vendorAttribute(
  AttributeName: string,
  AttributeValue: VendorAttributeValue['AttributeValue'],
): AttributeInstance {
  const value = { VendorIdentification: origin.vendor, AttributeName, AttributeValue }
  return { tag: 'Attribute', value }
}
