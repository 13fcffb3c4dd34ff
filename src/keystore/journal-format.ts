// The form of a journal's files: a line that says what they are, then frames of entries. Each entry is a row as
// the keystore wrote it, under its own MAC; keys stay sealed. A frame's digest finds damage, not forgery.
import { z } from 'zod'
import { sha256 } from '../crypto/primitives/hash.ts'
import { equalBytes } from '../crypto/primitives/mac.ts'
import type { AuditRow, ObjectRow, WrapRow, WrittenDocument } from './storage.ts'

/** The form written here; files of a later one are refused. */
export const journalFormat = 1

/** First bytes of a file. */
export const journalMagic = Buffer.from('keyreel journal\n')

const mark = Buffer.from('KRJF')
const headLength = 16
const digestLength = 32

/** An object's row; without `sealed` its sealed bytes stayed as they were, null means that there are none. */
export interface JournalObject extends Pick<
  ObjectRow,
  'id' | 'group' | 'type' | 'revision' | 'epoch' | 'mac' | 'record'
> {
  readonly sealed?: Uint8Array | null
}

/** What happened to one row. */
export type JournalEntry =
  | { readonly kind: 'object'; readonly row: JournalObject }
  | { readonly kind: 'wipe'; readonly id: string; readonly revision: number }
  | { readonly kind: 'document'; readonly row: WrittenDocument }
  | { readonly kind: 'wrap'; readonly row: WrapRow }
  | { readonly kind: 'audit'; readonly row: AuditRow }

/** The first frame of a file. */
export interface JournalHeader {
  readonly format: number
  /** The journal's own identity, and that of the keystore. */
  readonly journal: string
  readonly store: string
  readonly file: number
  /** Seconds since 1970. */
  readonly time: number
  /** Whether the journal held everything in the keystore once before this file. */
  readonly whole: boolean
  /** Up to which record of each audit chain the files before hold everything. */
  readonly heads: readonly JournalHead[]
}

/** Where an audit chain stands; `mac` in base64. */
export interface JournalHead {
  readonly chain: string
  readonly last: number
  readonly mac: string
}

/** A frame as it stands in a file. */
export interface RawFrame {
  readonly sequence: number
  readonly payload: Uint8Array
  /** Where it begins in the file, and where it ends. */
  readonly from: number
  readonly to: number
}

/** What was met in a file: a frame, bytes in the middle that are none, or an end that was cut off. */
export type Met =
  | { readonly kind: 'frame'; readonly frame: RawFrame }
  | { readonly kind: 'damage'; readonly from: number; readonly to: number }
  | { readonly kind: 'cut'; readonly from: number; readonly to: number }

/** The bytes of a frame. */
export function frameOf(sequence: number, payload: string): Buffer {
  const body = Buffer.from(payload)
  const head = Buffer.alloc(headLength)
  mark.copy(head)
  head.writeBigUInt64BE(BigInt(sequence), 4)
  head.writeUInt32BE(body.length, 12)
  return Buffer.concat([head, body, sha256(head, body)])
}

/** Whether a file begins as one of a journal. */
export function isJournalFile(bytes: Buffer): boolean {
  return bytes.subarray(0, journalMagic.length).equals(journalMagic)
}

/** Everything in a file behind its first line. */
export function* framesIn(bytes: Buffer, start = journalMagic.length): Generator<Met> {
  for (let at = start; at < bytes.length;) {
    const frame = frameAt(bytes, at)
    if (frame !== undefined) {
      yield { kind: 'frame', frame }
      at = frame.to
      continue
    }
    const next = nextFrame(bytes, at + 1)
    const isWhole = next === undefined && lengthAt(bytes, at) === bytes.length - at
    yield {
      kind: next === undefined && !isWhole ? 'cut' : 'damage',
      from: at,
      to: next ?? bytes.length,
    }
    at = next ?? bytes.length
  }
}

function lengthAt(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < headLength + digestLength) return undefined
  if (!bytes.subarray(at, at + mark.length).equals(mark)) return undefined
  return headLength + bytes.readUInt32BE(at + 12) + digestLength
}

function frameAt(bytes: Buffer, at: number): RawFrame | undefined {
  const length = lengthAt(bytes, at)
  if (length === undefined || length > bytes.length - at) return undefined
  const to = at + length
  const digest = bytes.subarray(to - digestLength, to)
  if (!equalBytes(sha256(bytes.subarray(at, to - digestLength)), digest)) return undefined
  const payload = bytes.subarray(at + headLength, to - digestLength)
  return { sequence: Number(bytes.readBigUInt64BE(at + 4)), payload, from: at, to }
}

function nextFrame(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(mark, from); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    if (frameAt(bytes, at) !== undefined) return at
  }
  return undefined
}

const count = z.number().int().nonnegative()
const base64 = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')))
const sealed = base64.nullable()

const header = z.object({
  format: count,
  journal: z.string(),
  store: z.string(),
  file: count,
  time: count,
  whole: z.boolean().default(false),
  heads: z.array(z.object({ chain: z.string(), last: count, mac: z.string() })),
})

const entry = z.union([
  z.tuple([z.literal('object'), z.string(), z.string(), count, count, count, base64, base64]),
  z.tuple([
    z.literal('object'),
    z.string(),
    z.string(),
    count,
    count,
    count,
    base64,
    base64,
    sealed,
  ]),
  z.tuple([z.literal('wipe'), z.string(), count]),
  z.tuple([
    z.literal('document'),
    z.string(),
    z.string(),
    count,
    count,
    base64,
    z.string().nullable(),
    sealed,
  ]),
  z.tuple([z.literal('wrap'), count, z.string(), base64]),
  z.tuple([z.literal('audit'), z.string(), count, count, count, base64, z.string()]),
])
const body = z.object({ time: count, whole: z.boolean(), entries: z.array(entry) })

/** What a frame that is not the first holds. */
export interface JournalFrame {
  /** Seconds since 1970. */
  readonly time: number
  /** Whether the journal held everything in the keystore once this was written. */
  readonly whole: boolean
  readonly entries: readonly JournalEntry[]
}

/** A file's first payload; undefined when it is none. */
export function readHeader(payload: Uint8Array): JournalHeader | undefined {
  return header.safeParse(parsed(payload)).data
}

/** A further payload; undefined when it is none. */
export function readFrame(payload: Uint8Array): JournalFrame | undefined {
  const read = body.safeParse(parsed(payload)).data
  return read && { ...read, entries: read.entries.map(entryOf) }
}

/** The payload of entries. */
export function frameText({ time, whole, entries }: JournalFrame): string {
  return JSON.stringify({ time, whole, entries: entries.map(written) })
}

function entryOf(read: z.output<typeof entry>): JournalEntry {
  switch (read[0]) {
    case 'object': {
      const [, id, group, type, revision, epoch, mac, record, sealed] = read
      const row = { id, group, type, revision, epoch, mac, record }
      return { kind: 'object', row: sealed === undefined ? row : { ...row, sealed } }
    }
    case 'wipe':
      return { kind: 'wipe', id: read[1], revision: read[2] }
    case 'document': {
      const [, kind, name, revision, epoch, mac, body, sealed] = read
      return { kind: 'document', row: { kind, name, revision, epoch, mac, body, sealed } }
    }
    case 'wrap':
      return { kind: 'wrap', row: { epoch: read[1], provider: read[2], bytes: read[3] } }
    case 'audit': {
      const [, chain, first, last, epoch, mac, body] = read
      return { kind: 'audit', row: { chain, first, last, epoch, mac, body } }
    }
  }
}

function written(entry: JournalEntry): readonly (string | number | null)[] {
  switch (entry.kind) {
    case 'object': {
      const { id, group, type, revision, epoch, mac, record, sealed } = entry.row
      const fields = [id, group, type, revision, epoch, text(mac), text(record)]
      return [entry.kind, ...fields, ...(sealed === undefined ? [] : [sealed && text(sealed)])]
    }
    case 'wipe':
      return [entry.kind, entry.id, entry.revision]
    case 'document': {
      const { kind, name, revision, epoch, mac, body, sealed } = entry.row
      return [entry.kind, kind, name, revision, epoch, text(mac), body, sealed && text(sealed)]
    }
    case 'wrap':
      return [entry.kind, entry.row.epoch, entry.row.provider, text(entry.row.bytes)]
    case 'audit': {
      const { chain, first, last, epoch, mac, body } = entry.row
      return [entry.kind, chain, first, last, epoch, text(mac), body]
    }
  }
}

/** Bytes as base64. */
export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

function parsed(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}
