import { describe, expect, it } from 'vitest'
import { version, type VersionText } from 'ttlv-codec'
import {
  answerOrder,
  appliesTo,
  attributeByTag,
  attributeByText,
  attributeNames,
  attributes,
  filterSchema,
  inVersion,
  vendorAttribute,
  type AttributeName,
  type AttributeValueOf,
} from '../../../src/kmip/model/attributes.ts'
import { attributeFilters } from '../../../src/kmip/model/attribute-filters.ts'
import { ObjectType, Operation } from '../../../src/kmip/model/enumerations.ts'
import { tagNumber, tags } from '../../../src/kmip/model/tags.ts'
import { versions } from '../../../src/kmip/model/versions.ts'

const names = (number: number) => attributeNames.filter((name) => inVersion(name, number))

/** The names the rows have in common with a list, in the order of the rows. */
const ordered = (order: readonly AttributeName[], texts: readonly string[]) =>
  order.map((name) => attributes[name].text).filter((text) => texts.includes(text))

describe('attributes', () => {
  it('have a tag of their name that is as old as they are', () => {
    for (const name of attributeNames) {
      const row = attributes[name]
      const [, since, until] = tags[name] as readonly [number, VersionText, VersionText?]
      expect(version(since), name).toBeLessThanOrEqual(version(row.since))
      expect(row.until, name).toBe(until)
    }
  })

  it('are found by the name 1.x gives them and by their tag', () => {
    for (const name of attributeNames) {
      expect(attributeByText(attributes[name].text)).toBe(name)
      expect(attributeByTag(tagNumber(name))).toBe(name)
    }
    expect(attributeByText('Colour')).toBeUndefined()
    expect(attributeByText('cryptographic length')).toBeUndefined()
    expect(attributeByTag(0x420008)).toBeUndefined()
  })

  it('are as many per version as the specification describes', () => {
    // 1.4 has no chapter on the parts of distinguished names; its published cases answer all 24.
    expect(versions.map(({ number }) => names(number).length)).toEqual([32, 38, 42, 43, 74, 78, 85])
  })

  it('go with 2.0 when they are the old certificate attributes or the policy name', () => {
    expect(attributeNames.filter((name) => attributes[name].until !== undefined)).toEqual([
      'CertificateIdentifier',
      'CertificateIssuer',
      'CertificateSubject',
      'OperationPolicyName',
    ])
  })

  it('may have several values only where the rule tables permit it', () => {
    const parts = /^Certificate(Issuer|Subject)[A-Z]/u
    const multiple = attributeNames.filter((name) => attributes[name].multiple && !parts.test(name))
    expect(multiple).toEqual([
      'AlternativeName',
      'ApplicationSpecificInformation',
      'CryptographicParameters',
      'Digest',
      'DigitalSignatureAlgorithm',
      'KeyValueLocation',
      'Link',
      'Name',
      'NISTKeyType',
      'ObjectGroup',
    ])
    expect(vendorAttribute.multiple).toBe(true)
  })

  it('may be deleted by clients only where the rule tables permit it', () => {
    const deletable = attributeNames.filter((name) => attributes[name].deleteByClient !== 'never')
    expect(deletable).toEqual([
      'AlternativeName',
      'ApplicationSpecificInformation',
      'Comment',
      'ContactInformation',
      'CryptographicParameters',
      'Description',
      'KeyValueLocation',
      'Link',
      'Name',
      'ObjectGroup',
      'PKCS_12FriendlyName',
      'ProtectionLevel',
      'ProtectionPeriod',
      'QuantumSafe',
      'RotateName',
      'UsageLimits',
    ])
  })

  it('may be changed by clients besides those only by date, by use or as a switch', () => {
    const changeable = attributeNames.filter(
      (name) =>
        attributes[name].changeByClient !== 'never' && attributes[name].deleteByClient === 'never',
    )
    expect(changeable.map((name) => [name, attributes[name].changeByClient])).toEqual([
      ['ActivationDate', 'pre-active'],
      ['DeactivationDate', 'pre-active-or-active'],
      ['Extractable', 'always'],
      ['ProcessStartDate', 'pre-active-or-active-and-not-passed'],
      ['ProtectStopDate', 'pre-active-or-active-and-not-passed'],
      ['Sensitive', 'always'],
    ])
    expect(attributes.UsageLimits.changeByClient).toBe('until-first-use')
  })

  it('cannot be changed or deleted by a client who may never give them', () => {
    for (const name of attributeNames) {
      const row = attributes[name]
      if (row.givenByClient !== 'never') continue
      expect([row.setBy, row.changeByClient, row.deleteByClient], name).toEqual([
        'server',
        'never',
        'never',
      ])
    }
  })

  it('name operations that have come by their last version', () => {
    for (const name of attributeNames) {
      for (const operation of attributes[name].implicitOn) {
        expect(Operation.numberOf(operation), `${name} ${operation}`).toBeDefined()
      }
    }
    expect(attributes.DestroyDate.implicitOn).toEqual(['Destroy'])
    expect(attributes.ArchiveDate.implicitOn).toEqual(['Archive'])
    expect(attributes.State.implicitOn).toContain('Revoke')
    expect(attributes.LastChangeDate.implicitOn).toContain('GetUsageAllocation')
  })

  it('belong to object types that exist in the versions meant', () => {
    const types1 = ObjectType.names(version('1.4'))
    const types2 = ObjectType.names(version('2.1'))
    for (const name of attributeNames) {
      const { v1, v2 } = attributes[name].of
      expect(types1, name).toEqual(expect.arrayContaining([...v1]))
      expect(types2, name).toEqual(expect.arrayContaining([...v2]))
    }
    expect(new Set(attributes.UniqueIdentifier.of.v1)).toEqual(new Set(types1))
    expect(new Set(attributes.UniqueIdentifier.of.v2)).toEqual(new Set(types2))
  })

  it('apply to more object types since 2.0', () => {
    expect(appliesTo('CryptographicAlgorithm', 'SymmetricKey', version('1.0'))).toBe(true)
    expect(appliesTo('CryptographicAlgorithm', 'SecretData', version('1.4'))).toBe(false)
    expect(appliesTo('CryptographicAlgorithm', 'SecretData', version('2.0'))).toBe(true)
    expect(appliesTo('State', 'OpaqueObject', version('1.4'))).toBe(false)
    expect(appliesTo('State', 'OpaqueObject', version('2.1'))).toBe(true)
    expect(appliesTo('DestroyDate', 'OpaqueObject', version('1.0'))).toBe(true)
    expect(appliesTo('CertificateLength', 'SymmetricKey', version('2.1'))).toBe(false)
    expect(appliesTo('Name', 'Template', version('1.2'))).toBe(true)
  })

  it('stand in the order of the published answers for keys', () => {
    const tapeLibrary21 = [
      'UniqueIdentifier',
      'ShortUniqueIdentifier',
      'ObjectType',
      'CryptographicAlgorithm',
      'CryptographicLength',
      'AlternativeName',
      'AlwaysSensitive',
      'ApplicationSpecificInformation',
      'CryptographicUsageMask',
      'Digest',
      'KeyFormatType',
      'Extractable',
      'Fresh',
      'InitialDate',
      'LastChangeDate',
      'LeaseTime',
      'Name',
      'NeverExtractable',
      'OriginalCreationDate',
      'RandomNumberGenerator',
      'Sensitive',
      'State',
      'ProtectionStorageMask',
    ] as const
    expect(
      attributeNames.filter((name) => (tapeLibrary21 as readonly string[]).includes(name)),
    ).toEqual(tapeLibrary21)
    expect(answerOrder('SymmetricKey')).toBe(attributeNames)
  })

  it('stand in the order of the published answers for certificates', () => {
    const certificate14 = [
      'Unique Identifier',
      'Object Type',
      'Certificate Type',
      'Always Sensitive',
      'Certificate Identifier',
      'Certificate Issuer',
      'Certificate Issuer C',
      'Certificate Issuer CN',
      'Certificate Issuer O',
      'Certificate Issuer OU',
      'Certificate Length',
      'Certificate Subject',
      'Certificate Subject C',
      'Certificate Subject CN',
      'Certificate Subject O',
      'Certificate Subject OU',
      'Cryptographic Algorithm',
      'Cryptographic Length',
      'Cryptographic Usage Mask',
      'Digest',
      'Digital Signature Algorithm',
      'Extractable',
      'Fresh',
      'Initial Date',
      'Last Change Date',
      'Lease Time',
      'Link',
      'Never Extractable',
      'Sensitive',
      'State',
      'X.509 Certificate Identifier',
      'X.509 Certificate Issuer',
      'X.509 Certificate Subject',
    ]
    expect(ordered(answerOrder('Certificate'), certificate14)).toEqual(certificate14)
    expect(answerOrder('Certificate').toSorted()).toEqual(attributeNames.toSorted())
  })

  it('are in the order of the alphabet but for the first six and the two of 2.0', () => {
    const exceptions = ['KeyFormatType', 'ProtectionStorageMask']
    const texts = attributeNames
      .slice(6)
      .filter((name) => !exceptions.includes(name))
      .map((name) => attributes[name].text.toLowerCase())
    expect(texts).toEqual(texts.toSorted())
  })

  it('are searched through the index when they are identifiers, names or texts', () => {
    for (const name of [
      'UniqueIdentifier',
      'Name',
      'ApplicationSpecificInformation',
      'Link',
    ] as const) {
      expect(attributes[name].lookup, name).toBe(true)
    }
    for (const name of attributeNames) {
      if (attributes[name].schema.itemType === 'TextString')
        expect(attributes[name].lookup).toBe(true)
    }
    expect(attributes.CryptographicLength.lookup).toBeUndefined()
    expect(vendorAttribute.lookup).toBe(true)
  })

  it('have a filter schema wherever a field of the value is required', () => {
    for (const name of Object.keys(attributeFilters) as (keyof typeof attributeFilters)[]) {
      expect(filterSchema(name)).toBe(attributeFilters[name])
      expect(attributes[name].schema.itemType).toBe('Structure')
    }
    expect(filterSchema('State')).toBe(attributes.State.schema)
  })

  it('tell the compiler the types of their values', () => {
    const length: AttributeValueOf<'CryptographicLength'> = 256
    const date: AttributeValueOf<'ActivationDate'> = 0n
    const state: AttributeValueOf<'State'> = 'PreActive'
    // @ts-expect-error a length is a number
    const wrongLength: AttributeValueOf<'CryptographicLength'> = '256'
    // @ts-expect-error no such state
    const wrongState: AttributeValueOf<'State'> = 'Suspended'
    // @ts-expect-error no such attribute
    const wrongName: AttributeName = 'Colour'
    expect([length, date, state, wrongLength, wrongState, wrongName]).toHaveLength(6)
  })
})
