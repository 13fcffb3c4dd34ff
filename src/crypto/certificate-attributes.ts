/**
 * What an X.509 certificate (RFC 5280) says, as KMIP attributes: those of KMIP 2.1 §4.8, §4.13–§4.15,
 * §4.22, §4.61–§4.63 and of KMIP 1.4 §3.13–§3.15. Nothing here means that it is trusted.
 */
import type { AttributeName, AttributeValueOf } from '../kmip/model/attributes.ts'
import { Primitive, type AsnType } from 'asn1js'
import { Certificate, type Extension } from 'pkijs'
import { readDer, writeDer } from './asn1.ts'
import { CryptoRefusal } from './crypto-refusal.ts'
import { nameText, partsOfName, type NamePart } from './distinguished-names.ts'
import { readPublicKey } from './key-formats.ts'
import { members } from './key-formats/asn1-values.ts'
import { domainParameters, type PublicHalf } from './key-formats/asymmetric-key.ts'
import type { DigitalSignatureAlgorithm } from './signatures/methods.ts'

/** Values of attributes, each name with all of its instances in their order. */
export type AttributeValues = {
  -readonly [Name in AttributeName]?: readonly AttributeValueOf<Name>[]
}

/** A certificate, read. */
export interface CertificateFacts {
  attributes: AttributeValues
  /** Undefined for a key of an algorithm that is not supported. */
  publicKey: PublicHalf | undefined
  /** DER of the Names. */
  subject: Uint8Array
  issuer: Uint8Array
  /** DER of the INTEGER. */
  serialNumber: Uint8Array
  /** Seconds since 1970; both ends belong to the validity. */
  notBefore: bigint
  notAfter: bigint
}

const largestInput = 64 * 1024

/** Digital Signature Algorithm by the object identifier in the certificate; EdDSA has no name. */
export const signatureAlgorithmsByOid: Record<string, DigitalSignatureAlgorithm> = {
  '1.2.840.113549.1.1.2': 'MD2WithRSAEncryption',
  '1.2.840.113549.1.1.4': 'MD5WithRSAEncryption',
  '1.2.840.113549.1.1.5': 'SHA_1WithRSAEncryption',
  '1.3.14.3.2.29': 'SHA_1WithRSAEncryption',
  '1.2.840.113549.1.1.14': 'SHA_224WithRSAEncryption',
  '1.2.840.113549.1.1.11': 'SHA_256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'SHA_384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'SHA_512WithRSAEncryption',
  '1.2.840.113549.1.1.10': 'RSASSA_PSS',
  '1.2.840.10040.4.3': 'DSAWithSHA_1',
  '2.16.840.1.101.3.4.3.1': 'DSAWithSHA224',
  '2.16.840.1.101.3.4.3.2': 'DSAWithSHA256',
  '1.2.840.10045.4.1': 'ECDSAWithSHA_1',
  '1.2.840.10045.4.3.1': 'ECDSAWithSHA224',
  '1.2.840.10045.4.3.2': 'ECDSAWithSHA256',
  '1.2.840.10045.4.3.3': 'ECDSAWithSHA384',
  '1.2.840.10045.4.3.4': 'ECDSAWithSHA512',
  '2.16.840.1.101.3.4.3.14': 'SHA3_256WithRSAEncryption',
  '2.16.840.1.101.3.4.3.15': 'SHA3_384WithRSAEncryption',
  '2.16.840.1.101.3.4.3.16': 'SHA3_512WithRSAEncryption',
}

/** Reads a Certificate Value of type X.509. Throws CryptoRefusal `parameters` for anything else. */
export function readCertificateFacts(der: Uint8Array): CertificateFacts {
  if (der.length > largestInput) throw notACertificate(`it is larger than ${largestInput} bytes`)
  try {
    return factsOf(der, new Certificate({ schema: readDer(der) }))
  } catch (error) {
    if (error instanceof CryptoRefusal) throw error
    throw notACertificate('it cannot be decoded', error)
  }
}

function factsOf(der: Uint8Array, certificate: Certificate): CertificateFacts {
  const subject = new Uint8Array(certificate.subject.valueBeforeDecode)
  const issuer = new Uint8Array(certificate.issuer.valueBeforeDecode)
  const serialNumber = writeDer(certificate.serialNumber)
  const publicKey = keyOf(certificate)
  const signedBy = signatureAlgorithmsByOid[certificate.signatureAlgorithm.algorithmId]
  const domain = publicKey && domainParameters(publicKey)
  const extensions = certificate.extensions ?? []
  const attributes: AttributeValues = {
    CertificateType: ['X_509'],
    CertificateLength: [der.length],
    ...(publicKey && {
      CryptographicAlgorithm: [publicKey.algorithm],
      CryptographicLength: [publicKey.length],
    }),
    ...(domain && { CryptographicDomainParameters: [domain] }),
    ...(signedBy && { DigitalSignatureAlgorithm: [signedBy] }),
    X_509CertificateIdentifier: [
      { IssuerDistinguishedName: issuer, CertificateSerialNumber: serialNumber },
    ],
    ...ofSubject(subject, alternativeNames(extensions, '2.5.29.17')),
    ...ofIssuer(issuer, alternativeNames(extensions, '2.5.29.18')),
    CertificateIdentifier: [{ Issuer: nameText(issuer), SerialNumber: hexadecimal(certificate) }],
    ...partAttributes('CertificateSubject', partsOfName(subject)),
    ...partAttributes('CertificateIssuer', partsOfName(issuer)),
  }
  const notBefore = seconds(certificate.notBefore.value)
  const notAfter = seconds(certificate.notAfter.value)
  return { attributes, publicKey, subject, issuer, serialNumber, notBefore, notAfter }
}

function ofSubject(name: Uint8Array, alternatives: AsnType[]): AttributeValues {
  return {
    X_509CertificateSubject: [
      {
        SubjectDistinguishedName: emptyWhenNameless(name),
        SubjectAlternativeName: alternatives.map(writeDer),
      },
    ],
    CertificateSubject: [
      {
        CertificateSubjectDistinguishedName: nameText(name),
        CertificateSubjectAlternativeName: alternatives.flatMap(alternativeText),
      },
    ],
  }
}

function ofIssuer(name: Uint8Array, alternatives: AsnType[]): AttributeValues {
  return {
    X_509CertificateIssuer: [
      {
        IssuerDistinguishedName: name,
        IssuerAlternativeName: alternatives.map(writeDer),
      },
    ],
    CertificateIssuer: [
      {
        CertificateIssuerDistinguishedName: nameText(name),
        CertificateIssuerAlternativeName: alternatives.flatMap(alternativeText),
      },
    ],
  }
}

/** §4.63: a certificate without a subject has an empty string here, not an empty Name. */
function emptyWhenNameless(name: Uint8Array): Uint8Array {
  return name.length === 2 ? new Uint8Array(0) : name
}

/** Certificate Subject CN and the like, in every instance. */
function partAttributes(
  owner: 'CertificateSubject' | 'CertificateIssuer',
  parts: Partial<Record<NamePart, string[]>>,
): AttributeValues {
  const rows = Object.entries(parts).map(([part, values]) => [`${owner}${part}`, values])
  return Object.fromEntries(rows) as AttributeValues
}

/** The GeneralName elements (RFC 5280 §4.2.1.6) of an extension, as they stand. */
function alternativeNames(extensions: readonly Extension[], id: string): AsnType[] {
  const found = extensions.find(({ extnID }) => extnID === id)
  return found === undefined ? [] : members(readDer(found.extnValue.valueBlock.valueHexView))
}

/** rfc822Name, dNSName and URI as they stand, addresses in their usual form; others have no text. */
function alternativeText(name: AsnType): string[] {
  if (!(name instanceof Primitive)) return []
  const bytes = Buffer.from(name.valueBlock.valueHexView)
  switch (name.idBlock.tagNumber) {
    case 1:
    case 2:
    case 6:
      return [bytes.toString('latin1')]
    case 7:
      return addressText(bytes)
  }
  return []
}

function addressText(bytes: Buffer): string[] {
  if (bytes.length === 4) return [bytes.join('.')]
  if (bytes.length !== 16) return []
  const groups = bytes.toString('hex').match(/.{4}/g)!.join(':')
  return [new URL(`http://[${groups}]`).hostname.slice(1, -1)]
}

function keyOf({ subjectPublicKeyInfo }: Certificate): PublicHalf | undefined {
  try {
    const info = writeDer(subjectPublicKeyInfo.toSchema())
    return readPublicKey('X_509', info, { trusted: true })
  } catch (error) {
    if (error instanceof CryptoRefusal) return undefined
    throw error
  }
}

function hexadecimal({ serialNumber }: Certificate): string {
  return Buffer.from(serialNumber.valueBlock.valueHexView).toString('hex')
}

function seconds(time: Date): bigint {
  return BigInt(Math.floor(time.getTime() / 1000))
}

function notACertificate(found: string, cause?: unknown): CryptoRefusal {
  return new CryptoRefusal('parameters', `not an X.509 certificate: ${found}`, cause)
}
