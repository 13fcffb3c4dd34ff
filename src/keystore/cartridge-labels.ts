/**
 * Labels of cartridges as libraries tell them in a key's attributes. A barcode is what a label says: it
 * is neither unique nor trusted, and nothing here decides which key a library gets.
 */
import type { VendorAttributeValue } from '../kmip/model/attribute-forms.ts'
import type { ManagedObject } from './managed-object.ts'
import type { IndexEntry } from './work.ts'

/** What a key's attributes tell about its cartridge. */
export interface Label {
  /** The label as the library read it. */
  barcode: string
  /** The label without media identifier: the volume serial. */
  volume: string
  mediumSerial?: string
  librarySerial?: string
}

/** Where a dialect keeps a fact: in an Alternative Name, or in a vendor attribute (1.x: `x-` custom attribute). */
interface DialectRow {
  dialect: string
  fact: 'barcode' | 'mediumSerial' | 'librarySerial'
  attribute: 'AlternativeName' | { vendor: string; name: string }
}

/** One row per place, most trusted first. The first two are those of the Tape Library Profile 1.0 §2.2. */
const dialects: readonly DialectRow[] = [
  { dialect: 'profile, KMIP 1.2 and later', fact: 'barcode', attribute: 'AlternativeName' },
  { dialect: 'profile', fact: 'barcode', attribute: { vendor: 'x', name: 'Barcode' } },
  {
    dialect: 'keyreel simulator',
    fact: 'mediumSerial',
    attribute: { vendor: 'x', name: 'MediumSerial' },
  },
  {
    dialect: 'keyreel simulator',
    fact: 'librarySerial',
    attribute: { vendor: 'x', name: 'LibrarySerial' },
  },
]

/** Labels that libraries read: Code 39, with some slack for vendors' own forms. */
const barcodeForm = /^[A-Z0-9 $+%./-]{1,32}$/u

/** Six characters of volume serial and two of media identifier (`KR0001L8`). */
const standardLabel = /^([A-Z0-9]{6})(?:L[1-9A]|L[T-Z]|M8|CU)$/u

/** The volume serial of a barcode: the label itself unless it ends in a media identifier. */
export function volumeOf(barcode: string): string {
  return standardLabel.exec(barcode)?.[1] ?? barcode
}

/** The label of a key's cartridge, or undefined when the key names none. */
export function labelOf({ attributes }: ManagedObject): Label | undefined {
  const facts: Partial<Record<DialectRow['fact'], string>> = {}
  for (const { fact, attribute } of dialects) {
    const found =
      attribute === 'AlternativeName'
        ? attributes.values('AlternativeName').at(-1)?.AlternativeNameValue
        : textOf(attributes.of({ tag: 'Attribute', ...attribute })[0]?.value)
    if (found !== undefined && facts[fact] === undefined) facts[fact] = found
  }
  const { barcode, ...others } = facts
  if (barcode === undefined || !barcodeForm.test(barcode)) return undefined
  return { barcode, volume: volumeOf(barcode), ...others }
}

function textOf(value: unknown): string | undefined {
  const { AttributeValue } = (value ?? {}) as Partial<VendorAttributeValue>
  return AttributeValue?.type === 'TextString' ? AttributeValue.value : undefined
}

/** Index entries by which a cartridge's keys are found. */
export function cartridgeEntries(object: ManagedObject): IndexEntry[] {
  const label = object.objectType === 'SymmetricKey' ? labelOf(object) : undefined
  if (label === undefined) return []
  return [
    { attribute: 'cartridge', value: label.barcode },
    { attribute: 'volume', value: label.volume },
  ]
}
