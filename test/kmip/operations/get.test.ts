// Get: which keys are handed out, in which form, and what it leaves behind.
import { describe, expect, test } from 'vitest'
import type { ResponsePayload } from '../../../src/kmip/model/payloads/index.ts'
import { everyVersion, isLate, started, tapeKey, testEngine, type TestEngine } from './engine.ts'

function keyOf({ SymmetricKey }: ResponsePayload<'Get'>): unknown {
  const value = SymmetricKey!.KeyBlock.KeyValue
  return value?.type === 'Structure' ? value.value.KeyMaterial : undefined
}

const revoke = (engine: TestEngine, id: string, code: 'KeyCompromise' | 'Superseded') =>
  engine.call('1.2', 'Revoke', {
    UniqueIdentifier: id,
    RevocationReason: { RevocationReasonCode: code },
  })

describe.each(everyVersion)('KMIP %s', (as) => {
  test('a key is handed out in every state but Destroyed, always the same', async () => {
    const engine = await testEngine()
    const request = { UniqueIdentifier: await engine.key(as, 'A') }
    const state = async () => (await engine.attribute(as, request.UniqueIdentifier, 'State'))[0]
    const keys: unknown[] = []
    const states: unknown[] = []
    const look = async () => {
      states.push(await state())
      keys.push(keyOf(await engine.call(as, 'Get', request)))
    }
    await look()
    await engine.call(as, 'Activate', request)
    await look()
    await revoke(engine, request.UniqueIdentifier, 'Superseded')
    await look()
    await revoke(engine, request.UniqueIdentifier, 'KeyCompromise')
    await look()
    expect(states).toEqual(['PreActive', 'Active', 'Deactivated', 'Compromised'])
    for (const key of keys) expect(key).toEqual(keys[0])
    await engine.call(as, 'Destroy', request)
    expect(await engine.refused(as, 'Get', request)).toBe(
      isLate(as) ? 'ObjectDestroyed' : 'ItemNotFound',
    )
    expect(await state()).toBe('DestroyedCompromised')
  })

  test('the answer holds the Key Block and nothing beside it', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A')
    const got = await engine.call(as, 'Get', { UniqueIdentifier })
    expect(got).toEqual({
      ObjectType: 'SymmetricKey',
      UniqueIdentifier,
      SymmetricKey: {
        KeyBlock: {
          KeyFormatType: 'Raw',
          KeyValue: {
            type: 'Structure',
            value: {
              KeyMaterial: expect.any(Uint8Array) as Uint8Array,
              ...(!isLate(as) && { Attributes: [] }),
            },
          },
          CryptographicAlgorithm: 'AES',
          CryptographicLength: 256,
        },
      },
    })
  })

  test('raw and transparent form are made of each other', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key(as, 'A')
    const raw = keyOf(await engine.call(as, 'Get', { UniqueIdentifier, KeyFormatType: 'Raw' }))
    const transparent = await engine.call(as, 'Get', {
      UniqueIdentifier,
      KeyFormatType: 'TransparentSymmetricKey',
    })
    expect(transparent.SymmetricKey!.KeyBlock.KeyFormatType).toBe('TransparentSymmetricKey')
    expect(keyOf(transparent)).toEqual({ Key: raw })
    const registered = await engine.call(as, 'Register', {
      ObjectType: 'SymmetricKey',
      SymmetricKey: transparent.SymmetricKey!,
      Attributes: [{ tag: 'CryptographicUsageMask', value: 4 }],
    })
    const back = await engine.call(as, 'Get', { ...registered, KeyFormatType: 'Raw' })
    expect(keyOf(back)).toEqual(raw)
  })
})

test('a key is fresh until it is handed out for the first time', async () => {
  const engine = await testEngine()
  const request = { UniqueIdentifier: await engine.key('1.1', 'A') }
  const fresh = () => engine.attribute('1.1', request.UniqueIdentifier, 'Fresh')
  expect(await fresh()).toEqual([true])
  expect(await engine.refused('1.1', 'Get', { ...request, KeyFormatType: 'PKCS_8' })).toBe(
    'KeyFormatTypeNotSupported',
  )
  expect(await fresh()).toEqual([true])
  await engine.call('1.1', 'Get', request)
  expect(await fresh()).toEqual([false])
  // Being served is no change of the object.
  engine.time.seconds += 10n
  await engine.call('1.1', 'Get', request)
  expect(await engine.attribute('1.1', request.UniqueIdentifier, 'LastChangeDate')).toEqual([
    started,
  ])
})

test('a key that a newer client made sensitive or not extractable is not handed out to an older one either', async () => {
  const engine = await testEngine()
  for (const [tag, value, reason] of [
    ['Sensitive', true, 'Sensitive'],
    ['Extractable', false, 'NotExtractable'],
  ] as const) {
    const UniqueIdentifier = await engine.key('1.4', tag, [{ tag, value }])
    expect(await engine.refused('1.4', 'Get', { UniqueIdentifier })).toBe(reason)
    expect(await engine.refused('2.1', 'Get', { UniqueIdentifier })).toBe(reason)
    expect(await engine.refused('1.0', 'Get', { UniqueIdentifier })).toBe('PermissionDenied')
  }
})

test('a key of an algorithm that a version does not have is not handed out to its clients', async () => {
  const engine = await testEngine()
  const made = await engine.call('1.4', 'Create', {
    ObjectType: 'SymmetricKey',
    Attributes: [
      { tag: 'CryptographicAlgorithm', value: 'ChaCha20' },
      { tag: 'CryptographicUsageMask', value: 12 },
    ],
  })
  await engine.call('1.4', 'Get', made)
  expect(await engine.refused('1.3', 'Get', made)).toBe('KeyFormatTypeNotSupported')
  // Its other attributes are told.
  expect(await engine.attribute('1.3', made.UniqueIdentifier, 'CryptographicAlgorithm')).toEqual([])
  expect(await engine.attribute('1.3', made.UniqueIdentifier, 'CryptographicLength')).toEqual([256])
})

test('every release of a key is audited, with its state when that is out of the ordinary', async () => {
  const engine = await testEngine()
  const request = { UniqueIdentifier: await engine.key('1.2', 'A') }
  await engine.call('1.2', 'Get', request)
  await engine.call('1.2', 'Activate', request)
  await engine.call('1.2', 'Get', request)
  await revoke(engine, request.UniqueIdentifier, 'Superseded')
  await engine.call('1.2', 'Get', request)
  const gets = (await engine.audited()).filter(({ operation }) => operation === 'Get')
  expect(gets.map(({ object, outcome, details }) => [object, outcome, details])).toEqual([
    [request.UniqueIdentifier, 'Success', undefined],
    [request.UniqueIdentifier, 'Success', undefined],
    [request.UniqueIdentifier, 'Success', { state: 'Deactivated' }],
  ])
})

test('a destroyed and wiped key keeps its attributes', async () => {
  const engine = await testEngine()
  await engine.policy('destroy=now')
  const id = await engine.key('2.1', 'A')
  await engine.call('2.1', 'Destroy', { UniqueIdentifier: id })
  expect(await engine.attribute('2.1', id, 'State')).toEqual(['Destroyed'])
  expect(await engine.attribute('2.1', id, 'DestroyDate')).toEqual([started])
  expect(await engine.attribute('2.1', id, 'Digest')).toHaveLength(1)
  expect(await engine.attribute('2.1', id, 'Name')).toEqual([tapeKey('A')[0]!.value])
})
