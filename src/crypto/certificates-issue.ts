/**
 * Making certificates (RFC 5280): our authority and what it signs. Everything is decided by the
 * plan that is passed in; the clock is a parameter.
 */
import * as asn1js from 'asn1js'
import { createHash, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import * as pkijs from 'pkijs'
import { exitStatus, UserError } from '../errors.ts'
import { oids, writeDer } from './asn1.ts'
import { certificateNames, parseCertificate, type Certificate } from './certificates.ts'
import { generateKeyPair } from './key-pairs.ts'
import { algorithmIdentifier, signatureAlgorithmOf } from './signature-algorithms.ts'

/** A certificate with the private key that belongs to it. */
export interface Issuer {
  certificate: Certificate
  privateKey: KeyObject
}

/** `exchange-identity` signs bundles and issues `encryption` certificates: those keys travel to. */
export type CertificateUse =
  'authority' | 'server' | 'key-server' | 'client' | 'exchange-identity' | 'encryption'

/** Years that a certificate lives, by its use. A library is not visited often; a server renews itself. */
export const lifetimes = {
  authority: 30,
  client: 10,
  server: 2,
  'key-server': 2,
  'exchange-identity': 30,
  encryption: 5,
} as const satisfies Record<CertificateUse, number>

/** How far validity starts in the past (seconds): libraries' clocks are off, some by a day. */
export const clockAllowance = 2n * 86_400n

/** Validity of a new certificate of this use, in seconds since 1970. */
export function validityFrom(now: bigint, use: CertificateUse) {
  const end = new Date(Number(now) * 1000)
  end.setUTCFullYear(end.getUTCFullYear() + lifetimes[use])
  return { notBefore: now - clockAllowance, notAfter: BigInt(end.getTime()) / 1000n }
}

export interface CertificatePlan {
  /** A common name with, if wanted, an organisation; or the DER of a Name to copy unchanged. */
  subject: { commonName: string; organization?: string } | Uint8Array
  publicKey: KeyObject
  use: CertificateUse
  /** DNS names and IP addresses of a server. */
  hosts?: readonly string[]
  /** Further extensions, none of them critical, by object identifier. */
  further?: readonly { oid: string; value: Uint8Array }[]
  notBefore: bigint
  notAfter: bigint
}

/**
 * Issues what the plan says, never beyond the issuer's own end. Without an issuer's certificate the
 * result is self-signed. Serial numbers are 127 random bits.
 */
export function issueCertificate(
  plan: CertificatePlan,
  issuer: { certificate?: Certificate; privateKey: KeyObject },
): Certificate {
  const end = issuer.certificate?.notAfter ?? plan.notAfter
  const subject = plan.subject instanceof Uint8Array ? plan.subject : nameDer(plan.subject)
  const issuerName = issuer.certificate && certificateNames(issuer.certificate.der).subject
  const algorithm = signatureAlgorithmOf(issuer.privateKey)
  const certificate = new pkijs.Certificate({
    version: 2,
    serialNumber: new asn1js.Integer({ valueHex: serialNumber() }),
    signature: algorithmIdentifier(algorithm),
    issuer: nameFrom(issuerName ?? subject),
    notBefore: time(plan.notBefore),
    notAfter: time(plan.notAfter < end ? plan.notAfter : end),
    subject: nameFrom(subject),
    subjectPublicKeyInfo: publicKeyInfo(plan.publicKey),
    extensions: extensions(plan, createPublicKey(issuer.privateKey)),
    signatureAlgorithm: algorithmIdentifier(algorithm),
  })
  const toBeSigned = writeDer(certificate.encodeTBS())
  const signature = sign(algorithm.digest, toBeSigned, issuer.privateKey)
  certificate.signatureValue = new asn1js.BitString({ valueHex: signature })
  return parseCertificate(writeDer(certificate.toSchema(true)), 'the issued certificate')
}

/**
 * A certificate that carries only another's issuer name, as its subject: it puts that name into the
 * list of authorities a TLS server sends, when the authority's own certificate was never given to
 * us. Its key is thrown away here, so it can vouch for nobody.
 */
export async function issuerStandIn({
  der: bytes,
  notBefore,
  notAfter,
}: Certificate): Promise<Certificate> {
  const { issuer } = certificateNames(bytes)
  const { privateKey, publicKey } = await generateKeyPair('p256')
  return issueCertificate(
    { subject: issuer, publicKey, use: 'authority', notBefore, notAfter },
    { privateKey },
  )
}

/**
 * Names for a server certificate as they were given, checked: DNS names and IP addresses, each
 * once. Throws `UserError` 'host-name'.
 */
export function parseHosts(hosts: readonly string[]): string[] {
  for (const host of hosts)
    if (isIP(host) === 0 && !isDnsName(host))
      throw new UserError(
        'host-name',
        `not a host name or IP address: ${JSON.stringify(host)}`,
        'name the server as the libraries reach it: keyreel.example.com, 192.0.2.10, 2001:db8::10',
        { exitStatus: exitStatus.usage },
      )
  return [...new Set(hosts.map((host) => host.toLowerCase()))]
}

/** Whether it is a DNS name. One that ends in a number is taken for an IPv4 address by many (WHATWG URL, hosts). */
export function isDnsName(host: string): boolean {
  const labels = host.replace(/^\*\./, '').split('.')
  return (
    host.length <= 253 &&
    !/^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '') &&
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?$/i.test(label))
  )
}

/** Each attribute stands in a set of its own: pkijs would put all of them into one. */
function nameDer(subject: { commonName: string; organization?: string }): Uint8Array {
  const attribute = (type: string, value: string) =>
    new asn1js.Set({
      value: [
        new asn1js.Sequence({
          value: [new asn1js.ObjectIdentifier({ value: type }), new asn1js.Utf8String({ value })],
        }),
      ],
    })
  const organization =
    subject.organization === undefined ? [] : [attribute(oids.organization, subject.organization)]
  return writeDer(
    new asn1js.Sequence({
      value: [...organization, attribute(oids.commonName, subject.commonName)],
    }),
  )
}

/** pkijs's form of a Name in DER, which it writes again unchanged. */
function nameFrom(der: Uint8Array): pkijs.RelativeDistinguishedNames {
  return new pkijs.RelativeDistinguishedNames({ valueBeforeDecode: Uint8Array.from(der).buffer })
}

/** Time as RFC 5280 §4.1.2.5 wants it: UTCTime from 1950 to 2049, else GeneralizedTime. */
function time(seconds: bigint): pkijs.Time {
  const value = new Date(Number(seconds) * 1000)
  const year = value.getUTCFullYear()
  const isShort = year >= 1950 && year < 2050
  return new pkijs.Time({
    type: isShort ? pkijs.TimeType.UTCTime : pkijs.TimeType.GeneralizedTime,
    value,
  })
}

/** Extended key usage. A key server is a client where it sends something of itself (KMIP 2.1 §6.2). */
const purposes: Partial<Record<CertificateUse, readonly string[]>> = {
  server: [oids.serverAuth],
  'key-server': [oids.serverAuth, oids.clientAuth],
  client: [oids.clientAuth],
}

function extensions(plan: CertificatePlan, issuerKey: KeyObject): pkijs.Extension[] {
  const isAuthority = plan.use === 'authority' || plan.use === 'exchange-identity'
  const isExchange = plan.use === 'encryption' || plan.use === 'exchange-identity'
  const extension = (extnID: string, value: { toBER(): ArrayBuffer }, critical = false) =>
    new pkijs.Extension({ extnID, critical, extnValue: value.toBER() })
  const octets = (valueHex: Uint8Array) => new asn1js.OctetString({ valueHex })
  const identifier = (key: KeyObject) => octets(isExchange ? keyPin(key) : keyIdentifier(key))
  const constraints = isAuthority
    ? // pathLenConstraint 0: our authority signs no further authorities.
      new pkijs.BasicConstraints({ cA: true, pathLenConstraint: 0 })
    : new pkijs.BasicConstraints()
  const issuerIdentifier = new pkijs.AuthorityKeyIdentifier({
    keyIdentifier: identifier(issuerKey),
  })
  const all = [
    extension(pkijs.id_BasicConstraints, constraints.toSchema(), true),
    extension(pkijs.id_KeyUsage, keyUsage(plan), true),
    extension(pkijs.id_SubjectKeyIdentifier, identifier(plan.publicKey)),
    extension(pkijs.id_AuthorityKeyIdentifier, issuerIdentifier.toSchema()),
  ]
  for (const { oid, value } of plan.further ?? [])
    all.push(new pkijs.Extension({ extnID: oid, extnValue: Uint8Array.from(value).buffer }))
  const keyPurposes = purposes[plan.use]
  if (keyPurposes !== undefined) {
    const usage = new pkijs.ExtKeyUsage({ keyPurposes: [...keyPurposes] })
    all.push(extension(pkijs.id_ExtKeyUsage, usage.toSchema()))
  }
  if (plan.hosts !== undefined && plan.hosts.length > 0) {
    const names = new pkijs.GeneralNames({ names: plan.hosts.map(generalName) })
    all.push(extension(pkijs.id_SubjectAltName, names.toSchema()))
  }
  return all
}

/**
 * digitalSignature; keyEncipherment beside it for RSA; keyCertSign and cRLSign for an authority, the
 * first beside digitalSignature for an exchange identity; keyAgreement where keys travel to.
 */
function keyUsage(plan: CertificatePlan): asn1js.BitString {
  const usage = (bits: number, unusedBits: number) =>
    new asn1js.BitString({ valueHex: Uint8Array.of(bits), unusedBits })
  if (plan.use === 'authority') return usage(0b0000_0110, 1)
  if (plan.use === 'exchange-identity') return usage(0b1000_0100, 2)
  if (plan.use === 'encryption') return usage(0b0000_1000, 3)
  return plan.publicKey.asymmetricKeyType === 'rsa' ? usage(0b1010_0000, 5) : usage(0b1000_0000, 7)
}

/** dNSName or iPAddress (RFC 5280 §4.2.1.6). */
function generalName(host: string): pkijs.GeneralName {
  return isIP(host) === 0
    ? new pkijs.GeneralName({ type: 2, value: host })
    : new pkijs.GeneralName({
        type: 7,
        value: new asn1js.OctetString({ valueHex: addressBytes(host) }),
      })
}

/** The 4 or 16 bytes of an IP address; the URL parser writes any IPv6 form in its one short form. */
function addressBytes(host: string): Uint8Array {
  if (isIPv4(host)) return Uint8Array.from(host.split('.').map(Number))
  const short = new URL(`http://[${host}]`).hostname.slice(1, -1)
  const [head = [], tail] = short
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''))
  const groups =
    tail === undefined
      ? head
      : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** RFC 7093 §2 method 1: the leftmost 160 bits of the SHA-256 of the public key. */
function keyIdentifier(key: KeyObject): Uint8Array {
  const bits = publicKeyInfo(key).subjectPublicKey.valueBlock.valueHexView
  return createHash('sha256').update(bits).digest().subarray(0, 20)
}

/** SHA-256 of the whole SubjectPublicKeyInfo: the pin of an exchange identity (RFC 7093 §2 method 4). */
export function keyPin(key: KeyObject): Uint8Array {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
}

function publicKeyInfo(key: KeyObject): pkijs.PublicKeyInfo {
  return pkijs.PublicKeyInfo.fromBER(key.export({ type: 'spki', format: 'der' }))
}

function serialNumber(): Uint8Array {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}
