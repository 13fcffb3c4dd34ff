// A small bounded reader of XML elements and attributes, as much as the XML encoding of KMIP needs.
// No document types, no entities but the five of XML and numeric ones, nothing fetched, ever.

import { DecodeError } from './errors.ts'
import { limits as defaultLimits } from './reader.ts'
import type { Limits } from './reader.ts'

/** An element: its name without a prefix, its attributes, its child elements. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  /** Where its tag begins, in characters of the text. */
  readonly offset: number
}

/** How to treat what is not an element: for one message, or for a file of many. */
export interface XmlMode {
  /** Refuse text between elements and end tags without a start. */
  readonly strict: boolean
}

const namePattern = /[A-Za-z_][\w.-]{0,127}(?::[A-Za-z_][\w.-]{0,127})?/y
const spacePattern = /[ \t\r\n]*/y
const entities = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
])

/** What is no character of XML 1.0 (§2.2), halves of surrogate pairs among it. */
export const noXmlCharacter = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

/** An element whose end has not come: its name with the prefix, and where children are put. */
interface OpenElement {
  readonly tagName: string
  readonly children: XmlElement[]
}

/**
 * The elements at the top level. Comments, processing instructions, text between elements and end
 * tags that nothing opened are passed over. Throws DecodeError 'xml', 'depth', 'items' or 'size'.
 */
export function parseXml(text: string, limits: Partial<Limits> = {}): XmlElement[] {
  return xmlElements(text, limits, { strict: false })
}

/** As `parseXml`; strict mode passes over comments, processing instructions and space only. */
export function xmlElements(
  text: string,
  limits: Partial<Limits>,
  { strict }: XmlMode,
): XmlElement[] {
  const { maxBytes, maxDepth, maxItems } = { ...defaultLimits, ...limits }
  const roots: XmlElement[] = []
  const open: OpenElement[] = []
  let items = 0
  let at = 0

  function fail(reason: string, code: 'xml' | 'depth' | 'items' | 'size' = 'xml'): never {
    const path = open.map(({ tagName }) => tagName).join('/')
    throw new DecodeError(code, reason, { path, offset: at })
  }

  function match(pattern: RegExp): string {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? ''
    at += found.length
    return found
  }

  function passOver(end: string): void {
    const found = text.indexOf(end, at)
    if (found < 0) fail(`${end} is missing`)
    at = found + end.length
  }

  function anyName(): string {
    return match(namePattern) || fail('a name is expected')
  }

  function character(): string {
    const end = text.indexOf(';', at)
    if (end < 0 || end - at > 10) fail('an entity without end')
    const entity = text.slice(at + 1, end)
    at = end + 1
    const digits = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(entity)
    if (digits === null) {
      return entities.get(entity) ?? fail('an entity that is not one of the five')
    }
    const [, hex, decimal] = digits
    const point = hex === undefined ? Number(decimal) : parseInt(hex, 16)
    const named = point > 0x10ffff ? '' : String.fromCodePoint(point)
    if (named === '' || noXmlCharacter.test(named)) fail('not a character')
    return named
  }

  function attributeValue(): string {
    const quote = text.charAt(at)
    if (quote !== '"' && quote !== "'") fail('a quoted value is expected')
    at++
    let value = ''
    for (;;) {
      const plain = match(quote === '"' ? /[^"&<]*/y : /[^'&<]*/y)
      value += plain.replace(/\r\n|[\r\n\t]/g, ' ')
      const next = text.charAt(at)
      if (next === '&') value += character()
      else if (next === quote) break
      else fail('a value without end')
    }
    at++
    return value
  }

  function startTag(): void {
    const offset = at++
    const tagName = anyName()
    const attributes: Record<string, string> = {}
    let space = match(spacePattern)
    while (text.charAt(at) !== '>' && text.charAt(at) !== '/') {
      if (at >= text.length) fail('an element without end')
      if (space === '') fail('space is expected')
      const key = anyName()
      match(spacePattern)
      if (text.charAt(at) !== '=') fail('= is expected')
      at++
      match(spacePattern)
      const value = attributeValue()
      if (Object.hasOwn(attributes, key)) fail('an attribute occurs twice')
      // Defined, not assigned: a name like __proto__ is a name like any other.
      Object.defineProperty(attributes, key, { value, enumerable: true })
      space = match(spacePattern)
    }
    if (++items > maxItems) fail(`more than ${maxItems} elements`, 'items')
    if (open.length >= maxDepth) fail(`more than ${maxDepth} elements inside one another`, 'depth')
    const children: XmlElement[] = []
    const name = tagName.slice(tagName.indexOf(':') + 1)
    const siblings = open.at(-1)?.children ?? roots
    siblings.push({ name, attributes, children, offset })
    const empty = text.charAt(at) === '/'
    if (empty) at++
    if (text.charAt(at) !== '>') fail('> is expected')
    at++
    if (!empty) open.push({ tagName, children })
  }

  function endTag(): void {
    at += 2
    const closed = anyName()
    match(spacePattern)
    if (text.charAt(at) !== '>') fail('> is expected')
    const element = open.at(-1)
    if (element === undefined && strict) fail('an end without a start')
    if (element !== undefined && element.tagName !== closed)
      fail(`${element.tagName} is not closed`)
    open.pop()
    at++
  }

  if (text.length > maxBytes) fail(`${text.length} characters exceed ${maxBytes}`, 'size')
  const wrong = text.search(noXmlCharacter)
  if (wrong >= 0) {
    at = wrong
    fail('a character that XML does not have')
  }
  if (text.startsWith('\uFEFF')) at = 1
  while (at < text.length) {
    const start = text.indexOf('<', at)
    const between = text.slice(at, start < 0 ? text.length : start)
    if (strict && /[^ \t\r\n]/.test(between)) fail('text between elements')
    if (start < 0) break
    at = start
    if (text.startsWith('<!--', at)) passOver('-->')
    else if (text.startsWith('<?', at)) passOver('?>')
    else if (text.startsWith('<!', at)) fail('document types and CDATA have no place here')
    else if (text.startsWith('</', at)) endTag()
    else startTag()
  }
  if (open.length > 0) fail('an element is not closed')
  return roots
}
