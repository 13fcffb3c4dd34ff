// `keyreel ttlv decode`: a TTLV message (KMIP 2.1 §9.1) as an indented tree, key bytes masked.
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { DecodeError, decodeItem, prettyPrint, toJson } from 'ttlv-codec'
import type { Item } from 'ttlv-codec'
import { UserError } from '../../errors.ts'
import { textVocabulary } from '../../kmip/model/text-vocabulary.ts'
import { command, optional } from '../command.ts'
import type { Context } from '../command.ts'

/** Messages in files come from captures and may be larger than what the server takes. */
const limits = { maxBytes: 64 * 2 ** 20, maxDepth: 64, maxItems: 2 ** 20 }

export const ttlvDecode = command({
  words: 'ttlv decode',
  summary: 'print a TTLV message as an indented tree, key bytes masked',
  details:
    'Takes binary or hexadecimal (spaces, colons and line ends are free) from FILE, or from ' +
    'standard input without FILE or with -. Several messages may follow one another.',
  arguments: { FILE: optional('message to print; - is standard input') },
  examples: ['ttlv decode request.bin', 'ttlv decode --json < answer.hex'],
  async run({ arguments: { FILE }, context }) {
    const fromStdin = FILE === undefined || FILE === '-'
    const input = fromStdin ? await readStdin(context) : await readFile(FILE)
    const name = fromStdin ? 'standard input' : FILE
    const items = messagesIn(bytesOf(input), name)
    return {
      json: items.map((item) => JSON.parse(toJson(masked(item), textVocabulary)) as unknown),
      text: items.map((item) => prettyPrint(item, textVocabulary).trimEnd()).join('\n'),
    }
  },
})

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

function messagesIn(bytes: Uint8Array, name: string): Item[] {
  if (bytes.length === 0) {
    throw notTtlv(`${name} is empty`, 'give a message as a file or on standard input')
  }
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

/** The item with every secret value replaced by its length, whatever the structure inside. */
function masked(item: Item, secret = false): Item {
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

function lengthOf(value: string | Uint8Array): number {
  return Buffer.byteLength(value)
}

function notTtlv(found: string, hint: string, cause?: unknown): UserError {
  return new UserError('not-ttlv', found, hint, { cause })
}
