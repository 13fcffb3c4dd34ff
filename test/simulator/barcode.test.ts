import { expect, test } from 'vitest'

import { parseBarcode, reportedBarcode } from '../../simulator/barcode.ts'
import { formatOfMediaId, mediumFormats } from '../../simulator/generations.ts'

test.each([
  ['KR0001L8', 'KR0001', 'data'],
  ['KR0001LY', 'KR0001', 'data'],
  ['KR0001M8', 'KR0001', 'data'],
  ['KR0001L3', 'KR0001', 'data'],
  ['KR0001', 'KR0001', 'data'],
  ['LONGER-LABEL+1', 'LONGER-LABEL+1', 'data'],
  ['KR0001XX', 'KR0001XX', 'data'],
  ['CLN001CU', 'CLN001', 'cleaning'],
  ['CLN001L1', 'CLN001', 'cleaning'],
  ['DG 001L8', 'DG 001', 'diagnostic'],
])('label %s has volume serial %s and is a %s cartridge', (label, volser, kind) => {
  expect(parseBarcode(label)).toEqual({ label, volser, kind })
})

test.each(['', 'kr0001l8', 'KR0001L8\n', 'KR_001L8', 'A'.repeat(33)])(
  '%j is not a label',
  (label) => {
    expect(() => parseBarcode(label)).toThrow(expect.objectContaining({ code: 'barcode' }))
  },
)

test('a library may report six of eight characters', () => {
  expect(reportedBarcode('KR0001L8', 8)).toBe('KR0001L8')
  expect(reportedBarcode('KR0001L8', 6)).toBe('KR0001')
  expect(reportedBarcode('KR0001', 6)).toBe('KR0001')
})

test('media identifiers and density codes are those of the public tables', () => {
  const ids = ['L4', 'LU', 'L5', 'LV', 'L6', 'LW', 'L7', 'LX', 'M8', 'L8', 'LY', 'L9', 'LZ']
  expect(ids.map((id) => formatOfMediaId(id)?.format)).toEqual([
    ...['LTO-4', 'LTO-4', 'LTO-5', 'LTO-5', 'LTO-6', 'LTO-6', 'LTO-7', 'LTO-7'],
    ...['M8', 'LTO-8', 'LTO-8', 'LTO-9', 'LTO-9'],
  ])
  expect(formatOfMediaId('LW')?.worm).toBe(true)
  expect(formatOfMediaId('CU')).toBeUndefined()
  expect(Object.values(mediumFormats).map((row) => row.density)).toEqual([
    0x46, 0x58, 0x5a, 0x5c, 0x5d, 0x5e, 0x60,
  ])
})
