import { expect, test } from 'vitest'
import { enrolLibrary, renewLibrary, revokeLibrary } from '../../src/access/enrolment.ts'
import { expiries } from '../../src/access/expiries.ts'
import { serverIdentity } from '../../src/access/authority.ts'
import { day, initialisedStore, now } from './test-store.ts'

const generate = { generate: 'p256' } as const

test('authority, server and libraries are listed, the soonest end first', async () => {
  const store = await initialisedStore()
  await enrolLibrary(store, { name: 'alpha', source: generate })
  const rows = await store.read((work) => expiries(work, now))
  expect(rows.map(({ of, name, daysLeft }) => [of, name, daysLeft])).toEqual([
    ['server', 'keyreel.example.com', 731],
    ['server', 'keyreel.example.com', 731],
    ['library', 'alpha', 3653],
    ['authority', 'ca', 10958],
  ])
  expect(rows.every(({ warning }) => warning === undefined)).toBe(true)
})

test.each([
  [90n * day + 1n, undefined],
  [90n * day, 90],
  [30n * day + 1n, 90],
  [30n * day, 30],
  [14n * day, 14],
  [7n * day, 7],
  [day + 1n, 7],
  [day, 1],
  [1n, 1],
  [0n, 1],
  [-1n, 0],
])('%s seconds before the end the warning is %s', async (left, warning) => {
  const store = await initialisedStore()
  const { certificates } = await store.read(serverIdentity)
  const at = (certificates[0]?.notAfter ?? 0n) - left
  const rows = await store.read((work) => expiries(work, at))
  expect(rows[0]?.warning).toBe(warning)
})

test('a renewed library keeps its old row, marked as superseded', async () => {
  const store = await initialisedStore()
  await enrolLibrary(store, { name: 'alpha', source: generate })
  store.time.seconds += 100n * day
  await renewLibrary(store, { name: 'alpha', source: generate })
  const rows = await store.read((work) => expiries(work, work.now))
  const libraries = rows.filter(({ of }) => of === 'library')
  expect(libraries.map(({ superseded }) => superseded)).toEqual([true, false])
})

test('revoked libraries are not warned about', async () => {
  const store = await initialisedStore()
  await enrolLibrary(store, { name: 'alpha', source: generate })
  await revokeLibrary(store, 'alpha')
  const rows = await store.read((work) => expiries(work, now))
  expect(rows.map(({ of }) => of)).not.toContain('library')
})
