// How tape libraries differ towards a key server, one row each. Modelled on the Tape Library Profile
// 1.0 and on what public documents say of libraries' firmware; no row claims to be one product.

import { version, type VersionText } from 'ttlv-codec'

import type { BarcodeReporting } from './barcode.ts'
import { SimulatorError } from './errors.ts'

/** What a library tells of a key besides what finds it: vendor attributes, `x-` in KMIP 1.x. */
export type VendorFact =
  | 'ID'
  | 'VendorAttribute1'
  | 'VendorAttribute2'
  | 'VendorAttribute3'
  | 'MediumSerial'
  | 'LibrarySerial'

/** One way in which firmware talks to key servers. */
export interface Dialect {
  readonly name: string
  readonly summary: string
  readonly version: VersionText
  /**
   * `batch`: Create and Get, Locate and Get in one message, the Unique Identifier left to the ID
   * Placeholder. `single`: every operation a message of its own, with the Unique Identifier.
   */
  readonly messages: 'batch' | 'single'
  /** Most items in one message; waiting drives share a message where it is more than 2. */
  readonly itemsPerMessage: number
  /** What a key is found by: Application Data in this namespace, or its Name where there is none. */
  readonly namespace: string | undefined
  /** Length of the random identifiers; 12 bytes fit the A-KAD of LTO-4. */
  readonly identifierBytes: number
  readonly letters: 'upper' | 'lower'
  /** Fills the A-KAD with zeros up to what the medium holds (against the profile). */
  readonly padsAkad: boolean
  readonly barcodeIn: readonly ('AlternativeName' | 'x-Barcode')[]
  readonly barcodeReporting: BarcodeReporting
  readonly vendorFacts: readonly VendorFact[]
  /** Sends a user name and a password with every request. */
  readonly credential: boolean
  /** Sends a Client Correlation Value (KMIP 1.4 and later). */
  readonly correlates: boolean
  readonly connection: 'kept' | 'per-request'
  /** Longest time for one server, to connect and again to answer, in milliseconds. */
  readonly patience: number
  /** Seconds between two Queries that only ask whether the server is there. */
  readonly heartbeat: number | undefined
  /** How far the library's clock is ahead, in seconds. */
  readonly clockAhead: number
  readonly drives: number
}

const profileFacts = ['ID', 'VendorAttribute1', 'VendorAttribute2', 'VendorAttribute3'] as const
const hasAlternativeName = (text: VersionText) => version(text) >= version('1.2')

const usual = {
  messages: 'batch',
  itemsPerMessage: 2,
  namespace: 'LIBRARY-LTO',
  identifierBytes: 12,
  letters: 'upper',
  padsAkad: false,
  barcodeIn: ['x-Barcode'],
  barcodeReporting: 8,
  vendorFacts: profileFacts,
  credential: false,
  correlates: false,
  connection: 'kept',
  patience: 20_000,
  heartbeat: undefined,
  clockAhead: 0,
  drives: 3,
} as const satisfies Partial<Dialect>

/** The Tape Library Profile to the letter, in any version. */
export const strictDialect = (text: VersionText): Dialect => ({
  ...usual,
  name: `strict ${text}`,
  summary: `the Tape Library Profile to the letter, KMIP ${text}`,
  version: text,
  identifierBytes: 32,
  barcodeIn: hasAlternativeName(text) ? ['AlternativeName', 'x-Barcode'] : ['x-Barcode'],
})

/** The personalities, by name. */
export const dialects: Readonly<Record<string, Dialect>> = byName([
  { ...strictDialect('1.0'), name: 'P-strict10', identifierBytes: 12 },
  { ...strictDialect('1.2'), name: 'P-strict12' },
  {
    ...strictDialect('1.4'),
    name: 'P-strict14',
    vendorFacts: [...profileFacts, 'MediumSerial', 'LibrarySerial'],
  },
  {
    ...strictDialect('2.1'),
    name: 'P-strict21',
    summary: 'the Tape Library Profile to the letter, KMIP 2.1, with correlation values',
    vendorFacts: [...profileFacts, 'MediumSerial', 'LibrarySerial'],
    correlates: true,
  },
  {
    ...usual,
    name: 'P-single',
    summary: 'every operation a message and a connection of its own, KMIP 1.1',
    version: '1.1',
    messages: 'single',
    connection: 'per-request',
  },
  {
    ...usual,
    name: 'P-name',
    summary: 'no Application Specific Information: keys are found by Name, KMIP 1.0',
    version: '1.0',
    namespace: undefined,
  },
  {
    ...usual,
    name: 'P-userpass',
    summary: 'a user name and a password beside the certificate, KMIP 1.2',
    version: '1.2',
    barcodeIn: ['AlternativeName'],
    credential: true,
  },
  {
    ...usual,
    name: 'P-vendor-ns',
    summary: "a vendor's namespace, ACME-LIBRARY-LTO, KMIP 1.1",
    version: '1.1',
    namespace: 'ACME-LIBRARY-LTO',
  },
  {
    ...usual,
    name: 'P-heartbeat',
    summary: 'Query every minute on a kept connection, little patience, KMIP 1.3',
    version: '1.3',
    barcodeIn: ['AlternativeName'],
    vendorFacts: ['MediumSerial', 'LibrarySerial'],
    patience: 3_000,
    heartbeat: 60,
  },
  {
    ...usual,
    name: 'P-many',
    summary: 'eight drives whose requests share messages of up to 32 items, KMIP 1.4',
    version: '1.4',
    itemsPerMessage: 32,
    identifierBytes: 32,
    barcodeIn: ['AlternativeName'],
    vendorFacts: ['MediumSerial', 'LibrarySerial'],
    drives: 8,
  },
  {
    ...usual,
    name: 'P-sloppy',
    summary: 'lower-case identifiers, padded A-KAD, six-character barcodes, clock a day off',
    version: '1.2',
    letters: 'lower',
    padsAkad: true,
    barcodeIn: ['AlternativeName', 'x-Barcode'],
    barcodeReporting: 6,
    clockAhead: 86_400,
  },
])

/** The personality of that name; throws SimulatorError 'personality' when there is none. */
export function dialectNamed(name: string): Dialect {
  const dialect = Object.hasOwn(dialects, name) ? dialects[name] : undefined
  if (dialect !== undefined) return dialect
  throw new SimulatorError('personality', `there is no personality ${JSON.stringify(name)}`)
}

function byName(rows: readonly Dialect[]): Record<string, Dialect> {
  return Object.fromEntries(rows.map((row) => [row.name, row]))
}
