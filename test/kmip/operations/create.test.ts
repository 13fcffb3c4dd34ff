// Create: what is made, and what the server adds to what the client said.
import { describe, expect, test } from 'vitest'
import type { ResponsePayload } from '../../../src/kmip/model/payloads/index.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, isLate, started, tapeKey, testEngine } from './engine.ts'

const without = (tag: string) => tapeKey('A').filter((one) => one.tag !== tag)

function blockOf(payload: ResponsePayload<'Get'>) {
  const { KeyBlock } = (payload.SymmetricKey ?? payload.SecretData)!
  if (KeyBlock.KeyValue?.type !== 'Structure') throw new Error('no key value in the clear')
  return { ...KeyBlock, bytes: KeyBlock.KeyValue.value.KeyMaterial as Uint8Array }
}

describe.each(everyVersion)('KMIP %s', (as) => {
  test('a key has the attributes given, and those the server sets', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A')
    const { Attributes } = await engine.call(as, 'GetAttributes', { UniqueIdentifier: id })
    const held = Object.fromEntries(Attributes!.map(({ tag, value }) => [tag, value]))
    expect(held).toMatchObject({
      UniqueIdentifier: id,
      ObjectType: 'SymmetricKey',
      CryptographicAlgorithm: 'AES',
      CryptographicLength: 256,
      CryptographicUsageMask: 12,
      Name: { NameValue: 'name of A', NameType: 'UninterpretedTextString' },
      InitialDate: started,
      LastChangeDate: started,
      LeaseTime: 3600,
      State: 'PreActive',
    })
    const since: [string, string, unknown?][] = [
      ['1.1', 'Fresh', true],
      ['1.2', 'OriginalCreationDate', started],
      ['1.3', 'RandomNumberGenerator'],
      ['1.4', 'Sensitive', false],
      ['1.4', 'AlwaysSensitive', false],
      ['1.4', 'Extractable', true],
      ['1.4', 'NeverExtractable', false],
      ['2.0', 'KeyFormatType', 'Raw'],
      ['2.0', 'ProtectionStorageMask', 1],
      ['2.0', 'ShortUniqueIdentifier'],
    ]
    for (const [first, tag, value] of since) {
      expect(tag in held, tag).toBe(as >= first)
      if (as >= first && value !== undefined) expect(held[tag]).toEqual(value)
    }
    // The digest is that of the key.
    const { bytes } = blockOf(await engine.call(as, 'Get', { UniqueIdentifier: id }))
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice()))
    expect(held.Digest).toEqual({
      HashingAlgorithm: 'SHA_256',
      DigestValue: digest,
      ...(as !== '1.0' && { KeyFormatType: 'Raw' }),
    })
  })

  test('the list of attributes names each once, in the order of their values', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [{ tag: 'ObjectGroup', value: 'one' }])
    await engine.call(as, 'AddAttribute', {
      UniqueIdentifier: id,
      NewAttribute: { tag: 'ObjectGroup', value: 'two' },
    })
    const list = await engine.call(as, 'GetAttributeList', { UniqueIdentifier: id })
    const all = await engine.call(as, 'GetAttributes', { UniqueIdentifier: id })
    const named = list.AttributeReference.map(({ tag }) => tag)
    expect(named).toEqual([...new Set(all.Attributes!.map(({ tag }) => tag))])
  })

  test('an Activation Date that is past makes the key active, with the date as given', async () => {
    const engine = await testEngine()
    const value = started - 1000n
    const id = await engine.key(as, 'A', [{ tag: 'ActivationDate', value }])
    expect(await engine.attribute(as, id, 'State')).toEqual(['Active'])
    expect(await engine.attribute(as, id, 'ActivationDate')).toEqual([value])
  })

  test('without a length the key has the usual one of its algorithm', async () => {
    const engine = await testEngine()
    const Attributes = without('CryptographicLength')
    const made = await engine.call(as, 'Create', { ObjectType: 'SymmetricKey', Attributes })
    expect(blockOf(await engine.call(as, 'Get', made)).bytes).toHaveLength(32)
  })

  test('application data that the client leaves out is made, and 1.x is told it at once', async () => {
    const engine = await testEngine()
    const asi: AttributeInstance = {
      tag: 'ApplicationSpecificInformation',
      value: { ApplicationNamespace: 'ACME-LIBRARY-LTO5' },
    }
    const Attributes = [...without('ApplicationSpecificInformation'), asi]
    const made = await engine.call(as, 'Create', { ObjectType: 'SymmetricKey', Attributes })
    const [held] = (await engine.attribute(as, made.UniqueIdentifier, asi.tag as never)) as [
      { ApplicationNamespace: string; ApplicationData: string },
    ]
    expect(held.ApplicationNamespace).toBe('ACME-LIBRARY-LTO5')
    expect(held.ApplicationData).toMatch(/^[0-9A-F]{24}$/u)
    expect(made.Attributes).toEqual(isLate(as) ? undefined : [{ tag: asi.tag, value: held }])
  })
})

test.each([
  ['AES', 128, 16],
  ['AES', 192, 24],
  ['DES3', 112, 16],
  ['DES3', 168, 24],
  ['Camellia', 256, 32],
  ['HMAC_SHA256', 512, 64],
  ['ChaCha20', 256, 32],
] as const)('%s keys of %i bits have %i bytes', async (algorithm, bits, bytes) => {
  const engine = await testEngine()
  const Attributes: AttributeInstance[] = [
    { tag: 'CryptographicAlgorithm', value: algorithm },
    { tag: 'CryptographicLength', value: bits },
    { tag: 'CryptographicUsageMask', value: 12 },
  ]
  const made = await engine.call('1.4', 'Create', { ObjectType: 'SymmetricKey', Attributes })
  const block = blockOf(await engine.call('1.4', 'Get', made))
  expect(block.bytes).toHaveLength(bytes)
  expect(block).toMatchObject({ CryptographicAlgorithm: algorithm, CryptographicLength: bits })
})

test.each(['2.0', '2.1'] as const)('in %s an empty request makes an AES-256 key', async (as) => {
  const engine = await testEngine()
  const made = await engine.call(as, 'Create', { ObjectType: 'SymmetricKey', Attributes: [] })
  const id = made.UniqueIdentifier
  expect(blockOf(await engine.call(as, 'Get', made)).bytes).toHaveLength(32)
  expect(await engine.attribute(as, id, 'CryptographicUsageMask')).toEqual([12])
})

test('in 1.4 a key whose use is not told encrypts and decrypts (TC-CS-CORVAL-1-14)', async () => {
  const engine = await testEngine()
  const Attributes = without('CryptographicUsageMask')
  const made = await engine.call('1.4', 'Create', { ObjectType: 'SymmetricKey', Attributes })
  expect(await engine.attribute('1.4', made.UniqueIdentifier, 'CryptographicUsageMask')).toEqual([
    12,
  ])
})

test.each(['1.4', '2.0', '2.1'] as const)('in %s secret data is made as well', async (as) => {
  const engine = await testEngine()
  const made = await engine.call(as, 'Create', {
    ObjectType: 'SecretData',
    Attributes: [{ tag: 'CryptographicLength', value: 80 }],
  })
  const got = await engine.call(as, 'Get', made)
  expect(got.SecretData!.SecretDataType).toBe('Password')
  expect(blockOf(got).bytes).toHaveLength(10)
  expect(await engine.refused('1.3', 'Create', { ObjectType: 'SecretData', Attributes: [] })).toBe(
    'InvalidField',
  )
})

test('keys are different, and never in the answer of Create, the log or the audit', async () => {
  const engine = await testEngine()
  const keys = new Set<string>()
  for (let at = 0; at < 20; at++) {
    const UniqueIdentifier = await engine.key('1.2', `${at}`)
    const { bytes } = blockOf(await engine.call('1.2', 'Get', { UniqueIdentifier }))
    keys.add(Buffer.from(bytes).toString('hex'))
  }
  expect(keys.size).toBe(20)
  const told = JSON.stringify([engine.lines, await engine.audited()], (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  for (const key of keys) expect(told).not.toContain(key)
})

test('storage that the client accepts is kept, in whichever alternative it stands', async () => {
  const engine = await testEngine()
  const ProtectionStorageMasks = { ProtectionStorageMask: [2, 1] }
  const request = { ObjectType: 'SymmetricKey' as const, Attributes: [], ProtectionStorageMasks }
  await engine.call('2.1', 'Create', request)
})
