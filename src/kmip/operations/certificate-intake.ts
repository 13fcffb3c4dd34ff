/**
 * Certificates and certificate requests as they come in – KMIP 2.1 §2.1, §2.2. X.509 certificates are
 * read for their attributes and trusted in nothing; PGP certificates are kept as the data they are.
 */
import { readCertificateFacts } from '../../crypto/certificate-attributes.ts'
import { readCertificateRequest } from '../../crypto/certify.ts'
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import {
  isOfAlgorithm,
  isOfLength,
  type PublicHalf,
} from '../../crypto/key-formats/asymmetric-key.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { attributes as rows, type AttributeName } from '../model/attributes.ts'
import { KmipError } from '../model/result.ts'
import { noteFact, setDigest } from './object-facts.ts'

interface CertificateFields {
  CertificateType: 'X_509' | 'PGP' | number
  CertificateValue: Uint8Array
}

/** Sets what the certificate says; answers its fields. */
export function describeCertificate(object: ManagedObject, fields: CertificateFields): object {
  const { CertificateType, CertificateValue } = fields
  noteFact(object, 'CertificateType', CertificateType)
  noteFact(object, 'CertificateLength', CertificateValue.length)
  if (CertificateType === 'X_509') describeX509(object, CertificateValue)
  else if (CertificateType !== 'PGP')
    throw new KmipError('InvalidField', `unknown Certificate Type ${CertificateType}`)
  object.vitals.KeyFormatType = CertificateType === 'X_509' ? 'X_509' : 'Raw'
  // TC-CERTATTR-1-14 calls the bytes of a certificate Raw.
  setDigest(object, CertificateValue, 'Raw')
  return fields
}

/**
 * A certificate out of a PKCS#12 file as TC-PKCS12-2-14 shows it, and TC-CERTATTR-1-14 does not show one
 * that is registered: its Digest names no format, its serial number stands without the DER header.
 */
export function describeCompanion(object: ManagedObject, certificate: Uint8Array): void {
  const { attributes } = object
  setDigest(object, certificate, undefined)
  const identifier = attributes.first('X_509CertificateIdentifier')
  if (identifier === undefined) return
  const [tag, length, ...number] = identifier.CertificateSerialNumber
  // RFC 5280 allows 20 bytes; a number that needs a longer header is left in DER.
  if (tag !== 0x02 || length !== number.length) return
  attributes.set('X_509CertificateIdentifier', {
    ...identifier,
    CertificateSerialNumber: Uint8Array.from(number),
  })
}

/** Attributes that are the key's; domain parameters are no attribute of a certificate. */
const ofTheKey: ReadonlySet<AttributeName> = new Set([
  'CryptographicAlgorithm',
  'CryptographicLength',
  'CryptographicDomainParameters',
])

function describeX509(object: ManagedObject, der: Uint8Array): void {
  const { attributes, publicKey } = readable(() => readCertificateFacts(der))
  if (publicKey !== undefined) noteKeyOf(object, publicKey)
  for (const [name, values] of Object.entries(attributes)) {
    const tag = name as AttributeName
    if (ofTheKey.has(tag)) continue
    if (!rows[tag].multiple) noteFact(object, tag, values[0] as never)
    else if (object.attributes.first(tag) === undefined)
      for (const value of values) object.attributes.add({ tag, value })
    else noteFact(object, tag, values[0] as never)
  }
}

/** A client may call the algorithm of a curve by its use, and the length by its curve. */
function noteKeyOf(object: ManagedObject, key: PublicHalf): void {
  const { attributes } = object
  const algorithm = attributes.first('CryptographicAlgorithm') ?? key.algorithm
  const length = attributes.first('CryptographicLength') ?? key.length
  if (!isOfAlgorithm(algorithm, key) || !isOfLength(length, key)) {
    throw new KmipError('InvalidField', `its key is of ${key.algorithm} with ${key.length} bits`)
  }
  attributes.set('CryptographicAlgorithm', algorithm)
  attributes.set('CryptographicLength', length)
}

interface RequestFields {
  CertificateRequestType: 'CRMF' | 'PKCS_10' | 'PEM' | number
  CertificateRequestValue: Uint8Array
}

/** Sets what the request says; answers its fields. CRMF is kept as the data it is. */
export function describeCertificateRequest(object: ManagedObject, fields: RequestFields): object {
  const { CertificateRequestType: type, CertificateRequestValue: bytes } = fields
  if (type === 'PKCS_10' || type === 'PEM') {
    const { publicKey } = readable(() => readCertificateRequest(bytes))
    noteKeyOf(object, publicKey)
  }
  object.vitals.KeyFormatType = 'PKCS_10'
  setDigest(object, bytes, 'PKCS_10')
  return fields
}

function readable<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    throw new KmipError('InvalidField', error.message, { cause: error })
  }
}
