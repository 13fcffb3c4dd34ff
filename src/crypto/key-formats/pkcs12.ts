/**
 * PKCS#12 (RFC 7292) as a Key Format Type – KMIP 2.1 §6.1.19, §4.39: a private key with its
 * certificates under a password, read with a ceiling on work and written by our writer of such files.
 */
import { Constructed, fromBER, OctetString, type AsnType } from 'asn1js'
import { createHmac, X509Certificate } from 'node:crypto'
import { oids } from '../asn1.ts'
import { parseCertificate, type Certificate } from '../certificates.ts'
import { pkcs12Key } from '../certificates-pkcs12-key.ts'
import { writePkcs12, type Pkcs12Form } from '../certificates-pkcs12.ts'
import { CryptoRefusal, cryptographicFailure } from '../crypto-refusal.ts'
import { equalBytes } from '../primitives/mac.ts'
import { insideTag, integerOf, members, octetsOf, oidOf } from './asn1-values.ts'
import { isSamePublicKey, type PrivateHalf } from './asymmetric-key.ts'
import {
  decryptByPassword,
  passwordText,
  passwordWork,
  spendPkcs12,
  type PasswordWork,
} from './password-encryption.ts'
import { decryptedKey, readPrivateKeyInfo } from './private-key-info.ts'

/** What a PKCS#12 file holds for one private key. */
export interface Pkcs12Entry {
  key: PrivateHalf
  /** PKCS#12 Friendly Name of the key. */
  friendlyName?: string
  /** DER of the key's certificate, of its issuer, and so on; empty when there is none. */
  certificates: Uint8Array[]
}

const largestInput = 256 * 1024
const mostBags = 32

/** Some programs write this format as BER, so the limits stand here. */
const limits = { maxDepth: 32, maxContentLength: largestInput, parseEmbedded: false }

const bagIds = {
  key: '1.2.840.113549.1.12.10.1.1',
  shroudedKey: oids.pkcs8ShroudedKeyBag,
  certificate: oids.certBag,
}
const dataId = '1.2.840.113549.1.7.1'
const encryptedDataId = '1.2.840.113549.1.7.6'
const macDigests = {
  '1.3.14.3.2.26': { digest: 'sha1', length: 20 },
  '2.16.840.1.101.3.4.2.1': { digest: 'sha256', length: 32 },
} as const

/**
 * Reads the entry of that Friendly Name, or the first with a private key. Throws CryptoRefusal:
 * `failure` for a wrong password, `parameters` for anything that is no such file or has no such key.
 */
export function readPkcs12(
  bytes: Uint8Array,
  password: Uint8Array,
  options: { friendlyName?: string | undefined; trusted?: boolean } = {},
): Pkcs12Entry {
  try {
    const work = passwordWork()
    const [version, authSafe, macData] = members(readBer(bytes))
    if (integerOf(version) !== 3n) throw new Error('version is not 3')
    const safe = dataOf(authSafe)
    if (macData !== undefined) checkMac(members(macData), safe, password, work)
    const bags = members(readBer(safe)).flatMap((content) => bagsOf(content, password, work))
    if (bags.length > mostBags) throw new Error(`more than ${mostBags} entries`)
    return entryOf(bags, password, work, options)
  } catch (error) {
    if (error instanceof CryptoRefusal) throw error
    throw new CryptoRefusal('parameters', 'not a PKCS#12 file', error)
  }
}

/**
 * Writes an entry; the certificates in the order of the chain, at least that of the key. The password
 * is printable ASCII and not empty: programs disagree about anything else.
 */
export function writePkcs12Entry(
  { key, friendlyName = 'alias', certificates }: Omit<Pkcs12Entry, 'key'> & Partial<Pkcs12Entry>,
  password: Uint8Array,
  form: Pkcs12Form = 'modern',
): Uint8Array {
  const text = passwordText(password)
  if (!/^[\x20-\x7e]+$/.test(text))
    throw new CryptoRefusal('parameters', 'the password of a PKCS#12 file is printable ASCII here')
  const [certificate, ...authorities] = certificates.map(parsed)
  if (certificate === undefined)
    throw new CryptoRefusal('parameters', 'a PKCS#12 file needs a certificate')
  const content = { friendlyName, privateKey: key?.privateKey, certificate, authorities }
  return writePkcs12(content, text, form)
}

function parsed(der: Uint8Array): Certificate {
  try {
    return parseCertificate(der)
  } catch (error) {
    throw new CryptoRefusal('parameters', 'not an X.509 certificate', error)
  }
}

/** A SafeBag with the attributes that pair it with others. */
interface Bag {
  id: string
  value: AsnType | undefined
  friendlyName: string | undefined
}

function bagsOf(content: AsnType, password: Uint8Array, work: PasswordWork): Bag[] {
  const [id] = members(content)
  const safe =
    oidOf(id) === encryptedDataId ? decryptedData(content, password, work) : dataOf(content)
  return members(readBer(safe)).map((bag) => {
    const [name, ...rest] = members(bag)
    const [value] = insideTag(rest, 0) ?? []
    return { id: oidOf(name), value, friendlyName: friendlyNameIn(rest[1]) }
  })
}

function friendlyNameIn(attributes: AsnType | undefined): string | undefined {
  if (!(attributes instanceof Constructed)) return undefined
  const found = attributes.valueBlock.value
    .map(members)
    .find(([type]) => oidOf(type) === oids.friendlyName)?.[1]
  const name: unknown = found instanceof Constructed ? found.valueBlock.value[0] : undefined
  return (name as { getValue?(): string } | undefined)?.getValue?.()
}

function entryOf(
  bags: readonly Bag[],
  password: Uint8Array,
  work: PasswordWork,
  {
    friendlyName: wanted,
    trusted = false,
  }: { friendlyName?: string | undefined; trusted?: boolean },
): Pkcs12Entry {
  const bag = bags
    .filter(({ id }) => id === bagIds.key || id === bagIds.shroudedKey)
    .find(({ friendlyName = '' }) => wanted === undefined || isSameName(friendlyName, wanted))
  if (bag?.value === undefined)
    throw new CryptoRefusal('parameters', 'the PKCS#12 file has no such private key')
  const key = keyIn(bag, password, trusted, work)
  const found = bags.filter(({ id }) => id === bagIds.certificate).flatMap(certificateIn)
  const { friendlyName } = bag
  const certificates = chainOf(key, found)
  return { key, certificates, ...(friendlyName !== undefined && { friendlyName }) }
}

function keyIn(bag: Bag, password: Uint8Array, trusted: boolean, work: PasswordWork): PrivateHalf {
  if (bag.id === bagIds.key) {
    const info = new Uint8Array(bag.value!.toBER())
    try {
      return readPrivateKeyInfo(info, trusted)
    } finally {
      info.fill(0)
    }
  }
  const [algorithm, ciphertext] = members(bag.value)
  return decryptedKey(algorithm, contentOf(ciphertext), trusted, password, work)
}

/** RFC 7292 §4.1: names are compared without case. */
function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** SDSI certificates are left out. */
function certificateIn({ value }: Bag): X509Certificate[] {
  const [type, ...rest] = members(value)
  const [content] = insideTag(rest, 0) ?? []
  if (oidOf(type) !== '1.2.840.113549.1.9.22.1') return []
  return [new X509Certificate(contentOf(content))]
}

/** From the key's own certificate up as far as the file goes. */
function chainOf(key: PrivateHalf, all: readonly X509Certificate[]): Uint8Array[] {
  const chain: X509Certificate[] = []
  let next = all.find(({ publicKey }) => isSamePublicKey(publicKey, key.publicKey))
  while (next !== undefined && !chain.includes(next)) {
    const last = next
    chain.push(last)
    next = all.find((issuer) => issuer !== last && last.checkIssued(issuer))
  }
  return chain.map(({ raw }) => raw)
}

/** RFC 7292 §4, appendix B: HMAC over the content, by a key from the password. */
function checkMac(
  [digestInfo, salt, count]: AsnType[],
  content: Uint8Array,
  password: Uint8Array,
  work: PasswordWork,
): void {
  const [algorithm, expected] = members(digestInfo)
  const id = oidOf(members(algorithm)[0])
  const row = macDigests[id as keyof typeof macDigests]
  if (row === undefined)
    throw new CryptoRefusal('unsupported', `PKCS#12 integrity by ${id} is not supported`)
  const iterations = spendPkcs12(work, count === undefined ? 1n : integerOf(count), 1)
  const text = passwordText(password)
  const key = pkcs12Key(row.digest, 'mac', text, octetsOf(salt), iterations, row.length)
  const mac = createHmac(row.digest, key).update(content).digest()
  if (!equalBytes(mac, octetsOf(expected))) throw cryptographicFailure()
}

function dataOf(contentInfo: AsnType | undefined): Uint8Array {
  const [id, ...rest] = members(contentInfo)
  const [content] = insideTag(rest, 0) ?? []
  if (oidOf(id) !== dataId)
    throw new CryptoRefusal('unsupported', 'the PKCS#12 file is not protected by a password')
  return contentOf(content)
}

function decryptedData(content: AsnType, password: Uint8Array, work: PasswordWork): Uint8Array {
  const [, ...rest] = members(content)
  const [data] = insideTag(rest, 0) ?? []
  const [, info] = members(data)
  const [, algorithm, ciphertext] = members(info)
  return decryptByPassword(algorithm, contentOf(ciphertext), password, work)
}

/** The bytes of an OCTET STRING, also under an implicit tag, in one piece or in several. */
function contentOf(element: AsnType | undefined): Uint8Array {
  if (element instanceof OctetString) return new Uint8Array(element.getValue())
  if (element instanceof Constructed)
    return Buffer.concat(element.valueBlock.value.map((part) => contentOf(part)))
  const primitive = element as { valueBlock?: { valueHexView?: Uint8Array } } | undefined
  if (primitive?.valueBlock?.valueHexView !== undefined) return primitive.valueBlock.valueHexView
  throw new Error('an OCTET STRING was expected')
}

function readBer(bytes: Uint8Array): AsnType {
  if (bytes.length > largestInput) throw new Error(`more than ${largestInput} bytes`)
  const { offset, result } = fromBER(bytes, limits)
  if (offset === -1) throw new Error(`not ASN.1: ${result.error}`)
  return result
}
