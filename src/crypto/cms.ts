/**
 * CMS content (RFC 5652): AuthEnvelopedData with AES-256-GCM (RFC 5083, RFC 5084), written and read in
 * DER. `openssl cms -decrypt -inform DER` opens what is written for RSA and elliptic-curve recipients.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { openRecipientInfo, recipientInfo, type Opener, type Recipient } from './cms-recipients.ts'
import { CryptoRefusal, cryptographicFailure } from './crypto-refusal.ts'
import { contextTag, DerReader, derTag, element, integer, octets, oid } from './der.ts'
import { onlyElement, sequence, setOf } from './der.ts'
import { randomBytes } from './primitives/random.ts'

const ids = {
  data: '1.2.840.113549.1.7.1',
  authEnvelopedData: '1.2.840.113549.1.9.16.1.23',
  aes256Gcm: '2.16.840.1.101.3.4.1.46',
} as const

const tagLength = 16
const mostRecipients = 16

/** A ContentInfo (RFC 5652 §3): a content with its type. */
export function contentInfo(type: string, content: Uint8Array): Uint8Array {
  return sequence(oid(type), element(contextTag(0), content))
}

/** The content of a ContentInfo of that type. Throws CryptoRefusal `parameters`. */
export function contentOf(type: string, der: Uint8Array): DerReader {
  const info = new DerReader(onlyElement(der).contents)
  info.expect(oid(type), 'content type')
  const content = info.into(contextTag(0))
  info.end()
  return content
}

/** `content` encrypted for the recipients: a ContentInfo with AuthEnvelopedData. */
export function envelop(content: Uint8Array, recipients: readonly Recipient[]): Uint8Array {
  const cek = randomBytes(32)
  const nonce = randomBytes(12)
  const infos = recipients.map((recipient) => recipientInfo(recipient, cek))
  const cipher = createCipheriv('aes-256-gcm', cek, nonce, { authTagLength: tagLength })
  cek.fill(0)
  const encrypted = cipher.update(content)
  cipher.final()
  return contentInfo(
    ids.authEnvelopedData,
    sequence(
      integer(0),
      setOf(...infos),
      sequence(oid(ids.data), gcmAlgorithm(nonce), element(contextTag(0, false), encrypted)),
      octets(cipher.getAuthTag()),
    ),
  )
}

/** The envelope does not name anybody whose keys were tried. */
export class NotForUs extends Error {
  override readonly name = 'NotForUs'
}

/**
 * Opens an envelope with the first of these keys that it names. The caller wipes the content. Throws
 * NotForUs, or CryptoRefusal: `failure` when it was changed.
 */
export function openEnvelope(der: Uint8Array, openers: readonly Opener[]): Uint8Array {
  const outer = contentOf(ids.authEnvelopedData, der)
  const envelope = outer.into()
  outer.end()
  envelope.expect(integer(0), 'version')
  const infos = envelope.into(derTag.set)
  const encrypted = envelope.into()
  const tag = envelope.octets()
  envelope.end()
  encrypted.expect(oid(ids.data), 'content type')
  const algorithm = encrypted.into()
  algorithm.expect(oid(ids.aes256Gcm), 'content encryption')
  const parameters = algorithm.into()
  algorithm.end()
  const nonce = parameters.octets()
  parameters.expect(integer(tagLength), 'tag length')
  parameters.end()
  const ciphertext = encrypted.next(contextTag(0, false)).contents
  encrypted.end()
  if (nonce.length !== 12 || tag.length !== tagLength)
    throw new CryptoRefusal('parameters', 'a nonce or tag of another length')
  const cek = contentKey(infos, openers)
  const decipher = createDecipheriv('aes-256-gcm', cek, nonce, { authTagLength: tagLength })
  cek.fill(0)
  decipher.setAuthTag(tag)
  const content = decipher.update(ciphertext)
  try {
    decipher.final()
    return content
  } catch (cause) {
    content.fill(0)
    throw cryptographicFailure(cause)
  }
}

function contentKey(infos: DerReader, openers: readonly Opener[]): Uint8Array {
  let cek: Uint8Array | undefined
  let count = 0
  while (infos.tag !== undefined) {
    if (++count > mostRecipients) throw new CryptoRefusal('parameters', 'too many recipients')
    const info = infos.next()
    for (const opener of openers) cek ??= openRecipientInfo(info, opener)
  }
  if (cek !== undefined) return cek
  throw new NotForUs('the envelope is for none of these keys')
}

function gcmAlgorithm(nonce: Uint8Array): Uint8Array {
  return sequence(oid(ids.aes256Gcm), sequence(octets(nonce), integer(tagLength)))
}
