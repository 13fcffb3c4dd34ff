import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { mediumFormats, type MediumFormat } from '../../simulator/generations.ts'
import { applicationDataOf, kadOfApplicationData, sameKad } from '../../simulator/kad.ts'
import { hex } from './fixtures.ts'

const formats = Object.keys(mediumFormats) as MediumFormat[]
const lto4 = mediumFormats['LTO-4'].kadLimits
const lto5 = mediumFormats['LTO-5'].kadLimits

const full = Array.from({ length: 44 }, (_, at) => (at + 1).toString(16).padStart(2, '0'))
const fullHex = full.join('').toUpperCase()

/** Identifier, then how it lies on LTO-4 media and on LTO-5 and later media. */
const examples = [
  ['a 12-byte identifier', '000102030405060708090A0B', '', '000102030405060708090A0B'],
  ['a 16-byte UUID', '7F3A9C0012D44E6BA1B2C3D4E5F60718', '7F3A9C00', '12D44E6BA1B2C3D4E5F60718'],
  [
    'a barcode and 12 random bytes',
    '4142433132334C385C1D0A7F33E24B9088776655',
    '4142433132334C38',
    '5C1D0A7F33E24B9088776655',
  ],
  [
    'the identifier of the published test cases',
    '123456789ABCDEF123456789123456789ABCDEF123456789ABCDEF1234000000',
    '123456789ABCDEF123456789123456789ABCDEF1',
    '23456789ABCDEF1234000000',
  ],
  ['the longest of LTO-4', fullHex, fullHex.slice(0, 64), fullHex.slice(64)],
  [
    'a key identifier of three letters and a number',
    '4B455900000000000000001A',
    '',
    '4B455900000000000000001A',
  ],
] as const

describe('worked examples', () => {
  test.each(examples)('%s splits and joins', (_, applicationData, ukad, akad) => {
    const onLto4 = kadOfApplicationData(applicationData, lto4)
    expect(onLto4).toEqual({ ukad: hex(ukad), akad: hex(akad) })
    expect(applicationDataOf(onLto4)).toBe(applicationData)

    const onLto5 = kadOfApplicationData(applicationData, lto5)
    expect(onLto5).toEqual({ ukad: hex(''), akad: hex(applicationData) })
    expect(applicationDataOf(onLto5)).toBe(applicationData)
  })
})

test('every identifier that fits comes back from every medium as it went in', () => {
  const cases = fc.tuple(
    fc.constantFrom(...formats),
    fc.uint8Array({ minLength: 1, maxLength: 92 }),
  )
  fc.assert(
    fc.property(cases, ([format, bytes]) => {
      const limits = mediumFormats[format].kadLimits
      fc.pre(bytes.length <= limits.ukad + limits.akad)
      const applicationData = bytes.toHex().toUpperCase()
      const kad = kadOfApplicationData(applicationData, limits)
      expect(applicationDataOf(kad)).toBe(applicationData)
      expect(kad.ukad.length).toBeLessThanOrEqual(limits.ukad)
      expect(kad.akad.length).toBe(Math.min(bytes.length, limits.akad))
      expect(sameKad(kadOfApplicationData(applicationDataOf(kad), limits), kad)).toBe(true)
    }),
  )
})

test('a KAD padded with zeros is another identifier', () => {
  const written = kadOfApplicationData('0102030405', lto4)
  const padded = { ...written, akad: Uint8Array.from([...written.akad, 0, 0, 0, 0, 0, 0, 0]) }
  expect(applicationDataOf(padded)).not.toBe(applicationDataOf(written))
})

test.each(['', '0', '0a', 'GG', '00 11', 'ABC'])('%j is not an identifier', (text) => {
  expect(() => kadOfApplicationData(text, lto5)).toThrow(expect.objectContaining({ code: 'kad' }))
})

test.each([
  ['LTO-4', 45],
  ['LTO-5', 93],
  ['LTO-9', 93],
] as const)('%s has no room for %i bytes', (format, length) => {
  const { kadLimits } = mediumFormats[format]
  const fits = '00'.repeat(length - 1)
  expect(applicationDataOf(kadOfApplicationData(fits, kadLimits))).toBe(fits)
  expect(() => kadOfApplicationData('00'.repeat(length), kadLimits)).toThrow(
    expect.objectContaining({ code: 'kad' }),
  )
})

test('the limits are those of the profile for LTO-4 to LTO-6', () => {
  expect(formats.map((format) => mediumFormats[format].kadLimits)).toEqual([
    { ukad: 32, akad: 12 },
    ...Array.from({ length: formats.length - 1 }, () => ({ ukad: 32, akad: 60 })),
  ])
})
