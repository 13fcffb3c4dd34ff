// Work done outside an act: once for each item and key, its result or its error waiting for the next run.
import { expect, test } from 'vitest'
import { Secret } from '../../../src/crypto/secret.ts'
import { Asides } from '../../../src/kmip/operations/asides.ts'
import type { Item } from '../../../src/kmip/operations/items.ts'
import { NeedsAside } from '../../../src/kmip/operations/operation.ts'

const item = (): Item => ({
  operation: 'Create',
  id: undefined,
  payload: undefined,
  fault: undefined,
})

/** Runs until nothing more is to be done aside. */
async function run<T>(act: () => T): Promise<T> {
  for (;;) {
    try {
      return act()
    } catch (error) {
      if (!(error instanceof NeedsAside)) throw error
      await error.settle()
    }
  }
}

test('the work is done once, and every later run of the act is answered from it', async () => {
  const asides = new Asides()
  const aside = asides.of(item())
  let done = 0
  const act = () => aside('key', () => Promise.resolve(++done))
  expect(await run(act)).toBe(1)
  expect(act()).toBe(1)
})

test('items and keys have results of their own', async () => {
  const asides = new Asides()
  const [one, other] = [asides.of(item()), asides.of(item())]
  expect(await run(() => one('a', () => Promise.resolve('one a')))).toBe('one a')
  expect(await run(() => one('b', () => Promise.resolve('one b')))).toBe('one b')
  expect(await run(() => other('a', () => Promise.resolve('other a')))).toBe('other a')
  expect(one('a', () => Promise.reject(new Error('again')))).toBe('one a')
})

test('what the work threw is thrown in the act', async () => {
  const aside = new Asides().of(item())
  await expect(run(() => aside('key', () => Promise.reject(new Error('refused'))))).rejects.toThrow(
    'refused',
  )
})

test('secrets in results are handed over to be wiped', async () => {
  const asides = new Asides()
  const aside = asides.of(item())
  const secret = new Secret(Uint8Array.of(1, 2, 3))
  await run(() =>
    aside(
      'key',
      () => Promise.resolve({ secret }),
      (made) => [made.secret],
    ),
  )
  expect(asides.secrets).toEqual([secret])
})
