/**
 * Reads a bundle: signature, sender, envelope, manifest, then one part after the other. Every part is
 * held against its digest before anything is made of it; memory holds one part at a time.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { dateOf } from '../access/identity.ts'
import type { Certificate } from '../crypto/certificates.ts'
import { NotForUs, openEnvelope } from '../crypto/cms.ts'
import type { Opener } from '../crypto/cms-recipients.ts'
import { verifySigned, type Signed } from '../crypto/cms-signed.ts'
import { CryptoRefusal } from '../crypto/crypto-refusal.ts'
import { measure } from '../crypto/der.ts'
import { pinOf } from '../crypto/encryption-certificates.ts'
import { sha256, toHex } from '../crypto/primitives/hash.ts'
import { UserError } from '../errors.ts'
import { FileDigest } from './file-digest.ts'
import { decodeBundle, limits, type Manifest } from './manifest.ts'
import type { PartList } from './part-list.ts'
import { unreadable } from './refusals.ts'

/** What anybody may see of a bundle: who signed it and when. Nothing is trusted yet. */
export interface Envelope {
  readonly sender: Certificate
  /** SHA-256 of the sender's SubjectPublicKeyInfo. */
  readonly pin: string
  /** When it was signed, by the sender's word; seconds since 1970. */
  readonly signed: bigint
  readonly bytes: number
}

/** A bundle that was opened. */
export interface OpenBundle {
  readonly manifest: Manifest
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string
  /** The request messages, in order; each is checked again as it is read. The caller is done with one before it asks for the next. */
  parts(): AsyncGenerator<{ content: Uint8Array; keys: number }>
}

/** A bundle file; close it. */
export class BundleFile {
  readonly #file: FileHandle
  readonly #size: number
  readonly #first: Uint8Array
  readonly #inner: Signed['inner']
  readonly envelope: Envelope

  private constructor(file: FileHandle, size: number, first: Uint8Array, signed: Signed) {
    this.#file = file
    this.#size = size
    this.#first = first
    this.#inner = signed.inner
    const { signer, time } = signed
    this.envelope = { sender: signer, pin: pinOf(signer), signed: time, bytes: size }
  }

  /** Opens and verifies the signature. Throws UserError 'bundle-unreadable'. */
  static async open(path: string): Promise<BundleFile> {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const first = await readElement(file, 0, size)
      return new BundleFile(
        file,
        size,
        first,
        refusing(() => verifySigned(first)),
      )
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /**
   * Decrypts the manifest and checks the whole file against it. Throws UserError 'bundle-for-another',
   * 'bundle-unreadable', 'sender-differs' or 'bundle-expired'.
   */
  async decrypt(
    keys: readonly { certificate: Certificate; opener: Opener }[],
    now: bigint,
  ): Promise<OpenBundle> {
    const content = this.manifestContent(
      keys.map(({ opener }) => opener),
      forAnother,
    )
    const { ExchangeManifest: manifest, PartContent } = decodeBundle(content)
    this.checkSender(manifest)
    const recipient = toHex(manifest.RecipientCertificateDigest)
    if (!keys.some(({ certificate }) => certificate.fingerprint === recipient)) throw forAnother()
    if (manifest.ExpiryDate !== undefined && manifest.ExpiryDate < now)
      throw new UserError(
        'bundle-expired',
        `the bundle expired ${dateOf(manifest.ExpiryDate)}`,
        'ask the sender for a new one; there:  keyreel exchange export',
      )
    const list = { ...manifest, PartContent }
    const digest = await this.checkParts(list)
    return { manifest, digest, parts: () => this.parts(list) }
  }

  /** The decrypted manifest, whatever it is of. Throws `unknown()` when it is for none of the keys. */
  manifestContent(openers: readonly Opener[], unknown: () => UserError): Uint8Array {
    try {
      return refusing(() => openEnvelope(this.#inner, openers))
    } catch (error) {
      if (error instanceof NotForUs) throw unknown()
      throw error
    }
  }

  /** The outer signer must be the inner sender: else somebody has signed another's bundle as his own. */
  checkSender({
    SenderKeyDigest,
    SenderCertificateDigest,
  }: Pick<Manifest, 'SenderKeyDigest' | 'SenderCertificateDigest'>): void {
    const { pin, sender } = this.envelope
    if (toHex(SenderKeyDigest) === pin && toHex(SenderCertificateDigest) === sender.fingerprint)
      return
    throw new UserError(
      'sender-differs',
      'the bundle is signed by somebody else than the one who made it',
      'do not import it; tell the site whose name it bears',
    )
  }

  /** Holds every part against its digest; answers the SHA-256 of the file. */
  async checkParts(list: PartList): Promise<string> {
    const digest = new FileDigest()
    digest.update(this.#first)
    for await (const part of this.#rawParts(list)) if (!part.enclosed) digest.update(part.bytes)
    if (digest.length !== this.#size)
      throw unreadable(`${this.#size - digest.length} bytes follow its last part`)
    return toHex(digest.value())
  }

  async *#rawParts({
    BundlePart,
    PartsEnclosed,
    PartContent,
  }: PartList): AsyncGenerator<{ bytes: Uint8Array; keys: number; enclosed: boolean }> {
    let position = this.#first.length
    for (const { PartNumber, PartDigest, KeyCount } of BundlePart) {
      const bytes = PartsEnclosed
        ? PartContent[PartNumber - 1]!
        : await readElement(this.#file, position, this.#size)
      if (!PartsEnclosed) position += bytes.length
      if (Buffer.compare(sha256(bytes), PartDigest) !== 0)
        throw unreadable(`part ${PartNumber} is not the one its manifest names`)
      yield { bytes, keys: KeyCount, enclosed: PartsEnclosed }
    }
  }

  /** The contents of the parts, in order; each is cleared when the next is asked for. */
  async *parts(list: PartList): AsyncGenerator<{ content: Uint8Array; keys: number }> {
    const { PartKey, ExportIdentifier } = list
    for await (const { bytes, keys } of this.#rawParts(list)) {
      if (PartKey === undefined) {
        yield { content: bytes, keys }
        continue
      }
      const opener = { id: Buffer.from(ExportIdentifier), key: PartKey }
      const content = refusing(() => openEnvelope(bytes, [opener]))
      yield { content, keys }
      content.fill(0)
    }
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** One DER element at that place of the file, of at most 64 MiB. */
async function readElement(file: FileHandle, position: number, size: number): Promise<Uint8Array> {
  const head = await readExactly(file, position, Math.min(6, size - position))
  const place = refusing(() => measure(head))
  if (head[0] !== 0x30 || place === undefined)
    throw unreadable(size === 0 ? 'the file is empty' : `no part begins at byte ${position}`)
  const { end } = place
  if (end > limits.partBytes) throw unreadable(`a part of ${end} bytes is too large`)
  if (position + end > size)
    throw unreadable(`it is cut off: ${position + end - size} bytes are missing at least`)
  return readExactly(file, position, end)
}

async function readExactly(
  file: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = Buffer.alloc(length)
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) throw unreadable('the file became shorter while it was read')
    done += bytesRead
  }
  return bytes
}

/** Whatever the cryptography refuses is one thing to the administrator; what was wrong is the cause. */
function refusing<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof CryptoRefusal) throw unreadable(error.message, error)
    if (error instanceof UserError && error.code === 'not-a-certificate')
      throw unreadable(error.message, error)
    throw error
  }
}

/** None of our private keys opens it. */
export function forAnother(): UserError {
  return new UserError(
    'bundle-for-another',
    'the bundle was made for another server: none of our private keys opens it',
    'the sender must export to the certificate of this server:  keyreel exchange certificate export',
  )
}
