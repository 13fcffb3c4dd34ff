/**
 * Derive Key – KMIP 2.1 §6.1.14, §7.12 and §11.14: every method, its work bounded before it begins.
 * A result longer than asked for is cut at its end; one that would be shorter is refused.
 */
import { createHash, diffieHellman, hkdf, pbkdf2, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { DerivationMethod } from '../kmip/model/enumerations.ts'
import { encrypt } from './ciphers.ts'
import { blockCipher } from './ciphers/block-ciphers.ts'
import { CryptoRefusal, refusalOf } from './crypto-refusal.ts'
import { hashRow } from './hashes.ts'
import { hmacHash } from './macs.ts'
import {
  named,
  type Algorithm,
  type CryptographicParameters,
  type HashingAlgorithm,
} from './parameters.ts'
import { hmac, keyDerivation, pseudorandom, type Pseudorandom } from './pseudorandom.ts'
import { Secret } from './secret.ts'

type Method = Parameters<(typeof DerivationMethod)['since']>[0]

/** Byte arrays and keys stay the caller's. */
export interface DerivationRequest {
  method: Method | number
  /** Length of the result in bytes. */
  length: number
  /** Those of the request, else those of the key; empty when there are none. */
  parameters: CryptographicParameters
  /** Derivation key, password or input key material. */
  key?: Uint8Array | undefined
  /** Cryptographic Algorithm of `key`. */
  algorithm?: Algorithm | undefined
  /** Derivation Data in order, given or taken from a Secret Data object. */
  data?: readonly Uint8Array[] | undefined
  iv?: Uint8Array | undefined
  salt?: Uint8Array | undefined
  iterations?: number | undefined
  /** The two keys of the method Asymmetric Key. */
  privateKey?: KeyObject | undefined
  publicKey?: KeyObject | undefined
}

export interface DerivationLimits {
  /** Bytes of the result. */
  length: number
  /** Iterations of PBKDF2, times the hashes that the result is long. */
  iterations: number
  /** Bytes that a method may run through its pseudorandom function. */
  work: number
}

/** Some seconds of one thread at the most. */
export const derivationLimits: DerivationLimits = {
  length: 8192,
  iterations: 5_000_000,
  work: 16 * 1024 * 1024,
}

/** The derived bytes; the caller wipes them. Throws CryptoRefusal. */
export async function derive(
  request: DerivationRequest,
  limits: DerivationLimits = derivationLimits,
): Promise<Secret> {
  const { method, length } = request
  const derivation = typeof method === 'string' ? methods[method] : undefined
  if (!derivation)
    throw new CryptoRefusal('unsupported', `Derivation Method ${named(method)} is not supported`)
  if (!Number.isInteger(length) || length < 1 || length > limits.length)
    throw new CryptoRefusal('parameters', `1 to ${limits.length} bytes are derived, not ${length}`)
  const derived = await runDerivation(derivation, request, limits)
  if (derived.length === length) return new Secret(derived)
  const result = Uint8Array.from(derived.subarray(0, length))
  derived.fill(0)
  if (result.length === length) return new Secret(result)
  result.fill(0)
  throw new CryptoRefusal('failure', `${named(method)} gives fewer than ${length} bytes`)
}

async function runDerivation(
  derivation: Derivation,
  request: DerivationRequest,
  limits: DerivationLimits,
): Promise<Uint8Array> {
  try {
    return await derivation(request, limits)
  } catch (error) {
    throw refusalOf(error)
  }
}

type Derivation = (
  request: DerivationRequest,
  limits: DerivationLimits,
) => Uint8Array | Promise<Uint8Array>

const methods: Record<Method, Derivation> = {
  async PBKDF2({ key, data, salt, iterations, length, parameters }, limits) {
    const password = only(key, data, 'PBKDF2')
    if (salt === undefined || iterations === undefined)
      throw new CryptoRefusal('parameters', 'PBKDF2 needs a Salt and an Iteration Count')
    const hash = hashRow(askedHash(parameters) ?? 'SHA_1')
    const work = iterations * Math.ceil(length / hash.length)
    if (!Number.isInteger(iterations) || iterations < 1 || work > limits.iterations)
      throw new CryptoRefusal('parameters', `Iteration Count ${iterations} is out of bounds`)
    return promisify(pbkdf2)(password, salt, iterations, length, hash.digest)
  },
  HASH({ key, data, parameters }) {
    const hash = askedHash(parameters)
    if (hash === undefined) throw new CryptoRefusal('parameters', 'HASH needs a Hashing Algorithm')
    return createHash(hashRow(hash).digest)
      .update(only(key, data, 'HASH'))
      .digest()
  },
  HMAC(request) {
    const { key, data } = keyAndData(request)
    return hmac(keyHash(request), key, data)
  },
  ENCRYPT(request) {
    const { key, data } = keyAndData(request)
    const { algorithm, parameters } = request
    const mode = parameters.BlockCipherMode
    if (mode === 'GCM' || mode === 'CCM' || mode === 'AEAD')
      throw new CryptoRefusal('unsupported', 'ENCRYPT derives by modes without a tag only')
    const chosen = algorithm ?? parameters.CryptographicAlgorithm
    const hasZeroIv = mode === 'CBC' || mode === 'CFB' || mode === 'OFB' || mode === 'CTR'
    const block = chosen === undefined ? undefined : blockCipher(chosen)?.block
    const iv = request.iv ?? (hasZeroIv ? new Uint8Array(block ?? 0) : undefined)
    return encrypt({ key, algorithm, parameters: { ...parameters, RandomIV: false }, iv, data })
      .data
  },
  NIST800_108_C: (request, limits) => nist800108('counter', request, limits),
  NIST800_108_F: (request, limits) => nist800108('feedback', request, limits),
  NIST800_108_DPI: (request, limits) => nist800108('double-pipeline', request, limits),
  AsymmetricKey({ privateKey, publicKey }) {
    if (privateKey?.type !== 'private' || publicKey?.type !== 'public')
      throw new CryptoRefusal('parameters', 'key agreement needs a private and a public key')
    const type = privateKey.asymmetricKeyType ?? ''
    if (!agreements.includes(type) || publicKey.asymmetricKeyType !== type)
      throw new CryptoRefusal('parameters', 'these two keys do not agree on a secret')
    return diffieHellman({ privateKey, publicKey })
  },
  AWSSignatureVersion4({ key, data }) {
    if (key === undefined || data?.length !== 3)
      throw new CryptoRefusal('parameters', 'AWS Signature needs a key, Date, Region and Service')
    let derived: Uint8Array = Buffer.concat([Buffer.from('AWS4'), key])
    for (const part of [...data, Buffer.from('aws4_request')]) {
      const next = hmac('SHA_256', derived, part)
      derived.fill(0)
      derived = next
    }
    return derived
  },
  async HKDF({ key, data, salt = new Uint8Array(0), length, parameters }) {
    const hash = hashRow(askedHash(parameters) ?? 'SHA_256')
    const info = Buffer.concat(data ?? [])
    if (key === undefined) throw new CryptoRefusal('parameters', 'HKDF needs a key')
    if (info.length > 1024 || length > 255 * hash.length)
      throw new CryptoRefusal('parameters', 'HKDF takes 1024 bytes of data and gives 255 hashes')
    return new Uint8Array(await promisify(hkdf)(hash.digest, key, salt, info, length))
  },
}

/** Kinds of key whose private and public halves agree on a secret. */
const agreements = ['ec', 'x25519', 'x448', 'dh']

/** The key or the data, where a method has use for one of them. */
function only(
  key: Uint8Array | undefined,
  data: readonly Uint8Array[] | undefined,
  method: string,
): Uint8Array {
  const all = [...(key ? [key] : []), ...(data ?? [])]
  if (all.length === 1) return all[0]!
  throw new CryptoRefusal('parameters', `${method} takes either a key or Derivation Data`)
}

function keyAndData({ key, data, method }: DerivationRequest) {
  if (key === undefined || data?.length !== 1)
    throw new CryptoRefusal('parameters', `${named(method)} needs one key and Derivation Data`)
  return { key, data: data[0]! }
}

function askedHash(parameters: CryptographicParameters): HashingAlgorithm | undefined {
  return parameters.HashingAlgorithm ?? hmacHash(parameters.CryptographicAlgorithm)
}

/** §7.12: an HMAC key says its hash itself; other keys are told one. */
function keyHash({ algorithm, parameters }: DerivationRequest): HashingAlgorithm {
  const hash = hmacHash(algorithm) ?? askedHash(parameters)
  if (hash !== undefined) return hash
  throw new CryptoRefusal('parameters', 'a Hashing Algorithm is needed')
}

function nist800108(
  mode: Parameters<typeof keyDerivation>[0],
  request: DerivationRequest,
  limits: DerivationLimits,
): Uint8Array {
  const { key, data: fixed } = keyAndData(request)
  const { algorithm, parameters, length, iv = new Uint8Array(0) } = request
  const cipher = algorithm === undefined ? undefined : blockCipher(algorithm)
  const byCmac = parameters.BlockCipherMode === 'CMAC'
  if (byCmac && !cipher) throw new CryptoRefusal('parameters', 'this is no key for CMAC')
  if (!byCmac && parameters.BlockCipherMode !== undefined)
    throw new CryptoRefusal('unsupported', 'derived keys come from HMAC or CMAC')
  const prf: Pseudorandom = byCmac
    ? pseudorandom({ algorithm: algorithm!, cipher: cipher! }, key)
    : pseudorandom({ hash: keyHash(request) }, key)
  if (Math.ceil(length / prf.length) * (fixed.length + iv.length + 128) > limits.work)
    throw new CryptoRefusal('parameters', 'too much Derivation Data for so long a result')
  return keyDerivation(mode, prf, { fixed, iv, length })
}
