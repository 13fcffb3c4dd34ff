// Pages that set and report a drive's encryption parameters.
// Byte numbers are those of the page (SSC-4 sections 8.5.2 and 8.5.3).

import {
  bits,
  flag,
  layout,
  named,
  PageError,
  uint,
  type Layout,
} from './security-protocol-fields.ts'
import {
  decodeKads,
  encodeKads,
  page,
  pageWithKads,
  type KadDescriptor,
  type Page,
} from './security-protocol-page.ts'

type Read<L> = L extends Layout<infer T> ? T : never

const encryptionModes = { off: 0, external: 1, encrypt: 2 } as const
const decryptionModes = { off: 0, raw: 1, decrypt: 2, mixed: 3 } as const
const kadFormats = { unspecified: 0, binary: 1, ascii: 2 } as const
const scopes = { public: 0, local: 1, 'all-nexus': 2 } as const
const modeChecks = { vendor: 0, none: 1, external: 2, encrypt: 3 } as const

export type EncryptionMode = keyof typeof encryptionModes
export type DecryptionMode = keyof typeof decryptionModes
export type KadFormat = keyof typeof kadFormats

const setting = layout('Set Data Encryption', [4, 20], {
  scope: named(4, 7, 5, scopes),
  lock: flag(4, 0),
  /** CEEM: on reading, demand that blocks were written in this mode. */
  modeCheck: named(5, 7, 6, modeChecks),
  /** RDMC: may blocks written with this key be read in raw mode? */
  rawRead: named(5, 5, 4, { default: 0, allowed: 2, forbidden: 3 }),
  sdk: flag(5, 3),
  /** Clear the key on demount. */
  ckod: flag(5, 2),
  ckorp: flag(5, 1),
  ckorl: flag(5, 0),
  encryptionMode: named(6, 7, 0, encryptionModes),
  decryptionMode: named(7, 7, 0, decryptionModes),
  algorithmIndex: uint(8, 1),
  keyFormat: uint(9, 1),
  kadFormat: named(10, 7, 0, kadFormats),
  keyLength: uint(18, 2),
})

export type SetDataEncryption = Omit<Read<typeof setting>, 'keyLength'> & {
  /** Empty when none is sent; a view of the page's bytes. */
  readonly key: Uint8Array
  readonly kads: readonly KadDescriptor[]
}

/** The one page with which keys enter a drive. */
export const setDataEncryption: Page<SetDataEncryption> = page(
  0x0010,
  'Set Data Encryption',
  (value) => [
    setting.write({ ...value, keyLength: value.key.length }),
    value.key,
    ...encodeKads(value.kads),
  ],
  (body) => {
    const { keyLength, ...fields } = setting.read(body)
    const end = setting.size + keyLength
    if (end > body.length) {
      throw new PageError('length', `key of ${keyLength} bytes exceeds the page`)
    }
    const kads = decodeKads(body.subarray(end))
    return { ...fields, key: body.subarray(setting.size, end), kads }
  },
)

/** Set Data Encryption with everything off: what a drive knows after power-on. */
export const encryptionOff: SetDataEncryption = {
  scope: 'all-nexus',
  lock: false,
  modeCheck: 'none',
  rawRead: 'default',
  sdk: false,
  ckod: false,
  ckorp: false,
  ckorl: false,
  encryptionMode: 'off',
  decryptionMode: 'off',
  algorithmIndex: 1,
  keyFormat: 0,
  kadFormat: 'unspecified',
  key: new Uint8Array(),
  kads: [],
}

/** Data Encryption Status: the parameters in force, without the key. */
export const dataEncryptionStatus = pageWithKads(
  0x0020,
  'Data Encryption Status',
  layout('Data Encryption Status', [4, 24], {
    nexusScope: named(4, 7, 5, scopes),
    keyScope: named(4, 2, 0, scopes),
    encryptionMode: named(5, 7, 0, encryptionModes),
    decryptionMode: named(6, 7, 0, decryptionModes),
    algorithmIndex: uint(7, 1),
    keyInstanceCounter: uint(8, 4),
    /** Who set the parameters: host software, or the library over the management interface. */
    parametersControl: named(12, 6, 4, {
      'not-reported': 0,
      software: 1,
      drive: 2,
      changer: 3,
      management: 4,
    }),
    /** VCELB: the volume contains encrypted blocks. */
    vcelb: flag(12, 3),
    modeCheck: named(12, 2, 1, modeChecks),
    /** RDMD: blocks now written will not be readable raw. */
    rdmd: flag(12, 0),
    kadFormat: named(13, 7, 0, kadFormats),
    asdkCount: uint(14, 2),
  }),
)

/** Next Block Encryption Status: what reading at this position would meet. */
export const nextBlockEncryptionStatus = pageWithKads(
  0x0021,
  'Next Block Encryption Status',
  layout('Next Block Encryption Status', [4, 16], {
    objectNumber: uint(4, 8),
    compression: bits(12, 7, 4),
    encryption: named(12, 3, 0, {
      'cannot-tell': 0,
      'not-now': 1,
      'not-a-block': 2,
      clear: 3,
      'unsupported-algorithm': 4,
      decryptable: 5,
      'key-missing-or-wrong': 6,
    }),
    algorithmIndex: uint(13, 1),
    /** EMES: written in external mode. */
    emes: flag(14, 1),
    /** RDMDS: may not be read raw. */
    rdmds: flag(14, 0),
    kadFormat: named(15, 7, 0, kadFormats),
  }),
)

export type DataEncryptionStatus = ReturnType<typeof dataEncryptionStatus.decode>
export type NextBlockEncryptionStatus = ReturnType<typeof nextBlockEncryptionStatus.decode>

/** 32 random bytes. */
export const randomNumber: Page<Uint8Array> = page(
  0x0030,
  'Random Number',
  (bytes) => [exactly(32, bytes)],
  (body) => exactly(32, body),
)

const publicKeyHead = layout('Device Server Key Wrapping Public Key', [4, 14], {
  type: uint(4, 4),
  format: uint(8, 4),
  length: uint(12, 2),
})

export type WrappingPublicKey = Omit<Read<typeof publicKeyHead>, 'length'> & {
  readonly key: Uint8Array
}

/** The public key for wrapped keys. The simulated drive takes plain keys and does not offer it. */
export const wrappingPublicKey: Page<WrappingPublicKey> = page(
  0x0031,
  'Device Server Key Wrapping Public Key',
  (value) => [publicKeyHead.write({ ...value, length: value.key.length }), value.key],
  (body) => {
    const { length, ...fields } = publicKeyHead.read(body)
    return { ...fields, key: exactly(length, body.subarray(publicKeyHead.size)) }
  },
)

function exactly(length: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length === length) return bytes
  throw new PageError('length', `${bytes.length} bytes, expected ${length}`)
}
