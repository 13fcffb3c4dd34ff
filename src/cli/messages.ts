// KMIP messages in files: TTLV as bytes or hexadecimal, XML, JSON, several in a row, read whatever they are
// and written with 0600. What is shown on a screen has its secret values masked.
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { buffer } from 'node:stream/consumers'
import {
  DecodeError,
  decodeItem,
  encodeItem,
  fromJson,
  itemFromJson,
  itemFromXml,
  parseXml,
  toJson,
  toXml,
} from 'ttlv-codec'
import type { Item } from 'ttlv-codec'
import { writeNewFile } from '../durable-files.ts'
import { UserError } from '../errors.ts'
import { textVocabulary } from '../kmip/model/text-vocabulary.ts'
import type { Context } from './command.ts'
import { refuseOut } from '../out-file.ts'

/** Messages in files come from captures and may be larger than what the server takes. */
const limits = { maxBytes: 64 * 2 ** 20, maxDepth: 64, maxItems: 2 ** 20 }

/**
 * The messages of a file, or of standard input for none and for `-`. @throws UserError for what is none
 * of the forms
 */
export async function readMessages(file: string | undefined, context: Context): Promise<Item[]> {
  const fromStdin = file === undefined || file === '-'
  const input = fromStdin ? await readStdin(context) : await readFile(file)
  const name = fromStdin ? 'standard input' : file
  if (input.length === 0) {
    throw notTtlv(`${name} is empty`, 'give a message as a file or on standard input')
  }
  const start = Buffer.from(input.subarray(0, 1024)).toString('latin1').trimStart().slice(0, 1)
  if (start === '<') return inText(name, () => xmlMessages(textOf(input)))
  if (start === '{' || start === '[') return inText(name, () => jsonMessages(textOf(input)))
  return ttlvMessages(bytesOf(input), name)
}

/** Writes messages as they are into a new file, 0600: XML or JSON when its name says so, else TTLV. */
export async function writeMessages(file: string, items: readonly Item[]): Promise<void> {
  refuseOut(file)
  await writeNewFile(file, contents(extname(file), items))
}

function contents(extension: string, items: readonly Item[]): string | Uint8Array {
  if (extension === '.xml') {
    const texts = items.map((item) => toXml(item, textVocabulary)).join('\n')
    return items.length === 1 ? texts : `<KMIP>\n${texts}</KMIP>\n`
  }
  if (extension === '.json') {
    const texts = items.map((item) => toJson(item, textVocabulary))
    return items.length === 1 ? `${texts[0]}\n` : `[\n${texts.join(',\n')}\n]\n`
  }
  return Buffer.concat(items.map(encodeItem))
}

/** The item with every secret value replaced by its length, whatever the structure inside. */
export function masked(item: Item, secret = false): Item {
  const hidden = secret || textVocabulary.secretTags.has(textVocabulary.tagName(item.tag))
  const { tag } = item
  switch (item.type) {
    case 'Structure':
      return { ...item, value: item.value.map((child) => masked(child, hidden)) }
    case 'ByteString':
    case 'TextString':
      return hidden ? { tag, type: 'TextString', value: `<${lengthOf(item.value)} bytes>` } : item
    case 'BigInteger':
      return hidden ? { tag, type: 'TextString', value: '<a big integer>' } : item
    default:
      return item
  }
}

/** Whether an item holds a value that `masked` would hide. */
export function hasSecrets(item: Item, secret = false): boolean {
  const hidden = secret || textVocabulary.secretTags.has(textVocabulary.tagName(item.tag))
  if (item.type === 'Structure') return item.value.some((child) => hasSecrets(child, hidden))
  return (
    hidden &&
    (item.type === 'ByteString' || item.type === 'TextString' || item.type === 'BigInteger')
  )
}

/** Messages as --json shows them. */
export function jsonOf(items: readonly Item[]): unknown[] {
  return items.map((item) => JSON.parse(toJson(masked(item), textVocabulary)) as unknown)
}

async function readStdin({ io, say }: Context): Promise<Uint8Array> {
  if (io.interactive) say('reading a message from the keyboard; end with Ctrl-D')
  return await buffer(io.stdin)
}

/** The message bytes: as they are, or written as hexadecimal digits. */
function bytesOf(input: Uint8Array): Uint8Array {
  const text = Buffer.from(input).toString('latin1')
  if (!/^(0x|[0-9a-f\s:])*$/i.test(text)) return input
  const digits = text.replaceAll(/0x|[\s:]/gi, '')
  if (digits.length % 2 === 0) return Buffer.from(digits, 'hex')
  throw notTtlv('an odd number of hexadecimal digits', 'check that no digit was lost when copying')
}

function ttlvMessages(bytes: Uint8Array, name: string): Item[] {
  const items: Item[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + itemLength(bytes.subarray(at))
    items.push(decodeMessage(bytes.subarray(at, end), `${name}, byte ${at}`))
    at = end
  }
  return items
}

/** Bytes of the item in front: header, value and padding to a multiple of eight. */
function itemLength(bytes: Uint8Array): number {
  if (bytes.length < 8) return bytes.length
  const { buffer: memory, byteOffset, byteLength } = bytes
  return 8 + Math.ceil(new DataView(memory, byteOffset, byteLength).getUint32(4) / 8) * 8
}

function decodeMessage(bytes: Uint8Array, place: string): Item {
  try {
    return decodeItem(bytes, limits)
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause
    throw notTtlv(
      `${place}: ${cause.message}`,
      'a message starts with 42 00 78 (request) or 42 00 7b (answer)',
      cause,
    )
  }
}

/** A file of several has them in one `KMIP` element, as published test cases do. */
function xmlMessages(text: string): Item[] {
  return parseXml(text, limits)
    .flatMap((root) => (root.name === 'KMIP' ? root.children : [root]))
    .map((element) => itemFromXml(element, textVocabulary))
}

function jsonMessages(text: string): Item[] {
  if (!text.trimStart().startsWith('[')) return [fromJson(text, textVocabulary, limits)]
  const messages = JSON.parse(text) as unknown[]
  return messages.map((message) => itemFromJson(message, textVocabulary, limits))
}

function textOf(input: Uint8Array): string {
  return new TextDecoder().decode(input)
}

function inText(name: string, read: () => Item[]): Item[] {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof DecodeError || cause instanceof SyntaxError)) throw cause
    // The engine's words about JSON quote the text, which may hold a secret.
    const found = cause instanceof DecodeError ? cause.message : 'not JSON'
    throw notTtlv(
      `${name}: ${found}`,
      'names are those of the standard without spaces, such as <UniqueIdentifier type="TextString" value="…"/>',
      cause,
    )
  }
}

function lengthOf(value: string | Uint8Array): number {
  return Buffer.byteLength(value)
}

function notTtlv(found: string, hint: string, cause?: unknown): UserError {
  return new UserError('not-ttlv', found, hint, { cause })
}
