// Situations that are refused, as rows: the Result Reason of each in 1.x (KMIP 1.4 §11) and in 2.x (the
// Error Handling tables of KMIP 2.1 §6.1). One runner for all tables.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { isLate, tapeKey, testEngine, type Ask, type TestEngine } from './engine.ts'

/** Situation, what is asked in it, reason in 1.x, reason in 2.x; only in some versions where given. */
export type Row = [
  situation: string,
  ask: (engine: TestEngine, as: VersionText) => Ask | Promise<Ask>,
  early: string,
  late?: string | undefined,
  only?: (as: VersionText) => boolean,
]

export const early = (as: VersionText) => !isLate(as)
export const since14 = (as: VersionText) => as >= '1.4'

export const create = (...more: AttributeInstance[]): Ask => [
  'Create',
  { ObjectType: 'SymmetricKey', Attributes: [...tapeKey('new'), ...more] },
]
export const without = (tag: string, ...more: AttributeInstance[]): Ask => [
  'Create',
  {
    ObjectType: 'SymmetricKey',
    Attributes: [...tapeKey('new').filter((one) => one.tag !== tag), ...more],
  },
]
export const name = (NameValue: string): AttributeInstance => ({
  tag: 'Name',
  value: { NameValue, NameType: 'UninterpretedTextString' },
})
export const asi = (ApplicationNamespace: string, ApplicationData?: string): AttributeInstance => ({
  tag: 'ApplicationSpecificInformation',
  value: { ApplicationNamespace, ...(ApplicationData !== undefined && { ApplicationData }) },
})
export const custom = (
  vendor: string,
  AttributeName: string,
  value = 'value',
): AttributeInstance => ({
  tag: 'Attribute',
  value: {
    VendorIdentification: vendor,
    AttributeName,
    AttributeValue: { type: 'TextString', value },
  },
})
export const contact: AttributeInstance = { tag: 'ContactInformation', value: 'somebody' }
export const secret = (format: string, more: object = {}): object => ({
  SecretDataType: 'Password',
  KeyBlock: {
    KeyFormatType: format,
    KeyValue: { type: 'Structure', value: { KeyMaterial: Uint8Array.of(1) } },
    ...more,
  },
})
export const key = (bytes: number, more: object = {}): object => ({
  KeyBlock: {
    KeyFormatType: 'Raw',
    KeyValue: { type: 'Structure', value: { KeyMaterial: new Uint8Array(bytes) } },
    CryptographicAlgorithm: 'AES',
    CryptographicLength: 128,
    ...more,
  },
})
export const register = (
  ObjectType: string,
  object: object,
  ...Attributes: AttributeInstance[]
): Ask => ['Register', { ObjectType, Attributes, ...object }] as unknown as Ask
export const mask: AttributeInstance = { tag: 'CryptographicUsageMask', value: 12 }

export const added = async (
  engine: TestEngine,
  as: VersionText,
  NewAttribute: AttributeInstance,
) => {
  const UniqueIdentifier = await engine.key(as, 'old')
  return ['AddAttribute', { UniqueIdentifier, NewAttribute }] as Ask
}
export const modified = async (
  engine: TestEngine,
  as: VersionText,
  NewAttribute: AttributeInstance,
  CurrentAttribute?: AttributeInstance,
) => {
  const UniqueIdentifier = await engine.key(as, 'old', [contact])
  const request = { UniqueIdentifier, NewAttribute }
  return ['ModifyAttribute', CurrentAttribute ? { ...request, CurrentAttribute } : request] as Ask
}
export const activated = async (engine: TestEngine, as: VersionText) => {
  const UniqueIdentifier = await engine.key(as, 'old')
  await engine.call(as, 'Activate', { UniqueIdentifier })
  return UniqueIdentifier
}
export const destroyed = async (engine: TestEngine, as: VersionText) => {
  const UniqueIdentifier = await engine.key(as, 'old')
  await engine.call(as, 'Destroy', { UniqueIdentifier })
  return UniqueIdentifier
}
export const template = async (engine: TestEngine, as: VersionText) => {
  const Template = { Attribute: [contact] }
  const [, request] = register('Template', { Template }, name('template'))
  return (await engine.call(as, 'Register', request as never)).UniqueIdentifier
}

/** The versions in which refusals are tried. */
export const tried: VersionText[] = ['1.0', '1.2', '1.4', '2.0', '2.1']

/** Runs a table in each version that its rows are for. */
export function describeRefusals(of: string, rows: Row[]): void {
  const isFor = (as: VersionText) => (row: Row) => row[4]?.(as) !== false
  describe.each(tried.filter((as) => rows.some(isFor(as))))(`KMIP %s: ${of} refuses`, (as) => {
    test.each(rows.filter(isFor(as)))('%s', async (...row) => {
      const [, ask, before20, from20] = row as unknown as Row
      const engine = await testEngine()
      const [operation, request] = await ask(engine, as)
      expect(await engine.refused(as, operation, request)).toBe(isLate(as) ? from20 : before20)
    })
  })
}
