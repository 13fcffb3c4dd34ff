/**
 * Certify – KMIP 2.1 §6.1.6 – as far as it is cryptography: PKCS#10 requests (RFC 2986) read and
 * proven, and certificates (RFC 5280) issued by a CA key that is given. The clock is the caller's.
 */
import { BitString, Integer, OctetString } from 'asn1js'
import { createHash, sign } from 'node:crypto'
import * as pkijs from 'pkijs'
import { readDer, writeDer } from './asn1.ts'
import { readCertificateFacts, signatureAlgorithmsByOid } from './certificate-attributes.ts'
import { CryptoRefusal, orFailure } from './crypto-refusal.ts'
import { readPublicKey } from './key-formats.ts'
import { bitsOf, members } from './key-formats/asn1-values.ts'
import {
  isPair,
  publicInfo,
  type PrivateHalf,
  type PublicHalf,
} from './key-formats/asymmetric-key.ts'
import { randomBytes } from './primitives/random.ts'
import { algorithmIdentifier, signatureAlgorithmOf } from './signature-algorithms.ts'
import { verify } from './signatures.ts'

/** What a request asks for; its sender holds the private key. */
export interface CertificateRequestFacts {
  /** DER of the Name; that of an empty one is `3000`. */
  subject: Uint8Array
  publicKey: PublicHalf
  /** The extensions it asks for that we grant: alternative names, key usage and purposes. */
  extensions: pkijs.Extension[]
}

/** What to certify. */
export interface CertifyPlan {
  /** DER of the Name. */
  subject: Uint8Array
  publicKey: PublicHalf
  extensions?: readonly pkijs.Extension[]
  /** Seconds since 1970. The end is never behind that of the issuer. */
  notBefore: bigint
  notAfter: bigint
}

/** A certificate authority: its certificate in DER and the private key that belongs to it. */
export interface CertifyingAuthority {
  certificate: Uint8Array
  key: PrivateHalf
}

const extensionIds = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
}
const extensionRequest = '1.2.840.113549.1.9.14'
const largestInput = 64 * 1024
const pemBlock =
  /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([^-]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/

/** keyCertSign and cRLSign: what only an authority may do. */
const authorityBits = 0b0000_0110

/**
 * Reads a Certificate Request Value of type PKCS_10, or PEM around one, and proves its signature.
 * Throws CryptoRefusal: `parameters` when it is none or the signature is wrong.
 */
export function readCertificateRequest(bytes: Uint8Array): CertificateRequestFacts {
  if (bytes.length > largestInput) throw notARequest(`it is larger than ${largestInput} bytes`)
  try {
    const request = new pkijs.CertificationRequest({ schema: readDer(derOf(bytes)) })
    const info = writeDer(request.subjectPublicKeyInfo.toSchema())
    const publicKey = readPublicKey('X_509', info)
    if (!isSignedBy(publicKey, request)) throw notARequest('its signature does not fit its key')
    const subject = new Uint8Array(request.subject.valueBeforeDecode)
    return { subject, publicKey, extensions: requestedExtensions(request) }
  } catch (error) {
    if (error instanceof CryptoRefusal) throw error
    throw notARequest('it cannot be decoded', error)
  }
}

/** Issues the certificate, in DER; its serial number is 126 random bits. Throws CryptoRefusal. */
export function issueCertificate(plan: CertifyPlan, { certificate, key }: CertifyingAuthority) {
  const issuer = readCertificateFacts(certificate)
  if (issuer.publicKey === undefined || !isPair(issuer.publicKey, key))
    throw new CryptoRefusal('parameters', 'the key of the authority is not that of its certificate')
  if (plan.notAfter < plan.notBefore || plan.notBefore > issuer.notAfter)
    throw new CryptoRefusal('parameters', 'the validity ends before it begins')
  if (plan.notBefore < yearZero)
    throw new CryptoRefusal('parameters', 'the validity begins before the year 0')
  if (!['RSA', 'EC', 'Ed25519'].includes(key.algorithm))
    throw new CryptoRefusal('unsupported', `a key of ${key.algorithm} signs no certificates here`)
  const algorithm = signatureAlgorithmOf(key.privateKey)
  const issued = new pkijs.Certificate({
    version: 2,
    serialNumber: new Integer({ valueHex: newSerialNumber() }),
    signature: algorithmIdentifier(algorithm),
    issuer: nameOf(issuer.subject),
    notBefore: timeOf(plan.notBefore),
    notAfter: timeOf(plan.notAfter < issuer.notAfter ? plan.notAfter : issuer.notAfter),
    subject: nameOf(plan.subject),
    subjectPublicKeyInfo: pkijs.PublicKeyInfo.fromBER(Uint8Array.from(publicInfo(plan.publicKey))),
    extensions: extensionsOf(plan, certificate, key),
    signatureAlgorithm: algorithmIdentifier(algorithm),
  })
  const toBeSigned = writeDer(issued.encodeTBS())
  const signature = orFailure(() => sign(algorithm.digest, toBeSigned, key.privateKey))
  issued.signatureValue = new BitString({ valueHex: signature })
  return writeDer(issued.toSchema(true))
}

function extensionsOf(
  { publicKey, extensions = [], subject }: CertifyPlan,
  issuer: Uint8Array,
  key: PublicHalf,
): pkijs.Extension[] {
  const identifier = new OctetString({ valueHex: keyIdentifier(publicKey) })
  const ofIssuer = new OctetString({ valueHex: subjectKeyIdentifier(issuer) ?? keyIdentifier(key) })
  const authority = new pkijs.AuthorityKeyIdentifier({ keyIdentifier: ofIssuer })
  const made = (extnID: string, value: { toBER(): ArrayBuffer }, critical = false) =>
    new pkijs.Extension({ extnID, critical, extnValue: value.toBER() })
  const { basicConstraints, subjectKeyIdentifier: own, authorityKeyIdentifier } = extensionIds
  // RFC 5280 §4.2.1.6: without a subject the alternative name is critical.
  const given = extensions.map(({ extnID, critical, extnValue }) => {
    const isName = extnID === extensionIds.subjectAltName && subject.length === 2
    return new pkijs.Extension({
      extnID,
      critical: critical || isName,
      extnValue: valueOf(extnValue),
    })
  })
  return [
    made(basicConstraints, new pkijs.BasicConstraints().toSchema(), true),
    made(own, identifier),
    made(authorityKeyIdentifier, authority.toSchema()),
    ...given,
  ]
}

function valueOf(value: OctetString): ArrayBuffer {
  return Uint8Array.from(value.valueBlock.valueHexView).buffer
}

/** What is asked for and harmless; the powers of an authority are taken out of the key usage. */
function requestedExtensions({ attributes = [] }: pkijs.CertificationRequest): pkijs.Extension[] {
  const asked = attributes.find(({ type }) => type === extensionRequest)?.values[0]
  if (asked === undefined) return []
  return granted(new pkijs.Extensions({ schema: asked }).extensions)
}

/** The extensions of a certificate that its renewal keeps: the same that are granted to a request. */
export function renewableExtensions(certificate: Uint8Array): pkijs.Extension[] {
  const { extensions = [] } = new pkijs.Certificate({ schema: readDer(certificate) })
  return granted(extensions)
}

function granted(extensions: readonly pkijs.Extension[]): pkijs.Extension[] {
  const { keyUsage, subjectAltName, extendedKeyUsage } = extensionIds
  return [subjectAltName, keyUsage, extendedKeyUsage].flatMap((id) => {
    const found = extensions.find(({ extnID }) => extnID === id)
    if (found === undefined) return []
    return id === keyUsage ? withoutAuthority(found) : [found]
  })
}

function withoutAuthority({ extnID, extnValue }: pkijs.Extension): pkijs.Extension[] {
  const usage = readDer(extnValue.valueBlock.valueHexView)
  if (!(usage instanceof BitString)) throw new Error('key usage is not a BIT STRING')
  const first = (usage.valueBlock.valueHexView[0] ?? 0) & ~authorityBits
  if (first === 0) return []
  const unusedBits = 31 - Math.clz32(first & -first)
  const kept = new BitString({ valueHex: Uint8Array.of(first), unusedBits })
  return [new pkijs.Extension({ extnID, critical: true, extnValue: kept.toBER() })]
}

/**
 * MD5 proves nothing any more. SHA-1 still does here: the signature only shows that its sender holds the
 * key, and nobody signs a request for somebody else. EdDSA has no Digital Signature Algorithm.
 */
function isSignedBy(publicKey: PublicHalf, request: pkijs.CertificationRequest): boolean {
  const { algorithmId } = request.signatureAlgorithm
  const named = signatureAlgorithmsByOid[algorithmId]
  const signature = Uint8Array.from(request.signatureValue.valueBlock.valueHexView)
  const data = Uint8Array.from(request.tbsView)
  if (named === undefined) {
    const edwards: Record<string, string> = { '1.3.101.112': 'Ed25519', '1.3.101.113': 'Ed448' }
    if (edwards[algorithmId] === undefined || edwards[algorithmId] !== publicKey.algorithm)
      throw new CryptoRefusal('unsupported', `requests signed by ${algorithmId} are not accepted`)
    return verify(publicKey, {}, { data }, signature) === 'Valid'
  }
  if (/MD|PSS/.test(named as string))
    throw new CryptoRefusal('unsupported', `requests signed by ${named} are not accepted`)
  const parameters = { DigitalSignatureAlgorithm: named }
  return verify(publicKey, parameters, { data }, signature) === 'Valid'
}

function derOf(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x30) return bytes
  const base64 = pemBlock.exec(Buffer.from(bytes).toString('latin1'))?.[1]
  if (base64 === undefined) throw notARequest('it is neither DER nor PEM')
  return Buffer.from(base64, 'base64')
}

/** The issuer's own Subject Key Identifier, which its certificates must repeat. */
function subjectKeyIdentifier(certificate: Uint8Array): Uint8Array | undefined {
  const { extensions = [] } = new pkijs.Certificate({ schema: readDer(certificate) })
  const found = extensions.find(({ extnID }) => extnID === extensionIds.subjectKeyIdentifier)
  if (found === undefined) return undefined
  const inside = readDer(found.extnValue.valueBlock.valueHexView)
  return inside instanceof OctetString ? inside.valueBlock.valueHexView : undefined
}

/** RFC 7093 §2 method 1: the leftmost 160 bits of the SHA-256 of the public key. */
function keyIdentifier(key: PublicHalf): Uint8Array {
  const [, bits] = members(readDer(publicInfo(key)))
  return createHash('sha256').update(bitsOf(bits)).digest().subarray(0, 20)
}

/** pkijs's form of a Name in DER, which it writes again unchanged. */
function nameOf(der: Uint8Array): pkijs.RelativeDistinguishedNames {
  return new pkijs.RelativeDistinguishedNames({ valueBeforeDecode: Uint8Array.from(der).buffer })
}

/** In seconds since 1970: GeneralizedTime has no earlier one. */
const yearZero = -62_167_219_200n

/** RFC 5280 §4.1.2.5: UTCTime to the end of 2049, then GeneralizedTime, as before 1950, where UTCTime begins. */
function timeOf(seconds: bigint): pkijs.Time {
  const value = new Date(Number(seconds) * 1000)
  const year = value.getUTCFullYear()
  const type = year >= 1950 && year < 2050 ? pkijs.TimeType.UTCTime : pkijs.TimeType.GeneralizedTime
  return new pkijs.Time({ type, value })
}

function newSerialNumber(): Uint8Array {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes
}

function notARequest(found: string, cause?: unknown): CryptoRefusal {
  return new CryptoRefusal('parameters', `not a certificate request: ${found}`, cause)
}
