/**
 * Encryption Certificates: where keys travel to. Ours hold a P-384 key, and in non-critical extensions
 * the ML-KEM-1024 and RSA-3072 keys beside it; those of others hold an RSA or elliptic-curve key. The
 * Authority Key Identifier of ours is the SHA-256 of the SubjectPublicKeyInfo of the exchange identity
 * that issued it, so that the fingerprint of the one certificate stands for all of them.
 */
import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import { certificateParts } from './certificate-parts.ts'
import type { Certificate } from './certificates.ts'
import { issueCertificate, keyPin, validityFrom, type Issuer } from './certificates-issue.ts'
import { keyreelArc, type CertificateName, type Opener, type Recipient } from './cms-recipients.ts'
import { CryptoRefusal, orFailure } from './crypto-refusal.ts'
import { contextTag, DerReader, derTag, octets, onlyElement, sequence } from './der.ts'
import { generateKeyPair, privateKeyDer, privateKeyFrom } from './key-pairs.ts'
import { toHex } from './primitives/hash.ts'
import { Secret } from './secret.ts'

/** Extensions whose value is the SubjectPublicKeyInfo of a further key of the same holder. */
export const furtherKeys = { mlKem: `${keyreelArc}.1`, rsa: `${keyreelArc}.2` } as const

/** The three private keys behind one Encryption Certificate. */
export interface ExchangeKeys {
  readonly ec: KeyObject
  readonly mlKem: KeyObject
  readonly rsa: KeyObject
}

/** A new exchange identity, signed by itself. `now` is seconds since 1970. */
export async function makeExchangeIdentity(now: bigint): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair('p384')
  const certificate = issueCertificate(
    {
      subject: subjectOf('identity', publicKey),
      publicKey,
      use: 'exchange-identity',
      ...validityFrom(now, 'exchange-identity'),
    },
    { privateKey },
  )
  return { certificate, privateKey }
}

/** New exchange keys and the Encryption Certificate for them. */
export async function makeEncryptionCertificate(
  identity: Issuer,
  now: bigint,
): Promise<{ certificate: Certificate; keys: ExchangeKeys }> {
  const [ec, mlKem, rsa] = await Promise.all([
    generateKeyPair('p384'),
    generateKeyPair('ml-kem-1024'),
    generateKeyPair('rsa3072'),
  ])
  const certificate = issueCertificate(
    {
      subject: subjectOf('keys', ec.publicKey),
      publicKey: ec.publicKey,
      use: 'encryption',
      further: [
        { oid: furtherKeys.mlKem, value: spki(mlKem.publicKey) },
        { oid: furtherKeys.rsa, value: spki(rsa.publicKey) },
      ],
      ...validityFrom(now, 'encryption'),
    },
    identity,
  )
  const keys = { ec: ec.privateKey, mlKem: mlKem.privateKey, rsa: rsa.privateKey }
  return { certificate, keys }
}

/** The three private keys as one secret to be sealed. */
export function packExchangeKeys({ ec, mlKem, rsa }: ExchangeKeys): Uint8Array {
  return sequence(...[ec, mlKem, rsa].map((key) => octets(privateKeyDer(key))))
}

/** What {@link packExchangeKeys} packed. */
export function unpackExchangeKeys({ bytes }: Secret): ExchangeKeys {
  const reader = new DerReader(onlyElement(bytes).contents)
  const next = () => privateKeyFrom(new Secret(reader.octets()))
  return { ec: next(), mlKem: next(), rsa: next() }
}

/** The keys of a certificate of ours as what opens envelopes. */
export function openerOf({ der }: Certificate, keys: ExchangeKeys): Opener {
  return { name: nameOf(der), ...keys }
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo: what an identity is known by, also after renewal. */
export function pinOf({ pem }: Certificate): string {
  return toHex(keyPin(createPublicKey(pem)))
}

/** A certificate as a recipient of keys. */
export interface EncryptionCertificate {
  readonly recipient: Recipient
  /** The RSA key that rides along, or is the certificate's own. */
  readonly rsa: KeyObject | undefined
  /** Authority Key Identifier when it has the length of a pin, in hexadecimal. */
  readonly issuerPin: string | undefined
}

/**
 * How keys are encrypted for the holder. Throws CryptoRefusal: `unsupported` for a kind of key that
 * cannot encrypt, `parameters` for extensions that hold something else than they should.
 */
export function encryptionCertificate({ der, pem }: Certificate): EncryptionCertificate {
  const parts = certificateParts(der)
  const name = nameOf(der)
  const publicKey = orFailure(() => createPublicKey(pem))
  const issuerPin = issuerPinOf(parts.extension(authorityKeyIdentifier)?.value)
  const mlKem = furtherKey(parts.extension(furtherKeys.mlKem)?.value, 'ml-kem-1024')
  const rsa = furtherKey(parts.extension(furtherKeys.rsa)?.value, 'rsa')
  const isP384 = publicKey.asymmetricKeyDetails?.namedCurve === 'secp384r1'
  if (mlKem !== undefined && isP384)
    return {
      recipient: { kind: 'hybrid', name, publicKeys: { ec: publicKey, mlKem } },
      rsa,
      issuerPin,
    }
  if (publicKey.asymmetricKeyType === 'rsa')
    return { recipient: { kind: 'rsa', name, publicKey }, rsa: publicKey, issuerPin }
  if (publicKey.asymmetricKeyType === 'ec')
    return { recipient: { kind: 'ec', name, publicKey }, rsa, issuerPin }
  throw new CryptoRefusal(
    'unsupported',
    `a key of type ${publicKey.asymmetricKeyType} encrypts none`,
  )
}

const keyUsage = '2.5.29.15'
const authorityKeyIdentifier = '2.5.29.35'

/** Bits of the key usage extension (RFC 5280 §4.2.1.3). */
const usageBits = { digitalSignature: 0, keyEncipherment: 2, keyAgreement: 4 } as const

/** Whether the certificate's key usage allows this; without the extension everything is allowed. */
export function mayBeUsedFor({ der }: Certificate, use: keyof typeof usageBits): boolean {
  const value = certificateParts(der).extension(keyUsage)?.value
  if (value === undefined) return true
  const bits = onlyElement(value, 0x03).contents
  return ((bits[1] ?? 0) & (0x80 >> usageBits[use])) !== 0
}

/** Whether the second certificate's key signed the first. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  return new X509Certificate(certificate.pem).verify(createPublicKey(issuer.pem))
}

/** Whether subject and issuer are one name. */
export function isSelfIssued({ subject, issuer }: Certificate): boolean {
  return subject === issuer
}

function nameOf(der: Uint8Array): CertificateName {
  const { issuer, serialNumber } = certificateParts(der)
  return { issuer, serialNumber }
}

/** Names that tell a stranger nothing about the site. */
function subjectOf(what: 'identity' | 'keys', key: KeyObject) {
  return {
    commonName: `exchange ${what} ${toHex(keyPin(key)).slice(0, 8)}`,
    organization: 'keyreel',
  }
}

function spki(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' })
}

function furtherKey(value: Uint8Array | undefined, type: string): KeyObject | undefined {
  if (value === undefined) return undefined
  const key = orFailure(() =>
    createPublicKey({ key: Buffer.from(value), format: 'der', type: 'spki' }),
  )
  const strong = type !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
  if (key.asymmetricKeyType === type && strong) return key
  throw new CryptoRefusal('parameters', `an extension of the certificate holds no good ${type} key`)
}

function issuerPinOf(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined
  const reader = new DerReader(onlyElement(value, derTag.sequence).contents)
  const identifier = reader.optional(contextTag(0, false))?.contents
  return identifier?.length === 32 ? toHex(identifier) : undefined
}
