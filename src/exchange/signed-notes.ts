/**
 * Short messages between sites, each a file: JSON as CMS data inside SignedData by the exchange identity
 * of whoever writes (RFC 5652), in DER. Who is believed is the reader's question.
 */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Issuer } from '../crypto/certificates-issue.ts'
import type { Certificate } from '../crypto/certificates.ts'
import { contentInfo, contentOf } from '../crypto/cms.ts'
import { signContent, verifySigned } from '../crypto/cms-signed.ts'
import { CryptoRefusal } from '../crypto/crypto-refusal.ts'
import { octets } from '../crypto/der.ts'
import { pinOf } from '../crypto/encryption-certificates.ts'
import { replaceFile } from '../durable-files.ts'
import { UserError } from '../errors.ts'

const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
const count = z.number().int().nonnegative()

/** Tapes in one request. */
export const mostTapes = 20_000
/** Keys that one receipt names as not taken. */
export const mostLeft = 20_000
/** Keys that one notice withdraws, and exports that it names. */
export const mostWithdrawn = 20_000
export const mostExports = 20_000
const word = z.string().min(1).max(256)

/** Every kind; `keyreel` says which, and its version. */
const shapes = {
  /** What became of a bundle where it was imported. */
  receipt: z.strictObject({
    keyreel: z.literal('receipt 1'),
    export: uuid,
    import: uuid,
    /** Seconds since 1970. */
    imported: count,
    counts: z.strictObject({ new: count, here: count, conflict: count, refused: count }),
    /** SHA-256 of the file that was imported, hexadecimal. */
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    /** Keys that were not taken. */
    left: z
      .array(
        z.strictObject({
          key: uuid,
          verdict: z.enum(['conflict', 'refused']),
          reason: z.string().max(512),
        }),
      )
      .max(mostLeft)
      .optional(),
  }),
  /** Whose keys a site asks for. */
  request: z.strictObject({
    keyreel: z.literal('request 1'),
    request: uuid,
    /** Fingerprint of the Encryption Certificate of the site that is asked. */
    to: z.string().regex(/^[0-9a-f]{64}$/),
    tapes: z
      .array(
        z.union([
          z.strictObject({ barcode: word }),
          z.strictObject({ namespace: word, data: word }),
        ]),
      )
      .min(1)
      .max(mostTapes),
  }),
  /** Copies that the site which has sent them wants used no longer. */
  withdrawal: z.strictObject({
    keyreel: z.literal('withdrawal 1'),
    notice: uuid,
    /** Fingerprint of the Encryption Certificate of the site that has the copies. */
    to: z.string().regex(/^[0-9a-f]{64}$/),
    reason: z.enum(['withdrawn', 'compromised']),
    /** The exports by which copies have come that are meant; later ones are not. */
    exports: z.array(uuid).min(1).max(mostExports),
    keys: z
      .array(z.strictObject({ key: uuid, barcode: word.optional() }))
      .min(1)
      .max(mostWithdrawn),
  }),
  /** What became of them there. */
  'withdrawal receipt': z.strictObject({
    keyreel: z.literal('withdrawal receipt 1'),
    notice: uuid,
    /** Seconds since 1970. */
    applied: count,
    counts: z.strictObject({ withdrawn: count, absent: count, refused: count }),
    /** Keys that stay in use there. */
    refused: z.array(z.strictObject({ key: uuid, reason: z.string().max(512) })).max(mostWithdrawn),
  }),
} as const

/** The signature covers the signer's certificate too, by its fingerprint. */
const around = z.strictObject({
  signer: z.string(),
  note: z.looseObject({ keyreel: z.string() }),
})

export type NoteKind = keyof typeof shapes
export type NoteBody<Kind extends NoteKind> = z.infer<(typeof shapes)[Kind]>

/** A message whose signature fits. */
export interface Note<Kind extends NoteKind> {
  readonly body: NoteBody<Kind>
  readonly sender: Certificate
  /** SHA-256 of the sender's SubjectPublicKeyInfo. */
  readonly pin: string
  /** When it was signed, by the sender's word; seconds since 1970. */
  readonly signed: bigint
}

const data = '1.2.840.113549.1.7.1'
const largest = 8 * 1024 * 1024

/** Signs and writes a message. The file appears whole, on the disk, or not at all. */
export async function writeNote<Kind extends NoteKind>(
  file: string,
  body: NoteBody<Kind>,
  signer: Issuer,
  now: bigint,
): Promise<void> {
  const said = { signer: signer.certificate.fingerprint, note: body }
  const inner = contentInfo(data, octets(Buffer.from(JSON.stringify(said))))
  await replaceFile(file, signContent(inner, signer, now), 0o644)
}

/** A message of one of several kinds. */
export type AnyNote<Kind extends NoteKind> = { [One in Kind]: Note<One> & { kind: One } }[Kind]

/** Reads a message and verifies its signature. Throws UserError 'note-unreadable'. */
export function readNote<Kind extends NoteKind>(kind: Kind, file: string): Promise<AnyNote<Kind>> {
  return readNoteOf([kind], file)
}

/** The same where the file may be of several kinds; the first of them names it in messages. */
export async function readNoteOf<Kind extends NoteKind>(
  kinds: readonly [Kind, ...Kind[]],
  file: string,
): Promise<AnyNote<Kind>> {
  const bytes = await readFile(file)
  const unreadable = (why: string, cause?: unknown) =>
    new UserError(
      'note-unreadable',
      `${file} is not a whole, unchanged ${kinds[0]}: ${why}`,
      'have it sent again; nothing was changed',
      { cause },
    )
  if (bytes.length > largest) throw unreadable(`it is larger than ${largest} bytes`)
  try {
    const { inner, signer, time } = verifySigned(bytes)
    const content = contentOf(data, inner)
    const text = Buffer.from(content.octets()).toString('utf8')
    content.end()
    const said = around.parse(JSON.parse(text))
    const kind = kinds.find((one) => said.note.keyreel === shapes[one].shape.keyreel.value)
    if (kind === undefined) throw unreadable('what it says is not what such a file says')
    const body = shapes[kind].parse(said.note) as NoteBody<Kind>
    if (said.signer !== signer.fingerprint)
      throw unreadable('it is not signed by the certificate that it names')
    const note = { kind, body, sender: signer, pin: pinOf(signer), signed: time }
    return note as AnyNote<Kind>
  } catch (cause) {
    if (cause instanceof z.ZodError || cause instanceof SyntaxError)
      throw unreadable('what it says is not what such a file says', cause)
    const isForm = cause instanceof UserError && cause.code === 'not-a-certificate'
    if (cause instanceof CryptoRefusal || isForm) throw unreadable(cause.message, cause)
    throw cause
  }
}
