// New identifiers: random bytes split for the medium, and the text they are found by.

import { expect, test } from 'vitest'

import { dialectNamed } from '../../simulator/dialects.ts'
import type { RandomBytes } from '../../simulator/drive-cipher.ts'
import { mediumFormats } from '../../simulator/generations.ts'
import { identifierOf, newKad } from '../../simulator/identifiers.ts'
import { applicationDataOf } from '../../simulator/kad.ts'

const lto4 = mediumFormats['LTO-4'].kadLimits
const lto8 = mediumFormats['LTO-8'].kadLimits
const counting: RandomBytes = (length) => Uint8Array.from({ length }, (_, at) => 0xa0 + at)

test('a 12-byte identifier lies in the A-KAD of every medium', () => {
  const dialect = dialectNamed('P-strict10')
  for (const limits of [lto4, lto8]) {
    const kad = newKad(dialect, limits, counting)
    expect(kad).toEqual({ ukad: new Uint8Array(), akad: counting(12) })
    expect(identifierOf(dialect, kad)).toBe('A0A1A2A3A4A5A6A7A8A9AAAB')
  }
})

test('a 32-byte identifier is split on LTO-4, and is the same text on both', () => {
  const dialect = dialectNamed('P-strict14')
  const [split, whole] = [newKad(dialect, lto4, counting), newKad(dialect, lto8, counting)]
  expect([split.ukad.length, split.akad.length]).toEqual([20, 12])
  expect([whole.ukad.length, whole.akad.length]).toEqual([0, 32])
  expect(identifierOf(dialect, split)).toBe(identifierOf(dialect, whole))
})

test('sloppy firmware fills the A-KAD with zeros and writes small letters', () => {
  const dialect = dialectNamed('P-sloppy')
  const kad = newKad(dialect, lto8, counting)
  expect(kad.akad.length).toBe(60)
  expect(identifierOf(dialect, kad)).toBe(`a0a1a2a3a4a5a6a7a8a9aaab${'00'.repeat(48)}`)
  expect(applicationDataOf(kad)).toBe(identifierOf(dialect, kad).toUpperCase())
})
