// XML and JSON encodings (KMIP Additional Message Encodings 1.0): fixed texts, both directions, and
// what each type may be spelled like.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeItem,
  DecodeError,
  encodeItem,
  fromJson,
  fromXml,
  itemFromJson,
  itemFromXml,
  parseXml,
  toJson,
  toXml,
} from 'ttlv-codec'
import type { Item, ItemType } from 'ttlv-codec'
import { hex, messageBytes, tagNumber, tags, textVocabulary } from './fixtures.ts'

function attribute(name: string, value: Omit<Item, 'tag'>): Item {
  return {
    tag: tagNumber('Attribute'),
    type: 'Structure',
    value: [
      { tag: tagNumber('AttributeName'), type: 'TextString', value: name },
      { tag: tagNumber('AttributeValue'), ...value } as Item,
    ],
  }
}

/** An item of a tag that has neither enumeration nor mask. */
function plain(type: ItemType, value: unknown): Item {
  return { tag: tagNumber('ApplicationData'), type, value } as Item
}

function readXml(type: string, value: string, tag: keyof typeof tags = 'ApplicationData') {
  return fromXml(`<${tag} type="${type}" value="${value}"/>`, textVocabulary).value
}

function readJson(type: string, value: unknown, tag: keyof typeof tags = 'ApplicationData') {
  return fromJson(JSON.stringify({ tag, type, value }), textVocabulary).value
}

const message = decodeItem(messageBytes())

const messageXml = `<ResponseMessage>
  <ResponseHeader>
    <ProtocolVersion>
      <ProtocolVersionMajor type="Integer" value="1"/>
      <ProtocolVersionMinor type="Integer" value="4"/>
    </ProtocolVersion>
    <TimeStamp type="DateTime" value="2023-11-14T22:13:20+00:00"/>
    <BatchCount type="Integer" value="2"/>
  </ResponseHeader>
  <BatchItem>
    <Operation type="Enumeration" value="Get"/>
    <ResponsePayload>
      <ObjectType type="Enumeration" value="SymmetricKey"/>
      <UniqueIdentifier type="TextString" value="d8bd8a52-key"/>
      <SymmetricKey>
        <KeyBlock>
          <KeyValue>
            <KeyMaterial type="ByteString" value="${'2a'.repeat(32)}"/>
          </KeyValue>
          <CryptographicAlgorithm type="Enumeration" value="AES"/>
          <CryptographicLength type="Integer" value="256"/>
        </KeyBlock>
      </SymmetricKey>
    </ResponsePayload>
  </BatchItem>
  <BatchItem>
    <Operation type="Enumeration" value="Create"/>
    <ResponsePayload>
      <ObjectType type="Enumeration" value="Certificate"/>
      <UniqueIdentifier type="TextString" value="é"/>
    </ResponsePayload>
  </BatchItem>
</ResponseMessage>
`

describe('the XML form', () => {
  it('of a message is as published cases are', () => {
    expect(toXml(message, textVocabulary)).toBe(messageXml)
    expect(fromXml(messageXml, textVocabulary)).toEqual(message)
  })

  it('may have a declaration, comments, a namespace and spaces around', () => {
    const text = `<?xml version="1.0"?>\n<!-- a -->\n<k:KeyBlock xmlns:k="urn:oasis:tc:kmip:xmlns"></k:KeyBlock>\n`
    expect(fromXml(text, textVocabulary)).toEqual({
      tag: tagNumber('KeyBlock'),
      type: 'Structure',
      value: [],
    })
  })

  it('writes tags and values without a name in hexadecimal', () => {
    const item: Item = {
      tag: 0x54ffff,
      type: 'Structure',
      value: [{ tag: tagNumber('ObjectType'), type: 'Enumeration', value: 0x80000001 }],
    }
    const text = toXml(item, textVocabulary)
    expect(text).toContain('<TTLV tag="0x54ffff">')
    expect(text).toContain('value="0x80000001"')
    expect(fromXml(text, textVocabulary)).toEqual(item)
  })

  it('takes the enumeration or mask of an attribute value from the name beside it', () => {
    const algorithm = attribute('Cryptographic Algorithm', { type: 'Enumeration', value: 3 })
    const usage = attribute('Cryptographic Usage Mask', { type: 'Integer', value: 5 })
    expect(toXml(algorithm, textVocabulary)).toContain('value="AES"')
    expect(toXml(usage, textVocabulary)).toContain('value="Sign Encrypt"')
    for (const item of [algorithm, usage]) {
      expect(fromXml(toXml(item, textVocabulary), textVocabulary)).toEqual(item)
      expect(fromJson(toJson(item, textVocabulary), textVocabulary)).toEqual(item)
    }
    const vendor: Item = {
      ...attribute('', { type: 'Integer', value: 5 }),
      type: 'Structure',
      value: [
        { tag: tagNumber('VendorIdentification'), type: 'TextString', value: 'x' },
        { tag: tagNumber('AttributeName'), type: 'TextString', value: 'Cryptographic Usage Mask' },
        { tag: tagNumber('AttributeValue'), type: 'Integer', value: 5 },
      ],
    }
    expect(toXml(vendor, textVocabulary)).toContain('value="5"')
  })

  it('takes tags as names of an enumeration', () => {
    const item: Item = {
      tag: tagNumber('AttributeReference'),
      type: 'Enumeration',
      value: tagNumber('ObjectType'),
    }
    expect(toXml(item, textVocabulary)).toContain('value="ObjectType"')
    expect(fromXml(toXml(item, textVocabulary), textVocabulary)).toEqual(item)
  })

  it('keeps characters that XML would change', () => {
    const item = plain('TextString', `<a b="c" d='e'> & \t\r\n`)
    expect(fromXml(toXml(item, textVocabulary), textVocabulary)).toEqual(item)
  })

  it('cannot have characters that XML has not', () => {
    for (const character of ['\0', '\x1b', '\ufffe', '\uffff', 'x\ud800']) {
      expect(() => toXml(plain('TextString', character), textVocabulary)).toThrow(
        expect.objectContaining({ name: 'EncodeError', code: 'value' }),
      )
    }
  })

  it.each([
    ['no element', ''],
    ['two elements', '<KeyBlock/><KeyBlock/>'],
    ['text between elements', '<KeyBlock>x</KeyBlock>'],
    ['a space between elements that XML does not have', '<KeyBlock>\xa0</KeyBlock>'],
    ['an end without a start', '<KeyBlock/></KeyBlock>'],
    ['a tag that is none', '<KeyBlok/>'],
    ['an inherited name as a tag', '<constructor/>'],
    ['a type that is none', '<BatchCount type="Long" value="1"/>'],
    ['an inherited name as a type', '<BatchCount type="toString" value="1"/>'],
    ['no value', '<BatchCount type="Integer"/>'],
    ['elements in a value', '<BatchCount type="Integer" value="1"><KeyBlock/></BatchCount>'],
    ['a name of another enumeration', '<ObjectType type="Enumeration" value="AES"/>'],
    ['an inherited name as a value', '<ObjectType type="Enumeration" value="toString"/>'],
    ['a TTLV element without tag', '<TTLV/>'],
    ['a tag of four bytes', '<TTLV tag="0x00420001"/>'],
  ])('is refused with %s', (_, text) => {
    expect(() => fromXml(text, textVocabulary)).toThrow(
      expect.objectContaining({ name: 'DecodeError', code: 'xml' }),
    )
  })

  it('tells the place of an error', () => {
    const text = '<KeyBlock><BatchCount type="Integer" value="x"/></KeyBlock>'
    expect(() => itemFromXml(parseXml(text)[0]!, textVocabulary)).toThrow(
      expect.objectContaining({
        message: 'KeyBlock/BatchCount: the value is not Integer',
        offset: 10,
      }),
    )
  })
})

describe('the JSON form', () => {
  it('of a message has tag, type and value, and arrays for structures', () => {
    const text = toJson(message, textVocabulary)
    expect(JSON.parse(text)).toMatchObject({
      tag: 'ResponseMessage',
      value: [
        {
          tag: 'ResponseHeader',
          value: [
            { tag: 'ProtocolVersion' },
            { tag: 'TimeStamp', type: 'DateTime', value: '2023-11-14T22:13:20+00:00' },
            { tag: 'BatchCount', type: 'Integer', value: 2 },
          ],
        },
        { tag: 'BatchItem', value: [{ tag: 'Operation', type: 'Enumeration', value: 'Get' }, {}] },
        { tag: 'BatchItem' },
      ],
    })
    expect(fromJson(text, textVocabulary)).toEqual(message)
  })

  it('reads the example of the encoding', () => {
    const text =
      '{"tag": "ActivationDate", "type": "DateTime", "value": "2001-01-01T10:00:00+10:00"}'
    expect(fromJson(text, textVocabulary)).toEqual({
      tag: tagNumber('ActivationDate'),
      type: 'DateTime',
      value: 978307200n,
    })
  })

  it.each<[Item, unknown]>([
    [plain('LongInteger', 2n ** 53n - 1n), 2 ** 53 - 1],
    [plain('LongInteger', 2n ** 53n), '0x0020000000000000'],
    [plain('LongInteger', -(2n ** 63n)), '0x8000000000000000'],
    [plain('BigInteger', -5n), -5],
    [plain('BigInteger', 2n ** 63n), '0x00000000000000008000000000000000'],
    [plain('Boolean', false), false],
    [plain('Interval', 0xffffffff), 0xffffffff],
    [plain('Integer', -1), -1],
    [plain('ByteString', hex('00ff')), '00ff'],
    [plain('TextString', '12'), '12'],
    [{ tag: tagNumber('CryptographicUsageMask'), type: 'Integer', value: 3 }, 'Sign|Verify'],
    [{ tag: 0x54ffff, type: 'Integer', value: 3 }, 3],
  ])('of %o is %o', (item, value) => {
    const text = toJson(item, textVocabulary)
    expect(JSON.parse(text)).toMatchObject({ value })
    expect(fromJson(text, textVocabulary)).toEqual(item)
  })

  it.each([
    ['what is not JSON', '{', 'json'],
    ['null', 'null', 'json'],
    ['an array', '[]', 'json'],
    ['no tag', '{"value": []}', 'json'],
    ['a number as tag', '{"tag": 1, "value": []}', 'json'],
    ['an endless tag', JSON.stringify({ tag: 'x'.repeat(1000), value: [] }), 'json'],
    ['a tag of other characters', '{"tag": "\\u001b[2J", "value": []}', 'json'],
    ['a number as type', '{"tag": "KeyBlock", "type": 1, "value": []}', 'json'],
    ['a structure that is no array', '{"tag": "KeyBlock", "value": {}}', 'json'],
    ['a value that is null', '{"tag": "KeyBlock", "type": "Integer", "value": null}', 'json'],
    ['too many characters', ' '.repeat(1024 * 1024 + 1), 'size'],
  ])('is refused with %s', (_, text, code) => {
    expect(() => fromJson(text, textVocabulary)).toThrow(
      expect.objectContaining({ name: 'DecodeError', code }),
    )
  })

  const rounded = 'not a whole number below 2^53'
  it.each<[string, string, string]>([
    ['DateTime', '9007199254740993', rounded],
    ['DateTimeExtended', '-9007199254740993', rounded],
    ['LongInteger', '9007199254740993', rounded],
    ['BigInteger', '9007199254740993', rounded],
    ['Integer', '1.5', rounded],
    ['BigInteger', '"0000000000000001"', 'hexadecimal digits without 0x'],
    ['BigInteger', '"0x"', 'the value is not BigInteger'],
  ])('is refused when %s is %s', (type, value, reason) => {
    const inside = `{"tag": "ApplicationData", "type": "${type}", "value": ${value}}`
    expect(() => fromJson(`{"tag": "KeyBlock", "value": [${inside}]}`, textVocabulary)).toThrow(
      expect.objectContaining({ code: 'json', path: 'KeyBlock/ApplicationData', reason }),
    )
  })

  it('takes dates that are numbers as far as JSON tells them exactly', () => {
    expect(readJson('DateTime', 2 ** 53 - 1)).toBe(2n ** 53n - 1n)
    expect(readJson('DateTimeExtended', -1)).toBe(-1n)
  })

  it('takes the last of members that occur twice, as JSON.parse does', () => {
    const text =
      '{"tag": "KeyBlock", "tag": "ApplicationData", "type": "Integer", "value": 1, "value": 2}'
    expect(fromJson(text, textVocabulary)).toEqual(plain('Integer', 2))
  })

  it('has bounds', () => {
    const nested = (depth: number): object => ({
      tag: 'KeyBlock',
      value: depth === 1 ? [] : [nested(depth - 1)],
    })
    expect(fromJson(JSON.stringify(nested(32)), textVocabulary).type).toBe('Structure')
    expect(() => fromJson(JSON.stringify(nested(33)), textVocabulary)).toThrow(
      expect.objectContaining({ code: 'depth' }),
    )
    expect(() => fromJson(JSON.stringify(nested(3)), textVocabulary, { maxItems: 2 })).toThrow(
      expect.objectContaining({ code: 'items' }),
    )
  })

  it('is read from a value that was parsed before, however deep it is', () => {
    const value: unknown = JSON.parse(
      `{"tag": "KeyBlock", "value": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    )
    expect(() => itemFromJson(value, textVocabulary)).toThrow(
      expect.objectContaining({ code: 'json' }),
    )
    const item = itemFromJson({ tag: 'KeyBlock', value: [] }, textVocabulary)
    expect(item).toEqual({ tag: tagNumber('KeyBlock'), type: 'Structure', value: [] })
  })

  it('does not quote the text in an error', () => {
    try {
      fromJson('{"secret": hunter2', textVocabulary)
      expect.unreachable()
    } catch (error) {
      expect(String(error)).not.toContain('hunter2')
    }
  })
})

describe('a value in text', () => {
  it.each<[string, string, unknown]>([
    ['Integer', '-2147483648', -2147483648],
    ['Integer', '0xffffffff', -1],
    ['LongInteger', '-9223372036854775808', -(2n ** 63n)],
    ['LongInteger', '0xffffffffffffffff', -1n],
    ['BigInteger', '0xffffffffffffffff', -1n],
    ['Enumeration', '0x0000000c', 12],
    ['Boolean', 'true', true],
    ['Boolean', '0x0000000000000001', true],
    ['Boolean', '0x0000000000000000', false],
    ['Interval', '4294967295', 4294967295],
    ['ByteString', '00FFaa', hex('00ffaa')],
    ['ByteString', '', hex('')],
    ['TextString', '', ''],
    ['DateTime', '1970-01-01T00:00:06+00:00', 6n],
    ['DateTime', '1970-01-01T00:00:06Z', 6n],
    ['DateTime', '2000-02-02T00:00:00+10:00', 949413600n],
    ['DateTime', '1969-12-31T23:59:59Z', -1n],
    ['DateTime', '1969-12-31T23:59:59.9Z', -1n],
    ['DateTime', '1970-01-01T00:00:00-05:30', 19800n],
    ['DateTime', '0001-01-01T00:00:00Z', -62135596800n],
    ['DateTime', '0x7fffffffffffffff', 2n ** 63n - 1n],
    ['DateTimeExtended', '1970-01-01T00:00:01.000001Z', 1000001n],
    ['DateTimeExtended', '1969-12-31T23:59:59.999999Z', -1n],
  ])('%s %s is %o', (type, text, value) => {
    expect(readXml(type, text)).toEqual(value)
    expect(readJson(type, text)).toEqual(value)
  })

  it('of a big integer has no 0x in XML', () => {
    expect(readXml('BigInteger', '0000000000010001')).toBe(65537n)
  })

  it.each([
    ['Integer', '2147483648'],
    ['Integer', '1.5'],
    ['Integer', ''],
    ['Integer', '0x1ffffffff'],
    ['LongInteger', '9223372036854775808'],
    ['LongInteger', '0x1'],
    ['BigInteger', ''],
    ['BigInteger', '123'],
    ['Enumeration', '12x'],
    ['Boolean', 'yes'],
    ['Interval', '-1'],
    ['Interval', '4294967296'],
    ['ByteString', 'abc'],
    ['ByteString', '0xab'],
    ['ByteString', 'zz'],
    ['DateTime', '2001-02-29T00:00:00Z'],
    ['DateTime', '2001-13-01T00:00:00Z'],
    ['DateTime', '2001-01-01T24:00:00Z'],
    ['DateTime', '2001-01-01T00:00:60Z'],
    ['DateTime', '2001-01-01T00:00:00'],
    ['DateTime', '2001-01-01'],
    ['DateTime', '2001-01-01T00:00:00+25:00'],
    ['DateTime', '$NOW'],
    ['Structure', '1'],
  ])('is refused when %s is %o', (type, text) => {
    expect(() => readJson(type, text)).toThrow(expect.objectContaining({ code: 'json' }))
    if (type === 'Structure') return
    expect(() => readXml(type, text)).toThrow(expect.objectContaining({ code: 'xml' }))
  })

  it.each<[string, number]>([
    ['Sign', 1],
    ['Sign Encrypt', 5],
    ['Encrypt  Sign', 5],
    ['0x00000004 Sign', 5],
    ['Sign 4', 5],
    ['5', 5],
    ['0x00000005', 5],
    ['Vendor', -(2 ** 31)],
    ['0', 0],
  ])('of a mask may be %o', (text, value) => {
    expect(readXml('Integer', text, 'CryptographicUsageMask')).toBe(value)
    const barred = text.replaceAll(/ +/g, '|')
    expect(readJson('Integer', barred, 'CryptographicUsageMask')).toBe(value)
  })

  it('of a mask is refused with a name it has not', () => {
    expect(() => readXml('Integer', 'Sign Fly', 'CryptographicUsageMask')).toThrow(
      expect.objectContaining({ code: 'xml' }),
    )
  })

  it('of a mask is a number when a bit has no name', () => {
    const item: Item = { tag: tagNumber('CryptographicUsageMask'), type: 'Integer', value: 9 }
    expect(toXml(item, textVocabulary)).toContain('value="9"')
    expect(toXml({ ...item, value: 0 } as Item, textVocabulary)).toContain('value="0"')
  })

  it('is the same after either form, whatever it was', () => {
    const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
    const item = fc.oneof(
      fc.integer().map((value) => plain('Integer', value)),
      int64.map((value) => plain('LongInteger', value)),
      fc.bigInt().map((value) => plain('BigInteger', value)),
      fc.nat(0xffffffff).map((value) => plain('Enumeration', value)),
      fc.boolean().map((value) => plain('Boolean', value)),
      fc.string({ unit: 'grapheme' }).map((value) => plain('TextString', value)),
      fc.uint8Array().map((value) => plain('ByteString', value)),
      int64.map((value) => plain('DateTime', value)),
      fc.bigInt(-(10n ** 11n), 10n ** 12n).map((value) => plain('DateTime', value)),
      int64.map((value) => plain('DateTimeExtended', value)),
      fc.nat(0xffffffff).map((value) => plain('Interval', value)),
      fc.integer().map((value) => ({ ...plain('Integer', value), tag: 0x42002c })),
      fc.nat(20).map((value) => ({ ...plain('Enumeration', value), tag: 0x420057 })),
    )
    const items = fc.array(item).map((value) => plain('Structure', value))
    fc.assert(
      fc.property(items, (one) => {
        expect(fromXml(toXml(one, textVocabulary), textVocabulary)).toEqual(one)
        expect(fromJson(toJson(one, textVocabulary), textVocabulary)).toEqual(one)
      }),
    )
  })

  it('has no lone surrogate, and an error tells the place', () => {
    const inside = '{"tag": "ApplicationData", "type": "TextString", "value": "secret \\ud800"}'
    expect(() => fromJson(`{"tag": "KeyBlock", "value": [${inside}]}`, textVocabulary)).toThrow(
      expect.objectContaining({
        name: 'DecodeError',
        code: 'json',
        message: 'KeyBlock/ApplicationData: text has a lone surrogate',
      }),
    )
    expect(() => readXml('TextString', 'secret \ud800')).toThrow(
      expect.objectContaining({ name: 'DecodeError', code: 'xml' }),
    )
  })

  it('can be encoded, whatever text it was read from', () => {
    const types = [
      ...['Integer', 'LongInteger', 'BigInteger', 'Enumeration', 'Boolean', 'TextString'],
      ...['ByteString', 'DateTime', 'Interval', 'DateTimeExtended'],
    ]
    const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code))
    const string = fc.oneof(
      fc.array(unit, { maxLength: 4 }).map((units) => units.join('')),
      fc.bigInt(-(2n ** 66n), 2n ** 66n).map(String),
      fc.bigInt(0n, 2n ** 66n).map((number) => `0x${number.toString(16)}`),
      fc.uint8Array({ maxLength: 24 }).map((digits) => `0x${Buffer.from(digits).toString('hex')}`),
      fc.uint8Array({ maxLength: 24 }).map((digits) => Buffer.from(digits).toString('hex')),
      fc.date().map((date) => String(date)),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.constantFrom('Sign', 'Sign|Verify', 'Vendor Sign', 'SymmetricKey', 'toString', 'true'),
    )
    const number = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.integer(), fc.bigInt().map(Number))
    const item = fc.record({
      tag: fc.constantFrom('ApplicationData', 'CryptographicUsageMask', 'ObjectType', '0xffffff'),
      type: fc.constantFrom(...types),
      value: fc.oneof(string, string, number, fc.boolean()),
    })
    let taken = 0
    const encodes = (read: () => Item): void => {
      let found: Item
      try {
        found = read()
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
        return
      }
      taken++
      expect(decodeItem(encodeItem(found))).toEqual(found)
    }
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 1 }), ([one]) => {
        const { tag, type, value } = one!
        encodes(() => fromJson(JSON.stringify(one), textVocabulary))
        const spelled = String(value).replace(
          /[&<"]/g,
          (character) => `&#${character.charCodeAt(0)};`,
        )
        const name = tag.startsWith('0x') ? `TTLV tag="${tag}"` : tag
        const xml = `<${name} type="${type}" value="${spelled}"/>`
        encodes(() => fromXml(xml, textVocabulary))
        encodes(() =>
          fromXml(
            xml.replaceAll(/[^ -~]/g, (unit) => `&#${unit.charCodeAt(0)};`),
            textVocabulary,
          ),
        )
      }),
      { numRuns: 2000 },
    )
    expect(taken).toBeGreaterThan(500)
  })
})
