// The ready rule: nothing new is handed out before it is on as many copies as its group wants.
import { describe, expect, test } from 'vitest'
import { setGroupPolicy } from '../../../src/access/groups.ts'
import { everyVersion, tapeKey, testEngine, type Ask, type TestEngine } from './engine.ts'

/** An engine whose group wants two copies, with one key from before. */
async function wanting(ready: string) {
  const engine = await testEngine()
  const id = await engine.key('1.4', 'before')
  const copies = () => Promise.resolve({ count: 9, missing: '' })
  await setGroupPolicy(engine.store, 'default', [`ready=${ready}`], { copies })
  return { engine, id }
}

const objects = async ({ store }: TestEngine) =>
  (await store.read((work) => work.identifiers('', 100))).length

describe.each(everyVersion)('in a group that wants two copies, where there is one (%s)', (as) => {
  test('Create is refused and leaves nothing behind', async () => {
    const { engine } = await wanting('2')
    const Attributes = tapeKey('new')
    const ask: Ask = ['Create', { ObjectType: 'SymmetricKey', Attributes }]
    const [item] = await engine.batch(as, [ask])
    expect(item).toMatchObject({
      ResultStatus: 'OperationFailed',
      ResultReason: 'GeneralFailure',
      ResultMessage:
        'nothing new is kept: it has to be on 2 copies before it is handed out, and there is 1: this process writes no journal',
    })
    expect(await objects(engine)).toBe(1)
    // The application data is not taken: the same key can be made once there are copies.
    await engine.policy('ready=1')
    await engine.key(as, 'new')
  })

  test('Re-key is refused and the key stays as it was', async () => {
    const { engine, id } = await wanting('2')
    await engine.call(as, 'Activate', { UniqueIdentifier: id })
    expect(await engine.refused(as, 'ReKey', { UniqueIdentifier: id })).toBe('GeneralFailure')
    expect(await engine.attribute(as, id, 'State')).toEqual(['Active'])
    expect(await engine.attribute(as, id, 'Link')).toEqual([])
    expect(await objects(engine)).toBe(1)
  })

  test('keys that are there are handed out and changed', async () => {
    const { engine, id } = await wanting('3')
    const got = await engine.call(as, 'Get', { UniqueIdentifier: id })
    expect(got.SymmetricKey).toBeDefined()
    await engine.call(as, 'Activate', { UniqueIdentifier: id })
  })
})

test('of a batch with Undo nothing is kept when one object is not safe', async () => {
  const { engine, id } = await wanting('2')
  const items = await engine.batch(
    '2.1',
    [
      ['Activate', { UniqueIdentifier: id }],
      ['Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey('new') }],
    ],
    { BatchErrorContinuationOption: 'Undo' },
  )
  expect(items.map(({ ResultReason }) => ResultReason)).toContain('GeneralFailure')
  expect(await engine.attribute('2.1', id, 'State')).toEqual(['PreActive'])
})

// Import came with KMIP 1.4.
test.each(everyVersion.filter((as) => as >= '1.4'))(
  'an object is not replaced by one that is not safe (%s)',
  async (as) => {
    const { engine, id } = await wanting('2')
    const before = await engine.call(as, 'Get', { UniqueIdentifier: id })
    const importing = (ReplaceExisting: boolean) => ({
      UniqueIdentifier: id,
      ...(as >= '2.0' && { ObjectType: 'SymmetricKey' as const }),
      ReplaceExisting,
      Attributes: [{ tag: 'CryptographicUsageMask' as const, value: 12 }],
      SymmetricKey: before.SymmetricKey!,
    })
    expect(await engine.refused(as, 'Import', importing(true))).toBe('GeneralFailure')
    expect(await engine.call(as, 'Get', { UniqueIdentifier: id })).toEqual(before)
    await engine.policy('ready=1')
    await engine.call(as, 'Import', importing(true))
  },
)

test('one copy is what a group wants that was told nothing, or a word of earlier releases', async () => {
  const engine = await testEngine()
  await engine.store.act(async (work) => {
    await work.putDocument('group', 'default', { created: 1, ready: 'soon' })
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'init', outcome: 'Success' })
  })
  await engine.key('2.1', 'a')
})

test('a group is not told to want copies that are not there', async () => {
  const engine = await testEngine()
  await expect(setGroupPolicy(engine.store, 'default', ['ready=2'])).rejects.toMatchObject({
    code: 'copies-missing',
    exitStatus: 13,
  })
  await engine.key('2.1', 'a')
})
