// A message as an indented tree for logs and people: names instead of numbers, secrets as their
// length only.

import type { Item } from './items.ts'
import { bigIntegerBytes } from './primitives.ts'
import { textOf } from './text-values.ts'
import { meaningOf } from './text-vocabulary.ts'
import type { TextVocabulary } from './text-vocabulary.ts'

const longest = 64
const encoder = new TextEncoder()

/**
 * One line for each item: `UniqueIdentifier (TextString): "1a2b"`. Bytes, texts and big integers
 * under the vocabulary's secret tags are shown as `<32 bytes>`, whatever the structure inside.
 */
export function prettyPrint(item: Item, vocabulary: TextVocabulary): string {
  const lines: string[] = []

  function print(one: Item, siblings: readonly Item[], indent: string, secret: boolean): void {
    const tag = vocabulary.tagName(one.tag)
    const meaning = meaningOf(tag, siblings, vocabulary)
    const hidden = secret || vocabulary.secretTags.has(tag) || vocabulary.secretTags.has(meaning)
    if (one.type === 'Structure') {
      lines.push(`${indent}${tag}`)
      for (const child of one.value) print(child, one.value, `${indent}  `, hidden)
      return
    }
    const value = (hidden ? masked(one) : undefined) ?? shown(one, siblings, vocabulary)
    lines.push(`${indent}${tag} (${one.type}): ${value}`)
  }

  print(item, [], '', false)
  return `${lines.join('\n')}\n`
}

/** What is shown of a secret; undefined for types that hold none. */
function masked(item: Item): string | undefined {
  switch (item.type) {
    case 'ByteString':
      return `<${item.value.length} bytes>`
    case 'BigInteger':
      return `<${bigIntegerBytes(item.value).length} bytes>`
    case 'TextString':
      return `<${encoder.encode(item.value).length} bytes>`
    default:
      return undefined
  }
}

function shown(item: Item, siblings: readonly Item[], vocabulary: TextVocabulary): string {
  if (item.type === 'TextString') return quoted(item.value)
  const { value } = textOf(item, vocabulary, ' | ', siblings)
  const text = String(value)
  if (item.type !== 'ByteString' || item.value.length <= longest) return text
  return `${text.slice(0, longest * 2)}… (${item.value.length} bytes)`
}

/** Quoted so that no character can move the cursor, colour the terminal or reorder the line. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
