// Wrapping keys and wrapped keys for tests: the key and key encryption key of the published TC-WRAP cases.
import { createDecipheriv } from 'node:crypto'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { KeyBlock } from '../../../src/kmip/model/objects.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { started, type TestEngine } from './engine.ts'

/** Bytes of hexadecimal digits. */
export const bytes = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'))
/** Hexadecimal digits of bytes. */
export const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex')

/** The key encryption key, the key, and the key under AES key wrap without encoding. */
export const kekHex = '000102030405060708090a0b0c0d0e0f'
export const keyHex = '00112233445566778899aabbccddeeff'
export const wrappedHex = '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5'

/** The Key Value of the key in TTLV (KMIP 2.1 §10.1): a structure with the Key Material. */
export const keyValueHex = `42004501000000184200430800000010${keyHex}`

export const masks = {
  use: 0x0c,
  wrap: 0x10,
  unwrap: 0x20,
  macGenerate: 0x80,
} as const

export const keyWrap = { BlockCipherMode: 'NISTKeyWrap' } as const

export const usage = (value: number): AttributeInstance => ({
  tag: 'CryptographicUsageMask',
  value,
})
export const parameters = (value: object): AttributeInstance => ({
  tag: 'CryptographicParameters',
  value,
})
export const active: AttributeInstance = { tag: 'ActivationDate', value: started - 3600n }

/** A Key Block in the clear. */
export const clearBlock = (digits: string, more: Partial<KeyBlock> = {}): KeyBlock =>
  ({
    KeyFormatType: 'Raw',
    KeyValue: { type: 'Structure', value: { KeyMaterial: bytes(digits) } },
    CryptographicAlgorithm: 'AES',
    CryptographicLength: digits.length * 4,
    ...more,
  }) as KeyBlock

/** A request to register a symmetric key. */
export const registration = (
  KeyBlock: KeyBlock,
  ...Attributes: AttributeInstance[]
): Partial<RequestPayload<'Register'>> => ({
  ObjectType: 'SymmetricKey',
  Attributes,
  SymmetricKey: { KeyBlock },
})

/** Registers a symmetric key and answers its identifier. */
export async function registered(
  engine: TestEngine,
  as: VersionText,
  KeyBlock: KeyBlock,
  ...attributes: AttributeInstance[]
): Promise<string> {
  const made = await engine.call(as, 'Register', registration(KeyBlock, ...attributes))
  return made.UniqueIdentifier
}

/** An active key encryption key for AES key wrap; attributes given stand in place of its own. */
export async function wrappingKey(
  engine: TestEngine,
  as: VersionText,
  ...more: AttributeInstance[]
): Promise<string> {
  const own = [usage(masks.wrap), parameters(keyWrap), active]
  const kept = own.filter(({ tag }) => !more.some((other) => other.tag === tag))
  return registered(engine, as, clearBlock(kekHex), ...kept, ...more)
}

/** The key to be wrapped. */
export const plainKey = (engine: TestEngine, as: VersionText, ...more: AttributeInstance[]) =>
  registered(engine, as, clearBlock(keyHex), usage(masks.use), ...more)

/** A Key Wrapping Specification for encryption by a key. */
export const encryption = (UniqueIdentifier: string, more: object = {}, given?: object) =>
  ({
    WrappingMethod: 'Encrypt',
    EncryptionKeyInformation: {
      UniqueIdentifier,
      ...(given && { CryptographicParameters: given }),
    },
    AttributeName: [],
    ...more,
  }) as NonNullable<RequestPayload<'Get'>['KeyWrappingSpecification']>

/** What AES key wrap (RFC 3394) hides, by node:crypto alone. */
export function unwrapped(wrapped: Uint8Array, kek = kekHex): Uint8Array {
  const name = `aes${kek.length * 4}-wrap`
  const cipher = createDecipheriv(name, bytes(kek), bytes('a6a6a6a6a6a6a6a6'))
  return Buffer.concat([cipher.update(wrapped), cipher.final()])
}

/** The bytes of a wrapped Key Value. */
export function wrappedValue({ KeyValue }: KeyBlock): Uint8Array {
  if (KeyValue?.type !== 'ByteString') throw new Error('the Key Value is not bytes')
  return KeyValue.value
}

/**
 * The key as somebody else has wrapped it, without encoding; `inStructure` as the published cases have it.
 */
export const wrappedBlock = (kek: string, data: object = {}, inStructure = false): KeyBlock =>
  clearBlock(keyHex, {
    KeyValue: inStructure
      ? { type: 'Structure', value: { KeyMaterial: bytes(wrappedHex), Attributes: undefined } }
      : { type: 'ByteString', value: bytes(wrappedHex) },
    KeyWrappingData: {
      WrappingMethod: 'Encrypt',
      EncryptionKeyInformation: { UniqueIdentifier: kek, CryptographicParameters: keyWrap },
      EncodingOption: 'NoEncoding',
      ...data,
    },
  } as Partial<KeyBlock>)
