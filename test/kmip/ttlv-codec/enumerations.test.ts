// Named values: open enumerations, masks, and the versions names belong to.

import { describe, expect, it } from 'vitest'
import { decode, encode, enumeration, mask, version } from 'ttlv-codec'
import { CryptographicUsageMask, hex, ObjectType, tagNumber, v14, v20 } from './fixtures.ts'

const tag = tagNumber('ObjectType')
const maskTag = tagNumber('CryptographicUsageMask')

function objectType(number: number): Uint8Array {
  return encode(ObjectType, tag, number, v14)
}

describe('an enumeration', () => {
  it('reads a known number as its name and any other as the number', () => {
    expect(decode(ObjectType, tag, objectType(2), v14)).toBe('SymmetricKey')
    expect(decode(ObjectType, tag, objectType(0x80000001), v14)).toBe(0x80000001)
  })

  it('writes names and numbers alike', () => {
    const item = hex('420057 05 00000004 00000002 00000000')
    expect(encode(ObjectType, tag, 'SymmetricKey', v14)).toEqual(item)
    expect(encode(ObjectType, tag, 2, v14)).toEqual(item)
  })

  it.each([
    ['newer', 'PGPKey', version('1.1')],
    ['already removed', 'Template', version('2.0')],
  ] as const)('refuses to write a name that is %s', (_, name, version) => {
    expect(() => encode(ObjectType, tag, name, { version })).toThrow(
      expect.objectContaining({ name: 'EncodeError', code: 'newer-than-version' }),
    )
  })

  it('refuses to write a name it does not have', () => {
    expect(() => encode(ObjectType, tag, 'toString' as 'PGPKey', v14)).toThrow(
      expect.objectContaining({ code: 'value' }),
    )
  })

  it('reads names of other versions unless told to be strict', () => {
    const options = { version: version('1.1') }
    expect(decode(ObjectType, tag, objectType(9), options)).toBe('PGPKey')
    const strict = { ...options, strict: true }
    expect(() => decode(ObjectType, tag, objectType(9), strict)).toThrow(
      expect.objectContaining({ code: 'value', reason: '0x00000009 is no ObjectType of KMIP 1.1' }),
    )
    expect(() => decode(ObjectType, tag, objectType(77), strict)).toThrow(
      expect.objectContaining({ code: 'value' }),
    )
    expect(decode(ObjectType, tag, objectType(2), strict)).toBe('SymmetricKey')
    expect(() => decode(ObjectType, tag, objectType(6), { ...v20, strict: true })).toThrow(
      expect.objectContaining({ code: 'value' }),
    )
  })

  it('answers questions about its names', () => {
    expect(ObjectType.enumerationName).toBe('ObjectType')
    expect(ObjectType.numberOf('PGPKey')).toBe(9)
    expect(ObjectType.numberOf(77)).toBe(77)
    expect(ObjectType.numberOf('constructor')).toBeUndefined()
    expect(ObjectType.nameOf(9)).toBe('PGPKey')
    expect(ObjectType.nameOf(77)).toBeUndefined()
    expect(ObjectType.since('PGPKey')).toBe(version('1.2'))
    expect(ObjectType.since('Certificate')).toBe(0)
    expect(ObjectType.names(version('1.1'))).toEqual(['Certificate', 'SymmetricKey', 'Template'])
    expect(ObjectType.names(version('2.0'))).toEqual(['Certificate', 'SymmetricKey', 'PGPKey'])
    const has = (name: string) =>
      (['1.1', '2.0'] as const).filter((text) => ObjectType.has(name, version(text)))
    expect(has('Certificate')).toEqual(['1.1', '2.0'])
    expect(has('Template')).toEqual(['1.1'])
    expect(has('PGPKey')).toEqual(['2.0'])
    expect(has('Certificat')).toEqual([])
  })

  it('calls a renamed number by the name of the version', () => {
    const renamed = enumeration('Renamed', { Old: [1, '1.0', '1.4'], New: [1, '2.0'] })
    const item = encode(renamed, tag, 1, v14)
    expect(decode(renamed, tag, item, v14)).toBe('Old')
    expect(decode(renamed, tag, item, v20)).toBe('New')
    expect(encode(renamed, tag, 'New', v20)).toEqual(item)
  })
})

describe('a mask', () => {
  const { bits } = CryptographicUsageMask

  it('is an Integer whose bits have names', () => {
    const value = bits.Sign | bits.Encrypt
    const item = encode(CryptographicUsageMask, maskTag, value, v14)
    expect(item).toEqual(hex('42002C 02 00000004 00000005 00000000'))
    expect(decode(CryptographicUsageMask, maskTag, item, v14)).toBe(5)
    expect(CryptographicUsageMask.nameOf(4)).toBe('Encrypt')
    expect(CryptographicUsageMask.numberOf('Encrypt')).toBe(4)
  })

  it('takes the highest bit signed or unsigned, and gives it signed', () => {
    const signed = encode(CryptographicUsageMask, maskTag, bits.Vendor, v14)
    const unsigned = encode(CryptographicUsageMask, maskTag, 0x80000000, v14)
    expect(signed).toEqual(unsigned)
    expect(decode(CryptographicUsageMask, maskTag, signed, v14)).toBe(bits.Vendor)
    expect(bits.Vendor).toBe(-(2 ** 31))
  })

  it('refuses to write a bit that the version has not', () => {
    const value = bits.Sign | bits.Authenticate
    expect(() => encode(CryptographicUsageMask, maskTag, value, v14)).toThrow(
      expect.objectContaining({ code: 'newer-than-version' }),
    )
    expect(() => encode(CryptographicUsageMask, maskTag, 2 ** 32, v14)).toThrow(
      expect.objectContaining({ code: 'value' }),
    )
  })

  it('refuses on reading, when strict, bits without a name in the version', () => {
    const strict = { ...v14, strict: true }
    const unnamed = mask('Unnamed', {})
    const read = (value: number) => {
      const item = encode(unnamed, maskTag, value, v14)
      return decode(CryptographicUsageMask, maskTag, item, strict)
    }
    expect(read(7)).toBe(7)
    expect(() => read(0x100001)).toThrow(expect.objectContaining({ code: 'value' }))
    expect(() => read(8)).toThrow(expect.objectContaining({ code: 'value' }))
  })
})
