// Records that are forgotten when their time is over: sealed, under a MAC, never served once expired.
import { expect, test } from 'vitest'
import type { Work } from '../../src/keystore/work.ts'
import { testEngine } from '../kmip/operations/engine.ts'

const held = (name: string, expires: bigint) => ({
  kind: 'ticket',
  name,
  owner: 'alpha',
  expires,
  body: { uses: 3 },
})

const secretOf = async (work: Work, name: string) => {
  const secret = await work.transientSecret('ticket', name)
  return Buffer.from(secret.bytes).toString()
}

test('a record and its secret come back until its time is over, then it is gone', async () => {
  const { store, time } = await testEngine()
  const expires = time.seconds + 60n
  await store.act((work) => work.putTransient(held('a', expires), Buffer.from('hidden')))
  await store.act((work) => work.putTransient({ ...held('a', expires), body: { uses: 2 } }))
  expect(await store.read((work) => work.transient('ticket', 'a'))).toEqual({
    ...held('a', expires),
    body: { uses: 2 },
    hasSecret: true,
  })
  expect(await store.read((work) => secretOf(work, 'a'))).toBe('hidden')
  time.seconds = expires
  expect(await store.read((work) => work.transient('ticket', 'a'))).toBeUndefined()
  await expect(store.read((work) => secretOf(work, 'a'))).rejects.toThrow('no secret part')
  expect(await store.read((work) => work.transients('ticket', undefined, 9))).toEqual([])
  expect(await store.act((work) => work.forgetTransients(9))).toBe(1)
})

test('a record that was changed in the database is not served', async () => {
  const { store, time, tamper } = await testEngine()
  await store.act((work) => work.putTransient(held('a', time.seconds + 60n), Buffer.from('hidden')))
  await tamper('UPDATE transients SET expires = expires + 3600')
  await expect(store.read((work) => work.transient('ticket', 'a'))).rejects.toMatchObject({
    code: 'changed',
  })
})

test('a secret does not open under another name', async () => {
  const { store, time, tamper } = await testEngine()
  const expires = time.seconds + 60n
  await store.act(async (work) => {
    await work.putTransient(held('a', expires), Buffer.from('hidden'))
    await work.putTransient(held('b', expires), Buffer.from('others'))
  })
  await tamper(`UPDATE transients SET sealed =
    (SELECT sealed FROM transients WHERE name = 'b') WHERE name = 'a'`)
  await expect(store.read((work) => secretOf(work, 'a'))).rejects.toMatchObject({ code: 'changed' })
})

test('an act that fails leaves no record', async () => {
  const { store, time } = await testEngine()
  const failing = store.act(async (work) => {
    await work.putTransient(held('a', time.seconds + 60n))
    throw new Error('changed my mind')
  })
  await expect(failing).rejects.toThrow('changed my mind')
  expect(await store.read((work) => work.transient('ticket', 'a'))).toBeUndefined()
})
