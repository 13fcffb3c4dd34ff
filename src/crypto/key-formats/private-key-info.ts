/**
 * PrivateKeyInfo (RFC 5208, RFC 5958), its encrypted form, and SubjectPublicKeyInfo (RFC 5280): which
 * algorithm the key inside is of, and that key.
 */
import { ObjectIdentifier, OctetString, Sequence, type AsnType } from 'asn1js'
import { readDer } from '../asn1.ts'
import { CryptoRefusal, orFailure } from '../crypto-refusal.ts'
import { bitsOf, decoding, integerOf, keyOids, members, octetsOf, oidOf } from './asn1-values.ts'
import type { PrivateHalf, PublicHalf } from './asymmetric-key.ts'
import { curveByOid } from './curves.ts'
import { ecPrivateKeyFromSec1, ecPublicKey } from './ec.ts'
import { domainFrom, finiteFieldPrivateKey, finiteFieldPublicKey } from './finite-field.ts'
import { octetKeyTypeOfOid, octetPrivateKey, octetPublicKey, octetsInside } from './octet-keys.ts'
import { decryptByPassword, passwordWork, type PasswordWork } from './password-encryption.ts'
import { rsaPrivateFromPkcs1, rsaPrivateKey, rsaPublicFromPkcs1, rsaPublicKey } from './rsa.ts'

/** Whether it is an EncryptedPrivateKeyInfo; false for anything else. */
export function isEncryptedPrivateKeyInfo(bytes: Uint8Array): boolean {
  try {
    return decoding('PKCS#8 key', bytes, (root) => isEncrypted(members(root)))
  } catch {
    return false
  }
}

/** An algorithm and ciphertext (RFC 5208 §6); a SubjectPublicKeyInfo has a BIT STRING there. */
function isEncrypted([algorithm, ciphertext, ...others]: readonly AsnType[]): boolean {
  if (!(algorithm instanceof Sequence && ciphertext instanceof OctetString)) return false
  return members(algorithm)[0] instanceof ObjectIdentifier && others.length === 0
}

/**
 * The key inside. An encrypted one needs the password: CryptoRefusal `parameters` without it,
 * `failure` when it does not fit.
 */
export function readPrivateKeyInfo(
  bytes: Uint8Array,
  trusted: boolean,
  password?: Uint8Array,
): PrivateHalf {
  return decoding('PKCS#8 key', bytes, (root) => {
    const [first, second, third] = members(root)
    if (!isEncrypted(members(root))) return keyInside(first, second, third, trusted)
    if (password === undefined)
      throw new CryptoRefusal('parameters', 'the PKCS#8 key is encrypted and has no password here')
    return decryptedKey(first, octetsOf(second), trusted, password, passwordWork())
  })
}

/**
 * The key of an EncryptedPrivateKeyInfo, which PKCS#12 calls a shrouded key bag. A wrong password may
 * well decrypt to something: that it is no key is a failure like any other.
 */
export function decryptedKey(
  algorithm: AsnType | undefined,
  ciphertext: Uint8Array,
  trusted: boolean,
  password: Uint8Array,
  work: PasswordWork,
): PrivateHalf {
  const info = decryptByPassword(algorithm, ciphertext, password, work)
  try {
    return orFailure(() => {
      const [version, inner, key] = members(readDer(info))
      return keyInside(version, inner, key, trusted)
    })
  } finally {
    info.fill(0)
  }
}

/** The key of a SubjectPublicKeyInfo. */
export function readPublicKeyInfo(bytes: Uint8Array, trusted: boolean): PublicHalf {
  return decoding('SubjectPublicKeyInfo', bytes, (root) => {
    const [algorithm, content] = members(root)
    const [name, parameters] = members(algorithm)
    const id = oidOf(name)
    const key = bitsOf(content)
    const type = octetKeyTypeOfOid(id)
    if (type !== undefined) return octetPublicKey(type, key)
    if (id === keyOids.rsa) return rsaPublicKey(rsaPublicFromPkcs1(key))
    if (id === keyOids.ec) return ecPublicKey(curveByOid(oidOf(parameters)), key)
    const field = finiteField(id)
    const Y = decoding('public number', key, integerOf)
    return finiteFieldPublicKey(field, { ...domainFrom(field, parameters), Y }, trusted)
  })
}

/** Version 1 has attributes and a public key behind; they are not looked at. */
function keyInside(
  version: AsnType | undefined,
  algorithm: AsnType | undefined,
  content: AsnType | undefined,
  trusted: boolean,
): PrivateHalf {
  if (integerOf(version) > 1n) throw new Error('a version that is not known')
  const [name, parameters] = members(algorithm)
  const id = oidOf(name)
  const key = octetsOf(content)
  const type = octetKeyTypeOfOid(id)
  if (type !== undefined) return octetKey(type, key)
  if (id === keyOids.rsa) return rsaPrivateKey(rsaPrivateFromPkcs1(key), trusted)
  if (id === keyOids.ec) return ecPrivateKeyFromSec1(key, curveByOid(oidOf(parameters)))
  const field = finiteField(id)
  const X = decoding('private number', key, integerOf)
  return finiteFieldPrivateKey(field, { ...domainFrom(field, parameters), X }, trusted)
}

function octetKey(type: Parameters<typeof octetPrivateKey>[0], key: Uint8Array): PrivateHalf {
  const secret = octetsInside(key)
  try {
    return octetPrivateKey(type, secret)
  } finally {
    secret.fill(0)
  }
}

function finiteField(id: string): 'DSA' | 'DH' {
  if (id === keyOids.dsa) return 'DSA'
  if (id === keyOids.dh) return 'DH'
  throw new CryptoRefusal('unsupported', `keys of algorithm ${id} are not supported`)
}
