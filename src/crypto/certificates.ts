/** X.509 certificates (RFC 5280) as we look at them: read once, with limits, into plain facts. */
import { createHash, X509Certificate } from 'node:crypto'
import { Certificate as CertificateStructure } from 'pkijs'
import { UserError } from '../errors.ts'
import { oids, readDer } from './asn1.ts'
import { keyStrength, type KeyStrength } from './key-pairs.ts'

/** What a certificate says. Nothing here means that it is trusted: only its fingerprint decides that. */
export interface Certificate {
  pem: string
  der: Uint8Array
  /** One line, fit for a log: `CN=alpha, O=Example`. */
  subject: string
  issuer: string
  /** Hexadecimal, upper case, as openssl prints it. */
  serialNumber: string
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  fingerprint: string
  /** Seconds since 1970; both ends belong to the validity. */
  notBefore: bigint
  notAfter: bigint
  key: KeyStrength
  isAuthority: boolean
  /** Object identifiers of the extended key usage; empty when the certificate does not restrict itself. */
  purposes: readonly string[]
  /** `DNS:name` and `IP Address:…`, as in the certificate. */
  alternativeNames: readonly string[]
}

/** Above this a file is not a certificate chain, and is not even looked at. */
const largestInput = 256 * 1024
const longestChain = 16
/** A TLS server's list of authorities takes 64 KiB; this also stays below the limits of asn1js. */
const largestName = 16 * 1024
const pemBlock = /-----BEGIN ([A-Z0-9 ]{1,40})-----[^-]+-----END \1-----/g
const certificateLabels = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'])

/**
 * Reads one certificate, or the first of a PEM chain. `what` names it in the `UserError`
 * 'not-a-certificate' that anything else becomes.
 */
export function parseCertificate(input: string | Uint8Array, what = 'the input'): Certificate {
  const [first] = parseCertificateChain(input, what)
  if (first === undefined) throw notACertificate(what, 'it holds none')
  return first
}

/** Reads the certificates of a PEM file in their order, or the one of a DER file. Never empty. */
export function parseCertificateChain(
  input: string | Uint8Array,
  what = 'the input',
): Certificate[] {
  if (input.length > largestInput)
    throw notACertificate(what, `it is larger than ${largestInput} bytes`)
  if (typeof input !== 'string' && input[0] === 0x30) return [certificateFrom(input, what)]
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('latin1')
  const blocks = [...text.matchAll(pemBlock)]
  const certificates = blocks.filter(([, label]) => certificateLabels.has(label ?? ''))
  if (certificates.length === 0) throw notACertificate(what, describeOther(blocks))
  if (certificates.length > longestChain)
    throw notACertificate(what, `it holds more than ${longestChain} certificates`)
  return certificates.map(([pem]) => certificateFrom(pem, what))
}

/** SHA-256 of bytes as 64 lower-case hexadecimal digits: the form of every fingerprint we keep. */
export function fingerprintOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

/** A fingerprint as people compare it: `AB:CD:…`. */
export function withColons(fingerprint: string): string {
  return fingerprint.toUpperCase().replace(/..(?=.)/g, '$&:')
}

/** A fingerprint as people type it, colons, spaces and case free; undefined when it is none. */
export function parseFingerprint(typed: string): string | undefined {
  const digits = typed.replace(/[:\s]/g, '').toLowerCase()
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined
}

/** Whether a certificate may be shown by a TLS client: no extended key usage, or one that says so. */
export function servesClients(certificate: Certificate): boolean {
  const { purposes } = certificate
  return (
    purposes.length === 0 ||
    purposes.includes(oids.clientAuth) ||
    purposes.includes(oids.anyExtendedKeyUsage)
  )
}

/** Subject and issuer of a certificate as the DER of their Names, to be copied unchanged. */
export function certificateNames(der: Uint8Array): { subject: Uint8Array; issuer: Uint8Array } {
  const structure = structureOf(der)
  const subject = new Uint8Array(structure.subject.valueBeforeDecode)
  const issuer = new Uint8Array(structure.issuer.valueBeforeDecode)
  if (Math.max(subject.length, issuer.length) > largestName)
    throw notACertificate('the input', `a name in it is longer than ${largestName} bytes`)
  return { subject, issuer }
}

function structureOf(der: Uint8Array): CertificateStructure {
  try {
    return new CertificateStructure({ schema: readDer(der) })
  } catch (cause) {
    throw notACertificate('the input', 'it has no subject and issuer', cause)
  }
}

function certificateFrom(input: string | Uint8Array, what: string): Certificate {
  try {
    const parsed = new X509Certificate(input)
    return {
      pem: parsed.toString(),
      der: parsed.raw,
      subject: oneLine(parsed.subject),
      issuer: oneLine(parsed.issuer),
      serialNumber: parsed.serialNumber,
      fingerprint: fingerprintOf(parsed.raw),
      notBefore: BigInt(parsed.validFromDate.getTime()) / 1000n,
      notAfter: BigInt(parsed.validToDate.getTime()) / 1000n,
      key: keyOf(parsed),
      isAuthority: parsed.ca,
      purposes: parsed.keyUsage ?? [],
      alternativeNames: parsed.subjectAltName?.split(', ') ?? [],
    }
  } catch (cause) {
    throw notACertificate(what, 'it cannot be decoded', cause)
  }
}

/** A key of a kind that the runtime does not know is weak, not an error: it may still be shown. */
function keyOf(certificate: X509Certificate): KeyStrength {
  try {
    return keyStrength(certificate.publicKey)
  } catch {
    return { name: 'unknown', strong: false }
  }
}

function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ')
}

function describeOther(blocks: RegExpExecArray[]): string {
  const label = blocks[0]?.[1]
  return label === undefined ? 'it is neither PEM nor DER' : `it is a ${label.toLowerCase()}`
}

function notACertificate(what: string, found: string, cause?: unknown): UserError {
  const hint = found.includes('request')
    ? 'pass a certificate request with --csr instead'
    : 'give one X.509 certificate as PEM (-----BEGIN CERTIFICATE-----) or DER'
  return new UserError('not-a-certificate', `${what} is not a certificate: ${found}`, hint, {
    cause,
  })
}
