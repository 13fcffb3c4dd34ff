/**
 * A key encapsulation that holds as long as one of two does: ECDH on P-384 (NIST SP 800-56A) or
 * ML-KEM-1024 (FIPS 203).
 *
 * ciphertext = ephemeral P-384 point, uncompressed (97 bytes) ‖ ML-KEM-1024 ciphertext (1 568 bytes)
 * secret = HMAC-SHA-384(label, ML-KEM secret (32) ‖ ECDH secret (48) ‖ ciphertext ‖ ML-KEM public key
 * (1 568) ‖ P-384 public key (97))
 *
 * That is HKDF-Extract (RFC 5869) over both secrets side by side, as NIST SP 800-56C revision 2 §2
 * provides for hybrids: the output cannot be told from random by anybody who lacks one of them. Every
 * part has a fixed length, so the input can be read in one way only. Both ciphertexts and public keys
 * are hashed in: an adversary who breaks one part cannot alter it and have the secret of the other
 * reused (Giacon, Heuer, Poettering 2018). It has the shape of the composite KEMs that LAMPS works on,
 * under an identifier of our own.
 */
import {
  createHmac,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { CryptoRefusal, orFailure } from './crypto-refusal.ts'
import { Secret } from './secret.ts'

/** The two public keys of a recipient. */
export interface HybridPublicKey {
  readonly ec: KeyObject
  readonly mlKem: KeyObject
}

/** The two private keys. */
export type HybridPrivateKey = HybridPublicKey

const label = 'keyreel hybrid KEM P-384 ML-KEM-1024 v1'
const pointLength = 97
const kemLength = 1568

/** Length of the ciphertext in bytes. */
export const hybridCiphertextLength = pointLength + kemLength

/** A fresh secret of 48 bytes, and what lets the recipient find it too. */
export function hybridEncapsulate(recipient: HybridPublicKey): {
  secret: Secret
  ciphertext: Uint8Array
} {
  demandKeys(recipient)
  const ephemeral = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const ecdh = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient.ec })
  const { sharedKey, ciphertext } = encapsulate(recipient.mlKem)
  const both = Buffer.concat([pointOf(ephemeral.publicKey), ciphertext])
  return { secret: combined(sharedKey, ecdh, both, recipient), ciphertext: both }
}

/** The secret of a ciphertext. Throws CryptoRefusal `failure` for one that cannot be. */
export function hybridDecapsulate(recipient: HybridPrivateKey, ciphertext: Uint8Array): Secret {
  const publicKeys = {
    ec: createPublicKey(recipient.ec),
    mlKem: createPublicKey(recipient.mlKem),
  }
  demandKeys(publicKeys)
  if (ciphertext.length !== hybridCiphertextLength)
    throw new CryptoRefusal('parameters', 'a hybrid ciphertext has another length')
  return orFailure(() => {
    const point = publicKeyFromPoint(ciphertext.subarray(0, pointLength))
    const ecdh = diffieHellman({ privateKey: recipient.ec, publicKey: point })
    const sharedKey = decapsulate(recipient.mlKem, ciphertext.subarray(pointLength))
    return combined(sharedKey, ecdh, ciphertext, publicKeys)
  })
}

function combined(
  mlKemSecret: Uint8Array,
  ecdhSecret: Uint8Array,
  ciphertext: Uint8Array,
  { ec, mlKem }: HybridPublicKey,
): Secret {
  const hmac = createHmac('sha384', label)
  for (const part of [mlKemSecret, ecdhSecret, ciphertext, rawKey(mlKem), pointOf(ec)])
    hmac.update(part)
  mlKemSecret.fill(0)
  ecdhSecret.fill(0)
  return new Secret(hmac.digest())
}

function demandKeys({ ec, mlKem }: HybridPublicKey): void {
  const fits =
    ec.asymmetricKeyDetails?.namedCurve === 'secp384r1' && mlKem.asymmetricKeyType === 'ml-kem-1024'
  if (!fits) throw new CryptoRefusal('parameters', 'the hybrid KEM takes P-384 and ML-KEM-1024')
}

/** The key of a SubjectPublicKeyInfo is its end, and both have a fixed length. */
function rawKey(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' }).subarray(-kemLength)
}

/** The uncompressed point of a P-384 key. */
function pointOf(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' }).subarray(-pointLength)
}

/** SubjectPublicKeyInfo of P-384 up to the point (RFC 5480). */
const p384Prefix = Buffer.from('3076301006072a8648ce3d020106052b81040022036200', 'hex')

function publicKeyFromPoint(point: Uint8Array): KeyObject {
  return createPublicKey({
    key: Buffer.concat([p384Prefix, point]),
    format: 'der',
    type: 'spki',
  })
}
