/**
 * The forms a message may have in an HTTP body, one row each: KMIP Additional Message Encodings 1.0 and
 * KMIP Profiles 2.1 "HTTPS", "JSON", "XML". Every form becomes TTLV before anything else looks at it,
 * so that limits, checks and answers are those of the binary port.
 */
import {
  DecodeError,
  decodeItem,
  encodeItem,
  fromJson,
  fromXml,
  itemFromJson,
  itemFromXml,
  parseXml,
  toJson,
  toXml,
  type Item,
  type Limits,
} from 'ttlv-codec'
import { tagNumber } from '../model/tags.ts'
import { textVocabulary } from '../model/text-vocabulary.ts'

/** One form. */
export interface BodyEncoding {
  /** Without parameters, as it stands in Content-Type. */
  readonly contentType: string
  /** The message in TTLV. Throws DecodeError. */
  toTtlv(body: Uint8Array, limits: Limits): Uint8Array
  /** An answer of the server in this form. Throws EncodeError for text that the form cannot carry. */
  fromTtlv(answer: Uint8Array): Uint8Array
  /**
   * For a body that `toTtlv` refuses: a TTLV message with its Protocol Version alone, or no bytes
   * when not even that can be made out.
   */
  headOf(body: Uint8Array, limits: Limits): Uint8Array
}

const ttlv: BodyEncoding = {
  contentType: 'application/octet-stream',
  toTtlv: (body) => body,
  fromTtlv: (answer) => answer,
  headOf: (body) => body,
}

const xml: BodyEncoding = {
  contentType: 'text/xml',
  toTtlv: (body, limits) => ttlvOf(fromXml(textOf(body), textVocabulary, limits), limits),
  fromTtlv: (answer) => bytesOf(toXml(decodeItem(answer, unlimited), textVocabulary)),
  headOf: (body, limits) =>
    head(() => {
      const [root] = parseXml(textOf(body), limits)
      const version = root?.children
        .find(({ name }) => name === 'RequestHeader')
        ?.children.find(({ name }) => name === 'ProtocolVersion')
      return version && itemFromXml(version, textVocabulary)
    }),
}

const json: BodyEncoding = {
  contentType: 'application/json',
  toTtlv: (body, limits) => ttlvOf(fromJson(textOf(body), textVocabulary, limits), limits),
  fromTtlv: (answer) => bytesOf(toJson(decodeItem(answer, unlimited), textVocabulary)),
  headOf: (body, limits) =>
    head(() => {
      const member = (parent: unknown, tag: string): unknown => {
        const value = (parent as { value?: unknown } | undefined)?.value
        return Array.isArray(value)
          ? value.find((child: unknown) => (child as { tag?: unknown } | null)?.tag === tag)
          : undefined
      }
      const root: unknown = JSON.parse(textOf(body))
      const version = member(member(root, 'RequestHeader'), 'ProtocolVersion')
      return version === undefined ? undefined : itemFromJson(version, textVocabulary, limits)
    }),
}

/** The table. */
export const bodyEncodings: readonly BodyEncoding[] = [ttlv, xml, json]

/** An answer of our own has whatever size it has. */
const unlimited: Limits = { maxBytes: Infinity, maxDepth: Infinity, maxItems: Infinity }

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new DecodeError('utf8', 'the body is not UTF-8')
  }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function ttlvOf(item: Item, { maxBytes }: Limits): Uint8Array {
  const bytes = encodeItem(item)
  if (bytes.length <= maxBytes) return bytes
  throw new DecodeError('size', `a message of ${bytes.length} bytes exceeds ${maxBytes}`)
}

function head(find: () => Item | undefined): Uint8Array {
  let version: Item | undefined
  try {
    version = find()
  } catch (error) {
    // Whatever is wrong has been said already; without a version the answer is in the oldest one.
    if (!(error instanceof DecodeError || error instanceof SyntaxError)) throw error
  }
  if (version === undefined) return new Uint8Array()
  const header: Item = { tag: tagNumber('RequestHeader'), type: 'Structure', value: [version] }
  return encodeItem({ tag: tagNumber('RequestMessage'), type: 'Structure', value: [header] })
}
