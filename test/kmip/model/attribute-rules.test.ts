// The rows of the model against the rule tables of each version's text.
import { describe, expect, test } from 'vitest'
import { version, type VersionText } from 'ttlv-codec'
import {
  appliesTo,
  attributeByText,
  attributeNames,
  attributes,
  inVersion,
  vendorAttribute,
} from '../../../src/kmip/model/attributes.ts'
import type { ObjectTypeName } from '../../../src/kmip/model/attribute-rules.ts'
import { ObjectType, Operation } from '../../../src/kmip/model/enumerations.ts'
import { specifiedRules } from './specification-rules.ts'

const everyVersion: VersionText[] = ['1.0', '1.1', '1.2', '1.3', '1.4', '2.0', '2.1']

const keys: readonly string[] = ['SymmetricKey', 'PublicKey', 'PrivateKey', 'SplitKey', 'PGPKey']

/** The object types that the words of a table stand for. */
function typesOf(words: string, as: VersionText): readonly string[] {
  const all = ObjectType.names(version(as))
  const groups: Record<string, readonly string[]> = {
    everything: all,
    cryptographic: [...keys, 'Certificate', 'SecretData'],
    keys,
  }
  const named = words.split(', ').flatMap((word) => groups[word] ?? [word])
  return all.filter((type) => named.includes(type))
}

/** Where published cases show more than the tables, by attribute: object types that have it too. */
const shownByCases: Partial<Record<string, readonly string[]>> = {
  // CS-AC-M-8-14 registers both halves of a pair with these dates.
  'Process Start Date': ['PublicKey', 'PrivateKey', 'PGPKey'],
  'Protect Stop Date': ['PublicKey', 'PrivateKey', 'PGPKey'],
  // TC-CREATE-SD-1-14 gives a length to the secret data it has made.
  'Cryptographic Length': ['SecretData'],
}

describe.each(everyVersion)('KMIP %s', (as) => {
  const number = version(as)
  const rules = specifiedRules(as)

  test('has the attributes that its text describes, and the parts of certificate names', () => {
    const described = [...rules.keys()].filter((text) => text !== 'Custom Attribute')
    const ours = attributeNames.filter((name) => inVersion(name, number))
    const parts = /^Certificate (Issuer|Subject) ./u
    expect(ours.map((name) => attributes[name].text).filter((text) => !parts.test(text))).toEqual(
      expect.arrayContaining(described),
    )
    expect(ours.filter((name) => !parts.test(attributes[name].text))).toHaveLength(described.length)
  })

  test.each([...rules])('%s is treated as its table says', (text, rule) => {
    const name = attributeByText(text)
    const row = name === undefined ? vendorAttribute : attributes[name]
    const { setBy, changeByServer, changeByClient, deleteByClient, multiple } = row
    expect({ setBy, changeByServer, changeByClient, deleteByClient, multiple }).toEqual({
      setBy: rule.setBy,
      changeByServer: rule.changeByServer,
      changeByClient: rule.changeByClient,
      deleteByClient: rule.deleteByClient,
      multiple: rule.multiple,
    })
  })

  test.each([...rules].filter(([text]) => text !== 'Custom Attribute'))(
    '%s is of the object types that its table names',
    (text, rule) => {
      const name = attributeByText(text)!
      const types = ObjectType.names(number)
      const ours = types.filter((type) => appliesTo(name, type as ObjectTypeName, number))
      const more = as < '2.0' ? (shownByCases[text] ?? []) : []
      const wanted = [
        ...typesOf(rule.of, as),
        ...more.filter((type) => types.includes(type as never)),
      ]
      expect(new Set(ours)).toEqual(new Set(wanted))
    },
  )

  test.each([...rules].filter(([text]) => text !== 'Custom Attribute'))(
    '%s has a value whenever its table says so',
    (text, { always }) => {
      const row = attributes[attributeByText(text)!]
      // 1.x does not say of Fresh what 2.x says, and its objects have it all the same.
      const isSaid = always !== 'no' || text === 'Fresh'
      expect(row.always).toBe(isSaid)
      const but = always.startsWith('but ') ? always.slice(4).split(', ') : []
      const exempt = (row.exempt ?? []) as readonly string[]
      if (as >= '2.0') expect(exempt).toEqual(but.map((type) => type.replace(' ', '')))
    },
  )

  test.each([...rules].filter(([text]) => text !== 'Custom Attribute'))(
    '%s is set by the operations that its table names',
    (text, { implicitOn }) => {
      const row = attributes[attributeByText(text)!]
      const known = Operation.names(number)
      const named = implicitOn
        .map((operation) =>
          operation.replace(/[ -]+(.)/gu, (_, letter: string) => letter.toUpperCase()),
        )
        .filter((operation) => known.includes(operation as never))
      expect(row.implicitOn).toEqual(expect.arrayContaining(named))
    },
  )
})
