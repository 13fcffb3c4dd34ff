// What each personality says of a new key, on the wire of its version.

import { describe, expect, test } from 'vitest'
import { decodeItem, version } from 'ttlv-codec'

import { encodeRequest } from '../../src/kmip/client/batch.ts'
import { attributeText, referenceOf } from '../../src/kmip/model/attribute-forms.ts'
import { dialectNamed, dialects, strictDialect } from '../../simulator/dialects.ts'
import { keyFilter, newKeyAttributes, type KeyFacts } from '../../simulator/key-attributes.ts'

const facts: KeyFacts = {
  identifier: '7F3A9C0012D44E6BA1B2C3D4E5F60718',
  barcode: 'KR0001L8',
  mediumSerial: 'MEDIUM0001',
  librarySerial: 'LIBRARY001',
  time: 1_800_000_000n,
}

const namesIn = (attributes: ReturnType<typeof newKeyAttributes>) =>
  attributes.map((instance) => attributeText(referenceOf(instance)))

const profileNames = [
  'x-ID',
  'Name',
  'Cryptographic Algorithm',
  'Cryptographic Length',
  'Cryptographic Usage Mask',
  'Application Specific Information',
  'x-Barcode',
  'x-VendorAttribute1',
  'x-VendorAttribute2',
  'x-VendorAttribute3',
]

describe('a library that keeps to the profile', () => {
  test('sends the attributes of the published case in KMIP 1.0, in its order', () => {
    expect(namesIn(newKeyAttributes(dialectNamed('P-strict10'), facts))).toEqual(profileNames)
  })

  test('adds the Alternative Name from KMIP 1.2 on', () => {
    for (const text of ['1.2', '1.3', '1.4', '2.0', '2.1'] as const) {
      const names = namesIn(newKeyAttributes(strictDialect(text), facts))
      expect(names).toEqual(['x-ID', 'Alternative Name', ...profileNames.slice(1)])
    }
  })

  test('gives the key a name of 29 characters', () => {
    const name = newKeyAttributes(strictDialect('1.0'), facts).find(({ tag }) => tag === 'Name')
    expect((name?.value as { NameValue: string }).NameValue).toBe('KR0001L8-7F3A9C0012D44E6BA1B2')
  })

  test('looks for the identifier alone, never for the barcode', () => {
    expect(keyFilter(strictDialect('1.4'), 'AA01')).toEqual([
      { tag: 'ObjectType', value: 'SymmetricKey' },
      {
        tag: 'ApplicationSpecificInformation',
        value: { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: 'AA01' },
      },
    ])
  })
})

test.each(Object.values(dialects))(
  '$name can say all it has to say in KMIP $version',
  (dialect) => {
    const bytes = encodeRequest(
      [
        {
          operation: 'Create',
          payload: { ObjectType: 'SymmetricKey', Attributes: newKeyAttributes(dialect, facts) },
        },
        { operation: 'Locate', payload: { Attributes: keyFilter(dialect, facts.identifier) } },
      ],
      version(dialect.version),
    )
    expect(decodeItem(bytes).type).toBe('Structure')
    expect(Buffer.from(bytes).includes(facts.identifier)).toBe(true)
    expect(Buffer.from(bytes).includes('KR0001L8')).toBe(true)
  },
)

test('a library without Application Specific Information is known by the Name of its key', () => {
  const dialect = dialectNamed('P-name')
  expect(namesIn(newKeyAttributes(dialect, facts))).not.toContain(
    'Application Specific Information',
  )
  expect(keyFilter(dialect, 'AA01')).toContainEqual({
    tag: 'Name',
    value: { NameValue: 'AA01', NameType: 'UninterpretedTextString' },
  })
})

test('a label that could not be read is left out', () => {
  const names = namesIn(newKeyAttributes(strictDialect('1.4'), { ...facts, barcode: undefined }))
  expect(names).not.toContain('Alternative Name')
  expect(names).not.toContain('x-Barcode')
})

test('a personality that does not exist is named in the error', () => {
  expect(() => dialectNamed('P-nobody')).toThrowError(/"P-nobody"/)
  expect(() => dialectNamed('toString')).toThrowError(/"toString"/)
})
