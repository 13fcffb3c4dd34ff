// JSON encoding (KMIP Additional Message Encodings 1.0; KMIP Profiles 1.3-2.1): an object for each
// item with its tag, type and value; a structure's value is an array.

import { DecodeError } from './errors.ts'
import { fromHex } from './hex.ts'
import type { Item } from './items.ts'
import { bigIntegerOf } from './primitives.ts'
import { limits as defaultLimits } from './reader.ts'
import type { Limits } from './reader.ts'
import { hex64, itemOf, textOf } from './text-values.ts'
import type { TextItem } from './text-values.ts'
import type { TextVocabulary } from './text-vocabulary.ts'

/** What a tag may look like; errors show it. */
const tagPattern = /^\w{1,128}$/

/** The item as indented JSON. */
export function toJson(item: Item, vocabulary: TextVocabulary): string {
  return JSON.stringify(jsonOf(textOf(item, vocabulary, '|')), null, 2)
}

/** The item of a JSON text. Throws DecodeError. */
export function fromJson(
  text: string,
  vocabulary: TextVocabulary,
  limits: Partial<Limits> = {},
): Item {
  const { maxBytes } = { ...defaultLimits, ...limits }
  if (text.length > maxBytes) {
    throw new DecodeError('size', `${text.length} characters exceed ${maxBytes}`)
  }
  return itemFromJson(parsed(text), vocabulary, limits)
}

/** The item of a JSON text that was parsed before. Throws DecodeError. */
export function itemFromJson(
  root: unknown,
  vocabulary: TextVocabulary,
  limits: Partial<Limits> = {},
): Item {
  const bounds = { ...defaultLimits, ...limits }
  let items = 0

  function textItem(json: unknown, path: string, depth: number): TextItem {
    const fail = (reason: string, code: 'json' | 'depth' | 'items' = 'json'): never => {
      throw new DecodeError(code, reason, { path })
    }
    if (++items > bounds.maxItems) fail(`more than ${bounds.maxItems} items`, 'items')
    if (typeof json !== 'object' || json === null) return fail('not an object')
    const { tag, type = 'Structure', value } = json as Record<string, unknown>
    if (typeof tag !== 'string' || !tagPattern.test(tag)) return fail('has no tag')
    const place = path === '' ? tag : `${path}/${tag}`
    if (typeof type !== 'string') return fail(`type of ${tag} is not a string`)
    if (type === 'Structure') {
      if (!Array.isArray(value)) return fail(`value of ${tag} is not an array`)
      if (depth >= bounds.maxDepth) fail(`more than ${bounds.maxDepth} structures`, 'depth')
      return { tag, type, value: value.map((child) => textItem(child, place, depth + 1)) }
    }
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      return fail(`value of ${tag} is neither string, number nor boolean`)
    }
    const problem = problemOf(type, value)
    if (problem !== undefined) throw new DecodeError('json', problem, { path: place })
    return { tag, type, value }
  }

  return itemOf(textItem(root, '', 0), vocabulary, 'json', '|')
}

/** What keeps a value from being what was written: numbers may have been rounded, digits may be decimal. */
function problemOf(type: string, value: string | number | boolean): string | undefined {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? undefined : 'not a whole number below 2^53'
  }
  const isMarked = type !== 'BigInteger' || String(value).startsWith('0x')
  return isMarked ? undefined : 'hexadecimal digits without 0x'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // The engine's message quotes the text, which may hold a secret.
    throw new DecodeError('json', 'not JSON')
  }
}

function jsonOf({ tag, type, value }: TextItem): object {
  if (typeof value === 'object') return { tag, value: value.map(jsonOf) }
  return { tag, type, value: jsonValue(type, value) }
}

/** Numbers as JSON numbers where JSON can tell them exactly, otherwise hexadecimal. */
function jsonValue(type: string, value: string | number | boolean): string | number | boolean {
  const text = String(value)
  if (type === 'Boolean') return text === 'true'
  if (type === 'BigInteger') {
    const number = Number(bigIntegerOf(fromHex(text) ?? new Uint8Array(8)))
    return Number.isSafeInteger(number) ? number : `0x${text}`
  }
  if (type === 'LongInteger') {
    return Number.isSafeInteger(Number(text)) ? Number(text) : hex64(BigInt(text))
  }
  const plain = (type === 'Integer' || type === 'Interval') && /^-?\d+$/.test(text)
  return plain ? Number(text) : text
}
