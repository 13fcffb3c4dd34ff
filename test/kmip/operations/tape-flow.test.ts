// What a tape library does, in every version: Create and Get in one batch, Locate and Get, attributes, Destroy.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { ResponsePayload } from '../../../src/kmip/model/payloads/index.ts'
import { tapeKey, testEngine } from './engine.ts'

const everyVersion: VersionText[] = ['1.0', '1.1', '1.2', '1.3', '1.4', '2.0', '2.1']

function materialOf(payload: unknown): string {
  const { SymmetricKey } = payload as ResponsePayload<'Get'>
  const value = SymmetricKey!.KeyBlock.KeyValue
  if (value?.type !== 'Structure') throw new Error('no key value in the clear')
  return Buffer.from(value.value.KeyMaterial as Uint8Array).toString('hex')
}

describe.each(everyVersion)('KMIP %s', (as) => {
  test('a key created and fetched in one batch is found again by its application information', async () => {
    const engine = await testEngine()
    const made = await engine.batch(
      as,
      [
        ['Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey('AA01') }],
        ['Get', {}],
      ],
      { BatchOrderOption: true },
    )
    expect(made.map(({ ResultStatus }) => ResultStatus)).toEqual(['Success', 'Success'])
    const { UniqueIdentifier } = made[0]!.ResponsePayload as ResponsePayload<'Create'>
    await engine.call(as, 'Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey('AA02') })
    const found = await engine.batch(as, [
      [
        'Locate',
        {
          Attributes: [{ tag: 'ObjectType', value: 'SymmetricKey' }, tapeKey('AA01')[4]!],
        },
      ],
      ['Get', {}],
      ['GetAttributes', {}],
    ])
    expect((found[0]!.ResponsePayload as ResponsePayload<'Locate'>).UniqueIdentifier).toEqual([
      UniqueIdentifier,
    ])
    expect(materialOf(found[1]!.ResponsePayload)).toBe(materialOf(made[1]!.ResponsePayload))
    expect(materialOf(made[1]!.ResponsePayload)).toMatch(/^[0-9a-f]{64}$/u)
    const attributes = (found[2]!.ResponsePayload as ResponsePayload<'GetAttributes'>).Attributes!
    const state = attributes.find(({ tag }) => tag === 'State')
    expect(state?.value).toBe('PreActive')
  })

  test('a destroyed key keeps its attributes, is not located and refuses its material', async () => {
    const engine = await testEngine()
    const { UniqueIdentifier } = await engine.call(as, 'Create', {
      ObjectType: 'SymmetricKey',
      Attributes: tapeKey('AA01'),
    })
    await engine.call(as, 'Destroy', { UniqueIdentifier })
    const late = as.startsWith('2')
    expect(await engine.refused(as, 'Get', { UniqueIdentifier })).toBe(
      late ? 'ObjectDestroyed' : 'ItemNotFound',
    )
    expect(await engine.refused(as, 'Destroy', { UniqueIdentifier })).toBe(
      late ? 'ObjectDestroyed' : 'PermissionDenied',
    )
    const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier })
    expect(Attributes!.find(({ tag }) => tag === 'State')?.value).toBe('Destroyed')
    const located = await engine.call(as, 'Locate', { Attributes: [tapeKey('AA01')[4]!] })
    expect(located.UniqueIdentifier).toEqual([])
    // Name and application information are free again.
    await engine.call(as, 'Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey('AA01') })
  })
})
