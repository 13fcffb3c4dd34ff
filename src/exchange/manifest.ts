/**
 * What stands first in a bundle, inside its encryption: a TTLV structure in the extension range of tags
 * (KMIP 2.1 §10.1.1). It names sender and recipient, holds the keys to everything that follows, and the
 * SHA-256 of each part, so that nothing can be cut off, exchanged, doubled or mixed.
 */
import {
  boolean,
  bytes,
  dateTime,
  decode,
  DecodeError,
  encode,
  integer,
  many,
  opt,
  req,
  text,
  vocabulary,
  type Infer,
} from 'ttlv-codec'
import { tags } from '../kmip/model/tags.ts'
import { newest } from '../kmip/model/versions.ts'
import { unreadable } from './refusals.ts'

/** Tags of our own; the reference page lists them. */
export const exchangeTags = {
  ExchangeBundle: [0x54b000, '1.0'],
  ExchangeManifest: [0x54b001, '1.0'],
  ExchangeFormat: [0x54b002, '1.0'],
  ExportIdentifier: [0x54b003, '1.0'],
  CreationDate: [0x54b004, '1.0'],
  ExpiryDate: [0x54b005, '1.0'],
  SenderKeyDigest: [0x54b006, '1.0'],
  SenderCertificateDigest: [0x54b007, '1.0'],
  RecipientCertificateDigest: [0x54b008, '1.0'],
  SourceGroup: [0x54b009, '1.0'],
  Selection: [0x54b00a, '1.0'],
  KeyCount: [0x54b00b, '1.0'],
  TransportKeyIdentifier: [0x54b00c, '1.0'],
  TransportKey: [0x54b00d, '1.0'],
  PartKey: [0x54b00e, '1.0'],
  PartsEnclosed: [0x54b00f, '1.0'],
  BundlePart: [0x54b010, '1.0'],
  PartNumber: [0x54b011, '1.0'],
  PartDigest: [0x54b012, '1.0'],
  PartContent: [0x54b013, '1.0'],
} as const

const { struct } = vocabulary({ tags: { ...tags, ...exchangeTags } } as const)

const Manifest = struct({
  ExchangeFormat: req(integer),
  ExportIdentifier: req(text),
  CreationDate: req(dateTime),
  ExpiryDate: opt(dateTime),
  SenderKeyDigest: req(bytes),
  SenderCertificateDigest: req(bytes),
  RecipientCertificateDigest: req(bytes),
  SourceGroup: req(text),
  Selection: req(text),
  KeyCount: req(integer),
  TransportKeyIdentifier: req(text),
  TransportKey: req(bytes),
  PartKey: opt(bytes),
  PartsEnclosed: req(boolean),
  BundlePart: many(
    struct({ PartNumber: req(integer), KeyCount: req(integer), PartDigest: req(bytes) }),
  ),
})

const Bundle = struct({ ExchangeManifest: req(Manifest), PartContent: many(bytes) })

export type Manifest = Infer<typeof Manifest>
export type Bundle = Infer<typeof Bundle>

/** The format that is written, and the only one that is read so far. */
export const exchangeFormat = 1

/** Most parts, and most bytes of one: a bundle may hold some ten million keys. */
export const limits = { parts: 10_000, partBytes: 64 * 1024 * 1024 } as const

const version = newest.number
const bundleTag = exchangeTags.ExchangeBundle[0]

/** The bytes to be encrypted. They hold the transport key: the caller wipes them. */
export function encodeBundle(bundle: Bundle): Uint8Array {
  return encode(Bundle, bundleTag, bundle, { version })
}

/** Reads and judges. Byte strings are views of `content`. Throws UserError 'bundle-unreadable'. */
export function decodeBundle(content: Uint8Array): Bundle {
  let bundle: Bundle
  try {
    bundle = decode(Bundle, bundleTag, content, {
      version,
      limits: { maxBytes: limits.partBytes, maxItems: 6 * limits.parts, maxDepth: 8 },
    })
  } catch (error) {
    if (error instanceof DecodeError) throw unreadable(error.message, error)
    throw error
  }
  const fault = faultIn(bundle)
  if (fault !== undefined) throw unreadable(fault)
  return bundle
}

function faultIn({
  ExchangeManifest: manifest,
  PartContent: enclosed,
}: Bundle): string | undefined {
  const { ExchangeFormat, BundlePart: parts, TransportKey, PartKey, PartsEnclosed } = manifest
  if (ExchangeFormat !== exchangeFormat)
    return `it has format ${ExchangeFormat}, this keyreel reads ${exchangeFormat}`
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(manifest.ExportIdentifier))
    return 'its export id is no UUID'
  if (TransportKey.length !== 32 || (PartKey !== undefined && PartKey.length !== 32))
    return 'its transport key is not of 256 bits'
  if (PartsEnclosed === (PartKey !== undefined)) return 'its parts have no key, or one too many'
  if (parts.length > limits.parts) return `it has more than ${limits.parts} parts`
  if (parts.some(({ PartNumber }, at) => PartNumber !== at + 1))
    return 'its parts are not numbered from 1'
  if (enclosed.length !== (PartsEnclosed ? parts.length : 0))
    return 'it does not hold the parts that its manifest lists'
  const digests = [
    manifest.SenderKeyDigest,
    manifest.SenderCertificateDigest,
    manifest.RecipientCertificateDigest,
    ...parts.map(({ PartDigest }) => PartDigest),
  ]
  if (digests.some(({ length }) => length !== 32)) return 'a digest in it is no SHA-256'
  const keys = parts.reduce((sum, { KeyCount }) => sum + KeyCount, 0)
  if (parts.some(({ KeyCount }) => KeyCount < 1) || keys !== manifest.KeyCount)
    return 'the keys of its parts do not add up'
  return undefined
}
