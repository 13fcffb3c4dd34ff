// Whom a group waits for before it runs.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { Company } from '../../src/keystore/company.ts'

let queue: string[]
let company: Company

beforeEach(() => {
  // No patience ends before a test lets it.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  queue = []
  company = new Company(queue, 6)
})

function arrive(...names: string[]): void {
  queue.push(...names)
  company.arrived()
}

/** Answers what is queued, while that arrives from others. */
async function answered(meanwhile: readonly string[] = [], answer = () => undefined as void) {
  const { length } = queue.splice(0)
  const arriving = nextTurn().then(() => arrive(...meanwhile))
  await company.parting(length, answer)
  await arriving
}

/** Whether a group begins without waiting for anybody. */
async function begins(): Promise<boolean> {
  let isBegun = false
  void company.gathered().then(() => (isBegun = true))
  for (let turn = 0; turn < 3; turn++) await nextTurn()
  return isBegun
}

test('a client alone is waited for by nobody, and waits for nobody', async () => {
  for (let round = 0; round < 3; round++) {
    arrive('a')
    expect(await begins()).toBe(true)
    await answered()
  }
})

test('those who were answered are waited for, together with those who came meanwhile', async () => {
  arrive('a', 'b')
  expect(await begins()).toBe(true)
  await answered(['c', 'd'])
  const group = company.gathered().then(() => [...queue])
  arrive('a')
  await nextTurn()
  arrive('b')
  expect(await group).toEqual(['c', 'd', 'a', 'b'])
})

test('but for a millisecond only', async () => {
  arrive('a', 'b')
  await answered(['c'])
  expect(await begins()).toBe(false)
  vi.advanceTimersByTime(1)
  await nextTurn()
  await answered()
  arrive('c')
  expect(await begins()).toBe(true)
})

test('one who asks again at once is nobody else', async () => {
  for (let round = 0; round < 3; round++) {
    if (queue.length === 0) arrive('a')
    expect(await begins()).toBe(true)
    await answered([], () => void Promise.resolve().then(() => arrive('a')))
  }
})

test('no more are waited for than a group holds', async () => {
  arrive('a', 'b', 'c', 'd')
  await answered(['e', 'f', 'g', 'h'])
  expect(await begins()).toBe(false)
  arrive('a', 'b')
  await nextTurn()
  expect(queue).toHaveLength(6)
  expect(await begins()).toBe(true)
})
