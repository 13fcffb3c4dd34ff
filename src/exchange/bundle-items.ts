/**
 * A key as it travels: an Import request (KMIP 2.1 §6.1.25) with every attribute, its Key Block wrapped
 * under the transport key. A part of a bundle is a KMIP 2.1 request message of such items, as any key
 * server reads it that has been given the transport key under the identifier they name.
 */
import { decode, decodeRaw, encode, DecodeError, type Raw } from 'ttlv-codec'
import { CryptoRefusal } from '../crypto/crypto-refusal.ts'
import type { Secret } from '../crypto/secret.ts'
import type { TransportKey } from '../crypto/transport-key.ts'
import { isOrigin } from '../keystore/key-origin.ts'
import { attributesOf } from '../keystore/object-attributes.ts'
import type { ManagedObject } from '../keystore/managed-object.ts'
import type { AttributeInstance } from '../kmip/model/attribute-forms.ts'
import type { KeyBlock } from '../kmip/model/objects.ts'
import { tagNumber } from '../kmip/model/tags.ts'
import { newest } from '../kmip/model/versions.ts'
import { unsealedFields } from '../kmip/operations/key-material.ts'
import { sayable } from '../kmip/operations/sayable.ts'
import { ImportItem, IncomingPart, OutgoingPart, type ImportRequest } from './import-payload.ts'
import { unreadable } from './refusals.ts'

/** Object types that are exchanged: what opens tapes. */
export const exchanged = ['SymmetricKey'] as const

/**
 * Attributes that the importing server gives anew: what follows from others, belongs to one server's
 * use of the key, or tells where the exporting server had it from.
 */
const notSent: ReadonlySet<string> = new Set([
  'UniqueIdentifier',
  'ShortUniqueIdentifier',
  'ObjectType',
  'Fresh',
  'LeaseTime',
  'ProtectionStorageMask',
  'KeyFormatType',
  'ShownState',
])

/** The Import request of a key. `sealed` is its material as the keystore keeps it; the caller wipes it. */
export function importRequest(
  object: ManagedObject,
  sealed: Secret,
  transport: TransportKey,
  transportId: string,
  now: bigint,
): ImportRequest {
  const fields = unsealedFields('SymmetricKey', sealed.bytes) as { KeyBlock: KeyBlock }
  const { KeyBlock: block } = fields
  const algorithm = object.attributes.first('CryptographicAlgorithm')
  const length = object.attributes.first('CryptographicLength')
  const facts = {
    ...(algorithm !== undefined && { CryptographicAlgorithm: algorithm }),
    ...(length !== undefined && { CryptographicLength: length }),
  }
  const attributes = sentAttributes(object, now)
  return wrappedRequest(
    { id: object.id, attributes, facts },
    materialOf(block),
    transport,
    transportId,
  )
}

/** The Import request of a key whose bytes are given. The caller wipes them. */
export function wrappedRequest(
  {
    id,
    attributes,
    facts,
  }: {
    id: string
    attributes: readonly AttributeInstance[]
    facts: Pick<KeyBlock, 'CryptographicAlgorithm' | 'CryptographicLength'>
  },
  bytes: Uint8Array,
  transport: TransportKey,
  transportId: string,
): ImportRequest {
  const KeyWrappingData: NonNullable<KeyBlock['KeyWrappingData']> = {
    WrappingMethod: 'Encrypt',
    EncryptionKeyInformation: {
      UniqueIdentifier: transportId,
      CryptographicParameters: { BlockCipherMode: 'AESKeyWrapPadding' },
    },
    EncodingOption: 'NoEncoding',
  }
  const wrapped: KeyBlock = {
    KeyFormatType: 'Raw',
    KeyValue: { type: 'ByteString', value: transport.wrap(bytes) },
    ...facts,
    KeyWrappingData,
  }
  return {
    UniqueIdentifier: id,
    ObjectType: 'SymmetricKey',
    KeyWrapType: 'NotWrapped',
    Attributes: [...attributes],
    SymmetricKey: { KeyBlock: wrapped },
  }
}

/** Whether an attribute travels with its key. */
export function isSent(instance: AttributeInstance): boolean {
  return !notSent.has(instance.tag) && !isOrigin(instance)
}

function sentAttributes(object: ManagedObject, now: bigint): AttributeInstance[] {
  const all = attributesOf(object, now)
  return sayable(all, object.objectType, newest.number)
    .filter(isSent)
    .map(({ tag, value }) => ({ tag, value }))
}

/** The key bytes of a block in the clear: Raw and Transparent Symmetric Key hold the same. */
function materialOf({ KeyValue }: KeyBlock): Uint8Array {
  const material = KeyValue?.type === 'Structure' ? KeyValue.value.KeyMaterial : undefined
  const bytes = material instanceof Uint8Array ? material : (material as { Key?: unknown })?.Key
  if (bytes instanceof Uint8Array) return bytes
  throw new TypeError('a symmetric key without its bytes')
}

/** The request message of a part. */
export function encodePart(requests: readonly ImportRequest[]): Uint8Array {
  return encode(
    OutgoingPart,
    tagNumber('RequestMessage'),
    {
      RequestHeader: {
        ProtocolVersion: { ProtocolVersionMajor: 2, ProtocolVersionMinor: 1 },
        BatchErrorContinuationOption: 'Continue',
        BatchCount: requests.length,
      },
      BatchItem: requests.map((request, at) => ({
        Operation: 'Import' as const,
        UniqueBatchItemID: itemId(at),
        RequestPayload: request,
      })),
    },
    { version: newest.number },
  )
}

const decoding = {
  version: newest.number,
  limits: { maxBytes: 64 * 1024 * 1024, maxItems: 4_000_000, maxDepth: 32 },
} as const

/** The items of a part, undecoded: a broken one fails alone. Throws UserError 'bundle-unreadable'. */
export function decodePart(content: Uint8Array, keys: number): readonly Raw[] {
  try {
    const message = decode(IncomingPart, tagNumber('RequestMessage'), content, decoding)
    if (message.BatchItem.length === keys) return message.BatchItem
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw unreadable(`a part is no request message: ${error.message}`, error)
  }
  throw unreadable('a part has another number of keys than its manifest says')
}

/** The Import request in an item. Throws DecodeError, or TypeError for another operation. */
export function decodeItem(raw: Raw): ImportRequest {
  const { Operation, RequestPayload } = decodeRaw(ImportItem, raw, decoding)
  if (Operation !== 'Import') throw new TypeError(`the item is no Import but ${Operation}`)
  return RequestPayload
}

/** A key out of its wrapping, and what the Import of it in the clear looks like. The caller wipes. */
export function unwrapped(
  request: ImportRequest,
  transport: TransportKey,
  transportId: string,
): { material: Secret; clear: (attributes: readonly AttributeInstance[]) => ImportRequest } {
  const block = request.SymmetricKey.KeyBlock
  const wrapping = block.KeyWrappingData
  const { UniqueIdentifier, CryptographicParameters } = wrapping?.EncryptionKeyInformation ?? {}
  const fits =
    request.ObjectType === 'SymmetricKey' &&
    block.KeyFormatType === 'Raw' &&
    block.KeyValue?.type === 'ByteString' &&
    wrapping?.WrappingMethod === 'Encrypt' &&
    wrapping.EncodingOption === 'NoEncoding' &&
    UniqueIdentifier === transportId &&
    CryptographicParameters?.BlockCipherMode === 'AESKeyWrapPadding'
  if (!fits) throw new CryptoRefusal('parameters', 'it is not wrapped under the transport key')
  const material = transport.unwrap((block.KeyValue as { value: Uint8Array }).value)
  const { CryptographicAlgorithm, CryptographicLength } = block
  const KeyBlock: KeyBlock = {
    KeyFormatType: 'Raw',
    KeyValue: {
      type: 'Structure',
      value: { KeyMaterial: material.bytes, Attributes: undefined },
    },
    ...(CryptographicAlgorithm !== undefined && { CryptographicAlgorithm }),
    ...(CryptographicLength !== undefined && { CryptographicLength }),
  }
  return {
    material,
    clear: (attributes) => ({
      ...request,
      Attributes: [...attributes],
      SymmetricKey: { KeyBlock },
    }),
  }
}

/** SHA-256 that the attributes give for the raw key, if they do. */
export function digestTold(attributes: readonly AttributeInstance[]): Uint8Array | undefined {
  const digests = attributes
    .filter(({ tag }) => tag === 'Digest')
    .map(({ value }) => value as { HashingAlgorithm: unknown; DigestValue?: Uint8Array })
  return digests.find(({ HashingAlgorithm }) => HashingAlgorithm === 'SHA_256')?.DigestValue
}

/** Whether a key of this digest is the one that the attributes tell of; true when they tell none. */
export function isAsTold(digest: Uint8Array, attributes: readonly AttributeInstance[]): boolean {
  const told = digestTold(attributes)
  return told === undefined || Buffer.compare(digest, told) === 0
}

function itemId(at: number): Uint8Array {
  const id = Buffer.alloc(4)
  id.writeUInt32BE(at + 1)
  return id
}
