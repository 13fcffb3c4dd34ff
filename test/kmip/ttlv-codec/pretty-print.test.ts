// Messages for people: names, no secrets, nothing that could trick a terminal.

import { describe, expect, it } from 'vitest'
import { decodeItem, prettyPrint } from 'ttlv-codec'
import type { Item } from 'ttlv-codec'
import { hex, messageBytes, tagNumber, textVocabulary } from './fixtures.ts'

const keyMaterial = tagNumber('KeyMaterial')

function line(item: Item): string {
  return prettyPrint(item, textVocabulary).trimEnd()
}

describe('pretty printing', () => {
  it('shows a message as a tree and keys by their length', () => {
    const text = prettyPrint(decodeItem(messageBytes()), textVocabulary)
    expect(text).toBe(`ResponseMessage
  ResponseHeader
    ProtocolVersion
      ProtocolVersionMajor (Integer): 1
      ProtocolVersionMinor (Integer): 4
    TimeStamp (DateTime): 2023-11-14T22:13:20+00:00
    BatchCount (Integer): 2
  BatchItem
    Operation (Enumeration): Get
    ResponsePayload
      ObjectType (Enumeration): SymmetricKey
      UniqueIdentifier (TextString): "d8bd8a52-key"
      SymmetricKey
        KeyBlock
          KeyValue
            KeyMaterial (ByteString): <32 bytes>
          CryptographicAlgorithm (Enumeration): AES
          CryptographicLength (Integer): 256
  BatchItem
    Operation (Enumeration): Create
    ResponsePayload
      ObjectType (Enumeration): Certificate
      UniqueIdentifier (TextString): "é"
`)
  })

  it('hides all bytes, texts and big integers inside a secret structure', () => {
    const text = prettyPrint(
      {
        tag: keyMaterial,
        type: 'Structure',
        value: [
          { tag: tagNumber('ApplicationData'), type: 'TextString', value: 'hunter2' },
          { tag: tagNumber('ApplicationData'), type: 'BigInteger', value: 0xdeadbeefn },
          {
            tag: 0x540001,
            type: 'Structure',
            value: [{ tag: 1, type: 'ByteString', value: hex('dead') }],
          },
        ],
      },
      textVocabulary,
    )
    expect(text).not.toMatch(/hunter2|dead|3735928559/)
    expect(text).toContain('<7 bytes>')
    expect(text).toContain('<8 bytes>')
    expect(text).toContain('0x000001 (ByteString): <2 bytes>')
  })

  it('hides the value of a secret attribute', () => {
    const vocabulary = { ...textVocabulary, secretTags: new Set(['ApplicationData']) }
    const attribute: Item = {
      tag: tagNumber('Attribute'),
      type: 'Structure',
      value: [
        { tag: tagNumber('AttributeName'), type: 'TextString', value: 'Application Data' },
        { tag: tagNumber('AttributeValue'), type: 'TextString', value: 'hunter2' },
      ],
    }
    expect(prettyPrint(attribute, vocabulary)).not.toContain('hunter2')
  })

  it('separates names of a mask and cuts long bytes', () => {
    const usage = tagNumber('CryptographicUsageMask')
    expect(line({ tag: usage, type: 'Integer', value: 5 })).toBe(
      'CryptographicUsageMask (Integer): Sign | Encrypt',
    )
    const data = tagNumber('ApplicationData')
    expect(line({ tag: data, type: 'ByteString', value: new Uint8Array(100) })).toBe(
      `ApplicationData (ByteString): ${'00'.repeat(64)}… (100 bytes)`,
    )
  })

  it('shows characters that move the cursor or reorder the line by their numbers', () => {
    const value = 'a\n\x1b[2J\x7f\x9b\u202e\u2066\ufeff"'
    expect(line({ tag: tagNumber('ApplicationData'), type: 'TextString', value })).toBe(
      String.raw`ApplicationData (TextString): "a\n\u001b[2J\u007f\u009b\u202e\u2066\ufeff\""`,
    )
  })
})
