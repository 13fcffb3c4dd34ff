/**
 * RSA signatures of a digest (RFC 8017 §8): the encoded message is built here, since the crypto
 * library takes no digest, and the bare RSA operation, blinded, is the library's. Verifying compares
 * with the one encoding that is right; nothing is parsed out of a signature.
 */
import { constants, privateEncrypt, publicDecrypt } from 'node:crypto'
import { CryptoRefusal, orFailure } from '../crypto-refusal.ts'
import { hash } from '../hashes.ts'
import type { PrivateHalf, PublicHalf } from '../key-formats/asymmetric-key.ts'
import { xorMask } from '../mask-generation.ts'
import { named, type HashingAlgorithm } from '../parameters.ts'
import { equalBytes } from '../primitives/mac.ts'
import { randomBytes } from '../primitives/random.ts'
import type { SignatureMethod } from './methods.ts'

/** DigestInfo up to the digest (RFC 8017 §9.2, note 1; RFC 8017 appendix B.1). */
const digestInfo: { readonly [Name in HashingAlgorithm]?: string } = {
  MD5: '3020300c06082a864886f70d020505000410',
  SHA_1: '3021300906052b0e03021a05000414',
  RIPEMD_160: '3021300906052b2403020105000414',
  SHA_224: '302d300d06096086480165030402040500041c',
  SHA_256: '3031300d060960864801650304020105000420',
  SHA_384: '3041300d060960864801650304020205000430',
  SHA_512: '3051300d060960864801650304020305000440',
  SHA_512_224: '302d300d06096086480165030402050500041c',
  SHA_512_256: '3031300d060960864801650304020605000420',
  SHA3_224: '302d300d06096086480165030402070500041c',
  SHA3_256: '3031300d060960864801650304020805000420',
  SHA3_384: '3041300d060960864801650304020905000430',
  SHA3_512: '3051300d060960864801650304020a05000440',
}

/** Signs a digest, or for PKCS#1 v1.5 without a hash the bytes as they are. */
export function signDigestRsa(
  key: PrivateHalf,
  method: SignatureMethod,
  digest: Uint8Array,
): Uint8Array {
  const size = modulusBytes(key)
  const encoded =
    method.scheme === 'PSS' ? pssEncoded(key, method, digest) : pkcs1Encoded(size, method, digest)
  return orFailure(() => privateEncrypt({ key: key.privateKey, ...bare }, encoded))
}

/** Whether it is the signature of that digest. */
export function verifyDigestRsa(
  key: PublicHalf,
  method: SignatureMethod,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const encoded = opened(key, signature)
  if (encoded === undefined) return false
  if (method.scheme === 'PKCS1V1_5')
    return equalBytes(encoded, pkcs1Encoded(modulusBytes(key), method, digest))
  // Without a hash of its own the mask's is that of the data, as the published cases have it; KMIP
  // 1.4 §3.6 says SHA-1, so that is taken too.
  const masks = method.maskHash === undefined ? [method.hash!, 'SHA_1' as const] : [method.maskHash]
  return masks.some((maskHash) => isPssEncoded(key, { ...method, maskHash }, digest, encoded))
}

const bare = { padding: constants.RSA_NO_PADDING }

/** The signature raised to the public exponent; undefined when it is no number below the modulus. */
function opened(key: PublicHalf, signature: Uint8Array): Uint8Array | undefined {
  if (signature.length !== modulusBytes(key)) return undefined
  try {
    return publicDecrypt({ key: key.publicKey, ...bare }, signature)
  } catch {
    return undefined
  }
}

/** EMSA-PKCS1-v1_5 (RFC 8017 §9.2). */
function pkcs1Encoded(
  size: number,
  { hash: algorithm }: SignatureMethod,
  digest: Uint8Array,
): Uint8Array {
  const prefix = algorithm === undefined ? '' : digestInfo[algorithm]
  if (prefix === undefined)
    throw new CryptoRefusal('unsupported', `no RSA signatures with ${named(algorithm!)}`)
  const content = Buffer.concat([Buffer.from(prefix, 'hex'), digest])
  if (content.length > size - 11)
    throw new CryptoRefusal('parameters', `an RSA key of ${size * 8} bits is too short for that`)
  const encoded = new Uint8Array(size).fill(0xff)
  encoded.set([0, 1])
  encoded[size - content.length - 1] = 0
  encoded.set(content, size - content.length)
  return encoded
}

/** EMSA-PSS-ENCODE (RFC 8017 §9.1.1), as many bytes as the modulus. */
function pssEncoded(
  key: PrivateHalf,
  { hash: algorithm, saltLength, maskHash }: SignatureMethod,
  digest: Uint8Array,
): Uint8Array {
  const salt = randomBytes(saltLength === undefined ? digest.length : checkedSalt(saltLength))
  const encoded = new Uint8Array(modulusBytes(key))
  const { block, check } = pssParts(key, encoded, digest.length)
  if (block.length < salt.length + 1)
    throw new CryptoRefusal('parameters', `an RSA key of ${key.length} bits is too short for that`)
  check.set(hash(algorithm!, Buffer.concat([new Uint8Array(8), digest, salt])))
  block[block.length - salt.length - 1] = 1
  block.set(salt, block.length - salt.length)
  xorMask(block, check, maskHash ?? algorithm!)
  block[0]! &= topMask(key)
  encoded[encoded.length - 1] = 0xbc
  return encoded
}

/** EMSA-PSS-VERIFY (RFC 8017 §9.1.2), with the salt found where its length is left open. */
function isPssEncoded(
  key: PublicHalf,
  { hash: algorithm, saltLength, maskHash }: SignatureMethod,
  digest: Uint8Array,
  given: Uint8Array,
): boolean {
  const encoded = Uint8Array.from(given)
  const { block, check, head } = pssParts(key, encoded, digest.length)
  if (encoded.at(-1) !== 0xbc || head.some((byte) => byte !== 0)) return false
  if (block.length < 1 || (block[0]! & ~topMask(key)) !== 0) return false
  xorMask(block, check, maskHash!)
  block[0]! &= topMask(key)
  const separator = block.findIndex((byte) => byte !== 0)
  if (separator < 0 || block[separator] !== 1) return false
  const salt = block.subarray(separator + 1)
  if (saltLength !== undefined && salt.length !== saltLength) return false
  const expected = hash(algorithm!, Buffer.concat([new Uint8Array(8), digest, salt]))
  return equalBytes(check, expected)
}

/** Views of an encoded message: the masked block, the hash behind it, and a byte not used before. */
function pssParts(key: PublicHalf, encoded: Uint8Array, digestLength: number) {
  const start = (key.length - 1) % 8 === 0 ? 1 : 0
  const end = encoded.length - digestLength - 1
  if (end < start)
    throw new CryptoRefusal('parameters', `an RSA key of ${key.length} bits is too short for that`)
  return {
    head: encoded.subarray(0, start),
    block: encoded.subarray(start, end),
    check: encoded.subarray(end, -1),
  }
}

/** The bits of the first byte of the block that lie below the top bit of the modulus. */
function topMask({ length }: PublicHalf): number {
  return 0xff >> ((8 - ((length - 1) % 8)) % 8)
}

function checkedSalt(length: number): number {
  if (length <= 1024) return length
  throw new CryptoRefusal('parameters', `Salt Length ${length} fits no key`)
}

function modulusBytes({ length }: PublicHalf): number {
  return Math.ceil(length / 8)
}
