// What a library says of a new key, and by what it looks for one: the attributes of the published
// TL-M-2 and TL-M-3 cases, in the order printed there, as far as a dialect sends them.

import type { AttributeInstance } from '../src/kmip/model/attribute-forms.ts'
import { CryptographicUsageMask } from '../src/kmip/model/masks.ts'
import type { Dialect, VendorFact } from './dialects.ts'

/** What the library knows when it asks for a key. */
export interface KeyFacts {
  /** The KAD as text (identifiers.ts). */
  readonly identifier: string
  /** As the library reports it; undefined where the label could not be read. */
  readonly barcode: string | undefined
  readonly mediumSerial: string
  readonly librarySerial: string
  /** By the library's clock, in seconds since 1970. */
  readonly time: bigint
}

type VendorValue =
  | { readonly type: 'TextString'; readonly value: string }
  | { readonly type: 'Integer'; readonly value: number }
  | { readonly type: 'DateTime'; readonly value: bigint }

const vendorValues: Record<VendorFact, (facts: KeyFacts) => VendorValue> = {
  ID: (facts) => text(`KR-${facts.librarySerial}`),
  VendorAttribute1: (facts) => text(`library ${facts.librarySerial}`),
  VendorAttribute2: () => ({ type: 'Integer', value: 0 }),
  VendorAttribute3: (facts) => ({ type: 'DateTime', value: facts.time }),
  MediumSerial: (facts) => text(facts.mediumSerial),
  LibrarySerial: (facts) => text(facts.librarySerial),
}

const encryptAndDecrypt = CryptographicUsageMask.bits.Encrypt | CryptographicUsageMask.bits.Decrypt

/** The attributes of Create: a 256-bit AES key for this cartridge. */
export function newKeyAttributes(dialect: Dialect, facts: KeyFacts): AttributeInstance[] {
  const { barcode, identifier } = facts
  const [first, ...others] = dialect.vendorFacts
  const vendorFact = (name: VendorFact) => vendor(name, vendorValues[name](facts))
  const told = (where: Dialect['barcodeIn'][number], attribute: AttributeInstance) =>
    dialect.barcodeIn.includes(where) ? [attribute] : []
  const barcodeAttributes =
    barcode === undefined
      ? { alternativeName: [], custom: [] }
      : {
          alternativeName: told('AlternativeName', {
            tag: 'AlternativeName',
            value: { AlternativeNameValue: barcode, AlternativeNameType: uninterpreted },
          }),
          custom: told('x-Barcode', vendor('Barcode', text(barcode))),
        }
  return [
    ...(first === undefined ? [] : [vendorFact(first)]),
    ...barcodeAttributes.alternativeName,
    name(dialect.namespace === undefined ? identifier : keyName(barcode, identifier)),
    { tag: 'CryptographicAlgorithm', value: 'AES' },
    { tag: 'CryptographicLength', value: 256 },
    { tag: 'CryptographicUsageMask', value: encryptAndDecrypt },
    ...applicationInformation(dialect, identifier),
    ...barcodeAttributes.custom,
    ...others.map(vendorFact),
  ]
}

/** What Locate asks for: the identifier alone, never the barcode (profile, section 2.3). */
export function keyFilter(dialect: Dialect, identifier: string): AttributeInstance[] {
  const found =
    dialect.namespace === undefined
      ? [name(identifier)]
      : applicationInformation(dialect, identifier)
  return [{ tag: 'ObjectType', value: 'SymmetricKey' }, ...found]
}

/** A name for people; 29 characters with an eight-character label, as in the published cases. */
const keyName = (barcode: string | undefined, identifier: string): string =>
  `${barcode ?? 'NOLABEL'}-${identifier.slice(0, 20)}`

const uninterpreted = 'UninterpretedTextString'

const name = (value: string): AttributeInstance => ({
  tag: 'Name',
  value: { NameValue: value, NameType: uninterpreted },
})

const applicationInformation = (dialect: Dialect, identifier: string): AttributeInstance[] =>
  dialect.namespace === undefined
    ? []
    : [
        {
          tag: 'ApplicationSpecificInformation',
          value: { ApplicationNamespace: dialect.namespace, ApplicationData: identifier },
        },
      ]

/** A vendor attribute of vendor `x`: `x-NAME` in KMIP 1.x. */
export const vendor = (attribute: string, value: VendorValue): AttributeInstance => ({
  tag: 'Attribute',
  value: { VendorIdentification: 'x', AttributeName: attribute, AttributeValue: value },
})

const text = (value: string): VendorValue => ({ type: 'TextString', value })
