import { expect, test } from 'vitest'
import { clockWatch } from '../../src/keystore/clock-watch.ts'

test('a clock that is set is noticed once, one that drifts is not', () => {
  const time = { date: 1_000_000, steady: 0 }
  const look = clockWatch(
    () => time.date,
    () => time.steady,
  )
  const pass = (seconds: number, set = 0) => {
    time.steady += seconds * 1000
    time.date += (seconds + set) * 1000
  }
  pass(60)
  expect(look()).toBe(0)
  pass(60, 299)
  expect(look()).toBe(0)
  pass(60, 3600)
  expect(look()).toBe(3600)
  pass(60)
  expect(look()).toBe(0)
  pass(60, -86_400)
  expect(look()).toBe(-86_400)
})
