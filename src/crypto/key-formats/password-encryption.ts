/**
 * Decryption by a password as PKCS#8 and PKCS#12 use it: PBES2 with PBKDF2 (RFC 8018) and the schemes
 * of PKCS#12 itself (RFC 7292 appendix C). The sender chose the iterations, so they are counted.
 */
import type { AsnType } from 'asn1js'
import { createDecipheriv, pbkdf2Sync } from 'node:crypto'
import { oids } from '../asn1.ts'
import { pkcs12Key } from '../certificates-pkcs12-key.ts'
import { CryptoRefusal, cryptographicFailure } from '../crypto-refusal.ts'
import { integerOf, members, octetsOf, oidOf } from './asn1-values.ts'
import { decryptRc2 } from './rc2.ts'

/**
 * Work left for one container, in iterations of PBKDF2. One of PKCS#12's own derivation counts for
 * ten: it is hashed step by step here. Enough for what Java and OpenSSL have ever written.
 */
export interface PasswordWork {
  left: number
}

const mostWork = 4_000_000
const costOfPkcs12 = 10

/** The whole of it, for one container. */
export function passwordWork(): PasswordWork {
  return { left: mostWork }
}

/** Takes iterations off. Throws CryptoRefusal `parameters` when there are not as many left. */
export function spendPkcs12(work: PasswordWork, iterations: bigint, keys: number): number {
  return spend(work, iterations, costOfPkcs12 * keys)
}

/** Digests of PBKDF2 by the object identifier of their HMAC. */
const pseudoRandomFunctions: Record<string, string> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  [oids.hmacWithSha256]: 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}

interface Scheme {
  /** Bytes. */
  keyLength: number
  decrypt(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array
}

const library = (cipher: string, keyLength: number): Scheme => ({
  keyLength,
  decrypt: (key, iv, ciphertext) => {
    const decipher = createDecipheriv(cipher, key, iv)
    const parts = [decipher.update(ciphertext), decipher.final()]
    const plain = Buffer.concat(parts)
    for (const part of parts) part.fill(0)
    return plain
  },
})

/** Encryption schemes of PBES2. */
const schemes: Record<string, Scheme> = {
  '2.16.840.1.101.3.4.1.2': library('aes-128-cbc', 16),
  '2.16.840.1.101.3.4.1.22': library('aes-192-cbc', 24),
  [oids.aes256Cbc]: library('aes-256-cbc', 32),
  '1.2.840.113549.3.7': library('des-ede3-cbc', 24),
}

/** Schemes of PKCS#12, all with SHA-1. RC2 is what Windows and OpenSSL 1 put around certificates. */
const pkcs12Schemes: Record<string, Scheme> = {
  [oids.pbeWithSha1And3KeyTripleDes]: library('des-ede3-cbc', 24),
  '1.2.840.113549.1.12.1.4': library('des-ede-cbc', 16),
  '1.2.840.113549.1.12.1.5': { keyLength: 16, decrypt: decryptRc2 },
  '1.2.840.113549.1.12.1.6': { keyLength: 5, decrypt: decryptRc2 },
}

/**
 * Decrypts what an AlgorithmIdentifier describes; the caller clears it. Throws CryptoRefusal:
 * `unsupported`, `parameters`, and `failure` for a wrong password and wrong data alike.
 */
export function decryptByPassword(
  algorithm: AsnType | undefined,
  ciphertext: Uint8Array,
  password: Uint8Array,
  work: PasswordWork,
): Uint8Array {
  const [name, parameters] = members(algorithm)
  const id = oidOf(name)
  if (id === oids.pbes2) return decryptPbes2(members(parameters), ciphertext, password, work)
  const scheme = pkcs12Schemes[id]
  if (scheme === undefined) throw unsupported(id)
  const [salt, count] = members(parameters)
  const iterations = spendPkcs12(work, integerOf(count), 3)
  const text = passwordText(password)
  const derive = (purpose: 'encryption' | 'iv', length: number) =>
    pkcs12Key('sha1', purpose, text, octetsOf(salt), iterations, length)
  const key = derive('encryption', scheme.keyLength)
  return decrypted(scheme, key, derive('iv', 8), ciphertext)
}

/** The password as text, which PKCS#12 derives from. Throws CryptoRefusal `parameters`. */
export function passwordText(password: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(password)
  } catch (error) {
    throw new CryptoRefusal('parameters', 'the password is not text', error)
  }
}

function decryptPbes2(
  [derivation, encryption]: AsnType[],
  ciphertext: Uint8Array,
  password: Uint8Array,
  work: PasswordWork,
): Uint8Array {
  const [derivationName, derivationParameters] = members(derivation)
  if (oidOf(derivationName) !== oids.pbkdf2) throw unsupported(oidOf(derivationName))
  const [salt, count, ...others] = members(derivationParameters)
  const prf = others.find((element) => element.idBlock.tagNumber === 16)
  const digestId = prf === undefined ? '1.2.840.113549.2.7' : oidOf(members(prf)[0])
  const digest = pseudoRandomFunctions[digestId]
  if (digest === undefined) throw unsupported(digestId)
  const [schemeName, iv] = members(encryption)
  const scheme = schemes[oidOf(schemeName)]
  if (scheme === undefined) throw unsupported(oidOf(schemeName))
  const iterations = spend(work, integerOf(count), 2)
  const key = pbkdf2Sync(password, octetsOf(salt), iterations, scheme.keyLength, digest)
  return decrypted(scheme, key, octetsOf(iv), ciphertext)
}

function decrypted(scheme: Scheme, key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array) {
  try {
    return scheme.decrypt(key, iv, ciphertext)
  } catch (error) {
    throw cryptographicFailure(error)
  } finally {
    key.fill(0)
  }
}

function spend(work: PasswordWork, iterations: bigint, cost: number): number {
  if (iterations < 1n || iterations * BigInt(cost) > BigInt(work.left))
    throw new CryptoRefusal('parameters', `${iterations} iterations are none or too many`)
  work.left -= Number(iterations) * cost
  return Number(iterations)
}

function unsupported(id: string): CryptoRefusal {
  return new CryptoRefusal('unsupported', `password protection ${id} is not supported`)
}
