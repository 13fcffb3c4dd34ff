/**
 * RSA encryption – RFC 8017 §7. OAEP; PKCS#1 v1.5 for old data, whose decryption never fails but
 * gives other bytes for a wrong padding (implicit rejection in the crypto library); no padding to
 * encrypt only, since a bare private key operation is also a signature of anything.
 */
import { constants, privateDecrypt, publicEncrypt, type KeyObject } from 'node:crypto'
import { CryptoRefusal, cryptographicFailure } from '../crypto-refusal.ts'
import { hashRow } from '../hashes.ts'
import { named, type CryptographicParameters } from '../parameters.ts'
import { oaepCapacity, oaepDecode, oaepEncode, type OaepHashes } from './oaep.ts'
import type { Direction } from './runs.ts'

/** Above this one private key operation takes too long; bits. */
const longestModulus = 8192

/** What one RSA operation does with the collected data. Refuses key and parameters at once. */
export function rsaOperation(
  direction: Direction,
  key: KeyObject,
  parameters: CryptographicParameters,
): (data: Uint8Array) => Uint8Array {
  const size = modulusBytes(key, direction === 'encrypt' ? 'public' : 'private')
  const padding = parameters.PaddingMethod
  if (padding === 'OAEP') return oaep(direction, key, size, parameters)
  if (padding === 'PKCS1V1_5') {
    const options = { key, padding: constants.RSA_PKCS1_PADDING }
    if (direction === 'decrypt') return (data) => privateDecrypt(options, checked(data, size))
    return (data) => publicEncrypt(options, fitting(data, size - 11))
  }
  if (padding === 'None' && direction === 'encrypt') {
    const options = { key, padding: constants.RSA_NO_PADDING }
    return (data) => {
      if (data.length === size) return publicEncrypt(options, data)
      throw new CryptoRefusal('parameters', `RSA without padding takes exactly ${size} bytes`)
    }
  }
  if (padding === undefined) throw new CryptoRefusal('parameters', 'RSA needs a Padding Method')
  throw new CryptoRefusal(
    'unsupported',
    `Padding Method ${named(padding)} is not supported to ${direction} with RSA`,
  )
}

function oaep(
  direction: Direction,
  key: KeyObject,
  size: number,
  parameters: CryptographicParameters,
): (data: Uint8Array) => Uint8Array {
  const { MaskGenerator = 'MGF1', PSource = [] } = parameters
  const label = Buffer.from(PSource)
  if (MaskGenerator !== 'MGF1')
    throw new CryptoRefusal('unsupported', `Mask Generator ${named(MaskGenerator)} is unknown`)
  const hashes: OaepHashes = {
    label: parameters.HashingAlgorithm ?? 'SHA_1',
    mask: parameters.MaskGeneratorHashingAlgorithm ?? 'SHA_1',
  }
  const oaepHash = hashRow(hashes.label).digest
  const capacity = oaepCapacity(size, hashes.label)
  if (capacity < 0) throw new CryptoRefusal('parameters', 'the RSA key is too short for this hash')
  if (hashRow(hashes.mask).digest === oaepHash) {
    const options = {
      key,
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash,
      oaepLabel: label,
    }
    if (direction === 'decrypt') return (data) => privateDecrypt(options, checked(data, size))
    return (data) => publicEncrypt(options, fitting(data, capacity))
  }
  const options = { key, padding: constants.RSA_NO_PADDING }
  if (direction === 'decrypt')
    return (data) => oaepDecode(privateDecrypt(options, checked(data, size)), hashes, label)
  return (data) => {
    const encoded = oaepEncode(fitting(data, capacity), size, hashes, label)
    try {
      return publicEncrypt(options, encoded)
    } finally {
      encoded.fill(0)
    }
  }
}

function modulusBytes(key: KeyObject, type: 'public' | 'private'): number {
  if (key.type !== type)
    throw new CryptoRefusal('parameters', `RSA here needs a ${type} key, not a ${key.type} one`)
  if (key.asymmetricKeyType !== 'rsa')
    throw new CryptoRefusal('parameters', `not an RSA key but ${key.asymmetricKeyType}`)
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (bits > longestModulus)
    throw new CryptoRefusal('unsupported', `RSA of ${bits} bits, the most is ${longestModulus}`)
  return Math.ceil(bits / 8)
}

function fitting(data: Uint8Array, capacity: number): Uint8Array {
  if (data.length <= capacity) return data
  throw new CryptoRefusal('parameters', `data of ${data.length} bytes, ${capacity} fit the key`)
}

function checked(data: Uint8Array, size: number): Uint8Array {
  if (data.length === size) return data
  throw cryptographicFailure()
}
