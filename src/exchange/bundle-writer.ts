/**
 * Writes a bundle: parts as they come into a file beside the wanted one, then manifest and parts
 * together. The wanted file appears whole, on disk and at once, or not at all.
 */
import { link, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Issuer } from '../crypto/certificates-issue.ts'
import { envelop } from '../crypto/cms.ts'
import type { Recipient } from '../crypto/cms-recipients.ts'
import { signContent } from '../crypto/cms-signed.ts'
import { randomBytes } from '../crypto/primitives/random.ts'
import { sha256, toHex } from '../crypto/primitives/hash.ts'
import { syncDirectory } from '../durable-files.ts'
import { FileDigest } from './file-digest.ts'
import { encodeBundle, exchangeFormat, type Bundle, type Manifest } from './manifest.ts'

/** What the manifest says besides what the writer knows itself. */
export type ManifestFacts = Omit<
  Manifest,
  'ExchangeFormat' | 'PartKey' | 'PartsEnclosed' | 'BundlePart' | 'KeyCount'
>

/** What a writer knows itself when it has finished: its parts, and the key to them unless they are enclosed. */
export interface WrittenParts {
  readonly BundlePart: Manifest['BundlePart']
  readonly PartKey: Uint8Array | undefined
  readonly PartContent: Bundle['PartContent']
}

/** Opens a file of ours; as `open` of Node does. */
export type OpenFile = typeof open

/** Gives a file another name; as `link` of Node does. */
export type LinkFile = typeof link

/** One bundle being written. Call `finish`, or `abandon` when anything has failed. */
export class BundleWriter {
  readonly #out: string
  readonly #recipients: readonly Recipient[]
  readonly #partKey = randomBytes(32)
  readonly #partKeyId: Uint8Array
  readonly #parts: Manifest['BundlePart'] = []
  readonly #enclosed: Uint8Array[] = []
  readonly #temporary: { parts: string; whole: string }
  readonly #open: OpenFile
  readonly #link: LinkFile
  #file: FileHandle | undefined
  #hasAppeared = false

  /** `exportId` names temporary files beside `out`. Each of the recipients can open it alone. */
  constructor(
    out: string,
    exportId: string,
    recipients: readonly Recipient[],
    openFile: OpenFile = open,
    linkFile: LinkFile = link,
  ) {
    this.#open = openFile
    this.#link = linkFile
    this.#out = out
    this.#recipients = recipients
    this.#partKeyId = Buffer.from(exportId)
    const beside = join(dirname(out), `.${basename(out)}.${exportId.slice(0, 8)}`)
    this.#temporary = { parts: `${beside}.parts`, whole: `${beside}.tmp` }
  }

  /** Whether the wanted file is there: from then on it may have been read, whatever fails later. */
  get hasAppeared(): boolean {
    return this.#hasAppeared
  }

  /** Whether everything stands in one CMS message, for recipients that read with openssl. */
  get enclosing(): boolean {
    return this.#recipients.some(({ kind }) => kind !== 'hybrid')
  }

  /** Adds a request message with that many keys. */
  async add(content: Uint8Array, keys: number): Promise<void> {
    const part = this.enclosing
      ? content
      : envelop(content, [{ kind: 'shared', id: this.#partKeyId, key: this.#partKey }])
    this.#parts.push({
      PartNumber: this.#parts.length + 1,
      KeyCount: keys,
      PartDigest: sha256(part),
    })
    if (this.enclosing) {
      this.#enclosed.push(part)
      return
    }
    this.#file ??= await this.#openParts()
    await writeAll(this.#file, part)
  }

  /** The file of the parts has no name any more once it is open: nothing of it outlives the process. */
  async #openParts(): Promise<FileHandle> {
    const file = await this.#open(this.#temporary.parts, 'wx+', 0o600)
    await rm(this.#temporary.parts, { force: true })
    return file
  }

  /** Signs, puts everything together and on disk. Answers the file's SHA-256 and length. */
  finish(
    facts: ManifestFacts,
    signer: Issuer,
    time: bigint,
  ): Promise<{ digest: string; bytes: number }> {
    const encodeManifest = ({ BundlePart, PartKey, PartContent }: WrittenParts): Uint8Array =>
      encodeBundle({
        ExchangeManifest: {
          ExchangeFormat: exchangeFormat,
          ...facts,
          KeyCount: BundlePart.reduce((sum, { KeyCount }) => sum + KeyCount, 0),
          PartsEnclosed: this.enclosing,
          ...(PartKey !== undefined && { PartKey }),
          BundlePart,
        },
        PartContent,
      })
    return this.finishWith(encodeManifest, signer, time)
  }

  /** The same with whatever manifest is made of the parts. */
  async finishWith(
    encodeManifest: (written: WrittenParts) => Uint8Array,
    signer: Issuer,
    time: bigint,
  ): Promise<{ digest: string; bytes: number }> {
    const content = encodeManifest({
      BundlePart: this.#parts,
      PartKey: this.enclosing ? undefined : this.#partKey,
      PartContent: this.#enclosed,
    })
    const inner = envelop(content, this.#recipients)
    content.fill(0)
    const first = signContent(inner, signer, time)
    await this.#removeLeft()
    const whole = await this.#open(this.#temporary.whole, 'wx', 0o600)
    const digest = new FileDigest()
    try {
      await write(whole, first, digest)
      if (this.#file !== undefined) await copy(this.#file, whole, digest)
      await whole.sync()
    } finally {
      await whole.close()
    }
    await this.#appear()
    this.#hasAppeared = true
    await this.abandon()
    await syncDirectory(dirname(this.#out))
    return { digest: toHex(digest.value()), bytes: digest.length }
  }

  /** A link, unlike a rename, never takes the place of a file that is there; file systems of sticks and shares know none. */
  async #appear(): Promise<void> {
    const { whole } = this.#temporary
    try {
      await this.#link(whole, this.#out)
    } catch (error) {
      if (!linkless.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      if ((await stat(this.#out).catch(() => undefined)) !== undefined)
        throw Object.assign(new Error(`EEXIST: ${this.#out} is there`), { code: 'EEXIST' })
      await rename(whole, this.#out)
    }
  }

  /** Removes what an export to the same file has left that was killed at its very end. */
  async #removeLeft(): Promise<void> {
    const directory = dirname(this.#out)
    const before = `.${basename(this.#out)}.`
    for (const name of await readdir(directory))
      if (name.startsWith(before) && /^[0-9a-f]{8}\.tmp$/.test(name.slice(before.length)))
        await rm(join(directory, name), { force: true })
  }

  /** Removes what was written beside the wanted file. */
  async abandon(): Promise<void> {
    this.#partKey.fill(0)
    await this.#file?.close()
    this.#file = undefined
    await rm(this.#temporary.whole, { force: true })
  }
}

/** What file systems say that have no links. */
const linkless: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

const copied = 1024 * 1024

async function copy(from: FileHandle, to: FileHandle, digest: FileDigest): Promise<void> {
  const buffer = Buffer.alloc(copied)
  for (let position = 0; ;) {
    const { bytesRead } = await from.read(buffer, 0, copied, position)
    if (bytesRead === 0) return
    await write(to, buffer.subarray(0, bytesRead), digest)
    position += bytesRead
  }
}

async function write(to: FileHandle, bytes: Uint8Array, digest: FileDigest): Promise<void> {
  digest.update(bytes)
  await writeAll(to, bytes)
}

async function writeAll(to: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await to.write(bytes, done, bytes.length - done)).bytesWritten
}
