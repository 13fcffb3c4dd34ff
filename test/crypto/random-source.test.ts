// RNG Retrieve and RNG Seed: lengths, and what a seed does.
import { expect, test } from 'vitest'
import { RandomSource, retrieveLimit } from '../../src/crypto/random-source.ts'

test('random bytes have the length asked for and differ each time', () => {
  const random = new RandomSource()
  for (const length of [1, 32, retrieveLimit]) expect(random.retrieve(length)).toHaveLength(length)
  expect(random.retrieve(32)).not.toEqual(random.retrieve(32))
})

test.each([0, -1, 1.5, NaN, retrieveLimit + 1])('a length of %s is refused', (length) => {
  expect(() => new RandomSource().retrieve(length)).toThrow(
    expect.objectContaining({ code: 'parameters' }),
  )
})

test('the caller may set another limit', () => {
  const random = new RandomSource()
  expect(random.retrieve(retrieveLimit + 1, 2 * retrieveLimit)).toHaveLength(retrieveLimit + 1)
  expect(() => random.retrieve(17, 16)).toThrow(expect.objectContaining({ code: 'parameters' }))
})

test('all of a seed is used, and the same seed does not give the same bytes', () => {
  const [one, other] = [new RandomSource(), new RandomSource()]
  const seed = new Uint8Array(64)
  expect([one.seed(seed), other.seed(seed)]).toEqual([64, 64])
  expect(one.retrieve(32)).not.toEqual(other.retrieve(32))
  expect(one.seed(new Uint8Array(0))).toBe(0)
})

test('bits are set about as often as not, also behind a seed that somebody chose', () => {
  const random = new RandomSource()
  random.seed(new Uint8Array(1024).fill(255))
  const bytes = random.retrieve(retrieveLimit)
  const ones = bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
  // Ten standard deviations of a fair coin.
  const bits = retrieveLimit * 8
  expect(Math.abs(ones - bits / 2)).toBeLessThan(5 * Math.sqrt(bits))
})
