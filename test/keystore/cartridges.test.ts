// Cartridges as people see them: labels from what libraries tell in each dialect, keys newest first.
import { describe, expect, test } from 'vitest'
import type { AttributeInstance } from '../../src/kmip/model/attribute-forms.ts'
import { AttributeSet } from '../../src/keystore/attribute-set.ts'
import { labelOf, volumeOf } from '../../src/keystore/cartridge-labels.ts'
import { cartridgesNamed, cartridgesOf } from '../../src/keystore/cartridges.ts'
import { originAttributes } from '../../src/keystore/key-origin.ts'
import { select } from '../../src/exchange/selection.ts'
import { insertObject } from '../../src/keystore/keystore.ts'
import { ManagedObject, type Vitals } from '../../src/keystore/managed-object.ts'
import type { Store } from '../../src/keystore/store.ts'
import { actor, clock, idOf, newStore } from './sample.ts'

const alternative = (AlternativeNameValue: string): AttributeInstance => ({
  tag: 'AlternativeName',
  value: { AlternativeNameValue, AlternativeNameType: 'UninterpretedTextString' },
})
const vendor = (AttributeName: string, value: string): AttributeInstance => ({
  tag: 'Attribute',
  value: {
    VendorIdentification: 'x',
    AttributeName,
    AttributeValue: { type: 'TextString', value },
  },
})
const asi = (ApplicationData: string): AttributeInstance => ({
  tag: 'ApplicationSpecificInformation',
  value: { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData },
})

function key(at: number, attributes: AttributeInstance[], changes: Partial<Vitals> = {}) {
  const set = new AttributeSet()
  for (const one of attributes) set.add(one)
  const vitals: Vitals = {
    Owner: 'alpha',
    Fresh: true,
    Sensitive: false,
    Extractable: true,
    InitialDate: clock + BigInt(at),
    LastChangeDate: clock,
    LeaseTime: 3600,
    ...changes,
  }
  const objectType = 'SymmetricKey'
  return new ManagedObject({ id: idOf(at), group: 'default', objectType }, vitals, set)
}

async function keep(store: Store, ...objects: ManagedObject[]): Promise<void> {
  await store.act(async (work) => {
    for (const object of objects) await insertObject(work, object, undefined)
    work.audit({ actor, operation: 'made', outcome: 'Success' })
  })
}

test.each([
  ['KR0001L8', 'KR0001'],
  ['KR0001LT', 'KR0001'],
  ['KR0001M8', 'KR0001'],
  ['CLN001CU', 'CLN001'],
  ['KR0001', 'KR0001'],
  ['KR000123L8', 'KR000123L8'],
  ['KR0001X9', 'KR0001X9'],
])('barcode %s is of volume %s', (barcode, volume) => {
  expect(volumeOf(barcode)).toBe(volume)
})

describe('the label of a key’s cartridge', () => {
  test.each<[string, AttributeInstance[], object | undefined]>([
    [
      'in the Alternative Name',
      [alternative('KR0001L8')],
      { barcode: 'KR0001L8', volume: 'KR0001' },
    ],
    ['in x-Barcode', [vendor('Barcode', 'KR0002L8')], { barcode: 'KR0002L8', volume: 'KR0002' }],
    [
      'in both: the Alternative Name counts',
      [vendor('Barcode', 'KR0002L8'), alternative('KR0001L8')],
      { barcode: 'KR0001L8', volume: 'KR0001' },
    ],
    [
      'relabelled: the latest counts',
      [alternative('KR0001L8'), alternative('KR0009L8')],
      { barcode: 'KR0009L8', volume: 'KR0009' },
    ],
    [
      'with serials of medium and library',
      [alternative('KR0001L8'), vendor('MediumSerial', 'M1'), vendor('LibrarySerial', 'L1')],
      { barcode: 'KR0001L8', volume: 'KR0001', mediumSerial: 'M1', librarySerial: 'L1' },
    ],
    ['that is no label', [alternative('a human’s note, in lower case')], undefined],
    ['nowhere', [], undefined],
  ])('%s', (_, attributes, label) => {
    expect(labelOf(key(1, attributes))).toEqual(label)
  })
})

test('a cartridge shows its keys newest first, one of them current, and who made them', async () => {
  const store = await newStore()
  await keep(
    store,
    key(1, [alternative('KR0001L8'), asi('1')], { DestroyDate: clock, Fresh: false }),
    key(2, [alternative('KR0001L8'), asi('2')], { Owner: 'beta', Fresh: false }),
    key(3, [alternative('KR0001L8'), asi('3')], { Owner: 'beta' }),
    key(4, [alternative('KR0002L8'), asi('4')]),
    key(5, [asi('5')]),
  )
  const [cartridge, ...others] = await store.read((work) =>
    cartridgesNamed(work, 'default', 'KR0001L8'),
  )
  expect(others).toEqual([])
  expect(cartridge).toMatchObject({
    barcode: 'KR0001L8',
    volume: 'KR0001',
    group: 'default',
    libraries: ['beta', 'alpha'],
  })
  expect(
    cartridge!.keys.map(({ id, state, used, current, data }) => [id, state, used, current, data]),
  ).toEqual([
    [idOf(3), 'PreActive', false, true, '3'],
    [idOf(2), 'PreActive', true, false, '2'],
    [idOf(1), 'Destroyed', true, false, '1'],
  ])
})

test('a key of another site is not the current one before a library here has fetched it', async () => {
  const store = await newStore()
  const foreign = originAttributes({ peer: 'B', exportId: 'x', date: clock })
  const label = alternative('KR0001L8')
  await keep(store, key(1, [label, asi('1')]), key(2, [label, asi('2'), ...foreign]))
  const current = async (barcode: string) => {
    const [cartridge] = await store.read((work) => cartridgesNamed(work, 'default', barcode))
    const found = cartridge!.keys.find((one) => one.current)
    return [found?.id, found?.from]
  }
  const exported = async () =>
    (await select(store, 'default', { scope: 'current' })).keys.map(({ id }) => id)
  expect(await current('KR0001L8')).toEqual([idOf(1), undefined])
  expect(await exported()).toEqual([idOf(1)])
  await keep(store, key(3, [label, asi('3'), ...foreign], { Fresh: false }))
  expect(await current('KR0001L8'), 'the tape has arrived and is read').toEqual([idOf(3), 'B'])
  expect(await exported()).toEqual([idOf(3)])
  await keep(store, key(4, [alternative('KR0002L8'), asi('4'), ...foreign]))
  expect(await current('KR0002L8'), 'there is no other').toEqual([idOf(4), 'B'])
  expect(await exported()).toEqual([idOf(4), idOf(3)])
})

test('cartridges are found by barcode, else by volume, and only in their group', async () => {
  const store = await newStore()
  await keep(store, key(1, [alternative('KR0001L8')]), key(2, [alternative('KR0001L9')]))
  const named = (barcode: string, group = 'default') =>
    store.read(async (work) =>
      (await cartridgesNamed(work, group, barcode)).map((cartridge) => cartridge.barcode),
    )
  expect(await named('KR0001L8')).toEqual(['KR0001L8'])
  expect(await named('KR0001')).toEqual(['KR0001L8', 'KR0001L9'])
  expect(await named('KR0003')).toEqual([])
  expect(await named('KR0001L8', 'other')).toEqual([])
})

test('one barcode on two media is two cartridges', async () => {
  const store = await newStore()
  await keep(
    store,
    key(1, [alternative('KR0001L8'), vendor('MediumSerial', 'M1')]),
    key(2, [alternative('KR0001L8'), vendor('MediumSerial', 'M2')]),
  )
  const found = await store.read((work) => cartridgesNamed(work, 'default', 'KR0001L8'))
  expect(found.map(({ mediumSerial }) => mediumSerial).toSorted()).toEqual(['M1', 'M2'])
})

test('the list of cartridges is by barcode, and of one library where asked', async () => {
  const store = await newStore()
  await keep(
    store,
    key(1, [alternative('KR0003L8')]),
    key(2, [alternative('KR0001L8')], { Owner: 'beta' }),
    key(3, [alternative('KR0002L8')]),
  )
  const list = (owner?: string) =>
    store.read(async (work) =>
      (await cartridgesOf(work, 'default', owner)).map(({ barcode }) => barcode),
    )
  expect(await list()).toEqual(['KR0001L8', 'KR0002L8', 'KR0003L8'])
  expect(await list('beta')).toEqual(['KR0001L8'])
})
