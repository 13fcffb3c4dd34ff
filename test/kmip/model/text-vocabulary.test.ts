import { describe, expect, it } from 'vitest'
import * as enumerations from '../../../src/kmip/model/enumerations.ts'
import * as masks from '../../../src/kmip/model/masks.ts'
import { attributeNames, attributes } from '../../../src/kmip/model/attributes.ts'
import { tagNumber } from '../../../src/kmip/model/tags.ts'
import { textVocabulary } from '../../../src/kmip/model/text-vocabulary.ts'

const { attributeTag, enumerations: byTag, masks: maskByTag, secretTags } = textVocabulary

describe('text vocabulary', () => {
  it('speaks of tags that exist', () => {
    for (const tag of [...Object.keys(byTag), ...Object.keys(maskByTag), ...secretTags]) {
      expect(tagNumber(tag), tag).toBeDefined()
    }
  })

  it('has a tag for every enumeration and every mask', () => {
    expect(new Set(Object.values(byTag))).toEqual(
      new Set([...Object.values(enumerations), byTag['AttributeReference']]),
    )
    expect(Object.keys(maskByTag)).toEqual(Object.keys(masks))
  })

  it('gives every attribute that is an enumeration or a mask its table', () => {
    for (const name of attributeNames) {
      const { itemType } = attributes[name].schema
      if (itemType === 'Enumeration') expect(byTag[name], name).toBe(attributes[name].schema)
    }
    expect(maskByTag['CryptographicUsageMask']).toBe(attributes.CryptographicUsageMask.schema)
    expect(maskByTag['ProtectionStorageMask']).toBe(attributes.ProtectionStorageMask.schema)
  })

  it('finds the enumeration of an Attribute Value through the attribute name', () => {
    expect(attributeTag('Cryptographic Algorithm')).toBe('CryptographicAlgorithm')
    expect(attributeTag('X.509 Certificate Issuer')).toBe('X_509CertificateIssuer')
    expect(attributeTag('x-Barcode')).toBeUndefined()
  })

  it('reads tags as values where a tag is the value', () => {
    expect(byTag['AttributeReference']?.numberOf('State')).toBe(0x42008d)
    expect(byTag['MaskGeneratorHashingAlgorithm']?.numberOf('SHA_256')).toBe(6)
    expect(byTag['ExtensionType']?.numberOf('TextString')).toBe(7)
  })

  it('shows no key, credential or plaintext', () => {
    for (const tag of [
      'KeyMaterial',
      'Key',
      'Password',
      'PrivateExponent',
      'D',
      'X',
      'Data',
      'OpaqueDataValue',
    ]) {
      expect(secretTags.has(tag), tag).toBe(true)
    }
    for (const tag of [
      'UniqueIdentifier',
      'Modulus',
      'Y',
      'PublicExponent',
      'NameValue',
      'CertificateValue',
    ]) {
      expect(secretTags.has(tag), tag).toBe(false)
    }
  })
})
