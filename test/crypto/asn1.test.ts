import * as asn1js from 'asn1js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readDer, writeDer } from '../../src/crypto/asn1.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const sequence = (...value: asn1js.BaseBlock[]) => new asn1js.Sequence({ value })

const written = writeDer(
  sequence(
    new asn1js.Integer({ value: 5 }),
    new asn1js.Set({ value: [new asn1js.Utf8String({ value: 'x' })] }),
    new asn1js.OctetString({ valueHex: new Uint8Array(200) }),
  ),
)

test('what was written is read with its parts, and written again as the same bytes', () => {
  const read = readDer(written)
  expect(read).toBeInstanceOf(asn1js.Sequence)
  const parts = read instanceof asn1js.Sequence ? read.valueBlock.value : []
  expect(parts.map((part) => part.idBlock.tagNumber)).toEqual([2, 17, 4])
  expect(hex(parts[0]?.valueBeforeDecodeView ?? new Uint8Array())).toBe('020105')
  expect(hex(writeDer(read))).toBe(hex(written))
})

test('every truncation and every trailing byte is refused', () => {
  for (let length = 0; length < written.length; length++)
    expect(() => readDer(written.subarray(0, length))).toThrow()
  expect(() => readDer(Buffer.concat([written, Uint8Array.of(0)]))).toThrow()
})

describe('BER that is not DER is refused', () => {
  test.each([
    ['an indefinite length', '3080 020101 0000'],
    ['an indefinite length deep inside', '3008 3006 3080 0500 0000'],
    ['a length longer than it needs to be', '308103 020101'],
    ['a length longer than it needs to be, deep inside', '3008 a006 3004 02810101'],
    ['a length with a leading zero', '30820003 020101'],
    ['a length of five bytes', '30850000000003 020101'],
    ['a length of 4 GiB', '3084ffffffff'],
    ['a tag of several bytes that needs one', '1f0100'],
    ['an object identifier with a leading zero', '0603 2a8001'],
    ['a time that is none', '1801 31'],
  ])('%s', (_, text) => {
    expect(() => readDer(bytesOf(text))).toThrow()
  })
})

test('nesting deeper than a certificate is refused', () => {
  let nested: asn1js.BaseBlock = new asn1js.Null()
  for (let depth = 0; depth < 15; depth++) nested = sequence(nested)
  expect(readDer(writeDer(nested))).toBeDefined()
  expect(() => readDer(writeDer(sequence(nested)))).toThrow()
})

test('more elements than a certificate has are refused', () => {
  const elements = (count: number) =>
    writeDer(sequence(...Array.from({ length: count }, () => new asn1js.Null())))
  expect(readDer(elements(9_999))).toBeDefined()
  expect(() => readDer(elements(10_000))).toThrow()
})

test('any bytes that are read are written again unchanged', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const read = readOrNothing(bytes)
      if (read !== undefined) expect(hex(writeDer(read))).toBe(hex(bytes))
    }),
    { seed: 5696, numRuns: 1000 },
  )
})

function readOrNothing(bytes: Uint8Array): asn1js.AsnType | undefined {
  try {
    return readDer(bytes)
  } catch {
    return undefined
  }
}
