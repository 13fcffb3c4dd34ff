// Pages that say what a drive can do: supported pages, algorithms, key formats, management.
// Byte numbers are those of the page (SSC-4 section 8.5.2).

import {
  bits,
  flag,
  layout,
  named,
  PageError,
  uint,
  type Layout,
} from './security-protocol-fields.ts'
import { page, type Page } from './security-protocol-page.ts'

type Read<L> = L extends Layout<infer T> ? T : never

/** AES-256 in GCM with a 16-byte tag, as T10 numbers it. */
export const aes256Gcm = 0x00010014

const pageCodes = (code: number, name: string): Page<readonly number[]> =>
  page(
    code,
    name,
    (codes) => codes.map((each) => Uint8Array.of(each >> 8, each & 0xff)),
    (body) => {
      if (body.length % 2 !== 0) throw new PageError('length', `${name}: odd number of bytes`)
      const view = new DataView(body.buffer, body.byteOffset, body.length)
      return Array.from({ length: body.length / 2 }, (_, at) => view.getUint16(at * 2))
    },
  )

/** Codes of the pages that can be read. */
export const supportedInPages = pageCodes(0x0000, 'Tape Data Encryption In Support')

/** Codes of the pages that can be sent. */
export const supportedOutPages = pageCodes(0x0001, 'Tape Data Encryption Out Support')

const capabilities = layout('Data Encryption Capabilities', [4, 20], {
  /** EXTDECC: can something other than the host control encryption? */
  externalControl: named(4, 3, 2, { 'not-reported': 0, 'not-capable': 1, capable: 2 }),
  /** CFG_P: may the asking initiator configure encryption? */
  configuration: named(4, 1, 0, { 'not-reported': 0, allowed: 1, prevented: 2 }),
})

const ability = { none: 0, software: 1, hardware: 2, external: 3 } as const

const algorithmDescriptor = layout('encryption algorithm descriptor', [0, 24], {
  index: uint(0, 1),
  length: uint(2, 2),
  /** The algorithm is valid for the mounted volume. */
  avfmv: flag(4, 7),
  sdk_c: flag(4, 6),
  mac_c: flag(4, 5),
  delb_c: flag(4, 4),
  decrypt_c: named(4, 3, 2, ability),
  encrypt_c: named(4, 1, 0, ability),
  /** The algorithm is valid at the current position. */
  avfclp: named(5, 7, 6, { 'not-applicable': 0, 'not-valid': 1, valid: 2 }),
  nonce_c: bits(5, 5, 4),
  kadf_c: flag(5, 3),
  vcelb_c: flag(5, 2),
  ukadf: flag(5, 1),
  akadf: flag(5, 0),
  maximumUkad: uint(6, 2),
  maximumAkad: uint(8, 2),
  keySize: uint(10, 2),
  dkad_c: bits(12, 7, 6),
  eemc_c: bits(12, 5, 4),
  rdmc_c: bits(12, 3, 1),
  earem: flag(12, 0),
  maximumEedks: bits(13, 3, 0),
  msdk: uint(14, 2),
  maximumEedkSize: uint(16, 2),
  algorithm: uint(20, 4),
})

export type AlgorithmDescriptor = Read<typeof algorithmDescriptor>

export type Capabilities = Read<typeof capabilities> & {
  readonly algorithms: readonly AlgorithmDescriptor[]
}

/** What the drive can encrypt and who may tell it to. */
export const dataEncryptionCapabilities: Page<Capabilities> = page(
  0x0010,
  'Data Encryption Capabilities',
  (value) => [capabilities.write(value), ...value.algorithms.map(algorithmDescriptor.write)],
  (body) => {
    const head = capabilities.read(body)
    const rest = body.subarray(capabilities.size)
    const count = rest.length / algorithmDescriptor.size
    if (!Number.isInteger(count)) throw new PageError('length', 'algorithm descriptor cut short')
    const descriptor = (n: number) => rest.subarray(n * algorithmDescriptor.size)
    const algorithms = Array.from({ length: count }, (_, n) =>
      algorithmDescriptor.read(descriptor(n)),
    )
    return { ...head, algorithms }
  },
)

/** Key formats, one byte each; 00h is a plain key. */
export const supportedKeyFormats: Page<readonly number[]> = page(
  0x0011,
  'Supported Key Formats',
  (formats) => [Uint8Array.from(formats)],
  (body) => [...body],
)

const management = layout('Data Encryption Management Capabilities', [4, 16], {
  lock_c: flag(4, 0),
  ckod_c: flag(5, 2),
  ckorp_c: flag(5, 1),
  ckorl_c: flag(5, 0),
  aitn_c: flag(7, 2),
  local_c: flag(7, 1),
  public_c: flag(7, 0),
})

export type ManagementCapabilities = Read<typeof management>

/** Which of the scopes, locks and clearing rules of Set Data Encryption the drive obeys. */
export const managementCapabilities: Page<ManagementCapabilities> = page(
  0x0012,
  'Data Encryption Management Capabilities',
  (value) => [management.write(value)],
  (body) => {
    if (body.length === management.size) return management.read(body)
    throw new PageError('length', `management capabilities of ${body.length} bytes`)
  },
)
