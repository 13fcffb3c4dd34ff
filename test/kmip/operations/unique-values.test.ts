// Names, and application information of tape keys: one living object of a group at most has each.
import { describe, expect, test } from 'vitest'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, isLate, principal, tapeKey, testEngine, type TestEngine } from './engine.ts'

const asi = (ApplicationNamespace: string, ApplicationData: string): AttributeInstance => ({
  tag: 'ApplicationSpecificInformation',
  value: { ApplicationNamespace, ApplicationData },
})
/** A key with this application information and a name of its own. */
const keyWith = (namespace: string, data: string, name: string) => ({
  ObjectType: 'SymmetricKey' as const,
  Attributes: [...tapeKey('unused', name).slice(0, 4), asi(namespace, data)],
})
const locate = async (engine: TestEngine, namespace: string, data: string) =>
  (await engine.call('1.2', 'Locate', { Attributes: [asi(namespace, data)] })).UniqueIdentifier

describe.each(everyVersion)('KMIP %s', (as) => {
  const refusal = isLate(as) ? 'InvalidAttributeValue' : 'InvalidField'

  test('a second key with the application information of a first is refused, with an alarm', async () => {
    const engine = await testEngine()
    const first = await engine.key(as, 'A')
    const second = keyWith('LIBRARY-LTO', 'A', 'second')
    const [item] = await engine.batch(as, [['Create', second]])
    expect(item).toMatchObject({ ResultReason: refusal })
    expect(item!.ResultMessage).toContain(first)
    expect(engine.alarms()).toEqual([expect.stringContaining(first)])
    expect((await engine.audited()).at(-1)).toMatchObject({
      operation: 'Create',
      outcome: refusal,
      details: { alarms: engine.alarms() },
    })
    expect(await locate(engine, 'LIBRARY-LTO', 'A')).toEqual([first])
  })

  test('a vendor’s name in front of the namespace makes no difference, the generation does', async () => {
    const engine = await testEngine()
    const create = (namespace: string) => keyWith(namespace, 'A', `in ${namespace}`)
    const made = await engine.call(as, 'Create', create('ACME-LIBRARY-LTO'))
    expect(await engine.refused(as, 'Create', create('LIBRARY-LTO'))).toBe(refusal)
    expect(await engine.refused(as, 'Create', create('OTHER-LIBRARY-LTO'))).toBe(refusal)
    await engine.call(as, 'Create', create('LIBRARY-LTO5'))
    expect(await locate(engine, 'LIBRARY-LTO', 'A')).toEqual([made.UniqueIdentifier])
    expect(await locate(engine, 'THIRD-LIBRARY-LTO', 'A')).toEqual([made.UniqueIdentifier])
    // What was stored is what is shown.
    expect(
      await engine.attribute(as, made.UniqueIdentifier, 'ApplicationSpecificInformation'),
    ).toEqual([asi('ACME-LIBRARY-LTO', 'A').value])
  })

  test('a change is refused where a new key would be', async () => {
    const engine = await testEngine()
    await engine.key(as, 'A')
    const UniqueIdentifier = await engine.key(as, 'B')
    const NewAttribute = asi('LIBRARY-LTO', 'A')
    for (const operation of ['AddAttribute', 'ModifyAttribute'] as const)
      expect(await engine.refused(as, operation, { UniqueIdentifier, NewAttribute })).toBe(refusal)
    // What a change gives up is free.
    const free = { UniqueIdentifier, NewAttribute: asi('LIBRARY-LTO', 'C') }
    await engine.call(as, 'ModifyAttribute', free)
    await engine.call(as, 'Create', keyWith('LIBRARY-LTO', 'B', 'another'))
  })
})

test('other namespaces, other object types and destroyed keys do not count', async () => {
  const engine = await testEngine()
  for (const name of ['one', 'two']) await engine.call('1.2', 'Create', keyWith('ssl', 'A', name))
  const first = await engine.key('1.2', 'A')
  await engine.call('1.2', 'Register', {
    ObjectType: 'OpaqueObject',
    OpaqueObject: { OpaqueDataType: 0x80000001, OpaqueDataValue: Uint8Array.of(1) },
    Attributes: [asi('LIBRARY-LTO', 'A')],
  })
  await engine.call('1.2', 'Destroy', { UniqueIdentifier: first })
  const second = await engine.key('1.2', 'A')
  expect(await locate(engine, 'LIBRARY-LTO', 'A')).toContain(second)
})

test('groups have their names and tapes to themselves', async () => {
  const engine = await testEngine()
  const other = principal({ name: 'beta', group: 'other' })
  const mine = await engine.key('1.2', 'A')
  const request = { ObjectType: 'SymmetricKey' as const, Attributes: tapeKey('A') }
  const theirs = await engine.call('1.2', 'Create', request, other)
  expect(theirs.UniqueIdentifier).not.toBe(mine)
  expect(engine.alarms()).toEqual([])
})

test('the same alarm is recorded once a minute, another at once', async () => {
  const engine = await testEngine()
  await engine.key('1.2', 'A')
  await engine.key('1.2', 'B')
  for (let at = 0; at < 3; at++)
    await engine.refused('1.2', 'Create', keyWith('LIBRARY-LTO', 'A', `a${at}`))
  await engine.refused('1.2', 'Create', keyWith('LIBRARY-LTO', 'B', 'b'))
  expect(engine.alarms()).toHaveLength(4)
  const refused = (await engine.audited()).filter(({ outcome }) => outcome === 'InvalidField')
  expect(refused).toHaveLength(2)
})

describe('where the group allows duplicates', () => {
  test('two keys may share application information, and both are found and served', async () => {
    const engine = await testEngine()
    await engine.policy('duplicates=allow')
    const first = await engine.key('1.2', 'A')
    const second = await engine.call('1.2', 'Create', keyWith('LIBRARY-LTO', 'A', 'second'))
    expect(await locate(engine, 'LIBRARY-LTO', 'A')).toEqual([second.UniqueIdentifier, first])
    expect(engine.alarms()).toEqual([])
  })

  test('both stay usable when it refuses duplicates again, and a third is refused', async () => {
    const engine = await testEngine()
    await engine.policy('duplicates=allow')
    const first = await engine.key('1.2', 'A')
    const made = await engine.call('1.2', 'Create', keyWith('LIBRARY-LTO', 'A', 'second'))
    const second = made.UniqueIdentifier
    await engine.policy('duplicates=refuse')
    for (const UniqueIdentifier of [first, second]) {
      await engine.call('1.2', 'Get', { UniqueIdentifier })
      const NewAttribute = { tag: 'ContactInformation' as const, value: 'somebody' }
      await engine.call('1.2', 'AddAttribute', { UniqueIdentifier, NewAttribute })
    }
    const third = keyWith('LIBRARY-LTO', 'A', 'third')
    expect(await engine.refused('1.2', 'Create', third)).toBe('InvalidField')
    // The one that had it first is gone: the other still stands in the way of a third.
    await engine.call('1.2', 'Destroy', { UniqueIdentifier: first })
    expect(await engine.refused('1.2', 'Create', third)).toBe('InvalidField')
    await engine.call('1.2', 'Destroy', { UniqueIdentifier: second })
    await engine.call('1.2', 'Create', third)
  })

  test('names are unique all the same', async () => {
    const engine = await testEngine()
    await engine.policy('duplicates=allow')
    await engine.key('1.2', 'A')
    const request = keyWith('LIBRARY-LTO', 'B', 'name of A')
    expect(await engine.refused('1.2', 'Create', request)).toBe('InvalidField')
  })
})

describe('names', () => {
  const name = (NameValue: string): AttributeInstance => ({
    tag: 'Name',
    value: { NameValue, NameType: 'UninterpretedTextString' },
  })

  test('an object may have several, each its own in the group while it lives', async () => {
    const engine = await testEngine()
    const first = await engine.key('2.1', 'A', [name('two'), name('three')])
    for (const taken of ['name of A', 'two', 'three']) {
      const request = keyWith('LIBRARY-LTO', 'B', taken)
      expect(await engine.refused('2.1', 'Create', request)).toBe('NonUniqueNameAttribute')
    }
    await engine.call('2.1', 'DeleteAttribute', {
      UniqueIdentifier: first,
      CurrentAttribute: name('two'),
    })
    await engine.call('2.1', 'Create', keyWith('LIBRARY-LTO', 'B', 'two'))
    await engine.call('2.1', 'Destroy', { UniqueIdentifier: first })
    await engine.call('2.1', 'Create', keyWith('LIBRARY-LTO', 'C', 'three'))
  })

  test('case and spaces count, and very long ones are told apart', async () => {
    const engine = await testEngine()
    const long = 'n'.repeat(5000)
    for (const [at, text] of ['key', 'Key', 'key ', 'ké', `${long}a`, `${long}b`].entries()) {
      const made = await engine.call('1.0', 'Create', keyWith('LIBRARY-LTO', `${at}`, text))
      const located = await engine.call('1.0', 'Locate', { Attributes: [name(text)] })
      expect(located.UniqueIdentifier).toEqual([made.UniqueIdentifier])
    }
  })

  test('who sees only its own objects is not told whose a name is', async () => {
    const engine = await testEngine()
    const holder = await engine.key('1.2', 'A')
    const own = principal({ owner: 'alpha/bob', ownOnly: true })
    const Attributes = tapeKey('B', 'name of A')
    const request = { ObjectType: 'SymmetricKey' as const, Attributes }
    const [item] = await engine.batch('1.2', [['Create', request]], {}, own)
    expect(item!.ResultMessage).not.toContain(holder)
  })
})

test('of clients that race for the same tape, one gets the key', async () => {
  const engine = await testEngine()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      engine.batch('1.2', [['Create', keyWith('LIBRARY-LTO', 'A', `${at}`)]]),
    ),
  )
  const made = answers.filter(([item]) => item!.ResultStatus === 'Success')
  expect(made).toHaveLength(1)
  expect(await locate(engine, 'LIBRARY-LTO', 'A')).toHaveLength(1)
})
