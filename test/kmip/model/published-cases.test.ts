/**
 * Every name that the published OASIS cases use is in the tables. The names are kept in
 * published-names.ts; when KEYREEL_OASIS_CASES names the folder of the cases, it is read too.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { attributeByText, attributeNames } from '../../../src/kmip/model/attributes.ts'
import { tagNumber } from '../../../src/kmip/model/tags.ts'
import { textVocabulary } from '../../../src/kmip/model/text-vocabulary.ts'
import { attributeTexts, enumerationValues, maskBits, tagNames } from './published-names.ts'

const { attributeTag, enumerations, masks } = textVocabulary

const knownValue = (tag: string, name: string) => enumerations[tag]?.numberOf(name) !== undefined
const knownBit = (tag: string, name: string) => masks[tag]?.numberOf(name) !== undefined

describe('names of the published cases', () => {
  it('are tags', () => {
    expect(tagNames.filter((name) => tagNumber(name) === undefined)).toEqual([])
  })

  it.each(Object.entries(enumerationValues))('are values of %s', (tag, names) => {
    expect(names.filter((name) => !knownValue(tag, name))).toEqual([])
  })

  it.each(Object.entries(maskBits))('are bits of %s', (tag, names) => {
    expect(names.filter((name) => !knownBit(tag, name))).toEqual([])
  })

  it('are attributes', () => {
    expect(attributeTexts.filter((text) => attributeByText(text) === undefined)).toEqual([])
  })

  it('are attributes where a reference names one', () => {
    const referenced = enumerationValues['AttributeReference'] ?? []
    expect(attributeNames).toEqual(expect.arrayContaining([...referenced]))
  })
})

const folder = process.env['KEYREEL_OASIS_CASES']

test('the folder of published cases is there when the environment names one', () => {
  expect(folder === undefined || existsSync(folder)).toBe(true)
})

// Without a folder there are no such tests, which is no skip.
if (folder !== undefined)
  describe('files of the published cases', () => {
    const files =
      folder === undefined ? [] : readdirSync(folder, { recursive: true, encoding: 'utf8' })

    it.each(files.filter((file) => file.endsWith('.xml')))('%s has only known names', (file) => {
      const xml = readFileSync(join(folder!, file), 'utf8').replaceAll(/<!--.*?-->/gsu, '')
      const unknown = new Set<string>()
      let attribute: string | undefined
      for (const [, tag, rest] of xml.matchAll(/<([A-Za-z][\w.-]*)([^>]*)>/gu)) {
        if (tag === undefined || tag === 'KMIP') continue
        if (tagNumber(tag) === undefined) unknown.add(tag)
        const type = /\btype="([^"]*)"/u.exec(rest ?? '')?.[1]
        const value = /\bvalue="([^"]*)"/u.exec(rest ?? '')?.[1]
        if (tag === 'AttributeName' && value !== undefined) attribute = attributeTag(value)
        const table = tag === 'AttributeValue' ? attribute : tag
        if (value === undefined || table === undefined || /^(0x|-?\d|\$)/u.test(value)) continue
        if (type === 'Enumeration' && !knownValue(table, value)) unknown.add(`${table} ${value}`)
        if (type !== 'Integer') continue
        for (const bit of value.split(' '))
          if (!knownBit(table, bit)) unknown.add(`${table} ${bit}`)
      }
      expect([...unknown]).toEqual([])
    })
  })
