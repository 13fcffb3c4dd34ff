import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  dataEncryptionCapabilities,
  managementCapabilities,
  supportedInPages,
  supportedKeyFormats,
  supportedOutPages,
} from '../../simulator/security-protocol-capabilities.ts'
import { descriptorsOf, type Page } from '../../simulator/security-protocol-page.ts'
import {
  dataEncryptionStatus,
  encryptionOff,
  nextBlockEncryptionStatus,
  randomNumber,
  setDataEncryption,
  wrappingPublicKey,
  type SetDataEncryption,
} from '../../simulator/security-protocol-pages.ts'
import {
  decodeCommand,
  emptyCertificate,
  encodeCommand,
  encodeProtocolList,
} from '../../simulator/security-protocol.ts'
import { hex, kadOfText, keyNumber } from './fixtures.ts'

const key = hex('00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff')
const name = kadOfText('KR0001L8-001', '')

/** Set Data Encryption, as hosts are known to send it. */
const settings: [string, string, Partial<SetDataEncryption>][] = [
  ['everything off', '0010 0010 40 40 00 00 01 00 00 00000000000000 0000', {}],
  [
    'a key without a name',
    `0010 0030 40 40 02 02 01 00 00 00000000000000 0020 ${key.toHex()}`,
    { encryptionMode: 'encrypt', decryptionMode: 'decrypt', key },
  ],
  [
    'raw reading allowed, cleared on demount, binary KAD',
    `0010 0030 40 64 02 02 01 00 01 00000000000000 0020 ${key.toHex()}`,
    {
      encryptionMode: 'encrypt',
      decryptionMode: 'decrypt',
      rawRead: 'allowed',
      ckod: true,
      kadFormat: 'binary',
      key,
    },
  ],
  [
    'a 12-byte U-KAD of text',
    `0010 0040 40 40 02 02 01 00 02 00000000000000 0020 ${key.toHex()}
     00 00 000c 4b523030 30314c38 2d303031`,
    {
      encryptionMode: 'encrypt',
      decryptionMode: 'decrypt',
      kadFormat: 'ascii',
      key,
      kads: descriptorsOf(name),
    },
  ],
]

/** A page's bytes and what they mean, checked in both directions. */
const vector = <T>(title: string, bytes: string, page: Page<T>, value: T) => ({
  title,
  value,
  code: page.code,
  good: hex(bytes),
  encode: () => page.encode(value),
  decode: (other: Uint8Array): unknown => page.decode(other),
})

/** Every other page. Those "of a device" have the field values public traces of devices show. */
const vectors = [
  vector(
    'pages that can be read',
    '0000 0008 0000 0001 0010 0020',
    supportedInPages,
    [0, 1, 0x10, 0x20],
  ),
  vector('pages that can be sent', '0001 0002 0010', supportedOutPages, [0x10]),
  vector('key formats', '0011 0001 00', supportedKeyFormats, [0]),
  vector(
    'management capabilities',
    '0012 000c 01 07 00 07 0000000000000000',
    managementCapabilities,
    {
      lock_c: true,
      ckod_c: true,
      ckorp_c: true,
      ckorl_c: true,
      aitn_c: true,
      local_c: true,
      public_c: true,
    },
  ),
  vector(
    'capabilities of a device, LTO-5 or later',
    `0010 0028 09 000000000000000000000000000000
     01 00 0014 8a 8c 0020 003c 0020 ed 00 0000 0000 0000 00010014`,
    dataEncryptionCapabilities,
    {
      externalControl: 'capable',
      configuration: 'allowed',
      algorithms: [
        {
          index: 1,
          length: 20,
          avfmv: true,
          sdk_c: false,
          mac_c: false,
          delb_c: false,
          decrypt_c: 'hardware',
          encrypt_c: 'hardware',
          avfclp: 'valid',
          nonce_c: 0,
          kadf_c: true,
          vcelb_c: true,
          ukadf: false,
          akadf: false,
          maximumUkad: 32,
          maximumAkad: 60,
          keySize: 32,
          dkad_c: 3,
          eemc_c: 2,
          rdmc_c: 6,
          earem: true,
          maximumEedks: 0,
          msdk: 0,
          maximumEedkSize: 0,
          algorithm: 0x00010014,
        },
      ],
    },
  ),
  vector(
    'a status of a device, with a U-KAD',
    `0020 0024 42 02 02 01 00000001 18 00 0000 0000000000000000
     00 01 000c 4b523030 30314c38 2d303031`,
    dataEncryptionStatus,
    {
      nexusScope: 'all-nexus',
      keyScope: 'all-nexus',
      encryptionMode: 'encrypt',
      decryptionMode: 'decrypt',
      algorithmIndex: 1,
      keyInstanceCounter: 1,
      parametersControl: 'software',
      vcelb: true,
      modeCheck: 'vendor',
      rdmd: false,
      kadFormat: 'unspecified',
      asdkCount: 0,
      kads: descriptorsOf(name, 'not-covered'),
    },
  ),
  vector(
    'a status managed by the library, clear volume',
    '0020 0014 00 00 00 01 00000100 43 00 0000 0000000000000000',
    dataEncryptionStatus,
    {
      nexusScope: 'public',
      keyScope: 'public',
      encryptionMode: 'off',
      decryptionMode: 'off',
      algorithmIndex: 1,
      keyInstanceCounter: 256,
      parametersControl: 'management',
      vcelb: false,
      modeCheck: 'none',
      rdmd: true,
      kadFormat: 'unspecified',
      asdkCount: 0,
      kads: [],
    },
  ),
  vector(
    'a next block of a device, decryptable',
    `0021 001c 0000000000000001 05 01 00 00
     00 01 000c 4b523030 30314c38 2d303031`,
    nextBlockEncryptionStatus,
    {
      objectNumber: 1,
      compression: 0,
      encryption: 'decryptable',
      algorithmIndex: 1,
      emes: false,
      rdmds: false,
      kadFormat: 'unspecified',
      kads: descriptorsOf(name, 'not-covered'),
    },
  ),
  vector(
    'a next block without its key, external and not to be read raw',
    '0021 0012 0001000000000002 06 01 03 01 01 03 0002 abcd',
    nextBlockEncryptionStatus,
    {
      objectNumber: 2 ** 48 + 2,
      compression: 0,
      encryption: 'key-missing-or-wrong',
      algorithmIndex: 1,
      emes: true,
      rdmds: true,
      kadFormat: 'binary',
      kads: [{ type: 'A-KAD', authenticated: 'verified', bytes: hex('abcd') }],
    },
  ),
  vector('a random number', `0030 0020 ${'5a'.repeat(32)}`, randomNumber, keyNumber(0x5a)),
  vector('a public key', '0031 000d 00000001 00000002 0003 010203', wrappingPublicKey, {
    type: 1,
    format: 2,
    key: hex('010203'),
  }),
]

describe('Set Data Encryption', () => {
  test.each(settings)('%s', (_, bytes, changes) => {
    const value = { ...encryptionOff, ...changes }
    expect(setDataEncryption.encode(value)).toEqual(hex(bytes))
    expect(setDataEncryption.decode(hex(bytes))).toEqual(value)
  })

  const good = hex(settings[3]?.[1] ?? '')

  test('is refused at every length but its own', () => {
    for (let length = 0; length < good.length; length += 1) {
      expect(() => setDataEncryption.decode(good.subarray(0, length)), `${length}`).toThrow(
        expect.objectContaining({ code: 'length' }),
      )
    }
    expect(() => setDataEncryption.decode(Uint8Array.from([...good, 0]))).toThrow(
      expect.objectContaining({ code: 'length' }),
    )
  })

  test.each([11, 12, 13, 14, 15, 16, 17])('is refused with junk in reserved byte %i', (at) => {
    expect(() => setDataEncryption.decode(good.with(at, 0x80))).toThrow(
      expect.objectContaining({ code: 'reserved' }),
    )
  })

  test.each([
    ['reserved bits of byte 4', 4, 0x4e, 'reserved'],
    ['an unknown scope', 4, 0x60, 'value'],
    ['an unknown raw read control', 5, 0x50, 'value'],
    ['an unknown encryption mode', 6, 3, 'value'],
    ['an unknown decryption mode', 7, 4, 'value'],
    ['an unknown KAD format', 10, 3, 'value'],
    ['another page code', 1, 0x11, 'page'],
    ['the longest key length', 18, 0xff, 'length'],
    ['an unknown descriptor type', 52, 9, 'value'],
    ['reserved bits of a descriptor', 53, 0x08, 'reserved'],
    ['the longest descriptor', 54, 0xff, 'length'],
  ] as const)('is refused with %s', (_, at, byte, code) => {
    expect(() => setDataEncryption.decode(good.with(at, byte))).toThrow(
      expect.objectContaining({ code }),
    )
  })

  test('is refused with two descriptors of one type', () => {
    const kads = [...descriptorsOf(name), ...descriptorsOf(name)]
    const bytes = setDataEncryption.encode({ ...encryptionOff, kads })
    expect(() => setDataEncryption.decode(bytes)).toThrow(
      expect.objectContaining({ code: 'value' }),
    )
  })

  test('any setting comes back as it was', () => {
    const bytes = fc.uint8Array({ maxLength: 60 })
    const setting = fc.record({
      scope: fc.constantFrom('public', 'local', 'all-nexus'),
      lock: fc.boolean(),
      modeCheck: fc.constantFrom('vendor', 'none', 'external', 'encrypt'),
      rawRead: fc.constantFrom('default', 'allowed', 'forbidden'),
      sdk: fc.boolean(),
      ckod: fc.boolean(),
      ckorp: fc.boolean(),
      ckorl: fc.boolean(),
      encryptionMode: fc.constantFrom('off', 'external', 'encrypt'),
      decryptionMode: fc.constantFrom('off', 'raw', 'decrypt', 'mixed'),
      algorithmIndex: fc.nat(255),
      keyFormat: fc.nat(255),
      kadFormat: fc.constantFrom('unspecified', 'binary', 'ascii'),
      key: bytes,
      kads: fc.uniqueArray(
        fc.record({
          type: fc.constantFrom('U-KAD', 'A-KAD', 'nonce', 'M-KAD', 'wrapped-key'),
          authenticated: fc.constantFrom('reserved', 'verified', 'failed'),
          bytes,
        }),
        { selector: (kad) => kad.type },
      ),
    }) as fc.Arbitrary<SetDataEncryption>
    fc.assert(
      fc.property(setting, (value) => {
        expect(setDataEncryption.decode(setDataEncryption.encode(value))).toEqual(value)
      }),
    )
  })
})

describe('the other pages', () => {
  test.each(vectors)('$title', ({ good, value, encode, decode }) => {
    expect(decode(good)).toEqual(value)
    expect(encode()).toEqual(good)
  })

  test.each(vectors)('$title: cut short or too long is refused', ({ good, decode }) => {
    for (let length = 0; length < good.length; length += 1) {
      expect(() => decode(good.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'length' }),
      )
    }
    const longer = Uint8Array.from([...good, 0])
    expect(() => decode(longer)).toThrow(expect.objectContaining({ code: 'length' }))
  })

  test('random bytes are decoded or refused, never anything else', () => {
    const junk = fc.tuple(fc.constantFrom(...vectors), fc.uint8Array({ maxLength: 80 }))
    fc.assert(
      fc.property(junk, ([{ code, decode }, body]) => {
        try {
          decode(Uint8Array.from([0, code, 0, body.length, ...body]))
        } catch (error) {
          expect(error).toMatchObject({ name: 'PageError' })
        }
      }),
    )
  })

  test('a value that does not fit its field is refused', () => {
    const good = dataEncryptionStatus.decode(
      hex('0020 0014 00 00 00 01 00000100 43 00 0000 0000000000000000'),
    )
    for (const keyInstanceCounter of [-1, 0.5, 2 ** 32]) {
      expect(() => dataEncryptionStatus.encode({ ...good, keyInstanceCounter })).toThrow(
        expect.objectContaining({ code: 'value' }),
      )
    }
  })
})

describe('descriptor blocks', () => {
  test.each([
    ['in', 'a2 20 0020 00 00 00002000 00 00', { protocol: 0x20, page: 0x20, length: 8192 }],
    ['out', 'b5 20 0010 00 00 00000034 00 00', { protocol: 0x20, page: 0x10, length: 52 }],
  ] as const)('SECURITY PROTOCOL %s', (direction, bytes, command) => {
    expect(encodeCommand(direction, command)).toEqual(hex(bytes))
    expect(decodeCommand(direction, hex(bytes))).toEqual(command)
  })

  test.each([
    ['another operation', 'b5 20 0020 00 00 00002000 00 00'],
    ['INC_512', 'a2 20 0020 80 00 00002000 00 00'],
    ['junk in byte 5', 'a2 20 0020 00 01 00002000 00 00'],
    ['junk in byte 10', 'a2 20 0020 00 00 00002000 01 00'],
    ['a control byte', 'a2 20 0020 00 00 00002000 00 04'],
    ['eleven bytes', 'a2 20 0020 00 00 00002000 00'],
    ['thirteen bytes', 'a2 20 0020 00 00 00002000 00 00 00'],
  ])('are refused with %s', (_, bytes) => {
    expect(() => decodeCommand('in', hex(bytes))).toThrow(
      expect.objectContaining({ name: 'PageError' }),
    )
  })

  test('protocol 00h lists protocols and has no certificate', () => {
    expect(encodeProtocolList([0x00, 0x20])).toEqual(hex('000000000000 0002 00 20'))
    expect(emptyCertificate()).toEqual(hex('0000 0000'))
  })
})
