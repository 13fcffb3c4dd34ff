// The small XML reader: what it passes over, what it refuses, its bounds, the published cases.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DecodeError, parseXml } from 'ttlv-codec'
import type { XmlElement } from 'ttlv-codec'

const profiles = new URL('../../vectors/profiles/', import.meta.url)
const cases = readdirSync(profiles, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.xml'),
)

function refuses(text: string, code: string): void {
  expect(() => parseXml(text)).toThrow(expect.objectContaining({ name: 'DecodeError', code }))
}

/** The first attribute of the first element. */
function value(text: string): string | undefined {
  return Object.values(parseXml(text)[0]?.attributes ?? {})[0]
}

describe('parseXml', () => {
  it('gives elements, attributes and children in order', () => {
    expect(parseXml('<a x="1" y=\'2\'><b/><c z = "3" /></a>')).toEqual([
      {
        name: 'a',
        attributes: { x: '1', y: '2' },
        children: [
          { name: 'b', attributes: {}, children: [], offset: 15 },
          { name: 'c', attributes: { z: '3' }, children: [], offset: 19 },
        ],
        offset: 0,
      },
    ])
  })

  it('gives all elements of the top level, passing over what is between', () => {
    const text = `<?xml version="1.0"?><!-- <no/> --># TIME 0\n<a/>\n# TIME 1\n<b>text</b></b>`
    expect(parseXml(text).map((element) => element.name)).toEqual(['a', 'b'])
  })

  it('leaves prefixes out of names', () => {
    expect(parseXml('<kmip:Tag xmlns:kmip="urn:oasis:tc:kmip:xmlns"/>')[0]?.name).toBe('Tag')
  })

  it('knows five entities and numeric ones', () => {
    expect(value('<a x="&lt;&gt;&amp;&quot;&apos;&#937;&#x1F600;"/>')).toBe('<>&"\'Ω😀')
  })

  it('takes every character that XML has', () => {
    const characters = '\x7f\x80\ud7ff\ue000\ufffd\u{10000}\u{10ffff}'
    expect(value(`<a x="${characters}"/>`)).toBe(characters)
    const numbers = [...characters].map((one) => `&#${one.codePointAt(0)};`).join('')
    expect(value(`<a x="${numbers}&#9;&#xA;&#13;"/>`)).toBe(`${characters}\t\n\r`)
  })

  it('tells where a character is that XML does not have', () => {
    expect(() => parseXml('<a/>\n<b x="\x01"/>')).toThrow(
      expect.objectContaining({ code: 'xml', offset: 11 }),
    )
  })

  it('turns line ends inside values into spaces', () => {
    expect(value('<a x="1\r\n2\t3"/>')).toBe('1 2 3')
  })

  it('takes a name like __proto__ as any other', () => {
    const [element] = parseXml('<a __proto__="1"/>')
    expect(Object.entries(element?.attributes ?? {})).toEqual([['__proto__', '1']])
  })

  it.each([
    ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><a/>'],
    ['CDATA', '<a><![CDATA[x]]></a>'],
    ['an entity of its own', '<a x="&b;"/>'],
    ['an inherited name as an entity', '<a x="&constructor;"/>'],
    ['an inherited function as an entity', '<a x="&toString;"/>'],
    ['another one', '<a x="&valueOf;"/>'],
    ['the prototype as an entity', '<a x="&__proto__;"/>'],
    ['a number that stands for NUL', '<a x="&#0;"/>'],
    ['a number that stands for a control character', '<a x="&#x1;"/>'],
    ['a number that stands for no character', '<a x="&#xFFFE;"/>'],
    ['NUL', '<a x="\0"/>'],
    ['a control character', '<a x="\x1b"/>'],
    ['a control character between elements', '<a>\x01</a>'],
    ['a control character in a comment', '<!-- \x01 --><a/>'],
    ['what is no character', '<a x="\uffff"/>'],
    ['half a surrogate pair as it is', '<a x="\udc00"/>'],
    ['an entity without end', '<a x="&amp"/>'],
    ['half a surrogate pair', '<a x="&#xD800;"/>'],
    ['a number that is no character', '<a x="&#x110000;"/>'],
    ['an element that is not closed', '<a>'],
    ['elements that cross', '<a><b></a></b>'],
    ['a tag that is not closed', '<a x="1"'],
    ['a value that is not closed', '<a x="1'],
    ['a value without quotes', '<a x=1/>'],
    ['an attribute without value', '<a x/>'],
    ['an attribute twice', '<a x="1" x="2"/>'],
    ['attributes without space', '<a x="1"y="2"/>'],
    ['a tag within a value', '<a x="<"/>'],
    ['a comment without end', '<a/><!-- '],
    ['an instruction without end', '<?xml '],
    ['a slash that ends nothing', '<a / >'],
    ['a name that is none', '<1/>'],
    ['an end with attributes', '<a></a x="1">'],
    ['a name without end', `<${'a'.repeat(10_000)}/>`],
  ])('refuses %s', (_, text) => refuses(text, 'xml'))

  it('has bounds', () => {
    refuses('<a>'.repeat(33), 'depth')
    refuses('<a/>'.repeat(65537), 'items')
    refuses(' '.repeat(1024 * 1024 + 1), 'size')
    expect(() => parseXml('<a><b/></a>', { maxDepth: 1 })).toThrow(
      expect.objectContaining({ code: 'depth' }),
    )
  })

  it('refuses a message cut anywhere, or reads it, and nothing else', () => {
    const text = '<?xml version="1.0"?><!-- c --><a x="&lt;1"><b y=\'2\'/></a>'
    for (let length = 0; length < text.length; length++) {
      try {
        parseXml(text.slice(0, length))
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }
  })

  it('reads each published case', () => {
    expect(cases.length).toBeGreaterThan(0)
    for (const name of cases) {
      const messages: XmlElement[] = []
      const collect = (elements: readonly XmlElement[]): void => {
        for (const element of elements) {
          if (/^Re(quest|sponse)Message$/.test(element.name)) messages.push(element)
          else collect(element.children)
        }
      }
      collect(parseXml(readFileSync(new URL(name, profiles), 'utf8'), { maxDepth: 40 }))
      expect(messages.length, name).toBeGreaterThan(1)
    }
  })
})
