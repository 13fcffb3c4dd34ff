/**
 * Key wrapping – KMIP 2.1 §3.3, §7.18, §11.62: a Key Value encrypted, authenticated, or both, by other
 * keys. What is wrapped are bytes that the caller has made: the whole Key Value in TTLV, or under No
 * Encoding the Key Material alone. Which keys, and whether they may be used, is the operation's.
 */
import type { KeyObject } from 'node:crypto'
import type { KeyWrappingData } from '../kmip/model/objects.ts'
import { decrypt, encrypt } from './ciphers.ts'
import { CryptoRefusal, cryptographicFailure } from './crypto-refusal.ts'
import type { PrivateHalf, PublicHalf } from './key-formats/asymmetric-key.ts'
import { macOf, verifyMac } from './macs.ts'
import { named, type Algorithm, type CryptographicParameters } from './parameters.ts'
import { Secret } from './secret.ts'
import { sign, verify } from './signatures.ts'

/** A symmetric key in use; its bytes stay the caller's. */
export interface SymmetricKeyInUse {
  algorithm: Algorithm | undefined
  bytes: Uint8Array
}

/** A key that encrypts or authenticates, with the Cryptographic Parameters chosen for it. */
export interface WrappingKey {
  key: SymmetricKeyInUse | PublicHalf | PrivateHalf
  parameters: CryptographicParameters
}

/** The keys that a Wrapping Method needs. */
export interface WrappingKeys {
  encryption?: WrappingKey | undefined
  integrity?: WrappingKey | undefined
}

/** The part of Key Wrapping Data that a Key Wrapping Specification gives as well. */
export type WrappingRequest = Pick<
  KeyWrappingData,
  'WrappingMethod' | 'EncryptionKeyInformation' | 'MACSignatureKeyInformation' | 'EncodingOption'
>

export interface WrappingOptions {
  /** RSA with PKCS#1 v1.5 padding, for devices that know nothing else. */
  legacyPadding?: boolean
}

/** The bytes of a Key Value and what the Key Block says about their wrapping. */
export interface Wrapped {
  keyValue: Uint8Array
  wrappingData: KeyWrappingData
}

/** Wraps. A fresh IV is made where the mode takes one. Throws CryptoRefusal. */
export function wrap(
  request: WrappingRequest,
  keys: WrappingKeys,
  plain: Uint8Array,
  options: WrappingOptions = {},
): Wrapped {
  const { encryption, integrity, order } = keysFor(request, keys)
  const { data: keyValue, iv } = encryption
    ? encrypted(encryption, plain, options)
    : { data: Uint8Array.from(plain), iv: undefined }
  const mac = integrity && authenticated(integrity, order === 'after' ? keyValue : plain)
  const { WrappingMethod, EncryptionKeyInformation, MACSignatureKeyInformation } = request
  const wrappingData: KeyWrappingData = {
    WrappingMethod,
    ...(EncryptionKeyInformation && { EncryptionKeyInformation }),
    ...(MACSignatureKeyInformation && { MACSignatureKeyInformation }),
    ...(mac && { MACSignature: mac }),
    ...(iv && { IVCounterNonce: iv }),
    ...(request.EncodingOption && { EncodingOption: request.EncodingOption }),
  }
  return { keyValue, wrappingData }
}

/**
 * Unwraps, in an array that the caller wipes. Throws CryptoRefusal: `failure` for a wrong key, a wrong
 * MAC or changed bytes alike.
 */
export function unwrap(
  wrappingData: KeyWrappingData,
  keys: WrappingKeys,
  keyValue: Uint8Array,
  options: WrappingOptions = {},
): Secret {
  const { encryption, integrity, order } = keysFor(wrappingData, keys)
  const { MACSignature, IVCounterNonce } = wrappingData
  if (integrity && MACSignature === undefined)
    throw new CryptoRefusal('parameters', 'the MAC/Signature is missing')
  const check = (bytes: Uint8Array) => {
    if (integrity && !isAuthentic(integrity, bytes, MACSignature!)) throw cryptographicFailure()
  }
  if (order === 'after') check(keyValue)
  const plain = new Secret(
    encryption
      ? decrypted(encryption, keyValue, IVCounterNonce, options)
      : Uint8Array.from(keyValue),
  )
  if (order === 'after') return plain
  try {
    check(plain.bytes)
    return plain
  } catch (refusal) {
    plain.wipe()
    throw refusal
  }
}

/** Which keys a method needs, and whether the ciphertext or the plain bytes are authenticated. */
const methods = {
  Encrypt: { encryption: true, integrity: false, order: 'before' },
  MACSign: { encryption: false, integrity: true, order: 'before' },
  EncryptThenMACSign: { encryption: true, integrity: true, order: 'after' },
  MACSignThenEncrypt: { encryption: true, integrity: true, order: 'before' },
} as const

function keysFor({ WrappingMethod: method }: WrappingRequest, keys: WrappingKeys) {
  const needs = method in methods ? methods[method as keyof typeof methods] : undefined
  if (needs === undefined)
    throw new CryptoRefusal('unsupported', `Wrapping Method ${named(method)} is not supported`)
  const { encryption, integrity } = keys
  const fits =
    needs.encryption === (encryption !== undefined) && needs.integrity === (integrity !== undefined)
  if (!fits)
    throw new CryptoRefusal('parameters', `Wrapping Method ${named(method)} takes other keys`)
  return { encryption, integrity, order: needs.order }
}

/** A tag has no place of its own in Key Wrapping Data: it stands behind the ciphertext. */
function encrypted(
  { key, parameters }: WrappingKey,
  data: Uint8Array,
  options: WrappingOptions,
): { data: Uint8Array; iv: Uint8Array | undefined } {
  if ('bytes' in key) {
    const { algorithm, bytes } = key
    const mode = modeOf(parameters)
    const chosen = mode.iv ? { ...parameters, RandomIV: true } : parameters
    const withTag = mode.tag ? { ...chosen, TagLength: parameters.TagLength ?? usualTag } : chosen
    const made = encrypt({ key: bytes, algorithm, parameters: withTag, data })
    return { data: Buffer.concat([made.data, made.tag ?? new Uint8Array(0)]), iv: made.iv }
  }
  const [asked] = rsaParameters(parameters, options)
  const made = encrypt({
    key: rsaKey(key, key.publicKey),
    algorithm: 'RSA',
    parameters: asked!,
    data,
  })
  return { data: made.data, iv: undefined }
}

function decrypted(
  { key, parameters }: WrappingKey,
  data: Uint8Array,
  iv: Uint8Array | undefined,
  options: WrappingOptions,
): Uint8Array {
  if ('bytes' in key) {
    const { algorithm, bytes } = key
    const mode = modeOf(parameters)
    const request = { key: bytes, algorithm, parameters, iv: mode.iv ? iv : undefined }
    if (!mode.tag) return decrypt({ ...request, data })
    const end = data.length - (parameters.TagLength ?? usualTag)
    if (end < 0) throw cryptographicFailure()
    return decrypt({ ...request, data: data.subarray(0, end), tag: data.subarray(end) })
  }
  if (!('privateKey' in key))
    throw new CryptoRefusal('parameters', 'unwrapping needs the private key')
  const privateKey = rsaKey(key, key.privateKey)
  let refusal: unknown
  for (const asked of rsaParameters(parameters, options)) {
    try {
      return decrypt({ key: privateKey, algorithm: 'RSA', parameters: asked, data })
    } catch (error) {
      refusal = error
    }
  }
  throw refusal
}

const usualTag = 16

/** The modes that wrap keys. ECB shows which blocks are equal, and XTS is for disks. */
const modes = new Map<CryptographicParameters['BlockCipherMode'], { iv: boolean; tag: boolean }>([
  ['NISTKeyWrap', { iv: false, tag: false }],
  ['AESKeyWrapPadding', { iv: false, tag: false }],
  ['CBC', { iv: true, tag: false }],
  ['CFB', { iv: true, tag: false }],
  ['OFB', { iv: true, tag: false }],
  ['CTR', { iv: true, tag: false }],
  ['GCM', { iv: true, tag: true }],
  ['CCM', { iv: true, tag: true }],
])

function modeOf({ BlockCipherMode: name }: CryptographicParameters) {
  const mode = modes.get(name)
  if (mode !== undefined) return mode
  if (name === undefined)
    throw new CryptoRefusal('parameters', 'wrapping needs a Block Cipher Mode')
  throw new CryptoRefusal('unsupported', `${named(name)} is not supported to wrap keys`)
}

function rsaKey({ algorithm }: PublicHalf, key: KeyObject): KeyObject {
  if (algorithm === 'RSA') return key
  throw new CryptoRefusal('unsupported', `a key of ${algorithm} does not encrypt keys`)
}

/**
 * The parameters to try, the first to wrap with. Where the hash of OAEP's mask is left open,
 * implementations take that of the data; KMIP 1.4 §3.6 says SHA-1, so that is read too.
 */
function rsaParameters(
  parameters: CryptographicParameters,
  { legacyPadding = false }: WrappingOptions,
): CryptographicParameters[] {
  const { PaddingMethod: padding, HashingAlgorithm, MaskGeneratorHashingAlgorithm } = parameters
  if (padding === 'PKCS1V1_5' && legacyPadding) return [parameters]
  if (padding === undefined)
    throw new CryptoRefusal('parameters', 'wrapping with RSA needs a Padding Method')
  if (padding !== 'OAEP')
    throw new CryptoRefusal('unsupported', `${named(padding)} is not supported to wrap keys`)
  if (MaskGeneratorHashingAlgorithm !== undefined || HashingAlgorithm === undefined)
    return [parameters]
  return [
    { ...parameters, MaskGeneratorHashingAlgorithm: HashingAlgorithm },
    { ...parameters, MaskGeneratorHashingAlgorithm: 'SHA_1' },
  ]
}

function authenticated({ key, parameters }: WrappingKey, data: Uint8Array): Uint8Array {
  if ('bytes' in key) return macOf({ key: key.bytes, algorithm: key.algorithm, parameters, data })
  if ('privateKey' in key) return sign(key, parameters, { data })
  throw new CryptoRefusal('parameters', 'signing needs the private key')
}

function isAuthentic({ key, parameters }: WrappingKey, data: Uint8Array, mac: Uint8Array): boolean {
  if ('bytes' in key)
    return verifyMac({ key: key.bytes, algorithm: key.algorithm, parameters, data, mac })
  return verify(key, parameters, { data }, mac) === 'Valid'
}
