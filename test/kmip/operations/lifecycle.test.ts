// Activate, Revoke, Destroy and the passing of time: states and the dates that go with them.
import { describe, expect, test } from 'vitest'
import { wipeDue } from '../../../src/keystore/wiping.ts'
import { recoverKey } from '../../../src/admin/managed-keys.ts'
import { everyVersion, isLate, principal, started, testEngine, type TestEngine } from './engine.ts'

const day = 86_400n

async function dates(engine: TestEngine, as: (typeof everyVersion)[number], id: string) {
  const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier: id })
  const held = Attributes!.filter(({ tag }) => /Date$|^State$/u.test(tag))
  return Object.fromEntries(held.map(({ tag, value }) => [tag, value]))
}

describe.each(everyVersion)('KMIP %s', (as) => {
  test('every step leaves its date, and changes the Last Change Date', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A')
    const step = async (run: () => Promise<unknown>) => {
      engine.time.seconds += 10n
      await run()
      return dates(engine, as, id)
    }
    const activated = await step(() => engine.call(as, 'Activate', { UniqueIdentifier: id }))
    expect(activated).toMatchObject({
      State: 'Active',
      ActivationDate: started + 10n,
      LastChangeDate: started + 10n,
    })
    const deactivated = await step(() =>
      engine.call(as, 'Revoke', {
        UniqueIdentifier: id,
        RevocationReason: { RevocationReasonCode: 'CessationOfOperation' },
      }),
    )
    expect(deactivated).toMatchObject({
      State: 'Deactivated',
      DeactivationDate: started + 20n,
      LastChangeDate: started + 20n,
    })
    const compromised = await step(() =>
      engine.call(as, 'Revoke', {
        UniqueIdentifier: id,
        RevocationReason: { RevocationReasonCode: 'CACompromise', RevocationMessage: 'gone' },
        CompromiseOccurrenceDate: 5n,
      }),
    )
    expect(compromised).toMatchObject({
      State: 'Compromised',
      CompromiseDate: started + 30n,
      CompromiseOccurrenceDate: 5n,
    })
    expect(await engine.attribute(as, id, 'RevocationReason')).toEqual([
      { RevocationReasonCode: 'CACompromise', RevocationMessage: 'gone' },
    ])
    const destroyed = await step(() => engine.call(as, 'Destroy', { UniqueIdentifier: id }))
    expect(destroyed).toMatchObject({
      State: 'DestroyedCompromised',
      DestroyDate: started + 40n,
      LastChangeDate: started + 40n,
    })
  })

  test('a compromise without an occurrence date occurred, for all we know, at the beginning', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A')
    engine.time.seconds += 10n
    await engine.call(as, 'Revoke', {
      UniqueIdentifier: id,
      RevocationReason: { RevocationReasonCode: 'KeyCompromise' },
    })
    expect(await engine.attribute(as, id, 'CompromiseOccurrenceDate')).toEqual([started])
  })

  test('a destroyed key can still become known as compromised', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A')
    await engine.call(as, 'Destroy', { UniqueIdentifier: id })
    await engine.call(as, 'Revoke', {
      UniqueIdentifier: id,
      RevocationReason: { RevocationReasonCode: 'KeyCompromise' },
    })
    expect(await engine.attribute(as, id, 'State')).toEqual(['DestroyedCompromised'])
  })

  test('dates that are reached change the state, and a clock set back does not change it again', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [
      { tag: 'ActivationDate', value: started + 100n },
      { tag: 'DeactivationDate', value: started + 200n },
    ])
    const state = async () => (await engine.attribute(as, id, 'State'))[0]
    expect(await state()).toBe('PreActive')
    engine.time.seconds = started + 100n
    expect(await state()).toBe('Active')
    engine.time.seconds = started - 5000n
    expect(await state()).toBe('Active')
    engine.time.seconds = started + 200n
    expect(await state()).toBe('Deactivated')
    engine.time.seconds = started - 5000n
    expect(await state()).toBe('Deactivated')
    const reached = (await engine.audited()).filter(({ operation }) => operation === 'StateReached')
    expect(reached.map(({ details }) => details)).toEqual([
      { state: 'Active' },
      { state: 'Deactivated' },
    ])
  })

  test('a state that Locate has shown stays, too', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [{ tag: 'ActivationDate', value: started + 100n }])
    const active = { Attributes: [{ tag: 'State' as const, value: 'Active' }] }
    expect((await engine.call(as, 'Locate', active)).UniqueIdentifier).toEqual([])
    engine.time.seconds = started + 100n
    expect((await engine.call(as, 'Locate', active)).UniqueIdentifier).toEqual([id])
    engine.time.seconds = started
    expect((await engine.call(as, 'Locate', active)).UniqueIdentifier).toEqual([id])
    expect(await engine.attribute(as, id, 'State')).toEqual(['Active'])
  })

  test('dates may be changed as long as they mean the future', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [{ tag: 'ActivationDate', value: started + 100n }])
    const modify = (tag: 'ActivationDate' | 'DeactivationDate', value: bigint) => ({
      UniqueIdentifier: id,
      NewAttribute: { tag, value },
    })
    await engine.call(as, 'ModifyAttribute', modify('ActivationDate', started - 1n))
    expect(await engine.attribute(as, id, 'State')).toEqual(['Active'])
    await engine.call(as, 'AddAttribute', modify('DeactivationDate', started + 50n))
    await engine.call(as, 'ModifyAttribute', modify('DeactivationDate', started))
    expect(await engine.attribute(as, id, 'State')).toEqual(['Deactivated'])
    expect(
      await engine.refused(as, 'ModifyAttribute', modify('DeactivationDate', started + 50n)),
    ).toBe(isLate(as) ? 'WrongKeyLifecycleState' : 'PermissionDenied')
  })
})

test('a Deactivation Date does nothing to a key that was never active', async () => {
  const engine = await testEngine()
  const id = await engine.key('1.4', 'A', [{ tag: 'DeactivationDate', value: started + 10n }])
  engine.time.seconds += 20n
  expect(await engine.attribute('1.4', id, 'State')).toEqual(['PreActive'])
})

describe('the destroy policy of a group', () => {
  const material = async (engine: TestEngine, id: string) => {
    const [row] = await engine.tamper(
      'SELECT length(sealed) FROM objects WHERE id = ?1',
      Buffer.from(id.replaceAll('-', ''), 'hex'),
    )
    return row![0] !== null
  }

  test('now: the sealed key is wiped in the same act', async () => {
    const engine = await testEngine()
    await engine.policy('destroy=now')
    const id = await engine.key('1.2', 'A')
    expect(await material(engine, id)).toBe(true)
    await engine.call('1.2', 'Destroy', { UniqueIdentifier: id })
    expect(await material(engine, id)).toBe(false)
    await expect(recoverKey(engine.store, id)).rejects.toMatchObject({ code: 'wiped' })
  })

  test('30d, the default: recoverable for thirty days, then wiped, and both audited', async () => {
    const engine = await testEngine()
    const id = await engine.key('1.2', 'A')
    await engine.call('1.2', 'Destroy', { UniqueIdentifier: id })
    engine.time.seconds += 30n * day - 1n
    await wipeDue(engine.store)
    expect(await material(engine, id)).toBe(true)
    await recoverKey(engine.store, id)
    await engine.call('1.2', 'Get', { UniqueIdentifier: id })
    await engine.call('1.2', 'Destroy', { UniqueIdentifier: id })
    engine.time.seconds += 30n * day
    await wipeDue(engine.store)
    expect(await material(engine, id)).toBe(false)
    await expect(recoverKey(engine.store, id)).rejects.toMatchObject({ code: 'wiped' })
    const audited = (await engine.audited()).map(({ operation }) => operation)
    expect(audited).toEqual(['Create', 'Destroy', 'key recover', 'Get', 'Destroy', 'Wipe'])
  })

  test('a key does not come back while another has its application information', async () => {
    const engine = await testEngine()
    const id = await engine.key('1.2', 'A')
    await engine.call('1.2', 'Destroy', { UniqueIdentifier: id })
    const other = await engine.key('1.2', 'A')
    await expect(recoverKey(engine.store, id)).rejects.toMatchObject({
      code: 'taken',
      message: expect.stringContaining(other) as string,
    })
  })

  test('refuse: no client destroys anything', async () => {
    const engine = await testEngine()
    await engine.policy('destroy=refuse')
    const id = await engine.key('1.2', 'A')
    expect(await engine.refused('1.2', 'Destroy', { UniqueIdentifier: id })).toBe(
      'PermissionDenied',
    )
    expect(await engine.attribute('1.2', id, 'State')).toEqual(['PreActive'])
  })
})

test('more than ten Destroys by one client within an hour raise an alarm, of others they do not', async () => {
  const engine = await testEngine()
  const destroy = async (data: string, name: string) => {
    const UniqueIdentifier = await engine.key('1.2', data)
    await engine.call('1.2', 'Destroy', { UniqueIdentifier }, principal({ name }))
  }
  for (let at = 0; at < 10; at++) await destroy(`a${at}`, 'alpha')
  for (let at = 0; at < 10; at++) await destroy(`b${at}`, 'beta')
  expect(engine.alarms()).toEqual([])
  await destroy('a10', 'alpha')
  await destroy('a11', 'alpha')
  expect(engine.alarms()).toEqual(
    Array(2).fill('alpha destroyed more than 10 objects within an hour'),
  )
  const recorded = (await engine.audited()).filter(({ operation }) => operation === 'Alarm')
  expect(recorded).toHaveLength(1)
  expect(recorded[0]!.actor.name).toBe('alpha')
})
