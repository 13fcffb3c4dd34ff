// What is wrong on our side: a bug in one item, a row that somebody changed. Others are served.
import { describe, expect, test } from 'vitest'
import { loadObject } from '../../../src/keystore/keystore.ts'
import { tapeKey, testEngine, type Ask, type TestEngine } from './engine.ts'

const create = (data: string): Ask => [
  'Create',
  { ObjectType: 'SymmetricKey', Attributes: tapeKey(data) },
]
const get = (UniqueIdentifier: string): Ask => ['Get', { UniqueIdentifier }]
const goOn = { BatchErrorContinuationOption: 'Continue' as const }
const locateByData = (data: string) => ({ Attributes: [tapeKey(data)[4]!] })

const blob = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')

/** Gives an object a record that this release cannot read: for the engine, a bug. */
async function unreadable(engine: TestEngine, id: string): Promise<void> {
  await engine.store.act(async (work) => {
    const { stored } = (await loadObject(work, 'default', id))!
    await work.update(stored!, { record: Uint8Array.of(1, 2, 3) })
    work.audit({ actor: { name: 'x', kind: 'cli' }, operation: 'store', outcome: 'Success' })
  })
}

/** Changes an object's record in the database: the name of its cartridge. */
async function changed(engine: TestEngine, id: string): Promise<void> {
  const [row] = await engine.tamper('SELECT record FROM objects WHERE id = ?1', blob(id))
  const record = Uint8Array.from(row![0] as Uint8Array)
  record[record.length - 9]! ^= 1
  await engine.tamper('UPDATE objects SET record = ?1 WHERE id = ?2', record, blob(id))
}

describe('a bug in one item', () => {
  test('is answered General Failure under a correlation id, and the others are done', async () => {
    const engine = await testEngine()
    const good = await engine.key('1.4', 'good')
    const bad = await engine.key('1.4', 'bad')
    await unreadable(engine, bad)
    const answers = await engine.batch('1.4', [create('A'), get(bad), get(good), create('B')], goOn)
    expect(answers.map(({ ResultReason }) => ResultReason ?? 'Success')).toEqual([
      'Success',
      'GeneralFailure',
      'Success',
      'Success',
    ])
    const errors = engine.lines.filter(({ level }) => level === 'error')
    expect(errors).toHaveLength(1)
    const correlation = String(errors[0]!.fields.correlation)
    expect(answers[1]!.ResultMessage).toBe(
      `internal error, see the server's log under ${correlation}`,
    )
    expect((await engine.call('1.4', 'Locate', locateByData('B'))).UniqueIdentifier).toHaveLength(1)
  })

  test('stops a batch like any failure, and undoes one with Undo', async () => {
    const engine = await testEngine()
    const bad = await engine.key('1.4', 'bad')
    await unreadable(engine, bad)
    const stopped = await engine.batch('1.4', [create('A'), get(bad), create('B')])
    expect(stopped.map(({ ResultStatus }) => ResultStatus)).toEqual(['Success', 'OperationFailed'])
    const undone = await engine.batch('1.4', [create('C'), get(bad), create('D')], {
      BatchErrorContinuationOption: 'Undo',
    })
    expect(undone.map(({ ResultStatus }) => ResultStatus)).toEqual([
      'OperationUndone',
      'OperationFailed',
    ])
    expect(undone[1]!.ResultReason).toBe('GeneralFailure')
    expect((await engine.call('1.4', 'Locate', locateByData('C'))).UniqueIdentifier).toEqual([])
  })

  test('in a batch that only reads harms no other item', async () => {
    const engine = await testEngine()
    const good = await engine.key('2.1', 'good')
    const bad = await engine.key('2.1', 'bad')
    await unreadable(engine, bad)
    const answers = await engine.batch(
      '2.1',
      [good, bad, good].map((UniqueIdentifier): Ask => ['GetAttributes', { UniqueIdentifier }]),
      goOn,
    )
    expect(answers.map(({ ResultReason }) => ResultReason ?? 'Success')).toEqual([
      'Success',
      'GeneralFailure',
      'Success',
    ])
  })

  test('does not harm the batches of other clients that commit with it', async () => {
    const engine = await testEngine()
    const bad = await engine.key('1.4', 'bad')
    await unreadable(engine, bad)
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        engine.batch('1.4', [create(`${at}`), at % 5 === 0 ? get(bad) : ['Get', {}]]),
      ),
    )
    for (const [at, answers] of all.entries()) {
      expect(answers.map(({ ResultReason }) => ResultReason ?? 'Success')).toEqual([
        'Success',
        at % 5 === 0 ? 'GeneralFailure' : 'Success',
      ])
    }
    expect((await engine.call('1.4', 'Locate', locateByData('0'))).UniqueIdentifier).toHaveLength(1)
  })
})

describe('an object that somebody changed in the database', () => {
  test('is never served, and others are', async () => {
    const engine = await testEngine()
    const good = await engine.key('1.4', 'good')
    const bad = await engine.key('1.4', 'bad')
    await changed(engine, bad)
    for (const name of ['Get', 'GetAttributes', 'GetAttributeList', 'Activate', 'Destroy'] as const)
      expect(await engine.refused('1.4', name, { UniqueIdentifier: bad })).toBe('GeneralFailure')
    await engine.call('1.4', 'Get', { UniqueIdentifier: good })
  })

  test('is an alarm and a record in the audit, once a minute', async () => {
    const engine = await testEngine()
    const bad = await engine.key('1.4', 'bad')
    await changed(engine, bad)
    for (let at = 0; at < 5; at++) await engine.refused('1.4', 'Get', { UniqueIdentifier: bad })
    expect(engine.alarms()).toHaveLength(5)
    expect(engine.alarms()[0]).toContain(bad)
    const refusals = (await engine.audited()).filter(({ outcome }) => outcome !== 'Success')
    expect(refusals).toHaveLength(1)
    expect(refusals[0]).toMatchObject({ operation: 'Get', outcome: 'GeneralFailure', object: bad })
  })

  test('searched for by what it is known by, it is a failure and not “no such key”', async () => {
    const engine = await testEngine()
    const bad = await engine.key('1.4', 'bad')
    await changed(engine, bad)
    // A library told that there is no key would make a second one for a written tape.
    expect(await engine.refused('1.4', 'Locate', locateByData('bad'))).toBe('GeneralFailure')
    const byId = { Attributes: [{ tag: 'UniqueIdentifier' as const, value: bad }] }
    expect(await engine.refused('1.4', 'Locate', byId)).toBe('GeneralFailure')
  })

  test.each([
    ['by columns', []],
    ['object by object', [{ tag: 'State' as const, value: 'PreActive' }]],
  ])('is left out of a list that is searched %s, with an alarm', async (_, Attributes) => {
    const engine = await testEngine()
    const good = [await engine.key('1.4', 'one'), await engine.key('1.4', 'two')]
    const bad = await engine.key('1.4', 'bad')
    await changed(engine, bad)
    const { UniqueIdentifier } = await engine.call('1.4', 'Locate', { Attributes })
    expect(UniqueIdentifier).toEqual(good.toReversed())
    expect(engine.alarms()[0]).toContain(bad)
    expect((await engine.audited()).at(-1)).toMatchObject({ operation: 'Locate' })
  })

  test('sealed key material of another object is not handed out', async () => {
    const engine = await testEngine()
    const one = await engine.key('1.4', 'one')
    const two = await engine.key('1.4', 'two')
    await engine.tamper(
      'UPDATE objects SET sealed = (SELECT sealed FROM objects WHERE id = ?1) WHERE id = ?2',
      blob(one),
      blob(two),
    )
    expect(await engine.refused('1.4', 'Get', { UniqueIdentifier: two })).toBe('GeneralFailure')
    await engine.call('1.4', 'Get', { UniqueIdentifier: one })
  })

  test('index rows that point to another key do not make it the located one', async () => {
    const engine = await testEngine()
    const one = await engine.key('1.4', 'one')
    const two = await engine.key('1.4', 'two')
    await engine.tamper(
      `UPDATE attribute_index SET n = (SELECT n FROM objects WHERE id = ?1)
       WHERE n = (SELECT n FROM objects WHERE id = ?2) AND attribute LIKE 'Application%'`,
      blob(two),
      blob(one),
    )
    const answers = await engine.batch('1.4', [
      ['Locate', locateByData('one')],
      ['Get', {}],
    ])
    expect(answers[1]!.ResultStatus).toBe('OperationFailed')
  })
})
