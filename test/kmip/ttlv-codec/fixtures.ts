// A small protocol for the codec's own tests: some tags of KMIP, and a response shaped like Get's.

import {
  bytes,
  dateTime,
  encode,
  encodeItem,
  enumeration,
  integer,
  many,
  mask,
  opt,
} from 'ttlv-codec'
import { req, text, version, vocabulary } from 'ttlv-codec'
import type { DecodeOptions, Infer, Item, TextVocabulary } from 'ttlv-codec'

/** Tags used by the tests; the numbers are those of KMIP. */
export const tags = {
  ActivationDate: [0x420001, '1.0'],
  ApplicationData: [0x420002, '1.0'],
  Attribute: [0x420008, '1.0'],
  AttributeIndex: [0x420009, '1.0', '1.4'],
  AttributeName: [0x42000a, '1.0'],
  AttributeValue: [0x42000b, '1.0'],
  BatchCount: [0x42000d, '1.0'],
  BatchItem: [0x42000f, '1.0'],
  CompromiseDate: [0x420020, '1.0'],
  CryptographicAlgorithm: [0x420028, '1.0'],
  CryptographicLength: [0x42002a, '1.0'],
  CryptographicUsageMask: [0x42002c, '1.0'],
  KeyBlock: [0x420040, '1.0'],
  KeyMaterial: [0x420043, '1.0'],
  KeyValue: [0x420045, '1.0'],
  LeaseTime: [0x420049, '1.0'],
  ObjectType: [0x420057, '1.0'],
  Operation: [0x42005c, '1.0'],
  ProtocolVersion: [0x420069, '1.0'],
  ProtocolVersionMajor: [0x42006a, '1.0'],
  ProtocolVersionMinor: [0x42006b, '1.0'],
  ResponseHeader: [0x42007a, '1.0'],
  ResponseMessage: [0x42007b, '1.0'],
  ResponsePayload: [0x42007c, '1.0'],
  SymmetricKey: [0x42008f, '1.0'],
  TimeStamp: [0x420092, '1.0'],
  UniqueIdentifier: [0x420094, '1.0'],
  VendorIdentification: [0x42009d, '1.0'],
  OriginalCreationDate: [0x4200bc, '1.4'],
  Attributes: [0x420125, '2.0'],
  AttributeReference: [0x42013b, '2.0'],
} as const

/** The words bound to `tags`. */
export const { struct, shapes, bag, tagNumber, tagName } = vocabulary({ tags })

/** Object Type with a value that went and one that came. */
export const ObjectType = enumeration('ObjectType', {
  Certificate: 1,
  SymmetricKey: [2, '1.0'],
  Template: [6, '1.0', '1.4'],
  PGPKey: [9, '1.2'],
})
/** Cryptographic Algorithm. */
export const CryptographicAlgorithm = enumeration('CryptographicAlgorithm', { DES: 1, AES: 3 })
/** Operation. */
export const Operation = enumeration('Operation', { Create: 1, Get: 10, Ping: [50, '2.0'] })
/** Usage mask with a bit that came later and one that is the sign of an Integer. */
export const CryptographicUsageMask = mask('CryptographicUsageMask', {
  Sign: 0x01,
  Verify: 0x02,
  Encrypt: 0x04,
  Authenticate: [0x100000, '2.0'],
  Vendor: 0x80000000,
})
/** Names of tags as values. */
export const Tag = enumeration('Tag', tags)

const ProtocolVersion = struct({
  ProtocolVersionMajor: req(integer),
  ProtocolVersionMinor: req(integer),
})

const KeyBlock = struct({
  KeyValue: req(struct({ KeyMaterial: req(bytes) })),
  CryptographicAlgorithm: opt(CryptographicAlgorithm),
  CryptographicLength: opt(integer),
})

/** A response message with Get's payload. */
export const ResponseMessage = struct({
  ResponseHeader: req(
    struct({
      ProtocolVersion: req(ProtocolVersion),
      TimeStamp: req(dateTime),
      BatchCount: req(integer),
    }),
  ),
  BatchItem: many(
    struct({
      Operation: opt(Operation),
      ResponsePayload: opt(
        struct({
          ObjectType: req(ObjectType),
          UniqueIdentifier: req(text),
          SymmetricKey: opt(struct({ KeyBlock: req(KeyBlock) })),
        }),
      ),
    }),
    { min: 1 },
  ),
})

/** Options for reading and writing KMIP 1.4. */
export const v14: DecodeOptions = { version: version('1.4') }
/** Options for reading and writing KMIP 2.0. */
export const v20: DecodeOptions = { version: version('2.0') }

/** The tag of `message`. */
export const messageTag = tagNumber('ResponseMessage')

/** A response with two items, of which the first releases a key. */
export const message: Infer<typeof ResponseMessage> = {
  ResponseHeader: {
    ProtocolVersion: { ProtocolVersionMajor: 1, ProtocolVersionMinor: 4 },
    TimeStamp: 1_700_000_000n,
    BatchCount: 2,
  },
  BatchItem: [
    {
      Operation: 'Get',
      ResponsePayload: {
        ObjectType: 'SymmetricKey',
        UniqueIdentifier: 'd8bd8a52-key',
        SymmetricKey: {
          KeyBlock: {
            KeyValue: { KeyMaterial: new Uint8Array(32).fill(0x2a) },
            CryptographicAlgorithm: 'AES',
            CryptographicLength: 256,
          },
        },
      },
    },
    { Operation: 'Create', ResponsePayload: { ObjectType: 'Certificate', UniqueIdentifier: 'é' } },
  ],
}

/** The bytes of `message`. */
export function messageBytes(): Uint8Array {
  return encode(ResponseMessage, messageTag, message, v14)
}

/** Bytes written in hexadecimal; spaces and bars are for the eye. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits.replace(/[\s|]/g, ''), 'hex'))
}

/** The bytes of a structure with the items given. */
export function structure(tag: number, ...items: Item[]): Uint8Array {
  return encodeItem({ tag, type: 'Structure', value: items })
}

/** What the thrower throws; fails the test when it throws nothing. */
export function thrownBy(thrower: () => unknown): unknown {
  try {
    thrower()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

/** The text forms' view of the protocol. */
export const textVocabulary: TextVocabulary = {
  tagName,
  tagNumber,
  enumerations: { ObjectType, CryptographicAlgorithm, Operation, AttributeReference: Tag },
  masks: { CryptographicUsageMask },
  attributeTag: (name) => (name.includes(' ') ? name.replaceAll(' ', '') : undefined),
  secretTags: new Set(['KeyMaterial']),
}
