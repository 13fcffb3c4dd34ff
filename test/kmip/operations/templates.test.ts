// Templates of 1.x: named lists of attributes that new objects take over.
import { describe, expect, test } from 'vitest'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { principal, testEngine, tapeKey, type TestEngine } from './engine.ts'

const early = ['1.0', '1.1', '1.2', '1.3', '1.4'] as const

const nameOf = (NameValue: string) => ({ NameValue, NameType: 'UninterpretedTextString' as const })
const name = (text: string): AttributeInstance => ({ tag: 'Name', value: nameOf(text) })
const using = (text: string): AttributeInstance => ({ tag: 'Template', value: nameOf(text) })
const purpose: AttributeInstance = {
  tag: 'Attribute',
  value: {
    VendorIdentification: 'x',
    AttributeName: 'Purpose',
    AttributeValue: { type: 'TextString', value: 'demonstration' },
  },
}
const contents: AttributeInstance[] = [
  { tag: 'CryptographicAlgorithm', value: 'AES' },
  { tag: 'CryptographicLength', value: 192 },
  { tag: 'CryptographicUsageMask', value: 12 },
  { tag: 'ObjectGroup', value: 'Group1' },
  { tag: 'ContactInformation', value: 'Joe' },
  purpose,
]

async function template(
  engine: TestEngine,
  as: (typeof early)[number],
  text: string,
  Attribute: AttributeInstance[],
): Promise<string> {
  const made = await engine.call(as, 'Register', {
    ObjectType: 'Template',
    Attributes: [name(text)],
    Template: { Attribute },
  })
  return made.UniqueIdentifier
}

describe.each(early)('KMIP %s', (as) => {
  test('a new key takes over what the Template has, but not its name', async () => {
    const engine = await testEngine()
    await template(engine, as, 'Template1', contents)
    const { UniqueIdentifier: id } = await engine.call(as, 'Create', {
      ObjectType: 'SymmetricKey',
      Attributes: [using('Template1'), name('Key1')],
    })
    expect(await engine.attribute(as, id, 'CryptographicLength')).toEqual([192])
    expect(await engine.attribute(as, id, 'ObjectGroup')).toEqual(['Group1'])
    expect(await engine.attribute(as, id, 'ContactInformation')).toEqual(['Joe'])
    expect(await engine.attribute(as, id, 'Name')).toEqual([nameOf('Key1')])
    const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier: id })
    expect(Attributes![0]!.value).toEqual(purpose.value)
  })

  test('the request wins over Templates, a later Template over an earlier one, lists are joined', async () => {
    const engine = await testEngine()
    await template(engine, as, 'first', contents)
    await template(engine, as, 'second', [
      { tag: 'CryptographicLength', value: 256 },
      { tag: 'ContactInformation', value: 'Jane' },
      { tag: 'ObjectGroup', value: 'Group2' },
    ])
    const { UniqueIdentifier: id } = await engine.call(as, 'Create', {
      ObjectType: 'SymmetricKey',
      Attributes: [
        using('first'),
        using('second'),
        { tag: 'ContactInformation', value: 'Jim' },
        { tag: 'ObjectGroup', value: 'Group3' },
      ],
    })
    expect(await engine.attribute(as, id, 'CryptographicLength')).toEqual([256])
    expect(await engine.attribute(as, id, 'ContactInformation')).toEqual(['Jim'])
    expect(await engine.attribute(as, id, 'ObjectGroup')).toEqual(['Group1', 'Group2', 'Group3'])
  })

  test('a Template is got with its contents, found by name, and destroyed', async () => {
    const engine = await testEngine()
    const id = await template(engine, as, 'Template1', [
      ...contents,
      { tag: 'ActivationDate', value: 5n },
    ])
    const got = await engine.call(as, 'Get', { UniqueIdentifier: id })
    expect(got.ObjectType).toBe('Template')
    expect(got.Template!.Attribute.map(({ tag }) => tag).toSorted()).toEqual(
      [...contents.map(({ tag }) => tag), 'ActivationDate'].toSorted(),
    )
    const located = await engine.call(as, 'Locate', { Attributes: [name('Template1')] })
    expect(located.UniqueIdentifier).toEqual([id])
    await engine.call(as, 'Destroy', { UniqueIdentifier: id })
    const request = { ObjectType: 'SymmetricKey' as const, Attributes: [using('Template1')] }
    expect(await engine.refused(as, 'Create', request)).toBe('ItemNotFound')
  })

  test('dates of a Template are those of the keys made with it', async () => {
    const engine = await testEngine()
    await template(engine, as, 'dated', [...contents, { tag: 'ActivationDate', value: 5n }])
    const { UniqueIdentifier: id } = await engine.call(as, 'Create', {
      ObjectType: 'SymmetricKey',
      Attributes: [using('dated')],
    })
    expect(await engine.attribute(as, id, 'ActivationDate')).toEqual([5n])
    expect(await engine.attribute(as, id, 'State')).toEqual(['Active'])
  })
})

test('a Template of a newer version serves an older client', async () => {
  const engine = await testEngine()
  await template(engine, '1.4', 'newer', [
    ...contents,
    { tag: 'Description', value: 'of 1.4' },
    { tag: 'Sensitive', value: true },
  ])
  const { UniqueIdentifier: id } = await engine.call('1.0', 'Create', {
    ObjectType: 'SymmetricKey',
    Attributes: [using('newer')],
  })
  expect(await engine.attribute('1.4', id, 'Description')).toEqual(['of 1.4'])
  expect(await engine.attribute('1.4', id, 'Sensitive')).toEqual([true])
})

test('a key is no Template, whatever its name', async () => {
  const engine = await testEngine()
  await engine.key('1.2', 'A')
  const request = { ObjectType: 'SymmetricKey' as const, Attributes: [using('name of A')] }
  expect(await engine.refused('1.2', 'Create', request)).toBe('ItemNotFound')
})

test('a Template of another group is not there', async () => {
  const engine = await testEngine()
  await template(engine, '1.2', 'Template1', contents)
  const stranger = principal({ name: 'beta', group: 'other' })
  const request = { ObjectType: 'SymmetricKey' as const, Attributes: [using('Template1')] }
  expect(await engine.refused('1.2', 'Create', request, stranger)).toBe('ItemNotFound')
})

test('clients of 2.x, which has no Templates, do not see them', async () => {
  const engine = await testEngine()
  const id = await template(engine, '1.4', 'Template1', contents)
  const key = await engine.key('1.4', 'A')
  expect(await engine.refused('2.1', 'Get', { UniqueIdentifier: id })).toBe('ObjectNotFound')
  expect((await engine.call('2.1', 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([key])
  const byName = { Attributes: [name('Template1')] }
  expect((await engine.call('2.1', 'Locate', byName)).UniqueIdentifier).toEqual([])
  // Its name is taken all the same.
  const request = { ObjectType: 'SymmetricKey' as const, Attributes: tapeKey('B', 'Template1') }
  expect(await engine.refused('2.1', 'Create', request)).toBe('NonUniqueNameAttribute')
})
