/**
 * The recovery key: a pair for the hybrid KEM of hybrid-kem.ts, made from a seed of 32 bytes and from
 * nothing else, so that people who keep parts of the seed keep the key.
 *
 * P-384: 56 bytes of HKDF-SHA-384 (RFC 5869) of the seed, as a number modulo n − 1, plus 1 (FIPS 186-5
 * appendix A.2.1). ML-KEM-1024: 64 bytes of it are d ‖ z (FIPS 203 §7.1). Wrap: KEM ciphertext ‖ AES-256-GCM
 * seal; its key is HKDF-SHA-256 of the KEM's secret.
 */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { CertificateName, Opener } from './cms-recipients.ts'
import { CryptoRefusal } from './crypto-refusal.ts'
import { derTag, element, integer, octets, oid, sequence, setOf } from './der.ts'
import {
  hybridCiphertextLength,
  hybridDecapsulate,
  hybridEncapsulate,
  type HybridPrivateKey,
  type HybridPublicKey,
} from './hybrid-kem.ts'
import { seal, SealBroken, unseal } from './primitives/aead.ts'
import { sha256, toHex } from './primitives/hash.ts'
import { deriveKey } from './primitives/kdf.ts'
import type { Secret } from './secret.ts'

/** Length of the seed in bytes. */
export const recoverySeedLength = 32

const ids = {
  commonName: '2.5.4.3',
  ecPublicKey: '1.2.840.10045.2.1',
  p384: '1.3.132.0.34',
  mlKem1024: '2.16.840.1.101.3.4.4.3',
} as const

/** The order of P-384 (NIST SP 800-186 §3.2.1.4). */
const order = BigInt(
  '0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
)

/** The private keys of a seed, which stays the caller's. */
export function recoveryKeyFrom(seed: Secret): HybridPrivateKey {
  return {
    ec: ecKey(expanded(seed, 'P-384', 56)),
    mlKem: mlKemKey(expanded(seed, 'ML-KEM-1024', 64)),
  }
}

/** The public keys of private ones. */
export function recoveryPublicKey({ ec, mlKem }: HybridPrivateKey): HybridPublicKey {
  return { ec: createPublicKey(ec), mlKem: createPublicKey(mlKem) }
}

/** SubjectPublicKeyInfo of both, base64: how a recovery key is written down. */
export interface WrittenRecoveryKey {
  readonly ec: string
  readonly mlKem: string
}

/** Writes public keys down. */
export function writeRecoveryKey({ ec, mlKem }: HybridPublicKey): WrittenRecoveryKey {
  return { ec: spki(ec).toString('base64'), mlKem: spki(mlKem).toString('base64') }
}

/** Public keys as {@link writeRecoveryKey} wrote them. */
export function readRecoveryKey({ ec, mlKem }: WrittenRecoveryKey): HybridPublicKey {
  const read = (text: string): KeyObject =>
    createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
  return { ec: read(ec), mlKem: read(mlKem) }
}

/** Length of an identifier in bytes. */
export const recoveryIdLength = 8

/** What a recovery key is called: the first 8 bytes of the SHA-256 of both SubjectPublicKeyInfos, hexadecimal. */
export function recoveryKeyId({ ec, mlKem }: HybridPublicKey): string {
  return toHex(sha256(spki(ec), spki(mlKem)).subarray(0, recoveryIdLength))
}

/** How CMS messages name the recovery key: as issuer and serial number of a certificate that nobody issues. */
export function recoveryRecipientName(id: string): CertificateName {
  const name = element(derTag.utf8String, Buffer.from(`keyreel recovery key ${id}`))
  return {
    issuer: sequence(setOf(sequence(oid(ids.commonName), name))),
    serialNumber: element(derTag.integer, Buffer.from(`01${id}`, 'hex')),
  }
}

/** Opens what is encrypted to the recovery key of that identifier. */
export function recoveryOpener(id: string, { ec, mlKem }: HybridPrivateKey): Opener {
  return { name: recoveryRecipientName(id), ec, mlKem }
}

/** `secret` for the holder of the private keys, bound to `context`. */
export function wrapForRecovery(
  recipient: HybridPublicKey,
  secret: Uint8Array,
  context: Uint8Array,
): Uint8Array {
  const { secret: shared, ciphertext } = hybridEncapsulate(recipient)
  try {
    return Buffer.concat([ciphertext, seal(wrapKey(shared), secret, context)])
  } finally {
    shared.wipe()
  }
}

/** The shared secret; a ciphertext that is none was damaged like any other. */
function decapsulated(key: HybridPrivateKey, ciphertext: Uint8Array): Secret {
  try {
    return hybridDecapsulate(key, ciphertext)
  } catch (error) {
    if (error instanceof CryptoRefusal) throw new SealBroken()
    throw error
  }
}

/** What {@link wrapForRecovery} wrapped; the caller clears it. Throws SealBroken. */
export function unwrapByRecovery(
  key: HybridPrivateKey,
  wrap: Uint8Array,
  context: Uint8Array,
): Uint8Array {
  if (wrap.length <= hybridCiphertextLength) throw new SealBroken()
  const shared = decapsulated(key, wrap.subarray(0, hybridCiphertextLength))
  try {
    return unseal(wrapKey(shared), wrap.subarray(hybridCiphertextLength), context)
  } finally {
    shared.wipe()
  }
}

function wrapKey(shared: Secret) {
  return deriveKey(shared.bytes, new Uint8Array(0), 'keyreel 1 recovery wrap')
}

function expanded(seed: Secret, purpose: string, length: number): Uint8Array {
  const info = `keyreel 1 recovery key ${purpose}`
  return new Uint8Array(hkdfSync('sha384', seed.bytes, '', info, length))
}

/** PKCS#8 of P-384 without its point, which is computed when it is read (RFC 5915). */
function ecKey(bytes: Uint8Array): KeyObject {
  const scalar = (BigInt(`0x${toHex(bytes)}`) % (order - 1n)) + 1n
  bytes.fill(0)
  const number = Buffer.from(scalar.toString(16).padStart(96, '0'), 'hex')
  const algorithm = sequence(oid(ids.ecPublicKey), oid(ids.p384))
  return privateKey(algorithm, sequence(integer(1), octets(number)), number)
}

/** PKCS#8 of ML-KEM in its form as a seed (RFC 9935). */
function mlKemKey(bytes: Uint8Array): KeyObject {
  return privateKey(sequence(oid(ids.mlKem1024)), element(0x80, bytes), bytes)
}

function privateKey(algorithm: Uint8Array, inner: Uint8Array, secret: Uint8Array): KeyObject {
  const der = Buffer.from(sequence(integer(0), algorithm, octets(inner)))
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    for (const bytes of [der, inner, secret]) bytes.fill(0)
  }
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}
