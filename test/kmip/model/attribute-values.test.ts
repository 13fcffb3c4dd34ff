import { describe, expect, it } from 'vitest'
import { decode, encode, version, type Schema } from 'ttlv-codec'
import { attributeFilters } from '../../../src/kmip/model/attribute-filters.ts'
import * as values from '../../../src/kmip/model/attribute-values.ts'
import { tagNumber, type TagName } from '../../../src/kmip/model/tags.ts'

const v10 = version('1.0')
const v14 = version('1.4')
const v21 = version('2.1')

function roundTrip<T>(schema: Schema<T>, tag: TagName, value: T, peer: number): T {
  const bytes = encode(schema, tagNumber(tag), value, { version: peer })
  return decode(schema, tagNumber(tag), bytes, { version: peer })
}

describe('attribute values', () => {
  it('write Name as the bytes of the encoding example', () => {
    const bytes = encode(
      values.Name,
      tagNumber('Name'),
      { NameValue: 'tape', NameType: 'UninterpretedTextString' },
      { version: v10 },
    )
    expect(bytes.toHex()).toBe(
      '4200530100000020' +
        '4200550700000004' +
        '7461706500000000' +
        '4200540500000004' +
        '0000000100000000',
    )
  })

  it('carry Application Specific Information with and without data', () => {
    const whole = { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: '1234' }
    expect(
      roundTrip(
        values.ApplicationSpecificInformation,
        'ApplicationSpecificInformation',
        whole,
        v10,
      ),
    ).toEqual(whole)
    const asked = { ApplicationNamespace: 'LIBRARY-LTO' }
    expect(
      roundTrip(
        values.ApplicationSpecificInformation,
        'ApplicationSpecificInformation',
        asked,
        v10,
      ),
    ).toEqual(asked)
  })

  it('keep from older versions the fields of Cryptographic Parameters that came later', () => {
    const value = {
      BlockCipherMode: 'GCM',
      RandomIV: true,
      TagLength: 16,
      MaskGenerator: 'MGF1',
    } as const
    const at = (peer: number) =>
      roundTrip(values.CryptographicParameters, 'CryptographicParameters', value, peer)
    expect(at(v10)).toEqual({ BlockCipherMode: 'GCM' })
    expect(at(version('1.2'))).toEqual({ BlockCipherMode: 'GCM', RandomIV: true, TagLength: 16 })
    expect(at(v14)).toEqual(value)
    expect(at(v21)).toEqual(value)
  })

  it('show the Key Format Type of a Digest since 1.1', () => {
    const value = {
      HashingAlgorithm: 'SHA_256',
      DigestValue: new Uint8Array(32),
      KeyFormatType: 'Raw',
    } as const
    expect(roundTrip(values.Digest, 'Digest', value, v10)).not.toHaveProperty('KeyFormatType')
    expect(roundTrip(values.Digest, 'Digest', value, version('1.1'))).toHaveProperty(
      'KeyFormatType',
      'Raw',
    )
  })

  it('take Usage Limits without a count from clients', () => {
    const value = { UsageLimitsTotal: 500n, UsageLimitsUnit: 'Byte' } as const
    expect(roundTrip(values.UsageLimits, 'UsageLimits', value, v14)).toEqual(value)
  })

  it('keep alternative names of certificates as lists', () => {
    const value = { SubjectDistinguishedName: new Uint8Array(0), SubjectAlternativeName: [] }
    expect(
      roundTrip(values.X_509CertificateSubject, 'X_509CertificateSubject', value, v14),
    ).toEqual(value)
  })

  it('carry vendor attributes of any type', () => {
    for (const AttributeValue of [
      { type: 'TextString', value: 'XXA012A1' },
      { type: 'Integer', value: 7 },
      { type: 'DateTime', value: 1_700_000_000n },
    ] as const) {
      const value = { VendorIdentification: 'x', AttributeName: 'Barcode', AttributeValue }
      expect(roundTrip(values.VendorAttribute, 'Attribute', value, v21)).toEqual(value)
    }
  })

  it('link objects by text in every version and by placeholder in 2.x', () => {
    const byText = { LinkType: 'PublicKeyLink', LinkedObjectIdentifier: 'a1' } as const
    expect(roundTrip(values.Link, 'Link', byText, v10)).toEqual(byText)
    const byPlaceholder = {
      LinkType: 'PublicKeyLink',
      LinkedObjectIdentifier: { placeholder: 'IDPlaceholder' },
    } as const
    expect(roundTrip(values.Link, 'Link', byPlaceholder, v21)).toEqual(byPlaceholder)
  })
})

describe('attribute filters', () => {
  it('take a structure with any of its fields, or none', () => {
    for (const [name, schema] of Object.entries(attributeFilters)) {
      const empty = encode(
        schema as Schema<unknown>,
        tagNumber(name as TagName),
        {},
        { version: v14 },
      )
      expect(empty, name).toHaveLength(8)
    }
    const namespace = { ApplicationNamespace: 'LIBRARY-LTO' }
    expect(
      roundTrip(
        attributeFilters.ApplicationSpecificInformation,
        'ApplicationSpecificInformation',
        namespace,
        v14,
      ),
    ).toEqual(namespace)
    expect(roundTrip(attributeFilters.Link, 'Link', { LinkedObjectIdentifier: 'a1' }, v14)).toEqual(
      {
        LinkedObjectIdentifier: 'a1',
      },
    )
  })

  it('know the same fields as the values they filter', () => {
    const name = { NameValue: 'n' }
    const bytes = encode(attributeFilters.Name, tagNumber('Name'), name, { version: v14 })
    expect(() => decode(values.Name, tagNumber('Name'), bytes, { version: v14 })).toThrow(
      expect.objectContaining({ code: 'missing' }),
    )
  })
})
