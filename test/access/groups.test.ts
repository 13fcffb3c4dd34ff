import { expect, test } from 'vitest'
import { enrolLibrary, revokeLibrary } from '../../src/access/enrolment.ts'
import { groupOf, groups, setGroupPolicy } from '../../src/access/groups.ts'
import { groupPolicy } from '../../src/access/policy.ts'
import { initialisedStore, now } from './test-store.ts'

const generate = { generate: 'p256' } as const

test('a keystore begins with the group default and its default policy', async () => {
  const store = await initialisedStore()
  expect(await store.read(groups)).toMatchObject([
    {
      name: 'default',
      policy: { destroyAfterDays: 30, duplicates: 'refuse' },
      clients: [],
    },
  ])
})

test('a group lists its libraries, without the revoked ones', async () => {
  const store = await initialisedStore()
  for (const name of ['alpha', 'beta', 'gamma'])
    await enrolLibrary(store, { name, group: 'site-a', source: generate })
  await revokeLibrary(store, 'beta')
  const group = await store.read((work) => groupOf(work, 'site-a'))
  expect(group).toMatchObject({ name: 'site-a', created: now, clients: ['alpha', 'gamma'] })
})

test('setting one policy leaves the others, and is audited', async () => {
  const store = await initialisedStore()
  await setGroupPolicy(store, 'default', ['duplicates=allow', 'destroy=now'])
  const group = await setGroupPolicy(store, 'default', ['destroy=7d'])
  expect(group.policy).toMatchObject({ destroyAfterDays: 7, duplicates: 'allow' })
  expect(await store.read((work) => groupPolicy(work, 'default'))).toEqual(group.policy)
  expect((await store.audited()).at(-1)).toMatchObject({
    operation: 'group set',
    group: 'default',
    details: { destroy: '7d' },
  })
})

test('a wrong setting changes nothing, even beside right ones', async () => {
  const store = await initialisedStore()
  await expect(
    setGroupPolicy(store, 'default', ['destroy=now', 'duplicates=maybe']),
  ).rejects.toMatchObject({ code: 'group-setting' })
  const { policy } = await store.read((work) => groupOf(work, 'default'))
  expect(policy.destroyAfterDays).toBe(30)
})

test('a group that does not exist is neither shown nor set', async () => {
  const store = await initialisedStore()
  await expect(setGroupPolicy(store, 'nowhere', ['destroy=now'])).rejects.toMatchObject({
    code: 'no-such-group',
  })
  await expect(store.read((work) => groupOf(work, 'nowhere'))).rejects.toMatchObject({
    code: 'no-such-group',
  })
})
