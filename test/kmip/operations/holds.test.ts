// Legal holds over KMIP: whatever would end a held key is refused, in every version.
import { describe, expect, test } from 'vitest'
import { holdCartridge, holdKey, releaseCartridge, releaseKey } from '../../../src/admin/holds.ts'
import { wipeDue } from '../../../src/keystore/wiping.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, started, testEngine, type TestEngine } from './engine.ts'

const barcode = (text: string): AttributeInstance => ({
  tag: 'Attribute',
  value: {
    VendorIdentification: 'x',
    AttributeName: 'Barcode',
    AttributeValue: { type: 'TextString', value: text },
  },
})

const tapeKeyOf = (engine: TestEngine, data: string, tape: string) =>
  engine.key('1.4', data, [barcode(tape)])

const materialKept = async (engine: TestEngine, id: string) => {
  const [row] = await engine.tamper(
    'SELECT sealed FROM objects WHERE id = ?1',
    Buffer.from(id.replaceAll('-', ''), 'hex'),
  )
  return row![0] !== null
}

describe('a held key', () => {
  test.each(everyVersion)('is not destroyed, and is once it is released (%s)', async (as) => {
    const engine = await testEngine()
    const id = await tapeKeyOf(engine, 'A', 'KR0001L8')
    await holdKey(engine.store, id, 'case 12')
    const [item] = await engine.batch(as, [['Destroy', { UniqueIdentifier: id }]])
    expect(item!.ResultReason).toBe('PermissionDenied')
    expect(item!.ResultMessage).not.toContain('case')
    await engine.call(as, 'Get', { UniqueIdentifier: id })
    await releaseKey(engine.store, id)
    await engine.call(as, 'Destroy', { UniqueIdentifier: id })
  })

  test('is not replaced by an Import', async () => {
    const engine = await testEngine()
    const id = await tapeKeyOf(engine, 'A', 'KR0001L8')
    const other = await tapeKeyOf(engine, 'B', 'KR0002L8')
    const { SymmetricKey } = await engine.call('2.1', 'Export', { UniqueIdentifier: other })
    await holdKey(engine.store, id, 'case 12')
    const request = {
      UniqueIdentifier: id,
      ObjectType: 'SymmetricKey' as const,
      ReplaceExisting: true,
      Attributes: [{ tag: 'CryptographicUsageMask' as const, value: 12 }],
      SymmetricKey: SymmetricKey!,
    }
    expect(await engine.refused('2.1', 'Import', request)).toBe('PermissionDenied')
    await releaseKey(engine.store, id)
    await engine.call('2.1', 'Import', request)
  })

  test('that was destroyed before is not wiped until it is released', async () => {
    const engine = await testEngine()
    const id = await tapeKeyOf(engine, 'A', 'KR0001L8')
    const other = await tapeKeyOf(engine, 'B', 'KR0002L8')
    for (const one of [id, other]) await engine.call('1.4', 'Destroy', { UniqueIdentifier: one })
    await holdKey(engine.store, id, 'case 12')
    engine.time.seconds = started + 31n * 86_400n
    await wipeDue(engine.store)
    expect(await materialKept(engine, id)).toBe(true)
    expect(await materialKept(engine, other)).toBe(false)
    await releaseKey(engine.store, id)
    await wipeDue(engine.store)
    expect(await materialKept(engine, id)).toBe(false)
  })
})

describe('a held cartridge', () => {
  test('holds its keys and those made later, and no other tape', async () => {
    const engine = await testEngine()
    const before = await tapeKeyOf(engine, 'A', 'KR0001L8')
    const other = await tapeKeyOf(engine, 'B', 'KR0002L8')
    expect(await holdCartridge(engine.store, 'default', 'KR0001', 'case 12')).toEqual({
      group: 'default',
      keys: [before],
      cartridges: ['KR0001L8'],
    })
    const later = await tapeKeyOf(engine, 'C', 'KR0001L8')
    for (const id of [before, later])
      expect(await engine.refused('1.4', 'Destroy', { UniqueIdentifier: id })).toBe(
        'PermissionDenied',
      )
    await engine.call('1.4', 'Destroy', { UniqueIdentifier: other })
    await releaseCartridge(engine.store, 'default', 'KR0001L8')
    for (const id of [before, later]) await engine.call('1.4', 'Destroy', { UniqueIdentifier: id })
  })

  test('holds a key whose barcode the library has changed since', async () => {
    const engine = await testEngine()
    const id = await tapeKeyOf(engine, 'A', 'KR0001L8')
    await holdCartridge(engine.store, 'default', 'KR0001L8', 'case 12')
    await engine.call('2.1', 'ModifyAttribute', {
      UniqueIdentifier: id,
      NewAttribute: barcode('KR0009L8'),
    })
    expect(await engine.refused('2.1', 'Destroy', { UniqueIdentifier: id })).toBe(
      'PermissionDenied',
    )
    expect((await releaseCartridge(engine.store, 'default', 'KR0001L8')).keys).toEqual([id])
    await engine.call('2.1', 'Destroy', { UniqueIdentifier: id })
  })

  test('that is released leaves a key held that is held for itself', async () => {
    const engine = await testEngine()
    const id = await tapeKeyOf(engine, 'A', 'KR0001L8')
    await holdKey(engine.store, id, 'another case')
    await holdCartridge(engine.store, 'default', 'KR0001L8', 'case 12')
    await releaseCartridge(engine.store, 'default', 'KR0001L8')
    expect(await engine.refused('1.4', 'Destroy', { UniqueIdentifier: id })).toBe(
      'PermissionDenied',
    )
  })

  test('is noticed when somebody takes the hold out of the database', async () => {
    const engine = await testEngine()
    const id = await tapeKeyOf(engine, 'A', 'KR0001L8')
    await holdCartridge(engine.store, 'default', 'KR0001L8', 'case 12')
    await engine.tamper(`DELETE FROM documents WHERE kind = 'hold'`)
    expect(await engine.refused('1.4', 'Destroy', { UniqueIdentifier: id })).toBe('GeneralFailure')
  })
})
