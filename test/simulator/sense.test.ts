import { expect, test } from 'vitest'

import {
  CheckCondition,
  senseData,
  senseProfiles,
  senses,
  type SenseCode,
} from '../../simulator/sense.ts'
import { hex } from './fixtures.ts'

test('sense data is 18 bytes of fixed format', () => {
  expect(senseData('7/74/03')).toEqual(hex('70 00 07 00000000 0a 00000000 74 03 00 000000'))
  expect(senseData('B/74/6E')).toEqual(hex('70 00 0b 00000000 0a 00000000 74 6e 00 000000'))
})

test('every row is a sense key, a code and a qualifier with a text', () => {
  for (const [code, text] of Object.entries(senses)) {
    expect(code).toMatch(/^[0-9A-F]\/[0-9A-F]{2}\/[0-9A-F]{2}$/)
    expect(text).not.toBe('')
    const [key, asc, ascq] = code.split('/').map((part) => Number.parseInt(part, 16))
    const data = senseData(code as SenseCode)
    expect([data[2], data[12], data[13]]).toEqual([key, asc, ascq])
  }
})

test('a check condition names its sense and what it was about', () => {
  const error = new CheckCondition('7/74/03', 'block 5')
  expect(error.code).toBe('7/74/03')
  expect(error.message).toBe('7/74/03 incorrect data encryption key: block 5')
})

test('profiles differ in how they report a key that did not come', () => {
  const codes = Object.values(senseProfiles).map(
    (row) => `${row.keyNotFound} ${row.controlTimeout}`,
  )
  expect(new Set(codes).size).toBe(codes.length)
})
