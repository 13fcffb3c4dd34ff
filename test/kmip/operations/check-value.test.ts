// The check value: what a seal alone does not tell. An object's material is the one its record speaks of.
import { describe, expect, test } from 'vitest'
import { loadObject, saveObject } from '../../../src/keystore/keystore.ts'
import { everyVersion, testEngine, type TestEngine } from './engine.ts'

const blob = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')

const sealedOf = async (engine: TestEngine, id: string) =>
  (await engine.tamper('SELECT sealed FROM objects WHERE id = ?1', blob(id)))[0]![0] as Uint8Array

const putSealed = (engine: TestEngine, id: string, sealed: Uint8Array | null) =>
  engine.tamper('UPDATE objects SET sealed = ?2 WHERE id = ?1', blob(id), sealed)

const objectOf = (engine: TestEngine, id: string) =>
  engine.store.read(async (work) => (await loadObject(work, 'default', id))!)

/** A tape key that was imported anew under the identifier it had, and the seal that it had before. */
async function replaced(engine: TestEngine) {
  const id = await engine.key('2.1', 'A')
  const other = await engine.key('2.1', 'B')
  const earlier = await sealedOf(engine, id)
  const { SymmetricKey } = await engine.call('2.1', 'Export', { UniqueIdentifier: other })
  await engine.call('2.1', 'Import', {
    UniqueIdentifier: id,
    ObjectType: 'SymmetricKey',
    ReplaceExisting: true,
    Attributes: [{ tag: 'CryptographicUsageMask', value: 12 }],
    SymmetricKey: SymmetricKey!,
  })
  return { id, earlier }
}

describe('material that is not the one of the record', () => {
  test.each(everyVersion)('is not served when an earlier seal was put back (%s)', async (as) => {
    const engine = await testEngine()
    const { id, earlier } = await replaced(engine)
    await engine.call(as, 'Get', { UniqueIdentifier: id })
    await putSealed(engine, id, earlier)
    expect(await engine.refused(as, 'Get', { UniqueIdentifier: id })).toBe('GeneralFailure')
    expect(engine.alarms()[0]).toContain(id)
  })

  test('is not served for use inside the server either', async () => {
    const engine = await testEngine()
    const { id, earlier } = await replaced(engine)
    await engine.call('2.1', 'Activate', { UniqueIdentifier: id })
    await putSealed(engine, id, earlier)
    const request = {
      UniqueIdentifier: id,
      CryptographicParameters: { BlockCipherMode: 'CBC' as const, PaddingMethod: 'PKCS5' as const },
      Data: Buffer.from('tape'),
      IVCounterNonce: new Uint8Array(16),
    }
    expect(await engine.refused('2.1', 'Encrypt', request)).toBe('GeneralFailure')
  })

  test.each(everyVersion)(
    'that was taken away is a failure, not a key without (%s)',
    async (as) => {
      const engine = await testEngine()
      const id = await engine.key(as, 'A')
      await putSealed(engine, id, null)
      expect(await engine.refused(as, 'Get', { UniqueIdentifier: id })).toBe('GeneralFailure')
      expect(engine.alarms()[0]).toContain('taken away')
    },
  )
})

test('a check value tells nobody whether two objects hold the same key', async () => {
  const engine = await testEngine()
  const id = await engine.key('2.1', 'A')
  const { SymmetricKey } = await engine.call('2.1', 'Export', { UniqueIdentifier: id })
  const copy = await engine.call('2.1', 'Register', {
    ObjectType: 'SymmetricKey',
    Attributes: [{ tag: 'CryptographicUsageMask', value: 12 }],
    SymmetricKey: SymmetricKey!,
  })
  const one = await objectOf(engine, id)
  const two = await objectOf(engine, copy.UniqueIdentifier)
  expect(one.attributes.first('Digest')).toEqual(two.attributes.first('Digest'))
  expect(one.vitals.CheckValue).toHaveLength(36)
  expect(one.vitals.CheckValue).not.toEqual(two.vitals.CheckValue)
})

test('it stays with the object through changes, and no client sees it', async () => {
  const engine = await testEngine()
  const id = await engine.key('2.1', 'A')
  const before = await objectOf(engine, id)
  await engine.call('2.1', 'Activate', { UniqueIdentifier: id })
  expect((await objectOf(engine, id)).vitals.CheckValue).toEqual(before.vitals.CheckValue)
  const { Attributes } = await engine.call('2.1', 'GetAttributes', { UniqueIdentifier: id })
  expect(Attributes!.map(({ tag }) => tag)).not.toContain('CheckValue')
})

test('a key of an earlier release, which has none, is served as before', async () => {
  const engine = await testEngine()
  const id = await engine.key('2.1', 'A')
  await engine.store.act(async (work) => {
    const object = (await loadObject(work, 'default', id))!
    delete object.vitals.CheckValue
    await saveObject(work, object)
    work.audit({ actor: { name: 'x', kind: 'cli' }, operation: 'store', outcome: 'Success' })
  })
  await engine.call('2.1', 'Get', { UniqueIdentifier: id })
})

test('it is of the epoch it was made in, and holds in the next', async () => {
  const engine = await testEngine()
  const id = await engine.key('2.1', 'A')
  await engine.store.beginEpoch({ name: 'x', kind: 'cli' })
  await engine.call('2.1', 'Get', { UniqueIdentifier: id })
  const later = await engine.key('2.1', 'B')
  await engine.call('2.1', 'Get', { UniqueIdentifier: later })
  const epochOf = (value: Uint8Array | undefined) => Buffer.from(value!).readUInt32BE()
  const [one, two] = [await objectOf(engine, id), await objectOf(engine, later)]
  expect([one, two].map(({ vitals }) => epochOf(vitals.CheckValue))).toEqual([1, 2])
})
