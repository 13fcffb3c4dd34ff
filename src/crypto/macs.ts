/**
 * MAC and MAC Verify – KMIP 2.1 §6.1.32 and §6.1.33: HMAC (RFC 2104) and CMAC (NIST SP 800-38B), at
 * once and in parts. The Cryptographic Algorithm of the parameters says which, else that of the key.
 */
import { createHmac } from 'node:crypto'
import { openCmac } from './ciphers/cmac.ts'
import { blockCipher } from './ciphers/block-ciphers.ts'
import { CryptoRefusal, orFailure } from './crypto-refusal.ts'
import { hashRow } from './hashes.ts'
import {
  named,
  type Algorithm,
  type CryptographicParameters,
  type HashingAlgorithm,
} from './parameters.ts'
import { equalBytes } from './primitives/mac.ts'

/** The key stays the caller's. */
export interface MacRequest {
  key: Uint8Array
  /** Cryptographic Algorithm of the key. */
  algorithm: Algorithm | undefined
  parameters: CryptographicParameters
}

/** A MAC in parts. Lives in this process: it cannot be stored. Ends with `final` or `verify`. */
export interface MacStream {
  update(data: Uint8Array): void
  final(): Uint8Array
  /** Whether `mac` is the MAC of all parts, found in the same time wherever they differ. */
  verify(mac: Uint8Array): boolean
  /** Gives the stream up and clears what it holds. */
  close(): void
}

/** The MAC of `data`. Throws CryptoRefusal. */
export function macOf(request: MacRequest & { data: Uint8Array }): Uint8Array {
  const stream = openMac(request)
  stream.update(request.data)
  return stream.final()
}

/** Whether `mac` is the whole MAC of `data`; a shortened one is not. Throws CryptoRefusal. */
export function verifyMac(request: MacRequest & { data: Uint8Array; mac: Uint8Array }): boolean {
  const stream = openMac(request)
  stream.update(request.data)
  return stream.verify(request.mac)
}

/** Begins a MAC in parts. Throws CryptoRefusal. */
export function openMac(request: MacRequest): MacStream {
  const { update, final, close } = orFailure(() => begin(request))
  return {
    update,
    final,
    verify(mac) {
      const expected = final()
      const isEqual = equalBytes(expected, mac)
      expected.fill(0)
      return isEqual
    },
    close,
  }
}

const hmacs: Partial<Record<Algorithm, HashingAlgorithm>> = {
  HMAC_MD5: 'MD5',
  HMAC_SHA1: 'SHA_1',
  HMAC_SHA224: 'SHA_224',
  HMAC_SHA256: 'SHA_256',
  HMAC_SHA384: 'SHA_384',
  HMAC_SHA512: 'SHA_512',
  HMAC_SHA3_224: 'SHA3_224',
  HMAC_SHA3_256: 'SHA3_256',
  HMAC_SHA3_384: 'SHA3_384',
  HMAC_SHA3_512: 'SHA3_512',
}

/** The hash of an HMAC algorithm; undefined for all others. */
export function hmacHash(algorithm: Algorithm | undefined): HashingAlgorithm | undefined {
  return algorithm === undefined ? undefined : hmacs[algorithm]
}

function begin({ key, algorithm, parameters }: MacRequest): Omit<MacStream, 'verify'> {
  const chosen = parameters.CryptographicAlgorithm ?? algorithm
  if (chosen === undefined)
    throw new CryptoRefusal('parameters', 'a Cryptographic Algorithm is needed')
  const hashing = hmacHash(chosen)
  if (hashing) {
    if (key.length === 0) throw new CryptoRefusal('parameters', 'the key is empty')
    const hmac = createHmac(hashRow(hashing).digest, key)
    return {
      update(data) {
        hmac.update(data)
      },
      final: () => hmac.digest(),
      close: () => undefined,
    }
  }
  const mode = parameters.BlockCipherMode ?? 'CMAC'
  const cipher = blockCipher(chosen)
  if (!cipher || mode !== 'CMAC' || parameters.HashingAlgorithm !== undefined)
    throw new CryptoRefusal('unsupported', `no MAC by ${named(chosen)} with these parameters`)
  return openCmac(chosen, cipher, key)
}
