/** A kept object as a key that src/crypto computes with – KMIP 2.1 §2, §3. */
import type { PrivateHalf, PublicHalf } from '../../crypto/key-formats/asymmetric-key.ts'
import { readPrivateKey, readPublicKey } from '../../crypto/key-formats.ts'
import type { Algorithm } from '../../crypto/parameters.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { KeyBlock } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'

/**
 * `octets`: a symmetric key, or secret data, whose bytes are a view of the unsealed material;
 * `private` and `public`: a key of a pair, held by the crypto library.
 */
export type UsableKey =
  | { readonly kind: 'octets'; readonly bytes: Uint8Array }
  | { readonly kind: 'private'; readonly half: PrivateHalf }
  | { readonly kind: 'public'; readonly half: PublicHalf }

/** Object types that hold something to compute with. */
export type UsableType = 'SymmetricKey' | 'SecretData' | 'PrivateKey' | 'PublicKey' | 'Certificate'

/**
 * The key in the fields of an object, which are in the clear. Throws KmipError when its value is not
 * here, CryptoRefusal when its format is none that is computed with.
 */
export function usableKey(object: ManagedObject, fields: object): UsableKey {
  if ('CertificateValue' in fields)
    return { kind: 'public', half: readPublicKey('X_509', fields.CertificateValue) }
  const { KeyFormatType, KeyValue } = (fields as { KeyBlock: KeyBlock }).KeyBlock
  if (KeyValue?.type !== 'Structure')
    throw new KmipError('KeyValueNotPresent', `the value of object ${object.id} is not here`)
  const { KeyMaterial } = KeyValue.value
  const hints = {
    algorithm: algorithmOf(object),
    recommendedCurve: object.attributes.first('CryptographicDomainParameters')?.RecommendedCurve,
    trusted: true,
  }
  switch (object.objectType) {
    case 'PrivateKey':
      return { kind: 'private', half: readPrivateKey(KeyFormatType, KeyMaterial, hints) }
    case 'PublicKey':
      return { kind: 'public', half: readPublicKey(KeyFormatType, KeyMaterial, hints) }
    default:
      return { kind: 'octets', bytes: octetsOf(KeyMaterial) }
  }
}

/** A copy that outlives the act, since what an act unseals is wiped when the act is given up. */
export function copyOf(key: UsableKey): UsableKey {
  return key.kind === 'octets' ? { ...key, bytes: Uint8Array.from(key.bytes) } : key
}

/** Clears the bytes of a copy. */
export function wipeCopy(key: UsableKey): void {
  if (key.kind === 'octets') key.bytes.fill(0)
}

/** Cryptographic Algorithm of an object; a number where there is no name for it. */
export function algorithmOf({ attributes }: ManagedObject): Algorithm | undefined {
  return attributes.first('CryptographicAlgorithm')
}

function octetsOf(material: unknown): Uint8Array {
  const bytes = material instanceof Uint8Array ? material : (material as { Key: Uint8Array }).Key
  if (bytes instanceof Uint8Array) return bytes
  throw new TypeError('kept key material is neither bytes nor a transparent symmetric key')
}
