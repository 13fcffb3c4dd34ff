/** Key pairs for certificates: making them, writing them down, and saying how strong one is. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generate,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { Secret } from './secret.ts'

/** The kinds of key pair that we make ourselves. */
export const keyTypes = ['rsa2048', 'rsa3072', 'p256', 'p384', 'ml-kem-1024'] as const
export type KeyType = (typeof keyTypes)[number]

export interface KeyPair {
  privateKey: KeyObject
  publicKey: KeyObject
}

/** Makes a key pair off the event loop: an RSA pair takes from 0.1 s to some seconds. */
export async function generateKeyPair(type: KeyType): Promise<KeyPair> {
  switch (type) {
    case 'rsa2048':
      return promisify(generate)('rsa', { modulusLength: 2048 })
    case 'rsa3072':
      return promisify(generate)('rsa', { modulusLength: 3072 })
    case 'p256':
      return promisify(generate)('ec', { namedCurve: 'P-256' })
    case 'p384':
      return promisify(generate)('ec', { namedCurve: 'P-384' })
    case 'ml-kem-1024':
      return promisify(generate)('ml-kem-1024')
  }
}

/** PKCS#8 DER of a private key, in the clear: seal it, or wipe it after use. */
export function privateKeyDer(key: KeyObject): Uint8Array {
  return key.export({ type: 'pkcs8', format: 'der' })
}

/** SubjectPublicKeyInfo of a public or private key, DER. */
export function publicKeyDer(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'public' ? key : createPublicKey(key)
  return publicKey.export({ type: 'spki', format: 'der' })
}

/** PKCS#8 PEM of a private key, in the clear. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** The private key behind PKCS#8 DER as {@link privateKeyDer} wrote it. The secret stays the caller's. */
export function privateKeyFrom(secret: Secret): KeyObject {
  return createPrivateKey({ key: Buffer.from(secret.bytes), format: 'der', type: 'pkcs8' })
}

/** What kind of public key it is, for people (`RSA-2048`, `P-256`), and whether that is strong enough. */
export interface KeyStrength {
  name: string
  strong: boolean
}

const curveNames: Record<string, string> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}

/** Strong: RSA of 2,048 to 8,192 bits, the curves P-256, P-384 and P-521, Ed25519. Nothing else. */
export function keyStrength(key: KeyObject): KeyStrength {
  const type = key.asymmetricKeyType
  if (type === 'rsa' || type === 'rsa-pss') {
    const size = key.asymmetricKeyDetails?.modulusLength ?? 0
    return { name: `RSA-${size}`, strong: size >= 2048 && size <= 8192 }
  }
  if (type === 'ec') {
    const curve = key.asymmetricKeyDetails?.namedCurve ?? 'unknown curve'
    const name = curveNames[curve]
    return { name: name ?? `EC ${curve}`, strong: name !== undefined }
  }
  if (type === 'ed25519') return { name: 'Ed25519', strong: true }
  return { name: type ?? 'unknown', strong: false }
}
