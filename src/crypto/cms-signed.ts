/**
 * CMS SignedData (RFC 5652 §5) around a complete ContentInfo, as `id-ct-contentInfo` (RFC 4073): one
 * signer, its certificates inside, signed attributes. `openssl cms -verify -noverify -inform DER` reads it.
 */
import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { certificateParts } from './certificate-parts.ts'
import { parseCertificate, type Certificate } from './certificates.ts'
import { contentInfo, contentOf } from './cms.ts'
import { CryptoRefusal, cryptographicFailure, orFailure } from './crypto-refusal.ts'
import { contextTag, derNull, DerReader, derTag, element, integer } from './der.ts'
import { octets, oid, sequence, setOf } from './der.ts'

const ids = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentInfo: '1.2.840.113549.1.9.16.1.6',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
} as const

/** How a signer signs: one row per kind that is written or read. */
const schemes = [
  scheme('sha384', '2.16.840.1.101.3.4.2.2', '1.2.840.10045.4.3.3', 'ec'),
  scheme('sha256', '2.16.840.1.101.3.4.2.1', '1.2.840.10045.4.3.2', 'ec'),
  scheme('sha512', '2.16.840.1.101.3.4.2.3', '1.2.840.10045.4.3.4', 'ec'),
  scheme('sha256', '2.16.840.1.101.3.4.2.1', '1.2.840.113549.1.1.11', 'rsa'),
  scheme('sha384', '2.16.840.1.101.3.4.2.2', '1.2.840.113549.1.1.12', 'rsa'),
  scheme('sha512', '2.16.840.1.101.3.4.2.3', '1.2.840.113549.1.1.13', 'rsa'),
]

function scheme(digest: string, digestOid: string, signatureOid: string, keyType: 'ec' | 'rsa') {
  const signature = oid(signatureOid)
  return {
    digest,
    keyType,
    digestAlgorithm: sequence(oid(digestOid)),
    signatureAlgorithm: sequence(signature, ...(keyType === 'rsa' ? [derNull] : [])),
  }
}

/** Who signs. Further certificates go along. */
export interface Signer {
  readonly certificate: Certificate
  readonly privateKey: KeyObject
  readonly also?: readonly Certificate[]
}

/** `inner`, a ContentInfo, signed: again a ContentInfo. `time` is seconds since 1970. */
export function signContent(inner: Uint8Array, signer: Signer, time: bigint): Uint8Array {
  return signed(ids.contentInfo, inner, signer, time)
}

/** Plain data, signed: for readers who know CMS and nothing of us. `time` is seconds since 1970. */
export function signData(content: Uint8Array, signer: Signer, time: bigint): Uint8Array {
  return signed(ids.data, content, signer, time)
}

function signed(type: string, inner: Uint8Array, signer: Signer, time: bigint): Uint8Array {
  const { certificate, privateKey, also = [] } = signer
  const found = schemes.find(({ keyType }) => keyType === privateKey.asymmetricKeyType)
  if (found === undefined) throw new CryptoRefusal('parameters', 'a signer has an EC or RSA key')
  const { digest, digestAlgorithm, signatureAlgorithm } = found
  const attributes = [
    attribute(ids.contentType, oid(type)),
    attribute(ids.signingTime, timeElement(time)),
    attribute(ids.messageDigest, octets(createHash(digest).update(inner).digest())),
  ]
  const signature = sign(digest, setOf(...attributes), privateKey)
  const { issuer, serialNumber } = certificateParts(certificate.der)
  const signerInfo = sequence(
    integer(1),
    sequence(issuer, serialNumber),
    digestAlgorithm,
    element(contextTag(0), ...sorted(attributes)),
    signatureAlgorithm,
    octets(signature),
  )
  return contentInfo(
    ids.signedData,
    sequence(
      // RFC 5652 §5.1: 1 for plain data, 3 for anything else.
      integer(type === ids.data ? 1 : 3),
      setOf(digestAlgorithm),
      sequence(oid(type), element(contextTag(0), octets(inner))),
      element(contextTag(0), ...sorted([certificate, ...also].map(({ der }) => der))),
      setOf(signerInfo),
    ),
  )
}

/** What a verified signature says. Whether the signer is trusted is the caller's question. */
export interface Signed {
  /** The ContentInfo that was signed: a view. */
  readonly inner: Uint8Array
  readonly signer: Certificate
  /** When it was signed, by the signer's word; seconds since 1970. */
  readonly time: bigint
}

/** Reads and verifies. Throws CryptoRefusal: `failure` when signature or digest do not fit. */
export function verifySigned(der: Uint8Array): Signed {
  const outer = contentOf(ids.signedData, der)
  const signed = outer.into()
  outer.end()
  signed.expect(integer(3), 'version')
  const digestAlgorithms = signed.into(derTag.set)
  const content = signed.into()
  const certificates = certificatesIn(signed.into(contextTag(0)))
  const infos = signed.into(derTag.set)
  signed.end()
  content.expect(oid(ids.contentInfo), 'content type')
  const wrapped = content.into(contextTag(0))
  content.end()
  const inner = wrapped.octets()
  wrapped.end()
  const info = infos.into()
  infos.end()

  info.expect(integer(1), 'version')
  const name = info.next(derTag.sequence).whole
  const digestAlgorithm = info.next(derTag.sequence).whole
  const attributes = info.next(contextTag(0)).contents
  const signatureAlgorithm = info.next(derTag.sequence).whole
  const signature = info.octets()
  info.end()
  digestAlgorithms.expect(digestAlgorithm, 'digest algorithm')
  digestAlgorithms.end()
  const found = schemes.find(
    (row) =>
      Buffer.compare(row.digestAlgorithm, digestAlgorithm) === 0 &&
      Buffer.compare(row.signatureAlgorithm, signatureAlgorithm) === 0,
  )
  if (found === undefined)
    throw new CryptoRefusal('unsupported', 'a signature algorithm that is not taken here')
  const signer = certificates.find((one) => Buffer.compare(nameOf(one), name) === 0)
  if (signer === undefined)
    throw new CryptoRefusal('parameters', "the signer's certificate is not in the message")
  const { digest, time } = readAttributes(new DerReader(attributes))
  const attributesAsSigned = element(derTag.set, attributes)
  // A certificate may hold a key that the library does not read at all.
  const fits = orFailure(() => {
    const key = createPublicKey(signer.pem)
    return (
      key.asymmetricKeyType === found.keyType &&
      verify(found.digest, attributesAsSigned, key, signature) &&
      Buffer.compare(createHash(found.digest).update(inner).digest(), digest) === 0
    )
  })
  if (!fits) throw cryptographicFailure()
  return { inner, signer, time }
}

const mostCertificates = 8

function certificatesIn(reader: DerReader): Certificate[] {
  const found: Certificate[] = []
  while (reader.tag !== undefined) {
    if (found.length === mostCertificates)
      throw new CryptoRefusal('parameters', 'too many certificates')
    found.push(parseCertificate(reader.next(derTag.sequence).whole, "the signer's certificate"))
  }
  return found
}

function nameOf({ der }: Certificate): Uint8Array {
  const { issuer, serialNumber } = certificateParts(der)
  return sequence(issuer, serialNumber)
}

function attribute(type: string, value: Uint8Array): Uint8Array {
  return sequence(oid(type), setOf(value))
}

function sorted(elements: readonly Uint8Array[]): Uint8Array[] {
  return elements.toSorted((a, b) => Buffer.compare(a, b))
}

/** The three attributes that we write, in the order of DER; nothing else is taken. */
function readAttributes(reader: DerReader): { digest: Uint8Array; time: bigint } {
  reader.expect(attribute(ids.contentType, oid(ids.contentInfo)), 'signed content type')
  const timed = reader.into()
  timed.expect(oid(ids.signingTime), 'signed attribute')
  const time = timeOf(timed.into(derTag.set))
  timed.end()
  const digested = reader.into()
  digested.expect(oid(ids.messageDigest), 'signed attribute')
  const digests = digested.into(derTag.set)
  const digest = digests.octets()
  digests.end()
  digested.end()
  reader.end()
  return { digest, time }
}

/** RFC 5652 §11.3: UTCTime up to 2049, GeneralizedTime from then on. */
function timeElement(seconds: bigint): Uint8Array {
  const text = new Date(Number(seconds) * 1000).toISOString().replace(/[-:T]|\.\d+/g, '')
  const year = Number(text.slice(0, 4))
  return year >= 1950 && year < 2050
    ? element(derTag.utcTime, Buffer.from(text.slice(2), 'latin1'))
    : element(derTag.generalizedTime, Buffer.from(text, 'latin1'))
}

function timeOf(reader: DerReader): bigint {
  const { tag, contents } = reader.next()
  reader.end()
  const text = Buffer.from(contents).toString('latin1')
  const isShort = tag === derTag.utcTime
  const whole = isShort ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(whole)
  const known = isShort || tag === derTag.generalizedTime
  if (!known || parts === null) throw new CryptoRefusal('parameters', 'not a time of signing')
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return BigInt(Date.UTC(year, month - 1, day, hour, minute, second)) / 1000n
}
