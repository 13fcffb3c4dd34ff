/**
 * RecipientInfos of CMS: how the content-encryption key reaches whoever shall read. RSA-OAEP with
 * SHA-256 (RFC 5652 §6.2.1, RFC 8017), ECDH with the X9.63 KDF (RFC 5753), the hybrid KEM as
 * KEMRecipientInfo (RFC 9629), and a key that both have already (RFC 5652 §6.2.3).
 * Each kind has one form: what we read is what we write.
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  privateDecrypt,
  publicEncrypt,
  type KeyObject,
} from 'node:crypto'
import { CryptoRefusal, cryptographicFailure } from './crypto-refusal.ts'
import { contextTag, derNull, DerReader, derTag, element, integer } from './der.ts'
import { octets, oid, sequence } from './der.ts'
import { hybridDecapsulate, hybridEncapsulate, type HybridPublicKey } from './hybrid-kem.ts'

/** Issuer and serial number of a recipient's certificate, DER of both. */
export interface CertificateName {
  readonly issuer: Uint8Array
  readonly serialNumber: Uint8Array
}

/** Who shall read, and by which key. */
export type Recipient =
  | { kind: 'rsa'; name: CertificateName; publicKey: KeyObject }
  | { kind: 'ec'; name: CertificateName; publicKey: KeyObject }
  | { kind: 'hybrid'; name: CertificateName; publicKeys: HybridPublicKey }
  | { kind: 'shared'; id: Uint8Array; key: Uint8Array }

/** Keys that may open: private keys of one certificate or of a recovery key, or a shared key. */
export type Opener =
  | { name: CertificateName; rsa: KeyObject; ec: KeyObject; mlKem: KeyObject }
  | { name: CertificateName; ec: KeyObject; mlKem: KeyObject }
  | { name: CertificateName; only: KeyObject }
  | { id: Uint8Array; key: Uint8Array }

type NamedOpener = Exclude<Opener, { id: Uint8Array }>

/** Object identifiers under an arc of our own: a UUID, which needs no registry (X.667). */
export const keyreelArc = '2.25.287702966169558329589535775575368810337'

const ids = {
  rsaEncryptionOaep: '1.2.840.113549.1.1.7',
  mgf1: '1.2.840.113549.1.1.8',
  sha256: '2.16.840.1.101.3.4.2.1',
  ecPublicKey: '1.2.840.10045.2.1',
  ecdhSha256: '1.3.132.1.11.1',
  aes256Wrap: '2.16.840.1.101.3.4.1.45',
  kemRecipient: '1.2.840.113549.1.9.16.13.3',
  hkdfSha384: '1.2.840.113549.1.9.16.3.29',
  hybridKem: `${keyreelArc}.3`,
} as const

const sha256Algorithm = sequence(oid(ids.sha256), derNull)
const oaepAlgorithm = sequence(
  oid(ids.rsaEncryptionOaep),
  sequence(
    element(contextTag(0), sha256Algorithm),
    element(contextTag(1), sequence(oid(ids.mgf1), sha256Algorithm)),
  ),
)
const wrapAlgorithm = sequence(oid(ids.aes256Wrap))
const ecdhAlgorithm = sequence(oid(ids.ecdhSha256), wrapAlgorithm)
const hybridAlgorithm = sequence(oid(ids.hybridKem))
const hkdfAlgorithm = sequence(oid(ids.hkdfSha384))
const originatorAlgorithm = sequence(oid(ids.ecPublicKey))
const kekLength = 32

/** RFC 9629 §5: CMSORIforKEMOtherInfo, without user keying material. */
const kemOtherInfo = sequence(wrapAlgorithm, integer(kekLength))

/** RFC 5753 §7.2: ECC-CMS-SharedInfo for a key of 256 bits. */
const eccSharedInfo = sequence(
  wrapAlgorithm,
  element(contextTag(2), octets(Uint8Array.of(0, 0, 1, 0))),
)

/** The RecipientInfo that brings `cek` to one recipient. */
export function recipientInfo(recipient: Recipient, cek: Uint8Array): Uint8Array {
  switch (recipient.kind) {
    case 'rsa': {
      const encrypted = publicEncrypt(oaep(recipient.publicKey), cek)
      return sequence(integer(0), nameOf(recipient), oaepAlgorithm, octets(encrypted))
    }
    case 'ec':
      return agreementInfo(recipient, cek)
    case 'hybrid': {
      const { secret, ciphertext } = hybridEncapsulate(recipient.publicKeys)
      const kek = kemKek(secret.bytes)
      secret.wipe()
      const info = sequence(
        integer(0),
        nameOf(recipient),
        hybridAlgorithm,
        octets(ciphertext),
        hkdfAlgorithm,
        integer(kekLength),
        wrapAlgorithm,
        octets(wrapKey(kek, cek)),
      )
      return element(contextTag(4), oid(ids.kemRecipient), info)
    }
    case 'shared': {
      const id = sequence(octets(recipient.id))
      const encrypted = octets(wrapKey(Uint8Array.from(recipient.key), cek))
      return element(contextTag(2), integer(4), id, wrapAlgorithm, encrypted)
    }
  }
}

/**
 * The content-encryption key out of one RecipientInfo; undefined when it is for somebody else. Throws
 * CryptoRefusal: `failure` when it is for this opener and does not open.
 */
export function openRecipientInfo(
  info: { tag: number; contents: Uint8Array },
  opener: Opener,
): Uint8Array | undefined {
  const reader = new DerReader(info.contents)
  switch (info.tag) {
    case derTag.sequence:
      return openTransport(reader, opener)
    case contextTag(1):
      return openAgreement(reader, opener)
    case contextTag(2):
      return openShared(reader, opener)
    case contextTag(4):
      return openKem(reader, opener)
  }
  throw new CryptoRefusal('unsupported', 'a kind of recipient that is not known here')
}

function openTransport(reader: DerReader, opener: Opener): Uint8Array | undefined {
  reader.expect(integer(0), 'version')
  if (!isNamed(reader, opener)) return undefined
  reader.expect(oaepAlgorithm, 'key encryption algorithm')
  const encrypted = reader.octets()
  reader.end()
  const key = rsaKeyOf(opener)
  if (key === undefined) return undefined
  return orWrong(() => privateDecrypt(oaep(key), encrypted))
}

function rsaKeyOf(opener: NamedOpener): KeyObject | undefined {
  if ('only' in opener) return opener.only
  return 'rsa' in opener ? opener.rsa : undefined
}

function agreementInfo(recipient: Extract<Recipient, { kind: 'ec' }>, cek: Uint8Array): Uint8Array {
  const namedCurve = recipient.publicKey.asymmetricKeyDetails?.namedCurve
  if (namedCurve === undefined) throw new CryptoRefusal('parameters', 'not a key for ECDH')
  const ephemeral = generateKeyPairSync('ec', { namedCurve })
  const secret = diffieHellman({
    privateKey: ephemeral.privateKey,
    publicKey: recipient.publicKey,
  })
  const encrypted = wrapKey(x963Kek(secret), cek)
  return element(
    contextTag(1),
    integer(3),
    element(
      contextTag(0),
      element(contextTag(1), originatorAlgorithm, pointBits(ephemeral.publicKey)),
    ),
    ecdhAlgorithm,
    sequence(sequence(nameOf(recipient), octets(encrypted))),
  )
}

function openAgreement(reader: DerReader, opener: Opener): Uint8Array | undefined {
  reader.expect(integer(3), 'version')
  const originator = reader.into(contextTag(0)).into(contextTag(1))
  originator.expect(originatorAlgorithm, 'originator algorithm')
  const point = originator.next(0x03).contents
  originator.end()
  reader.expect(ecdhAlgorithm, 'key agreement algorithm')
  const recipients = reader.into()
  reader.end()
  const recipient = recipients.into()
  recipients.end()
  if (!isNamed(recipient, opener)) return undefined
  const encrypted = recipient.octets()
  recipient.end()
  const key = 'only' in opener ? opener.only : opener.ec
  return orWrong(() => {
    const secret = diffieHellman({ privateKey: key, publicKey: pointLike(key, point) })
    return unwrapKey(x963Kek(secret), encrypted)
  })
}

function openShared(reader: DerReader, opener: Opener): Uint8Array | undefined {
  reader.expect(integer(4), 'version')
  const ids = reader.into()
  const id = ids.octets()
  ids.end()
  if (!('id' in opener) || Buffer.compare(id, opener.id) !== 0) return undefined
  reader.expect(wrapAlgorithm, 'key encryption algorithm')
  const encrypted = reader.octets()
  reader.end()
  return orWrong(() => unwrapKey(Uint8Array.from(opener.key), encrypted))
}

function openKem(outer: DerReader, opener: Opener): Uint8Array | undefined {
  outer.expect(oid(ids.kemRecipient), 'kind of other recipient')
  const reader = outer.into()
  outer.end()
  reader.expect(integer(0), 'version')
  if (!isNamed(reader, opener) || !('mlKem' in opener)) return undefined
  reader.expect(hybridAlgorithm, 'KEM')
  const ciphertext = reader.octets()
  reader.expect(hkdfAlgorithm, 'key derivation algorithm')
  reader.expect(integer(kekLength), 'key length')
  reader.expect(wrapAlgorithm, 'wrap algorithm')
  const encrypted = reader.octets()
  reader.end()
  return orWrong(() => {
    const secret = hybridDecapsulate(opener, ciphertext)
    const kek = kemKek(secret.bytes)
    secret.wipe()
    return unwrapKey(kek, encrypted)
  })
}

function nameOf({ name }: { name: CertificateName }): Uint8Array {
  return sequence(name.issuer, name.serialNumber)
}

/** Reads a recipient's name and compares it. */
function isNamed(reader: DerReader, opener: Opener): opener is NamedOpener {
  const { whole } = reader.next(derTag.sequence)
  return 'name' in opener && Buffer.compare(whole, nameOf(opener)) === 0
}

function oaep(key: KeyObject) {
  return { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
}

function kemKek(secret: Uint8Array): Uint8Array {
  // RFC 9629 §5 takes the KEM's secret as input keying material; HKDF without salt (RFC 8619).
  return new Uint8Array(hkdfSync('sha384', secret, '', kemOtherInfo, kekLength))
}

/** ANSI X9.63 KDF with SHA-256: one block is the whole key. */
function x963Kek(secret: Uint8Array): Uint8Array {
  const counter = Uint8Array.of(0, 0, 0, 1)
  const kek = createHash('sha256').update(secret).update(counter).update(eccSharedInfo).digest()
  secret.fill(0)
  return kek
}

const wrapIv = Buffer.alloc(8, 0xa6)

/** RFC 3394. Both wipe the key-encryption key. */
function wrapKey(kek: Uint8Array, cek: Uint8Array): Uint8Array {
  const cipher = createCipheriv('id-aes256-wrap', kek, wrapIv)
  kek.fill(0)
  return Buffer.concat([cipher.update(cek), cipher.final()])
}

function unwrapKey(kek: Uint8Array, wrapped: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('id-aes256-wrap', kek, wrapIv)
  kek.fill(0)
  return Buffer.concat([decipher.update(wrapped), decipher.final()])
}

/** A key of 32 bytes, or the one answer to whatever was wrong. */
function orWrong(open: () => Uint8Array): Uint8Array {
  let cek: Uint8Array
  try {
    cek = open()
  } catch (cause) {
    throw cryptographicFailure(cause)
  }
  if (cek.length === 32) return cek
  throw cryptographicFailure()
}

/** The BIT STRING of an elliptic-curve key: its point. */
function pointBits(key: KeyObject): Uint8Array {
  const info = new DerReader(key.export({ type: 'spki', format: 'der' })).into()
  info.next()
  return info.next(0x03).whole
}

/** The public key of this point on the curve of that private key. */
function pointLike(privateKey: KeyObject, bits: Uint8Array): KeyObject {
  const own = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const algorithm = new DerReader(own).into().next().whole
  const key = Buffer.from(sequence(algorithm, element(0x03, bits)))
  return createPublicKey({ key, format: 'der', type: 'spki' })
}
