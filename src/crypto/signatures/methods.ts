/**
 * Which signature is meant: Digital Signature Algorithm – KMIP 2.1 §11.16 – or Cryptographic and
 * Hashing Algorithm with the Padding Method, as KMIP 2.1 §4.16 offers both.
 */
import type { AttributeValueOf } from '../../kmip/model/attributes.ts'
import { CryptoRefusal } from '../crypto-refusal.ts'
import { isOfAlgorithm, type KeyFacts } from '../key-formats/asymmetric-key.ts'
import { named, type CryptographicParameters, type HashingAlgorithm } from '../parameters.ts'

export type DigitalSignatureAlgorithm = AttributeValueOf<'DigitalSignatureAlgorithm'>

/** One way to sign. */
export interface SignatureMethod {
  scheme: 'PKCS1V1_5' | 'PSS' | 'ECDSA' | 'DSA' | 'EdDSA'
  /** Undefined where digested data is signed as it is, and for EdDSA. */
  hash: HashingAlgorithm | undefined
  /** Of PSS; undefined where the parameters leave it open. Bytes. */
  saltLength: number | undefined
  /** Of PSS; undefined where the parameters leave it open. */
  maskHash: HashingAlgorithm | undefined
}

interface Row {
  algorithm: 'RSA' | 'ECDSA' | 'DSA'
  scheme: SignatureMethod['scheme']
  hash?: HashingAlgorithm
}

const pkcs1 = (hash: HashingAlgorithm): Row => ({ algorithm: 'RSA', scheme: 'PKCS1V1_5', hash })
const dsa = (hash: HashingAlgorithm): Row => ({ algorithm: 'DSA', scheme: 'DSA', hash })
const ecdsa = (hash: HashingAlgorithm): Row => ({ algorithm: 'ECDSA', scheme: 'ECDSA', hash })

const rows: { readonly [Name in DigitalSignatureAlgorithm]?: Row } = {
  MD2WithRSAEncryption: pkcs1('MD2'),
  MD5WithRSAEncryption: pkcs1('MD5'),
  SHA_1WithRSAEncryption: pkcs1('SHA_1'),
  SHA_224WithRSAEncryption: pkcs1('SHA_224'),
  SHA_256WithRSAEncryption: pkcs1('SHA_256'),
  SHA_384WithRSAEncryption: pkcs1('SHA_384'),
  SHA_512WithRSAEncryption: pkcs1('SHA_512'),
  SHA3_256WithRSAEncryption: pkcs1('SHA3_256'),
  SHA3_384WithRSAEncryption: pkcs1('SHA3_384'),
  SHA3_512WithRSAEncryption: pkcs1('SHA3_512'),
  RSASSA_PSS: { algorithm: 'RSA', scheme: 'PSS' },
  DSAWithSHA_1: dsa('SHA_1'),
  DSAWithSHA224: dsa('SHA_224'),
  DSAWithSHA256: dsa('SHA_256'),
  ECDSAWithSHA_1: ecdsa('SHA_1'),
  ECDSAWithSHA224: ecdsa('SHA_224'),
  ECDSAWithSHA256: ecdsa('SHA_256'),
  ECDSAWithSHA384: ecdsa('SHA_384'),
  ECDSAWithSHA512: ecdsa('SHA_512'),
}

/** Whether the parameters ask for a signature of this key's algorithm; saying nothing does. */
export function areForKey(key: KeyFacts, parameters: CryptographicParameters): boolean {
  const { DigitalSignatureAlgorithm: wanted, CryptographicAlgorithm: algorithm } = parameters
  const row = wanted === undefined ? undefined : rows[wanted]
  return (
    (row === undefined || isOfAlgorithm(row.algorithm, key)) &&
    (algorithm === undefined || isOfAlgorithm(algorithm, key))
  )
}

/**
 * The method that the parameters ask for. RSA without a Padding Method is PKCS#1 v1.5. Throws
 * CryptoRefusal `parameters`, `unsupported`.
 */
export function signatureMethod(
  key: KeyFacts,
  parameters: CryptographicParameters,
): SignatureMethod {
  if (!areForKey(key, parameters))
    throw new CryptoRefusal('parameters', `the key is one of ${key.algorithm}`)
  const { DigitalSignatureAlgorithm: wanted, HashingAlgorithm } = parameters
  const row = wanted === undefined ? undefined : rows[wanted]
  if (wanted !== undefined && row === undefined)
    throw new CryptoRefusal('unsupported', `${named(wanted)} is not supported`)
  if (row?.hash !== undefined && HashingAlgorithm !== undefined && row.hash !== HashingAlgorithm)
    throw new CryptoRefusal('parameters', `${wanted} is not with ${named(HashingAlgorithm)}`)
  const { SaltLength: saltLength, MaskGeneratorHashingAlgorithm: maskHash } = parameters
  const scheme = row?.scheme ?? schemeOf(key, parameters)
  if (scheme === 'PSS') checkPss(parameters)
  return { scheme, hash: row?.hash ?? HashingAlgorithm, saltLength, maskHash }
}

function schemeOf(
  key: KeyFacts,
  {
    PaddingMethod: padding,
    HashingAlgorithm: hash,
    CryptographicAlgorithm: algorithm,
  }: CryptographicParameters,
): SignatureMethod['scheme'] {
  switch (key.algorithm) {
    case 'RSA':
      if (padding === undefined || padding === 'PKCS1V1_5') return 'PKCS1V1_5'
      if (padding === 'PSS') return 'PSS'
      throw new CryptoRefusal('unsupported', `${named(padding)} is no padding of signatures here`)
    case 'DSA':
      return 'DSA'
    case 'EC':
      if (isForAgreement(key) || algorithm === 'ECDH' || algorithm === 'ECMQV') break
      return 'ECDSA'
    case 'Ed25519':
    case 'Ed448':
      if (hash === undefined || (hash === 'SHA_512' && key.algorithm === 'Ed25519')) return 'EdDSA'
      throw new CryptoRefusal('parameters', `${key.algorithm} takes no Hashing Algorithm`)
  }
  throw new CryptoRefusal('parameters', `a key of ${key.algorithm} does not sign here`)
}

function isForAgreement({ recommendedCurve }: KeyFacts): boolean {
  return recommendedCurve === 'CURVE25519' || recommendedCurve === 'CURVE448'
}

function checkPss({ MaskGenerator, TrailerField, SaltLength = 0 }: CryptographicParameters): void {
  if (MaskGenerator !== undefined && MaskGenerator !== 'MGF1')
    throw new CryptoRefusal('unsupported', `Mask Generator ${named(MaskGenerator)} is unknown`)
  if (TrailerField !== undefined && TrailerField !== 1)
    throw new CryptoRefusal('unsupported', `Trailer Field ${TrailerField} is unknown`)
  if (SaltLength < 0) throw new CryptoRefusal('parameters', 'Salt Length is negative')
}
