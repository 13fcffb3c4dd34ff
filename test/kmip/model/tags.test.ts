import { describe, expect, it } from 'vitest'
import { version, type VersionText } from 'ttlv-codec'
import {
  tagName,
  TagEnumeration,
  tagNumber,
  tags,
  type TagName,
} from '../../../src/kmip/model/tags.ts'
import { versions } from '../../../src/kmip/model/versions.ts'

const rows = Object.entries(tags) as [TagName, readonly [number, VersionText, VersionText?]][]

/** Numbers read off the tables of KMIP 1.0, 1.4 and 2.1. */
const known = {
  ActivationDate: [0x420001, '1.0'],
  ApplicationSpecificInformation: [0x420004, '1.0'],
  Attribute: [0x420008, '1.0'],
  AttributeIndex: [0x420009, '1.0', '1.4'],
  BatchItem: [0x42000f, '1.0'],
  CertificateIdentifier: [0x420014, '1.0', '1.4'],
  CommonTemplateAttribute: [0x42001f, '1.0', '1.4'],
  CRTCoefficient: [0x420027, '1.0'],
  CryptographicAlgorithm: [0x420028, '1.0'],
  CustomAttribute: [0x42002d, '1.0', '1.4'],
  IVCounterNonce: [0x42003d, '1.0'],
  KeyMaterial: [0x420043, '1.0'],
  Name: [0x420053, '1.0'],
  ObjectType: [0x420057, '1.0'],
  Operation: [0x42005c, '1.0'],
  OperationPolicyName: [0x42005d, '1.0', '1.4'],
  RequestMessage: [0x420078, '1.0'],
  ResponseMessage: [0x42007b, '1.0'],
  KeyRoleType: [0x420083, '1.0'],
  Template: [0x420090, '1.0', '1.4'],
  TemplateAttribute: [0x420091, '1.0', '1.4'],
  UniqueIdentifier: [0x420094, '1.0'],
  Password: [0x4200a1, '1.0'],
  DeviceIdentifier: [0x4200a2, '1.1'],
  Fresh: [0x4200a8, '1.1'],
  X_509CertificateSubject: [0x4200b7, '1.1'],
  KeyValueLocation: [0x4200b8, '1.2'],
  AlternativeName: [0x4200bf, '1.2'],
  Data: [0x4200c2, '1.2'],
  AttestationCapableIndicator: [0x4200d3, '1.2'],
  OffsetItems: [0x4200d4, '1.3'],
  CapabilityInformation: [0x4200f7, '1.3'],
  KeyWrapType: [0x4200f8, '1.4'],
  PKCS_12FriendlyName: [0x4200fb, '1.4'],
  AuthenticatedEncryptionAdditionalData: [0x4200fe, '1.4'],
  Sensitive: [0x420120, '1.4'],
  ReplaceExisting: [0x420124, '1.4'],
  Attributes: [0x420125, '2.0'],
  ShortUniqueIdentifier: [0x420136, '2.0'],
  Tag: [0x420138, '2.0'],
  NewAttribute: [0x42013d, '2.0'],
  CertificateRequestValue: [0x420140, '2.0'],
  PublicProtectionStorageMasks: [0x420165, '2.0'],
  ObjectGroups: [0x420166, '2.1'],
  RotateInterval: [0x42016a, '2.1'],
  AsynchronousCorrelationValues: [0x420176, '2.1'],
} as const

describe('tags', () => {
  it('have the numbers and versions of the specification', () => {
    expect(tags).toMatchObject(known)
  })

  it('are as many per version as the specification lists', () => {
    const counts = versions.map(({ number }) => TagEnumeration.names(number).length)
    expect(counts).toEqual([161, 183, 211, 247, 292, 337, 354])
  })

  it('have a number each, inside the range of defined tags, rising', () => {
    const numbers = rows.map(([, [number]]) => number)
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(new Set(numbers).size).toBe(numbers.length)
    for (const number of numbers) expect(number >> 16).toBe(0x42)
  })

  it('go, when they go, after 1.4', () => {
    for (const [name, [, since, until]] of rows) {
      if (until === undefined) continue
      expect(until, name).toBe('1.4')
      expect(version(since), name).toBeLessThanOrEqual(version(until))
    }
  })

  it('are found by name and by number', () => {
    for (const [name, [number]] of rows) {
      expect(tagNumber(name)).toBe(number)
      expect(tagName(number)).toBe(name)
    }
  })
})
