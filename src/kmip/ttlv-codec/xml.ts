// XML encoding (KMIP Additional Message Encodings 1.0; KMIP Profiles 1.3-2.1): an element for each
// item, named by its tag, with its type and value as attributes.

import { DecodeError, EncodeError } from './errors.ts'
import type { Item } from './items.ts'
import { itemOf, textOf } from './text-values.ts'
import type { TextItem } from './text-values.ts'
import type { TextVocabulary } from './text-vocabulary.ts'
import type { Limits } from './reader.ts'
import { noXmlCharacter, xmlElements } from './xml-parser.ts'
import type { XmlElement } from './xml-parser.ts'

/** The item as indented XML. Throws EncodeError on text with characters XML does not have. */
export function toXml(item: Item, vocabulary: TextVocabulary): string {
  const lines: string[] = []
  writeElement(textOf(item, vocabulary, ' '), '', lines)
  return `${lines.join('\n')}\n`
}

/** The one item of an XML document. Throws DecodeError. */
export function fromXml(
  text: string,
  vocabulary: TextVocabulary,
  limits: Partial<Limits> = {},
): Item {
  const [root, ...others] = xmlElements(text, limits, { strict: true })
  if (root === undefined || others.length > 0) {
    throw new DecodeError('xml', `${others.length + (root ? 1 : 0)} elements, expected one`)
  }
  return itemFromXml(root, vocabulary)
}

/** The item of a parsed element. Throws DecodeError. */
export function itemFromXml(element: XmlElement, vocabulary: TextVocabulary): Item {
  return itemOf(textItem(element), vocabulary, 'xml', ' ')
}

function writeElement(item: TextItem, indent: string, lines: string[]): void {
  const name = item.tag.startsWith('0x') ? 'TTLV' : item.tag
  const tag = name === 'TTLV' ? ` tag="${item.tag}"` : ''
  const start = `${indent}<${name}${tag}`
  if (typeof item.value === 'object') {
    if (item.value.length === 0) {
      lines.push(`${start}/>`)
      return
    }
    lines.push(`${start}>`)
    for (const child of item.value) writeElement(child, `${indent}  `, lines)
    lines.push(`${indent}</${name}>`)
    return
  }
  lines.push(`${start} type="${item.type}" value="${escaped(String(item.value), item.tag)}"/>`)
}

function textItem({ name, attributes, children, offset }: XmlElement): TextItem {
  const tag = name === 'TTLV' ? (attributes.tag ?? '') : name
  const type = attributes.type ?? 'Structure'
  if (type !== 'Structure' && children.length > 0) {
    throw new DecodeError('xml', 'a value with elements inside', { path: name, offset })
  }
  if (type === 'Structure') return { tag, type, value: children.map(textItem), offset }
  const { value } = attributes
  if (value === undefined) {
    throw new DecodeError('xml', 'has no value', { path: name, offset })
  }
  return { tag, type, value, offset }
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

function escaped(text: string, tag: string): string {
  if (noXmlCharacter.test(text)) {
    throw new EncodeError('value', 'text has characters that XML does not', { path: tag })
  }
  return text.replace(/[&<>"\t\n\r]/g, (character) => escapes[character] ?? character)
}
