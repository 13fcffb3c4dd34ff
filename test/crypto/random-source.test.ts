import { expect, test } from 'vitest'
import { retrieveLimit, retrieveRandom, seedUsed } from '../../src/crypto/random-source.ts'

test('gives as many bytes as asked for, other ones each time', () => {
  for (const length of [1, 32, retrieveLimit]) expect(retrieveRandom(length)).toHaveLength(length)
  expect(retrieveRandom(32)).not.toEqual(retrieveRandom(32))
})

test.each([0, -1, 1.5, retrieveLimit + 1, 2 ** 31 - 1])('refuses %d bytes', (length) => {
  expect(() => retrieveRandom(length)).toThrow(expect.objectContaining({ code: 'parameters' }))
})

test('the caller sets the limit', () => {
  expect(retrieveRandom(retrieveLimit + 1, 2 * retrieveLimit)).toHaveLength(retrieveLimit + 1)
  expect(() => retrieveRandom(17, 16)).toThrow(expect.objectContaining({ code: 'parameters' }))
})

test('uses nothing of a seed, and says so', () => {
  expect(seedUsed(new Uint8Array(64))).toBe(0)
})
