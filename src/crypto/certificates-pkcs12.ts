/**
 * PKCS#12 files (RFC 7292): a private key with its certificate and authorities under a password, as
 * libraries import them. Two protections: what OpenSSL 3 writes today, and what firmware of before
 * about 2015 reads.
 */
import * as asn1js from 'asn1js'
import { createCipheriv, createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import * as pkijs from 'pkijs'
import { oids, writeDer } from './asn1.ts'
import type { Certificate } from './certificates.ts'
import { pkcs12Key, type Pkcs12Digest } from './certificates-pkcs12-key.ts'
import { privateKeyDer } from './key-pairs.ts'

export const pkcs12Forms = ['modern', 'legacy'] as const

/**
 * modern: PBES2 with AES-256-CBC and PBKDF2-HMAC-SHA-256, integrity by HMAC-SHA-256 (RFC 8018).
 * legacy: pbeWithSHAAnd3-KeyTripleDES-CBC, integrity by HMAC-SHA-1; weak, for old firmware only.
 */
export type Pkcs12Form = (typeof pkcs12Forms)[number]

export interface Pkcs12Content {
  /** What the importing program shows as the entry's name. */
  friendlyName: string
  /** Absent in a file of certificates alone. */
  privateKey?: KeyObject | undefined
  certificate: Certificate
  authorities: readonly Certificate[]
}

interface Protection {
  digest: Pkcs12Digest
  digestId: string
  iterations: number
  encrypt(plain: Uint8Array, password: string): Encrypted
}

interface Encrypted {
  /** With the fresh salt and iv. */
  algorithm: pkijs.AlgorithmIdentifier
  ciphertext: asn1js.OctetString
}

/** The password is random and long, so the counts only follow what importers are used to. */
const protections: Record<Pkcs12Form, Protection> = {
  modern: {
    digest: 'sha256',
    digestId: pkijs.id_sha256,
    iterations: 10_000,
    encrypt: encryptPbes2,
  },
  legacy: {
    digest: 'sha1',
    digestId: pkijs.id_sha1,
    iterations: 2048,
    encrypt: encryptTripleDes,
  },
}

/** Writes the file. The password is ASCII: importers disagree about anything else. */
export function writePkcs12(
  content: Pkcs12Content,
  password: string,
  form: Pkcs12Form = 'modern',
): Uint8Array {
  if (!/^[\x20-\x7e]+$/.test(password))
    throw new TypeError('the password of a PKCS#12 file must be printable ASCII and not empty')
  const protection = protections[form]
  const keyId = createHash('sha1').update(content.certificate.der).digest()
  const bagAttributes = attributes(content.friendlyName, keyId)

  const certificates = [
    new pkijs.SafeBag({ ...certificateBag(content.certificate), bagAttributes }),
    ...content.authorities.map((authority) => new pkijs.SafeBag(certificateBag(authority))),
  ]
  const { privateKey } = content
  const contents = [encryptedData(protection.encrypt(safeContents(certificates), password))]
  if (privateKey !== undefined) {
    const key = new pkijs.SafeBag({ ...keyBag(privateKey, protection, password), bagAttributes })
    contents.push(plainData(safeContents([key])))
  }
  const safe = writeDer(new pkijs.AuthenticatedSafe({ safeContents: contents }).toSchema())
  const macData = macOf(protection, safe, password)
  return writeDer(new pkijs.PFX({ authSafe: plainData(safe), macData }).toSchema())
}

function keyBag(privateKey: KeyObject, protection: Protection, password: string) {
  const plain = privateKeyDer(privateKey)
  const { algorithm, ciphertext } = protection.encrypt(plain, password)
  plain.fill(0)
  const bagValue = new pkijs.PKCS8ShroudedKeyBag({
    encryptionAlgorithm: algorithm,
    encryptedData: ciphertext,
  })
  return { bagId: oids.pkcs8ShroudedKeyBag, bagValue }
}

function certificateBag({ der }: Certificate) {
  const bagValue = new pkijs.CertBag({
    certId: pkijs.id_CertBag_X509Certificate,
    certValue: octets(der),
  })
  return { bagId: oids.certBag, bagValue }
}

/**
 * friendlyName and localKeyId: the second is what pairs the key with its certificate. They stand in
 * a SET OF, which DER wants in the order of the encodings.
 */
function attributes(friendlyName: string, keyId: Uint8Array): pkijs.Attribute[] {
  const name = new asn1js.BmpString({ value: friendlyName })
  return [
    new pkijs.Attribute({ type: oids.friendlyName, values: [name] }),
    new pkijs.Attribute({ type: oids.localKeyId, values: [octets(keyId)] }),
  ].toSorted((a, b) => Buffer.compare(writeDer(a.toSchema()), writeDer(b.toSchema())))
}

function safeContents(safeBags: pkijs.SafeBag[]): Uint8Array {
  return writeDer(new pkijs.SafeContents({ safeBags }).toSchema())
}

function plainData(content: Uint8Array): pkijs.ContentInfo {
  return new pkijs.ContentInfo({ contentType: pkijs.ContentInfo.DATA, content: octets(content) })
}

function encryptedData({ algorithm, ciphertext }: Encrypted): pkijs.ContentInfo {
  const encryptedContentInfo = new pkijs.EncryptedContentInfo({
    contentType: pkijs.ContentInfo.DATA,
    contentEncryptionAlgorithm: algorithm,
    encryptedContent: ciphertext,
    // In one piece: in several it would be BER, which old firmware may not read.
    disableSplit: true,
  })
  return new pkijs.ContentInfo({
    contentType: pkijs.ContentInfo.ENCRYPTED_DATA,
    content: new pkijs.EncryptedData({ encryptedContentInfo }).toSchema(),
  })
}

function macOf(protection: Protection, content: Uint8Array, password: string): pkijs.MacData {
  const { digest, digestId, iterations } = protection
  const salt = randomBytes(16)
  const length = digest === 'sha1' ? 20 : 32
  const key = pkcs12Key(digest, 'mac', password, salt, iterations, length)
  const mac = createHmac(digest, key).update(content).digest()
  const digestAlgorithm = algorithmIdentifier(digestId, new asn1js.Null())
  return new pkijs.MacData({
    mac: new pkijs.DigestInfo({ digestAlgorithm, digest: octets(mac) }),
    macSalt: octets(salt),
    iterations,
  })
}

function encryptPbes2(plain: Uint8Array, password: string): Encrypted {
  const { iterations } = protections.modern
  const salt = randomBytes(16)
  const iv = randomBytes(16)
  const key = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const derivation = new pkijs.PBKDF2Params({
    salt: octets(salt),
    iterationCount: iterations,
    prf: algorithmIdentifier(oids.hmacWithSha256, new asn1js.Null()),
  })
  const parameters = new pkijs.PBES2Params({
    keyDerivationFunc: algorithmIdentifier(oids.pbkdf2, derivation.toSchema()),
    encryptionScheme: algorithmIdentifier(oids.aes256Cbc, octets(iv)),
  })
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  return {
    algorithm: algorithmIdentifier(oids.pbes2, parameters.toSchema()),
    ciphertext: octets(Buffer.concat([cipher.update(plain), cipher.final()])),
  }
}

/** pkijs has no structure for the parameters of this one: `pkcs-12PbeParams`, RFC 7292 appendix C. */
function encryptTripleDes(plain: Uint8Array, password: string): Encrypted {
  const { digest, iterations } = protections.legacy
  const salt = randomBytes(8)
  const key = pkcs12Key(digest, 'encryption', password, salt, iterations, 24)
  const iv = pkcs12Key(digest, 'iv', password, salt, iterations, 8)
  const parameters = new asn1js.Sequence({
    value: [octets(salt), new asn1js.Integer({ value: iterations })],
  })
  const cipher = createCipheriv('des-ede3-cbc', key, iv)
  return {
    algorithm: algorithmIdentifier(oids.pbeWithSha1And3KeyTripleDes, parameters),
    ciphertext: octets(Buffer.concat([cipher.update(plain), cipher.final()])),
  }
}

function algorithmIdentifier(algorithmId: string, algorithmParams: asn1js.BaseBlock) {
  return new pkijs.AlgorithmIdentifier({ algorithmId, algorithmParams })
}

function octets(bytes: Uint8Array): asn1js.OctetString {
  return new asn1js.OctetString({ valueHex: bytes })
}
