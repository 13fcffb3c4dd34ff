// The table of limits and how it is changed.
import { expect, test } from 'vitest'
import { limitRows, limits } from '../../../src/kmip/server/limits.ts'

test('limits are the table, with the changes that are given', () => {
  const changed = limits({ connections: 10 })
  expect(changed.connections).toBe(10)
  expect(changed.handshakes).toBe(limitRows.handshakes.value)
  expect(Object.keys(changed)).toEqual(Object.keys(limitRows))
})

test.each([0, -1, 1.5, Number.NaN])(
  'a limit of %s is refused with the name of its row',
  (value) => {
    expect(() => limits({ idleTime: value })).toThrow(
      expect.objectContaining({ code: 'limit', message: expect.stringContaining('idleTime') }),
    )
  },
)

test('idle connections of libraries are kept for at least half an hour', () => {
  expect(limits().idleTime).toBeGreaterThanOrEqual(30 * 60_000)
})
