// The record of an object: what is kept comes back, in every version's values.
import { describe, expect, test } from 'vitest'
import { AttributeSet } from '../../src/keystore/attribute-set.ts'
import { ManagedObject, type Vitals } from '../../src/keystore/managed-object.ts'
import { attributesOf, instancesOf, isVital } from '../../src/keystore/object-attributes.ts'

const identity = {
  id: '00000000-0000-4000-8000-000000000001',
  group: 'default',
  objectType: 'SymmetricKey',
} as const

const vitals: Vitals = {
  Owner: 'alpha/ann',
  Fresh: false,
  Sensitive: true,
  Extractable: false,
  KeyFormatType: 'Raw',
  InitialDate: -5n,
  ActivationDate: 1n,
  LastChangeDate: 2n ** 40n,
  LeaseTime: 3600,
  ShownState: 'Active',
  WipeAfter: 7n,
}

const again = (object: ManagedObject) => ManagedObject.decodeRecord(identity, object.encodeRecord())

test('vitals and attributes come back, with order and indexes', () => {
  const attributes = new AttributeSet()
  attributes.add({ tag: 'ObjectGroup', value: 'a' })
  const second = attributes.add({ tag: 'ObjectGroup', value: 'b' })
  attributes.add({
    tag: 'Attribute',
    value: {
      VendorIdentification: 'x',
      AttributeName: 'Ω',
      AttributeValue: { type: 'BigInteger', value: -1n },
    },
  })
  attributes.remove([second])
  attributes.add({ tag: 'ObjectGroup', value: 'c' })
  const read = again(new ManagedObject(identity, vitals, attributes))
  expect(read.vitals).toEqual(vitals)
  expect(read.attributes.instances).toEqual(attributes.instances)
  expect(again(read).encodeRecord()).toEqual(read.encodeRecord())
})

test('values that later versions dropped are kept', () => {
  const attributes = new AttributeSet()
  attributes.set('OperationPolicyName', 'default')
  attributes.set('CryptographicUsageMask', 0x000fffff)
  attributes.set('CertificateType', 'PGP')
  const old = { ...vitals, KeyFormatType: 'TransparentECDSAPrivateKey' as const }
  const read = again(new ManagedObject(identity, old, attributes))
  expect(read.attributes.first('OperationPolicyName')).toBe('default')
  expect(read.attributes.first('CryptographicUsageMask')).toBe(0x000fffff)
  expect(read.attributes.first('CertificateType')).toBe('PGP')
  expect(read.vitals.KeyFormatType).toBe('TransparentECDSAPrivateKey')
})

test('a record whose attributes were never looked at is written as it was read', () => {
  const attributes = new AttributeSet()
  attributes.set('ContactInformation', 'somebody')
  const read = again(new ManagedObject(identity, vitals, attributes))
  read.vitals.Fresh = true
  const twice = again(read)
  expect(twice.vitals.Fresh).toBe(true)
  expect(twice.attributes.first('ContactInformation')).toBe('somebody')
})

test('bytes that are no record are an error', () => {
  expect(() => ManagedObject.decodeRecord(identity, Uint8Array.of(1, 2, 3))).toThrow()
})

describe('attributes of an object', () => {
  const object = new ManagedObject(identity, vitals, new AttributeSet())

  test('include those that follow from others', () => {
    const held = new Map(attributesOf(object, 5n).map(({ tag, value }) => [tag, value]))
    expect(held.get('UniqueIdentifier')).toBe(identity.id)
    expect(held.get('ObjectType')).toBe('SymmetricKey')
    expect(held.get('State')).toBe('Active')
    expect(held.get('Sensitive')).toBe(true)
    expect(held.has('DeactivationDate')).toBe(false)
  })

  test('are the same asked for one by one', () => {
    for (const instance of attributesOf(object, 5n))
      expect(instancesOf(object, { tag: instance.tag as 'State' }, 5n)).toEqual([instance])
  })

  test('do not include what its type does not have', () => {
    const template = new ManagedObject(
      { ...identity, objectType: 'Template' },
      vitals,
      new AttributeSet(),
    )
    expect(instancesOf(template, { tag: 'State' }, 5n)).toEqual([])
    expect(attributesOf(template, 5n).map(({ tag }) => tag)).not.toContain('State')
  })

  test('that are vitals are known as such', () => {
    expect(isVital('ActivationDate')).toBe(true)
    expect(isVital('Owner')).toBe(false)
    expect(isVital('Name')).toBe(false)
  })
})

describe('a set of attributes', () => {
  test('gives indexes that stay when others come and go', () => {
    const set = new AttributeSet()
    const add = (value: string) => set.add({ tag: 'ObjectGroup', value })
    const [zero, one] = [add('0'), add('1')]
    expect([zero.index, one.index]).toEqual([0, 1])
    set.remove([zero])
    expect(add('2').index).toBe(2)
    expect(set.replace(one, 'one')).toMatchObject({ index: 1, value: 'one' })
    expect(set.values('ObjectGroup')).toEqual(['one', '2'])
    // Of another attribute they are its own.
    expect(set.add({ tag: 'Comment', value: 'x' }).index).toBe(0)
  })

  test('tells vendor attributes of one name and another vendor apart', () => {
    const set = new AttributeSet()
    const value = (VendorIdentification: string) => ({
      VendorIdentification,
      AttributeName: 'n',
      AttributeValue: { type: 'TextString' as const, value: VendorIdentification },
    })
    set.add({ tag: 'Attribute', value: value('x') })
    set.add({ tag: 'Attribute', value: value('acme') })
    expect(set.of({ tag: 'Attribute', vendor: 'acme', name: 'n' })).toHaveLength(1)
  })
})
